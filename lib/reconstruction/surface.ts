import { abortSignal, boolean, numberIn, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { estimateNormals } from './cloud.js';
import { checkCloud } from './cloud-check.js';
import { checkMesh, withTexture } from './mesh-check.js';
import type { Mesh, PointCloud } from './types.js';

export interface RebuildSurfaceOptions {
  /** Cells of the grid along its longest side, 16 to 512; default 128. Fewer are taken where there are too few points for them. */
  readonly resolution?: number;
  /** How closely the surface follows the points: 0 leaves only their normals, default 4, 10⁶ at most. */
  readonly screening?: number;
  /** Steps of the solver on the finest grid; default 10. */
  readonly iterations?: number;
  /**
   * Parts are cut away where fewer cells of the grid hold points than this share of the median, 0 to 1; at a straight border of the points it
   * is one half. Default 0.45, for faces and other surfaces that end. 0: nothing is cut, and the surface is closed.
   */
  readonly trim?: number;
  /** Most memory for the grid; default 1 GiB. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface RebuiltSurface {
  readonly mesh: Mesh;
  /** Cells along the longest side that were taken. */
  readonly resolution: number;
  /** Side of a cell in millimetres. */
  readonly spacing: number;
  /** Cells that hold points. */
  readonly samples: number;
}

/**
 * A surface through a cloud: screened Poisson reconstruction (M. Kazhdan, H. Hoppe, ACM Trans. Graph. 32, 2013) on a regular grid
 * around the points. Noise averages out, gaps are bridged; without `trim` the surface is watertight and manifold. Normals say which
 * side is outside; where the cloud has none they are estimated from its 30 nearest points and turned to the camera. Vertices have
 * normals, and colours where the points do.
 *
 * Rejects with `NO_SURFACE` (fewer than 16 points with normals, or all in one place), `INVALID_ARGUMENT` (positions that are not
 * finite, a grid beyond `maxBytes`; the message says what it needs), `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`. Thread-safe; the same
 * bytes for any number of threads.
 */
export async function rebuildSurface(
  runtime: Runtime,
  cloud: PointCloud,
  options: RebuildSurfaceOptions = {},
): Promise<RebuiltSurface> {
  plainObject('options', options, ['resolution', 'screening', 'iterations', 'trim', 'maxBytes', 'signal']);
  checkCloud('cloud', cloud);
  const asked = {
    resolution: numberIn('resolution', positiveInteger('resolution', options.resolution ?? 128), 16, 512),
    screening: numberIn('screening', options.screening ?? 4, 0, 1e6),
    iterations: positiveInteger('iterations', options.iterations ?? 10, 1000),
    trim: numberIn('trim', options.trim ?? 0.45, 0, 1),
    maxBytes: positiveInteger('maxBytes', options.maxBytes ?? 2 ** 30),
  };
  const signal = options.signal && abortSignal('signal', options.signal);
  const oriented =
    cloud.normals === undefined ? await estimateNormals(runtime, cloud, signal === undefined ? {} : { signal }) : cloud;
  return cancellable(runtime.addon, signal, async (token) =>
    runtime.addon.rebuildSurface(runtime.executor, oriented, asked, token),
  );
}

export interface FillHolesOptions {
  /** Holes with more edges stay open, 3 to 4096; default 200. */
  readonly maximumEdges?: number;
  /** Holes with a longer border stay open, in millimetres; no limit when absent. */
  readonly maximumPerimeter?: number;
  /** Triangles as large as those around, bent to go on smoothly; default true. Otherwise one triangle for each edge, less two. */
  readonly refine?: boolean;
  readonly signal?: AbortSignal;
}

export interface FilledMesh {
  readonly mesh: Mesh;
  /** Borders of the mesh that close. */
  readonly found: number;
  readonly filled: number;
  readonly addedVertices: number;
  readonly addedTriangles: number;
}

/**
 * Closes holes: the triangulation of least area, refined and faired (P. Liepa, "Filling Holes in Meshes", SGP 2003). The rim of a
 * surface that ends, such as a face's, is a hole too; `maximumEdges` and `maximumPerimeter` leave it open. Old vertices and triangles
 * keep their places. Colours and texture coordinates of new vertices are mixed of those around.
 *
 * Rejects with `INVALID_ARGUMENT` (as `inspectMesh`), `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`. Thread-safe.
 */
export async function fillHoles(runtime: Runtime, mesh: Mesh, options: FillHolesOptions = {}): Promise<FilledMesh> {
  plainObject('options', options, ['maximumEdges', 'maximumPerimeter', 'refine', 'signal']);
  const checked = checkMesh('mesh', mesh);
  const asked = {
    maxEdges: numberIn('maximumEdges', positiveInteger('maximumEdges', options.maximumEdges ?? 200), 3, 4096),
    maxPerimeter: numberIn('maximumPerimeter', options.maximumPerimeter ?? 1e9, 0, 1e9),
    refine: boolean('refine', options.refine ?? true),
  };
  const signal = options.signal && abortSignal('signal', options.signal);
  const { mesh: made, ...counts } = await cancellable(runtime.addon, signal, async (token) =>
    runtime.addon.fillHoles(runtime.executor, checked, asked, token),
  );
  return { mesh: withTexture(made, mesh), ...counts };
}

export interface SmoothMeshOptions {
  /** Pairs of steps, 0 to 1000; default 10. */
  readonly iterations?: number;
  /** The smoothing step, above 0, at most 1; default 0.5. */
  readonly lambda?: number;
  /** Frequencies of the mesh that are kept, above 0, below 1; default 0.1. The growing step μ is 1 / (passBand − 1 / λ): −0.526. */
  readonly passBand?: number;
  /** Vertices along borders: `fixed`, `along` (smoothed along the border, default) or `free` (as all others; the border shrinks). */
  readonly border?: 'fixed' | 'along' | 'free';
  readonly signal?: AbortSignal;
}

/**
 * Smooths without shrinking: steps towards the mean of the neighbours in turn with steps away from it (G. Taubin, "A Signal
 * Processing Approach to Fair Surface Design", SIGGRAPH 1995). Normals, where there are any, are made anew.
 *
 * Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`. Thread-safe; the same bytes for any number of threads.
 */
export async function smoothMesh(runtime: Runtime, mesh: Mesh, options: SmoothMeshOptions = {}): Promise<Mesh> {
  plainObject('options', options, ['iterations', 'lambda', 'passBand', 'border', 'signal']);
  const checked = checkMesh('mesh', mesh);
  const asked = {
    iterations: options.iterations === 0 ? 0 : positiveInteger('iterations', options.iterations ?? 10, 1000),
    lambda: numberIn('lambda', options.lambda ?? 0.5, Number.MIN_VALUE, 1),
    passBand: numberIn('passBand', options.passBand ?? 0.1, Number.MIN_VALUE, 1 - Number.EPSILON),
    border: oneOf('border', options.border ?? 'along', ['fixed', 'along', 'free']),
  };
  const signal = options.signal && abortSignal('signal', options.signal);
  const made = await cancellable(runtime.addon, signal, async (token) =>
    runtime.addon.smoothMesh(runtime.executor, checked, asked, token),
  );
  return withTexture(made.mesh, mesh);
}
