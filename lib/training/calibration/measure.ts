import { setImmediate as nextTurn } from 'node:timers/promises';
import { LineamentError, throwIfAborted } from '../../errors.js';
import type { Calibration, CalibrationPoint } from '../../models/calibration.js';
import { Random } from '../random.js';

/** Comparisons of one kind: a score each, and the indices of the two persons (the same one twice where they are genuine). */
export interface Comparisons {
  readonly scores: Float64Array;
  readonly a: Int32Array;
  readonly b: Int32Array;
}

/** What was measured at one false match rate. Intervals hold 95 % and draw persons, not comparisons, again. */
export interface CalibrationInterval {
  readonly fmr: number;
  /** Everything at least this similar matches. */
  readonly similarity: number;
  readonly similarity95: readonly [number, number];
  /** Where the false match rate at `similarity` lies. */
  readonly fmr95: readonly [number, number];
  /** Share of genuine comparisons below `similarity`; absent without genuine comparisons. */
  readonly fnmr?: number;
  readonly fnmr95?: readonly [number, number];
}

/** A calibration with what stands behind it. */
export interface MeasuredCalibration extends Calibration {
  readonly dims: number;
  readonly date: string;
  readonly identities: number;
  readonly samples: number;
  /** Comparisons of one person with himself. */
  readonly genuine: number;
  /**
   * Impostor comparisons that share no person: half the number of persons. The others depend on each other, which is why the
   * intervals draw persons (ISO/IEC 19795-1 warns of cross-comparisons taken for independent ones).
   */
  readonly independent: number;
  readonly intervals: readonly CalibrationInterval[];
  readonly provenance: string;
}

export interface MeasureOptions {
  /** False match rates to state, where the data supports them. */
  readonly rates?: readonly number[];
  /** Draws behind the intervals; 200. */
  readonly rounds?: number;
  readonly seed?: string;
  readonly signal?: AbortSignal;
  /** Told the share that is done. */
  readonly onProgress?: (share: number) => void;
}

/** A rate is stated only where at least this many impostor comparisons lie above its threshold … */
export const LEAST_COMPARISONS = 10;
/** … and at least so many different pairs of persons stand behind those: one pair of twins is no rate. */
export const LEAST_PAIRS = 5;
/** Fewer persons than this make no calibration. */
export const LEAST_PERSONS = 10;
export const RATES: readonly number[] = [
  0.3, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001, 5e-4, 2e-4, 1e-4, 5e-5, 2e-5, 1e-5,
];

const SLICE_MS = 4;
/** The clock is read once for so many comparisons. */
const SLICE_MASK = 0x1fff;

/** Gives the event loop a turn every few milliseconds; rejects with `ABORTED`. */
export function slices(signal: AbortSignal | undefined): () => Promise<void> {
  let until = performance.now() + SLICE_MS;
  return async () => {
    if (performance.now() < until) return;
    await nextTurn();
    throwIfAborted(signal);
    until = performance.now() + SLICE_MS;
  };
}

/** Steps between the least and the greatest score; thresholds lie on them. */
const BINS = 65_536;

/** Comparisons by the step that their score lies on: no sorting, which would hold the event loop. */
class Binned {
  readonly #bins: Uint16Array;
  readonly #comparisons: Comparisons;
  readonly #low: number;
  readonly #step: number;

  private constructor(comparisons: Comparisons, low: number, high: number) {
    this.#bins = new Uint16Array(comparisons.scores.length);
    this.#comparisons = comparisons;
    this.#low = low;
    this.#step = (high - low) / (BINS - 1) || 1;
  }

  static async of(
    comparisons: Comparisons,
    [low, high]: readonly [number, number],
    turn: () => Promise<void>,
  ): Promise<Binned> {
    const binned = new Binned(comparisons, low, high);
    const { scores } = comparisons;
    for (let i = 0; i < scores.length; i++) {
      const score = scores[i]!;
      const bin = Math.floor((score - low) / binned.#step);
      // Rounding must not put a score above its step: `score >= edge` decides for those who use the threshold.
      binned.#bins[i] = score < binned.edge(bin) ? Math.max(0, bin - 1) : Math.min(bin, BINS - 1);
      if ((i & SLICE_MASK) === SLICE_MASK) await turn();
    }
    return binned;
  }

  edge(bin: number): number {
    return this.#low + bin * this.#step;
  }

  /** Persons of the comparisons on or above a step. */
  *pairsFrom(bin: number): Generator<readonly [number, number]> {
    for (const [i, own] of this.#bins.entries()) {
      if (own >= bin) yield [this.#comparisons.a[i]!, this.#comparisons.b[i]!];
    }
  }

  /** Weight of each step; all comparisons count alike without weights of persons. */
  async weigh(weights: Float64Array | undefined, turn: () => Promise<void>): Promise<Weighed> {
    const { a, b } = this.#comparisons;
    const sums = new Float64Array(BINS);
    for (let i = 0; i < this.#bins.length; i++) {
      const p = a[i]!;
      const q = b[i]!;
      // A person drawn k times brings his genuine comparisons k times; an impostor comparison counts for both of its persons.
      sums[this.#bins[i]!]! += weights === undefined ? 1 : p === q ? weights[p]! : weights[p]! * weights[q]!;
      if ((i & SLICE_MASK) === SLICE_MASK) await turn();
    }
    // From each step upwards.
    for (let bin = BINS - 2; bin >= 0; bin--) sums[bin]! += sums[bin + 1]!;
    return new Weighed(sums);
  }
}

/** Weight of the comparisons that are at least as similar as each step. */
class Weighed {
  constructor(private readonly sums: Float64Array) {}

  get total(): number {
    return this.sums[0]!;
  }

  share(bin: number): number {
    return bin >= BINS ? 0 : this.sums[bin]! / this.total;
  }

  /** The least step with comparisons on it at which a share of at most `rate` is at least as similar; absent where there is none. */
  threshold(rate: number): number | undefined {
    const allowed = rate * this.total;
    let low = 0;
    let high = BINS;
    while (low < high) {
      const mid = (low + high) >> 1;
      if (this.sums[mid]! > allowed) low = mid + 1;
      else high = mid;
    }
    // Up from there to a step that is not empty.
    while (low < BINS && this.sums[low] === (low + 1 < BINS ? this.sums[low + 1] : 0)) low++;
    return low < BINS ? low : undefined;
  }
}

async function rangeOf(kinds: readonly Comparisons[], turn: () => Promise<void>): Promise<readonly [number, number]> {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { scores } of kinds) {
    for (let i = 0; i < scores.length; i++) {
      low = Math.min(low, scores[i]!);
      high = Math.max(high, scores[i]!);
      if ((i & SLICE_MASK) === SLICE_MASK) await turn();
    }
  }
  return [low, high];
}

/** How much each person counts in one draw: as often as drawn, of as many draws as there are persons. */
function drawPersons(persons: number, random: Random): Float64Array {
  const weights = new Float64Array(persons);
  for (let k = 0; k < persons; k++) weights[Math.floor(random.uniform() * persons)]! += 1;
  return weights;
}

const interval = (values: number[]): readonly [number, number] => {
  const sorted = values.sort((x, y) => x - y);
  return [sorted[Math.floor(sorted.length * 0.025)]!, sorted[Math.ceil(sorted.length * 0.975) - 1]!];
};

const insufficient = (detail: string): LineamentError =>
  new LineamentError('CALIBRATION_INSUFFICIENT', detail, {
    fix: 'Add photographs of more persons: the number of comparisons grows with its square.',
  });

/** Points and intervals of a calibration; nothing is stated that the comparisons cannot bear (`CALIBRATION_INSUFFICIENT`). */
export async function measureCurve(
  impostor: Comparisons,
  genuine: Comparisons,
  persons: number,
  options: MeasureOptions = {},
): Promise<{ readonly points: readonly CalibrationPoint[]; readonly intervals: readonly CalibrationInterval[] }> {
  const { rates = RATES, rounds = 200, seed = '1', signal, onProgress } = options;
  if (persons < LEAST_PERSONS) throw insufficient(`${persons} persons, where ${LEAST_PERSONS} are the least`);
  const turn = slices(signal);
  const range = await rangeOf([impostor, genuine], turn);
  const strangers = await Binned.of(impostor, range, turn);
  const same = await Binned.of(genuine, range, turn);
  const count = impostor.scores.length;
  const flat = await strangers.weigh(undefined, turn);
  const known = await same.weigh(undefined, turn);

  const stated: { readonly fmr: number; readonly bin: number }[] = [];
  for (const fmr of [...rates].sort((x, y) => y - x)) {
    const bin = Math.floor(fmr * count) < LEAST_COMPARISONS ? undefined : flat.threshold(fmr);
    if (bin === undefined) continue;
    const pairs = new Set<number>();
    for (const [p, q] of strangers.pairsFrom(bin)) {
      pairs.add(Math.min(p, q) * persons + Math.max(p, q));
      if (pairs.size >= LEAST_PAIRS) break;
    }
    if (pairs.size >= LEAST_PAIRS && bin > (stated.at(-1)?.bin ?? -1)) stated.push({ fmr, bin });
  }
  if (stated.length < 2) {
    throw insufficient(
      `${count} comparisons of different persons bear ${stated.length} of the false match rates asked for, where 2 are the least`,
    );
  }

  const drawn = stated.map(() => ({ similarity: [] as number[], fmr: [] as number[], fnmr: [] as number[] }));
  const random = new Random(`${seed} calibration`);
  for (let round = 0; round < rounds; round++) {
    const weights = drawPersons(persons, random);
    const others = await strangers.weigh(weights, turn);
    const own = await same.weigh(weights, turn);
    for (const [k, { fmr, bin }] of stated.entries()) {
      const d = drawn[k]!;
      const threshold = others.threshold(fmr);
      if (threshold !== undefined) d.similarity.push(strangers.edge(threshold));
      if (others.total > 0) d.fmr.push(others.share(bin));
      if (own.total > 0) d.fnmr.push(1 - own.share(bin));
    }
    onProgress?.((round + 1) / rounds);
    await turn();
  }
  const intervals = stated.map(({ fmr, bin }, k): CalibrationInterval => {
    const d = drawn[k]!;
    return {
      fmr,
      similarity: strangers.edge(bin),
      similarity95: interval(d.similarity),
      fmr95: interval(d.fmr),
      ...(known.total > 0 && { fnmr: 1 - known.share(bin), fnmr95: interval(d.fnmr) }),
    };
  });
  return { points: intervals.map(({ similarity, fmr }) => ({ similarity, fmr })), intervals };
}
