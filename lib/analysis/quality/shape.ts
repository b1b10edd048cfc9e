import type { Box, Point, Pose } from '../../types.js';
import type { QualityName } from './components.js';
import type { FaceLayout } from './layout.js';

/** Native values of some components; what cannot be said is left out. */
export type Values = Partial<Record<QualityName, number>>;

/** Everything that follows from landmarks, pose and the frame: sizes, margins, angles, lids and lips. */
export function measureShape(
  layout: FaceLayout,
  frame: { readonly width: number; readonly height: number },
  pose: Pose | undefined,
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
    eyesOpen: Math.min(gap(points, LEFT_LIDS), gap(points, RIGHT_LIDS)) / height,
    mouthClosed: gap(points, LIPS) / height,
  };
}

/** Pairs of points that lie above each other. */
type Pairs = readonly (readonly [number, number])[];
const LEFT_LIDS: Pairs = [
  [37, 41],
  [38, 40],
];
const RIGHT_LIDS: Pairs = [
  [43, 47],
  [44, 46],
];
const LIPS: Pairs = [
  [61, 67],
  [62, 66],
  [63, 65],
];

const gap = (points: readonly Point[], pairs: Pairs): number =>
  Math.max(...pairs.map(([i, j]) => Math.hypot(points[i]![0] - points[j]![0], points[i]![1] - points[j]![1])));

const area = ([, , w, h]: Box): number => Math.max(0, w) * Math.max(0, h);

/** Area of the largest other box over that of `box`, at most 1; absent where a box has no area. */
export function otherFaces(box: Box, others: readonly Box[]): number | undefined {
  const own = area(box);
  const largest = others.reduce((most, other) => Math.max(most, area(other)), 0);
  return own > 0 && Number.isFinite(own) && Number.isFinite(largest) ? Math.min(1, largest / own) : undefined;
}
