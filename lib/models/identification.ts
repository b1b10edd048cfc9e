import { numberIn } from '../errors/validate.js';
import { type Calibration, fmrAt } from './calibration.js';

/** A rate that follows from a calibration. */
export interface ImpliedRate {
  readonly rate: number;
  /** True where the similarity lies above what was measured: the rate is then an upper bound, not an estimate. */
  readonly atMost: boolean;
}

/** The false match rate of one comparison at a similarity; `rate` 1 below the measured curve, its last rate (a bound) above. */
export function impliedFmr(calibration: Calibration, similarity: number): ImpliedRate {
  const { points } = calibration;
  const first = points[0]!;
  const last = points.at(-1)!;
  if (similarity > last.similarity) return { rate: last.fmr, atMost: true };
  if (similarity < first.similarity) return { rate: 1, atMost: true };
  return { rate: fmrAt(calibration, similarity)!, atMost: false };
}

/**
 * False positive identification rate (ISO/IEC 19795-1): how often a probe of somebody who is not in a gallery of `size`
 * templates is at least this similar to one of them, FPIR = 1 − (1 − FMR)^size. Comparisons of one probe are not quite
 * independent, so this is what the model implies and not a measurement; persons with several templates count once for each.
 * Pure. Throws `INVALID_ARGUMENT`.
 */
export function fpirAt(calibration: Calibration, similarity: number, size: number): ImpliedRate {
  numberIn('similarity', similarity, -1, 1);
  numberIn('size', size, 0, Number.MAX_SAFE_INTEGER);
  const { rate, atMost } = impliedFmr(calibration, similarity);
  // log1p and expm1 keep small rates of large galleries exact; a rate of 1 leaves no doubt in a gallery that is not empty.
  const fpir = size === 0 ? 0 : rate >= 1 ? 1 : -Math.expm1(size * Math.log1p(-rate));
  return { rate: fpir, atMost };
}

/** The false match rate that one comparison may have so that a gallery of `size` stays at `fpir`: the inverse of {@link fpirAt}. */
export function fmrForFpir(fpir: number, size: number): number {
  numberIn('fpir', fpir, Number.MIN_VALUE, 1);
  numberIn('size', size, 1, Number.MAX_SAFE_INTEGER);
  return fpir >= 1 ? 1 : -Math.expm1(Math.log1p(-fpir) / size);
}
