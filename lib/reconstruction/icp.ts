import { abortSignal, invalid, numberIn, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { estimateNormals } from './cloud.js';
import { checkCloud, checkTransform } from './cloud-check.js';
import { positive } from './depth-check.js';
import type { PointCloud } from './types.js';

/** One step from coarse to fine. */
export interface AlignmentLevel {
  /** The source is thinned to one point for each cube of so many millimetres; 0: all its points. */
  readonly voxel: number;
  /** Millimetres beyond which the nearest point is no partner. */
  readonly maxDistance: number;
  /**
   * Millimetres from the surface at which the loss begins to forgive (Huber) or has forgotten (Tukey); a quarter of
   * `maxDistance` when absent.
   */
  readonly lossScale?: number;
  /** 100 when absent. */
  readonly maxIterations?: number;
}

/** For faces in millimetres that lie within some 20° and 30 mm of each other. */
export const ALIGNMENT_LEVELS: readonly AlignmentLevel[] = [
  { voxel: 8, maxDistance: 60 },
  { voxel: 4, maxDistance: 20 },
  { voxel: 2, maxDistance: 8 },
  { voxel: 1, maxDistance: 4 },
];

export interface AlignCloudsOptions {
  /** From coarse to fine; {@link ALIGNMENT_LEVELS} when absent. */
  readonly levels?: readonly AlignmentLevel[];
  /** What distances count for: `tukey` when absent, `huber`, or `none` (their squares). */
  readonly loss?: 'tukey' | 'huber' | 'none';
  /**
   * 4 × 4 numbers row by row, a rotation and a shift, that bring the source near the target; the identity when
   * absent.
   */
  readonly start?: ArrayLike<number>;
  /**
   * A level ends when an iteration turns the source by less (radians) and shifts it by less (mm); 1e-5 and 1e-3 when
   * absent.
   */
  readonly leastTurn?: number;
  readonly leastShift?: number;
  readonly signal?: AbortSignal;
}

export interface Alignment {
  /** 4 × 4 numbers row by row: a rotation and a shift that take the source onto the target. */
  readonly transform: Float64Array;
  /**
   * Share of the source's points (thinned as in the last level) that have a partner within its `maxDistance`. 0:
   * nothing was near.
   */
  readonly fitness: number;
  /** Root mean square of the partners' distances to the surface of the target, in millimetres. */
  readonly inlierRmse: number;
  /** Over all levels. */
  readonly iterations: number;
  /** The last level ended because its steps had become small. */
  readonly converged: boolean;
}

const LEVEL = ['voxel', 'maxDistance', 'lossScale', 'maxIterations'];
const OPTIONS = ['levels', 'loss', 'start', 'leastTurn', 'leastShift', 'signal'];

/**
 * The rigid motion that takes one cloud onto another that it overlaps: each point of the source is drawn to the
 * tangent plane of the
 * target's nearest point (Y. Chen, G. Medioni, 1992), from coarse to fine and with a loss that disregards what does
 * not fit. It
 * finds the nearest minimum: from far apart it needs a `start`. Where the target has no normals they are estimated
 * from its 30 nearest
 * points; directions that the surface leaves open (sliding along a plane, turning a ball) stay as they are.
 *
 * Rejects with `NO_SURFACE` (fewer than three points in either), `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`,
 * `OUT_OF_MEMORY`.
 * Thread-safe; the same bytes for any number of threads.
 */
export async function alignClouds(
  runtime: Runtime,
  source: PointCloud,
  target: PointCloud,
  options: AlignCloudsOptions = {},
): Promise<Alignment> {
  plainObject('options', options, OPTIONS);
  checkCloud('source', source);
  checkCloud('target', target);
  const signal = options.signal && abortSignal('signal', options.signal);
  const asked = {
    levels: levelsOf(options.levels ?? ALIGNMENT_LEVELS),
    loss: oneOf('loss', options.loss ?? 'tukey', ['tukey', 'huber', 'none']),
    start: options.start === undefined ? undefined : checkTransform('start', options.start),
    leastTurn: numberIn('leastTurn', options.leastTurn ?? 1e-5, 0, Math.PI),
    leastShift: numberIn('leastShift', options.leastShift ?? 1e-3, 0, 1e9),
  };
  for (const [name, cloud] of Object.entries({ source, target })) {
    if (cloud.positions.length < 9) throw new LineamentError('NO_SURFACE', `${name} has fewer than three points`);
  }
  const { positions, normals } =
    target.normals === undefined
      ? await estimateNormals(runtime, target, signal === undefined ? {} : { signal })
      : target;
  return cancellable(runtime.addon, signal, (token) =>
    runtime.addon.registerClouds(
      runtime.executor,
      { positions: source.positions },
      { positions, normals },
      asked,
      token,
    ),
  );
}

function levelsOf(levels: unknown): Float64Array {
  if (!Array.isArray(levels) || levels.length < 1 || levels.length > 16)
    throw invalid('levels', '1 to 16 levels', levels);
  return Float64Array.from(
    levels.flatMap((level: unknown, i) => {
      const name = `levels[${i}]`;
      const { voxel, maxDistance, lossScale, maxIterations } = plainObject(name, level, LEVEL);
      return [
        numberIn(`${name}.voxel`, voxel, 0, 1e9),
        numberIn(`${name}.maxDistance`, positive(`${name}.maxDistance`, maxDistance), 0, 1e9),
        lossScale === undefined ? 0 : positive(`${name}.lossScale`, lossScale),
        positiveInteger(`${name}.maxIterations`, maxIterations ?? 100, 10_000),
      ];
    }),
  );
}
