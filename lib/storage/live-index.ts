import type { VectorIndex } from '../search/index.js';

export interface IndexEntry {
  readonly key: number;
  readonly group: number;
  readonly vector: Float32Array;
}

/** Whole numbers, one bit each: a `Set` ends at 2^24 of them. */
export class KeySet {
  #words: Uint32Array;

  constructor(words = new Uint32Array(32)) {
    this.#words = words;
  }

  has(key: number): boolean {
    return ((this.#words[Math.floor(key / 32)] ?? 0) & (1 << (key % 32))) !== 0;
  }

  add(key: number): void {
    const at = Math.floor(key / 32);
    if (at >= this.#words.length) {
      const more = new Uint32Array(Math.max(at + 1, 2 * this.#words.length));
      more.set(this.#words);
      this.#words = more;
    }
    this.#words[at]! |= 1 << (key % 32);
  }

  delete(key: number): void {
    const at = Math.floor(key / 32);
    if (at < this.#words.length) this.#words[at]! &= ~(1 << (key % 32));
  }

  copy(): KeySet {
    return new KeySet(this.#words.slice());
  }

  *[Symbol.iterator](): Generator<number> {
    for (let at = 0; at < this.#words.length; at++) {
      if (this.#words[at] === 0) continue;
      for (let bit = 0; bit < 32; bit++) if (this.has(32 * at + bit)) yield 32 * at + bit;
    }
  }
}

/** A vector index that follows a database: its changes are done in the order of the commits. */
export class LiveIndex {
  /** Keys that the index holds. */
  readonly keys = new KeySet();
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
    for (const { key } of entries) this.keys.add(key);
  }

  /** Inside a change: takes vectors out. */
  async forget(keys: Iterable<number>): Promise<void> {
    let part: number[] = [];
    const remove = async (): Promise<void> => {
      await this.vectors.remove(part);
      for (const key of part) this.keys.delete(key);
      part = [];
    };
    for (const key of keys) {
      part.push(key);
      if (part.length === STEP) await remove();
    }
    if (part.length > 0) await remove();
  }
}

/** Keys taken out at once. */
const STEP = 10_000;
