import { ARCFACE_CHIP, type Chip } from './chips.js';

/** A recognition network of the starter pack or the catalogue, and the chip that it wants. */
export interface Recogniser {
  /** Id of its card. */
  readonly card: string;
  /** Name of the output; the one of `dims` numbers when absent. */
  readonly output?: string;
  readonly dims: number;
  readonly chip: Chip;
}

/** Side of FaceNet's chips, and the margin around MTCNN's box that facenet-pytorch evaluates it with on LFW. */
const FACENET_CHIP = { size: 160, margin: 14 };

/**
 * The chips of the starter pack's networks are cut a little differently from how the networks' authors cut theirs: padding and position were chosen on
 * degraded photographs (turned, 44–84 px, recompressed), where they lower the equal error rate from 9.3 to 8.7 % and from
 * 8.4 to 7.5 %; the protocol and the figures are in benchmarks/.
 */
export const RECOGNISERS = {
  /** dlib's ResNet: 128 numbers whose Euclidean distance tells faces apart. */
  dlib128: {
    card: 'faceapi_recognition',
    output: 'descriptor',
    dims: 128,
    chip: { size: 150, padding: 0.22, down: -0.015 },
  },
  /** HSE faceres: 1024 numbers whose direction tells faces apart. */
  faceres1024: {
    card: 'human_faceres',
    output: 'descriptor',
    dims: 1024,
    chip: { size: 224, padding: 0.5, down: 0.06 },
  },
  /** InsightFace's ArcFace networks: 512 numbers whose direction tells faces apart. ResNet-50 on WebFace600K (buffalo_l, buffalo_m). */
  arcface_r50: { card: 'insightface_arcface_r50', dims: 512, chip: ARCFACE_CHIP },
  /** MobileFaceNet on WebFace600K (buffalo_s). */
  arcface_mbf: { card: 'insightface_arcface_mbf', dims: 512, chip: ARCFACE_CHIP },
  /** ResNet-100. */
  arcface_r100: { card: 'insightface_arcface_r100', dims: 512, chip: ARCFACE_CHIP },
  /** AdaFace: M. Kim, A. K. Jain and X. Liu, "AdaFace: Quality Adaptive Margin for Face Recognition", CVPR 2022. Wants BGR, as its card says. */
  adaface_ir101: { card: 'adaface_ir101', dims: 512, chip: ARCFACE_CHIP },
  /** FaceNet: F. Schroff et al., CVPR 2015, as Inception-ResNet v1 on VGGFace2; sees the detector's box, not turned. */
  facenet_vggface2: { card: 'facenet_vggface2', dims: 512, chip: FACENET_CHIP },
} as const satisfies Record<string, Recogniser>;

export type RecogniserName = keyof typeof RECOGNISERS;

/** What one network adds to an embedding. */
export interface RecognitionMember {
  readonly network: RecogniserName;
  /** Bring its numbers to length 1 first: for networks whose length says nothing. */
  readonly unit: boolean;
  /** Factor on its numbers, its say in the fusion. */
  readonly scale: number;
}

/**
 * How embeddings are made: plain data. The members' numbers stand one after another, a constant follows, and all is
 * brought to length 1. The constant makes the cosine of two embeddings go with the Euclidean distance of the members'
 * numbers (the larger, the closer), which suits networks that were trained for distances; all similarities are then high.
 */
export interface RecognitionPlan {
  /** Name that goes into `Embedding.model`; one for everything that is comparable, and the name of its calibration. */
  readonly model: string;
  readonly members: readonly RecognitionMember[];
  readonly constant: number;
  /** Take the mean of each network's numbers for the chip and for its mirror image: twice the work. */
  readonly mirror: boolean;
}

/** Length of the embeddings that a plan makes. */
export function embeddingDims(plan: RecognitionPlan): number {
  return plan.members.reduce((sum, { network }) => sum + RECOGNISERS[network].dims, plan.constant === 0 ? 0 : 1);
}
