import { ImportError } from './error.js';
import { packed, readBytes, sourceFiles } from './mediapipe.js';
import type { Network } from './network.js';
import { readProto } from './protobuf.js';

const source = packed('face_mesh', 'geometry_pipeline_metadata_landmarks.binarypb');

/** What MediaPipe's face geometry metadata holds, in its own frame: centimetres, X to the picture's right, Y up, Z to the viewer. */
export interface FaceGeometry {
  /** n × 3. */
  readonly positions: Float32Array;
  /** n × 2, from the top-left corner. */
  readonly uvs: Float32Array;
  /** m × 3, counterclockwise seen from in front. */
  readonly indices: readonly number[];
  /** Vertices that say where a head is, and how much each counts. */
  readonly basis: readonly { readonly vertex: number; readonly weight: number }[];
}

/**
 * Reads `GeometryPipelineMetadata` (mediapipe/modules/face_geometry/protos: canonical_mesh = 1, procrustes_landmark_basis = 2;
 * `Mesh3d`: vertex_type = 1, primitive_type = 2, vertex_buffer = 3, index_buffer = 4; `WeightedLandmarkRef`: landmark_id = 1,
 * weight = 2). Throws `SOURCE_CORRUPT`.
 */
export function parseFaceGeometry(data: Uint8Array, origin: string): FaceGeometry {
  const fail = (what: string): never => {
    throw new ImportError('SOURCE_CORRUPT', `${origin}: ${what}; run \`npm ci\``);
  };
  const bytes = (value: bigint | Uint8Array): Uint8Array => (typeof value === 'bigint' ? fail('a number') : value);
  const message = readProto(data);
  const mesh = message.find((one) => one.field === 1) ?? fail('there is no mesh');
  const buffer: number[] = [];
  const indices: number[] = [];
  for (const { field, value } of readProto(bytes(mesh.value))) {
    if ((field === 1 || field === 2) && value !== 0n) fail('the mesh is not made of triangles with places and UVs');
    if (field === 3) buffer.push(...floats(bytes(value)));
    else if (field === 4) indices.push(...(typeof value === 'bigint' ? [Number(value)] : varints(value)));
  }
  const count = buffer.length / 5;
  if (!Number.isInteger(count) || count === 0 || indices.length === 0 || indices.length % 3 !== 0) {
    fail(`the mesh has ${buffer.length} numbers and ${indices.length} indices`);
  }
  if (!buffer.every(Number.isFinite) || indices.some((i) => i >= count)) fail('the mesh has numbers out of range');
  const basis = message
    .filter((one) => one.field === 2)
    .map((one) => {
      const parts = readProto(bytes(one.value));
      const weight = parts.find((part) => part.field === 2)?.value;
      const vertex = Number(parts.find((part) => part.field === 1)?.value ?? 0);
      const [value = Number.NaN] = weight instanceof Uint8Array ? floats(weight) : [];
      if (!(value > 0) || vertex >= count) fail('the basis has numbers out of range');
      return { vertex, weight: value };
    });
  return {
    positions: Float32Array.from({ length: 3 * count }, (_, i) => buffer[Math.floor(i / 3) * 5 + (i % 3)]!),
    uvs: Float32Array.from({ length: 2 * count }, (_, i) => buffer[Math.floor(i / 2) * 5 + 3 + (i % 2)]!),
    indices,
    basis,
  };
}

function floats(data: Uint8Array): number[] {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: data.byteLength >> 2 }, (_, i) => view.getFloat32(4 * i, true));
}

function varints(data: Uint8Array): number[] {
  const values: number[] = [];
  let value = 0;
  let factor = 1;
  for (const byte of data) {
    value += (byte & 127) * factor;
    factor *= 128;
    if (byte >= 128) continue;
    values.push(value);
    value = 0;
    factor = 1;
  }
  return values;
}

/**
 * The file of a mesh, little-endian: `LNMFACE1`; vertices n, triangles m, vertices of the basis k, 0 (u32 each); places (3 n f32,
 * millimetres, X right, Y down, Z away from the viewer), UVs (2 n f32), weights of the basis (k f32); indices (3 m u16), vertices of
 * the basis (k u16). Centimetres become millimetres, and the frame is turned half around X: triangles keep their sense.
 */
export function writeFaceMesh(face: FaceGeometry): Uint8Array {
  const [n, m, k] = [face.positions.length / 3, face.indices.length / 3, face.basis.length];
  const data = new Uint8Array(24 + 4 * (5 * n + k) + 2 * (3 * m + k));
  const view = new DataView(data.buffer);
  data.set(Buffer.from('LNMFACE1'));
  let at = 8;
  const next = (bytes: number): number => {
    at += bytes;
    return at - bytes;
  };
  for (const value of [n, m, k, 0]) view.setUint32(next(4), value, true);
  // 0 − x has no negative zero.
  for (const [i, value] of face.positions.entries())
    view.setFloat32(next(4), i % 3 === 0 ? 10 * value : 0 - 10 * value, true);
  for (const value of face.uvs) view.setFloat32(next(4), value, true);
  for (const { weight } of face.basis) view.setFloat32(next(4), weight, true);
  for (const index of face.indices) view.setUint16(next(2), index, true);
  for (const { vertex } of face.basis) view.setUint16(next(2), vertex, true);
  return data;
}

/** The face that MediaPipe's 468 landmarks have on average, as the metadata of its geometry pipeline has it. */
export const canonicalFace: Network = {
  id: 'face468',
  sources: sourceFiles(source),
  build: (reader) => writeFaceMesh(parseFaceGeometry(...readBytes(reader, source))),
};
