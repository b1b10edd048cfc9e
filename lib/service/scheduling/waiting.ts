import type { Priority } from '../types.js';

/** Most urgent first. */
export const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];

/** What waits for its turn. */
export interface Waiting {
  readonly priority: Priority;
  /** When it began to wait, ms of a clock that never goes back. */
  readonly since: number;
}

/**
 * What waits, by urgency and age. A job stands in line as if it had come later by its priority's handicap: a `high` one passes the others,
 * and a `low` one that has waited as long as its handicap is passed by nobody who comes then, so that nothing starves. Of equal priority the
 * oldest is first.
 */
export class WaitingLine<T extends Waiting> {
  readonly #handicaps: Readonly<Record<Priority, number>>;
  /** Sets keep the order of insertion, and give up members anywhere at no cost. */
  readonly #lines: Readonly<Record<Priority, Set<T>>> = { high: new Set(), normal: new Set(), low: new Set() };

  /** @param handicaps ms */
  constructor(handicaps: Readonly<Record<Priority, number>>) {
    this.#handicaps = handicaps;
  }

  get size(): number {
    return PRIORITIES.reduce((sum, priority) => sum + this.#lines[priority].size, 0);
  }

  /** Jobs of one priority are to be handed in in the order of `since`. */
  add(one: T): void {
    this.#lines[one.priority].add(one);
  }

  /** False where it does not wait. */
  delete(one: T): boolean {
    return this.#lines[one.priority].delete(one);
  }

  /** Takes the first one out; absent where nothing waits. */
  take(): T | undefined {
    let first: T | undefined;
    for (const priority of PRIORITIES) {
      const [head] = this.#lines[priority];
      if (head !== undefined && (first === undefined || this.#place(head) < this.#place(first))) first = head;
    }
    if (first !== undefined) this.#lines[first.priority].delete(first);
    return first;
  }

  /** Everything that would be taken before one that comes now. */
  *before(given: Waiting): Generator<T> {
    const place = this.#place(given);
    for (const priority of PRIORITIES) {
      for (const one of this.#lines[priority]) {
        if (this.#place(one) > place) break;
        yield one;
      }
    }
  }

  *[Symbol.iterator](): Generator<T> {
    for (const priority of PRIORITIES) yield* this.#lines[priority];
  }

  #place({ priority, since }: Waiting): number {
    return since + this.#handicaps[priority];
  }
}
