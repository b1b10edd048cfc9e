/** Decisions: options of requests as those of the library, and answers as the service words them. */
import { LineamentError, wrapError } from '../../errors.js';
import type { Engine, Verification } from '../../index.js';
import type { Embedding } from '../../types.js';
import { boxJson, round } from '../schemas/face-json.js';
import type { EmbeddedFace } from './embeddings.js';

export interface DecisionRequest {
  readonly threshold?: number;
  readonly fmr?: number;
  readonly fpir?: number;
}

/** At most one of the three. Throws `INVALID_ARGUMENT`: before anything is computed. */
export function decisionOf({ threshold, fmr, fpir }: DecisionRequest): DecisionRequest {
  if ([threshold, fmr, fpir].filter((one) => one !== undefined).length > 1) {
    throw new LineamentError('INVALID_ARGUMENT', "give one of 'threshold', 'fmr' and 'fpir'");
  }
  return {
    ...(threshold === undefined ? {} : { threshold }),
    ...(fmr === undefined ? {} : { fmr }),
    ...(fpir === undefined ? {} : { fpir }),
  };
}

/** A model without a calibration cannot be decided at a rate: that is for the caller to mend, by naming a threshold. */
export async function calibrated<T>(model: string, decide: () => Promise<T>): Promise<T> {
  try {
    return await decide();
  } catch (thrown) {
    const error = wrapError(thrown);
    if (error.code !== 'MODEL_NOT_FOUND') throw error;
    throw new LineamentError('CALIBRATION_INSUFFICIENT', `there is no calibration of '${model}'`, {
      cause: error,
      fix: "Give a 'threshold'.",
    });
  }
}

/** The decision on two embeddings of the engine. */
export function decide(engine: Engine, a: Embedding, b: Embedding, given: DecisionRequest): Promise<Verification> {
  const { fpir: _, ...options } = given;
  return calibrated(a.model, () => engine.verify(a, b, options));
}

export function decisionJson({ similarity, threshold, fmr, match }: Verification) {
  return {
    similarity_score: round(similarity, 6),
    is_match: match,
    threshold_used: threshold,
    status: statusOf(match),
    // A rate that was read off a curve has no more than a few digits that mean something.
    ...(fmr === undefined ? {} : { fmr: Number(fmr.toPrecision(6)) }),
  };
}

export const statusOf = (match: boolean): 'match' | 'no_match' => (match ? 'match' : 'no_match');

export const foundJson = (face: Pick<EmbeddedFace, 'box' | 'score'>) => ({
  box: boxJson(face),
  score: round(face.score, 4),
});
