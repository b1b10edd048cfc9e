import type { NativeExecutor, NativeToken, PixelView } from './addon.js';
import type { NativeMesh } from './surface.js';

/** A picture and where it was taken from. */
export interface NativePhotograph {
  readonly image: PixelView;
  /** fx, fy, cx, cy. */
  readonly camera: Float64Array;
  /** Three rows of [R | t], from the mesh's frame to the camera's. */
  readonly pose: Float64Array;
}

export interface NativeTexture {
  /** size² × RGB. */
  readonly data: Uint8Array;
  /** size²: 1 where a photograph shows the texel. */
  readonly known: Uint8Array;
  /** Share of the mesh's texels that are known. */
  readonly coverage: number;
  /** Three factors for each photograph. */
  readonly gains: Float64Array;
}

/** A mesh with vertices doubled along the borders of its charts. */
export interface NativeAtlas {
  readonly positions: Float32Array;
  readonly normals: Float32Array;
  readonly uvs: Float32Array;
  readonly indices: Uint32Array;
  /** The vertex of the given mesh that each vertex is. */
  readonly sources: Uint32Array;
  readonly charts: number;
  /** Share of the square that charts cover. */
  readonly filled: number;
}

/** What the addon exports for textures and measures of meshes. */
export interface NativeTextures {
  /** `INVALID_ARGUMENT`; `NO_SURFACE` where no triangle is, or no photograph shows any texel; `ABORTED`, `OUT_OF_MEMORY`. */
  bakeTexture(
    executor: NativeExecutor,
    mesh: NativeMesh,
    photographs: readonly NativePhotograph[],
    options: { readonly size: number; readonly sharpness: number; readonly equalise: boolean },
    token?: NativeToken,
  ): Promise<NativeTexture>;
  /** One row of distances to all vertices for each source; infinity where there is no way. Errors as above. */
  geodesicDistances(
    executor: NativeExecutor,
    mesh: NativeMesh,
    sources: Uint32Array,
    token?: NativeToken,
  ): Promise<Float64Array>;
  /** UVs by charts. Errors as above. */
  unwrapMesh(
    executor: NativeExecutor,
    mesh: NativeMesh,
    options: { readonly size: number; readonly padding: number },
    token?: NativeToken,
  ): Promise<NativeAtlas>;
}
