import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { Mesh, PointCloud, Texture } from './types.js';

/** Where the axes of a file point: as in the camera frame of `types.ts`, or Y up and Z towards the viewer. */
export type FileFrame = 'camera' | 'y-up';

/** What a file is made of. */
export type Geometry = Mesh | PointCloud;

export const isMesh = (geometry: Geometry): geometry is Mesh => 'indices' in geometry;

/** Refuses arrays of a wrong kind or length, empty ones too. What the arrays hold is looked at where they are read. */
export function checkGeometry(name: string, geometry: Geometry): void {
  if (typeof geometry !== 'object' || geometry === null) throw invalid(name, 'mesh or point cloud', geometry);
  const { positions } = geometry;
  if (!(positions instanceof Float32Array) || positions.length % 3 !== 0) {
    throw invalid(`${name}.positions`, 'Float32Array of three numbers for each vertex', positions);
  }
  if (positions.length === 0) throw new LineamentError('INVALID_ARGUMENT', `${name} has no points`);
  const vertices = positions.length / 3;
  lengthOf(`${name}.normals`, geometry.normals, Float32Array, 3 * vertices);
  lengthOf(`${name}.colours`, geometry.colours, Uint8Array, 3 * vertices);
  if (!isMesh(geometry)) return;
  const { indices, texture } = geometry;
  if (!(indices instanceof Uint32Array) || indices.length % 3 !== 0) {
    throw invalid(`${name}.indices`, 'Uint32Array of three vertices for each triangle', indices);
  }
  if (indices.length === 0) {
    throw new LineamentError('INVALID_ARGUMENT', `${name} has no triangles`, {
      fix: 'Pass a point cloud, which has no indices, to write points.',
    });
  }
  lengthOf(`${name}.uvs`, geometry.uvs, Float32Array, 2 * vertices);
  if (texture !== undefined) checkTexture(`${name}.texture`, texture, geometry);
}

function checkTexture(name: string, texture: Texture, mesh: Mesh): void {
  const { data, width, height } = texture;
  const right = [width, height].every((side) => Number.isInteger(side) && side > 0 && side <= 65_535);
  if (!right) throw invalid(name, 'texture of 1 to 65535 pixels a side', texture);
  if (!(data instanceof Uint8Array) || data.length !== 3 * width * height) {
    throw invalid(`${name}.data`, `Uint8Array of ${3 * width * height} bytes`, data);
  }
  if (mesh.uvs === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', `${name} is given, but no uvs say how it lies`);
  }
}

function lengthOf(
  name: string,
  array: Float32Array | Uint8Array | undefined,
  kind: Float32ArrayConstructor | Uint8ArrayConstructor,
  length: number,
): void {
  if (array !== undefined && (!(array instanceof kind) || array.length !== length)) {
    throw invalid(name, `${kind.name} of length ${length}`, array);
  }
}
