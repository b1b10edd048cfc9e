import { abortSignal, boolean, numberIn, plainObject } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import type { NativeCleaned, NativeMeshReport } from '../native/surface.js';
import { checkMesh, withTexture } from './mesh-check.js';
import type { Mesh } from './types.js';

/** What a mesh is made of. */
export type MeshReport = NativeMeshReport;

/**
 * Counts what a mesh is made of. Rejects with `INVALID_ARGUMENT` (no triangles, arrays that do not fit, indices that name no vertex,
 * positions that are not finite), `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`. Thread-safe.
 */
export async function inspectMesh(
  runtime: Runtime,
  mesh: Mesh,
  options: { readonly signal?: AbortSignal } = {},
): Promise<MeshReport> {
  plainObject('options', options, ['signal']);
  const checked = checkMesh('mesh', mesh);
  const signal = options.signal && abortSignal('signal', options.signal);
  return cancellable(runtime.addon, signal, async (token) =>
    runtime.addon.inspectMesh(runtime.executor, checked, token),
  );
}

export interface CleanMeshOptions {
  /** Components with fewer triangles are removed; default 0. */
  readonly minimumTriangles?: number;
  /** Components with less than this share of the largest one's area are removed, 0 to 1; default 0. */
  readonly minimumAreaShare?: number;
  /** Make neighbours turn the same way, closed components face outwards; default true. */
  readonly orient?: boolean;
  /** Give each fan of triangles at a vertex a vertex of its own, which also parts edges of three triangles; default true. */
  readonly split?: boolean;
  readonly signal?: AbortSignal;
}

/** A cleaned mesh, and how much of what there was. */
export type CleanedMesh = Omit<NativeCleaned, 'mesh'> & { readonly mesh: Mesh };

/**
 * Takes out what belongs to no surface, in this order: triangles without area or with the corners of another, small components;
 * then orients, splits vertices that pinch the surface, and drops vertices that nothing uses. Normals are kept as they are. A
 * component of one side only (a Möbius strip) is parted along a line, or stays inconsistent there without `split`. The mesh that comes back may have no triangles.
 *
 * Rejects as {@link inspectMesh}. Thread-safe.
 */
export async function cleanMesh(runtime: Runtime, mesh: Mesh, options: CleanMeshOptions = {}): Promise<CleanedMesh> {
  plainObject('options', options, ['minimumTriangles', 'minimumAreaShare', 'orient', 'split', 'signal']);
  const checked = checkMesh('mesh', mesh);
  const asked = {
    minTriangles: Math.ceil(numberIn('minimumTriangles', options.minimumTriangles ?? 0, 0, 2 ** 32)),
    minAreaShare: numberIn('minimumAreaShare', options.minimumAreaShare ?? 0, 0, 1),
    orient: boolean('orient', options.orient ?? true),
    split: boolean('split', options.split ?? true),
  };
  const signal = options.signal && abortSignal('signal', options.signal);
  const { mesh: made, ...counts } = await cancellable(runtime.addon, signal, async (token) =>
    runtime.addon.cleanMesh(runtime.executor, checked, asked, token),
  );
  return { mesh: withTexture(made, mesh), ...counts };
}
