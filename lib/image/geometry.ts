import type { Box, Point } from '../types.js';

/**
 * An affine map from output to source pixels: `sx = a·u + b·v + c`, `sy = d·u + e·v + f`, where (u, v) are continuous
 * coordinates of the output (centre of output pixel (i, j) = (i + 0.5, j + 0.5)). It is what the native kernels call a region.
 */
export type Region = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** Maps a point of the output into the source. */
export function applyRegion(r: Region, u: number, v: number): Point {
  return [r[0] * u + r[1] * v + r[2], r[3] * u + r[4] * v + r[5]];
}

/** Regions one after another, as the native addon takes them. */
export function packRegions(regions: readonly Region[]): Float64Array {
  const packed = new Float64Array(regions.length * 6);
  for (const [i, region] of regions.entries()) packed.set(region, i * 6);
  return packed;
}

/** Part of the source with the scale `scale` (source pixels per output pixel), upper left corner at (x, y). */
export function scaledRegion(x: number, y: number, scale: number): Region {
  return [scale, 0, x, 0, scale, y];
}

/**
 * A square of `side` source pixels around (cx, cy), turned by `angle` (radians, positive is clockwise in the picture), onto
 * an output of `size` × `size`.
 */
export function squareRegion(cx: number, cy: number, side: number, size: number, angle = 0): Region {
  const s = side / size;
  const a = s * Math.cos(angle);
  const b = s * Math.sin(angle);
  const h = size / 2;
  return [a, -b, cx - a * h + b * h, b, a, cy - b * h - a * h];
}

/**
 * The similarity (rotation, one scale, translation, no reflection) that carries `from` onto `to` with the least sum of
 * squared distances: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns",
 * IEEE TPAMI 13(4), 1991; in the plane the solution is one complex division. Both lists are equally long, two points or
 * more; absent when all `from` coincide.
 */
export function fitSimilarity(from: readonly Point[], to: readonly Point[]): Region | undefined {
  const n = Math.min(from.length, to.length);
  let fx = 0;
  let fy = 0;
  let tx = 0;
  let ty = 0;
  for (let i = 0; i < n; i++) {
    const [px, py] = from[i]!;
    const [qx, qy] = to[i]!;
    fx += px;
    fy += py;
    tx += qx;
    ty += qy;
  }
  fx /= n;
  fy /= n;
  tx /= n;
  ty /= n;
  let re = 0;
  let im = 0;
  let norm = 0;
  for (let i = 0; i < n; i++) {
    const px = from[i]![0] - fx;
    const py = from[i]![1] - fy;
    const qx = to[i]![0] - tx;
    const qy = to[i]![1] - ty;
    re += px * qx + py * qy;
    im += px * qy - py * qx;
    norm += px * px + py * py;
  }
  if (!(norm > 0)) return undefined;
  const a = re / norm;
  const b = im / norm;
  return [a, -b, tx - a * fx + b * fy, b, a, ty - b * fx - a * fy];
}

/** A region given for an output of 1 × 1 (a unit square), made for an output of `width` × `height`. */
export function fromUnit(r: Region, width: number, height: number): Region {
  return [r[0] / width, r[1] / height, r[2], r[3] / width, r[4] / height, r[5]];
}

/** Smallest box around the points. */
export function boundsOf(points: readonly Point[]): Box {
  let x0 = Infinity;
  let y0 = Infinity;
  let x1 = -Infinity;
  let y1 = -Infinity;
  for (const [x, y] of points) {
    x0 = Math.min(x0, x);
    y0 = Math.min(y0, y);
    x1 = Math.max(x1, x);
    y1 = Math.max(y1, y);
  }
  return [x0, y0, x1 - x0, y1 - y0];
}

/** Mean of the points with the given indices. */
export function meanOf(points: readonly Point[], indices: readonly number[]): Point {
  let x = 0;
  let y = 0;
  for (const i of indices) {
    x += points[i]![0];
    y += points[i]![1];
  }
  return [x / indices.length, y / indices.length];
}

function common(a: Box, b: Box): number {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  return w > 0 && h > 0 ? w * h : 0;
}

/** Intersection over union of two boxes, 0–1. */
export function intersectionOverUnion(a: Box, b: Box): number {
  const inside = common(a, b);
  return inside === 0 ? 0 : inside / (a[2] * a[3] + b[2] * b[3] - inside);
}

/** Intersection of two boxes over the area of the smaller, 0–1. */
export function intersectionOverSmaller(a: Box, b: Box): number {
  const inside = common(a, b);
  return inside === 0 ? 0 : inside / Math.min(a[2] * a[3], b[2] * b[3]);
}

/** A square about the middle of a box, as long as its longer side times `scale`. */
export function squareBox([x, y, w, h]: Box, scale = 1): Box {
  const side = Math.max(w, h) * scale;
  return [x + (w - side) / 2, y + (h - side) / 2, side, side];
}
