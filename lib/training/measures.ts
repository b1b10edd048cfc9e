import { boundsOf } from '../image/geometry.js';
import { PARTS, POINT_COUNT } from '../landmarks/points.js';
import type { Point } from '../types.js';

/**
 * What distances are divided by: `interocular`, the distance of the outer corners of the eyes (points 36 and 45; the measure of
 * 300-W, only for 68 points), or `diagonal`, that of the bounds of the annotated points.
 */
export type Normalisation = 'interocular' | 'diagonal';

export const OUTER_EYE_CORNERS = [36, 45] as const;

export type Truth = readonly (Point | undefined)[];

/** The distance to divide by; absent where the points that it needs are not annotated or coincide. */
export function normaliser(truth: Truth, by: Normalisation): number | undefined {
  if (by === 'interocular') {
    const [a, b] = [truth[OUTER_EYE_CORNERS[0]], truth[OUTER_EYE_CORNERS[1]]];
    if (truth.length !== POINT_COUNT || a === undefined || b === undefined) return undefined;
    return positive(Math.hypot(a[0] - b[0], a[1] - b[1]));
  }
  const [, , w, h] = boundsOf(truth.filter((p): p is Point => p !== undefined));
  return positive(Math.hypot(w, h));
}

const positive = (value: number): number | undefined => (value > 0 && Number.isFinite(value) ? value : undefined);

/** Distance of each point from its truth over the normaliser; NaN where there is no truth. */
export function pointErrors(predicted: readonly Point[], truth: Truth, by: number): number[] {
  return truth.map((t, i) => {
    const p = predicted[i];
    return t === undefined || p === undefined ? Number.NaN : Math.hypot(p[0] - t[0], p[1] - t[1]) / by;
  });
}

/** Mean of what is a number; NaN where nothing is. */
export function meanOfNumbers(values: Iterable<number>): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    sum += value;
    count++;
  }
  return sum / count;
}

/** Value below which the share `q` of the values lies, linear between them (R's type 7); NaN of nothing. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  return low === undefined || high === undefined ? Number.NaN : low + (high - low) * (at - Math.floor(at));
}

/** Share of the faces whose error is at most `limit`. Faces without an answer carry `Infinity`. */
export function shareWithin(errors: readonly number[], limit: number): number {
  return errors.filter((error) => error <= limit).length / errors.length;
}

/**
 * Area under the cumulative error distribution up to `limit`, over `limit`: 1 when no face has an error, 0 when none stays
 * within. Exact: the integral of the step function.
 */
export function areaUnderCurve(errors: readonly number[], limit: number): number {
  return errors.reduce((sum, error) => sum + Math.max(0, 1 - error / limit), 0) / errors.length;
}

/** Cumulative error distribution: share of the faces within each of `steps` + 1 errors from 0 to `limit`. */
export function cumulativeCurve(
  errors: readonly number[],
  limit: number,
  steps: number,
): { readonly error: number; readonly share: number }[] {
  return Array.from({ length: steps + 1 }, (_, i) => {
    const error = (limit * i) / steps;
    return { error, share: shareWithin(errors, error) };
  });
}

/** Mean error of each part of the 68 points; empty for other schemes. `perPoint` holds the mean error of each point. */
export function partErrors(perPoint: readonly number[]): Readonly<Record<string, number>> {
  if (perPoint.length !== POINT_COUNT) return {};
  return Object.fromEntries(
    Object.entries(PARTS).map(([name, indices]) => [
      name,
      meanOfNumbers(indices.map((i) => perPoint[i] ?? Number.NaN)),
    ]),
  );
}
