import type { Point, Pose } from '../types.js';
import { MEAN_HEAD } from './head.js';
import { add, apply, cross, dot, type Matrix3, multiply, rotationAbout, solve, unit, type Vector } from './linear.js';

/** A head seen under scaled orthography. */
export interface OrthographicFit {
  /** From the model's axes to the camera's: x to the picture's right, y up, z towards the camera. */
  readonly rotation: Matrix3;
  /** Pixels in the picture for a unit of the model. */
  readonly scale: number;
  /** Where the model's centre, the mean of its points, lies in the picture. */
  readonly centre: Point;
  /** The model's points from their mean. */
  readonly model: readonly Vector[];
}

const MEAN_HEAD_CENTRED = centredModel(MEAN_HEAD);

function centredModel(model: readonly Vector[]): readonly Vector[] {
  const [mx, my, mz] = [0, 1, 2].map((k) => mean(model.map((p) => p[k]!))) as [number, number, number];
  return model.map(([x, y, z]): Vector => [x - mx, y - my, z - mz]);
}

/**
 * Head orientation from 68 landmarks under scaled orthography: the affine camera that fits a mean head best, made a
 * rotation, then refined over rotation, scale and shift by Gauss-Newton (the starting point is that of DeMenthon & Davis,
 * "Model-based object pose in 25 lines of code", IJCV 1995). Angles as `Pose` says, of the head as it is seen along the line
 * of sight. It is an estimate: a mean head stands for the person's, and brows, mouth and chin move; expect an error of some
 * 3°, more beyond 45°. `solveHeadPose` adds the camera, the distance, robustness and a measure of its own error.
 * Absent when the points do not span a face. Pure function.
 */
export function estimatePose(landmarks: readonly Point[]): Pose | undefined {
  const fit = fitOrthographic(landmarks);
  return fit === undefined ? undefined : anglesOf(fit.rotation);
}

/**
 * The scaled-orthographic camera that sees the model's points nearest to the landmarks (least squares, run to convergence, so
 * that turning, scaling and moving the landmarks turns, scales and moves the fit). Absent when the numbers differ or the
 * points do not span a face.
 */
export function fitOrthographic(
  landmarks: readonly Point[],
  ofModel: readonly Vector[] = MEAN_HEAD,
): OrthographicFit | undefined {
  if (landmarks.length !== ofModel.length) return undefined;
  const model = ofModel === MEAN_HEAD ? MEAN_HEAD_CENTRED : centredModel(ofModel);
  const centre: Point = [mean(landmarks.map((p) => p[0])), mean(landmarks.map((p) => p[1]))];
  // The picture with y up, centred as the model is, and of size 1, so that nothing below depends on the unit.
  const size = Math.sqrt(mean(landmarks.map((p) => (p[0] - centre[0]) ** 2 + (p[1] - centre[1]) ** 2)));
  if (!(size > 0) || !Number.isFinite(size)) return undefined;
  const px = landmarks.map((p) => (p[0] - centre[0]) / size);
  const py = landmarks.map((p) => (centre[1] - p[1]) / size);
  const i = solveLeastSquares(model, px);
  const j = solveLeastSquares(model, py);
  // A view of a face, however turned, has two directions of like scale; points on a line have one.
  if (i === undefined || j === undefined || !(leastStretch(i, j) > 0.05)) return undefined;
  let scale = Math.sqrt(Math.hypot(...i) * Math.hypot(...j));
  let rotation = orthonormal(i, j);
  for (let round = 0; round < 40; round++) {
    const step = refinement(rotation, scale, model, px, py);
    if (step === undefined) return undefined;
    const [wx, wy, wz, ds] = step;
    rotation = multiply(rotationAbout([wx, wy, wz]), rotation);
    scale += ds;
    if (Math.hypot(wx, wy, wz, ds / scale) < 1e-13) break;
  }
  const sound = scale > 0 && Number.isFinite(scale * size) && rotation.flat().every(Number.isFinite);
  return sound ? { rotation, scale: scale * size, centre, model } : undefined;
}

/**
 * Angles of a rotation between frames with x to the picture's right, y up, z towards the camera:
 * R = Ry(yaw) · Rx(−pitch) · Rz(−roll). Yaw and pitch are where the face looks, roll is the turn about that direction.
 */
export function anglesOf([r0, r1, r2]: Matrix3): Pose {
  const degrees = 180 / Math.PI;
  // The face looks along +z of the model; in the camera that direction is the third column.
  const yaw = Math.atan2(r0[2], r2[2]) * degrees;
  const pitch = Math.asin(Math.max(-1, Math.min(1, r1[2]))) * degrees;
  const roll = Math.atan2(-r1[0], r1[1]) * degrees;
  return { roll, yaw, pitch };
}

/** The rotation that {@link anglesOf} takes apart. */
export function rotationOf({ roll, yaw, pitch }: Pose): Matrix3 {
  const radians = Math.PI / 180;
  const about = (x: number, y: number, z: number): Matrix3 => rotationAbout([x * radians, y * radians, z * radians]);
  return multiply(about(0, yaw, 0), multiply(about(-pitch, 0, 0), about(0, 0, -roll)));
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

/** Smaller over larger singular value of the two rows. */
function leastStretch(i: Vector, j: Vector): number {
  const [ii, jj, ij] = [dot(i, i), dot(j, j), dot(i, j)];
  const middle = (ii + jj) / 2;
  const spread = Math.hypot((ii - jj) / 2, ij);
  return Math.sqrt(Math.max(0, middle - spread) / (middle + spread));
}

/** The rotation whose first two rows are nearest to `i` and `j` when both may give way equally. */
function orthonormal(i: Vector, j: Vector): Matrix3 {
  const a = unit(i);
  const b = unit(j);
  const sum = unit(add(a, b));
  const difference = unit([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
  const h = Math.SQRT1_2;
  const first: Vector = [h * (sum[0] + difference[0]), h * (sum[1] + difference[1]), h * (sum[2] + difference[2])];
  const second: Vector = [h * (sum[0] - difference[0]), h * (sum[1] - difference[1]), h * (sum[2] - difference[2])];
  return [first, second, cross(first, second)];
}

/** The Gauss-Newton step for scale·(R·X) against the image: small turns about x, y, z in front of R, and the scale's change. */
function refinement(
  rotation: Matrix3,
  scale: number,
  model: readonly Vector[],
  px: readonly number[],
  py: readonly number[],
): [number, number, number, number] | undefined {
  const normal = Array.from({ length: 4 }, () => [0, 0, 0, 0, 0]);
  model.forEach((point, k) => {
    const [x, y, z] = apply(rotation, point);
    const rows: [number[], number][] = [
      [[0, scale * z, -scale * y, x], px[k]! - scale * x],
      [[-scale * z, 0, scale * x, y], py[k]! - scale * y],
    ];
    for (const [row, rest] of rows) {
      for (let a = 0; a < 4; a++) {
        for (let b = 0; b < 4; b++) normal[a]![b]! += row[a]! * row[b]!;
        normal[a]![4]! += row[a]! * rest;
      }
    }
  });
  return solve(normal) as [number, number, number, number] | undefined;
}

function solveLeastSquares(model: readonly Vector[], values: readonly number[]): Vector | undefined {
  const normal = Array.from({ length: 3 }, () => [0, 0, 0, 0]);
  model.forEach((row, k) => {
    for (let a = 0; a < 3; a++) {
      for (let b = 0; b < 3; b++) normal[a]![b]! += row[a]! * row[b]!;
      normal[a]![3]! += row[a]! * values[k]!;
    }
  });
  return solve(normal) as Vector | undefined;
}
