import type { Priority } from '../types.js';

/** Most urgent first. */
export const PRIORITIES: readonly Priority[] = ['high', 'normal', 'low'];

/** What waits for its turn. */
export interface Waiting {
  readonly kind: string;
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
  /** How many of each kind stand in a line: asked for with every job that comes, also when hundreds wait. */
  readonly #kinds: Readonly<Record<Priority, Map<string, number>>> = {
    high: new Map(),
    normal: new Map(),
    low: new Map(),
  };

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
    this.#count(one, 1);
  }

  /** False where it does not wait. */
  delete(one: T): boolean {
    const there = this.#lines[one.priority].delete(one);
    if (there) this.#count(one, -1);
    return there;
  }

  /** Takes the first one out; absent where nothing waits. */
  take(): T | undefined {
    let first: T | undefined;
    for (const priority of PRIORITIES) {
      const [head] = this.#lines[priority];
      if (head !== undefined && (first === undefined || this.#place(head) < this.#place(first))) first = head;
    }
    if (first !== undefined) this.delete(first);
    return first;
  }

  /** How many of each kind would be taken before one that comes now; of all that wait where none is given. */
  *ahead(given?: Pick<Waiting, 'priority' | 'since'>): Generator<readonly [kind: string, count: number]> {
    for (const priority of PRIORITIES) {
      if (given === undefined || this.#handicaps[priority] <= this.#handicaps[given.priority]) {
        yield* this.#kinds[priority];
        continue;
      }
      // Of the less urgent only those that have waited long.
      for (const one of this.#lines[priority]) {
        if (this.#place(one) > this.#place(given)) break;
        yield [one.kind, 1];
      }
    }
  }

  #count({ kind, priority }: T, change: 1 | -1): void {
    const kinds = this.#kinds[priority];
    const count = (kinds.get(kind) ?? 0) + change;
    if (count === 0) kinds.delete(kind);
    else kinds.set(kind, count);
  }

  #place({ priority, since }: Pick<Waiting, 'priority' | 'since'>): number {
    return since + this.#handicaps[priority];
  }
}
