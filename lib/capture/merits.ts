import type { AnalyzedFace } from '../engine/index.js';
import type { Exposure, Pose } from '../types.js';
import type { FrameMerit } from './types.js';

/** How much each merit weighs in the mean. */
export const MERIT_WEIGHTS: Readonly<Record<FrameMerit['name'], number>> = {
  sharpness: 3,
  pose: 2,
  eyes: 2,
  size: 1.5,
  exposure: 1.5,
  detection: 1,
};

/** What cannot be measured counts as this: better than a fault that is seen, worse than a merit that is. */
const UNKNOWN = 0.3;
/** No single fault is the end: two frames with closed eyes still differ by the rest. */
const LEAST = 0.01;

/** How good a face is for being looked at and recognised: what was measured, each with its score, and the weighted geometric mean. */
export interface FaceMerits {
  readonly score: number;
  readonly merits: readonly FrameMerit[];
}

const clamp = (v: number): number => Math.min(1, Math.max(0, v));
const rise = (v: number, from: number, to: number): number => clamp((v - from) / (to - from));

/**
 * Rates a face that was analysed with `quality` and `pose`.
 *
 * - `sharpness`: radius of the blur in pixels as the quality component measures it (0 at 4 px, 1 at 1 px); the variance of the Laplacian
 *   where the face is too small for that.
 * - `exposure`: mean luma of the face (best from 90 to 170 of 255) and the share of clipped pixels.
 * - `size`: shorter side of the box in pixels, 0 at 32, 1 from 160.
 * - `pose`: degrees from looking straight ahead (yaw, pitch, and roll by half), 0 from 60.
 * - `eyes`: the quality component `eyesOpen`.
 * - `detection`: the detector's confidence.
 *
 * What could not be measured has no merit and counts as 0.3 in the mean. Pure function.
 */
export function rateFace(face: AnalyzedFace): FaceMerits {
  const merits = [
    sharpnessOf(face),
    face.exposure && exposureOf(face.exposure),
    sizeOf(face),
    face.pose && poseOf(face.pose),
    eyesOf(face),
    { name: 'detection', value: face.score, score: clamp(face.score) } as const,
  ].filter((merit): merit is FrameMerit => merit !== undefined && Number.isFinite(merit.score));
  return { score: joined(merits), merits };
}

function joined(merits: readonly FrameMerit[]): number {
  let sum = 0;
  let weights = 0;
  for (const [name, weight] of Object.entries(MERIT_WEIGHTS)) {
    const score = merits.find((merit) => merit.name === name)?.score ?? UNKNOWN;
    sum += weight * Math.log(Math.max(LEAST, score));
    weights += weight;
  }
  return Math.exp(sum / weights);
}

function sharpnessOf({ quality, sharpness }: AnalyzedFace): FrameMerit | undefined {
  const blur = quality?.components.sharpness;
  if (blur !== undefined) return { name: 'sharpness', value: blur.value, score: clamp(blur.score / 100) };
  if (sharpness === undefined) return undefined;
  return { name: 'sharpness', value: sharpness, score: sharpness / (sharpness + 150) };
}

function exposureOf({ mean, underexposed, overexposed }: Exposure): FrameMerit {
  const level = Math.min(rise(mean, 30, 90), 1 - rise(mean, 170, 240));
  return { name: 'exposure', value: mean, score: level * (1 - clamp(2 * (underexposed + overexposed))) };
}

function sizeOf({ box }: AnalyzedFace): FrameMerit {
  const value = Math.min(box[2], box[3]);
  return { name: 'size', value, score: rise(value, 32, 160) };
}

function poseOf({ yaw, pitch, roll }: Pose): FrameMerit {
  const value = Math.hypot(yaw, pitch, roll / 2);
  return { name: 'pose', value, score: value >= 60 ? 0 : Math.cos((value / 60) * (Math.PI / 2)) };
}

function eyesOf({ quality }: AnalyzedFace): FrameMerit | undefined {
  const eyes = quality?.components.eyesOpen;
  return eyes && { name: 'eyes', value: eyes.value, score: clamp(eyes.score / 100) };
}
