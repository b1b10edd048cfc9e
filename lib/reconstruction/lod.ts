import { abortSignal, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { MOST_LEVELS } from '../native/simplify.js';
import type { SimplifiedMesh } from './simplify.js';
import { likeMesh, meshArrays, type SimplifyWeights, WEIGHTS, weightsOf } from './simplify-check.js';
import type { Mesh } from './types.js';

export interface LevelsOfDetailOptions extends SimplifyWeights {
  /** How many levels, 1 to 16; 4 when absent. The first is the mesh itself. */
  readonly levels?: number;
  /** Triangles of a level for each of the level before, 0.01 to 0.99; 0.25 when absent. */
  readonly ratio?: number;
  /** Triangles of each level instead, in descending order; a level that asks for as many as the mesh has is the mesh itself. */
  readonly triangles?: readonly number[];
  readonly signal?: AbortSignal;
}

/** A level of detail; `error` and `rms` are measured against the mesh that all levels were made from. */
export interface LevelOfDetail extends SimplifiedMesh {
  /** See {@link OptimisedMesh}. */
  readonly cacheMissRatio: number;
}

/** The fewest triangles that a ratio leads to. */
const LEAST = 4;

/**
 * One surface with ever fewer triangles, each level simplified (see {@link simplifyMesh}) from the one before. Every level has vertices of its own,
 * in an order that graphics processors like (see {@link optimiseMesh}). Rejects as {@link simplifyMesh} does. Thread-safe; the same
 * bytes for any number of threads.
 */
export async function levelsOfDetail(
  runtime: Runtime,
  mesh: Mesh,
  options: LevelsOfDetailOptions = {},
): Promise<readonly LevelOfDetail[]> {
  plainObject('options', options, ['levels', 'ratio', 'triangles', 'signal', ...WEIGHTS]);
  const arrays = meshArrays('mesh', mesh);
  const asked = { triangles: targetsOf(options, arrays.indices.length / 3), ...weightsOf(options) };
  const signal = options.signal && abortSignal('signal', options.signal);
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.levelsOfDetail(runtime.executor, arrays, asked, token),
  );
  return made.map((level) => ({ ...level, mesh: likeMesh(mesh, level.mesh) }));
}

function targetsOf({ levels, ratio, triangles }: LevelsOfDetailOptions, all: number): Float64Array {
  if (triangles === undefined) {
    const count = positiveInteger('levels', levels ?? 4, MOST_LEVELS);
    const share = numberIn('ratio', ratio ?? 0.25, 0.01, 0.99);
    return Float64Array.from({ length: count }, (_, i) => Math.max(LEAST, Math.round(all * share ** i)));
  }
  if (!Array.isArray(triangles) || triangles.length === 0 || triangles.length > MOST_LEVELS) {
    throw invalid('triangles', `array of 1 to ${MOST_LEVELS} numbers`, triangles);
  }
  if (levels !== undefined) throw invalid('levels', 'nothing where triangles are given', levels);
  if (ratio !== undefined) throw invalid('ratio', 'nothing where triangles are given', ratio);
  const targets = Float64Array.from(triangles, (value, i) => positiveInteger(`triangles[${i}]`, value));
  if (targets.some((value, i) => i > 0 && value > (targets[i - 1] as number))) {
    throw invalid('triangles', 'numbers in descending order', triangles);
  }
  return targets;
}
