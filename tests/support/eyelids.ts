import type { Frame, Point } from '../../lib/types.js';

/** Six points of an eye: corner, two of the upper lid, corner, two of the lower lid, as landmarks 36 to 41. */
type Eye = readonly Point[];

/** Skin that is stretched when the lid comes down, above the open lid, over the width of the eye. */
const SKIN = 0.4;

/** The cubic through four points whose first and last lie at u = 0 and u = `width`. */
function curve(points: readonly Point[]): (u: number) => number {
  return (u) =>
    points.reduce((sum, [xi, yi], i) => {
      let term = yi;
      points.forEach(([xj], j) => {
        if (j !== i) term *= (u - xj) / (xi - xj);
      });
      return sum + term;
    }, 0);
}

/**
 * The picture with the eyes closed by `share` (0: as they are, 1: shut): the skin above each upper lid is pulled down over the
 * eye, lashes and all, until the lid meets the lower one. `lids` are 12 points as landmarks 36 to 47. Tight RGB frames.
 */
export function closeEyes(frame: Frame, lids: readonly Point[], share: number): Frame {
  const data = new Uint8Array(frame.data);
  for (const eye of [lids.slice(0, 6), lids.slice(6, 12)]) closeEye(frame, data, eye, share);
  return { ...frame, data };
}

function closeEye(frame: Frame, data: Uint8Array, eye: Eye, share: number): void {
  const [[ax, ay], , , [bx, by]] = eye as [Point, Point, Point, Point];
  const width = Math.hypot(bx - ax, by - ay);
  const [c, s] = [(bx - ax) / width, (by - ay) / width];
  // Along the line of the corners and, positive downwards, across it.
  const turned = eye.map(([x, y]): Point => [c * (x - ax) + s * (y - ay), c * (y - ay) - s * (x - ax)]);
  const [p1, p2, p3, p4, p5, p6] = turned as [Point, Point, Point, Point, Point, Point];
  const upper = curve([p1, p2, p3, p4]);
  const lower = curve([p1, p6, p5, p4]);
  const reach = 1.2 * width;
  for (let y = Math.max(0, Math.floor(ay - reach)); y < Math.min(frame.height - 1, by + reach); y++) {
    for (let x = Math.max(0, Math.floor(Math.min(ax, bx) - reach)); x < Math.min(frame.width - 1, bx + reach); x++) {
      const [dx, dy] = [x + 0.5 - ax, y + 0.5 - ay];
      const u = c * dx + s * dy;
      const v = c * dy - s * dx;
      if (u <= 0 || u >= width) continue;
      const [from, to] = [upper(u), lower(u)];
      const top = from - SKIN * width;
      const lid = from + share * Math.max(0, to - from);
      if (v <= top || v >= lid) continue;
      const shift = top + ((v - top) * (from - top)) / (lid - top) - v;
      put(frame, data, x, y, x - s * shift, y + c * shift);
    }
  }
}

/** Writes the pixel at (x, y) as it is at (sx, sy), between pixels by bilinear interpolation. */
function put(frame: Frame, data: Uint8Array, x: number, y: number, sx: number, sy: number): void {
  const x0 = Math.min(frame.width - 2, Math.max(0, Math.floor(sx)));
  const y0 = Math.min(frame.height - 2, Math.max(0, Math.floor(sy)));
  const [fx, fy] = [sx - x0, sy - y0];
  for (let k = 0; k < 3; k++) {
    const at = (i: number, j: number): number => frame.data[((y0 + j) * frame.width + x0 + i) * 3 + k]!;
    const row = (j: number): number => at(0, j) * (1 - fx) + at(1, j) * fx;
    data[(y * frame.width + x) * 3 + k] = Math.round(row(0) * (1 - fy) + row(1) * fy);
  }
}
