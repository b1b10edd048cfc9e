/** One WebSocket, as something that can be waited for: what is slow is told apart from what is quick, and nothing piles up. */
import type { WebSocket } from '../vendor.js';

/** A client that answers no ping for so long is gone. */
const PING_MS = 30_000;

/** Codes of RFC 6455, and one of ours. */
export const CLOSE = { normal: 1000, goingAway: 1001, unsupported: 1003, failed: 1011, tryAgain: 1013 } as const;

export class Wire {
  /** Fires when the connection is over. */
  readonly closed: AbortSignal;
  readonly #socket: WebSocket;

  constructor(socket: WebSocket, closing: AbortSignal) {
    this.#socket = socket;
    const over = new AbortController();
    this.closed = over.signal;
    let alive = true;
    socket.on('pong', () => {
      alive = true;
    });
    socket.on('error', () => socket.terminate());
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
      over.abort();
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

  /** Text messages of the client as JSON; others are refused with `unsupported`. */
  listen(take: (message: unknown) => void): void {
    this.#socket.on('message', (data, binary) => {
      if (binary) return this.close(CLOSE.unsupported, 'text is expected');
      let message: unknown;
      try {
        message = JSON.parse(String(data));
      } catch {
        return this.close(CLOSE.unsupported, 'JSON is expected');
      }
      take(message);
    });
  }

  close(code: number, reason: string): void {
    this.#socket.close(code, reason);
  }
}
