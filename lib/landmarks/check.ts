import { invalid } from '../errors/validate.js';
import type { Point } from '../types.js';
import { POINT_COUNT } from './points.js';

/** `count` points with finite coordinates, or `INVALID_ARGUMENT` that names the first that is none. */
export function checkLandmarks(name: string, value: unknown, count: number = POINT_COUNT): readonly Point[] {
  if (!Array.isArray(value) || value.length !== count) throw invalid(name, `array of ${count} points`, value);
  value.forEach((point: unknown, i) => {
    const pair = point as readonly unknown[] | null | undefined;
    for (const k of [0, 1]) {
      const coordinate = typeof pair === 'object' ? pair?.[k] : undefined;
      if (!Number.isFinite(coordinate)) throw invalid(`${name}[${i}][${k}]`, 'finite number', coordinate);
    }
  });
  return value as readonly Point[];
}
