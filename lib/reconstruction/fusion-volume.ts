import { abortSignal, boolean, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import { Lifetime } from '../inference/lifetime.js';
import type { Runtime } from '../inference/runtime.js';
import type { NativeVolume } from '../native/addon.js';
import type { Frame } from '../types.js';
import { checkPoint, checkTransform } from './cloud-check.js';
import type { FaceDepth } from './depth.js';
import { checkDepth, positive } from './depth-check.js';
import { cudaOf, type ReconstructionDevice } from './device.js';
import type { DepthMap, Mesh } from './types.js';

/** A box in the world's frame, millimetres. */
export interface Bounds {
  readonly low: readonly [x: number, y: number, z: number];
  readonly high: readonly [x: number, y: number, z: number];
}

export interface VolumeOptions {
  /** What is kept. */
  readonly bounds: Bounds;
  /** Side of a voxel in millimetres; default 2. */
  readonly voxelSize?: number;
  /** Distances from the surface are kept up to this, millimetres: above the noise of depth, below half the thinnest part; default 3 voxels. */
  readonly truncation?: number;
  /**
   * Free space is noted as far as this in front of a surface, in millimetres, and so takes away what an earlier frame saw there
   * wrongly; no limit when absent, `truncation` at least.
   */
  readonly carving?: number;
  /** Frames that count beside a new one, in full weight; above it the past fades. Default 255. */
  readonly maximumWeight?: number;
  /** Keep colours; default true. */
  readonly colour?: boolean;
  /** Most memory; default 1 GiB. A block of 8³ voxels takes 12 KiB with colours and 4 KiB without. */
  readonly maxBytes?: number;
  /** Where frames are fused; `cpu` when absent. A volume on a device takes as much of its memory as here. */
  readonly device?: ReconstructionDevice;
}

/** @internal */
export const VOLUME_OPTIONS = [
  'bounds',
  'voxelSize',
  'truncation',
  'carving',
  'maximumWeight',
  'colour',
  'maxBytes',
  'device',
] as const;

export interface IntegrateOptions {
  /**
   * The picture that colours come from: as large as the depth map, or, for a map with an `origin` (`depthFromLandmarks`), the
   * picture that it is a part of. Without one nothing is coloured.
   */
  readonly frame?: Frame;
  /** 16 numbers row by row, camera from world: X_camera = pose · X_world, a rotation and a shift in millimetres. The identity when absent. */
  readonly pose?: ArrayLike<number>;
  readonly signal?: AbortSignal;
}

/** What a frame changed. */
export interface Integrated {
  readonly blocks: number;
  readonly voxels: number;
}

/** Depth maps become one surface in here. Calls take turns. Close it, or its memory stays until it is collected. */
export interface Volume extends AsyncDisposable {
  /** Bytes that it holds; 0 once closed. */
  readonly bytes: number;
  /**
   * Fuses a depth map. Where this fails nothing of it was. Rejects with `NO_SURFACE` (no known pixel within the bounds),
   * `INVALID_ARGUMENT`, `OUT_OF_MEMORY` (beyond `maxBytes`; the message says how many bytes are needed), `ABORTED`, `CLOSED`.
   */
  integrate(depth: DepthMap, options?: IntegrateOptions): Promise<Integrated>;
  /**
   * The surface so far, between voxels whose weight (frames, weighed by confidence and viewing angle) is at least
   * `minimumWeight`; normals and colours with it. Rejects with `NO_SURFACE` where there is none, `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`.
   */
  extract(options?: { readonly minimumWeight?: number; readonly signal?: AbortSignal }): Promise<Mesh>;
  /** Waits for what runs. Idempotent. */
  close(): Promise<void>;
}

/**
 * An empty volume: a truncated signed distance function (B. Curless, M. Levoy, SIGGRAPH 1996; R. Newcombe et al., "KinectFusion",
 * ISMAR 2011) in blocks of 8³ voxels, of which only those near surfaces take memory. The surface is taken out by marching cubes; where
 * all around a vertex is known it is manifold, and closed surfaces are watertight. The same bytes for any number of threads.
 *
 * Rejects with `INVALID_ARGUMENT` (also where the directory of blocks alone would need more than `maxBytes`; the message says what),
 * `OUT_OF_MEMORY`, `CLOSED`, `PROVIDER_UNAVAILABLE` (a device that is not there).
 */
export async function createVolume(runtime: Runtime, options: VolumeOptions): Promise<Volume> {
  const given = plainObject('options', options, VOLUME_OPTIONS);
  const bounds = checkBounds(given['bounds']);
  const voxel = positive('voxelSize', options.voxelSize ?? 2);
  const truncation = numberIn('truncation', options.truncation ?? 3 * voxel, 2 * voxel, 1e6);
  const asked = {
    bounds: Float64Array.of(...bounds.low, ...bounds.high),
    voxel,
    truncation,
    carve: numberIn('carving', options.carving ?? 1e6, truncation, 1e6),
    maxWeight: numberIn('maximumWeight', options.maximumWeight ?? 255, 1, 1e6),
    coloured: boolean('colour', options.colour ?? true),
    maxBytes: positiveInteger('maxBytes', options.maxBytes ?? 2 ** 30),
    cuda: await cudaOf(runtime, options.device),
  };
  const native = await cancellable(runtime.addon, undefined, async () =>
    runtime.addon.createVolume(runtime.executor, asked),
  );
  return new TsdfVolume(runtime, native);
}

class TsdfVolume implements Volume {
  readonly #runtime: Runtime;
  readonly #native: NativeVolume;
  readonly #lifetime = new Lifetime('volume');
  #last: Promise<unknown> = Promise.resolve();

  constructor(runtime: Runtime, native: NativeVolume) {
    this.#runtime = runtime;
    this.#native = native;
  }

  get bytes(): number {
    return this.#native.bytes;
  }

  async integrate(depth: DepthMap, options: IntegrateOptions = {}): Promise<Integrated> {
    plainObject('options', options, ['frame', 'pose', 'signal']);
    const shape = checkDepth(depth, 'depth');
    const pose = poseOf('pose', options.pose);
    const region = options.frame && regionOf(options.frame, depth);
    const signal = options.signal && abortSignal('signal', options.signal);
    const { addon, executor } = this.#runtime;
    return this.#inTurn(() =>
      cancellable(addon, signal, async (token) => {
        const rgb =
          options.frame &&
          region &&
          (await addon.warp(
            executor,
            options.frame,
            region,
            { width: shape.width, height: shape.height, colour: 'rgb' },
            { filter: 'bilinear', border: 'replicate' },
            token,
          ));
        return this.#native.integrate(executor, depth.depth, depth.confidence, rgb, shape, pose, token);
      }),
    );
  }

  async extract(options: { readonly minimumWeight?: number; readonly signal?: AbortSignal } = {}): Promise<Mesh> {
    plainObject('options', options, ['minimumWeight', 'signal']);
    const weight = numberIn('minimumWeight', options.minimumWeight ?? 0, 0, 1e9);
    const signal = options.signal && abortSignal('signal', options.signal);
    return this.#inTurn(() =>
      cancellable(this.#runtime.addon, signal, async (token) =>
        this.#native.extract(this.#runtime.executor, weight, token),
      ),
    );
  }

  /** One after the other: work that waited for the volume inside would hold a thread. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#lifetime.use(() => {
      const turn = this.#last.then(work);
      this.#last = turn.catch(() => undefined);
      return turn;
    });
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#native.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function checkBounds(value: unknown): Bounds {
  const { low, high } = plainObject('bounds', value, ['low', 'high']);
  const bounds = { low: checkPoint('bounds.low', low), high: checkPoint('bounds.high', high) };
  for (const [k, axis] of [...'xyz'].entries()) {
    if (!(bounds.low[k]! < bounds.high[k]!)) throw invalid(`bounds of ${axis}`, 'low below high', value);
  }
  return bounds;
}

/** @internal 16 numbers, the identity where there are none. */
export function poseOf(name: string, value: ArrayLike<number> | undefined): Float64Array {
  return checkTransform(name, value ?? [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1]);
}

/** The map from pixels of the depth to pixels of the picture, for `warp`. */
function regionOf(frame: Frame, depth: DepthMap): Float64Array {
  if (typeof frame !== 'object' || frame === null) throw invalid('frame', 'frame', frame);
  if (frame.width === depth.width && frame.height === depth.height) return Float64Array.of(1, 0, 0, 0, 1, 0);
  const origin = (depth as Partial<FaceDepth>).origin;
  if (origin === undefined) {
    throw invalid('frame', `picture of ${depth.width} × ${depth.height} pixels`, `${frame.width} × ${frame.height}`);
  }
  return Float64Array.of(1, 0, origin[0], 0, 1, origin[1]);
}
