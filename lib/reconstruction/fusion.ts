import { abortSignal, boolean, invalid, numberIn, plainObject } from '../errors/validate.js';
import { LineamentError, wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import type { HeadPose } from '../landmarks/head-pose.js';
import { add, apply, multiply, transpose, type Vector } from '../landmarks/linear.js';
import type { Frame } from '../types.js';
import { projectDepth } from './cloud.js';
import { checkDepth } from './depth-check.js';
import { type Bounds, createVolume, poseOf, VOLUME_OPTIONS, type Volume, type VolumeOptions } from './fusion-volume.js';
import { type AlignCloudsOptions, alignClouds } from './icp.js';
import { cleanMesh } from './topology.js';
import type { DepthMap, Mesh } from './types.js';

/** A view of the same thing. */
export interface FusionFrame {
  readonly depth: DepthMap;
  /** Where colours come from; see `Volume.integrate`. */
  readonly frame?: Frame;
  /** 16 numbers row by row, camera from world; see {@link poseFromHead}. Absent: as the frame before, and found by alignment. */
  readonly pose?: ArrayLike<number>;
}

export interface FuseFramesOptions extends Partial<VolumeOptions> {
  /**
   * Aligns each frame with the surface so far (ICP) before it is fused: `true` always, `false` never; when absent only frames without
   * a pose.
   */
  readonly align?: boolean;
  /** How; see `alignClouds`. */
  readonly alignment?: Pick<AlignCloudsOptions, 'levels' | 'loss'>;
  /** Share of a frame's points that must find the surface; frames with fewer are left out. Default 0.5. */
  readonly minimumFitness?: number;
  /** As in `Volume.extract`; default 0. */
  readonly minimumWeight?: number;
  /** Pieces with less than this share of the largest one's area are left out: crumbs along rims. 0 to 1; default 0.01. */
  readonly minimumAreaShare?: number;
  readonly signal?: AbortSignal;
}

/** What became of a frame. */
export interface FusedFrame {
  /** Camera from world, 16 numbers row by row; absent for a frame that was left out. */
  readonly pose?: Float64Array;
  /** Where it was aligned: share of its points that found the surface, and the root mean square of their distances, millimetres. */
  readonly alignment?: { readonly fitness: number; readonly inlierRmse: number };
}

export interface FusedFrames {
  readonly mesh: Mesh;
  /** In the order of the frames given. */
  readonly frames: readonly FusedFrame[];
}

/** Share of the first frame's extent by which the volume reaches beyond it: what it does not see of a head. */
const MARGIN = 0.35;

/**
 * One surface of several depth maps of the same rigid thing: a head that turns before a camera, or a camera that goes around it. The
 * world is the frame of the first camera (where it has no pose). Frames without a pose are taken to stand as the one before and
 * are aligned with the surface so far, which follows some 20° and 30 mm between them; a pose that is known is exact, or, with
 * `align`, where alignment begins. A frame that does not fit is left out and told of. Without `bounds` the volume is the box around
 * the frames that have a pose and the first, a third larger. Vertices that pinch the surface are parted; it is manifold.
 *
 * Rejects with `NO_SURFACE` (no frames, or none with depth), `INVALID_ARGUMENT`, `OUT_OF_MEMORY` (beyond `maxBytes`), `ABORTED`,
 * `CLOSED`. Thread-safe; the same bytes for any number of threads.
 */
export async function fuseFrames(
  runtime: Runtime,
  frames: readonly FusionFrame[],
  options: FuseFramesOptions = {},
): Promise<FusedFrames> {
  plainObject('options', options, [
    ...VOLUME_OPTIONS,
    'align',
    'alignment',
    'minimumFitness',
    'minimumWeight',
    'minimumAreaShare',
    'signal',
  ]);
  if (!Array.isArray(frames)) throw invalid('frames', 'array of frames', frames);
  if (frames.length === 0) throw new LineamentError('NO_SURFACE', 'there are no frames to fuse');
  const { align, alignment = {}, minimumFitness = 0.5, minimumWeight = 0, minimumAreaShare = 0.01 } = options;
  const signal = options.signal && abortSignal('signal', options.signal);
  const volumeOptions = pick(options);
  if (align !== undefined) boolean('align', align);
  plainObject('alignment', alignment, ['levels', 'loss']);
  numberIn('minimumFitness', minimumFitness, 0, 1);
  numberIn('minimumAreaShare', minimumAreaShare, 0, 1);
  const stopped = signal && { signal };
  const poses = frames.map((one: FusionFrame, i) => {
    plainObject(`frames[${i}]`, one, ['depth', 'frame', 'pose']);
    checkDepth(one.depth, `frames[${i}].depth`);
    return one.pose === undefined ? undefined : poseOf(`frames[${i}].pose`, one.pose);
  });
  poses[0] ??= poseOf('pose', undefined);
  const bounds = volumeOptions.bounds ?? (await boundsOf(runtime, frames, poses));
  const volume = await createVolume(runtime, { ...volumeOptions, bounds });
  try {
    const fused: FusedFrame[] = [];
    let last = poses[0];
    let begun = false;
    for (const [i, { depth, frame }] of frames.entries()) {
      let pose = poses[i] ?? last;
      let found: FusedFrame['alignment'];
      if (begun && (align ?? poses[i] === undefined)) {
        const aligned = await follow(runtime, volume, depth, pose, { ...alignment, ...stopped }).catch(nothing);
        if (aligned === undefined) {
          fused.push({});
          continue;
        }
        found = { fitness: aligned.fitness, inlierRmse: aligned.inlierRmse };
        if (aligned.fitness < minimumFitness) {
          fused.push({ alignment: found });
          continue;
        }
        pose = aligned.pose;
      }
      const done = await volume.integrate(depth, { pose, ...(frame && { frame }), ...stopped }).catch(nothing);
      if (done === undefined) {
        fused.push({ ...(found && { alignment: found }) });
        continue;
      }
      begun = true;
      fused.push({ pose, ...(found && { alignment: found }) });
      last = pose;
    }
    const whole = await volume.extract({ minimumWeight, ...stopped });
    const { mesh } = await cleanMesh(runtime, whole, { minimumAreaShare, orient: false, ...stopped });
    return { mesh, frames: fused };
  } finally {
    await volume.close();
  }
}

const pick = (options: FuseFramesOptions): Partial<VolumeOptions> =>
  Object.fromEntries(VOLUME_OPTIONS.filter((k) => options[k] !== undefined).map((k) => [k, options[k]]));

/** A frame that shows nothing is left out; every other failure is one. */
function nothing(error: unknown): undefined {
  if (wrapError(error).code !== 'NO_SURFACE') throw error;
  return undefined;
}

/** Aligns a depth map with the surface of a volume, from a pose near by. */
async function follow(
  runtime: Runtime,
  volume: Volume,
  depth: DepthMap,
  near: Float64Array,
  options: AlignCloudsOptions,
): Promise<{ readonly pose: Float64Array; readonly fitness: number; readonly inlierRmse: number }> {
  const stopped = options.signal && { signal: options.signal };
  const target = await volume.extract({ ...stopped });
  const source = await projectDepth(runtime, depth, { ...stopped });
  const start = inverseOf(near);
  const { transform, fitness, inlierRmse } = await alignClouds(runtime, source, target, { ...options, start });
  return { pose: inverseOf(transform), fitness, inlierRmse };
}

/** The inverse of a rotation and a shift: Rᵀ and −Rᵀ·t. */
function inverseOf(m: Float64Array): Float64Array {
  const at = (row: number, column: number): number => m[4 * row + column]!;
  const out = Float64Array.from({ length: 16 }, (_, i) => (i === 15 ? 1 : 0));
  for (let row = 0; row < 3; row++) {
    for (let k = 0; k < 3; k++) {
      out[4 * row + k] = at(k, row);
      out[4 * row + 3]! -= at(k, row) * at(k, 3);
    }
  }
  return out;
}

async function boundsOf(
  runtime: Runtime,
  frames: readonly FusionFrame[],
  poses: readonly (Float64Array | undefined)[],
): Promise<Bounds> {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const [i, { depth }] of frames.entries()) {
    const pose = poses[i];
    if (pose === undefined) continue;
    const box = await cancellable(runtime.addon, undefined, async () =>
      runtime.addon.depthBounds(runtime.executor, depth.depth, depth.confidence, checkDepth(depth, 'depth'), pose),
    ).catch(nothing);
    if (box === undefined) continue;
    for (let k = 0; k < 3; k++) {
      low[k] = Math.min(low[k]!, box[k]!);
      high[k] = Math.max(high[k]!, box[k + 3]!);
    }
  }
  if (!(low[0]! <= high[0]!)) throw new LineamentError('NO_SURFACE', 'no frame with a pose has depth');
  const margin = MARGIN * Math.max(...high.map((h, k) => h - low[k]!), 10);
  const [x, y, z] = low.map((v) => v - margin) as [number, number, number];
  const [u, v, w] = high.map((h) => h + margin) as [number, number, number];
  return { low: [x, y, z], high: [u, v, w] };
}

/**
 * The pose of a frame from where the head is in it and in the first one, as `solveHeadPose` tells: camera from world, where the world is
 * the first camera's frame and the head is what stands still. 16 numbers row by row, millimetres. `scale`: millimetres of the depth
 * maps for a centimetre of the mean head; 10 where the person's head is as large. Pure function.
 */
export function poseFromHead(
  first: Pick<HeadPose, 'rotation' | 'translation'>,
  current: Pick<HeadPose, 'rotation' | 'translation'>,
  scale = 10,
): Float64Array {
  numberIn('scale', scale, 1e-3, 1e6);
  const rotation = multiply(current.rotation, transpose(first.rotation));
  const millimetres = ([x, y, z]: Vector): Vector => [x * scale, y * scale, z * scale];
  const [x, y, z] = apply(rotation, millimetres(first.translation));
  const shift = add(millimetres(current.translation), [-x, -y, -z]);
  return Float64Array.of(...rotation.flatMap((row, k) => [...row, shift[k]!]), ...[0, 0, 0, 1]);
}
