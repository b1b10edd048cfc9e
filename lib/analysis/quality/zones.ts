import { applyRegion, meanOf, type Region } from '../../image/geometry.js';
import type { Point } from '../../types.js';
import { FACE_CHIP } from './layout.js';

/** The colour chip is looked at in cells of 4 × 4 pixels: grain averages out, and there is sixteen times less to look at. */
export const CELL = 4;
export const GRID = FACE_CHIP.size / CELL;

/**
 * What a cell shows. `…Lid` is the band of skin under the eye, `lips` the lips, `aroundLips` the ring around them, `inner`
 * the gap of an open mouth and the nostrils, which are dark by nature.
 */
export const ZONE = {
  outside: 0,
  other: 1,
  background: 2,
  skin: 3,
  leftEye: 4,
  rightEye: 5,
  leftLid: 6,
  rightLid: 7,
  brow: 8,
  lips: 9,
  aroundLips: 10,
  inner: 11,
} as const;

const JAW_AND_BROWS = [...range(0, 17), ...range(17, 27).reverse()];
const OUTER_LIPS = range(48, 60);
const INNER_LIPS = range(60, 68);
const BROWS = [range(17, 22), range(22, 27)];
const NOSTRILS = range(31, 36);

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/**
 * Names the zone of each cell of the upright chip from the 68 points in chip coordinates. `outside` lies beyond the picture;
 * `background` is above the chin and outside of an ellipse that holds head and hair.
 */
export function zonesOf(
  points: readonly Point[],
  region: Region,
  frame: { width: number; height: number },
): Uint8Array {
  const zones = new Uint8Array(GRID * GRID).fill(ZONE.other);
  const cells = points.map(([x, y]): Point => [x / CELL, y / CELL]);
  const eye = FACE_CHIP.eyes / CELL;
  const top = FACE_CHIP.top / CELL;
  // A generous head: hair reaches further than the landmarks.
  for (let y = 0; y < Math.min(GRID, top + 1.5 * eye); y++) {
    for (let x = 0; x < GRID; x++) {
      const dx = (x + 0.5 - GRID / 2) / (1.9 * eye);
      const dy = (y + 0.5 - top - 0.15 * eye) / (2.35 * eye);
      if (dx * dx + dy * dy > 1) zones[y * GRID + x] = ZONE.background;
    }
  }
  const pick = (indices: readonly number[]): Point[] => indices.map((i) => cells[i]!);
  fill(zones, pick(JAW_AND_BROWS), ZONE.skin);
  for (const brow of BROWS) fill(zones, thicken(pick(brow), 0.1 * eye), ZONE.brow);
  for (const [eyelids, ball, lid] of [
    [range(36, 42), ZONE.leftEye, ZONE.leftLid],
    [range(42, 48), ZONE.rightEye, ZONE.rightLid],
  ] as const) {
    const centre = meanOf(cells, eyelids);
    ellipse(zones, centre, 0.36 * eye, 0.28 * eye, lid, 0.13 * eye);
    ellipse(zones, centre, 0.32 * eye, 0.16 * eye, ball);
  }
  fill(zones, grow(pick(OUTER_LIPS), 1.5), ZONE.aroundLips);
  fill(zones, grow(pick(OUTER_LIPS), 1.05), ZONE.lips);
  // A closed mouth has no gap to leave out.
  const gap = cells[66]![1] - cells[62]![1];
  if (gap > 1) fill(zones, pick(INNER_LIPS), ZONE.inner);
  fill(zones, thicken(pick(NOSTRILS), 0.06 * eye), ZONE.inner);
  for (let y = 0; y < GRID; y++) {
    for (let x = 0; x < GRID; x++) {
      const [sx, sy] = applyRegion(region, (x + 0.5) * CELL, (y + 0.5) * CELL);
      if (!(sx >= 0 && sy >= 0 && sx < frame.width && sy < frame.height)) zones[y * GRID + x] = ZONE.outside;
    }
  }
  return zones;
}

/** Fills a polygon by the even-odd rule, cell by cell at the centres. */
function fill(zones: Uint8Array, polygon: readonly Point[], zone: number): void {
  const ys = polygon.map(([, y]) => y);
  const [top, bottom] = [Math.max(0, Math.floor(Math.min(...ys))), Math.min(GRID, Math.ceil(Math.max(...ys)))];
  for (let y = top; y < bottom; y++) {
    const line = y + 0.5;
    const crossings: number[] = [];
    polygon.forEach(([ax, ay], i) => {
      const [bx, by] = polygon[(i + 1) % polygon.length]!;
      if (ay <= line !== by <= line) crossings.push(ax + ((line - ay) / (by - ay)) * (bx - ax));
    });
    crossings.sort((a, b) => a - b);
    for (let k = 0; k + 1 < crossings.length; k += 2) {
      const from = Math.max(0, Math.ceil(crossings[k]! - 0.5));
      const to = Math.min(GRID, Math.ceil(crossings[k + 1]! - 0.5));
      for (let x = from; x < to; x++) zones[y * GRID + x] = zone;
    }
  }
}

/** Fills an ellipse, or the part of it that lies more than `below` under its centre. */
function ellipse(zones: Uint8Array, [cx, cy]: Point, rx: number, ry: number, zone: number, below = -ry): void {
  for (let y = Math.max(0, Math.floor(cy - ry)); y < Math.min(GRID, cy + ry + 1); y++) {
    for (let x = Math.max(0, Math.floor(cx - rx)); x < Math.min(GRID, cx + rx + 1); x++) {
      const dy = y + 0.5 - cy;
      if (dy >= below && ((x + 0.5 - cx) / rx) ** 2 + (dy / ry) ** 2 <= 1) zones[y * GRID + x] = zone;
    }
  }
}

const grow = (polygon: readonly Point[], factor: number): Point[] => {
  const [cx, cy] = meanOf(polygon, range(0, polygon.length));
  return polygon.map(([x, y]): Point => [cx + (x - cx) * factor, cy + (y - cy) * factor]);
};

/** A band of half-height `by` around a line of points. */
const thicken = (line: readonly Point[], by: number): Point[] => [
  ...line.map(([x, y]): Point => [x, y - by]),
  ...[...line].reverse().map(([x, y]): Point => [x, y + by]),
];
