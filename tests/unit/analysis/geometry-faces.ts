import { MEAN_HEAD } from '../../../lib/landmarks/head.js';
import { rotationOf } from '../../../lib/landmarks/pose.js';
import type { Point } from '../../../lib/types.js';
import { normal } from '../../support/random.js';

/** A face of its own, uneven, turned and moved: the mean head with scatter, seen under scaled orthography. */
export function randomFace(next: () => number, scatter = 0.12): Point[] {
  const rotation = rotationOf({ yaw: 50 * next() - 25, pitch: 30 * next() - 15, roll: 80 * next() - 40 });
  return MEAN_HEAD.map(([x, y, z]): Point => {
    const p = [x + scatter * normal(next), y + scatter * normal(next), z + scatter * normal(next)] as const;
    const across = (row: readonly [number, number, number]): number => row[0] * p[0] + row[1] * p[1] + row[2] * p[2];
    return [320 + 11 * across(rotation[0]), 240 - 11 * across(rotation[1])];
  });
}

/** The face turned, scaled (0.01 to 100) and moved. */
export function moved(points: readonly Point[], next: () => number): Point[] {
  const turn = 2 * Math.PI * next();
  const scale = 10 ** (4 * next() - 2);
  const [a, b] = [scale * Math.cos(turn), scale * Math.sin(turn)];
  const [tx, ty] = [2000 * next() - 1000, 2000 * next() - 1000];
  return points.map(([x, y]): Point => [a * x - b * y + tx, b * x + a * y + ty]);
}

/** Every number in a tree of plain data, by its path. */
function numbersIn(value: unknown, path = ''): [string, number][] {
  if (typeof value === 'number') return [[path, value]];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => numbersIn(inner, `${path}/${key}`));
}

/** Paths of the numbers of `before` for which the number at the same path of `after` is not alike; no numbers at all are a difference. */
export function differences(
  before: unknown,
  after: unknown,
  alike: (a: number, b: number, path: string) => boolean,
): string[] {
  const values = new Map(numbersIn(after));
  const numbers = numbersIn(before);
  if (numbers.length === 0 || numbers.length !== values.size) return ['not the same numbers'];
  return numbers
    .filter(([path, value]) => !alike(value, values.get(path) ?? Number.NaN, path))
    .map(([path, value]) => `${path}: ${value} and ${values.get(path)}`);
}
