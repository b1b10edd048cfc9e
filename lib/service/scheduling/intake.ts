/** Bodies of requests, from the first byte to the answer: all together hold at most `limits.queueBytes`, also those that are still coming in. */
import type { RouteGroup } from '../server.js';
import { overloaded } from './overload.js';

/** Who is turned away here is asked to come back when others' bodies have come in. */
const SOON_MS = 1000;

/**
 * Refuses a body before it is read where those of others leave no room for it (`OVERLOADED`): work is counted when it is handed in, and bodies that
 * come in slowly, or many at a time, would be in nobody's books until then. One that does not say its length counts as long as it may be.
 */
export const limitIntake: RouteGroup = (app, { config, metrics }) => {
  const { bodyBytes, queueBytes } = config.limits;
  let held = 0;
  metrics.gauge('lineament_intake_bytes', 'Bodies of requests that have not been answered', () => held);

  app.addHook('onRequest', async ({ headers }, reply) => {
    const stated = headers['content-length'];
    if (stated === undefined && headers['transfer-encoding'] === undefined) return;
    const bytes = stated === undefined ? bodyBytes : Number(stated);
    // One alone always has room: how long it may be is another limit.
    if (held > 0 && held + bytes > queueBytes) {
      throw overloaded('the bodies of other requests hold all the memory there is for them', SOON_MS);
    }
    held += bytes;
    reply.raw.once('close', () => {
      held -= bytes;
    });
  });
};
