/**
 * Reads what the viewer draws out of a GLB file (Khronos glTF 2.0): triangles and points with normals, texture coordinates, colours
 * and base-colour textures, and levels of detail (MSFT_lod). Plain code that runs in Node and in the viewer's page; it throws plain
 * errors, with the part of the file that is wrong. What it does not know (animation, skins, compression that is required) is refused
 * or left out.
 */

/** One draw call. Lengths in millimetres, Y up, Z towards the viewer. */
export interface GlbPart {
  readonly kind: 'triangles' | 'points';
  /** n × 3. */
  readonly positions: Float32Array;
  /** m × 3 below n for triangles; empty for points. */
  readonly indices: Uint32Array;
  /** n × 3 of length 1. */
  readonly normals?: Float32Array;
  /** n × 2 from the top-left corner of the texture. */
  readonly uvs?: Float32Array;
  /** n × 3 from 0 to 1, sRGB. */
  readonly colours?: Float32Array;
  /** Index into the scene's images. */
  readonly image?: number;
  /** sRGB, 0–1: the whole part is multiplied by it. */
  readonly tint: readonly [number, number, number];
}

/** The whole scene at one level of detail. */
export interface GlbLevel {
  readonly parts: readonly GlbPart[];
  readonly triangles: number;
  readonly vertices: number;
  /** Distance from the finest surface in millimetres, where the file states it. */
  readonly error?: number;
}

export interface GlbScene {
  /** From the finest to the coarsest; at least one. */
  readonly levels: readonly GlbLevel[];
  readonly images: readonly { readonly bytes: Uint8Array; readonly type: string }[];
}

type Json = { readonly [name: string]: unknown };
type Matrix = readonly number[];

const MAGIC = 0x46546c67;
const JSON_CHUNK = 0x4e4f534a;
const BINARY_CHUNK = 0x004e4942;
const IDENTITY: Matrix = [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1];
const KNOWN_EXTENSIONS = new Set(['MSFT_lod', 'KHR_materials_unlit', 'KHR_mesh_quantization']);
const MILLIMETRES = 1000;

/** Readers of one component, its bytes, and what a normalised integer is divided by. */
const COMPONENTS: Readonly<
  Record<number, readonly [bytes: number, most: number, read: (v: DataView, at: number) => number]>
> = {
  5120: [1, 127, (view, at) => view.getInt8(at)],
  5121: [1, 255, (view, at) => view.getUint8(at)],
  5122: [2, 32767, (view, at) => view.getInt16(at, true)],
  5123: [2, 65535, (view, at) => view.getUint16(at, true)],
  5125: [4, 4294967295, (view, at) => view.getUint32(at, true)],
  5126: [4, 1, (view, at) => view.getFloat32(at, true)],
};
/** Components that tight arrays are copied of at once. */
const PLAIN: Readonly<Record<number, Float32ArrayConstructor | Uint32ArrayConstructor | Uint16ArrayConstructor>> = {
  5123: Uint16Array,
  5125: Uint32Array,
  5126: Float32Array,
};
const WIDTHS: Readonly<Record<string, number>> = { SCALAR: 1, VEC2: 2, VEC3: 3, VEC4: 4 };

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Linear light to sRGB (IEC 61966-2-1). */
const toSrgb = (v: number): number => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);

/**
 * Reads a GLB file.
 *
 * @throws Error with the reason where the bytes are no GLB 2.0 file, hold nothing to draw, or require an unknown extension
 */
export function readGlb(bytes: Uint8Array): GlbScene {
  return new Reader(bytes).scene();
}

class Reader {
  readonly #json: Json;
  readonly #binary: Uint8Array;
  readonly #usedImages: number[] = [];

  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (bytes.length < 20 || view.getUint32(0, true) !== MAGIC) throw new Error('not a GLB file');
    if (view.getUint32(4, true) !== 2) throw new Error(`GLB version ${view.getUint32(4, true)}; version 2 is read`);
    const length = view.getUint32(8, true);
    if (length > bytes.length) throw new Error(`the file states ${length} bytes but has ${bytes.length}`);
    let json: Uint8Array | undefined;
    let binary: Uint8Array | undefined;
    for (let at = 12; at + 8 <= length; ) {
      const size = view.getUint32(at, true);
      const type = view.getUint32(at + 4, true);
      if (size > length - at - 8) throw new Error('a chunk reaches beyond the file');
      const chunk = bytes.subarray(at + 8, at + 8 + size);
      if (type === JSON_CHUNK) json ??= chunk;
      if (type === BINARY_CHUNK) binary ??= chunk;
      at += 8 + size + ((4 - (size % 4)) % 4);
    }
    if (json === undefined) throw new Error('no JSON chunk');
    const parsed: unknown = JSON.parse(new TextDecoder().decode(json));
    if (!isObject(parsed)) throw new Error('the JSON chunk holds no object');
    this.#json = parsed;
    this.#binary = binary ?? new Uint8Array(0);
    const required = Array.isArray(parsed['extensionsRequired']) ? parsed['extensionsRequired'] : [];
    const unknown = required.find((name) => !KNOWN_EXTENSIONS.has(String(name)));
    if (unknown !== undefined) throw new Error(`the file requires ${String(unknown)}, which the viewer does not know`);
  }

  scene(): GlbScene {
    const levels: GlbLevel[] = [];
    const roots = this.#roots();
    const chains = roots.map((root) => [root, ...this.#lods(root)]);
    const depth = Math.max(1, ...chains.map((chain) => chain.length));
    for (let level = 0; level < depth; level++) {
      const parts: GlbPart[] = [];
      const seen = new Set<number>();
      let error: number | undefined;
      for (const chain of chains) {
        const node = chain[Math.min(level, chain.length - 1)]!;
        this.#collect(node, IDENTITY, parts, seen);
        const stated = this.#errorOf(node);
        if (stated !== undefined) error = Math.max(error ?? 0, stated);
      }
      levels.push({
        parts,
        triangles: parts.reduce((sum, part) => sum + part.indices.length / 3, 0),
        vertices: parts.reduce((sum, part) => sum + part.positions.length / 3, 0),
        ...(error !== undefined && { error }),
      });
    }
    if (!levels.some(({ parts }) => parts.length > 0)) throw new Error('nothing to draw');
    return { levels, images: this.#usedImages.map((index) => this.#image(index)) };
  }

  #item(list: string, index: unknown): Json {
    const all = this.#json[list];
    const item: unknown = Array.isArray(all) && typeof index === 'number' ? all[index] : undefined;
    if (!isObject(item)) throw new Error(`no ${list}[${String(index)}]`);
    return item;
  }

  /** The nodes at the top of the scene; levels of detail of a node are named by it and stand outside. */
  #roots(): number[] {
    const scene = this.#item('scenes', this.#json['scene'] ?? 0);
    const nodes = Array.isArray(scene['nodes']) ? scene['nodes'] : [];
    return nodes.filter((node): node is number => Number.isInteger(node));
  }

  #lods(node: number): number[] {
    const extensions = this.#item('nodes', node)['extensions'];
    const lod = isObject(extensions) ? extensions['MSFT_lod'] : undefined;
    const ids = isObject(lod) && Array.isArray(lod['ids']) ? lod['ids'] : [];
    return ids.filter((id): id is number => Number.isInteger(id));
  }

  /** `extras.errorMillimetres` of a node or its mesh, as our writer states it. */
  #errorOf(node: number): number | undefined {
    const one = this.#item('nodes', node);
    const holders = [one, ...(one['mesh'] === undefined ? [] : [this.#item('meshes', one['mesh'])])];
    for (const { extras } of holders) {
      const error = isObject(extras) ? extras['errorMillimetres'] : undefined;
      if (typeof error === 'number' && Number.isFinite(error) && error >= 0) return error;
    }
    return undefined;
  }

  #collect(index: number, parent: Matrix, parts: GlbPart[], seen: Set<number>): void {
    if (seen.has(index)) throw new Error(`nodes[${index}] has two parents`);
    seen.add(index);
    const node = this.#item('nodes', index);
    const matrix = multiply(parent, localMatrix(node));
    if (node['mesh'] !== undefined) {
      const { primitives } = this.#item('meshes', node['mesh']);
      for (const primitive of Array.isArray(primitives) ? primitives : []) {
        const part = isObject(primitive) ? this.#part(primitive, matrix) : undefined;
        if (part !== undefined) parts.push(part);
      }
    }
    const children = Array.isArray(node['children']) ? node['children'] : [];
    for (const child of children) this.#collect(Number(child), matrix, parts, seen);
  }

  #part(primitive: Json, matrix: Matrix): GlbPart | undefined {
    const mode = primitive['mode'] ?? 4;
    if (mode !== 4 && mode !== 0) return undefined;
    const attributes = isObject(primitive['attributes']) ? primitive['attributes'] : {};
    if (attributes['POSITION'] === undefined) return undefined;
    const positions = this.#floats(attributes['POSITION'], 3);
    const count = positions.length / 3;
    place(positions, matrix);
    const of = (name: string, expected?: number): Float32Array | undefined => {
      if (attributes[name] === undefined) return undefined;
      const width = expected ?? this.#width(attributes[name]);
      const values = this.#floats(attributes[name], width);
      if (values.length !== count * width) throw new Error(`${name} and POSITION differ in length`);
      return values;
    };
    const normals = of('NORMAL', 3);
    if (normals !== undefined) turn(normals, matrix);
    const uvs = of('TEXCOORD_0', 2);
    const colours = of('COLOR_0');
    return {
      kind: mode === 4 ? 'triangles' : 'points',
      positions,
      indices: mode === 4 ? this.#indices(primitive['indices'], count) : new Uint32Array(0),
      ...(normals !== undefined && { normals }),
      ...(uvs !== undefined && { uvs }),
      ...(colours !== undefined && { colours: srgbColours(colours, count) }),
      ...this.#material(primitive['material']),
    };
  }

  #material(index: unknown): { tint: readonly [number, number, number]; image?: number } {
    if (index === undefined) return { tint: [1, 1, 1] };
    const pbr = this.#item('materials', index)['pbrMetallicRoughness'];
    const factor = isObject(pbr) && Array.isArray(pbr['baseColorFactor']) ? pbr['baseColorFactor'] : [1, 1, 1];
    const [r = 1, g = 1, b = 1] = factor.map((value) => toSrgb(Math.min(1, Math.max(0, Number(value)))));
    const texture = isObject(pbr) ? pbr['baseColorTexture'] : undefined;
    if (!isObject(texture)) return { tint: [r, g, b] };
    const source = this.#item('textures', texture['index'])['source'];
    if (typeof source !== 'number') return { tint: [r, g, b] };
    if (!this.#usedImages.includes(source)) this.#usedImages.push(source);
    return { tint: [r, g, b], image: this.#usedImages.indexOf(source) };
  }

  #image(index: number): { bytes: Uint8Array; type: string } {
    const image = this.#item('images', index);
    if (image['bufferView'] === undefined) throw new Error('a texture lies outside the file');
    const { bytes } = this.#view(image['bufferView']);
    const type = String(image['mimeType']);
    if (!/^image\/(png|jpeg|webp)$/.test(type)) throw new Error(`a texture of type ${type}`);
    return { bytes, type };
  }

  #view(index: unknown): { bytes: Uint8Array; stride: number } {
    const view = this.#item('bufferViews', index);
    const offset = whole(view['byteOffset'] ?? 0, 'byteOffset');
    const length = whole(view['byteLength'], 'byteLength');
    const isOurs = view['buffer'] === 0 && this.#item('buffers', 0)['uri'] === undefined;
    if (!isOurs) throw new Error('a buffer lies outside the file');
    if (offset + length > this.#binary.length) throw new Error(`bufferViews[${String(index)}] reaches beyond the file`);
    return {
      bytes: this.#binary.subarray(offset, offset + length),
      stride: whole(view['byteStride'] ?? 0, 'byteStride'),
    };
  }

  #width(index: unknown): number {
    const type = String(this.#item('accessors', index)['type']);
    const width = WIDTHS[type];
    if (width === undefined) throw new Error(`accessors[${String(index)}] is of type ${type}`);
    return width;
  }

  #floats(index: unknown, width: number): Float32Array {
    const values = this.#numbers(index, width, (length) => new Float32Array(length));
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw new Error(`accessors[${String(index)}] holds a number that is not finite`);
    }
    return values;
  }

  #indices(index: unknown, count: number): Uint32Array {
    const values = index === undefined ? Uint32Array.from({ length: count }, (_, i) => i) : this.#vertexNumbers(index);
    if (values.length % 3 !== 0) throw new Error('indices are not triangles');
    for (let i = 0; i < values.length; i++)
      if (values[i]! >= count) throw new Error(`index ${values[i]} of ${count} vertices`);
    return values;
  }

  #vertexNumbers(index: unknown): Uint32Array {
    return this.#numbers(index, 1, (length) => new Uint32Array(length));
  }

  #numbers<T extends Float32Array | Uint32Array>(index: unknown, width: number, make: (length: number) => T): T {
    const accessor = this.#item('accessors', index);
    const component = COMPONENTS[Number(accessor['componentType'])];
    if (component === undefined || this.#width(index) !== width) {
      throw new Error(`accessors[${String(index)}] is of a type that is not expected here`);
    }
    if (accessor['sparse'] !== undefined) throw new Error('sparse accessors are not read');
    const count = whole(accessor['count'], 'count');
    const [size, most, read] = component;
    const { bytes, stride } = this.#view(accessor['bufferView']);
    const start = whole(accessor['byteOffset'] ?? 0, 'byteOffset');
    const step = stride === 0 ? size * width : stride;
    if (count > 0 && start + step * (count - 1) + size * width > bytes.length) {
      throw new Error(`accessors[${String(index)}] reaches beyond its buffer view`);
    }
    const scale = accessor['normalized'] === true ? 1 / most : 1;
    const values = make(count * width);
    const kind = PLAIN[Number(accessor['componentType'])];
    if (kind !== undefined && scale === 1 && step === size * width) {
      // A copy starts where every array may; files and machines are little-endian.
      values.set(new kind(bytes.slice(start, start + step * count).buffer as ArrayBuffer));
      return values;
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let i = 0, k = 0; i < count; i++) {
      for (let c = 0; c < width; c++) values[k++] = read(view, start + i * step + c * size) * scale;
    }
    return values;
  }
}

function whole(value: unknown, name: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) {
    throw new Error(`${name} is ${String(value)}`);
  }
  return value;
}

function numbers(value: unknown, length: number): number[] | undefined {
  if (!Array.isArray(value) || value.length !== length || !value.every(Number.isFinite)) return undefined;
  return value.map(Number);
}

/** Column-major, as glTF writes matrices. */
function localMatrix(node: Json): Matrix {
  const given = numbers(node['matrix'], 16);
  if (given !== undefined) return given;
  const [tx, ty, tz] = numbers(node['translation'], 3) ?? [0, 0, 0];
  const [x, y, z, w] = (numbers(node['rotation'], 4) ?? [0, 0, 0, 1]) as [number, number, number, number];
  const [sx, sy, sz] = (numbers(node['scale'], 3) ?? [1, 1, 1]) as [number, number, number];
  return [
    ...[(1 - 2 * (y * y + z * z)) * sx, 2 * (x * y + z * w) * sx, 2 * (x * z - y * w) * sx, 0],
    ...[2 * (x * y - z * w) * sy, (1 - 2 * (x * x + z * z)) * sy, 2 * (y * z + x * w) * sy, 0],
    ...[2 * (x * z + y * w) * sz, 2 * (y * z - x * w) * sz, (1 - 2 * (x * x + y * y)) * sz, 0],
    ...[tx!, ty!, tz!, 1],
  ];
}

function multiply(a: Matrix, b: Matrix): Matrix {
  return Array.from({ length: 16 }, (_, i) => {
    const [column, row] = [Math.floor(i / 4), i % 4];
    return [0, 1, 2, 3].reduce((sum, k) => sum + a[k * 4 + row]! * b[column * 4 + k]!, 0);
  });
}

/** Positions in metres to where the node puts them, in millimetres. */
function place(positions: Float32Array, m: Matrix): void {
  const [a = 0, b = 0, c = 0, , d = 0, e = 0, f = 0, , g = 0, h = 0, i = 0, , tx = 0, ty = 0, tz = 0] = m;
  for (let k = 0; k < positions.length; k += 3) {
    const x = positions[k]!;
    const y = positions[k + 1]!;
    const z = positions[k + 2]!;
    positions[k] = (a * x + d * y + g * z + tx) * MILLIMETRES;
    positions[k + 1] = (b * x + e * y + h * z + ty) * MILLIMETRES;
    positions[k + 2] = (c * x + f * y + i * z + tz) * MILLIMETRES;
  }
}

/** Directions to where the node turns them (its scale taken as even), at length 1. */
function turn(normals: Float32Array, m: Matrix): void {
  const [a = 0, b = 0, c = 0, , d = 0, e = 0, f = 0, , g = 0, h = 0, i = 0] = m;
  for (let k = 0; k < normals.length; k += 3) {
    const x = normals[k]! * a + normals[k + 1]! * d + normals[k + 2]! * g;
    const y = normals[k]! * b + normals[k + 1]! * e + normals[k + 2]! * h;
    const z = normals[k]! * c + normals[k + 1]! * f + normals[k + 2]! * i;
    const length = Math.sqrt(x * x + y * y + z * z) || 1;
    normals[k] = x / length;
    normals[k + 1] = y / length;
    normals[k + 2] = z / length;
  }
}

/** Linear colours with 3 or 4 components as sRGB with 3. */
function srgbColours(linear: Float32Array, count: number): Float32Array {
  const width = linear.length / Math.max(1, count);
  const colours = new Float32Array(count * 3);
  for (let i = 0; i < count; i++) {
    for (let c = 0; c < 3; c++) colours[i * 3 + c] = toSrgb(Math.min(1, Math.max(0, linear[i * width + c]!)));
  }
  return colours;
}
