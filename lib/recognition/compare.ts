import { setImmediate as nextTurn } from 'node:timers/promises';
import { invalid } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import type { Embedding } from '../types.js';

/** Refuses what is not an embedding (`INVALID_ARGUMENT`): wrong shape, or numbers that are not finite. */
export function checkEmbedding(name: string, value: unknown): Embedding {
  const e = value as Embedding | null;
  if (typeof e !== 'object' || e === null || typeof e.model !== 'string' || !(e.vector instanceof Float32Array)) {
    throw invalid(name, 'embedding', value);
  }
  if (e.vector.length === 0 || e.vector.length !== e.dims)
    throw invalid(`${name}.vector`, `${e.dims} numbers`, e.vector);
  return e;
}

function mismatch(a: Embedding, b: Embedding): LineamentError {
  return new LineamentError(
    'EMBEDDING_MISMATCH',
    `one is of '${a.model}' (${a.dims}), the other of '${b.model}' (${b.dims})`,
    {
      fix: 'Make both with the same preset.',
    },
  );
}

/**
 * Cosine similarity of two embeddings, −1 to 1; what it means depends on the recogniser: ask its calibration. Throws
 * `EMBEDDING_MISMATCH` when they are of different recognisers, `INVALID_ARGUMENT`. Symmetric, pure.
 */
export function similarity(a: Embedding, b: Embedding): number {
  checkEmbedding('a', a);
  checkEmbedding('b', b);
  if (a.model !== b.model || a.dims !== b.dims) throw mismatch(a, b);
  const cosine = dot(a.vector, b.vector) / Math.sqrt(dot(a.vector, a.vector) * dot(b.vector, b.vector));
  if (!Number.isFinite(cosine))
    throw invalid('embedding', 'finite, non-zero vector', Number.isNaN(cosine) ? Number.NaN : cosine);
  return Math.max(-1, Math.min(1, cosine));
}

function dot(a: Float32Array, b: Float32Array): number {
  // Four sums: less rounding, and the processor need not wait for each addition.
  let s0 = 0;
  let s1 = 0;
  let s2 = 0;
  let s3 = 0;
  let i = 0;
  for (; i + 3 < a.length; i += 4) {
    s0 += a[i]! * b[i]!;
    s1 += a[i + 1]! * b[i + 1]!;
    s2 += a[i + 2]! * b[i + 2]!;
    s3 += a[i + 3]! * b[i + 3]!;
  }
  for (; i < a.length; i++) s0 += a[i]! * b[i]!;
  return s0 + s1 + (s2 + s3);
}

/** Somebody who is known. */
export interface Candidate {
  readonly id: string;
  readonly embedding: Embedding;
}

export interface Match {
  readonly id: string;
  readonly similarity: number;
}

/** The event loop gets a turn after this many milliseconds of comparing. */
const SLICE_MS = 2;

/**
 * The `limit` candidates that are most similar to `probe`, best first, none below `threshold`. Exact: every candidate is
 * compared. Runs in slices on the calling thread, so that the event loop stays free; for more than some ten thousand
 * candidates a gallery with its native search is the right tool. Rejects with `EMBEDDING_MISMATCH`, `ABORTED`.
 */
export async function rank(
  probe: Embedding,
  candidates: Iterable<Candidate>,
  limit: number,
  threshold: number,
  signal?: AbortSignal,
): Promise<Match[]> {
  const best: Match[] = [];
  let until = performance.now() + SLICE_MS;
  let count = 0;
  for (const { id, embedding } of candidates) {
    const value = similarity(probe, embedding);
    const weakest = best.length < limit ? undefined : best.at(-1);
    if (value >= threshold && (weakest === undefined || value > weakest.similarity)) {
      const at = best.findIndex((m) => m.similarity < value);
      best.splice(at < 0 ? best.length : at, 0, { id, similarity: value });
      if (best.length > limit) best.pop();
    }
    if ((++count & 127) === 0 && performance.now() > until) {
      await nextTurn();
      throwIfAborted(signal);
      until = performance.now() + SLICE_MS;
    }
  }
  return best;
}
