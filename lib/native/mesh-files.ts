import type { NativeExecutor, NativeToken } from './addon.js';
import type { NativeCloud, NativeMesh } from './surface.js';

/** Formats of files that hold meshes or point clouds. */
export type MeshFormat = 'ply' | 'glb' | 'obj' | 'stl' | 'xyz';

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

export interface MeshReading {
  /** As in {@link MeshWriting}. */
  readonly turned: boolean;
  /** What lengths are multiplied by. */
  readonly scale: number;
  /** Most vertices and triangles that the file may unfold to. */
  readonly vertices: number;
  readonly triangles: number;
}

export interface NativeMeshFile {
  /** At least one, the finest first; `indices` are empty for a point cloud. */
  readonly levels: readonly NativeMesh[];
  /** Pictures within the file, by where their bytes lie. */
  readonly images: readonly { readonly mimeType: string; readonly offset: number; readonly size: number }[];
  /** The image that the texture coordinates refer to. */
  readonly texture?: number;
  /** OBJ: the file of its materials; PLY: the file of its texture. */
  readonly library?: string;
}

/** What the addon exports for files of meshes. */
export interface NativeMeshFiles {
  /** The bytes of a file; `INVALID_ARGUMENT` for numbers that are not finite and indices that name no vertex. */
  encodeMesh(
    executor: NativeExecutor,
    format: Exclude<MeshFormat, 'glb'>,
    mesh: NativeMesh | NativeCloud,
    how: MeshWriting,
    token?: NativeToken,
  ): Promise<Uint8Array>;
  /** `MESH_CORRUPT` names the byte or the line. */
  decodeMesh(
    executor: NativeExecutor,
    format: MeshFormat,
    bytes: Uint8Array,
    how: MeshReading,
    token?: NativeToken,
  ): Promise<NativeMeshFile>;
}
