import { describe, expect, it } from 'vitest';
import { assign } from '../../../../lib/pipeline/tracking/assignment.js';
import { random } from '../../../support/random.js';

/** Every way of it: the most pairs first (or the best saving under a limit), then the least sum. */
function brute(cost: Float64Array, rows: number, columns: number, limit: number): { pairs: number; sum: number } {
  let best = { pairs: 0, sum: 0 };
  const worth = ({ pairs, sum }: { pairs: number; sum: number }): number =>
    limit === Infinity ? pairs * 1e9 - sum : pairs * limit - sum;
  const visit = (row: number, used: number, pairs: number, sum: number): void => {
    if (row === rows) {
      if (worth({ pairs, sum }) > worth(best)) best = { pairs, sum };
      return;
    }
    visit(row + 1, used, pairs, sum);
    for (let c = 0; c < columns; c++) {
      const v = cost[row * columns + c]!;
      if ((used & (1 << c)) === 0 && v !== Infinity) visit(row + 1, used | (1 << c), pairs + 1, sum + v);
    }
  };
  visit(0, 0, 0, 0);
  return best;
}

describe('assignment', () => {
  it('is as good as trying every way, with forbidden pairs, negative costs, ties and limits', () => {
    const next = random(7);
    for (let round = 0; round < 600; round++) {
      const [rows, columns] = [1 + Math.floor(next() * 5), 1 + Math.floor(next() * 5)];
      const limit = round % 3 === 0 ? Infinity : next() * 2 - 0.3;
      const cost = Float64Array.from({ length: rows * columns }, () =>
        next() < 0.2 ? Infinity : round % 2 ? Math.floor(next() * 4) / 2 - 0.5 : next() * 2 - 0.5,
      );
      const result = assign(cost, rows, columns, limit);
      const used = [...result].filter((c) => c >= 0);
      expect(new Set(used).size).toBe(used.length);
      let sum = 0;
      for (const [r, c] of result.entries()) if (c >= 0) sum += cost[r * columns + c]!;
      const best = brute(cost, rows, columns, limit);
      if (limit === Infinity) {
        expect(used.length).toBe(best.pairs);
        expect(sum).toBeCloseTo(best.sum, 9);
      } else {
        expect(used.length * limit - sum).toBeCloseTo(best.pairs * limit - best.sum, 9);
        for (const [r, c] of result.entries()) if (c >= 0) expect(cost[r * columns + c]!).toBeLessThan(limit);
      }
    }
  });

  it('finds a permutation that is known to be the cheapest among 200', () => {
    const next = random(3);
    const n = 200;
    const order = Array.from({ length: n }, (_, i) => (i * 37 + 11) % n);
    const [u, v] = [Float64Array.from({ length: n }, next), Float64Array.from({ length: n }, next)];
    // Dual prices prove it: every cost is at least u + v, and those of the permutation are just that.
    const cost = new Float64Array(n * n);
    for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) cost[i * n + j] = u[i]! + v[j]! + 0.01 + next();
    for (let i = 0; i < n; i++) cost[i * n + order[i]!] = u[i]! + v[order[i]!]!;
    expect([...assign(cost, n, n)]).toEqual(order);
  });

  it('takes nothing and refuses nonsense', () => {
    expect([...assign(new Float64Array(0), 0, 5)]).toEqual([]);
    expect([...assign(new Float64Array(0), 3, 0)]).toEqual([-1, -1, -1]);
    expect([...assign(Float64Array.of(Infinity, Infinity), 1, 2)]).toEqual([-1]);
    for (const bad of [
      () => assign(Float64Array.of(1, 2), 1, 1),
      () => assign(Float64Array.of(Number.NaN), 1, 1),
      () => assign(Float64Array.of(-Infinity), 1, 1),
      () => assign(Float64Array.of(1), 1, 1, Number.NaN),
    ]) {
      expect(bad).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
