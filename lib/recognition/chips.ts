import { fitSimilarity, meanOf, type Region } from '../image/geometry.js';
import type { Box, Point } from '../types.js';
import { type ChipGeometry, chipRegion } from './template.js';

/** A chip on which five points of the face lie at given places. */
export interface FivePointChip {
  /** Side in pixels. */
  readonly size: number;
  /** Where they lie: centres of the eyes, tip of the nose, corners of the mouth; image-left first. */
  readonly five: readonly Point[];
}

/** A detector's box on a chip, each side stretched to the chip's: nothing is turned. */
export interface BoxChip {
  /** Side in pixels. */
  readonly size: number;
  /** Pixels of the chip that lie outside of the box, on both sides together. */
  readonly margin: number;
}

/** What a recogniser sees of a face. */
export type Chip = ChipGeometry | FivePointChip | BoxChip;

/** Where a face is, as far as that is known. */
export interface FacePlace {
  /** 68 points. */
  readonly landmarks?: readonly Point[] | undefined;
  /** Five points as in `FivePointChip.five`, such as SCRFD gives; from the landmarks when absent. */
  readonly fivePoints?: readonly Point[] | undefined;
  /** Box around the whole face. */
  readonly box?: Box | undefined;
}

/**
 * The places of the five points on the 112 × 112 chips of ArcFace and what followed it (`arcface_dst` in InsightFace's `face_align.py`: J. Deng
 * et al., "ArcFace: Additive Angular Margin Loss for Deep Face Recognition", CVPR 2019).
 */
export const ARCFACE_CHIP: FivePointChip = {
  size: 112,
  five: [
    [38.2946, 51.6963],
    [73.5318, 51.5014],
    [56.0252, 71.7366],
    [41.5493, 92.3655],
    [70.7299, 92.2041],
  ],
};

/** The six points of each eye out of the 68, the tip of the nose and the corners of the mouth. */
const LEFT_EYE = [36, 37, 38, 39, 40, 41];
const RIGHT_EYE = [42, 43, 44, 45, 46, 47];
const NOSE_TIP = 30;
const MOUTH_CORNERS = [48, 54] as const;

/** Centres of the eyes, tip of the nose and corners of the mouth out of the 68 points. */
export function fivePointsOf(landmarks: readonly Point[]): Point[] {
  return [
    meanOf(landmarks, LEFT_EYE),
    meanOf(landmarks, RIGHT_EYE),
    landmarks[NOSE_TIP]!,
    landmarks[MOUTH_CORNERS[0]]!,
    landmarks[MOUTH_CORNERS[1]]!,
  ];
}

/** What a chip is cut by: `landmarks` all 68 points, `five` the five or the 68, `box` the box. */
export function chipNeeds(chip: Chip): 'landmarks' | 'five' | 'box' {
  if ('five' in chip) return 'five';
  return 'margin' in chip ? 'box' : 'landmarks';
}

/** The part of the picture that becomes a chip; absent where the face's place is not known well enough, or is not finite. */
export function chipRegionOf({ landmarks, fivePoints, box }: FacePlace, chip: Chip): Region | undefined {
  let region: Region | undefined;
  if ('five' in chip) {
    const points = fivePoints ?? (landmarks && fivePointsOf(landmarks));
    region = points && fitSimilarity(chip.five, points);
  } else if ('margin' in chip) {
    region = box && boxRegion(box, chip);
  } else {
    region = landmarks && chipRegion(landmarks, chip);
  }
  return region?.every(Number.isFinite) === true ? region : undefined;
}

function boxRegion([x, y, width, height]: Box, { size, margin }: BoxChip): Region {
  const inner = size - margin;
  const [sx, sy] = [width / inner, height / inner];
  return [sx, 0, x - (sx * margin) / 2, 0, sy, y - (sy * margin) / 2];
}
