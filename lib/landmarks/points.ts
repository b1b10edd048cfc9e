import { boundsOf, meanOf } from '../image/geometry.js';
import type { Box, Point } from '../types.js';

/**
 * Parts of the 68 points by index: Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV workshops 2013. Left and right
 * are those of the picture.
 */
export const PARTS = {
  jaw: range(0, 17),
  leftBrow: range(17, 22),
  rightBrow: range(22, 27),
  noseBridge: range(27, 31),
  nostrils: range(31, 36),
  leftEye: range(36, 42),
  rightEye: range(42, 48),
  outerLips: range(48, 60),
  innerLips: range(60, 68),
} as const;

export const POINT_COUNT = 68;

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Angle of the line from the left to the right eye's centre, radians, positive clockwise in the picture. */
export function eyeAngle(points: readonly Point[]): number {
  const [lx, ly] = meanOf(points, PARTS.leftEye);
  const [rx, ry] = meanOf(points, PARTS.rightEye);
  return Math.atan2(ry - ly, rx - lx);
}

/** Box around the points in a frame turned by `angle`, given by its centre in the picture and its size along the turned axes. */
export function turnedBounds(
  points: readonly Point[],
  angle: number,
): { readonly centre: Point; readonly width: number; readonly height: number } {
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const [x, y, width, height]: Box = boundsOf(points.map(([px, py]): Point => [px * c + py * s, -px * s + py * c]));
  const u = x + width / 2;
  const v = y + height / 2;
  return { centre: [u * c - v * s, u * s + v * c], width, height };
}
