/** How often somebody may ask: each key, and each address. */
import type { App } from '../server.js';
import type { ServiceConfig } from '../types.js';
import { type FastifyReply, type FastifyRequest, rateLimit } from '../vendor.js';
import { callerOf } from './address.js';
import { rateLimited } from './failures.js';

const WINDOW_MS = 60_000;
/** Callers that are counted at a time; the one that was counted longest ago is forgotten first. */
const CALLERS = 10_000;
/** What tells whether the service lives is answered always, and so are the pages that explain it. */
const UNLIMITED = /^\/(?:health|ready|metrics|docs|openapi\.json)(?:\/|$)/;

export interface Limits {
  /** Counts a request of this address. Throws `RATE_LIMITED`. */
  address(request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Counts a request of who was let in. Throws `RATE_LIMITED`. */
  key(request: FastifyRequest, reply: FastifyReply): Promise<void>;
}

/** Whether requests of a route are counted: `config.limited` says so, and else its address. */
export function isLimited(url: string, limited: boolean | undefined): boolean {
  return limited ?? !UNLIMITED.test(url);
}

/** One count for all routes, in windows of a minute; 0 is no limit. */
export async function openLimits(app: App, { rate }: ServiceConfig): Promise<Limits> {
  await app.register(rateLimit, { global: false, cache: CALLERS });
  const limit = (max: number, detail: string, keyGenerator: (request: FastifyRequest) => string) => {
    if (max === 0) return async () => {};
    const count = app.createRateLimit({ max, timeWindow: WINDOW_MS, keyGenerator });
    return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      const counted = await count(request);
      if (counted.isAllowed) return;
      const before = reply.getHeader('ratelimit-remaining');
      // Of two limits the nearer one is told.
      if (before === undefined || counted.remaining <= Number(before)) {
        reply.header('ratelimit-limit', counted.max);
        reply.header('ratelimit-remaining', counted.remaining);
        reply.header('ratelimit-reset', counted.ttlInSeconds);
      }
      if (counted.isExceeded) throw rateLimited(detail, counted.ttl);
    };
  };
  return {
    address: limit(rate.perAddress, 'too many requests from this address', (request) => callerOf(request.ip)),
    key: limit(rate.perKey, 'too many requests with this key', (request) => request.principal.id),
  };
}
