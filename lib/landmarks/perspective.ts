import type { Point } from '../types.js';
import type { CameraIntrinsics } from './camera.js';
import { add, invert, type Matrix3, multiply, rotationAbout, solve, type Vector } from './linear.js';

/** A model seen by a pinhole camera, nearest to the points in the robust sense. */
export interface PerspectiveFit {
  readonly rotation: Matrix3;
  readonly translation: Vector;
  /** Distance of each point from its projection, pixels. */
  readonly residuals: readonly number[];
  /** What each point counted in the end, 0–1. */
  readonly weights: readonly number[];
  /** 6 × 6, of a small turn about the camera's axes (radians) and of the translation. */
  readonly covariance: readonly (readonly number[])[];
}

/** What a residual of r robust standard deviations costs, and its weight ρ'(r) / r. */
interface Loss {
  readonly cost: (r: number) => number;
  readonly weight: (r: number) => number;
}

// Tuned for lengths of two-dimensional residuals. Huber's loss is convex and finds the way, Tukey's forgets what is wrong.
const HUBER: Loss = {
  cost: (r) => (r <= 2 ? (r * r) / 2 : 2 * r - 2),
  weight: (r) => (r <= 2 ? 1 : 2 / r),
};
const TUKEY_END = 6;
const TUKEY: Loss = {
  cost: (r) => ((1 - (1 - Math.min(1, r / TUKEY_END) ** 2) ** 3) * TUKEY_END ** 2) / 6,
  weight: (r) => (r < TUKEY_END ? (1 - (r / TUKEY_END) ** 2) ** 2 : 0),
};

/** Median length of a two-dimensional normal deviate of standard deviation 1. */
const RAYLEIGH_MEDIAN = Math.sqrt(2 * Math.log(2));

/** What is fitted to what, spelt out for the inner loops. */
interface Problem {
  readonly count: number;
  /** u, v of each point, one after another. */
  readonly seen: Float64Array;
  /** x, y, z of each point of the model. */
  readonly model: Float64Array;
  readonly camera: CameraIntrinsics;
}

interface State {
  readonly rotation: Matrix3;
  readonly translation: Vector;
  /** The model turned, not moved. */
  readonly turned: Float64Array;
  /** u, v one after another, pixels: seen less projected. */
  readonly rest: Float64Array;
  readonly lengths: Float64Array;
}

/**
 * Robust perspective-n-point by Levenberg-Marquardt, iteratively reweighted, from a start that is about right. The frame has x to
 * the right, y down, z away from the camera, for model and camera. Absent when it ends with the model behind the camera or undetermined.
 */
export function fitPerspective(
  points: readonly Point[],
  model: readonly Vector[],
  camera: CameraIntrinsics,
  rotation: Matrix3,
  translation: Vector,
): PerspectiveFit | undefined {
  const problem: Problem = {
    count: points.length,
    seen: Float64Array.from(points.flat()),
    model: Float64Array.from(model.flat()),
    camera,
  };
  const floor = problem.seen.reduce((most, v) => Math.max(most, Math.abs(v)), 0) * 1e-9;
  let state = stateAt(problem, rotation, translation);
  if (state === undefined) return undefined;
  // The scale of the residuals and the fit are found by turns; at last the scale stays and the fit runs to its end.
  let scale = 0;
  for (const { loss, rounds, steps, precision } of [
    { loss: HUBER, rounds: 6, steps: 6, precision: 1e-4 },
    { loss: TUKEY, rounds: 6, steps: 6, precision: 1e-4 },
    { loss: TUKEY, rounds: 1, steps: 60, precision: 1e-10 },
  ]) {
    for (let round = 0; round < rounds; round++) {
      const before = scale;
      // A scale that has settled stays, so that the last fit has one thing to find.
      if (rounds > 1) scale = robustScale(state.lengths, floor);
      state = descend(problem, state, loss, scale, steps, precision);
      if (Math.abs(scale - before) < 1e-2 * scale) break;
    }
  }
  const weights = state.lengths.map((length) => TUKEY.weight(length / scale));
  const inverse = invert(normalEquations(problem, state, weights).normal);
  const count = weights.reduce((a, b) => a + b, 0);
  if (inverse === undefined || !(2 * count > 6)) return undefined;
  let squares = 0;
  for (const [k, w] of weights.entries()) squares += w * state.lengths[k]! ** 2;
  const variance = squares / (2 * count - 6);
  return {
    rotation: state.rotation,
    translation: state.translation,
    residuals: Array.from(state.lengths),
    weights: Array.from(weights),
    covariance: inverse.map((row) => row.map((value) => value * variance)),
  };
}

/** Standard deviation of a coordinate from the median residual; no less than `floor`, rounding in the points. */
function robustScale(lengths: Float64Array, floor: number): number {
  const sorted = Float64Array.from(lengths).sort();
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return Math.max(median / RAYLEIGH_MEDIAN, floor);
}

/** The projection and what it leaves; absent when a point is behind the camera or a number is not finite. */
function stateAt(
  { count, seen, model, camera: { fx, fy, cx, cy } }: Problem,
  rotation: Matrix3,
  translation: Vector,
): State | undefined {
  const [[a, b, c], [d, e, f], [g, h, i]] = rotation;
  const [tx, ty, tz] = translation;
  const turned = new Float64Array(count * 3);
  const rest = new Float64Array(count * 2);
  const lengths = new Float64Array(count);
  for (let k = 0; k < count; k++) {
    const x = model[3 * k]!;
    const y = model[3 * k + 1]!;
    const z = model[3 * k + 2]!;
    const qx = a * x + b * y + c * z;
    const qy = d * x + e * y + f * z;
    const qz = g * x + h * y + i * z;
    const depth = qz + tz;
    if (!(depth > 1e-6)) return undefined;
    turned[3 * k] = qx;
    turned[3 * k + 1] = qy;
    turned[3 * k + 2] = qz;
    const du = seen[2 * k]! - (fx * (qx + tx)) / depth - cx;
    const dv = seen[2 * k + 1]! - (fy * (qy + ty)) / depth - cy;
    rest[2 * k] = du;
    rest[2 * k + 1] = dv;
    const length = Math.sqrt(du * du + dv * dv);
    if (!Number.isFinite(length)) return undefined;
    lengths[k] = length;
  }
  return { rotation, translation, turned, rest, lengths };
}

/** Levenberg-Marquardt under one loss and scale; ends when a step is below `precision` or none is better. */
function descend(problem: Problem, from: State, loss: Loss, scale: number, steps: number, precision: number): State {
  const costOf = (lengths: Float64Array): number => {
    let sum = 0;
    for (let k = 0; k < lengths.length; k++) sum += loss.cost(lengths[k]! / scale);
    return sum;
  };
  let state = from;
  let cost = costOf(state.lengths);
  let damping = 1e-4;
  for (let step = 0; step < steps && damping < 1e8; step++) {
    const weights = state.lengths.map((length) => loss.weight(length / scale));
    const { normal, right } = normalEquations(problem, state, weights);
    const change = solve(
      normal.map((row, r) => [...row.map((value, k) => (k === r ? value * (1 + damping) : value)), right[r]!]),
    );
    if (change === undefined) break;
    const [wx, wy, wz, tx, ty, tz] = change as [number, number, number, number, number, number];
    const rotation = multiply(rotationAbout([wx, wy, wz]), state.rotation);
    const next = stateAt(problem, rotation, add(state.translation, [tx, ty, tz]));
    const nextCost = next === undefined ? Infinity : costOf(next.lengths);
    const size = Math.hypot(wx, wy, wz) + Math.hypot(tx, ty, tz) / Math.abs(state.translation[2]);
    if (next !== undefined && nextCost <= cost) {
      state = next;
      cost = nextCost;
      damping = Math.max(damping / 10, 1e-12);
    } else {
      damping *= 10;
    }
    if (size < precision) break;
  }
  return state;
}

/** JᵀWJ and JᵀWr for a small turn w in front of the rotation and a change of the translation. */
function normalEquations(
  { camera: { fx, fy } }: Problem,
  { translation: [tx, ty, tz], turned, rest }: State,
  weights: Float64Array,
): { normal: number[][]; right: number[] } {
  const upper = new Float64Array(36);
  const right = new Float64Array(6);
  const row = new Float64Array(6);
  const gather = (weight: number, residual: number): void => {
    for (let a = 0; a < 6; a++) {
      const scaled = weight * row[a]!;
      for (let b = a; b < 6; b++) upper[a * 6 + b]! += scaled * row[b]!;
      right[a]! += scaled * residual;
    }
  };
  for (let k = 0; k < weights.length; k++) {
    const weight = weights[k]!;
    if (weight === 0) continue;
    // q = R·X moves by w × q; p = q + t; the picture moves by f/z · (dp − p/z · dz).
    const qx = turned[3 * k]!;
    const qy = turned[3 * k + 1]!;
    const qz = turned[3 * k + 2]!;
    const z = qz + tz;
    const x = (qx + tx) / z;
    const y = (qy + ty) / z;
    const u = fx / z;
    row[0] = -u * x * qy;
    row[1] = u * (qz + x * qx);
    row[2] = -u * qy;
    row[3] = u;
    row[4] = 0;
    row[5] = -u * x;
    gather(weight, rest[2 * k]!);
    const v = fy / z;
    row[0] = -v * (qz + y * qy);
    row[1] = v * y * qx;
    row[2] = v * qx;
    row[3] = 0;
    row[4] = v;
    row[5] = -v * y;
    gather(weight, rest[2 * k + 1]!);
  }
  const normal = Array.from({ length: 6 }, (_, a) =>
    Array.from({ length: 6 }, (__, b) => upper[Math.min(a, b) * 6 + Math.max(a, b)]!),
  );
  return { normal, right: Array.from(right) };
}
