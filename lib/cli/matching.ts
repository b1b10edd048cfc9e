/** Every face of a run against every other. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LineamentError, throwIfAborted } from '../errors.js';
import { type Engine, type Face, similarity } from '../index.js';

/** A face by its photograph and its place there, both counted from 0. */
export interface FaceRef {
  readonly photo: number;
  readonly face: number;
}

/** A face that is similar to another one. */
export interface Closest extends FaceRef {
  readonly similarity: number;
  readonly match: boolean;
}

/** Two faces on different photographs that count as one person. */
export interface MatchedPair {
  readonly a: FaceRef;
  readonly b: FaceRef;
  readonly similarity: number;
}

export interface Matching {
  readonly threshold: number;
  /** False match rate at the threshold; absent where it is not known. */
  readonly fmr?: number;
  /** Most similar face on another photograph, for each face; absent where there is none. */
  closest(ref: FaceRef): Closest | undefined;
  /** Pairs at or above the threshold, most similar first. */
  readonly pairs: readonly MatchedPair[];
  /** The first faces against each other, at most {@link LARGEST_MATRIX}; NaN where a face has no embedding. */
  readonly matrix: readonly (readonly number[])[];
}

export const LARGEST_MATRIX = 160;
const SLICE_MS = 4;

/**
 * Compares all faces. The event loop gets a turn every few milliseconds. Faces of one photograph are compared for the matrix
 * but never count as a match: nobody is twice on a photograph, or it is known already.
 *
 * @param photos faces of each photograph, with embeddings of one recogniser
 * @returns undefined where fewer than two faces carry an embedding
 * @throws LineamentError INVALID_ARGUMENT for a rate that was not measured, MODEL_NOT_FOUND without a calibration, ABORTED
 */
export async function matchFaces(
  engine: Engine,
  photos: readonly (readonly Face[])[],
  fmr: number | undefined,
  signal: AbortSignal,
): Promise<Matching | undefined> {
  const all = photos.flatMap((faces, photo) =>
    faces.map((face, index) => ({ photo, face: index, embedding: face.embedding })),
  );
  const known = all.map(({ embedding }) => embedding).find((embedding) => embedding !== undefined);
  if (!known || all.filter(({ embedding }) => embedding).length < 2) return undefined;
  const rule = await engine.verify(known, known, { ...(fmr !== undefined && { fmr }), signal });
  const best = new Map<string, Closest>();
  const pairs: MatchedPair[] = [];
  const size = Math.min(all.length, LARGEST_MATRIX);
  const matrix = Array.from({ length: size }, () => new Array<number>(size).fill(Number.NaN));
  const consider = (from: FaceRef, to: FaceRef, value: number): void => {
    const key = keyOf(from);
    const before = best.get(key);
    if (!before || value > before.similarity) {
      best.set(key, { photo: to.photo, face: to.face, similarity: value, match: value >= rule.threshold });
    }
  };
  let until = performance.now() + SLICE_MS;
  for (const [i, a] of all.entries()) {
    for (let j = i; j < all.length; j++) {
      const b = all[j];
      if (!a.embedding || !b?.embedding) continue;
      const value = i === j ? 1 : similarity(a.embedding, b.embedding);
      if (i < size && j < size) {
        (matrix[i] as number[])[j] = value;
        (matrix[j] as number[])[i] = value;
      }
      if (a.photo === b.photo) continue;
      consider(a, b, value);
      consider(b, a, value);
      if (value >= rule.threshold) {
        pairs.push({ a: { photo: a.photo, face: a.face }, b: { photo: b.photo, face: b.face }, similarity: value });
      }
    }
    if (performance.now() > until) {
      await nextTurn();
      throwIfAborted(signal);
      until = performance.now() + SLICE_MS;
    }
  }
  pairs.sort((a, b) => b.similarity - a.similarity);
  return {
    threshold: rule.threshold,
    ...(rule.fmr !== undefined && { fmr: rule.fmr }),
    closest: (ref) => best.get(keyOf(ref)),
    pairs,
    matrix,
  };
}

/** As {@link matchFaces}, but a recogniser without a calibration gives undefined unless a rate was asked for. */
export async function matchWherePossible(
  engine: Engine,
  photos: readonly (readonly Face[])[],
  fmr: number | undefined,
  signal: AbortSignal,
): Promise<Matching | undefined> {
  try {
    return await matchFaces(engine, photos, fmr, signal);
  } catch (error) {
    if (fmr === undefined && error instanceof LineamentError && error.code === 'MODEL_NOT_FOUND') return undefined;
    throw error;
  }
}

const keyOf = ({ photo, face }: FaceRef): string => `${photo}/${face}`;
