import { abortSignal, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import type { CameraIntrinsics } from '../landmarks/camera.js';
import type { NativeToken } from '../native/addon.js';
import { MOST_NEIGHBOURS, type NativeColours, type NativeNormalWindow } from '../native/cloud.js';
import type { Frame } from '../types.js';
import { checkCloud, checkPoint, checkTransform } from './cloud-check.js';
import { checkDepth, checkIntrinsics, positive } from './depth-check.js';
import { cudaOf, type ReconstructionDevice } from './device.js';
import type { DepthMap, PointCloud } from './types.js';

/** How normals are taken from the grid of a depth map. */
export interface DepthNormalOptions {
  /** Pixels to each side that a plane is fitted to, 1 to 16; 2 when absent. */
  readonly radius?: number;
  /**
   * Pixels belong to the same surface where their depths differ by no more than this share of the depth for each
   * pixel between
   * them; 0.02 when absent.
   */
  readonly step?: number;
}

/** Where points take their colours from. */
export interface CloudPicture {
  readonly frame: Frame;
  /** The camera that took it; without one the picture has the size of the depth map, and its pixels are the map's. */
  readonly camera?: CameraIntrinsics;
  /**
   * 4 × 4 numbers row by row: from the frame of the depth map's camera to that of the picture's, in millimetres. The
   * same when absent.
   */
  readonly transform?: ArrayLike<number>;
}

export interface ProjectDepthOptions {
  readonly picture?: CloudPicture;
  /** Pixels of less confidence make no point; 0 (all that have a depth) when absent. */
  readonly minConfidence?: number;
  /** Normals from the depth map's grid; none when absent. */
  readonly normals?: boolean | DepthNormalOptions;
  /** Where points and normals are computed; `cpu` when absent. */
  readonly device?: ReconstructionDevice;
  readonly signal?: AbortSignal;
}

/** A cloud whose points are pixels of a depth map. */
export interface DepthCloud extends PointCloud {
  /** n: row × width + column of each point's pixel, ascending. */
  readonly pixels: Uint32Array;
}

/**
 * A point for every pixel of a depth map whose depth is known, in the camera's frame (millimetres): (x − cx) · Z / fx,
 * (y − cy) · Z / fy, Z, for the pixel's centre (x, y). Colours are the pixels' own where the picture is the depth
 * map's, and taken bilinearly where
 * it has a camera of its own, black where that does not see the point (what hides a point from it is not looked at).
 *
 * Rejects with `NO_SURFACE` (no pixel has a depth and the confidence asked for), `INVALID_ARGUMENT`, `ABORTED`,
 * `CLOSED`,
 * `OUT_OF_MEMORY`, `PROVIDER_UNAVAILABLE` (a device that is not there). Thread-safe; the same bytes for any number of
 * threads.
 */
export async function projectDepth(
  runtime: Runtime,
  map: DepthMap,
  options: ProjectDepthOptions = {},
): Promise<DepthCloud> {
  plainObject('options', options, ['picture', 'minConfidence', 'normals', 'device', 'signal']);
  const shape = checkDepth(map);
  const signal = options.signal && abortSignal('signal', options.signal);
  const leastConfidence = numberIn('minConfidence', options.minConfidence ?? 0, 0, 1);
  const wanted = options.normals ?? false;
  const normals = wanted === false ? undefined : windowOf(wanted === true ? {} : wanted);
  const check = options.picture === undefined ? undefined : checkPicture(options.picture, map);
  const cuda = await cudaOf(runtime, options.device);
  const made = await cancellable(runtime.addon, signal, async (token) =>
    runtime.addon.projectDepth(
      runtime.executor,
      map.depth,
      map.confidence,
      { ...shape, leastConfidence, normals, picture: await check?.(runtime, token), cuda },
      token,
    ),
  );
  if (made.pixels.length === 0) {
    throw new LineamentError('NO_SURFACE', 'no pixel of the depth map has a depth and the confidence asked for');
  }
  return made as DepthCloud;
}

/**
 * Normals of the surface that a depth map shows: 3 × width × height numbers, of length 1 and towards the camera, 0 0
 * 0 where
 * depth is not known or too few pixels belong to the same surface. A plane is fitted to the inverse depths of a
 * window, which
 * are linear in the picture across any plane; pixels beyond a step in depth are left out.
 *
 * Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`, `PROVIDER_UNAVAILABLE` (a device that is not
 * there).
 * Thread-safe; the same bytes for any number of threads.
 */
export async function depthNormals(
  runtime: Runtime,
  map: DepthMap,
  options: DepthNormalOptions & {
    readonly minConfidence?: number;
    readonly device?: ReconstructionDevice;
    readonly signal?: AbortSignal;
  } = {},
): Promise<Float32Array> {
  const { minConfidence, device, signal, ...window } = plainObject('options', options, [
    'radius',
    'step',
    'minConfidence',
    'device',
    'signal',
  ]);
  const shape = checkDepth(map);
  const asked = {
    ...shape,
    leastConfidence: numberIn('minConfidence', minConfidence ?? 0, 0, 1),
    normals: windowOf(window),
    cuda: await cudaOf(runtime, device),
  };
  return cancellable(runtime.addon, signal === undefined ? undefined : abortSignal('signal', signal), (token) =>
    runtime.addon.depthNormals(runtime.executor, map.depth, map.confidence, asked, token),
  );
}

export interface EstimateNormalsOptions {
  /** Nearest points that a plane is fitted to, the point itself among them, 3 to 1024; 30 when absent. */
  readonly neighbours?: number;
  /** Of these only those within so many millimetres; all when absent. */
  readonly radius?: number;
  /** Normals look towards this point; [0, 0, 0], the camera, when absent. */
  readonly viewpoint?: readonly [x: number, y: number, z: number];
  readonly signal?: AbortSignal;
}

/**
 * The cloud with a normal for each point: the direction in which its nearest points vary least (H. Hoppe et al.,
 * SIGGRAPH 1992),
 * as Open3D's `estimate_normals` computes it, turned towards the viewpoint. 0 0 0 where fewer than three points are
 * near or they lie on
 * a line or in one place.
 *
 * Rejects with `INVALID_ARGUMENT` (positions that are not finite, or beyond 10⁹), `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`.
 * Thread-safe; the same bytes for any number of threads.
 */
export async function estimateNormals<T extends PointCloud>(
  runtime: Runtime,
  cloud: T,
  options: EstimateNormalsOptions = {},
): Promise<T & { readonly normals: Float32Array }> {
  plainObject('options', options, ['neighbours', 'radius', 'viewpoint', 'signal']);
  const { positions } = checkCloud('cloud', cloud);
  const neighbours = positiveInteger('neighbours', options.neighbours ?? 30, MOST_NEIGHBOURS);
  if (neighbours < 3) throw invalid('neighbours', 'integer of at least 3', neighbours);
  const radius = options.radius === undefined ? 0 : positive('radius', options.radius);
  const [x, y, z] = checkPoint('viewpoint', options.viewpoint ?? [0, 0, 0]);
  const signal = options.signal && abortSignal('signal', options.signal);
  const normals = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.cloudNormals(runtime.executor, { positions }, { neighbours, radius, x, y, z }, token),
  );
  return { ...cloud, normals };
}

function windowOf(options: unknown): NativeNormalWindow {
  const { radius = 2, step = 0.02 } = plainObject('normals', options, ['radius', 'step']);
  return { radius: positiveInteger('radius', radius, 16), step: positive('step', step) };
}

/** Looks at a picture at once; what is given back turns it into tight RGB. */
function checkPicture(
  picture: unknown,
  map: DepthMap,
): (runtime: Runtime, token: NativeToken | undefined) => Promise<NativeColours> {
  const known = plainObject('picture', picture, ['frame', 'camera', 'transform']);
  const frame = known['frame'] as Frame;
  if (typeof frame !== 'object' || frame === null) throw invalid('picture.frame', 'frame', frame);
  const { data, format, stride } = frame;
  const width = positiveInteger('picture.frame.width', frame.width, 1 << 20);
  const height = positiveInteger('picture.frame.height', frame.height, 1 << 20);
  if (!(data instanceof Uint8Array)) throw invalid('picture.frame.data', 'Uint8Array', data);
  const camera = known['camera'] === undefined ? undefined : checkIntrinsics(known['camera'] as CameraIntrinsics);
  const transform =
    known['transform'] === undefined ? undefined : checkTransform('picture.transform', known['transform']);
  if (camera === undefined) {
    if (transform !== undefined) throw invalid('picture.transform', 'nothing without a camera', known['transform']);
    if (width !== map.width || height !== map.height) {
      const fix = 'Name the camera that took it as picture.camera.';
      throw invalid('picture.frame', `picture of ${map.width} × ${map.height} pixels`, `${width} × ${height}`, fix);
    }
  }
  const bytes = 3 * width * height;
  const tight = format === 'rgb' && (stride === undefined || stride === 3 * width);
  if (tight && data.length < bytes) throw invalid('picture.frame.data', `Uint8Array of ${bytes} bytes`, data);
  return async ({ addon, executor }, token) => ({
    width,
    height,
    ...camera,
    transform,
    pixels: tight ? data.subarray(0, bytes) : await addon.convert(executor, frame, 'rgb', token),
  });
}
