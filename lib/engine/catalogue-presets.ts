/** Presets of networks that are fetched on request: see the model catalogue. */
import type { DetectionPlan, DetectorName } from '../detection/plan.js';
import type { LandmarkPlan } from '../landmarks/locate.js';
import type { RecogniserName, RecognitionPlan } from '../recognition/plan.js';
import { PRESETS, type Preset } from './presets.js';

export type CataloguePresetName = 'buffalo_l' | 'buffalo_m' | 'buffalo_s' | 'arcface_r100' | 'adaface' | 'facenet';

/** Size, least score and overlap are InsightFace's own (`FaceAnalysis`: 640 pixels, 0.5, 0.4); its boxes are drawn as those of `ssd`. */
const scrfd = (network: DetectorName): DetectionPlan => ({
  network,
  longSide: 640,
  minScore: 0.5,
  iou: 0.4,
  max: 200,
  faceScale: 1,
});

/** InsightFace's networks look once, at an upright square of 1.5 × the box. */
const landmarks = (network: '2d106' | '3d68'): LandmarkPlan => ({ network, boxScale: 1.5, refine: 0, refineScale: 1 });

/** One network whose numbers have a direction only. */
const direction = (network: RecogniserName): RecognitionPlan => ({
  model: network,
  members: [{ network, unit: false, scale: 1 }],
  constant: 0,
  mirror: false,
});

const { balanced } = PRESETS;

/**
 * Presets by the names that InsightFace gives its packages, and by those of the recognisers. Their networks are no part of the starter pack, but
 * fetched on request: `lineament models download`. Faces of `buffalo_…` and `arcface_r100` are aligned by SCRFD's key points; `adaface` and `facenet`
 * take detection and landmarks from the starter pack, so that one file is enough. No calibration is measured for them: `verify` and
 * `identify` need a `threshold`, or a calibration of your own (`lineament calibrate`).
 */
export const CATALOGUE_PRESETS: Readonly<Record<CataloguePresetName, Preset>> = {
  buffalo_l: {
    name: 'buffalo_l',
    summary: 'InsightFace: SCRFD-10G, ArcFace ResNet-50, 68 points in space, age and gender',
    detection: scrfd('scrfd_10g'),
    landmarks: landmarks('3d68'),
    recognition: direction('arcface_r50'),
    attributeScale: balanced.attributeScale,
    attributes: { ageGender: 'insightface' },
  },
  buffalo_m: {
    name: 'buffalo_m',
    summary: 'InsightFace: SCRFD-2.5G, ArcFace ResNet-50, 68 points in space, age and gender',
    detection: scrfd('scrfd_2.5g'),
    landmarks: landmarks('3d68'),
    recognition: direction('arcface_r50'),
    attributeScale: balanced.attributeScale,
    attributes: { ageGender: 'insightface' },
  },
  buffalo_s: {
    name: 'buffalo_s',
    summary: 'InsightFace: SCRFD-500M, ArcFace MobileFaceNet, 68 of 106 points, age and gender',
    detection: scrfd('scrfd_500m'),
    landmarks: landmarks('2d106'),
    recognition: direction('arcface_mbf'),
    attributeScale: balanced.attributeScale,
    attributes: { ageGender: 'insightface' },
  },
  arcface_r100: {
    name: 'arcface_r100',
    summary: "As buffalo_l with ArcFace ResNet-100, landmarks and attributes by the starter pack's networks",
    detection: scrfd('scrfd_10g'),
    landmarks: balanced.landmarks,
    recognition: direction('arcface_r100'),
    attributeScale: balanced.attributeScale,
  },
  adaface: {
    ...balanced,
    name: 'adaface',
    summary: 'As balanced, recognised by AdaFace IR-101',
    recognition: direction('adaface_ir101'),
  },
  facenet: {
    ...balanced,
    name: 'facenet',
    summary: 'As balanced, recognised by FaceNet (VGGFace2) from the box alone',
    recognition: direction('facenet_vggface2'),
  },
};
