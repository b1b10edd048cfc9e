import type { Point } from '../../types.js';
import { FACE_CHIP } from './layout.js';
import type { Values } from './shape.js';
import { CELL, GRID, ZONE } from './zones.js';

/** Means of the cells, and the histogram of luma over the pixels of the face. */
export interface Cells {
  readonly red: Float32Array;
  readonly green: Float32Array;
  readonly blue: Float32Array;
  readonly luma: Float32Array;
  readonly histogram: Uint32Array;
  /** Pixels in the histogram. */
  readonly count: number;
}

/** Luma of BT.601 in integers, as the native kernels have it to within a step. */
const lumaOf = (r: number, g: number, b: number): number => (r * 77 + g * 150 + b * 29 + 128) >> 8;

/** Averages the pixels (RGB, interleaved) of each cell, one pass over the chip. */
export function cellsOf(rgb: Uint8Array, zones: Uint8Array): Cells {
  const make = (): Float32Array => new Float32Array(GRID * GRID);
  const [red, green, blue, luma] = [make(), make(), make(), make()];
  const histogram = new Uint32Array(256);
  let count = 0;
  const row = FACE_CHIP.size * 3;
  for (let cell = 0; cell < GRID * GRID; cell++) {
    const zone = zones[cell]!;
    if (zone === ZONE.outside || zone === ZONE.other) continue;
    let r = 0;
    let g = 0;
    let b = 0;
    const start = Math.floor(cell / GRID) * CELL * row + (cell % GRID) * CELL * 3;
    for (let y = 0; y < CELL; y++) {
      for (let i = start + y * row; i < start + y * row + CELL * 3; i += 3) {
        r += rgb[i]!;
        g += rgb[i + 1]!;
        b += rgb[i + 2]!;
        if (zone !== ZONE.background) {
          const bin = lumaOf(rgb[i]!, rgb[i + 1]!, rgb[i + 2]!);
          histogram[bin] = histogram[bin]! + 1;
          count++;
        }
      }
    }
    const n = CELL * CELL;
    red[cell] = r / n;
    green[cell] = g / n;
    blue[cell] = b / n;
    luma[cell] = (r * 77 + g * 150 + b * 29) / 256 / n;
  }
  return { red, green, blue, luma, histogram, count };
}

/** Least number of pixels and cells of the face that a statement needs. */
const FEWEST_PIXELS = 1000;
const FEWEST_CELLS = 60;

/** Exposure and range of the face, from its histogram of luma. */
export function measureExposure({ histogram, count }: Cells): Values {
  if (count < FEWEST_PIXELS) return {};
  let sum = 0;
  let squares = 0;
  let under = 0;
  let over = 0;
  let entropy = 0;
  histogram.forEach((n, luma) => {
    if (n === 0) return;
    const v = luma / 255;
    sum += n * v;
    squares += n * v * v;
    if (luma <= 25) under += n;
    if (luma >= 247) over += n;
    entropy -= (n / count) * Math.log2(n / count);
  });
  const mean = sum / count;
  return {
    luminanceMean: mean,
    luminanceVariance: Math.max(0, squares / count - mean * mean),
    underExposurePrevention: under / count,
    overExposurePrevention: over / count,
    dynamicRange: Math.abs(entropy),
  };
}

/** How light falls on the face, with the side that is brighter. */
export interface Illumination {
  readonly ratio: number;
  /** Side of the picture from which the light comes. */
  readonly brighter: 'left' | 'right';
}

/** Mean luma of the darker over the brighter half; the halves are parted by the line from the nose's root (27) to the chin (8). */
export function measureIllumination(
  { luma }: Cells,
  zones: Uint8Array,
  points: readonly Point[],
): Illumination | undefined {
  const [ax, ay] = points[27]!;
  const [bx, by] = points[8]!;
  const sums = [0, 0];
  const counts = [0, 0];
  for (let cell = 0; cell < GRID * GRID; cell++) {
    if (zones[cell] !== ZONE.skin) continue;
    const x = ((cell % GRID) + 0.5) * CELL;
    const y = (Math.floor(cell / GRID) + 0.5) * CELL;
    // Beyond its ends the line goes on straight down and up.
    const t = Math.min(1, Math.max(0, (y - ay) / Math.max(1, by - ay)));
    const side = x < ax + t * (bx - ax) ? 0 : 1;
    sums[side]! += luma[cell]!;
    counts[side]! += 1;
  }
  if (Math.min(counts[0]!, counts[1]!) < FEWEST_CELLS / 2) return undefined;
  const left = (sums[0]! + counts[0]!) / counts[0]!;
  const right = (sums[1]! + counts[1]!) / counts[1]!;
  return { ratio: Math.min(left, right) / Math.max(left, right), brighter: left > right ? 'left' : 'right' };
}

/** Whether the face has any colour: grey pictures stay grey in every cell. */
export function isColoured({ red, green, blue }: Cells, zones: Uint8Array): boolean {
  let spread = 0;
  let n = 0;
  for (let cell = 0; cell < GRID * GRID; cell++) {
    if (zones[cell]! < ZONE.skin) continue;
    const r = red[cell]!;
    const g = green[cell]!;
    const b = blue[cell]!;
    spread += Math.max(r, g, b) - Math.min(r, g, b);
    n++;
  }
  return n > 0 && spread / n > 1.5;
}

/** Linear light of each sRGB sample. */
const LINEAR = Float32Array.from({ length: 256 }, (_, v) =>
  v <= 10 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
);

/** CIELAB a* and b* (D65) of an sRGB colour; L* is not wanted. */
function chromaOf(r: number, g: number, b: number): readonly [a: number, b: number] {
  const [lr, lg, lb] = [LINEAR[Math.round(r)]!, LINEAR[Math.round(g)]!, LINEAR[Math.round(b)]!];
  const f = (t: number): number => (t > 216 / 24389 ? Math.cbrt(t) : (t * 24389) / 27 / 116 + 16 / 116);
  const x = f((0.4124 * lr + 0.3576 * lg + 0.1805 * lb) / 0.9505);
  const y = f(0.2126 * lr + 0.7152 * lg + 0.0722 * lb);
  const z = f((0.0193 * lr + 0.1192 * lg + 0.9505 * lb) / 1.089);
  return [500 * (x - y), 200 * (y - z)];
}

/** Distance of the mean skin colour from the range of natural ones, in CIELAB units; the range is OFIQ's. */
export function measureColour({ red, green, blue, luma }: Cells, zones: Uint8Array): Values {
  let a = 0;
  let b = 0;
  let n = 0;
  for (let cell = 0; cell < GRID * GRID; cell++) {
    if (zones[cell] !== ZONE.skin || luma[cell]! < 20 || luma[cell]! > 245) continue;
    const [ca, cb] = chromaOf(red[cell]!, green[cell]!, blue[cell]!);
    a += ca;
    b += cb;
    n++;
  }
  if (n < FEWEST_CELLS) return {};
  a /= n;
  b /= n;
  return { naturalColour: Math.hypot(Math.max(0, 5 - a, a - 25), Math.max(0, 5 - b, b - 35)) };
}

/** Mean step of luma between the neighbours of background cells. */
export function measureBackground({ luma }: Cells, zones: Uint8Array): Values {
  let sum = 0;
  let n = 0;
  for (let y = 1; y + 1 < GRID; y++) {
    for (let x = 1; x + 1 < GRID; x++) {
      const i = y * GRID + x;
      const all =
        zones[i] === ZONE.background &&
        zones[i - 1] === ZONE.background &&
        zones[i + 1] === ZONE.background &&
        zones[i - GRID] === ZONE.background &&
        zones[i + GRID] === ZONE.background;
      if (!all) continue;
      sum += Math.hypot(luma[i + 1]! - luma[i - 1]!, luma[i + GRID]! - luma[i - GRID]!) / 2;
      n++;
    }
  }
  return n < 4 * FEWEST_CELLS ? {} : { backgroundUniformity: sum / n };
}
