import type { Point, Pose } from '../types.js';
import { MEAN_HEAD } from './head.js';

type Vector = readonly [number, number, number];

const MODEL = centreModel();

function centreModel(): readonly Vector[] {
  const mean = (k: 0 | 1 | 2): number => MEAN_HEAD.reduce((sum, p) => sum + p[k], 0) / MEAN_HEAD.length;
  const [mx, my, mz] = [mean(0), mean(1), mean(2)];
  return MEAN_HEAD.map(([x, y, z]): Vector => [x - mx, y - my, z - mz]);
}

/**
 * Head orientation from 68 landmarks under scaled orthography: the affine camera that fits a mean head best, made a
 * rotation, then refined over rotation, scale and shift by Gauss-Newton (the starting point is that of DeMenthon & Davis,
 * "Model-based object pose in 25 lines of code", IJCV 1995). Angles as `Pose` says. It is an estimate: a mean head stands
 * for the person's, and brows, mouth and chin move; expect an error of some 3°, more beyond 45°.
 * Absent when the points do not span a face. Pure function.
 */
export function estimatePose(landmarks: readonly Point[]): Pose | undefined {
  if (landmarks.length !== MODEL.length) return undefined;
  // The picture with y up and centred, as the model is.
  const model = MODEL;
  const px = centred(landmarks.map((p) => p[0]));
  const py = centred(landmarks.map((p) => -p[1]));
  const i = solveLeastSquares(model, px);
  const j = solveLeastSquares(model, py);
  if (i === undefined || j === undefined) return undefined;
  let scale = Math.sqrt(Math.hypot(...i) * Math.hypot(...j));
  if (!(scale > 1e-9)) return undefined;
  let rotation = orthonormal(i, j);
  for (let step = 0; step < 8; step++) ({ rotation, scale } = refine(rotation, scale, model, px, py));
  const [r0, r1, r2] = rotation;
  if (!rotation.flat().every(Number.isFinite)) return undefined;
  const degrees = 180 / Math.PI;
  // The face looks along +z of the model; in the camera that direction is the third column.
  const yaw = Math.atan2(r0[2], r2[2]) * degrees;
  const pitch = Math.asin(Math.max(-1, Math.min(1, r1[2]))) * degrees;
  const roll = Math.atan2(-r1[0], r1[1]) * degrees;
  return { roll, yaw, pitch };
}

function centred(values: readonly number[]): number[] {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return values.map((v) => v - mean);
}

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];
const unit = (a: Vector): Vector => {
  const length = Math.hypot(...a);
  return [a[0] / length, a[1] / length, a[2] / length];
};

type Rotation = readonly [Vector, Vector, Vector];

/** The rotation whose first two rows are nearest to `i` and `j` when both may give way equally. */
function orthonormal(i: Vector, j: Vector): Rotation {
  const a = unit(i);
  const b = unit(j);
  const sum = unit([a[0] + b[0], a[1] + b[1], a[2] + b[2]]);
  const difference = unit([a[0] - b[0], a[1] - b[1], a[2] - b[2]]);
  const h = Math.SQRT1_2;
  const first: Vector = [h * (sum[0] + difference[0]), h * (sum[1] + difference[1]), h * (sum[2] + difference[2])];
  const second: Vector = [h * (sum[0] - difference[0]), h * (sum[1] - difference[1]), h * (sum[2] - difference[2])];
  return [first, second, cross(first, second)];
}

/** One Gauss-Newton step for scale·(R·X) against the image; the turn is a small rotation in front of R. */
function refine(
  rotation: Rotation,
  scale: number,
  model: readonly Vector[],
  px: readonly number[],
  py: readonly number[],
): { rotation: Rotation; scale: number } {
  // Unknowns: small turns about x, y, z and the change of scale.
  const normal = Array.from({ length: 4 }, () => [0, 0, 0, 0, 0]);
  model.forEach((point, k) => {
    const x = dot(rotation[0], point);
    const y = dot(rotation[1], point);
    const z = dot(rotation[2], point);
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
  const step = solve(normal);
  if (step === undefined) return { rotation, scale };
  const [wx, wy, wz, ds] = step as [number, number, number, number];
  const next = turn([wx, wy, wz], rotation);
  return { rotation: next, scale: scale + ds };
}

/** exp([w]×)·R by Rodrigues' formula. */
function turn(w: Vector, rotation: Rotation): Rotation {
  const angle = Math.hypot(...w);
  if (angle < 1e-12) return rotation;
  const k = unit(w);
  const c = Math.cos(angle);
  const s = Math.sin(angle);
  const column = (m: 0 | 1 | 2): Vector => {
    const v: Vector = [rotation[0][m], rotation[1][m], rotation[2][m]];
    const kv = cross(k, v);
    const d = dot(k, v) * (1 - c);
    return [v[0] * c + kv[0] * s + k[0] * d, v[1] * c + kv[1] * s + k[1] * d, v[2] * c + kv[2] * s + k[2] * d];
  };
  const [a, b, d] = [column(0), column(1), column(2)];
  return [
    [a[0], b[0], d[0]],
    [a[1], b[1], d[1]],
    [a[2], b[2], d[2]],
  ];
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

/** Gaussian elimination with pivoting on an augmented matrix; absent when singular. */
function solve(m: number[][]): number[] | undefined {
  const n = m.length;
  for (let c = 0; c < n; c++) {
    let pivot = c;
    for (let r = c + 1; r < n; r++) if (Math.abs(m[r]![c]!) > Math.abs(m[pivot]![c]!)) pivot = r;
    if (!(Math.abs(m[pivot]![c]!) > 1e-12)) return undefined;
    [m[c], m[pivot]] = [m[pivot]!, m[c]!];
    for (let r = 0; r < n; r++) {
      if (r === c) continue;
      const f = m[r]![c]! / m[c]![c]!;
      for (let k = c; k <= n; k++) m[r]![k]! -= f * m[c]![k]!;
    }
  }
  return m.map((row, r) => row[n]! / row[r]!);
}
