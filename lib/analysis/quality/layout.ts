import { meanOf, type Region, squareRegion } from '../../image/geometry.js';
import type { Point } from '../../types.js';

/** Indices into the 68 points (iBUG 300-W); left and right are those of the picture. */
const LEFT_EYE = [36, 37, 38, 39, 40, 41] as const;
const RIGHT_EYE = [42, 43, 44, 45, 46, 47] as const;
const OUTER_LIPS = [48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59] as const;
const CHIN = 8;

/** The few lengths that everything is measured by, in pixels of the picture. */
export interface FaceLayout {
  readonly points: readonly Point[];
  readonly leftEye: Point;
  readonly rightEye: Point;
  /** Middle of the two eyes. */
  readonly eyes: Point;
  readonly mouth: Point;
  /** Distance of the centres of the eyes as it is seen. */
  readonly eyeDistance: number;
  /** From the middle of the eyes to the chin. */
  readonly height: number;
  /** Inter-eye distance of a frontal face of this size: neither a turn nor a nod alone makes it shrink. */
  readonly unit: number;
  /** Angle of the line of the eyes, radians, positive clockwise. */
  readonly angle: number;
}

/** Height over inter-eye distance of a mean frontal head. */
const HEIGHT_PER_EYES = 1.83;

/** Measures the layout of 68 points in picture pixels; absent where they are not finite or do not span a face. */
export function layoutOf(points: readonly Point[]): FaceLayout | undefined {
  if (!points.every((p) => Number.isFinite(p[0]) && Number.isFinite(p[1]))) return undefined;
  const leftEye = meanOf(points, LEFT_EYE);
  const rightEye = meanOf(points, RIGHT_EYE);
  const eyes: Point = [(leftEye[0] + rightEye[0]) / 2, (leftEye[1] + rightEye[1]) / 2];
  const eyeDistance = Math.hypot(rightEye[0] - leftEye[0], rightEye[1] - leftEye[1]);
  const height = Math.hypot(points[CHIN]![0] - eyes[0], points[CHIN]![1] - eyes[1]);
  const unit = Math.max(eyeDistance, height / HEIGHT_PER_EYES);
  if (!(eyeDistance > 0.5 && height > 0.5 && unit < 1e7)) return undefined;
  const angle = Math.atan2(rightEye[1] - leftEye[1], rightEye[0] - leftEye[0]);
  return { points, leftEye, rightEye, eyes, mouth: meanOf(points, OUTER_LIPS), eyeDistance, height, unit, angle };
}

/** Upright colour chip: side, inter-eye distance and height of the eyes in it, in pixels. */
export const FACE_CHIP = { size: 320, eyes: 60, top: 134 } as const;
/**
 * Grey chips in the grain of the picture: side, and the inter-eye distance above which the picture is reduced. Recognisers see
 * some 50 pixels between the eyes: what is finer does not matter to them.
 */
export const DETAIL_CHIP = { size: 128, eyes: 64 } as const;

/** The part of the picture that becomes the upright chip: eyes level, margin of head and background around the face. */
export function faceRegion({ eyes, unit, angle }: FaceLayout): Region {
  const scale = unit / FACE_CHIP.eyes;
  const down = (FACE_CHIP.size / 2 - FACE_CHIP.top) * scale;
  const cx = eyes[0] - Math.sin(angle) * down;
  const cy = eyes[1] + Math.cos(angle) * down;
  return squareRegion(cx, cy, FACE_CHIP.size * scale, FACE_CHIP.size, angle);
}

/**
 * The inner face as the picture has it: not turned, on whole pixels, reduced only where it is larger than the chip. What is
 * sharp in the picture is sharp here.
 */
export function detailRegion(layout: FaceLayout): Region {
  const scale = Math.max(1, layout.unit / DETAIL_CHIP.eyes);
  return pixelRegion(innerCentre(layout), scale);
}

/** The middle of the face pixel by pixel, whatever its size: the grid of a compressed file stays where it is. */
export function nativeRegion(layout: FaceLayout): Region {
  return pixelRegion(innerCentre(layout), 1);
}

/** Middle of the inner face: between eyes and mouth. */
export const innerCentre = ({ eyes, mouth }: FaceLayout): Point => [(eyes[0] + mouth[0]) / 2, (eyes[1] + mouth[1]) / 2];

function pixelRegion([cx, cy]: Point, scale: number): Region {
  const half = (DETAIL_CHIP.size / 2) * scale;
  return [scale, 0, Math.round(cx - half), 0, scale, Math.round(cy - half)];
}

/** Carries points of the picture into a chip; the region is a similarity. */
export function intoChip(region: Region, points: readonly Point[]): Point[] {
  const [a, , c, d, , f] = region;
  const norm = a * a + d * d;
  return points.map(([x, y]): Point => [(a * (x - c) + d * (y - f)) / norm, (a * (y - f) - d * (x - c)) / norm]);
}
