import { numberIn } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import {
  type Calibration,
  fmrAt,
  fmrForFpir,
  fpirAt,
  impliedFmr,
  readCalibration,
  similarityAt,
} from '../models/index.js';
import type { DecisionOptions } from './types.js';

/** What similarities mean, by model. */
export class Rates {
  readonly #own: Calibration | undefined;
  readonly #read = new Map<string, Promise<Calibration | undefined>>();

  constructor(own: Calibration | undefined) {
    this.#own = own;
  }

  /** Absent where none was given or measured. A protected template is judged as the model beneath it. */
  async of(model: string): Promise<Calibration | undefined> {
    const name = model.split('#')[0]!;
    if (this.#own?.model === name) return this.#own;
    let known = this.#read.get(name);
    if (known === undefined) {
      known = readCalibration(name);
      this.#read.set(name, known);
      known.catch(() => this.#read.delete(name));
    }
    return known;
  }

  /** From which similarity on a match is decided, in a gallery of `size` templates. */
  async threshold(
    model: string,
    options: Pick<DecisionOptions, 'fmr' | 'fpir' | 'threshold'>,
    size: number,
  ): Promise<{ readonly threshold: number; readonly fmr?: number; readonly calibration?: Calibration }> {
    const { fmr, fpir, threshold } = options;
    if ([fmr, fpir, threshold].filter((v) => v !== undefined).length > 1) {
      throw new LineamentError('INVALID_ARGUMENT', 'Expected one of fmr, fpir and threshold but received several');
    }
    const calibration = await this.of(model);
    if (threshold !== undefined) {
      numberIn('threshold', threshold, -1, 1);
      const rate = calibration === undefined ? undefined : fmrAt(calibration, threshold);
      return { threshold, ...(rate === undefined ? {} : { fmr: rate }), ...(calibration && { calibration }) };
    }
    if (fmr !== undefined) numberIn('fmr', fmr, Number.MIN_VALUE, 1);
    if (fpir !== undefined) numberIn('fpir', fpir, Number.MIN_VALUE, 1);
    if (calibration === undefined) {
      throw new LineamentError('MODEL_NOT_FOUND', `no calibration of '${model}' is known`, {
        fix: "Name a threshold, or measure one with 'lineament calibrate' and give it to openGallery.",
      });
    }
    const wanted = fmr ?? (fpir === undefined ? calibration.defaultFmr : fmrForFpir(fpir, Math.max(1, size)));
    return { threshold: similarityAt(calibration, wanted), fmr: wanted, calibration };
  }
}

/** The rates that a similarity has in a gallery of `size` templates. */
export function ratesAt(
  calibration: Calibration | undefined,
  similarity: number,
  size: number,
): { readonly fmr?: number; readonly fpir?: number; readonly ratesAtMost?: true } {
  if (calibration === undefined) return {};
  const bounded = Math.max(-1, Math.min(1, similarity));
  const { rate, atMost } = impliedFmr(calibration, bounded);
  const fpir = fpirAt(calibration, bounded, size).rate;
  return { fmr: rate, fpir, ...(atMost ? { ratesAtMost: true } : {}) };
}
