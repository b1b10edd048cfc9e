import { type Region, scaledRegion } from '../image/geometry.js';
import type { Tiling } from './plan.js';

/** What a network is given: the size of its input and the parts of the picture. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly regions: readonly Region[];
}

const upTo = (value: number, multiple: number): number =>
  Math.max(multiple, Math.ceil(value / multiple - 1e-9) * multiple);

/**
 * Parts of a `width` × `height` picture for a network of free input size: the longer side of each part becomes `longSide`
 * pixels, the shorter follows and is padded up to `multiple`. Scale is the same in both directions, and exact.
 */
export function freeLayout(
  width: number,
  height: number,
  longSide: number,
  multiple: number,
  tiles: Tiling | undefined,
): Layout {
  const parts = partsOf(width, height, tiles);
  const scale = (part: Part): number => Math.max(part.width, part.height) / longSide;
  // Every part has the shape of the picture, so that all fit one batch.
  const first = parts[0]!;
  return {
    width: upTo(first.width / scale(first), multiple),
    height: upTo(first.height / scale(first), multiple),
    regions: parts.map((part) => scaledRegion(part.x, part.y, scale(part))),
  };
}

/** Parts of a picture for a network of fixed input size: scaled to fit and centred, black around. */
export function fixedLayout(
  width: number,
  height: number,
  size: { readonly width: number; readonly height: number },
  tiles: Tiling | undefined,
): Layout {
  return {
    ...size,
    regions: partsOf(width, height, tiles).map((part) => {
      const scale = Math.max(part.width / size.width, part.height / size.height);
      const x = part.x + (part.width - size.width * scale) / 2;
      const y = part.y + (part.height - size.height * scale) / 2;
      return scaledRegion(x, y, scale);
    }),
  };
}

interface Part {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

function partsOf(width: number, height: number, tiles: Tiling | undefined): Part[] {
  const whole = { x: 0, y: 0, width, height };
  if (tiles === undefined) return [whole];
  const { columns, rows, overlap } = tiles;
  const w = width / (columns - (columns - 1) * overlap);
  const h = height / (rows - (rows - 1) * overlap);
  const parts: Part[] = tiles.whole ? [whole] : [];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      parts.push({ x: column * w * (1 - overlap), y: row * h * (1 - overlap), width: w, height: h });
    }
  }
  return parts;
}
