import type { Point, Pose } from '../../lib/types.js';

/** A head of 68 points in centimetres: the rigid ones where the library's model has them, the others in between. */
const RIGID: Readonly<Record<number, readonly [number, number, number]>> = {
  27: [0, 3.271, 5.236],
  30: [0, -1.127, 7.476],
  33: [0, -2.089, 6.058],
  36: [-4.446, 2.664, 3.173],
  39: [-1.856, 2.585, 3.758],
  42: [1.856, 2.585, 3.758],
  45: [4.446, 2.664, 3.173],
  48: [-2.456, -4.343, 4.284],
  54: [2.456, -4.343, 4.284],
  8: [0, -9.403, 4.264],
};

const between = (a: number, b: number, t: number): readonly [number, number, number] =>
  [0, 1, 2].map((k) => RIGID[a]![k]! * (1 - t) + RIGID[b]![k]! * t) as unknown as readonly [number, number, number];

export const head: readonly (readonly [number, number, number])[] = Array.from({ length: 68 }, (_, i) => {
  if (RIGID[i] !== undefined) return RIGID[i];
  // The ring of an eye: its centre is the middle of its corners, as it must be for the eye line.
  if (i > 36 && i < 42) return between(36, 39, [0.3, 0.7, 1, 0.7, 0.3][i - 37]!);
  if (i > 42 && i < 48) return between(42, 45, [0.3, 0.7, 1, 0.7, 0.3][i - 43]!);
  return between(8, 27, (i % 17) / 17);
});

/** Scaled-orthographic picture of the head: turned about the vertical by yaw, then up by pitch, all after the roll. */
export function project({ roll, yaw, pitch }: Pose, scale: number, [cx, cy]: Point): Point[] {
  const rad = Math.PI / 180;
  const [r, w, p] = [-roll * rad, yaw * rad, -pitch * rad];
  return head.map(([x0, y0, z0]): Point => {
    const x1 = x0 * Math.cos(r) - y0 * Math.sin(r);
    const y1 = x0 * Math.sin(r) + y0 * Math.cos(r);
    const y2 = y1 * Math.cos(p) - z0 * Math.sin(p);
    const z2 = y1 * Math.sin(p) + z0 * Math.cos(p);
    const x3 = x1 * Math.cos(w) + z2 * Math.sin(w);
    return [cx + scale * x3, cy - scale * y2];
  });
}
