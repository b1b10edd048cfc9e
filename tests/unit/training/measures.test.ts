import { describe, expect, it } from 'vitest';
import {
  areaUnderCurve,
  cumulativeCurve,
  normaliser,
  partErrors,
  pointErrors,
  quantile,
  shareWithin,
} from '../../../lib/training/measures.js';
import type { Point } from '../../../lib/types.js';
import { head } from '../../support/head.js';

const points = head.map(([x, y]): Point => [x * 10 + 200, 200 - y * 10]);

describe('normalised errors', () => {
  it('divide by the outer corners of the eyes, or by the diagonal of the points', () => {
    expect(normaliser(points, 'interocular')).toBeCloseTo(
      Math.hypot(points[45]![0] - points[36]![0], points[45]![1] - points[36]![1]),
      12,
    );
    expect(normaliser([[0, 0], undefined, [3, 4]], 'diagonal')).toBe(5);
    expect(
      normaliser(
        [
          [0, 0],
          [3, 4],
        ],
        'interocular',
      ),
    ).toBeUndefined();
    expect(
      normaliser(
        points.map((p, i) => (i === 36 ? undefined : p)),
        'interocular',
      ),
    ).toBeUndefined();
    expect(
      normaliser(
        [
          [1, 1],
          [1, 1],
        ],
        'diagonal',
      ),
    ).toBeUndefined();
  });

  it('are those of a known shift, point by point, and of the parts', () => {
    const by = normaliser(points, 'interocular')!;
    const moved = points.map(([x, y], i): Point => (i < 17 ? [x + 0.1 * by, y] : [x, y - 0.02 * by]));
    const errors = pointErrors(moved, points, by);
    expect(errors[3]).toBeCloseTo(0.1, 9);
    expect(errors[40]).toBeCloseTo(0.02, 9);
    const parts = partErrors(errors);
    expect(parts['jaw']).toBeCloseTo(0.1, 9);
    expect(parts['innerLips']).toBeCloseTo(0.02, 9);
    expect(partErrors([0.1, 0.2])).toEqual({});
    expect(pointErrors([[0, 0]], [undefined], 1)).toEqual([Number.NaN]);
  });

  it('do not depend on the size of the picture', () => {
    const larger = (list: readonly Point[]): Point[] => list.map(([x, y]) => [x * 3.7, y * 3.7]);
    const moved = points.map(([x, y]): Point => [x + 1, y + 2]);
    const small = pointErrors(moved, points, normaliser(points, 'interocular')!);
    const large = pointErrors(larger(moved), larger(points), normaliser(larger(points), 'interocular')!);
    small.forEach((error, i) => {
      expect(large[i]).toBeCloseTo(error, 9);
    });
  });
});

describe('the cumulative error distribution', () => {
  const errors = [0, 0.02, 0.04, 0.1, Number.POSITIVE_INFINITY];

  it('counts faces, missed ones as failures', () => {
    expect(shareWithin(errors, 0.04)).toBe(0.6);
    const curve = cumulativeCurve(errors, 0.08, 4);
    expect(curve.map(({ share }) => share)).toEqual([0.2, 0.4, 0.6, 0.6, 0.6]);
    expect(curve.map(({ error }) => error)).toEqual([0, 0.02, 0.04, 0.06, 0.08]);
  });

  it('has the area of its step function', () => {
    // By hand: 1, 0.75 and 0.5 of the width for the first three faces, nothing for the others.
    expect(areaUnderCurve(errors, 0.08)).toBeCloseTo((1 + 0.75 + 0.5) / 5, 12);
    const fine = cumulativeCurve(errors, 0.08, 80_000);
    const area = fine.slice(1).reduce((sum, { share }, i) => sum + ((share + fine[i]!.share) / 2) * (0.08 / 80_000), 0);
    expect(areaUnderCurve(errors, 0.08)).toBeCloseTo(area / 0.08, 4);
  });

  it('has quantiles between its values', () => {
    expect(quantile([3, 1, 2], 0.5)).toBe(2);
    expect(quantile([0, 1], 0.9)).toBeCloseTo(0.9, 12);
    expect(quantile([], 0.5)).toBeNaN();
  });
});
