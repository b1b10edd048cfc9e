/** Weight of the newest time in a mean, once there are enough of them. */
const NEWEST = 1 / 16;
/** Kinds are names of operations in the code; were they ever taken from requests, this bounds them. */
const MOST_KINDS = 256;

interface Mean {
  count: number;
  ms: number;
}

/** How long work takes: a running mean for each kind, and one over all. Exact for the first times, then the newest count most. */
export class ServiceTimes {
  readonly #kinds = new Map<string, Mean>();
  readonly #all: Mean = { count: 0, ms: 0 };

  record(kind: string, ms: number): void {
    add(this.#all, ms);
    let mean = this.#kinds.get(kind);
    if (mean === undefined) {
      if (this.#kinds.size >= MOST_KINDS) return;
      mean = { count: 0, ms: 0 };
      this.#kinds.set(kind, mean);
    }
    add(mean, ms);
  }

  /** Of a kind that was never seen the mean of all; 0 where nothing was. */
  expected(kind: string): number {
    return this.#kinds.get(kind)?.ms ?? this.#all.ms;
  }

  get mean(): number {
    return this.#all.ms;
  }
}

function add(mean: Mean, ms: number): void {
  mean.count++;
  mean.ms += (ms - mean.ms) * Math.max(1 / mean.count, NEWEST);
}
