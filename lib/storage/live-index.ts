import type { VectorIndex } from '../search/index.js';

export interface IndexEntry {
  readonly key: number;
  readonly group: number;
  readonly vector: Float32Array;
  readonly expiresAt?: number;
}

/** A vector index that follows a database: changes in the order of the commits, and nothing that has expired. */
export class LiveIndex {
  /** Keys that the index holds. */
  readonly keys = new Set<number>();
  /** When they expire, those that do. */
  readonly #expiries = new Map<number, number>();
  #nextExpiry = Number.POSITIVE_INFINITY;
  #changes: Promise<unknown> = Promise.resolve();
  #failures = 0;

  constructor(readonly vectors: VectorIndex) {}

  /** Changes that failed: what they should have brought must be looked for in the database. */
  get failures(): number {
    return this.#failures;
  }

  /** One change after another, in the order of the calls. */
  change(work: () => Promise<void>): Promise<void> {
    const done = this.#changes.then(work);
    this.#changes = done.catch(() => {
      this.#failures++;
    });
    return done;
  }

  /** Resolves when the changes asked for until now are done or have failed. */
  async settled(): Promise<void> {
    await this.#changes;
  }

  /** Inside a change: takes vectors in. */
  async learn(entries: readonly IndexEntry[]): Promise<void> {
    if (entries.length === 0) return;
    const { dims } = this.vectors;
    const numbers = new Float32Array(entries.length * dims);
    for (const [i, { vector }] of entries.entries()) numbers.set(vector, i * dims);
    // Rather than `add`: what another look at the database has already found may come again.
    await this.vectors.update(
      entries.map((entry) => entry.key),
      numbers,
      entries.map((entry) => entry.group),
    );
    for (const { key, expiresAt } of entries) {
      this.keys.add(key);
      if (expiresAt === undefined) continue;
      this.#expiries.set(key, expiresAt);
      this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    }
  }

  /** Inside a change: takes vectors out. */
  async forget(keys: readonly number[]): Promise<void> {
    if (keys.length === 0) return;
    await this.vectors.remove(keys);
    for (const key of keys) {
      this.keys.delete(key);
      this.#expiries.delete(key);
    }
  }

  /** Takes out what has expired by then. */
  async expire(now: number): Promise<void> {
    if (now < this.#nextExpiry) return;
    await this.change(async () => {
      await this.forget([...this.#expiries].filter(([, at]) => at <= now).map(([key]) => key));
      this.#nextExpiry = Number.POSITIVE_INFINITY;
      for (const at of this.#expiries.values()) this.#nextExpiry = Math.min(this.#nextExpiry, at);
    });
  }
}
