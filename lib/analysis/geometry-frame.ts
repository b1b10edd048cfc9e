import { boolean, plainObject } from '../errors/validate.js';
import { meanOf } from '../image/geometry.js';
import { checkLandmarks } from '../landmarks/check.js';
import { frontalize } from '../landmarks/frontal.js';
import { mirrorLandmarks } from '../landmarks/mirror.js';
import type { Point, Pose } from '../types.js';

/** How geometry and symmetry are measured. */
export interface MeasureOptions {
  /**
   * Measure the face as a camera straight ahead would see it (see `frontalize`); default true. False measures what the picture
   * shows, where a turned head has a narrow half.
   */
  readonly correctPose?: boolean;
}

/** A face made ready, and its mirror image: measured the same way, they make both halves of a face alike in every digit. */
export interface BothWays {
  /** Points about their centre; x to the picture's right, y down. */
  readonly seen: readonly Point[];
  /** The same of the mirrored landmarks: what is on the left here is the right half of the face. */
  readonly mirrored: readonly Point[];
  /** The orientation that was taken out; absent without correction. */
  readonly pose?: Pose;
}

/** Validates landmarks and options of a measurement. Absent when the points do not span a face. */
export function bothWays(landmarks: readonly Point[], options: MeasureOptions): BothWays | undefined {
  const known = plainObject('options', options, ['correctPose']);
  const correct = known['correctPose'] === undefined ? true : boolean('correctPose', known['correctPose']);
  checkLandmarks('landmarks', landmarks);
  const reversed = mirrorLandmarks(landmarks, 0);
  if (!correct) return { seen: centred(landmarks), mirrored: centred(reversed) };
  const seen = frontalize(landmarks);
  const mirrored = frontalize(reversed);
  return seen && mirrored && { seen: seen.points, mirrored: mirrored.points, pose: seen.pose };
}

function centred(points: readonly Point[]): Point[] {
  const [cx, cy] = meanOf(
    points,
    points.map((_, i) => i),
  );
  return points.map(([x, y]): Point => [x - cx, y - cy]);
}

export const distance = (a: Point, b: Point): number => Math.hypot(a[0] - b[0], a[1] - b[1]);

/** From the outer corner of one eye to that of the other: the unit of lengths. */
export const interOcular = (points: readonly Point[]): number => distance(points[36]!, points[45]!);

/** Length of the line through the points, back to the first where it is closed. */
export function lengthOf(line: readonly Point[], closed: boolean): number {
  let length = 0;
  for (let i = 1; i < line.length; i++) length += distance(line[i - 1]!, line[i]!);
  return closed ? length + distance(line.at(-1)!, line[0]!) : length;
}

/** Area inside a closed line that does not cross itself (Gauss's shoelace formula). */
export function areaOf(line: readonly Point[]): number {
  let twice = 0;
  line.forEach(([x, y], i) => {
    const [u, v] = line[(i + 1) % line.length]!;
    twice += x * v - u * y;
  });
  return Math.abs(twice) / 2;
}

/** By how much the line turns in all, whichever way, in radians. */
export function turningOf(line: readonly Point[], closed: boolean): number {
  const n = line.length;
  let turning = 0;
  for (let i = closed ? 0 : 1; i < (closed ? n : n - 1); i++) {
    const [ax, ay] = line[(i + n - 1) % n]!;
    const [bx, by] = line[i]!;
    const [cx, cy] = line[(i + 1) % n]!;
    const [ux, uy, vx, vy] = [bx - ax, by - ay, cx - bx, cy - by];
    turning += Math.abs(Math.atan2(ux * vy - uy * vx, ux * vx + uy * vy));
  }
  return turning;
}

/** Angle at `vertex` between the directions to `a` and `b`, degrees, 0–180. */
export function angleAt(vertex: Point, a: Point, b: Point): number {
  const [ux, uy, vx, vy] = [a[0] - vertex[0], a[1] - vertex[1], b[0] - vertex[0], b[1] - vertex[1]];
  return (Math.atan2(Math.abs(ux * vy - uy * vx), ux * vx + uy * vy) * 180) / Math.PI;
}
