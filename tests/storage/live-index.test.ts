import { describe, expect, it } from 'vitest';
import { KeySet } from '../../lib/storage/live-index.js';
import { noise } from '../native/support.js';

describe('a set of keys', () => {
  it('is one like any other, and grows', () => {
    const keys = new KeySet();
    const known = new Set<number>();
    for (const value of noise(4000, 0, 3000, 9)) {
      const key = Math.floor(value);
      if (key % 3 === 0) {
        keys.delete(key);
        known.delete(key);
      } else {
        keys.add(key);
        known.add(key);
      }
    }
    const copy = keys.copy();
    for (const key of [31, 32, 2999]) copy.delete(key);
    expect([...keys]).toEqual([...known].sort((a, b) => a - b));
    expect([...copy]).toEqual([...keys].filter((key) => ![31, 32, 2999].includes(key)));
    expect([keys.has(5_000_000_000), keys.has(4000)]).toEqual([false, false]);
    keys.add(100_000_000);
    expect(keys.has(100_000_000)).toBe(true);
    expect([...keys].at(-1)).toBe(100_000_000);
  });
});
