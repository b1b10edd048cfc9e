/** What `viewer-data.ts` packed, back as numbers. */
import type { PackedCloud, PackedDepth } from '../viewer-data.js';

export interface ViewerCloud {
  /** n × 3 millimetres in the viewer's frame. */
  readonly positions: Float32Array;
  readonly normals?: Float32Array;
  /** n × 3, sRGB. */
  readonly colours?: Uint8Array;
}

/** `bytes` must start at an even offset of its buffer. */
export function unpackCloud(about: PackedCloud, bytes: Uint8Array): ViewerCloud {
  const { count } = about;
  const places = new Uint16Array(bytes.buffer, bytes.byteOffset, count * 3);
  const positions = new Float32Array(count * 3);
  for (let i = 0; i < positions.length; i++) {
    const axis = i % 3;
    positions[i] = about.origin[axis]! + places[axis * count + (i - axis) / 3]! * about.step[axis]!;
  }
  const rest = bytes.subarray(count * 6);
  const cloud: { positions: Float32Array; normals?: Float32Array; colours?: Uint8Array } = { positions };
  if (about.normals) {
    const directions = new Int8Array(rest.buffer, rest.byteOffset, count * 3);
    const normals = new Float32Array(count * 3);
    for (let i = 0; i < normals.length; i++) normals[i] = directions[(i % 3) * count + Math.floor(i / 3)]! / 127;
    cloud.normals = normals;
  }
  if (about.colours) cloud.colours = rest.subarray(about.normals ? count * 3 : 0);
  return cloud;
}

/** Millimetres, NaN where unknown. */
export function unpackDepth(about: PackedDepth, bytes: Uint8Array): Float32Array {
  const packed = new Uint16Array(bytes.buffer, bytes.byteOffset, about.width * about.height);
  return Float32Array.from(packed, (value) => (value === 0 ? Number.NaN : about.near + (value - 1) * about.step));
}
