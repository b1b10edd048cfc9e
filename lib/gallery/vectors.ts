import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkEmbedding } from '../recognition/index.js';
import type { Embedding } from '../types.js';

/**
 * An embedding whose vector has length 1: a copy, or the very one where it has that length already. Throws `INVALID_ARGUMENT` where it
 * is no embedding, is zero, or holds a number that is not finite.
 */
export function unitEmbedding(name: string, value: unknown): Embedding {
  const embedding = checkEmbedding(name, value);
  const { vector } = embedding;
  if (vector.length < 2 || vector.length > 4096) throw invalid(`${name}.vector`, '2 to 4096 numbers', vector);
  if (embedding.model.length === 0) throw invalid(`${name}.model`, 'non-empty string', embedding.model);
  const length = Math.sqrt(dot(vector, vector));
  if (!Number.isFinite(length) || length === 0) {
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `Expected finite numbers, not all zero, for ${name}.vector but its length is ${length}`,
    );
  }
  if (Math.abs(length - 1) < 1e-6) return embedding;
  return { ...embedding, vector: vector.map((x) => x / length) };
}

/** In double precision. */
export function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}
