import { onAbort } from '../errors/abort.js';
import { abortError, throwIfAborted } from '../errors.js';

/**
 * What one consumer has still to see. Never holds up who pushes: beyond `capacity` the oldest goes, and what went is told by `lost`
 * before the rest. Begins when it is made, ends with `end` (what is queued is still given), `return`, or the signal (`ABORTED`).
 */
export class BoundedQueue<T> implements AsyncIterableIterator<T> {
  readonly #capacity: number;
  readonly #whenLost: ((count: number, last: T) => T | undefined) | undefined;
  readonly #whenDone: (() => void) | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #items: T[] = [];
  readonly #waiting: { resolve: (result: IteratorResult<T>) => void; reject: (error: unknown) => void }[] = [];
  readonly #forget: (() => void) | undefined;
  #lost = 0;
  #lastLost: T | undefined;
  #lostInAll = 0;
  #done = false;

  /** @param options `lost` makes what is given in the place of things that were lost, `done` is called once when nothing more is wanted */
  constructor(options: {
    readonly capacity: number;
    readonly lost?: (count: number, last: T) => T | undefined;
    readonly done?: () => void;
    readonly signal?: AbortSignal | undefined;
  }) {
    const { capacity, lost, done, signal } = options;
    throwIfAborted(signal);
    this.#capacity = capacity;
    this.#whenLost = lost;
    this.#whenDone = done;
    this.#signal = signal;
    this.#forget = signal === undefined ? undefined : onAbort(signal, () => this.#abort());
  }

  /** Things that were lost so far. */
  get lost(): number {
    return this.#lostInAll;
  }

  get length(): number {
    return this.#items.length;
  }

  push(item: T): void {
    if (this.#done) return;
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      waiter.resolve({ value: item, done: false });
      return;
    }
    if (this.#items.length >= this.#capacity) {
      this.#lastLost = this.#items.shift();
      this.#lost++;
      this.#lostInAll++;
    }
    this.#items.push(item);
  }

  /** Nothing more comes; what is queued is still given. */
  end(): void {
    if (this.#done) return;
    this.#close();
    for (const { resolve } of this.#waiting.splice(0)) resolve({ value: undefined, done: true });
  }

  next(): Promise<IteratorResult<T>> {
    if (this.#signal?.aborted === true) return Promise.reject(abortError(this.#signal));
    if (this.#lost > 0) {
      const instead = this.#whenLost?.(this.#lost, this.#lastLost as T);
      this.#lost = 0;
      this.#lastLost = undefined;
      if (instead !== undefined) return Promise.resolve({ value: instead, done: false });
    }
    const item = this.#items.shift();
    if (item !== undefined) return Promise.resolve({ value: item, done: false });
    if (this.#done) return Promise.resolve({ value: undefined, done: true });
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  return(): Promise<IteratorResult<T>> {
    this.#items.length = 0;
    this.#lost = 0;
    this.end();
    return Promise.resolve({ value: undefined, done: true });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #abort(): void {
    this.#items.length = 0;
    this.#close();
    for (const { reject } of this.#waiting.splice(0)) reject(abortError(this.#signal));
  }

  #close(): void {
    if (this.#done) return;
    this.#done = true;
    this.#forget?.();
    this.#whenDone?.();
  }
}
