import { LineamentError } from '../errors.js';

/**
 * Keeps a thing from being freed while it is in use: uses are counted, `close` refuses new ones, waits for those that run,
 * then disposes, once.
 */
export class Lifetime {
  readonly #name: string;
  #uses = 0;
  #closing: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  get closed(): boolean {
    return this.#closing !== undefined;
  }

  /** Calls that run now. */
  get uses(): number {
    return this.#uses;
  }

  /** Throws `CLOSED` once `close` was called. */
  check(): void {
    if (this.closed) throw new LineamentError('CLOSED', `this ${this.#name} has been closed`);
  }

  async use<T>(work: () => Promise<T>): Promise<T> {
    this.check();
    this.#uses++;
    try {
      return await work();
    } finally {
      this.#uses--;
      if (this.#uses === 0) this.#whenIdle?.();
    }
  }

  /** Idempotent: every call gives the same promise, which resolves when `dispose` has. */
  close(dispose: () => Promise<void>): Promise<void> {
    this.#closing ??= (async () => {
      if (this.#uses > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
      await dispose();
    })();
    return this.#closing;
  }
}
