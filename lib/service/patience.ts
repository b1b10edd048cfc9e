/** How long a body may take to come in. */
import type { Readable } from 'node:stream';
import type { App } from './server.js';
import type { FastifyRequest } from './vendor.js';

/** Runs while a body is waited for. */
interface Clock {
  start(): void;
  stop(): void;
}

const clocks = new WeakMap<FastifyRequest, Clock>();

/**
 * `refuse` is called for requests whose body did not come in whole within `ms`. It takes the place of Node's own limit, which knows no routes: see
 * {@link piecesOf}.
 */
export function limitPatience(
  app: App,
  ms: number,
  refuse: (request: FastifyRequest, answered: boolean) => void,
): void {
  app.addHook('onRequest', async (request, reply) => {
    const { raw } = request;
    if (raw.headers['content-length'] === undefined && raw.headers['transfer-encoding'] === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const isComing = (): boolean => !raw.complete && !raw.destroyed;
    const clock: Clock = {
      start: () => {
        clearTimeout(timer);
        if (isComing()) timer = setTimeout(() => isComing() && refuse(request, reply.raw.headersSent), ms).unref();
      },
      stop: () => clearTimeout(timer),
    };
    clock.start();
    raw.once('end', clock.stop);
    raw.once('close', clock.stop);
    clocks.set(request, clock);
  });
}

/** A body that is read as it comes: the limit of time is that of waiting for each piece, not for all, nor of what becomes of the pieces. */
export async function* piecesOf(request: FastifyRequest, body: Readable): AsyncGenerator<Uint8Array> {
  const clock = clocks.get(request);
  try {
    // Who stops reading still answers: the connection stays.
    for await (const piece of body.iterator({ destroyOnReturn: false })) {
      clock?.stop();
      yield piece as Uint8Array;
      clock?.start();
    }
  } finally {
    // What nobody wants any more must come in, too.
    clock?.start();
  }
}
