import { assumedCamera, type CameraIntrinsics } from '../../../lib/landmarks/camera.js';
import { type HeadPose, headRotation, projectHead } from '../../../lib/landmarks/head-pose.js';
import { fromForward, multiply, unit } from '../../../lib/landmarks/linear.js';
import type { Point, Pose } from '../../../lib/types.js';
import { normal } from '../../support/random.js';

export const SIZE = { width: 1280, height: 720 } as const;

export type Truth = Pose & Pick<HeadPose, 'rotation' | 'translation' | 'intrinsics'>;

/** A head at a place in centimetres, seen with these angles along the line of sight. */
export function headAt(
  angles: Pose,
  translation: HeadPose['translation'],
  intrinsics: CameraIntrinsics = assumedCamera(SIZE.width, SIZE.height),
): Truth {
  const rotation = multiply(fromForward(unit(translation)), headRotation(angles));
  return { ...angles, rotation, translation, intrinsics };
}

/** A head somewhere in the picture, some 100 to 320 px wide: yaw ±60°, pitch ±30°, roll ±45°. */
export function randomHead(next: () => number, intrinsics?: CameraIntrinsics): Truth {
  const within = (limit: number): number => (2 * next() - 1) * limit;
  const distance = 60 + 120 * next();
  return headAt(
    { yaw: within(60), pitch: within(30), roll: within(45) },
    [within(0.35) * distance, within(0.18) * distance, distance],
    intrinsics,
  );
}

/** Its 68 points in the picture, each coordinate off by a normal deviate of `sigma` pixels. */
export function seen(truth: Truth, next: () => number = () => 0.5, sigma = 0): Point[] {
  return projectHead(truth).map((p): Point => {
    if (p === undefined) throw new Error('a point is behind the camera');
    return sigma === 0 ? p : [p[0] + sigma * normal(next), p[1] + sigma * normal(next)];
  });
}

/** The largest difference of an angle, degrees. */
export function angleError(a: Pose, b: Pose): number {
  const apart = (u: number, v: number): number => Math.abs(((((u - v) % 360) + 540) % 360) - 180);
  return Math.max(apart(a.yaw, b.yaw), apart(a.pitch, b.pitch), apart(a.roll, b.roll));
}

export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}
