import type { NativeExecutor, NativeToken } from './addon.js';

/** Formats of files that hold meshes or point clouds. */
export type MeshFormat = 'ply' | 'glb' | 'obj' | 'stl' | 'xyz';

/** Arrays as in `Mesh`; without `indices` a point cloud. */
export interface NativeMesh {
  readonly positions: Float32Array;
  readonly indices?: Uint32Array;
  readonly normals?: Float32Array;
  readonly uvs?: Float32Array;
  readonly colours?: Uint8Array;
}

export interface MeshWriting {
  /** PLY and STL as text; OBJ and XYZ always are. */
  readonly ascii: boolean;
  /** Half a turn about the X axis: Y up and Z towards the viewer. */
  readonly turned: boolean;
  /** One line, or empty. */
  readonly comment: string;
  /** OBJ: name of the material, or empty. */
  readonly material: string;
  /** OBJ: file of the materials; PLY: file of the texture; or empty. */
  readonly library: string;
}

/** What the addon exports for files of meshes. */
export interface NativeMeshFiles {
  /** The bytes of a file; `INVALID_ARGUMENT` for numbers that are not finite and indices that name no vertex. */
  encodeMesh(
    executor: NativeExecutor,
    format: Exclude<MeshFormat, 'glb'>,
    mesh: NativeMesh,
    how: MeshWriting,
    token?: NativeToken,
  ): Promise<Uint8Array>;
}
