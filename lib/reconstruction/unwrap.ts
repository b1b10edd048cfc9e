import { abortSignal, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { checkMesh } from './mesh-check.js';
import { MOST_TEXTURE_SIDE } from './texture.js';
import type { Mesh } from './types.js';

export interface UnwrapMeshOptions {
  /** Side of the texture that the UVs are for, in texels, 1 to 8192; default 1024. */
  readonly size?: number;
  /** Least texels between two charts, 0 to 64; default 4. */
  readonly padding?: number;
  readonly signal?: AbortSignal;
}

/** A mesh with UVs. */
export interface UnwrappedMesh {
  /** As it was given, with UVs and normals; vertices on the borders of charts are there once for each chart. */
  readonly mesh: Mesh;
  /** The vertex of the given mesh that each vertex is. */
  readonly sources: Uint32Array;
  readonly charts: number;
  /** Share of the texture that triangles cover. */
  readonly filled: number;
}

/**
 * Texture coordinates for any mesh, as fusion and surface reconstruction give them: triangles that look along the same of the six axes
 * and hang together are a chart, seen along its axis; charts lie on shelves of one square, all at one scale. No texel's centre lies in
 * two triangles. A texture that the mesh has is left out: it does not fit the new coordinates.
 *
 * @returns Rejects with `INVALID_ARGUMENT` (also more charts than the texture can hold), `NO_SURFACE` (no triangle has an area),
 * `ABORTED`, `OUT_OF_MEMORY`, `CLOSED`. Thread-safe, deterministic.
 */
export async function unwrapMesh(
  runtime: Runtime,
  mesh: Mesh,
  options: UnwrapMeshOptions = {},
): Promise<UnwrappedMesh> {
  plainObject('options', options, ['size', 'padding', 'signal']);
  checkMesh('mesh', mesh);
  const size = positiveInteger('options.size', options.size ?? 1024, MOST_TEXTURE_SIDE);
  const padding = numberIn('options.padding', options.padding ?? 4, 0, 64);
  if (!Number.isInteger(padding)) throw invalid('options.padding', 'whole number from 0 to 64', padding);
  const signal = options.signal && abortSignal('options.signal', options.signal);
  const { positions, indices, normals, colours } = mesh;
  const given = { positions, indices, ...(normals && { normals }) };
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.unwrapMesh(runtime.executor, given, { size, padding }, token),
  );
  const { sources, charts, filled } = made;
  const unwrapped = { positions: made.positions, indices: made.indices, normals: made.normals, uvs: made.uvs };
  if (colours === undefined) return { mesh: unwrapped, sources, charts, filled };
  const kept = new Uint8Array(3 * sources.length);
  for (let i = 0; i < kept.length; i++) kept[i] = colours[3 * sources[Math.floor(i / 3)]! + (i % 3)]!;
  return { mesh: { ...unwrapped, colours: kept }, sources, charts, filled };
}
