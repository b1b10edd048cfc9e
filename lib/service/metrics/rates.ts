import { LatencyHistogram } from '../../pipeline/histogram.js';

const SECONDS = 60;

/** Counts and times of one thing, for people to read: since the start, and each second of the last minute. Fixed memory. */
export class Tally {
  readonly times = new LatencyHistogram();
  readonly #counts = new Uint32Array(SECONDS);
  #second: number;
  readonly #began: number;
  errors = 0;

  constructor(now = performance.now()) {
    this.#second = Math.floor(now / 1000);
    this.#began = now;
  }

  add(milliseconds: number, now = performance.now()): void {
    this.#turn(now);
    this.#counts[this.#second % SECONDS]!++;
    this.times.record(milliseconds);
  }

  /** Mean over the last minute, or over the time since the first where that is shorter. */
  perSecond(now = performance.now()): number {
    this.#turn(now);
    const recent = this.#counts.reduce((sum, count) => sum + count, 0);
    return recent / Math.min(SECONDS, Math.max(1, (now - this.#began) / 1000));
  }

  /** Clears the seconds that have gone by. */
  #turn(now: number): void {
    const second = Math.floor(now / 1000);
    const gone = Math.min(SECONDS, second - this.#second);
    for (let i = 1; i <= gone; i++) this.#counts[(this.#second + i) % SECONDS] = 0;
    if (second > this.#second) this.#second = second;
  }
}
