import { abortSignal, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { MOST_SAMPLES } from '../native/simplify.js';
import { likeMesh, meshArrays, type SimplifyWeights, WEIGHTS, weightsOf } from './simplify-check.js';
import type { Mesh } from './types.js';

export interface SimplifyMeshOptions extends SimplifyWeights {
  /** Stop at so many triangles. One of this and `error` is needed. */
  readonly triangles?: number;
  /** Millimetres that the surface may move. */
  readonly error?: number;
  readonly signal?: AbortSignal;
}

/** A mesh with fewer triangles than the one it was made from. */
export interface SimplifiedMesh {
  readonly mesh: Mesh;
  /** n: vertex of the original that each vertex is. */
  readonly sources: Uint32Array;
  /** The greatest distance of a vertex of the original from the new surface, measured, in millimetres. */
  readonly error: number;
  /** Root mean square of these distances, in millimetres. */
  readonly rms: number;
}

/**
 * Fewer triangles for the same surface, by quadric error metrics (Garland & Heckbert, SIGGRAPH 1997) and collapses of an edge to one of
 * its ends: vertices stay where they were, with their normals, texture coordinates and colours. No triangle turns over; the surface
 * stays as connected as it was; borders and the seams of a texture (vertices at the same place) keep their shape. Where
 * triangles are not a single fan around a vertex (surfaces that are not manifold) it stays. Degenerate triangles are left out.
 *
 * With `triangles` it may end one lower, or higher where nothing more can be taken away. With `error` no vertex of the original is farther
 * from the new surface; ask `compareMeshes` for the distances of everything between.
 *
 * Rejects with `INVALID_ARGUMENT` (neither target, a number of triangles of 0, indices out of range, positions that are not finite),
 * `NO_SURFACE` (no triangles, or degenerate ones only), `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`. Thread-safe; the same bytes for any
 * number of threads.
 */
export async function simplifyMesh(
  runtime: Runtime,
  mesh: Mesh,
  options: SimplifyMeshOptions,
): Promise<SimplifiedMesh> {
  plainObject('options', options, ['triangles', 'error', 'signal', ...WEIGHTS]);
  if (options.triangles === undefined && options.error === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', 'neither triangles nor error is given', {
      fix: 'Say how many triangles are wanted, or how far the surface may move.',
    });
  }
  const asked = {
    triangles: options.triangles === undefined ? 0 : positiveInteger('triangles', options.triangles),
    error: options.error === undefined ? -1 : numberIn('error', options.error, 0, 1e9),
    ...weightsOf(options),
  };
  const arrays = meshArrays('mesh', mesh);
  const signal = options.signal && abortSignal('signal', options.signal);
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.simplifyMesh(runtime.executor, arrays, asked, token),
  );
  return { ...made, mesh: likeMesh(mesh, made.mesh) };
}

/** A mesh in an order that graphics processors like. */
export interface OptimisedMesh {
  readonly mesh: Mesh;
  /** n: vertex of the original that each vertex is. */
  readonly sources: Uint32Array;
  /** Vertices that are transformed for each triangle with a cache of 16, first in first out: as it was, and as it is. Never more than before. */
  readonly cacheMissRatio: { readonly before: number; readonly after: number };
}

/**
 * The same triangles in an order that reuses vertices (Tipsify: Sander, Nehab & Barczak, SIGGRAPH 2007), and the vertices in the order of
 * their first use; vertices without triangles are left out. Rejects as {@link simplifyMesh} does.
 */
export async function optimiseMesh(
  runtime: Runtime,
  mesh: Mesh,
  options: { readonly signal?: AbortSignal } = {},
): Promise<OptimisedMesh> {
  const { signal } = plainObject('options', options, ['signal']);
  const arrays = meshArrays('mesh', mesh);
  const made = await cancellable(runtime.addon, signal === undefined ? undefined : abortSignal('signal', signal), (t) =>
    runtime.addon.optimiseMesh(runtime.executor, arrays, t),
  );
  const { before, after, sources } = made;
  return { mesh: likeMesh(mesh, made.mesh), sources, cacheMissRatio: { before, after } };
}

/**
 * The mesh with a normal of length 1 for each vertex: those of the triangles around it, weighted by their angles there (Thürmer &
 * Wüthrich 1998); 0 0 0 where no triangle with an area meets. Vertices at one place share theirs. Rejects as
 * {@link simplifyMesh} does.
 */
export async function computeNormals<T extends Mesh>(
  runtime: Runtime,
  mesh: T,
  options: { readonly signal?: AbortSignal } = {},
): Promise<T & { readonly normals: Float32Array }> {
  const { signal } = plainObject('options', options, ['signal']);
  const { positions, indices } = meshArrays('mesh', mesh);
  const normals = await cancellable(
    runtime.addon,
    signal === undefined ? undefined : abortSignal('signal', signal),
    (token) => runtime.addon.meshNormals(runtime.executor, { positions, indices }, token),
  );
  return { ...mesh, normals };
}

/** Distances of places of one surface from the other, in millimetres. */
export interface SurfaceDistances {
  /** Of all places and of all vertices: a lower bound of the one-sided Hausdorff distance, close to it where samples are dense. */
  readonly max: number;
  /** Of the places, which are spread evenly over the area. */
  readonly mean: number;
  readonly rms: number;
  readonly samples: number;
}

export interface MeshComparison {
  /** From the first mesh to the second. */
  readonly forth: SurfaceDistances;
  readonly back: SurfaceDistances;
  /** The greater of both `max`. */
  readonly hausdorff: number;
}

/**
 * How far two surfaces lie apart: exact distances of samples from the nearest triangle. `samples`: places for each mesh, besides its
 * vertices; 100 000 when absent. Rejects as {@link simplifyMesh} does.
 */
export async function compareMeshes(
  runtime: Runtime,
  a: Mesh,
  b: Mesh,
  options: { readonly samples?: number; readonly signal?: AbortSignal } = {},
): Promise<MeshComparison> {
  plainObject('options', options, ['samples', 'signal']);
  const samples = numberIn('samples', Math.floor(options.samples ?? 100_000), 0, MOST_SAMPLES);
  const signal = options.signal && abortSignal('signal', options.signal);
  const bare = [meshArrays('a', a), meshArrays('b', b)].map(({ positions, indices }) => ({ positions, indices }));
  const [from, to] = bare as [(typeof bare)[0], (typeof bare)[0]];
  const { forth, back } = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.compareMeshes(runtime.executor, from, to, samples, token),
  );
  return { forth, back, hausdorff: Math.max(forth.max, back.max) };
}
