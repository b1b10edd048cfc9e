/** A value that counts only once it has lasted. */

/** Where a value was first seen. */
export interface Since<M> {
  readonly time: number;
  readonly mark: M;
}

/**
 * Debounces a value: a new one is taken over when it has been there for `holdMs` without a break, and is then told with the moment that it
 * began. The first one is taken over at once.
 */
export class Held<T, M> {
  readonly #holdMs: number;
  #value: T | undefined;
  #began: Since<M> | undefined;
  #next: { readonly value: T; readonly since: Since<M> } | undefined;

  constructor(holdMs: number) {
    this.#holdMs = holdMs;
  }

  /** The value that counts. */
  get value(): T | undefined {
    return this.#value;
  }

  /** When the value that counts began. */
  get began(): Since<M> | undefined {
    return this.#began;
  }

  /** Takes the value at a time (times do not fall) and gives when it began, where it counts from now on. */
  push(time: number, value: T, mark: M): Since<M> | undefined {
    if (value === this.#value) {
      this.#next = undefined;
      return undefined;
    }
    if (this.#value === undefined) return this.#take({ value, since: { time, mark } });
    if (this.#next?.value !== value) this.#next = { value, since: { time, mark } };
    return time - this.#next.since.time >= this.#holdMs ? this.#take(this.#next) : undefined;
  }

  /** Nothing will come any more: what was waiting counts. */
  settle(): Since<M> | undefined {
    return this.#next && this.#take(this.#next);
  }

  #take(next: { readonly value: T; readonly since: Since<M> }): Since<M> {
    this.#value = next.value;
    this.#began = next.since;
    this.#next = undefined;
    return next.since;
  }
}
