import type { Point } from '../../types.js';
import type { Values } from './shape.js';

/** Grey pixels, one byte each, and which of them are in the picture. */
export interface GreyChip {
  readonly data: Uint8Array;
  readonly size: number;
  /** First and last-but-one column and row that show the picture. */
  readonly inside: { readonly x0: number; readonly y0: number; readonly x1: number; readonly y1: number };
}

/** Variances of the two smoothings that the gradients are compared between: [1 2 1]/4 once, and three times after that. */
const FINE = 0.5;
const COARSE = 2;
/** Share of white noise's variance that the squared gradient (central differences) after each smoothing keeps. */
const FINE_NOISE = 0.1172;
const COARSE_NOISE = 0.01984;
/** Share of the pixels, those with the strongest gradients, that count as edges. */
const EDGES = 0.15;
const FEWEST = 200;

/** A grey chip at the two scales. */
export interface Smoothed {
  readonly fine: Float32Array;
  readonly coarse: Float32Array;
}

/** The chip smoothed to both scales, as `measureDetail` wants it; by itself, so that neither takes long. */
export function smoothDetail({ data, size, inside }: GreyChip): Smoothed {
  const fine = smooth(new Float32Array(data), size, inside, 1);
  return { fine, coarse: smooth(fine, size, inside, 3) };
}

/**
 * Sharpness and noise on a disc of a grey chip.
 *
 * Sharpness is the edge spread: at the strongest edges the energy of the gradient is compared after two known Gaussian
 * smoothings; for an edge blurred by s it is as (s² + σ₂²) : (s² + σ₁²), which gives s whatever the contrast (S. Zhuo and
 * T. Sim, "Defocus map estimation from a single image", Pattern Recognition 44, 2011). Noise is measured by the operator of J.
 * Immerkær ("Fast noise variance estimation", CVIU 64, 1996) where the gradient is below its median; its share is taken out of
 * the energies. Both are absent where the disc holds too few pixels or no edge. Pure; some 40 operations for each pixel.
 */
export function measureDetail(chip: GreyChip, smoothed: Smoothed, [cx, cy]: Point, radius: number): Values {
  const { data, size, inside } = chip;
  const x0 = Math.max(inside.x0 + 5, Math.ceil(cx - radius));
  const x1 = Math.min(inside.x1 - 5, Math.floor(cx + radius));
  const y0 = Math.max(inside.y0 + 5, Math.ceil(cy - radius));
  const y1 = Math.min(inside.y1 - 5, Math.floor(cy + radius));
  if (x1 - x0 < 8 || y1 - y0 < 8) return {};
  const { fine, coarse } = smoothed;
  // Squared gradients inside the disc, fine and coarse, and the answer of Immerkær's operator.
  const count = (x1 - x0) * (y1 - y0);
  const fineEnergy = new Float32Array(count);
  const coarseEnergy = new Float32Array(count);
  const grain = new Float32Array(count);
  let n = 0;
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x < x1; x++) {
      if ((x + 0.5 - cx) ** 2 + (y + 0.5 - cy) ** 2 > radius * radius) continue;
      const i = y * size + x;
      coarseEnergy[n] = ((coarse[i + 1]! - coarse[i - 1]!) ** 2 + (coarse[i + size]! - coarse[i - size]!) ** 2) / 4;
      fineEnergy[n] = ((fine[i + 1]! - fine[i - 1]!) ** 2 + (fine[i + size]! - fine[i - size]!) ** 2) / 4;
      const cross = data[i - 1]! + data[i + 1]! + data[i - size]! + data[i + size]!;
      const corners = data[i - size - 1]! + data[i - size + 1]! + data[i + size - 1]! + data[i + size + 1]!;
      grain[n] = Math.abs(4 * data[i]! - 2 * cross + corners);
      n++;
    }
  }
  if (n < FEWEST) return {};
  const { flat, strong } = quantiles(coarseEnergy, n, 0.5, 1 - EDGES);
  let fineSum = 0;
  let coarseSum = 0;
  let edges = 0;
  let grainSum = 0;
  let flats = 0;
  for (let k = 0; k < n; k++) {
    if (coarseEnergy[k]! >= strong) {
      fineSum += fineEnergy[k]!;
      coarseSum += coarseEnergy[k]!;
      edges++;
    }
    if (coarseEnergy[k]! <= flat) {
      grainSum += grain[k]!;
      flats++;
    }
  }
  const noise = (Math.sqrt(Math.PI / 2) * grainSum) / (6 * Math.max(1, flats));
  const fineMean = fineSum / edges - noise * noise * FINE_NOISE;
  const coarseMean = coarseSum / edges - noise * noise * COARSE_NOISE;
  if (!(coarseMean > 0.05)) return { noise };
  const ratio = Math.min(COARSE / FINE, Math.max(1.02, fineMean / coarseMean));
  return { noise, sharpness: Math.sqrt(Math.max(0, (COARSE - ratio * FINE) / (ratio - 1))) };
}

/** Smoothed by [1 2 1]/4 along rows and columns, `times` times: binomial weights, of variance times / 2. */
function smooth(
  source: Float32Array,
  size: number,
  { x0, y0, x1, y1 }: GreyChip['inside'],
  times: number,
): Float32Array {
  let from = source;
  const buffers = [new Float32Array(source.length), new Float32Array(source.length)] as const;
  for (let pass = 0; pass < 2 * times; pass++) {
    const to = buffers[pass & 1]!;
    // Rows first, then columns; what has no neighbour on one side stays 0 and is within the margin that nobody reads.
    const [step, edge] = (pass & 1) === 0 ? [1, 0] : [size, 1];
    for (let y = y0 + edge; y < y1 - edge; y++) {
      const end = y * size + x1 - 1 + edge;
      for (let i = y * size + x0 + 1 - edge; i < end; i++) {
        to[i] = (from[i - step]! + from[i + step]!) * 0.25 + from[i]! * 0.5;
      }
    }
    from = to;
  }
  return from;
}

/** Two quantiles of non-negative values, to within a fiftieth of a step of their root. */
function quantiles(values: Float32Array, n: number, low: number, high: number): { flat: number; strong: number } {
  const bins = new Uint32Array(8192);
  for (let k = 0; k < n; k++) bins[Math.min(8191, Math.floor(Math.sqrt(values[k]!) * 50))]!++;
  let seen = 0;
  let flat = -1;
  for (let b = 0; b < bins.length; b++) {
    seen += bins[b]!;
    if (flat < 0 && seen >= low * n) flat = ((b + 1) / 50) ** 2;
    if (seen > high * n) return { flat, strong: (b / 50) ** 2 };
  }
  return { flat: Math.max(0, flat), strong: 0 };
}

/**
 * How far the steps across the 8 × 8 grid of JPEG stand out, on a chip of unscaled pixels whose top left one has the
 * coordinates (`left`, `top`) in the picture: mean absolute difference of neighbours across the grid over that within the
 * blocks, less 1 (after Z. Wang, H. Sheikh, A. Bovik, "No-reference perceptual quality assessment of JPEG compressed images",
 * ICIP 2002). Absent where the chip shows too little of the picture. Pure.
 */
export function measureGrid({ data, size, inside }: GreyChip, left: number, top: number): Values {
  const { x0, y0, x1, y1 } = inside;
  if (x1 - x0 < 32 || y1 - y0 < 32) return {};
  let across = 0;
  let crossings = 0;
  let within = 0;
  let neighbours = 0;
  const add = (step: number, on: boolean): void => {
    if (on) {
      across += step;
      crossings++;
    } else {
      within += step;
      neighbours++;
    }
  };
  for (let y = y0; y < y1; y++) {
    for (let x = x0; x + 1 < x1; x++) {
      add(Math.abs(data[y * size + x + 1]! - data[y * size + x]!), ((left + x + 1) & 7) === 0);
    }
  }
  for (let y = y0; y + 1 < y1; y++) {
    const on = ((top + y + 1) & 7) === 0;
    for (let x = x0; x < x1; x++) add(Math.abs(data[(y + 1) * size + x]! - data[y * size + x]!), on);
  }
  // A quarter of a step is below what 8 bits can tell from a flat picture.
  return { compressionArtifacts: Math.max(0, (across / crossings + 0.25) / (within / neighbours + 0.25) - 1) };
}
