/** One WebSocket, as something that can be waited for: what is slow is told apart from what is quick, and nothing piles up. */
import type { WebSocket } from '../vendor.js';

/** A client that answers no ping for so long is gone. */
const PING_MS = 30_000;

/** Codes of RFC 6455, and one of ours. */
export const CLOSE = { normal: 1000, goingAway: 1001, unsupported: 1003, failed: 1011, tryAgain: 1013 } as const;

export class Wire {
  /** Fires when the connection is over, or this end has closed it. */
  readonly closed: AbortSignal;
  readonly #socket: WebSocket;
  readonly #over = new AbortController();
  /** Messages of the client that are being answered. */
  #answering = 0;

  constructor(socket: WebSocket, closing: AbortSignal) {
    this.#socket = socket;
    this.closed = this.#over.signal;
    let alive = true;
    socket.on('pong', () => {
      alive = true;
    });
    const ping = setInterval(() => {
      if (!alive) return socket.terminate();
      alive = false;
      socket.ping();
    }, PING_MS).unref();
    const stop = (): void => this.close(CLOSE.goingAway, 'the service stops');
    closing.addEventListener('abort', stop, { once: true });
    socket.once('close', () => {
      clearInterval(ping);
      closing.removeEventListener('abort', stop);
      this.#over.abort();
    });
    if (closing.aborted) stop();
  }

  /** Resolves when the system has taken it, however slow the other end is; true unless the connection is over. */
  send(message: object | Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.closed.aborted) return resolve(false);
      const done = (): void => resolve(false);
      this.closed.addEventListener('abort', done, { once: true });
      this.#socket.send(message instanceof Uint8Array ? message : JSON.stringify(message), (error) => {
        this.closed.removeEventListener('abort', done);
        resolve(!error);
      });
    });
  }

  /**
   * Text messages of the client as JSON; others are refused with `unsupported`. Where `take` gives a promise nothing more is read until it has
   * settled: who asks and does not read the answers is not heard.
   */
  listen(take: (message: unknown) => Promise<unknown> | undefined): void {
    this.#socket.on('message', (data, binary) => {
      if (this.closed.aborted) return;
      if (binary) return this.close(CLOSE.unsupported, 'text is expected');
      let message: unknown;
      try {
        message = JSON.parse(String(data));
      } catch {
        return this.close(CLOSE.unsupported, 'JSON is expected');
      }
      const taken = take(message);
      if (taken === undefined) return;
      this.#answering++;
      this.#socket.pause();
      void taken.finally(() => {
        if (--this.#answering === 0) this.#socket.resume();
      });
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
    this.#over.abort();
  }
}
