import { PARTS } from '../../landmarks/points.js';
import type { Box, Point, Pose } from '../../types.js';
import { measureActionUnits } from '../expression/measure.js';
import { ACTION_UNIT_INFO, ACTION_UNITS } from '../expression/units.js';
import type { QualityName } from './components.js';
import type { FaceLayout } from './layout.js';

/** Native values of some components; what cannot be said is left out. */
export type Values = Partial<Record<QualityName, number>>;

/** Everything that follows from landmarks, lids, pose and the frame: sizes, margins, angles, lids and lips. */
export function measureShape(
  layout: FaceLayout,
  frame: { readonly width: number; readonly height: number },
  pose: Pose | undefined,
  lids?: readonly Point[],
): Values {
  const { eyes, eyeDistance, height, points } = layout;
  const turned = pose === undefined ? 1 : Math.max(0.25, Math.cos((pose.yaw * Math.PI) / 180));
  const distance = eyeDistance / turned;
  return {
    interEyeDistance: distance,
    headSize: height / frame.height,
    leftwardCrop: eyes[0] / distance,
    rightwardCrop: (frame.width - eyes[0]) / distance,
    marginAbove: eyes[1] / distance,
    marginBelow: (frame.height - eyes[1]) / distance,
    ...(pose === undefined ? {} : { headPoseYaw: pose.yaw, headPosePitch: pose.pitch, headPoseRoll: pose.roll }),
    eyesOpen: opening(lids ?? points.slice(PARTS.leftEye[0], PARTS.rightEye.at(-1)! + 1)) / height,
    mouthClosed: gap(points, LIPS) / height,
  };
}

/** Pairs of points that lie above each other. */
type Pairs = readonly (readonly [number, number])[];
const LEFT_LIDS: Pairs = [
  [1, 5],
  [2, 4],
];
const RIGHT_LIDS: Pairs = [
  [7, 11],
  [8, 10],
];
const LIPS: Pairs = [
  [61, 67],
  [62, 66],
  [63, 65],
];

const gap = (points: readonly Point[], pairs: Pairs): number =>
  Math.max(...pairs.map(([i, j]) => Math.hypot(points[i]![0] - points[j]![0], points[i]![1] - points[j]![1])));

/** Opening of the eye that is less open, in pixels, from 12 points. */
const opening = (lids: readonly Point[]): number => Math.min(gap(lids, LEFT_LIDS), gap(lids, RIGHT_LIDS));

/** Units whose intensity is measured, not hinted at. */
const MEASURED = ACTION_UNITS.filter((unit) => ACTION_UNIT_INFO[unit].reliability !== 'weak');
/** Summed intensity by which neutrality falls to 1/e: a plain smile. */
const PLAIN = 4;

/**
 * How neutral a face is by its action units against the mean neutral face, 0–1; it falls as any of them grows. Absent where the face is
 * turned too far away. On 108 faces of photographs it parts those that the expression network calls neutral (more than 0.8)
 * from the others (less than 0.2) with an area under the curve of 0.87.
 */
export function measureNeutrality(points: readonly Point[], lids?: readonly Point[]): number | undefined {
  const units = measureActionUnits(points, { lids });
  if (units === undefined) return undefined;
  const shown = MEASURED.reduce((sum, unit) => sum + units.intensity[unit], 0);
  return Math.exp(-shown / PLAIN);
}

const area = ([, , w, h]: Box): number => Math.max(0, w) * Math.max(0, h);

/** Area of the largest other box over that of `box`, at most 1; absent where a box has no area. */
export function otherFaces(box: Box, others: readonly Box[]): number | undefined {
  const own = area(box);
  const largest = others.reduce((most, other) => Math.max(most, area(other)), 0);
  return own > 0 && Number.isFinite(own) && Number.isFinite(largest) ? Math.min(1, largest / own) : undefined;
}
