import type { NativeExecutor, NativeToken } from './addon.js';
import type { NativeLens, NativeSize } from './depth.js';
import type { NativeMesh } from './surface.js';

/** See native/mesh/grid.h. */
export interface NativeGridOptions extends NativeLens, NativeSize {
  readonly step: number;
  readonly jump: number;
  readonly angle: number;
  readonly sliver: number;
  readonly minConfidence: number;
  readonly normals: boolean;
}

/** See native/mesh/simplify.h. */
export interface NativeSimplifyWeights {
  readonly uvWeight: number;
  readonly colourWeight: number;
  readonly keepBorder: boolean;
}

export interface NativeSimplified {
  readonly mesh: NativeMesh;
  /** Vertex of the original that each vertex is. */
  readonly sources: Uint32Array;
  readonly error: number;
  readonly rms: number;
}

/** Millimetres. */
export interface NativeDistances {
  readonly max: number;
  readonly mean: number;
  readonly rms: number;
  readonly samples: number;
}

/** The most levels of detail. */
export const MOST_LEVELS = 16;
/** The most samples of a comparison. */
export const MOST_SAMPLES = 100_000_000;

/** What the addon exports for triangles of depth maps and for fewer triangles. Meshes given are read in place. */
export interface NativeSimplify {
  meshFromDepth(
    executor: NativeExecutor,
    depth: Float32Array,
    confidence: Float32Array | undefined,
    colours: Uint8Array | undefined,
    options: NativeGridOptions,
    token?: NativeToken,
  ): Promise<NativeMesh & { readonly pixels: Uint32Array }>;
  /** `triangles` 0: no target; `error` below 0: no limit. */
  simplifyMesh(
    executor: NativeExecutor,
    mesh: NativeMesh,
    options: NativeSimplifyWeights & { readonly triangles: number; readonly error: number },
    token?: NativeToken,
  ): Promise<NativeSimplified>;
  levelsOfDetail(
    executor: NativeExecutor,
    mesh: NativeMesh,
    options: NativeSimplifyWeights & { readonly triangles: Float64Array },
    token?: NativeToken,
  ): Promise<readonly (NativeSimplified & { readonly cacheMissRatio: number })[]>;
  optimiseMesh(
    executor: NativeExecutor,
    mesh: NativeMesh,
    token?: NativeToken,
  ): Promise<{
    readonly mesh: NativeMesh;
    readonly sources: Uint32Array;
    readonly before: number;
    readonly after: number;
  }>;
  meshNormals(executor: NativeExecutor, mesh: NativeMesh, token?: NativeToken): Promise<Float32Array>;
  compareMeshes(
    executor: NativeExecutor,
    a: NativeMesh,
    b: NativeMesh,
    samples: number,
    token?: NativeToken,
  ): Promise<{ readonly forth: NativeDistances; readonly back: NativeDistances }>;
}
