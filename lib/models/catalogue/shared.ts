import { onAbort } from '../../errors/abort.js';
import { abortError } from '../../errors.js';
import type { CatalogueDownloadOptions, DownloadProgress } from './types.js';

/** At most so often a caller hears of progress, ms. */
const EVERY_MS = 100;

/** One piece of work for many callers: each has its own progress and signal, and the work ends early when nobody is left. */
export class SharedDownload {
  readonly #controller = new AbortController();
  readonly #listeners = new Set<(progress: DownloadProgress) => void>();
  readonly #work: Promise<void>;
  #callers = 0;
  #last: DownloadProgress | undefined;
  #told = 0;

  constructor(work: (signal: AbortSignal, onProgress: (progress: DownloadProgress) => void) => Promise<void>) {
    this.#work = work(this.#controller.signal, (progress) => this.#tell(progress));
    // Every caller may have left before it ends.
    this.#work.catch(() => undefined);
  }

  get settled(): Promise<void> {
    return this.#work.then(
      () => undefined,
      () => undefined,
    );
  }

  /** Nobody waits for it any more: it is ending. */
  get abandoned(): boolean {
    return this.#controller.signal.aborted;
  }

  #tell(progress: DownloadProgress): void {
    const now = performance.now();
    const ends = progress.received === progress.total || progress.source !== this.#last?.source;
    this.#last = progress;
    if (!ends && now - this.#told < EVERY_MS) return;
    this.#told = now;
    for (const listener of [...this.#listeners]) listener(progress);
  }

  /** Waits for the work as one of its callers. */
  join({ signal, onProgress }: CatalogueDownloadOptions): Promise<void> {
    this.#callers++;
    if (onProgress !== undefined) {
      this.#listeners.add(onProgress);
      if (this.#last !== undefined) onProgress(this.#last);
    }
    return new Promise<void>((resolve, reject) => {
      let forget = (): void => {};
      const leave = (): void => {
        forget();
        if (onProgress !== undefined) this.#listeners.delete(onProgress);
        this.#callers--;
      };
      if (signal !== undefined) {
        forget = onAbort(signal, () => {
          leave();
          if (this.#callers === 0) this.#controller.abort(signal.reason);
          reject(abortError(signal));
        });
      }
      this.#work.then(
        () => {
          leave();
          resolve();
        },
        (error: unknown) => {
          leave();
          reject(error);
        },
      );
    });
  }
}
