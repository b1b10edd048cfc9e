/**
 * Landmarks seen from the front: the head's turn is solved for on points that expressions hardly move, and undone with the
 * depth of a mean head. What is left is the face's own shape, in which expressions can be measured.
 */
import { invalid } from '../../errors/validate.js';
import { MEAN_HEAD } from '../../landmarks/head.js';
import { LID_COUNT } from '../../landmarks/lids.js';
import { apply, type Matrix3, multiply, rotationAbout, solve } from '../../landmarks/linear.js';
import { PARTS } from '../../landmarks/points.js';
import { anglesOf, rotationOf } from '../../landmarks/pose.js';
import type { Point, Pose } from '../../types.js';

const COUNT = MEAN_HEAD.length;

/**
 * Points that the muscles of expression move least, with their weight in the fit: ends of the jaw line (which slide along
 * the head's outline as it turns), bridge and underside of the nose, corners of the eyes.
 */
const STABLE: readonly (readonly [index: number, weight: number])[] = [
  [0, 0.3],
  [1, 0.3],
  [15, 0.3],
  [16, 0.3],
  [27, 1],
  [28, 1],
  [29, 1],
  [30, 1],
  [32, 0.5],
  [33, 0.7],
  [34, 0.5],
  [36, 1],
  [39, 1],
  [42, 1],
  [45, 1],
];

/** Steps of the fit at most, and the size of a step (radians, relative scale) that is as good as none. */
const MOST_STEPS = 12;
const CONVERGED = 1e-5;

/** The least cosine of the angle between the face's direction and the camera's at which a face is still turned back: 65°. */
const LEAST_COSINE = Math.cos((65 * Math.PI) / 180);

/** x, y of 68 points, one after another, in centimetres of a mean head: x to the picture's right, y up. */
export type Shape = Float64Array;

/** A face turned to the front. */
export interface Frontal {
  readonly shape: Shape;
  /** The shape with the lids that were given in place of its eyes. */
  readonly lids?: Shape;
  /** The turn that was undone. */
  readonly pose: Pose;
  /** Angle between the face's direction and the camera's, radians. */
  readonly tilt: number;
  /** Pixels per centimetre of a mean head. */
  readonly scale: number;
  /** Root mean square distance of the stable points from the fitted head, in centimetres of a mean head. */
  readonly residual: number;
}

/** A pose of three finite angles, or `INVALID_ARGUMENT`. */
export function finitePose(name: string, value: Pose): Pose {
  for (const axis of ['roll', 'yaw', 'pitch'] as const) {
    if (!Number.isFinite(value?.[axis])) throw invalid(`${name}.${axis}`, 'finite number of degrees', value?.[axis]);
  }
  return value;
}

/** x and y of 68 points, one after another; what else the points hold is left out. */
export function toShape(points: readonly (readonly [x: number, y: number, ...rest: number[]])[]): Shape {
  return Float64Array.from({ length: 2 * COUNT }, (_, k) => points[k >> 1]![k % 2 === 0 ? 0 : 1]);
}

/** Shape of the mean head: what the landmark network sees on an average face, the mouth slightly open. */
export const MEAN_SHAPE: Shape = toShape(MEAN_HEAD);

/**
 * Turns a face to the front. Rotation, scale and shift of `model` (its x and y, with the depth of a mean head) are fitted to
 * the stable points under scaled orthography: Gauss-Newton with Huber's weights (P. J. Huber, "Robust estimation of a
 * location parameter", 1964). Where `pose` is given, its rotation is taken as it is and only scale and shift are fitted.
 * Then each point's x and y are solved for, its depth being that of the mean head.
 *
 * @param points 68 finite points in pixels
 * @param lids 12 finite points of the lids, in the order of landmarks 36 to 47; they do not change the turn
 * @returns absent where the points span no face, or the face is turned away by more than 65°
 */
export function frontalise(
  points: readonly Point[],
  model: Shape = MEAN_SHAPE,
  pose?: Pose,
  lids?: readonly Point[],
): Frontal | undefined {
  const fit = fitHead(points, model, pose);
  if (fit === undefined) return undefined;
  const { rotation, scale, tx, ty, residual } = fit;
  const [[a, b, c], [d, e, f], [, , facing]] = rotation;
  const det = a * e - b * d;
  if (!(det >= LEAST_COSINE)) return undefined;
  const turnBack = (shape: Shape, i: number, [x, y]: Point): void => {
    const z = MEAN_HEAD[i]![2];
    const u = (x - tx) / scale - c * z;
    const v = (-y - ty) / scale - f * z;
    shape[2 * i] = (e * u - b * v) / det;
    shape[2 * i + 1] = (a * v - d * u) / det;
  };
  const shape = new Float64Array(COUNT * 2);
  for (let i = 0; i < COUNT; i++) turnBack(shape, i, points[i]!);
  const eyes = lids && shape.slice();
  for (let i = 0; eyes !== undefined && i < LID_COUNT; i++) turnBack(eyes, PARTS.leftEye[0]! + i, lids![i]!);
  return {
    shape,
    ...(eyes && { lids: eyes }),
    pose: anglesOf(rotation),
    tilt: Math.acos(Math.min(1, facing)),
    scale,
    residual,
  };
}

/** A head under scaled orthography: x and y of scale · rotation · point + (tx, ty), in the picture with y up. */
interface HeadFit {
  rotation: Matrix3;
  scale: number;
  tx: number;
  ty: number;
  /** Root mean square distance of the stable points, centimetres of a mean head. */
  residual: number;
}

function fitHead(points: readonly Point[], model: Shape, pose: Pose | undefined): HeadFit | undefined {
  const fit = startFit(points, model);
  if (fit === undefined) return undefined;
  if (pose !== undefined) fit.rotation = rotationOf(pose);
  const weights = Float64Array.from(STABLE, ([, weight]) => weight);
  const errors = new Float64Array(STABLE.length);
  for (let step = 0; step < MOST_STEPS; step++) {
    const size = improve(fit, points, model, weights, pose !== undefined);
    if (size === undefined || !(fit.scale > 0)) return undefined;
    measureErrors(fit, points, model, errors);
    if (size < CONVERGED) break;
    // Not before the fit is near: the start is right only for a face seen from the front.
    if (step >= 2) reweigh(errors, weights);
  }
  let sum = 0;
  for (const error of errors) sum += error * error;
  fit.residual = Math.sqrt(sum / errors.length) / fit.scale;
  return Number.isFinite(fit.residual) ? fit : undefined;
}

/** Roll from the line between the eyes' outer corners, scale from the spread of the points. */
function startFit(points: readonly Point[], model: Shape): HeadFit | undefined {
  const angle = Math.atan2(points[36]![1] - points[45]![1], points[45]![0] - points[36]![0]);
  const n = STABLE.length;
  let [sx, sy, mx, my] = [0, 0, 0, 0];
  for (const [i] of STABLE) {
    sx += points[i]![0] / n;
    sy -= points[i]![1] / n;
    mx += model[2 * i]! / n;
    my += model[2 * i + 1]! / n;
  }
  let [picture, head] = [0, 0];
  for (const [i] of STABLE) {
    picture += (points[i]![0] - sx) ** 2 + (-points[i]![1] - sy) ** 2;
    head += (model[2 * i]! - mx) ** 2 + (model[2 * i + 1]! - my) ** 2;
  }
  const scale = Math.sqrt(picture / head);
  if (!(scale > 1e-9) || !Number.isFinite(scale)) return undefined;
  return { rotation: rotationAbout([0, 0, angle]), scale, tx: sx, ty: sy, residual: 0 };
}

/**
 * One Gauss-Newton step on the weighted stable points, in place; gives its size (radians and relative scale), or nothing
 * where the points do not decide it. Unknowns: change of scale, shift, and small turns about x, y, z in front of the rotation.
 */
function improve(
  fit: HeadFit,
  points: readonly Point[],
  model: Shape,
  weights: Float64Array,
  fixed: boolean,
): number | undefined {
  const { rotation, scale: s } = fit;
  const size = fixed ? 3 : 6;
  const normal = Array.from({ length: size }, () => new Array<number>(size + 1).fill(0));
  const row = new Float64Array(size + 1);
  const add = (weight: number): void => {
    // The upper triangle and the right side; the rest is the triangle's mirror.
    for (let a = 0; a < size; a++) {
      const scaled = weight * row[a]!;
      const into = normal[a]!;
      for (let b = a; b <= size; b++) into[b]! += scaled * row[b]!;
    }
  };
  for (let k = 0; k < STABLE.length; k++) {
    const i = STABLE[k]![0];
    const [x, y, z] = apply(rotation, [model[2 * i]!, model[2 * i + 1]!, MEAN_HEAD[i]![2]]);
    row[0] = x;
    row[1] = 1;
    row[2] = 0;
    if (!fixed) {
      row[3] = 0;
      row[4] = s * z;
      row[5] = -s * y;
    }
    row[size] = points[i]![0] - s * x - fit.tx;
    add(weights[k]!);
    row[0] = y;
    row[1] = 0;
    row[2] = 1;
    if (!fixed) {
      row[3] = -s * z;
      row[4] = 0;
      row[5] = s * x;
    }
    row[size] = -points[i]![1] - s * y - fit.ty;
    add(weights[k]!);
  }
  for (let a = 1; a < size; a++) for (let b = 0; b < a; b++) normal[a]![b] = normal[b]![a]!;
  const step = solve(normal);
  if (step === undefined) return undefined;
  const [ds, dx, dy, wx = 0, wy = 0, wz = 0] = step as [number, number, number, number?, number?, number?];
  fit.scale += ds;
  fit.tx += dx;
  fit.ty += dy;
  if (!fixed) fit.rotation = multiply(rotationAbout([wx, wy, wz]), rotation);
  return Math.abs(wx) + Math.abs(wy) + Math.abs(wz) + (Math.abs(ds) + (Math.abs(dx) + Math.abs(dy)) / 10) / s;
}

/** Distances in the picture between the stable points and the fitted head's. */
function measureErrors(fit: HeadFit, points: readonly Point[], model: Shape, out: Float64Array): void {
  for (let k = 0; k < STABLE.length; k++) {
    const i = STABLE[k]![0];
    const [x, y] = apply(fit.rotation, [model[2 * i]!, model[2 * i + 1]!, MEAN_HEAD[i]![2]]);
    out[k] = Math.hypot(points[i]![0] - fit.scale * x - fit.tx, -points[i]![1] - fit.scale * y - fit.ty);
  }
}

/** Huber's weights: 1 up to one and a half times the median distance, then falling with the distance. */
function reweigh(errors: Float64Array, weights: Float64Array): void {
  const sorted = Float64Array.from(errors).sort();
  const bound = Math.max(1e-9, sorted[sorted.length >> 1]! * 1.5);
  for (let k = 0; k < weights.length; k++) weights[k] = STABLE[k]![1] * Math.min(1, bound / errors[k]!);
}
