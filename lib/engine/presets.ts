import type { AttributePlan } from '../attributes/attributes.js';
import type { DetectionPlan } from '../detection/plan.js';
import type { LandmarkPlan } from '../landmarks/locate.js';
import type { RecognitionPlan } from '../recognition/plan.js';

/**
 * A named choice of networks and numbers: plain data, to be read, copied and changed. The figures beside the choices were
 * measured on the photographs of `../shared/faces` by the programs in benchmarks/; equal error rates are of pairs of faces.
 */
export interface Preset {
  readonly name: string;
  readonly summary: string;
  readonly detection: DetectionPlan;
  /** Runs where `detection` finds nothing. */
  readonly fallback?: DetectionPlan;
  readonly landmarks: LandmarkPlan;
  readonly recognition: RecognitionPlan;
  /** Side of the upright square that the attribute networks see, over the longer extent of the landmarks. */
  readonly attributeScale: number;
  /** Which networks tell expression, age and gender; those of the starter pack when absent. */
  readonly attributes?: AttributePlan;
}

export type PresetName = 'balanced' | 'fast' | 'crowd' | 'accurate';

/**
 * 98 of the 99 faces of `groups.json` (13 group photographs) and 72 of 72 on photographs of single persons, none false.
 * Without the second look at weak boxes: the same faces and two false ones; with a fixed limit of 0.5, 93 of the 99. Of
 * 233 degraded pictures of 640×480, 229 keep their face with 416 as with 512 pixels (448: 230, 384: 226).
 */
const SSD: DetectionPlan = {
  network: 'ssd',
  longSide: { scale: 0.65, least: 416, most: 640 },
  minScore: 0.2,
  doubt: { below: 0.5, minPresence: 0.05 },
  iou: 0.4,
  contained: 0.7,
  max: 200,
  faceScale: 1,
};

/** Also the four corners of the picture, each as closely: all 99 faces, none false. */
const TILED: DetectionPlan = {
  ...SSD,
  longSide: { scale: 0.65, least: 512, most: 640 },
  tiles: { columns: 2, rows: 2, overlap: 0.35, longSide: 512, margin: 0.02 },
  minScore: 0.3,
};

/** 71 of 72 on photographs of single persons, none false; misses small faces: 77 of the 99, 18 boxes misplaced. */
const BLAZE: DetectionPlan = { network: 'blaze', minScore: 0.5, iou: 0.3, max: 100, faceScale: 1.3 };

/** One refinement lowers the median landmark error from 5.1 to 2.8 % of the distance between the eyes; a second does nothing. */
const LANDMARKS: LandmarkPlan = { network: 'standard', refine: 1, refineScale: 1.45 };

/** 128 numbers alone: equal error rate 8.7 % on degraded pairs, 2.1 % on clean ones. */
const DLIB: RecognitionPlan = {
  model: 'dlib128',
  members: [{ network: 'dlib128', unit: false, scale: 1 }],
  constant: 2,
  mirror: false,
};

/** Both networks: about 5.5 % on degraded pairs (face-api's own crop: 22.8 %), 2 % on clean ones. */
const FUSION: RecognitionPlan = {
  model: 'dlib128+faceres1024',
  members: [
    { network: 'dlib128', unit: false, scale: Math.SQRT2 },
    { network: 'faceres1024', unit: true, scale: 1 },
  ],
  constant: 4,
  mirror: false,
};

const ATTRIBUTE_SCALE = 1.35;

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  balanced: {
    name: 'balanced',
    summary: 'One look at the whole picture, refined landmarks, two recognisers fused',
    detection: SSD,
    fallback: BLAZE,
    landmarks: LANDMARKS,
    recognition: FUSION,
    attributeScale: ATTRIBUTE_SCALE,
  },
  fast: {
    name: 'fast',
    summary: 'Webcams and portraits: the quick detector and one recogniser',
    detection: BLAZE,
    landmarks: LANDMARKS,
    recognition: DLIB,
    attributeScale: ATTRIBUTE_SCALE,
  },
  crowd: {
    name: 'crowd',
    summary: 'Groups and small faces: the whole picture and four overlapping parts of it',
    detection: TILED,
    fallback: BLAZE,
    landmarks: LANDMARKS,
    recognition: FUSION,
    attributeScale: ATTRIBUTE_SCALE,
  },
  accurate: {
    name: 'accurate',
    summary: 'As crowd, and each recogniser averaged with the mirror image',
    detection: TILED,
    fallback: BLAZE,
    landmarks: LANDMARKS,
    recognition: { ...FUSION, model: 'dlib128+faceres1024+mirror', mirror: true },
    attributeScale: ATTRIBUTE_SCALE,
  },
};
