import { abortSignal, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { MOST_NEIGHBOURS, MOST_POINTS } from '../native/cloud.js';
import { checkCloud } from './cloud-check.js';
import { positive } from './depth-check.js';
import type { PointCloud } from './types.js';

/** What is left of a cloud. */
export interface KeptCloud extends PointCloud {
  /** Which points these were, ascending. */
  readonly kept: Uint32Array;
}

interface Abortable {
  readonly signal?: AbortSignal;
}

/**
 * One point for each cube of `size` millimetres that has points: the mean of their positions, colours and normals
 * (made 1 long
 * again). The first cube's corner lies half a cube below the lowest coordinates, as Open3D's `voxel_down_sample` has
 * it; points
 * come in the order in which the cubes' first points do.
 *
 * Rejects with `INVALID_ARGUMENT` (also a size so small that there were more than two million cubes along an axis,
 * and positions
 * that are not finite, or beyond 10⁹), `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`. Thread-safe; the same bytes for any
 * number of threads.
 */
export async function downsampleVoxels(
  runtime: Runtime,
  cloud: PointCloud,
  size: number,
  options: Abortable = {},
): Promise<PointCloud> {
  const { positions, normals, colours } = checkCloud('cloud', cloud);
  const edge = positive('size', size);
  const made = await cancellable(runtime.addon, signalOf(options, []), (token) =>
    runtime.addon.voxelMeans(runtime.executor, { positions, normals, colours }, edge, token),
  );
  return made as PointCloud;
}

export interface PoissonDiskOptions extends Abortable {
  /** Another seed gives another sample; 0 when absent. */
  readonly seed?: number;
}

/**
 * A Poisson-disk sample of the points: no two are nearer than `radius` millimetres, and each point of the cloud is
 * nearer than that to
 * one of them. Deterministic by seed. Rejects as {@link downsampleVoxels}. Thread-safe; the same bytes for any number
 * of threads.
 */
export async function samplePoissonDisk(
  runtime: Runtime,
  cloud: PointCloud,
  radius: number,
  options: PoissonDiskOptions = {},
): Promise<KeptCloud> {
  const { positions, normals, colours } = checkCloud('cloud', cloud);
  const apart = positive('radius', radius);
  const signal = signalOf(options, ['seed']);
  const seed = options.seed ?? 0;
  if (seed !== 0) positiveInteger('seed', seed);
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.poissonDisk(runtime.executor, { positions, normals, colours }, apart, seed, token),
  );
  return made as KeptCloud;
}

export interface StatisticalOutlierOptions extends Abortable {
  /** Nearest points, the point itself among them (at distance 0), 1 to 1024; 20 when absent. */
  readonly neighbours?: number;
  /** Standard deviations above the mean from which on a point is an outlier; 2 when absent. */
  readonly ratio?: number;
}

/**
 * Takes points away whose mean distance to their nearest is more than `ratio` standard deviations above that of all
 * points (R. B. Rusu
 * et al., 2008), counted as Open3D's `remove_statistical_outlier` does. Points on top of each other are kept.
 *
 * Rejects with `INVALID_ARGUMENT` (also positions that are not finite, or beyond 10⁹), `ABORTED`, `CLOSED`,
 * `OUT_OF_MEMORY`.
 * Thread-safe; the same bytes for any number of threads.
 */
export async function removeStatisticalOutliers(
  runtime: Runtime,
  cloud: PointCloud,
  options: StatisticalOutlierOptions = {},
): Promise<KeptCloud> {
  const { positions, normals, colours } = checkCloud('cloud', cloud);
  const signal = signalOf(options, ['neighbours', 'ratio']);
  const neighbours = positiveInteger('neighbours', options.neighbours ?? 20, MOST_NEIGHBOURS);
  const ratio = positive('ratio', options.ratio ?? 2);
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.statisticalInliers(runtime.executor, { positions, normals, colours }, { neighbours, ratio }, token),
  );
  return made as KeptCloud;
}

export interface RadiusOutlierOptions extends Abortable {
  /** Millimetres. */
  readonly radius: number;
  /** A point is kept where more than so many, itself among them, are nearer than the radius; 16 when absent. */
  readonly neighbours?: number;
}

/**
 * Takes points away that have few others about them, counted as Open3D's `remove_radius_outlier` does. Rejects as
 * {@link removeStatisticalOutliers}. Thread-safe; the same bytes for any number of threads.
 */
export async function removeRadiusOutliers(
  runtime: Runtime,
  cloud: PointCloud,
  options: RadiusOutlierOptions,
): Promise<KeptCloud> {
  const { positions, normals, colours } = checkCloud('cloud', cloud);
  const signal = signalOf(options, ['radius', 'neighbours']);
  const radius = numberIn('radius', positive('radius', options.radius), 0, 1e9);
  const neighbours = positiveInteger('neighbours', options.neighbours ?? 16, MOST_POINTS);
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.radiusInliers(runtime.executor, { positions, normals, colours }, { neighbours, radius }, token),
  );
  return made as KeptCloud;
}

function signalOf(options: Abortable, known: readonly string[]): AbortSignal | undefined {
  plainObject('options', options, [...known, 'signal']);
  return options.signal === undefined ? undefined : abortSignal('signal', options.signal);
}
