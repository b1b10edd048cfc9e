/** Surfaces for the tests of what is drawn, in the camera frame, and a minimal GLB file of them. */
import type { Mesh, Texture } from '../../lib/reconstruction/index.js';

/** A picture of four colours: red, green above blue, yellow. */
export const QUADRANTS: readonly (readonly [number, number, number])[] = [
  [220, 30, 30],
  [30, 180, 40],
  [40, 60, 220],
  [230, 210, 40],
];

export function quadrantTexture(side = 64): Texture {
  const data = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      data.set(QUADRANTS[(y * 2 < side ? 0 : 2) + (x * 2 < side ? 0 : 1)]!, (y * side + x) * 3);
    }
  }
  return { data, width: side, height: side };
}

/** Depth in millimetres over (x, y) in millimetres from the axis. */
export type Height = (x: number, y: number) => number;

export const flat: Height = () => 600;

/** A head-like bulge with a nose. */
export const bulge: Height = (x, y) => {
  const round = 60 * Math.sqrt(Math.max(0, 1 - (x / 90) ** 2 - (y / 110) ** 2));
  const nose = 22 * Math.exp(-(x * x) / 160 - (y - 10) ** 2 / 500);
  return 640 - round - nose;
};

/** A grid of `cells` × `cells` squares over 160 × 160 mm, seen by a camera at the origin; with UVs and normals. */
export function gridMesh(height: Height, cells: number, texture?: Texture): Mesh {
  const side = cells + 1;
  const positions = new Float32Array(side * side * 3);
  const normals = new Float32Array(side * side * 3);
  const uvs = new Float32Array(side * side * 2);
  const at = (i: number): number => (i / cells - 0.5) * 160;
  for (let j = 0; j < side; j++) {
    for (let i = 0; i < side; i++) {
      const [x, y, k] = [at(i), at(j), j * side + i];
      positions.set([x, y, height(x, y)], k * 3);
      const dx = height(x + 0.5, y) - height(x - 0.5, y);
      const dy = height(x, y + 0.5) - height(x, y - 0.5);
      const length = Math.hypot(dx, dy, 1);
      normals.set([dx / length, dy / length, -1 / length], k * 3);
      uvs.set([i / cells, j / cells], k * 2);
    }
  }
  const indices = new Uint32Array(cells * cells * 6);
  for (let j = 0, k = 0; j < cells; j++) {
    for (let i = 0; i < cells; i++, k += 6) {
      const a = j * side + i;
      // Counterclockwise seen from the camera, whose Y axis points down.
      indices.set([a, a + side, a + 1, a + 1, a + side, a + side + 1], k);
    }
  }
  return { positions, indices, normals, uvs, ...(texture && { texture }) };
}

const padded = (bytes: Uint8Array, filler: number): Uint8Array => {
  const all = new Uint8Array(Math.ceil(bytes.length / 4) * 4).fill(filler);
  all.set(bytes);
  return all;
};

/** A GLB file of levels of detail (MSFT_lod) with one texture, written for these tests alone. */
export function tinyGlb(
  levels: readonly Mesh[],
  picture?: { readonly bytes: Uint8Array; readonly type: string },
  errors?: readonly number[],
): Uint8Array {
  const pieces: Uint8Array[] = [];
  const bufferViews: object[] = [];
  const accessors: object[] = [];
  let offset = 0;
  const view = (bytes: Uint8Array): number => {
    const piece = padded(bytes, 0);
    bufferViews.push({ buffer: 0, byteOffset: offset, byteLength: bytes.length });
    offset += piece.length;
    pieces.push(piece);
    return bufferViews.length - 1;
  };
  const accessor = (values: Float32Array | Uint32Array, type: string, width: number, more: object = {}): number => {
    const bufferView = view(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    const componentType = values instanceof Float32Array ? 5126 : 5125;
    accessors.push({ bufferView, componentType, count: values.length / width, type, ...more });
    return accessors.length - 1;
  };
  const turned = (values: Float32Array, scale: number): Float32Array =>
    values.map((value, i) => (i % 3 === 0 ? value : -value) * scale);
  const meshes = levels.map(({ positions, indices, normals, uvs }, i) => ({
    primitives: [
      {
        attributes: {
          POSITION: accessor(turned(positions, 1e-3), 'VEC3', 3),
          ...(normals && { NORMAL: accessor(turned(normals, 1), 'VEC3', 3) }),
          ...(uvs && { TEXCOORD_0: accessor(uvs, 'VEC2', 2) }),
        },
        indices: accessor(indices, 'SCALAR', 1),
        ...(picture && { material: 0 }),
      },
    ],
    ...(errors && { extras: { errorMillimetres: errors[i] } }),
  }));
  const image = picture && view(picture.bytes);
  const nodes = levels.map((_, i) => ({
    mesh: i,
    ...(i === 0 && levels.length > 1 && { extensions: { MSFT_lod: { ids: levels.slice(1).map((_, k) => k + 1) } } }),
  }));
  const json = {
    asset: { version: '2.0' },
    scene: 0,
    scenes: [{ nodes: [0] }],
    nodes,
    meshes,
    accessors,
    bufferViews,
    buffers: [{ byteLength: offset }],
    ...(picture && {
      materials: [{ pbrMetallicRoughness: { baseColorTexture: { index: 0 } } }],
      textures: [{ source: 0 }],
      images: [{ bufferView: image, mimeType: picture.type }],
    }),
    ...(levels.length > 1 && { extensionsUsed: ['MSFT_lod'] }),
  };
  return container(json, pieces);
}

/** A GLB container around JSON and the pieces of its buffer, each a multiple of four bytes. */
export function container(json: unknown, pieces: readonly Uint8Array[] = []): Uint8Array {
  const text = padded(new TextEncoder().encode(JSON.stringify(json)), 0x20);
  const binary = Buffer.concat(pieces);
  const head = (...words: number[]): Buffer => Buffer.from(Uint32Array.from(words).buffer);
  const length = 12 + 8 + text.length + (pieces.length > 0 ? 8 + binary.length : 0);
  return new Uint8Array(
    Buffer.concat([
      head(0x46546c67, 2, length, text.length, 0x4e4f534a),
      text,
      ...(pieces.length > 0 ? [head(binary.length, 0x004e4942), binary] : []),
    ]),
  );
}
