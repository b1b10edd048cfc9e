import { invalid } from '../../errors/validate.js';
import type { Face } from '../../types.js';

/** What a look is worth, and why. */
export interface LookWeight {
  /** 0–1: product of the factors. */
  readonly weight: number;
  /** 0–1 each; what was not measured is absent and takes nothing away. */
  readonly factors: {
    /** Blur, and grain where there is too much detail for a face. */
    readonly detail?: number;
    readonly size: number;
    readonly exposure?: number;
    readonly pose?: number;
    readonly detection: number;
  };
}

/** What `Engine.analyze` says of a face with `quality` and `pose`. */
export type MeasuredFace = Pick<Face, 'box' | 'score' | 'sharpness' | 'size' | 'exposure' | 'pose'>;

type Knot = readonly [x: number, y: number];

/** Piecewise linear through the knots, constant beyond the ends. */
function ramp(x: number, knots: readonly Knot[]): number {
  const next = knots.findIndex(([at]) => x < at);
  if (next < 0) return knots.at(-1)![1];
  if (next === 0) return knots[0]![1];
  const [x0, y0] = knots[next - 1]!;
  const [x1, y1] = knots[next]!;
  return y0 + ((x - x0) / (x1 - x0)) * (y1 - y0);
}

/** Of log₁₀(detail): blurred below 2.5, a face in focus at 3, grain beyond 4. */
const DETAIL: readonly Knot[] = [
  [1.3, 0.02],
  [1.55, 0.12],
  [1.7, 0.25],
  [1.86, 0.5],
  [2.1, 0.75],
  [2.55, 0.95],
  [3, 1],
  [4, 1],
  [4.6, 0.8],
  [5.1, 0.5],
  [5.6, 0.25],
];
/** Of the shorter side of the box in pixels. */
const SIZE: readonly Knot[] = [
  [12, 0],
  [20, 0.25],
  [28, 0.45],
  [36, 0.62],
  [48, 0.8],
  [80, 0.95],
  [120, 1],
];
/** Of the standard deviation of luma. */
const CONTRAST: readonly Knot[] = [
  [2, 0.1],
  [5, 0.45],
  [12, 0.7],
  [25, 0.95],
  [35, 1],
];
/** Of the share of burnt-out pixels. */
const BURNT: readonly Knot[] = [
  [0.02, 1],
  [0.3, 0.6],
  [0.7, 0.2],
];
/** Of the detector's score. */
const SCORE: readonly Knot[] = [
  [0.3, 0.3],
  [0.6, 0.5],
  [0.75, 0.75],
  [0.82, 0.95],
  [0.87, 1],
];

/**
 * How much a look at a face says about who it is, 0–1, from what is measured of every face in a live picture at no cost to speak of:
 *
 * weight = detail · size · exposure · pose · detection, where
 *
 * - detail: from D = (variance of the Laplacian / variance of luma) · side², the energy of edges in units of the face instead of pixels. Blur
 *   lowers D (a face in focus has some 1000, a Gaussian blur of 2 % of its side leaves 70), grain raises it (from 10 000 on);
 * - size: from the shorter side of the box in pixels, 0.25 at 20, 0.8 at 48, 1 at 120;
 * - exposure: from the contrast (standard deviation of luma, 0.45 at 5, 1 at 35) times the share of burnt-out pixels (0.6 at 0.3);
 * - pose: cos²(yaw) · cos²(pitch); recognition turns faces upright, so roll does not count;
 * - detection: from the detector's score, 0.5 at 0.6, 1 at 0.87.
 *
 * The knots were set on the 22 larger faces of six group photographs and 34 degradations of each (blur, reduction, grain, darkness, glare, flat
 * light, JPEG, turns): the rank correlation (Spearman) of the weight with the cosine to the undegraded face is about 0.8. Throws
 * `INVALID_ARGUMENT` where box or score are no numbers. Pure.
 */
export function lookWeight(face: MeasuredFace): LookWeight {
  const { box, score, sharpness, exposure, pose } = face;
  if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite)) throw invalid('face.box', 'box', box);
  if (!Number.isFinite(score)) throw invalid('face.score', 'number', score);
  const side = face.size ?? Math.min(box[2], box[3]);
  const size = ramp(side, SIZE);
  const detection = ramp(score, SCORE);
  const lit =
    exposure !== undefined && Number.isFinite(exposure.contrast)
      ? ramp(exposure.contrast, CONTRAST) * ramp(exposure.overexposed, BURNT)
      : undefined;
  const detail =
    sharpness !== undefined &&
    exposure !== undefined &&
    Number.isFinite(sharpness) &&
    Number.isFinite(exposure.contrast)
      ? ramp(Math.log10(Math.max(1, (sharpness / Math.max(9, exposure.contrast ** 2)) * side ** 2)), DETAIL)
      : undefined;
  const turned = pose === undefined ? undefined : cosine2(pose.yaw) * cosine2(pose.pitch);
  const facing = turned !== undefined && Number.isFinite(turned) ? turned : undefined;
  return {
    weight: size * detection * (lit ?? 1) * (detail ?? 1) * (facing ?? 1),
    factors: {
      size,
      detection,
      ...(detail === undefined ? {} : { detail }),
      ...(lit === undefined ? {} : { exposure: lit }),
      ...(facing === undefined ? {} : { pose: facing }),
    },
  };
}

const cosine2 = (degrees: number): number => Math.max(0, Math.cos((degrees * Math.PI) / 180)) ** 2;
