import { MEAN_HEAD } from '../../lib/landmarks/head.js';
import type { Point, Pose } from '../../lib/types.js';

export const head = MEAN_HEAD;

/** Scaled-orthographic picture of a head (the mean one): turned about the vertical by yaw, then up by pitch, all after the roll. */
export function project(
  { roll, yaw, pitch }: Pose,
  scale: number,
  [cx, cy]: Point,
  points: readonly (readonly [x: number, y: number, z: number])[] = head,
): Point[] {
  const rad = Math.PI / 180;
  const [r, w, p] = [-roll * rad, yaw * rad, -pitch * rad];
  return points.map(([x0, y0, z0]): Point => {
    const x1 = x0 * Math.cos(r) - y0 * Math.sin(r);
    const y1 = x0 * Math.sin(r) + y0 * Math.cos(r);
    const y2 = y1 * Math.cos(p) - z0 * Math.sin(p);
    const z2 = y1 * Math.sin(p) + z0 * Math.cos(p);
    const x3 = x1 * Math.cos(w) + z2 * Math.sin(w);
    return [cx + scale * x3, cy - scale * y2];
  });
}
