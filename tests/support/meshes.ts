import type { Mesh, Texture } from '../../lib/reconstruction/types.js';

/** A bulging sheet of `side` × `side` vertices in front of a camera, with everything that a mesh can have but a texture. */
export function sheet(side: number): Mesh & Required<Pick<Mesh, 'normals' | 'uvs' | 'colours'>> {
  const n = side * side;
  const positions = new Float32Array(3 * n);
  const normals = new Float32Array(3 * n);
  const uvs = new Float32Array(2 * n);
  const colours = new Uint8Array(3 * n);
  const indices: number[] = [];
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const i = y * side + x;
      const [u, v] = [x / (side - 1), y / (side - 1)];
      const [a, b] = [2 * u - 1, 2 * v - 1];
      positions.set([90 * a, 110 * b, 500 + 40 * (a * a + b * b)], 3 * i);
      const normal = [(80 / 90) * a, (80 / 110) * b, -1];
      normals.set(
        normal.map((value) => value / Math.hypot(...normal)),
        3 * i,
      );
      uvs.set([u, v], 2 * i);
      colours.set([(7 * i) & 255, (3 * i) & 255, i & 255], 3 * i);
      if (x + 1 < side && y + 1 < side) indices.push(i, i + side, i + 1, i + 1, i + side, i + side + 1);
    }
  }
  return { positions, normals, uvs, colours, indices: Uint32Array.from(indices) };
}

/** Colours that change over the picture. */
export function picture(width: number, height: number): Texture {
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) data.set([(255 * x) / width, (255 * y) / height, 128], 3 * (y * width + x));
  }
  return { data, width, height };
}
