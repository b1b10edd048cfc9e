import { LineamentError } from '../errors.js';
import { type Geometry, isMesh } from './files-check.js';

/** What positions are rounded to: `middle` + `step` × a whole number of 16 bits, in metres of the file's frame. */
export interface Box {
  readonly middle: readonly [number, number, number];
  readonly step: number;
}

const FLOAT = 5126;
const BYTE = 5120;
const UNSIGNED_SHORT = 5123;
const SHORT = 5122;
const UNSIGNED_INT = 5125;
const ATTRIBUTES = 34962;
const INDICES = 34963;
const MOST_BYTES = 0xffff_ffff;
const MILLIMETRE = 1000;
const STEPS = 65_534;

/** The box around all positions (camera frame, millimetres). `INVALID_ARGUMENT` for one that is not finite. */
export function boxOf(all: readonly Float32Array[]): Box {
  const low = [Infinity, Infinity, Infinity];
  const high = [-Infinity, -Infinity, -Infinity];
  for (const positions of new Set(all)) {
    for (let i = 0; i < positions.length; i++) {
      const value = positions[i]!;
      if (value - value !== 0) throw notFinite('position', i / 3);
      const axis = i % 3;
      if (value < low[axis]!) low[axis] = value;
      if (value > high[axis]!) high[axis] = value;
    }
  }
  const side = (axis: number): number => high[axis]! - low[axis]!;
  const longest = Math.max(side(0), side(1), side(2)) / MILLIMETRE;
  const middle = (axis: number, sign: number): number => (sign * (low[axis]! + high[axis]!)) / 2 / MILLIMETRE + 0;
  return { middle: [middle(0, 1), middle(1, -1), middle(2, -1)], step: longest > 0 ? longest / STEPS : 1 };
}

const notFinite = (what: string, vertex: number): LineamentError =>
  new LineamentError('INVALID_ARGUMENT', `The ${what} of vertex ${Math.floor(vertex)} is not finite`);

/** 8-bit sRGB to 16-bit linear (IEC 61966-2-1). */
const LINEAR = Uint16Array.from({ length: 256 }, (_, i) => {
  const c = i / 255;
  return Math.round(65_535 * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
});

type Attribute = Float32Array | Int16Array | Int8Array | Uint16Array;

/** The binary chunk of a GLB with the views and accessors into it. An array that comes again is written once. */
export class GlbBinary {
  readonly #box: Box | undefined;
  readonly #parts: Uint8Array[] = [];
  #size = 0;
  readonly #views: object[] = [];
  readonly #accessors: object[] = [];
  readonly #known = new Map<object, number>();

  /** Rounds attributes where a box is given. */
  constructor(box: Box | undefined) {
    this.#box = box;
  }

  /** Finite positions are taken for granted; the rest is checked. */
  primitive(geometry: Geometry, textured: boolean): Record<string, unknown> {
    const { positions, normals, colours } = geometry;
    const uvs = isMesh(geometry) ? geometry.uvs : undefined;
    const once = (array: object, make: () => number): number => {
      let known = this.#known.get(array);
      if (known === undefined) {
        known = make();
        this.#known.set(array, known);
      }
      return known;
    };
    const attributes = {
      POSITION: once(positions, () => this.#positions(positions)),
      ...(normals && { NORMAL: once(normals, () => this.#normals(normals)) }),
      ...(uvs && { TEXCOORD_0: once(uvs, () => this.#uvs(uvs)) }),
      ...(colours && !textured && { COLOR_0: once(colours, () => this.#colours(colours)) }),
    };
    if (!isMesh(geometry)) return { attributes, mode: 0 };
    const { indices } = geometry;
    let most = 0;
    for (let i = 0; i < indices.length; i++) {
      const index = indices[i]!;
      if (index > most) most = index;
    }
    const vertices = positions.length / 3;
    if (most >= vertices) {
      throw new LineamentError('INVALID_ARGUMENT', `An index is ${most}, but there are ${vertices} vertices`);
    }
    return { attributes, indices: once(indices, () => this.#indices(indices, most)) };
  }

  /** A view of bytes that are no accessor's; its number. */
  bytes(data: Uint8Array, more: object = {}): number {
    const padding = -this.#size & 3;
    if (padding > 0) this.#parts.push(new Uint8Array(padding));
    this.#views.push({ buffer: 0, byteOffset: this.#size + padding, byteLength: data.length, ...more });
    this.#parts.push(data);
    this.#size += padding + data.length;
    return this.#views.length - 1;
  }

  #accessor(data: Attribute, components: number, stride: number, more: object): number {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const padded = stride !== components * data.BYTES_PER_ELEMENT;
    const bufferView = this.bytes(bytes, { ...(padded && { byteStride: stride }), target: ATTRIBUTES });
    const type = components === 2 ? 'VEC2' : components === 3 ? 'VEC3' : 'VEC4';
    this.#accessors.push({ bufferView, count: bytes.length / stride, type, ...more });
    return this.#accessors.length - 1;
  }

  #positions(positions: Float32Array): number {
    const box = this.#box;
    const per = box ? 4 : 3;
    const count = positions.length / 3;
    const out = box ? new Int16Array(4 * count) : new Float32Array(3 * count);
    const min = [Infinity, Infinity, Infinity];
    const max = [-Infinity, -Infinity, -Infinity];
    for (let axis = 0; axis < 3; axis++) {
      const factor = (axis === 0 ? 1 : -1) / MILLIMETRE;
      const [offset, step] = box ? [box.middle[axis]!, box.step] : [0, 1];
      let low = Infinity;
      let high = -Infinity;
      for (let i = 0, from = axis, to = axis; i < count; i++, from += 3, to += per) {
        const value = positions[from]! * factor;
        out[to] = box ? Math.round((value - offset) / step) : value + 0;
        const stored = out[to]!;
        if (stored < low) low = stored;
        if (stored > high) high = stored;
      }
      min[axis] = low;
      max[axis] = high;
    }
    return this.#accessor(out, 3, box ? 8 : 12, { componentType: box ? SHORT : FLOAT, min, max });
  }

  #normals(normals: Float32Array): number {
    const rounded = this.#box !== undefined;
    const per = rounded ? 4 : 3;
    const count = normals.length / 3;
    const out = rounded ? new Int8Array(4 * count) : new Float32Array(3 * count);
    for (let i = 0; i < count; i++) {
      const [x, y, z] = [normals[3 * i]!, -normals[3 * i + 1]!, -normals[3 * i + 2]!];
      const length = Math.hypot(x, y, z);
      if (!Number.isFinite(length)) throw notFinite('normal', i);
      const factor = length > 0 ? (rounded ? 127 : 1) / length : 0;
      out[per * i] = rounded ? Math.round(x * factor) : x * factor + 0;
      out[per * i + 1] = rounded ? Math.round(y * factor) : y * factor + 0;
      out[per * i + 2] = length > 0 ? (rounded ? Math.round(z * factor) : z * factor + 0) : rounded ? 127 : 1;
    }
    const kind = rounded ? { componentType: BYTE, normalized: true } : { componentType: FLOAT };
    return this.#accessor(out, 3, rounded ? 4 : 12, kind);
  }

  #uvs(uvs: Float32Array): number {
    let inside = true;
    for (let i = 0; i < uvs.length; i++) {
      const value = uvs[i]!;
      if (value - value !== 0) throw notFinite('texture coordinate', i / 2);
      inside &&= value >= 0 && value <= 1;
    }
    // Beyond the texture there is no whole number for them.
    if (this.#box === undefined || !inside) return this.#accessor(uvs, 2, 8, { componentType: FLOAT });
    const out = Uint16Array.from(uvs, (value) => Math.round(65_535 * value));
    return this.#accessor(out, 2, 4, { componentType: UNSIGNED_SHORT, normalized: true });
  }

  #colours(colours: Uint8Array): number {
    const count = colours.length / 3;
    const out = new Uint16Array(4 * count).fill(65_535);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < 3; k++) out[4 * i + k] = LINEAR[colours[3 * i + k]!]!;
    }
    return this.#accessor(out, 4, 8, { componentType: UNSIGNED_SHORT, normalized: true });
  }

  #indices(indices: Uint32Array, most: number): number {
    // The highest number of a type restarts a primitive.
    const short = most < 65_535;
    const data = short ? Uint16Array.from(indices) : indices;
    const bufferView = this.bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), { target: INDICES });
    const componentType = short ? UNSIGNED_SHORT : UNSIGNED_INT;
    this.#accessors.push({ bufferView, count: indices.length, type: 'SCALAR', componentType });
    return this.#accessors.length - 1;
  }

  /** The whole file: header, JSON chunk, binary chunk. */
  file(json: object): Uint8Array {
    const { asset, ...rest } = json as { asset: object };
    const text = Buffer.from(
      JSON.stringify({
        asset,
        ...rest,
        accessors: this.#accessors,
        bufferViews: this.#views,
        buffers: [{ byteLength: this.#size }],
      }),
    );
    const jsonSize = text.length + (-text.length & 3);
    const binarySize = this.#size + (-this.#size & 3);
    const total = 12 + 8 + jsonSize + 8 + binarySize;
    if (total > MOST_BYTES) throw new LineamentError('INVALID_ARGUMENT', 'A GLB holds at most 4 GiB');
    const out = new Uint8Array(total);
    const view = new DataView(out.buffer);
    const words = (at: number, ...values: number[]): void => {
      for (const [i, value] of values.entries()) view.setUint32(at + 4 * i, value, true);
    };
    words(0, 0x46546c67, 2, total, jsonSize, 0x4e4f534a);
    out.fill(0x20, 20, 20 + jsonSize);
    out.set(text, 20);
    words(20 + jsonSize, binarySize, 0x004e4942);
    let at = 28 + jsonSize;
    for (const part of this.#parts) {
      out.set(part, at);
      at += part.length;
    }
    return out;
  }
}
