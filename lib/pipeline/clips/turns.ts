import { LineamentError } from '../../errors.js';

/** At most `count` at a time; the others wait, first come, first served. */
export class Turns {
  readonly #waiting: (() => void)[] = [];
  #free: number;

  constructor(count: number) {
    this.#free = count;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Resolves when it is one's turn, with what ends it. Rejects with `CLOSED` when `signal` fires before. */
  async take(signal: AbortSignal): Promise<() => void> {
    const gone = (): LineamentError => new LineamentError('CLOSED', 'stopped before its turn');
    if (signal.aborted) throw gone();
    if (this.#free === 0) {
      await new Promise<void>((resolve, reject) => {
        const leave = (): void => {
          this.#waiting.splice(this.#waiting.indexOf(go), 1);
          reject(gone());
        };
        const go = (): void => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        signal.addEventListener('abort', leave, { once: true });
        this.#waiting.push(go);
      });
    } else {
      this.#free--;
    }
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    };
  }
}
