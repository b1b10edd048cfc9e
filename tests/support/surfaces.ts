// Surfaces with known distances, seen by cameras that are made up.
import type { DepthMap } from '../../lib/reconstruction/types.js';

export type Distance = (x: number, y: number, z: number) => number;

export const sphere =
  (radius: number, cx = 0, cy = 0, cz = 0): Distance =>
  (x, y, z) =>
    Math.hypot(x - cx, y - cy, z - cz) - radius;

/** About the z axis. */
export const torus =
  (ring: number, tube: number): Distance =>
  (x, y, z) =>
    Math.hypot(Math.hypot(x, y) - ring, z) - tube;

/** Spheres that melt into each other: a head with a nose, a chin and one ear, which looks towards −z. */
export const bust: Distance = (x, y, z) => {
  const parts = [
    sphere(75)(x, y, z),
    sphere(16, 0, 8, -76)(x, y, z),
    sphere(30, 4, 62, -35)(x, y, z),
    sphere(14, 76, 5, 0)(x, y, z),
    sphere(9, -28, -22, -66)(x, y, z),
  ];
  const soft = 6;
  return -soft * Math.log(parts.reduce((sum, d) => sum + Math.exp(-d / soft), 0));
};

/** 16 numbers row by row, camera from world: `away` millimetres from the origin, which it looks at, turned about y and x (degrees). */
export function lookAtOrigin(away: number, turn: number, raise = 0): Float64Array {
  const [c, s] = [Math.cos((turn * Math.PI) / 180), Math.sin((turn * Math.PI) / 180)];
  const [d, e] = [Math.cos((raise * Math.PI) / 180), Math.sin((raise * Math.PI) / 180)];
  return Float64Array.of(c, 0, s, 0, s * e, d, -c * e, 0, -s * d, e, c * d, away, 0, 0, 0, 1);
}

/** The depth that a camera of so many pixels sees, by sphere tracing. */
export function depthOf(distance: Distance, pose: Float64Array, size: number, focal: number): DepthMap {
  const depth = new Float32Array(size * size).fill(Number.NaN);
  const p = (i: number): number => pose[i]!;
  for (let i = 0; i < size * size; i++) {
    const [rx, ry] = [((i % size) + 0.5 - size / 2) / focal, (Math.floor(i / size) + 0.5 - size / 2) / focal];
    const length = Math.hypot(rx, ry, 1);
    let z = 50;
    for (let step = 0; step < 150 && z < 2000; step++) {
      const [x, y, w] = [rx * z - p(3), ry * z - p(7), z - p(11)];
      const world = [0, 1, 2].map((k) => p(k) * x + p(4 + k) * y + p(8 + k) * w);
      const away = distance(world[0]!, world[1]!, world[2]!);
      if (Math.abs(away) < 1e-4) {
        depth[i] = z;
        break;
      }
      z += away / length;
    }
  }
  return {
    width: size,
    height: size,
    depth,
    confidence: depth.map((z) => (Number.isNaN(z) ? 0 : 1)),
    camera: { fx: focal, fy: focal, cx: size / 2, cy: size / 2 },
    scale: { source: 'sensor' },
  };
}

/** Root mean square of the points' distances. */
export function rmsOf(positions: Float32Array, distance: Distance): number {
  let sum = 0;
  for (let i = 0; i < positions.length; i += 3) {
    sum += distance(positions[i]!, positions[i + 1]!, positions[i + 2]!) ** 2;
  }
  return Math.sqrt((3 * sum) / positions.length);
}
