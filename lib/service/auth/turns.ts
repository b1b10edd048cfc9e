import { overloaded } from '../scheduling/overload.js';

/** Share of the line that is there for one caller. */
const SHARE = 0.25;

/**
 * Costly work in turns: `most` at a time in all, and one at a time for each caller, so that none can keep the others from theirs. At most `waiting`
 * works wait, a quarter of them of one caller; more are refused with `OVERLOADED`.
 */
export class Turns {
  readonly #most: number;
  readonly #waiting: number;
  /** Callers who have work, each with what waits of theirs. A caller is in `#ready` or at work, never both. */
  readonly #callers = new Map<string, (() => Promise<void>)[]>();
  readonly #ready: string[] = [];
  #running = 0;
  #queued = 0;

  constructor(most: number, waiting: number) {
    this.#most = most;
    this.#waiting = waiting;
  }

  /** Settles as `work` does. */
  take<T>(caller: string, work: () => Promise<T>): Promise<T> {
    const waiting = this.#callers.get(caller);
    if (this.#queued >= this.#waiting || (waiting?.length ?? 0) >= SHARE * this.#waiting) {
      return Promise.reject(overloaded('too many keys wait to be checked', 1000));
    }
    return new Promise<T>((resolve, reject) => {
      const job = (): Promise<void> => work().then(resolve, reject);
      this.#queued++;
      if (waiting === undefined) {
        this.#callers.set(caller, [job]);
        this.#ready.push(caller);
      } else {
        waiting.push(job);
      }
      this.#next();
    });
  }

  #next(): void {
    while (this.#running < this.#most) {
      const caller = this.#ready.shift();
      if (caller === undefined) return;
      const waiting = this.#callers.get(caller)!;
      const job = waiting.shift()!;
      this.#queued--;
      this.#running++;
      void job().finally(() => {
        this.#running--;
        if (waiting.length > 0) this.#ready.push(caller);
        else this.#callers.delete(caller);
        this.#next();
      });
    }
  }
}
