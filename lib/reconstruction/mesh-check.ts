import { invalid } from '../errors/validate.js';
import type { NativeMesh } from '../native/surface.js';
import { checkGeometry, isMesh } from './files-check.js';
import type { Mesh } from './types.js';

/** The arrays of a mesh, whose lengths fit each other; what is in them native code looks at. */
export function checkMesh(name: string, mesh: Mesh): NativeMesh {
  checkGeometry(name, mesh);
  if (!isMesh(mesh)) throw invalid(`${name}.indices`, 'Uint32Array of three vertices for each triangle', undefined);
  return mesh;
}

/** What native code made of a mesh, with what that does not know. */
export function withTexture(made: NativeMesh, from: Mesh): Mesh {
  return from.texture === undefined ? made : { ...made, texture: from.texture };
}
