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
  #later: NodeJS.Timeout | undefined;

  constructor(work: (signal: AbortSignal, onProgress: (progress: DownloadProgress) => void) => Promise<void>) {
    this.#work = work(this.#controller.signal, (progress) => this.#tell(progress));
    // Every caller may have left before it ends.
    void this.settled.then(() => clearTimeout(this.#later));
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
    const ends = progress.received === progress.total || progress.source !== this.#last?.source;
    this.#last = progress;
    const wait = ends ? 0 : this.#told + EVERY_MS - performance.now();
    if (wait <= 0) this.#pass();
    // What is held back is told though nothing follows: the line may stand still.
    else this.#later ??= setTimeout(() => this.#pass(), wait).unref();
  }

  #pass(): void {
    clearTimeout(this.#later);
    this.#later = undefined;
    this.#told = performance.now();
    for (const listener of [...this.#listeners]) listener(this.#last!);
  }

  /** Waits for the work as one of its callers. Rejects with what the work or `onProgress` fails with, and with `ABORTED`. */
  join({ signal, onProgress }: CatalogueDownloadOptions): Promise<void> {
    this.#callers++;
    return new Promise<void>((resolve, reject) => {
      let gone = false;
      let forget = (): void => {};
      const leave = (): void => {
        if (gone) return;
        gone = true;
        forget();
        this.#listeners.delete(listen);
        this.#callers--;
      };
      const quit = (reason: unknown, error: unknown): void => {
        leave();
        if (this.#callers === 0) this.#controller.abort(reason);
        reject(error);
      };
      const listen = (progress: DownloadProgress): void => {
        try {
          onProgress?.(progress);
        } catch (error) {
          quit(error, error);
        }
      };
      if (signal !== undefined) forget = onAbort(signal, () => quit(signal.reason, abortError(signal)));
      this.#listeners.add(listen);
      if (this.#last !== undefined) listen(this.#last);
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
