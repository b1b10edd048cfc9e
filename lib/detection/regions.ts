import { type Region, scaledRegion } from '../image/geometry.js';
import type { LongSide, Tiling } from './plan.js';

/** A rectangle of the picture, in its pixels. */
export interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What a network is given: the size of its input and the part of the picture on it. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly region: Region;
}

const upTo = (value: number, multiple: number): number =>
  Math.max(multiple, Math.ceil(value / multiple - 1e-9) * multiple);

/** The input's longer side for a picture of this size. */
export function longSideFor(width: number, height: number, longSide: LongSide): number {
  if (typeof longSide === 'number') return longSide;
  const { scale, least, most } = longSide;
  return Math.min(most, Math.max(least, upTo(Math.max(width, height) * scale, 32)));
}

/**
 * A part of a picture on a network of free input size: its longer side becomes `longSide` pixels, the shorter follows and
 * is padded up to `multiple`. The scale is the same in both directions, and exact.
 */
export function freeLayout({ x, y, width, height }: Part, longSide: number, multiple: number): Layout {
  const scale = Math.max(width, height) / longSide;
  return {
    width: upTo(width / scale, multiple),
    height: upTo(height / scale, multiple),
    region: scaledRegion(x, y, scale),
  };
}

/** A part of a picture on a network of fixed input size: scaled to fit and centred, black around. */
export function fixedLayout(part: Part, size: { readonly width: number; readonly height: number }): Layout {
  const scale = Math.max(part.width / size.width, part.height / size.height);
  const x = part.x + (part.width - size.width * scale) / 2;
  const y = part.y + (part.height - size.height * scale) / 2;
  return { width: size.width, height: size.height, region: scaledRegion(x, y, scale) };
}

/** The parts of a picture, row by row. */
export function tilesOf(width: number, height: number, { columns, rows, overlap }: Tiling): Part[] {
  const w = width / (columns - (columns - 1) * overlap);
  const h = height / (rows - (rows - 1) * overlap);
  const parts: Part[] = [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      parts.push({ x: column * w * (1 - overlap), y: row * h * (1 - overlap), width: w, height: h });
    }
  }
  return parts;
}

/** Whether a box comes nearer than `margin` (share of the part's longer side) to an edge of the part inside the picture. */
export function touchesInnerEdge(
  [x, y, w, h]: readonly [number, number, number, number],
  part: Part,
  picture: { readonly width: number; readonly height: number },
  margin: number,
): boolean {
  const near = margin * Math.max(part.width, part.height);
  const inner = 1e-6 * Math.max(picture.width, picture.height);
  const [right, bottom] = [part.x + part.width, part.y + part.height];
  return (
    (part.x > inner && x < part.x + near) ||
    (part.y > inner && y < part.y + near) ||
    (right < picture.width - inner && x + w > right - near) ||
    (bottom < picture.height - inner && y + h > bottom - near)
  );
}
