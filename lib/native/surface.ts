import type { NativeExecutor, NativeToken } from './addon.js';
import type { NativeCudaGeometry } from './cuda.js';
import type { NativeLens, NativeSize } from './depth.js';

/** Arrays of a surface; see `Mesh` of lib/reconstruction/types.ts. */
export interface NativeMesh {
  readonly positions: Float32Array;
  readonly indices: Uint32Array;
  readonly normals?: Float32Array;
  readonly uvs?: Float32Array;
  readonly colours?: Uint8Array;
}

/** Arrays of a cloud; see `PointCloud` of lib/reconstruction/types.ts. */
export interface NativeCloud {
  readonly positions: Float32Array;
  readonly normals?: Float32Array;
  readonly colours?: Uint8Array;
}

/** Millimetres; see native/mesh/tsdf.h. */
export interface NativeVolumeOptions {
  /** Low x, y, z, high x, y, z. */
  readonly bounds: Float64Array;
  readonly voxel: number;
  readonly truncation: number;
  readonly carve: number;
  readonly maxWeight: number;
  readonly coloured: boolean;
  readonly maxBytes: number;
  readonly cuda?: NativeCudaGeometry | undefined;
}

/** A truncated signed distance function. Calls take turns; they reject with `CLOSED` once it is closed. */
export interface NativeVolume {
  readonly blocks: number;
  readonly bytes: number;
  /** `pose`: 16 numbers, row by row, camera from world. `rgb`: 3 bytes for each pixel. */
  integrate(
    executor: NativeExecutor,
    depth: Float32Array,
    confidence: Float32Array | undefined,
    rgb: Uint8Array | undefined,
    camera: NativeLens & NativeSize,
    pose: Float64Array,
    token?: NativeToken,
  ): Promise<{ readonly blocks: number; readonly voxels: number }>;
  extract(executor: NativeExecutor, minimumWeight: number, token?: NativeToken): Promise<NativeMesh>;
  /** Idempotent. */
  close(): Promise<void>;
}

/** See native/mesh/poisson.h. */
export interface NativePoissonOptions {
  readonly resolution: number;
  readonly screening: number;
  readonly iterations: number;
  readonly trim: number;
  readonly maxBytes: number;
}

/** What a mesh is made of. */
export interface NativeMeshReport {
  readonly vertices: number;
  readonly triangles: number;
  readonly edges: number;
  /** Vertices of no triangle. */
  readonly unusedVertices: number;
  /** Pieces whose triangles hang together by edges. */
  readonly components: number;
  /** Edges of one triangle. */
  readonly boundaryEdges: number;
  /** Closed lines of such edges; those that run into an edge of three triangles are not counted. */
  readonly boundaryLoops: number;
  /** Edges of three triangles or more. */
  readonly nonManifoldEdges: number;
  /** Vertices whose triangles make more than one fan. */
  readonly nonManifoldVertices: number;
  /** Edges of two triangles that turn different ways. */
  readonly inconsistentEdges: number;
  /** Triangles without area, or with a corner twice. */
  readonly degenerateTriangles: number;
  /** Triangles with the same corners as an earlier one. */
  readonly duplicateTriangles: number;
  /** Every edge has exactly two triangles. */
  readonly watertight: boolean;
  /** No edge is inconsistent or of three triangles. */
  readonly oriented: boolean;
  /** Vertices in use − edges + triangles: 2 for a sphere, 0 for a torus, 1 for a disc. */
  readonly eulerCharacteristic: number;
  /** Square millimetres. */
  readonly area: number;
  /** Cubic millimetres, below 0 where triangles face inwards; only where the mesh is watertight and oriented. */
  readonly volume?: number;
}

/** See native/mesh/repair.h. */
export interface NativeCleaned {
  readonly mesh: NativeMesh;
  readonly degenerateTriangles: number;
  readonly duplicateTriangles: number;
  readonly smallComponents: number;
  readonly smallComponentTriangles: number;
  readonly flippedTriangles: number;
  readonly splitVertices: number;
  readonly unusedVertices: number;
}

/** See native/mesh/holes.h. */
export interface NativeFilled {
  readonly mesh: NativeMesh;
  readonly found: number;
  readonly filled: number;
  readonly addedVertices: number;
  readonly addedTriangles: number;
}

/** What the addon exports for surfaces. Meshes and clouds given are copied at the call. */
export interface NativeSurfaces {
  createVolume(executor: NativeExecutor, options: NativeVolumeOptions): Promise<NativeVolume>;
  /** The box around a depth map's points in the world's frame: low x, y, z, high x, y, z. */
  depthBounds(
    executor: NativeExecutor,
    depth: Float32Array,
    confidence: Float32Array | undefined,
    camera: NativeLens & NativeSize,
    pose: Float64Array,
  ): Promise<Float64Array>;
  rebuildSurface(
    executor: NativeExecutor,
    cloud: NativeCloud,
    options: NativePoissonOptions,
    token?: NativeToken,
  ): Promise<{
    readonly mesh: NativeMesh;
    readonly resolution: number;
    readonly spacing: number;
    readonly samples: number;
  }>;
  fillHoles(
    executor: NativeExecutor,
    mesh: NativeMesh,
    options: { readonly maxEdges: number; readonly maxPerimeter: number; readonly refine: boolean },
    token?: NativeToken,
  ): Promise<NativeFilled>;
  smoothMesh(
    executor: NativeExecutor,
    mesh: NativeMesh,
    options: {
      readonly iterations: number;
      readonly lambda: number;
      readonly passBand: number;
      readonly border: 'fixed' | 'along' | 'free';
    },
    token?: NativeToken,
  ): Promise<{ readonly mesh: NativeMesh }>;
  cleanMesh(
    executor: NativeExecutor,
    mesh: NativeMesh,
    options: {
      readonly minTriangles: number;
      readonly minAreaShare: number;
      readonly orient: boolean;
      readonly split: boolean;
    },
    token?: NativeToken,
  ): Promise<NativeCleaned>;
  inspectMesh(executor: NativeExecutor, mesh: NativeMesh, token?: NativeToken): Promise<NativeMeshReport>;
}
