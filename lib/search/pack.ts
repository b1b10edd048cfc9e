/** Arguments of an index in the form in which they cross to native code. */
import { invalid } from '../errors/validate.js';

/** Whole numbers from 0 to 2^53 − 1. */
export function packKeys(name: string, keys: readonly number[]): Float64Array {
  if (!Array.isArray(keys)) throw invalid(name, 'array of keys', keys);
  const packed = new Float64Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const key: unknown = keys[i];
    if (!Number.isSafeInteger(key) || (key as number) < 0) {
      throw invalid(`${name}[${i}]`, 'whole number from 0 to 2^53 − 1', key);
    }
    packed[i] = key as number;
  }
  return packed;
}

/** Whole numbers from 0 to 2^32 − 1; `length` many where it is given. */
export function packGroups(name: string, groups: readonly number[], length?: number): Uint32Array {
  if (!Array.isArray(groups)) throw invalid(name, 'array of groups', groups);
  if (length !== undefined && groups.length !== length) throw invalid(name, `array of length ${length}`, groups);
  const packed = new Uint32Array(groups.length);
  for (let i = 0; i < groups.length; i++) {
    const group: unknown = groups[i];
    if (!Number.isInteger(group) || (group as number) < 0 || (group as number) > 0xffff_ffff) {
      throw invalid(`${name}[${i}]`, 'whole number from 0 to 2^32 − 1', group);
    }
    packed[i] = group as number;
  }
  return packed;
}

/**
 * Refuses what is not rows of `dims` floats (`count` rows where it is given), or is detached. Native code looks at the numbers:
 * of many vectors that takes too long for this thread.
 */
export function packVectors(name: string, vectors: Float32Array, dims: number, count?: number): void {
  const is = Object.prototype.toString.call(vectors) === '[object Float32Array]';
  if (!is) throw invalid(name, 'Float32Array', vectors);
  if (detached(vectors.buffer)) throw invalid(name, 'Float32Array that is not detached', vectors);
  const right = count === undefined ? vectors.length % dims === 0 : vectors.length === count * dims;
  if (right) return;
  const wanted = count === undefined ? `a multiple of ${dims}` : `${count} × ${dims}`;
  throw invalid(name, `Float32Array of ${wanted} numbers`, vectors);
}

/** Whether a buffer was transferred away: no view can then be made over it. */
function detached(buffer: ArrayBufferLike): boolean {
  if (buffer.byteLength > 0) return false;
  try {
    return new Uint8Array(buffer).length > 0;
  } catch {
    return true;
  }
}
