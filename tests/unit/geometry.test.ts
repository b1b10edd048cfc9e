import { describe, expect, it } from 'vitest';
import {
  applyRegion,
  boundsOf,
  fitSimilarity,
  fromUnit,
  intersectionOverUnion,
  packRegions,
  scaledRegion,
  squareRegion,
} from '../../lib/image/geometry.js';
import type { Point } from '../../lib/types.js';

const close = ([ax, ay]: Point, [bx, by]: Point): void => {
  expect(ax).toBeCloseTo(bx, 9);
  expect(ay).toBeCloseTo(by, 9);
};

describe('regions', () => {
  it('place the corners of a square, turned clockwise in the picture', () => {
    const straight = squareRegion(100, 50, 20, 10);
    close(applyRegion(straight, 0, 0), [90, 40]);
    close(applyRegion(straight, 10, 10), [110, 60]);
    const turned = squareRegion(100, 50, 20, 10, Math.PI / 2);
    // The output's right edge looks down in the picture.
    close(applyRegion(turned, 10, 5), [100, 60]);
    close(applyRegion(turned, 5, 5), [100, 50]);
  });

  it('fit any output size from a unit square', () => {
    const unit = squareRegion(7, 9, 4, 1, 0.3);
    close(applyRegion(fromUnit(unit, 112, 56), 112, 56), applyRegion(unit, 1, 1));
    close(applyRegion(fromUnit(unit, 112, 112), 56, 28), applyRegion(squareRegion(7, 9, 4, 112, 0.3), 56, 28));
  });

  it('are packed six by six', () => {
    expect([...packRegions([scaledRegion(1, 2, 3), scaledRegion(4, 5, 6)])]).toEqual([
      3, 0, 1, 0, 3, 2, 6, 0, 4, 0, 6, 5,
    ]);
    expect(packRegions([])).toHaveLength(0);
  });
});

describe('fitSimilarity', () => {
  const from: Point[] = [
    [0, 0],
    [10, 0],
    [3, 7],
    [-2, 5],
  ];

  it('recovers a similarity exactly', () => {
    const truth = squareRegion(31, -8, 12, 5, 0.7);
    const fitted = fitSimilarity(
      from,
      from.map(([x, y]) => applyRegion(truth, x, y)),
    )!;
    truth.forEach((value, i) => {
      expect(fitted[i]).toBeCloseTo(value, 9);
    });
  });

  it('is at the minimum of the squared distances', () => {
    const to: Point[] = [
      [1, 2],
      [9, 1],
      [4, 9],
      [-1, 4],
    ];
    const fitted = fitSimilarity(from, to)!;
    const cost = (a: number, b: number, x: number, y: number): number =>
      from.reduce((sum, [px, py], i) => {
        const dx = a * px - b * py + x - to[i]![0];
        const dy = b * px + a * py + y - to[i]![1];
        return sum + dx * dx + dy * dy;
      }, 0);
    const at = [fitted[0], fitted[3], fitted[2], fitted[5]] as const;
    const best = cost(...at);
    for (let k = 0; k < 4; k++) {
      for (const step of [-1e-3, 1e-3]) {
        const moved = [...at] as [number, number, number, number];
        moved[k]! += step;
        expect(cost(...moved)).toBeGreaterThan(best);
      }
    }
  });

  it('gives no mirror image, and nothing for points that coincide', () => {
    const mirrored = fitSimilarity(
      from,
      from.map(([x, y]): Point => [-x, y]),
    )!;
    expect(mirrored[0]).toBe(mirrored[4]);
    expect(mirrored[1]).toBe(-mirrored[3]);
    expect(
      fitSimilarity(
        [
          [1, 1],
          [1, 1],
        ],
        [
          [0, 0],
          [5, 5],
        ],
      ),
    ).toBeUndefined();
  });
});

describe('boxes', () => {
  it('have intersection over union', () => {
    expect(intersectionOverUnion([0, 0, 10, 10], [0, 0, 10, 10])).toBe(1);
    expect(intersectionOverUnion([0, 0, 10, 10], [5, 0, 10, 10])).toBeCloseTo(1 / 3, 12);
    expect(intersectionOverUnion([0, 0, 10, 10], [10, 0, 10, 10])).toBe(0);
  });

  it('enclose points', () => {
    expect(
      boundsOf([
        [3, 4],
        [-1, 9],
        [2, 2],
      ]),
    ).toEqual([-1, 2, 4, 7]);
  });
});
