import { createHash } from 'node:crypto';
import { boolean, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { similarity } from '../recognition/compare.js';
import { normalise } from '../recognition/embed.js';
import type { Embedding } from '../types.js';
import { type CaptureInfo, checkTemplate, type Template } from './template.js';

/** One picture of the person. */
export interface EnrolSample {
  readonly embedding: Embedding;
  /** 0–100, its weight; samples without one weigh as the mean of the others. */
  readonly quality?: number;
  readonly capture?: CaptureInfo;
}

export interface EnrolOptions {
  /** How many samples must remain; default 1. */
  readonly minSamples?: number;
  /** Samples of lower quality are left out; default 0. A sample of unknown quality stays. */
  readonly minQuality?: number;
  /**
   * The least mean cosine that a sample must have with the others. Give one wherever there is a calibration, best
   * `similarityAt(calibration, 0.02)`: on the photographs of `benchmarks/` it lets 1 in 100 wrong faces pass, and leaves out
   * none of the right ones where they are good and 2 in 100 where they are poor. Without it samples are judged by each other: see `outlierRatio`.
   */
  readonly genuineFloor?: number;
  /**
   * Without a floor: a sample is out when its mean distance (1 − cosine) from the others exceeds what is usual among them by
   * this factor; default 1.6, which finds 95 in 100 wrong faces among good photographs and two in three among poor ones.
   * Frames of one video are so alike that another picture of the person looks like an outlier.
   */
  readonly outlierRatio?: number;
  /**
   * Keep the meaning of thresholds; default true. The mean of several samples lies nearer to everybody than any of them: with
   * the recognisers of the starter pack, brought to length 1, it matches 6 to 20 % of strangers where a single sample
   * matches 1 %. So what averaging takes from the length is given back in a direction that no sample has, and the cosine
   * with a probe is the mean of the samples' cosines. `false` only scales the mean; for recognisers whose strangers' cosines
   * lie around 0.
   */
  readonly keepThresholds?: boolean;
  /** ms since the epoch, default: now. */
  readonly createdAt?: number;
  readonly expiresAt?: number;
  readonly modelHash?: string;
  readonly consent?: string;
  /** Default: that of the best sample. */
  readonly capture?: CaptureInfo;
}

/** Why a sample did not become part of the template. */
export type SampleReason =
  /** Below `minQuality`. */
  | 'low-quality'
  /** The same picture as an earlier sample, which it would only outvote others with. */
  | 'duplicate'
  /** Too far from the others: another face, or a picture that shows too little of it. */
  | 'outlier';

export interface RejectedSample {
  /** Position among the samples. */
  readonly index: number;
  readonly reason: SampleReason;
  /** Mean cosine with the samples that were kept. */
  readonly similarity: number;
}

export interface EnrolResult {
  readonly template: Template;
  readonly rejected: readonly RejectedSample[];
  /** Mean cosine between the samples that were kept; absent where there is one. */
  readonly agreement?: number;
}

const OPTIONS = [
  'minSamples',
  'minQuality',
  'genuineFloor',
  'outlierRatio',
  'keepThresholds',
  'createdAt',
  'expiresAt',
  'modelHash',
  'consent',
  'capture',
] as const satisfies readonly (keyof EnrolOptions)[];

const MAX_SAMPLES = 256;
/** Cosines above this are one picture twice. */
const SAME = 1 - 1e-6;
/** Vectors shorter than this have no direction to spare. */
const MIN_DIMS = 64;

/**
 * One template from several pictures of a person: samples that do not agree with the majority are left out, the others are
 * averaged, weighted by their quality. Throws `TEMPLATE_REJECTED` when too few remain or no majority agrees (of two that
 * disagree nobody can say which is wrong), `EMBEDDING_MISMATCH` when they are of different recognisers, `TEMPLATE_INVALID`
 * and `INVALID_ARGUMENT`. At most 256 samples. Pure and deterministic but for the clock.
 *
 * The start is the half of the samples nearest to the medoid, as in least trimmed squares (Rousseeuw, "Least median of
 * squares regression", J. Am. Stat. Assoc. 79, 1984): fewer than half wrong ones cannot move it.
 */
export function enrolTemplate(samples: readonly EnrolSample[], options: EnrolOptions = {}): EnrolResult {
  const o = checkOptions(options);
  checkSamples(samples);
  const cosines = samples.map(({ embedding: a }) => samples.map(({ embedding: b }) => similarity(a, b)));
  const reasons = new Map<number, SampleReason>();
  samples.forEach(({ quality }, i) => {
    if (quality !== undefined && quality < o.minQuality) reasons.set(i, 'low-quality');
    else if (cosines[i]!.some((c, j) => j < i && !reasons.has(j) && c > SAME)) reasons.set(i, 'duplicate');
  });
  const candidates = samples.map((_, i) => i).filter((i) => !reasons.has(i));
  const kept = agreeing(candidates, cosines, o);
  for (const i of candidates) if (!kept.includes(i)) reasons.set(i, 'outlier');
  const rejected = [...reasons]
    .sort(([a], [b]) => a - b)
    .map(([index, reason]): RejectedSample => ({ index, reason, similarity: meanWith(index, kept, cosines) }));
  if (2 * kept.length <= candidates.length || kept.length < o.minSamples) {
    throw new LineamentError(
      'TEMPLATE_REJECTED',
      complaint(samples, candidates, kept, rejected, cosines, o.minSamples),
      {
        fix: 'Take more pictures, of one person, well lit and facing the camera.',
      },
    );
  }
  const weights = weightsOf(kept.map((i) => samples[i]!.quality));
  const { model, dims } = samples[kept[0]!]!.embedding;
  const qualities = kept.flatMap((i) => samples[i]!.quality ?? []);
  const best = kept.reduce((a, b) => ((samples[b]!.quality ?? 0) > (samples[a]!.quality ?? 0) ? b : a));
  const capture = options.capture ?? samples[best]!.capture;
  const template = checkTemplate({
    model,
    ...(options.modelHash === undefined ? {} : { modelHash: options.modelHash }),
    dims,
    vector: average(
      kept.map((i) => samples[i]!.embedding.vector),
      weights,
      o.keepThresholds,
    ),
    ...(qualities.length === 0 ? {} : { quality: qualities.reduce((a, b) => a + b, 0) / qualities.length }),
    samples: kept.length,
    createdAt: options.createdAt ?? Date.now(),
    ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }),
    ...(options.consent === undefined ? {} : { consent: options.consent }),
    ...(capture === undefined ? {} : { capture }),
  });
  if (kept.length === 1) return { template, rejected };
  const agreement = kept.reduce((sum, i) => sum + meanWith(i, kept, cosines), 0) / kept.length;
  return { template, rejected, agreement };
}

interface Rules {
  readonly minSamples: number;
  readonly minQuality: number;
  readonly genuineFloor: number | undefined;
  readonly outlierRatio: number;
  readonly keepThresholds: boolean;
}

function checkOptions(options: EnrolOptions): Rules {
  plainObject('options', options, OPTIONS);
  const { genuineFloor } = options;
  return {
    minSamples: positiveInteger('minSamples', options.minSamples ?? 1, MAX_SAMPLES),
    minQuality: numberIn('minQuality', options.minQuality ?? 0, 0, 100),
    genuineFloor: genuineFloor === undefined ? undefined : numberIn('genuineFloor', genuineFloor, -1, 1),
    outlierRatio: numberIn('outlierRatio', options.outlierRatio ?? 1.6, 1, Infinity),
    keepThresholds: boolean('keepThresholds', options.keepThresholds ?? true),
  };
}

function checkSamples(samples: readonly EnrolSample[]): void {
  if (!Array.isArray(samples) || samples.length === 0 || samples.length > MAX_SAMPLES) {
    throw invalid('samples', `1 to ${MAX_SAMPLES} samples`, samples);
  }
  (samples as readonly (EnrolSample | null)[]).forEach((sample, i) => {
    if (typeof sample !== 'object' || sample === null) throw invalid(`samples[${i}]`, 'sample', sample);
    if (sample.quality !== undefined) numberIn(`samples[${i}].quality`, sample.quality, 0, 100);
  });
}

/** Mean cosine of a sample with others; of a single one with itself 1. */
function meanWith(index: number, others: readonly number[], cosines: readonly (readonly number[])[]): number {
  let sum = 0;
  let count = 0;
  for (const j of others) {
    if (j === index) continue;
    sum += cosines[index]![j]!;
    count++;
  }
  return count === 0 ? 1 : sum / count;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** The samples that agree with the majority; none where two disagree. */
function agreeing(all: readonly number[], cosines: readonly (readonly number[])[], rules: Rules): readonly number[] {
  const { genuineFloor: floor, outlierRatio } = rules;
  if (all.length < 2) return all;
  if (all.length === 2) return floor === undefined || cosines[all[0]!]![all[1]!]! >= floor ? all : [];
  const typical = (i: number): number => median(all.filter((j) => j !== i).map((j) => cosines[i]![j]!));
  const medoid = all.reduce((a, b) => (typical(b) > typical(a) ? b : a));
  let kept: readonly number[] = all
    .toSorted((a, b) => (b === medoid ? 2 : cosines[medoid]![b]!) - (a === medoid ? 2 : cosines[medoid]![a]!))
    .slice(0, (all.length >> 1) + 1);
  const mean = (i: number): number => meanWith(i, kept, cosines);
  const worse = (a: number, b: number): number => (mean(b) < mean(a) ? b : a);
  // One at a time: a wrong one lowers the others' means. It settles within as many rounds as there are samples, or nearly.
  for (let round = 0; round < 4 * all.length && kept.length > 1; round++) {
    const usual = median(kept.map((i) => 1 - mean(i)));
    const least = floor ?? 1 - outlierRatio * usual;
    const worst = kept.reduce(worse);
    const others = all.filter((i) => !kept.includes(i) && mean(i) >= least);
    if (mean(worst) < least) kept = kept.filter((i) => i !== worst);
    else if (others.length > 0) kept = [...kept, others.reduce((a, b) => (worse(a, b) === a ? b : a))];
    else break;
  }
  return kept.toSorted((a, b) => a - b);
}

function complaint(
  samples: readonly EnrolSample[],
  candidates: readonly number[],
  kept: readonly number[],
  rejected: readonly RejectedSample[],
  cosines: readonly (readonly number[])[],
  minSamples: number,
): string {
  if (candidates.length === 2 && kept.length === 0) {
    return `the two samples have cosine ${cosines[candidates[0]!]![candidates[1]!]!.toFixed(3)} and disagree`;
  }
  const why = (['low-quality', 'duplicate', 'outlier'] as const)
    .map((reason) => [rejected.filter((r) => r.reason === reason).length, reason] as const)
    .filter(([count]) => count > 0)
    .map(([count, reason]) => `${count} ${reason}`)
    .join(', ');
  const of = `${kept.length} of ${samples.length} samples agree${why === '' ? '' : ` (${why})`}`;
  return kept.length < minSamples ? `${of}, ${minSamples} are needed` : `${of}, which is no majority`;
}

function weightsOf(qualities: readonly (number | undefined)[]): number[] {
  // Quality 0 is bad, not absent.
  const known = qualities.filter((q) => q !== undefined).map((q) => Math.max(q, 1));
  const usual = known.length === 0 ? 1 : known.reduce((a, b) => a + b, 0) / known.length;
  const weights = qualities.map((q) => (q === undefined ? usual : Math.max(q, 1)));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map((w) => w / sum);
}

function average(vectors: readonly Float32Array[], weights: readonly number[], keep: boolean): Float32Array {
  const dims = vectors[0]!.length;
  const units = vectors.map((vector) => {
    let sum = 0;
    for (const v of vector) sum += v * v;
    return Float64Array.from(vector, (v) => v / Math.sqrt(sum));
  });
  const mean = new Float64Array(dims);
  units.forEach((unit, k) => {
    for (let i = 0; i < dims; i++) mean[i]! += weights[k]! * unit[i]!;
  });
  const missing = 1 - dot(mean, mean);
  const spare = keep && dims >= MIN_DIMS && missing > 1e-9 ? spareDirection(units, mean) : undefined;
  if (spare !== undefined) {
    for (let i = 0; i < dims; i++) mean[i]! += Math.sqrt(missing) * spare[i]!;
  }
  const vector = Float32Array.from(mean);
  if (!normalise(vector)) {
    throw new LineamentError('TEMPLATE_REJECTED', 'the samples cancel each other out');
  }
  return vector;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/**
 * A direction at right angles to all samples, drawn from the mean itself, so that the same samples give the same template. A
 * probe has about 1/√dims of its length along it. Absent where the samples leave none.
 */
function spareDirection(units: readonly Float64Array[], mean: Float64Array): Float64Array | undefined {
  const seed = new DataView(new ArrayBuffer(8 * mean.length));
  mean.forEach((v, i) => {
    seed.setFloat64(8 * i, v, true);
  });
  const bits = createHash('shake256', { outputLength: Math.ceil(mean.length / 8) })
    .update(new Uint8Array(seed.buffer))
    .digest();
  const spare = mean.map((_, i) => ((bits[i >> 3]! >> (i & 7)) & 1 ? 1 : -1));
  // Gram–Schmidt, each vector twice: once leaves what rounding made.
  const basis: Float64Array[] = [];
  const free = (vector: Float64Array): number => {
    for (let pass = 0; pass < 2; pass++) {
      for (const b of basis) {
        const along = dot(vector, b);
        for (let i = 0; i < vector.length; i++) vector[i]! -= along * b[i]!;
      }
    }
    const length = Math.sqrt(dot(vector, vector));
    for (let i = 0; i < vector.length; i++) vector[i]! /= length;
    return length;
  };
  for (const unit of units) {
    const vector = Float64Array.from(unit);
    if (free(vector) > 1e-6) basis.push(vector);
  }
  return free(spare) > 1e-3 * Math.sqrt(mean.length) ? spare : undefined;
}
