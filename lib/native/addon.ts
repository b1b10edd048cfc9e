/**
 * The whole native surface in one place: what `lineament.node` exports, and nothing else.
 *
 * Rules that hold for every call:
 * - Arguments are validated in TypeScript before they cross; the native side checks again only what memory safety needs
 *   and rejects with an `Error` whose `code` is one of {@link NativeErrorCode}.
 * - Every promise settles on the thread that made the call; the work runs on an {@link NativeExecutor}, never on libuv's pool.
 * - Typed arrays handed in are read in place (their `byteOffset` is respected) and kept alive until the promise settles;
 *   callers must not change them meanwhile. Detached buffers are refused. Results are fresh arrays that the caller owns.
 * - Pixel frame: x right, y down, origin at the top-left corner of the top-left pixel; the centre of pixel (i, j) is (i + 0.5, j + 0.5).
 */

import type { NativeCapture } from './capture.js';
import type { NativeClouds } from './cloud.js';
import type { NativeCuda } from './cuda.js';
import type { NativeDepths } from './depth.js';
import type { NativeMeshFiles } from './mesh-files.js';
import type { NativeNvml } from './nvml.js';
import type { NativeRedaction } from './redact.js';
import type { NativeSearch } from './search.js';
import type { NativeShapes } from './shape.js';
import type { NativeSimplify } from './simplify.js';
import type { NativeSqlite } from './sqlite.js';
import type { NativeSurfaces } from './surface.js';
import type { NativeTextures } from './texture.js';
import type { NativeV4l2 } from './v4l2.js';

export type * from './capture.js';
export type * from './cloud.js';
export type * from './cuda.js';
export type * from './depth.js';
export type * from './mesh-files.js';
export type * from './nvml.js';
export type * from './redact.js';
export type * from './search.js';
export type * from './shape.js';
export type * from './simplify.js';
export type * from './sqlite.js';
export type * from './surface.js';
export type * from './texture.js';
export type * from './v4l2.js';

/** Stable error codes that native code can give. */
export type NativeErrorCode =
  | 'INVALID_ARGUMENT'
  | 'ABORTED'
  | 'CLOSED'
  | 'OUT_OF_MEMORY'
  | 'RUNTIME_NOT_FOUND'
  | 'RUNTIME_INCOMPATIBLE'
  | 'PROVIDER_UNAVAILABLE'
  | 'MODEL_CORRUPT'
  | 'INFERENCE_FAILED'
  | 'STORE_CORRUPT'
  | 'STORE_VERSION'
  | 'STORE_BUSY'
  | 'STORE_FULL'
  | 'STORE_FAILED'
  | 'DUPLICATE_ID'
  | 'NOT_FOUND'
  | 'MESH_CORRUPT'
  | 'NO_SURFACE'
  | 'CAMERA_NOT_FOUND'
  | 'CAMERA_BUSY'
  | 'CAMERA_UNSUPPORTED'
  | 'CAMERA_LOST'
  | 'VIDEO_CORRUPT'
  | 'INTERNAL';

/** Layout of 8-bit pixels in memory. `nv12` and `i420` are planar 4:2:0 (BT.601 limited range), `yuyv` is packed 4:2:2. */
export type PixelFormat = 'rgb' | 'bgr' | 'rgba' | 'bgra' | 'gray' | 'yuyv' | 'nv12' | 'i420';

/** A view of pixels; `stride` is the bytes from one row to the next (of the luma plane for planar formats), default tight. */
export interface PixelView {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly stride?: number;
  readonly format: PixelFormat;
}

/** SIMD level in use. `LINEAMENT_SIMD` lowers it; it never raises it above what the processor has. */
export type SimdLevel = 'scalar' | 'avx2' | 'avx512' | 'neon';

export interface CpuInfo {
  readonly arch: string;
  /** Level the kernels use. */
  readonly simd: SimdLevel;
  /** Highest level this processor and operating system support. */
  readonly detected: SimdLevel;
  readonly features: readonly string[];
  /** Logical processors that this process may use (affinity mask respected). */
  readonly cores: number;
}

/** Tells running work to stop. Thread-safe and idempotent; a cancelled token stays cancelled. */
export interface NativeToken {
  cancel(): void;
  readonly cancelled: boolean;
}

/** A pool of compute threads, first in first out. `close` lets running jobs finish, rejects queued ones with `CLOSED`. */
export interface NativeExecutor {
  readonly threads: number;
  /** Jobs waiting and running now. */
  readonly pending: number;
  close(): Promise<void>;
}

/**
 * How regions are sampled. `area` averages everything an output pixel covers when shrinking (and is bilinear when enlarging);
 * `bilinear` always takes four neighbours. Outside the image: `zero` gives pixel value 0, `replicate` the nearest edge pixel.
 */
export interface Sampling {
  readonly filter: 'area' | 'bilinear';
  readonly border: 'zero' | 'replicate';
}

/** The tensor a network wants: `value = pixel * scale[c] + offset[c]`, channel c in the order that `colour` names. */
export interface TensorSpec {
  readonly width: number;
  readonly height: number;
  readonly colour: 'rgb' | 'bgr' | 'gray';
  readonly layout: 'nchw' | 'nhwc';
  readonly type: 'float32' | 'uint8';
  readonly scale: readonly [number, number, number];
  readonly offset: readonly [number, number, number];
}

/**
 * Affine maps from output to source pixels, six numbers each [a, b, c, d, e, f]:
 * `sx = a·u + b·v + c`, `sy = d·u + e·v + f`, where (u, v) is an output pixel's centre (i + 0.5, j + 0.5).
 * A whole-image resize to w×h is [W/w, 0, 0, 0, H/h, 0].
 */
export type Regions = Float64Array;

/** Per-box statistics, {@link STATISTICS} numbers each, in this order; NaN where the box covers fewer than 3×3 pixels. */
export const STATISTICS = [
  /** Variance of the 4-neighbour Laplacian of luma (0–255 units squared): higher is sharper. */
  'laplacianVariance',
  /** Mean luma, 0–255. */
  'mean',
  /** Standard deviation of luma (RMS contrast), 0–255. */
  'contrast',
  /** Share of pixels with luma ≤ 10, 0–1. */
  'underexposed',
  /** Share of pixels with luma ≥ 245, 0–1. */
  'overexposed',
] as const;

/** Parts of a picture. */
export interface PixelRegions {
  readonly source: PixelView;
  readonly regions: Regions;
}

/** Network input from pixels: each region becomes one item of the batch. */
export interface PixelInput extends PixelRegions {
  /** Other pictures, whose regions follow in this order. One of them that is wrong is the whole job's error, before anything runs. */
  readonly more?: readonly PixelRegions[];
  readonly tensor: TensorSpec;
  readonly sampling: Sampling;
  /** `both` adds, right after each region, its mirror image (about the vertical axis of the output). Default `none`. */
  readonly mirror?: 'none' | 'both';
}

/** Network inputs given as ready tensors, by input name. */
export interface TensorInput {
  readonly tensors: Readonly<
    Record<string, { readonly data: Float32Array | Uint8Array | Int32Array; readonly shape: readonly number[] }>
  >;
}

/**
 * What becomes of the raw outputs inside the same job.
 * - `ssd`: outputs `boxes` [N,A,4] (ty,tx,th,tw, variances 10 and 5) and `scores` [N,A] of the SSD-MobileNet face network,
 *   anchors made for the input size (pixel sizes fixed as for a 512 input).
 * - `blaze`: outputs `regressors` [N,A,4+2k] and `scores` [N,A]; `strides` lists [stride, anchors per cell] in output order.
 *   `logits` says that scores still need a sigmoid.
 * - `tiny`: output `grid`, N × gh × gw × 25: the YOLO-style tiny face detector, cell by cell.
 * - `scrfd`: nine outputs (six where `keypoints` is 0), told apart by their shapes: scores [A,1], distances [A,4] and offsets
 *   [A,2k] for strides 8, 16 and 32, two anchors per cell. `MODEL_CORRUPT` where one is missing.
 * Boxes below `minScore` are dropped, all are mapped through their region to source pixels, and greedy non-maximum
 * suppression with intersection over union above `iou` runs over all regions together (so tiles merge); where `contained` is
 * set, a box whose intersection over the smaller area exceeds it is dropped as well.
 */
export type Decoder =
  | {
      readonly kind: 'ssd';
      readonly minScore: number;
      readonly iou: number;
      readonly contained?: number;
      readonly max: number;
    }
  | {
      readonly kind: 'blaze';
      readonly minScore: number;
      readonly iou: number;
      readonly contained?: number;
      readonly max: number;
      readonly strides: readonly (readonly [stride: number, anchors: number])[];
      readonly keypoints: number;
      readonly logits: boolean;
    }
  | {
      readonly kind: 'tiny';
      readonly minScore: number;
      readonly iou: number;
      readonly contained?: number;
      readonly max: number;
    }
  | {
      readonly kind: 'scrfd';
      readonly minScore: number;
      readonly iou: number;
      readonly contained?: number;
      readonly max: number;
      readonly keypoints: number;
    };

export interface NetworkJob {
  readonly input: PixelInput | TensorInput;
  /** Without it the raw outputs come back. */
  readonly decode?: Decoder;
  /** Only these outputs; all when absent. Ignored with `decode`. */
  readonly outputs?: readonly string[];
  /** Most items in one run of the network; more are run in turns within the job. Default: all at once. */
  readonly maxBatch?: number;
}

export interface OutputTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array | BigInt64Array;
}

/** Decoded boxes, best score first: `count` rows of `stride` numbers [x1, y1, x2, y2, score, region index, keypoint x, y, …] in source pixels. */
export interface Detections {
  readonly count: number;
  readonly stride: number;
  readonly data: Float32Array;
}

export interface NetworkResult {
  readonly outputs?: readonly OutputTensor[];
  readonly detections?: Detections;
  /** Milliseconds: waiting in the queue, preparing tensors, inside the network, decoding. */
  readonly timings: {
    readonly queue: number;
    readonly prepare: number;
    readonly network: number;
    readonly decode: number;
  };
}

export interface TensorInfo {
  readonly name: string;
  readonly type: string;
  /** Dimensions; −1 where dynamic. */
  readonly shape: readonly number[];
}

export interface SessionOptions {
  /** Threads inside one run of this network (1 = none but the executor's own). */
  readonly threads: number;
  /** Execution providers by name, tried in order; `cpu` needs no library support. A named one that is absent is an error. */
  readonly providers: readonly string[];
  /** Detach the buffer of the model's bytes once the session is made, so that its memory goes at once. Default false. */
  readonly consume?: boolean;
}

export interface NativeSession {
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  run(job: NetworkJob, token?: NativeToken): Promise<NetworkResult>;
  /** Waits for running jobs, then frees. Later runs reject with `CLOSED`. Idempotent. */
  close(): Promise<void>;
}

/** An ONNX Runtime library, opened once per path and process. */
export interface NativeRuntime {
  readonly path: string;
  readonly version: string;
  /** Version of the C API that was asked for and granted. */
  readonly api: number;
  readonly providers: readonly string[];
  /** Makes a session from the bytes of an ONNX file on the executor's threads. */
  createSession(
    executor: NativeExecutor,
    model: Uint8Array,
    options: SessionOptions,
    token?: NativeToken,
  ): Promise<NativeSession>;
}

export interface NativeAddon
  extends NativeCapture,
    NativeClouds,
    NativeCuda,
    NativeDepths,
    NativeMeshFiles,
    NativeNvml,
    NativeRedaction,
    NativeSearch,
    NativeShapes,
    NativeSimplify,
    NativeSqlite,
    NativeTextures,
    NativeSurfaces,
    NativeV4l2 {
  readonly version: string;
  cpu(): CpuInfo;
  createToken(): NativeToken;
  /** `threads` ≥ 1. */
  createExecutor(threads: number): NativeExecutor;
  /** Same size, other format; to `rgb`, `bgr`, `rgba`, `bgra` or `gray`. Tight rows. */
  convert(executor: NativeExecutor, source: PixelView, format: PixelFormat, token?: NativeToken): Promise<Uint8Array>;
  /** Chips cut out of the source: n × height × width × 3 bytes, in the channel order `colour`. */
  warp(
    executor: NativeExecutor,
    source: PixelView,
    regions: Regions,
    size: { readonly width: number; readonly height: number; readonly colour: 'rgb' | 'bgr' | 'gray' },
    sampling: Sampling,
    token?: NativeToken,
  ): Promise<Uint8Array>;
  /** Exactly what a network would be given: n items of `spec`'s layout. */
  toTensor(
    executor: NativeExecutor,
    source: PixelView,
    regions: Regions,
    spec: TensorSpec,
    sampling: Sampling,
    token?: NativeToken,
  ): Promise<Float32Array | Uint8Array>;
  /** `boxes`: n × [x, y, w, h] in source pixels, clipped to the image. Gives n × `STATISTICS.length` numbers. */
  statistics(
    executor: NativeExecutor,
    source: PixelView,
    boxes: Float64Array,
    token?: NativeToken,
  ): Promise<Float64Array>;
  /** Frees what an array holds where it is all of its buffer: it is empty afterwards. Nothing may read it any more, on any thread. */
  releaseBytes(bytes: Uint8Array): void;
  /** Opens libonnxruntime; the same path twice gives the same runtime. */
  openRuntime(executor: NativeExecutor, path: string): Promise<NativeRuntime>;
  /** Locks a file (made where it is missing) for this process until `release`, or until the process ends; `STORE_BUSY`, `STORE_FAILED`. */
  lockFile(path: string): NativeFileLock;
}

/** One holder at a time, over all processes of this machine. */
export interface NativeFileLock {
  /** Idempotent. */
  release(): void;
}
