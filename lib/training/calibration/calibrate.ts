import { nonEmptyString, plainObject, positiveInteger } from '../../errors/validate.js';
import { callSite, LineamentError, wrapError } from '../../errors.js';
import { checkEmbedding, similarity } from '../../recognition/compare.js';
import type { Embedding } from '../../types.js';
import { Random } from '../random.js';
import { type Comparisons, type MeasuredCalibration, type MeasureOptions, measureCurve, slices } from './measure.js';

/** A face whose person is known. */
export interface LabelledEmbedding {
  /** Name or number of the person: only equality counts. */
  readonly person: string;
  readonly embedding: Embedding;
  /** What it was cut from. Faces of one photograph are not compared: light and camera would make strangers alike. */
  readonly photo?: string;
}

export interface CalibrateOptions extends MeasureOptions {
  /** Rate that `verify` asks for when its caller names none; 0.01, or the nearest that was measured. */
  readonly defaultFmr?: number;
  /** Comparisons of different persons that are made at most, drawn evenly where there are more; 2 million. */
  readonly maxComparisons?: number;
  /** Where the photographs come from, for whoever reads the file. */
  readonly provenance?: string;
}

const KNOWN = ['rates', 'rounds', 'seed', 'signal', 'onProgress', 'defaultFmr', 'maxComparisons', 'provenance'];
/** Share of the work that comparing is, for the progress; the rest is drawing. */
const COMPARING = 0.6;

class Growing {
  readonly scores: number[] = [];
  readonly a: number[] = [];
  readonly b: number[] = [];
  push(score: number, a: number, b: number): void {
    this.scores.push(score);
    this.a.push(a);
    this.b.push(b);
  }
  comparisons(): Comparisons {
    return { scores: Float64Array.from(this.scores), a: Int32Array.from(this.a), b: Int32Array.from(this.b) };
  }
}

/**
 * Measures what a recogniser's similarity means on faces of known persons: a curve from similarity to false match rate with
 * confidence intervals, and the false non-match rate beside it. Every face is compared with every other (those of one photograph
 * excepted). A rate is stated only where ten comparisons of five pairs of persons lie above it; nothing is extrapolated. All samples
 * must be of one recogniser.
 *
 * Rejects with `CALIBRATION_INSUFFICIENT` (too few persons or comparisons, with the number), `EMBEDDING_MISMATCH`,
 * `INVALID_ARGUMENT`, `ABORTED`. Runs on the calling thread in slices of a few milliseconds. The same input gives the same
 * result. Source: ISO/IEC 19795-1 for the terms; intervals by drawing persons with replacement (R. Bolle et al., "Error
 * analysis of pattern recognition systems – the subsets bootstrap", CVIU 93, 2004).
 */
export async function calibrate(
  samples: readonly LabelledEmbedding[],
  options: CalibrateOptions = {},
): Promise<MeasuredCalibration> {
  const site = callSite(calibrate);
  try {
    plainObject('options', options, KNOWN);
    const { signal, onProgress, maxComparisons = 2e6, provenance = '', seed = '1' } = options;
    positiveInteger('maxComparisons', maxComparisons, 1e8);
    const persons = new Map<string, number>();
    const index = samples.map((sample, i) => {
      checkEmbedding(`samples[${i}].embedding`, sample.embedding);
      nonEmptyString(`samples[${i}].person`, sample.person);
      if (!persons.has(sample.person)) persons.set(sample.person, persons.size);
      return persons.get(sample.person)!;
    });
    const first = samples[0]?.embedding;
    if (first === undefined) throw new LineamentError('CALIBRATION_INSUFFICIENT', 'no faces');
    const different = index.length ** 2 / 2;
    const keep = Math.min(1, maxComparisons / Math.max(1, different));
    const random = new Random(`${seed} comparisons`);
    const [impostor, genuine] = [new Growing(), new Growing()];
    const turn = slices(signal);
    for (let i = 0; i < samples.length; i++) {
      const a = samples[i]!;
      for (let j = i + 1; j < samples.length; j++) {
        const b = samples[j]!;
        if (a.photo !== undefined && a.photo === b.photo) continue;
        const same = index[i] === index[j];
        if (!same && keep < 1 && random.uniform() >= keep) continue;
        (same ? genuine : impostor).push(similarity(a.embedding, b.embedding), index[i]!, index[j]!);
        if ((j & 255) === 0) await turn();
      }
      onProgress?.((COMPARING * (i + 1)) / samples.length);
      await turn();
    }
    const { points, intervals } = await measureCurve(impostor.comparisons(), genuine.comparisons(), persons.size, {
      ...options,
      onProgress: (share) => onProgress?.(COMPARING + (1 - COMPARING) * share),
    });
    const wanted = options.defaultFmr ?? 0.01;
    const measured = points.map(({ fmr }) => fmr);
    return {
      model: first.model,
      metric: 'cosine',
      impostors: impostor.scores.length,
      defaultFmr: Math.min(measured[0]!, Math.max(measured.at(-1)!, wanted)),
      points,
      dims: first.dims,
      date: new Date().toISOString(),
      identities: persons.size,
      samples: samples.length,
      genuine: genuine.scores.length,
      independent: Math.floor(persons.size / 2),
      intervals,
      provenance,
    };
  } catch (error) {
    throw wrapError(error, site);
  }
}
