/** Who is refused before his body is read: where bodies hold too much already, and where there is no hope for the work that is asked. */
import { LineamentError } from '../../errors.js';
import type { RouteGroup } from '../server.js';
import { overloaded } from './overload.js';

/** Who is turned away here is asked to come back when others' bodies have come in. */
const SOON_MS = 1000;

/**
 * Refuses a body before it is read where those of others leave no room for it (`OVERLOADED`): work is counted when it is handed in, and bodies that
 * come in slowly, or many at a time, would be in nobody's books until then. One that does not say its length counts as long as it may be.
 *
 * Work that is certain to wait (`config.work` of the route) is refused here too, once it is known who asks: to read what is thrown away afterwards
 * would cost those who are served.
 */
export const limitIntake: RouteGroup = (app, { config, metrics, scheduler }) => {
  const { bodyBytes, queueBytes } = config.limits;
  let held = 0;
  metrics.gauge('lineament_intake_bytes', 'Bodies of requests that have not been answered', () => held);

  app.addHook('onRequest', async ({ headers }, reply) => {
    const stated = headers['content-length'];
    if (stated === undefined && headers['transfer-encoding'] === undefined) return;
    // Whatever is longer is refused, or read as it comes by a route that holds less of it.
    const bytes = stated === undefined ? bodyBytes : Math.min(Number(stated), bodyBytes);
    // One alone always has room: how long it may be is another limit.
    if (held > 0 && held + bytes > queueBytes) {
      throw overloaded('the bodies of other requests hold all the memory there is for them', SOON_MS);
    }
    // Who went while its key was looked at has been heard of already, and would be counted for ever.
    if (reply.raw.destroyed) throw new LineamentError('ABORTED', 'the client has gone');
    held += bytes;
    reply.raw.once('close', () => {
      held -= bytes;
    });
  });

  app.addHook('preParsing', async ({ routeOptions: { config: route } }) => {
    if (route.work !== undefined) scheduler.admit({ kind: route.kind ?? 'work', priority: route.work, bytes: 0 });
  });
};
