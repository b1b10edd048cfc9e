import { invalid } from '../errors/validate.js';

/** Values below this are exact, above it each power of two has as many steps. */
const STEPS = 64;
/** One unit, in milliseconds: 10 µs. */
const UNIT = 0.01;
/** Powers of two above `STEPS` units: the longest time is 0.01 × 64 × 2²⁴ ms, three hours. */
const OCTAVES = 24;
const BUCKETS = STEPS * (1 + OCTAVES);

/** A summary of times, milliseconds. All 0 where nothing was counted. */
export interface LatencySummary {
  readonly count: number;
  readonly mean: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/**
 * Counts of times in fixed memory (6 KiB), after the idea of HdrHistogram (Gil Tene): steps that are linear within each power of two. A
 * quantile is the upper edge of its step: never too low, and too high by at most 1/64 or 0.01 ms. Not for several threads.
 */
export class LatencyHistogram {
  readonly #counts = new Uint32Array(BUCKETS);
  #count = 0;
  #sum = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  /** Counts a time in milliseconds; negative ones (clocks that disagree) count as 0, what is no number is left out. */
  record(milliseconds: number): void {
    if (!Number.isFinite(milliseconds)) return;
    const value = Math.max(0, milliseconds);
    this.#counts[bucketOf(value)]!++;
    this.#count++;
    this.#sum += value;
    if (value > this.#max) this.#max = value;
  }

  /** The time that the share `q` (0–1) of all counted times does not exceed; 0 where nothing was counted. */
  quantile(q: number): number {
    if (!(q >= 0 && q <= 1)) throw invalid('q', 'number from 0 to 1', q);
    const rank = Math.max(1, Math.ceil(q * this.#count));
    let seen = 0;
    for (let i = 0; i < BUCKETS; i++) {
      seen += this.#counts[i]!;
      if (seen >= rank) return Math.min(this.#max, upperEdge(i));
    }
    return 0;
  }

  summary(): LatencySummary {
    return {
      count: this.#count,
      mean: this.#count === 0 ? 0 : this.#sum / this.#count,
      p50: this.quantile(0.5),
      p95: this.quantile(0.95),
      p99: this.quantile(0.99),
      max: this.#max,
    };
  }

  /** Forgets everything: for looking at one stretch of time. */
  reset(): void {
    this.#counts.fill(0);
    this.#count = this.#sum = this.#max = 0;
  }
}

/** Bucket of a time: the number of its power of two, and 64 steps within it. */
function bucketOf(milliseconds: number): number {
  const units = milliseconds / UNIT;
  if (units < STEPS) return Math.floor(units);
  const octave = Math.floor(Math.log2(units / STEPS));
  if (octave >= OCTAVES) return BUCKETS - 1;
  const step = Math.floor((units / (STEPS * 2 ** octave) - 1) * STEPS);
  return STEPS * (octave + 1) + Math.min(STEPS - 1, Math.max(0, step));
}

function upperEdge(bucket: number): number {
  if (bucket < STEPS) return (bucket + 1) * UNIT;
  const octave = Math.floor(bucket / STEPS) - 1;
  return UNIT * STEPS * 2 ** octave * (1 + ((bucket % STEPS) + 1) / STEPS);
}
