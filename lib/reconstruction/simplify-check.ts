import { boolean, invalid, numberIn } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { NativeSimplifyWeights } from '../native/simplify.js';
import type { NativeMesh } from '../native/surface.js';
import type { Mesh } from './types.js';

/** The arrays of a mesh, whose lengths fit each other; what is in them native code looks at. */
export function meshArrays(name: string, mesh: Mesh): NativeMesh {
  if (typeof mesh !== 'object' || mesh === null) throw invalid(name, 'mesh', mesh);
  const { positions, indices, normals, uvs, colours } = mesh;
  if (!(positions instanceof Float32Array) || positions.length % 3 !== 0) {
    throw invalid(`${name}.positions`, 'Float32Array of three numbers for each vertex', positions);
  }
  if (!(indices instanceof Uint32Array) || indices.length % 3 !== 0) {
    throw invalid(`${name}.indices`, 'Uint32Array of three vertices for each triangle', indices);
  }
  if (indices.length === 0) throw new LineamentError('NO_SURFACE', `${name} has no triangles`);
  const n = positions.length / 3;
  if (normals !== undefined && (!(normals instanceof Float32Array) || normals.length !== 3 * n)) {
    throw invalid(`${name}.normals`, `Float32Array of length ${3 * n}`, normals);
  }
  if (uvs !== undefined && (!(uvs instanceof Float32Array) || uvs.length !== 2 * n)) {
    throw invalid(`${name}.uvs`, `Float32Array of length ${2 * n}`, uvs);
  }
  if (colours !== undefined && (!(colours instanceof Uint8Array) || colours.length !== 3 * n)) {
    throw invalid(`${name}.colours`, `Uint8Array of length ${3 * n}`, colours);
  }
  return {
    positions,
    indices,
    ...(normals === undefined ? {} : { normals }),
    ...(uvs === undefined ? {} : { uvs }),
    ...(colours === undefined ? {} : { colours }),
  };
}

/** What simplification holds on to besides the shape. */
export interface SimplifyWeights {
  /**
   * How bad a wrong texture coordinate is: 1 takes it to be as bad as the same distance on the surface. 0 when absent: then
   * vertices keep their coordinates and seams stay, but what lies between is looked at by its shape only. Enough for meshes of
   * depth maps, whose texture is a projection; meshes with an atlas are better off with 0.1 to 1.
   */
  readonly uvWeight?: number;
  /** Millimetres that are as bad as the difference of black and full in a channel of the colours; 0 when absent. */
  readonly colourWeight?: number;
  /** Leave the vertices of the border; otherwise the border keeps its shape as the surface does. Default false. */
  readonly keepBorder?: boolean;
}

export const WEIGHTS = ['uvWeight', 'colourWeight', 'keepBorder'] as const;

export function weightsOf(options: SimplifyWeights): NativeSimplifyWeights {
  return {
    uvWeight: numberIn('uvWeight', options.uvWeight ?? 0, 0, 1e6),
    colourWeight: numberIn('colourWeight', options.colourWeight ?? 0, 0, 1e6),
    keepBorder: boolean('keepBorder', options.keepBorder ?? false),
  };
}

/** The arrays with the texture of the mesh that they were made from. */
export const likeMesh = (from: Mesh, arrays: NativeMesh): Mesh => ({
  ...arrays,
  ...(from.texture === undefined ? {} : { texture: from.texture }),
});
