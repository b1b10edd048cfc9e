/** Aspect ratios of eyes and mouth: how far they are open, in a number without a unit. */
import { checkLandmarks } from '../../landmarks/check.js';
import { LID_COUNT } from '../../landmarks/lids.js';
import { PARTS } from '../../landmarks/points.js';
import type { Point } from '../../types.js';
import type { Shape } from './shape.js';

/** Left and right are those of the picture. */
export type FaceSide = 'left' | 'right';

/** The six points of an eye in the order of Soukupová & Čech: corner, two of the upper lid, corner, two of the lower lid. */
const EYES: Readonly<Record<FaceSide, readonly number[]>> = {
  left: [36, 37, 38, 39, 40, 41],
  right: [42, 43, 44, 45, 46, 47],
};

/**
 * Eye aspect ratio: (|p2 − p6| + |p3 − p5|) / (2 |p1 − p4|), about 0.3 for an open eye and below 0.15 for a closed one
 * (T. Soukupová and J. Čech, "Real-time eye blink detection using facial landmarks", CVWW 2016). No unit; the same under
 * rotation, scale and shift of the picture, but not under a turn of the head: the trackers use points turned to the front.
 *
 * @param landmarks 68 points in pixels; those of the starter pack's network have nearly open lids on closed eyes
 * @param lids 12 points of the lids that are used instead (`locateLids`): about 0.28 for an open eye, 0.03 to 0.15 for a closed one
 * @returns 0 or more; absent where the eye's corners coincide
 * @throws LineamentError INVALID_ARGUMENT for anything but 68 finite points, or 12 for the lids
 */
export function eyeAspectRatio(
  landmarks: readonly Point[],
  side: FaceSide,
  lids?: readonly Point[],
): number | undefined {
  const points = checkLandmarks('landmarks', landmarks);
  if (lids === undefined) return earOf(points, side);
  const eyes = checkLandmarks('lids', lids, LID_COUNT);
  return earOf([...points.slice(0, PARTS.leftEye[0]!), ...eyes], side);
}

/**
 * Mouth aspect ratio: mean height of the opening between the lips (three pairs of inner points) over the width between the
 * mouth's inner corners. About 0.05–0.1 for a closed mouth, 0.2–0.5 in speech, beyond 0.6 in a yawn. No unit; the same
 * under rotation, scale and shift of the picture.
 *
 * @param landmarks 68 points in pixels
 * @returns 0 or more; absent where the mouth's corners coincide
 * @throws LineamentError INVALID_ARGUMENT for anything but 68 finite points
 */
export function mouthAspectRatio(landmarks: readonly Point[]): number | undefined {
  return marOf(checkLandmarks('landmarks', landmarks));
}

const between = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

function earOf(points: readonly Point[], side: FaceSide): number | undefined {
  const [p1, p2, p3, p4, p5, p6] = EYES[side].map((i) => points[i]!) as [Point, Point, Point, Point, Point, Point];
  const width = between(p1, p4);
  return width > 0 ? (between(p2, p6) + between(p3, p5)) / (2 * width) : undefined;
}

function marOf(points: readonly Point[]): number | undefined {
  const width = between(points[60]!, points[64]!);
  const height =
    between(points[61]!, points[67]!) + between(points[62]!, points[66]!) + between(points[63]!, points[65]!);
  return width > 0 ? height / (3 * width) : undefined;
}

const span = (s: Shape, a: number, b: number): number =>
  Math.hypot(s[2 * a]! - s[2 * b]!, s[2 * a + 1]! - s[2 * b + 1]!);

/** Eye aspect ratio of a shape. */
export function shapeEar(shape: Shape, side: FaceSide): number {
  const [p1, p2, p3, p4, p5, p6] = EYES[side] as [number, number, number, number, number, number];
  return (span(shape, p2, p6) + span(shape, p3, p5)) / Math.max(1e-9, 2 * span(shape, p1, p4));
}

/** Mean height of the opening between the lips, centimetres of a mean head. */
export function lipGap(shape: Shape): number {
  return (span(shape, 61, 67) + span(shape, 62, 66) + span(shape, 63, 65)) / 3;
}

/** Mouth aspect ratio of a shape. */
export function shapeMar(shape: Shape): number {
  return lipGap(shape) / Math.max(1e-9, span(shape, 60, 64));
}
