import type { DetectionPlan } from '../detection/plan.js';
import type { LandmarkPlan } from '../landmarks/locate.js';
import type { RecognitionPlan } from '../recognition/plan.js';

/** A named choice of networks and numbers: plain data, to be read, copied and changed. */
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
}

export type PresetName = 'balanced' | 'fast' | 'crowd' | 'accurate';

const SSD: DetectionPlan = { network: 'ssd', longSide: 512, minScore: 0.3, iou: 0.5, max: 200 };
const BLAZE: DetectionPlan = { network: 'blaze', minScore: 0.5, iou: 0.3, max: 100 };
const LANDMARKS: LandmarkPlan = { network: 'standard', boxScale: 1, refine: 1, refineScale: 1.35 };

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  balanced: {
    name: 'balanced',
    summary: 'One look at the whole picture, refined landmarks, 128 numbers',
    detection: SSD,
    fallback: BLAZE,
    landmarks: LANDMARKS,
    recognition: { model: 'dlib128', members: [{ network: 'dlib128', weight: 1 }], mirror: false },
    attributeScale: 1.35,
  },
  fast: {
    name: 'fast',
    summary: 'For webcams and portraits: the quick detector, 128 numbers',
    detection: BLAZE,
    landmarks: LANDMARKS,
    recognition: { model: 'dlib128', members: [{ network: 'dlib128', weight: 1 }], mirror: false },
    attributeScale: 1.35,
  },
  crowd: {
    name: 'crowd',
    summary: 'Groups and small faces: the picture in four overlapping parts',
    detection: { ...SSD, tiles: { columns: 2, rows: 2, overlap: 0.2, whole: true }, minScore: 0.5, contained: 0.7 },
    landmarks: LANDMARKS,
    recognition: { model: 'dlib128', members: [{ network: 'dlib128', weight: 1 }], mirror: false },
    attributeScale: 1.35,
  },
  accurate: {
    name: 'accurate',
    summary: 'Two recognisers fused, each averaged with the mirror image',
    detection: SSD,
    fallback: BLAZE,
    landmarks: LANDMARKS,
    recognition: {
      model: 'dlib128+faceres1024',
      members: [
        { network: 'dlib128', weight: 0.5 },
        { network: 'faceres1024', weight: 0.5 },
      ],
      mirror: true,
    },
    attributeScale: 1.35,
  },
};
