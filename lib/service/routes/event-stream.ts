/** Server-sent events (HTML Living Standard, 9.2) that tell of something that changes until it ends. */
import { Readable } from 'node:stream';
import { onAbort } from '../../errors/abort.js';
import { type FastifyReply, Type } from '../vendor.js';

export const EVENT_STREAM = 'text/event-stream';

/** The answer of a route that tells by events, for its schema. */
export const eventStream = (description: string) => ({
  description,
  content: { [EVENT_STREAM]: { schema: Type.String({ description: 'Events; `data` of each is JSON' }) } },
});

/** So often a line comes where there is nothing to tell: proxies end connections that are silent for a minute. */
const BEAT_MS = 15_000;
const BEAT = ': still here\n\n';

/** Something that changes now and then. Whoever looks sees it as it is; changes that nobody looked at leave nothing behind. */
export class Changes {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  /** Changes so far. */
  get count(): number {
    return this.#count;
  }

  /** It has changed. */
  tell(): void {
    this.#count++;
    for (const wake of [...this.#waiting]) wake();
  }

  /** Resolves at the next change, after so long, or when the signal fires. */
  next(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const wake = (): void => {
        clearTimeout(timer);
        forget();
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, ms);
      const forget = onAbort(signal, wake);
      this.#waiting.add(wake);
    });
  }
}

/** What is told of. */
export interface Told<T> {
  readonly changes: Changes;
  /** As it is now. */
  read(): T;
  /** Nothing follows this. */
  isLast(state: T): boolean;
  /** Fires when there is nobody to tell any more. */
  readonly signal: AbortSignal;
  /** Asked before each event and beat: whether the listener may hear more. */
  mayHear(): boolean;
}

/** One event for each change that the listener is quick enough for, the last one in any case; nothing waits in a queue. */
async function* eventsOf<T>({ changes, read, isLast, signal, mayHear }: Told<T>, beatMs: number) {
  let seen = -1;
  while (!signal.aborted && mayHear()) {
    if (changes.count === seen) {
      await changes.next(beatMs, signal);
      if (changes.count === seen && !signal.aborted) yield BEAT;
      continue;
    }
    seen = changes.count;
    const state = read();
    yield `data: ${JSON.stringify(state)}\n\n`;
    if (isLast(state)) return;
  }
}

/** Answers with events until the last one was told or the listener goes. */
export function sendEvents<T>(reply: FastifyReply, told: Told<T>, beatMs = BEAT_MS): FastifyReply {
  // Bytes that are made before they are asked for are of a state that has passed.
  const options = { objectMode: false, highWaterMark: 1 };
  return reply
    .header('cache-control', 'no-store')
    .header('x-accel-buffering', 'no')
    .type(EVENT_STREAM)
    .send(Readable.from(reply.request.method === 'HEAD' ? [] : eventsOf(told, beatMs), options));
}
