import { onAbort } from '../errors/abort.js';
import { abortError } from '../errors.js';
import type { CameraNotice } from './types.js';

/** No reader of notices falls further behind: the oldest go. */
const MOST_WAITING = 1000;

/** Tells listeners and readers of changes of state. */
export class Notices {
  readonly #listeners = new Set<(notice: CameraNotice) => void>();
  readonly #ends = new Set<() => void>();
  #over = false;

  listen(listener: (notice: CameraNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  send(notice: CameraNotice, last: boolean): void {
    for (const listener of [...this.#listeners]) listener(notice);
    if (!last) return;
    this.#over = true;
    for (const end of [...this.#ends]) end();
  }

  /** Listens from the call on, not from the first `next`. */
  read(signal: AbortSignal | undefined): AsyncIterableIterator<CameraNotice> {
    const waiting: CameraNotice[] = [];
    let wake: () => void = () => undefined;
    let left = false;
    const forgetNotices = this.listen((notice) => {
      waiting.push(notice);
      if (waiting.length > MOST_WAITING) waiting.shift();
      wake();
    });
    const nudge = (): void => wake();
    this.#ends.add(nudge);
    const forgetSignal = signal === undefined || signal.aborted ? undefined : onAbort(signal, nudge);
    const leave = (): IteratorReturnResult<undefined> => {
      left = true;
      forgetNotices();
      forgetSignal?.();
      this.#ends.delete(nudge);
      wake();
      return { done: true, value: undefined };
    };
    const next = async (): Promise<IteratorResult<CameraNotice, undefined>> => {
      while (!left) {
        if (signal?.aborted === true) {
          leave();
          throw abortError(signal);
        }
        const value = waiting.shift();
        if (value !== undefined) return { done: false, value };
        if (this.#over) break;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return leave();
    };
    return {
      next,
      return: async () => leave(),
      [Symbol.asyncIterator]() {
        return this;
      },
    };
  }
}
