// What crosses to native code, and what is refused before it does.
import { describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { packGroups, packKeys, packVectors } from '../../../lib/search/pack.js';

const refused = (work: () => unknown): string => {
  try {
    work();
    return 'accepted';
  } catch (error) {
    expect(error).toBeInstanceOf(LineamentError);
    expect((error as LineamentError).code).toBe('INVALID_ARGUMENT');
    return (error as LineamentError).message;
  }
};

describe('arguments of an index', () => {
  it('keys are whole numbers up to 2^53 − 1', () => {
    expect(packKeys('keys', [0, 7, Number.MAX_SAFE_INTEGER])).toEqual(Float64Array.of(0, 7, Number.MAX_SAFE_INTEGER));
    expect(packKeys('keys', [])).toEqual(new Float64Array(0));
    for (const bad of [-1, 0.5, 2 ** 53, Number.NaN, Infinity, '3', 3n, null, undefined, [1]]) {
      expect(refused(() => packKeys('keys', [1, bad as number]))).toContain('for keys[1] but received');
    }
    for (const bad of [null, undefined, 5, 'abc', { length: 2 }, Float64Array.of(1)]) {
      expect(refused(() => packKeys('keys', bad as number[]))).toContain('array of keys');
    }
    // A hole is not a key.
    expect(refused(() => packKeys('keys', new Array<number>(2)))).toContain('keys[0]');
  });

  it('groups are whole numbers up to 2^32 − 1, one for each key', () => {
    expect(packGroups('groups', [0, 4294967295], 2)).toEqual(Uint32Array.of(0, 4294967295));
    for (const bad of [-1, 0.5, 2 ** 32, Number.NaN, '3']) {
      expect(refused(() => packGroups('groups', [bad as number]))).toContain('groups[0]');
    }
    expect(refused(() => packGroups('groups', [1, 2], 3))).toContain('length 3');
    expect(refused(() => packGroups('groups', 3 as unknown as number[]))).toContain('array of groups');
  });

  it('vectors are rows of 32-bit floats that are there', () => {
    packVectors('vectors', new Float32Array(6), 3, 2);
    packVectors('queries', new Float32Array(6), 2);
    packVectors('queries', new Float32Array(0), 2);
    packVectors('vectors', new Float32Array(new SharedArrayBuffer(24), 0, 6), 3, 2);
    expect(refused(() => packVectors('vectors', new Float32Array(6), 3, 3))).toContain('3 × 3 numbers');
    expect(refused(() => packVectors('queries', new Float32Array(7), 2))).toContain('a multiple of 2 numbers');
    for (const bad of [null, undefined, [1, 2], new Float64Array(2), new ArrayBuffer(8), 'ab']) {
      expect(refused(() => packVectors('queries', bad as unknown as Float32Array, 2))).toContain('Float32Array');
    }
    const moved = new Float32Array(4);
    structuredClone(moved.buffer, { transfer: [moved.buffer] });
    expect(refused(() => packVectors('queries', moved, 2))).toContain('not detached');
    expect(refused(() => packVectors('vectors', moved, 2, 2))).toContain('not detached');
  });
});
