import { createHash, randomBytes } from 'node:crypto';
import { LineamentError } from '../../errors.js';
import type { Principal } from '../types.js';
import { rateLimited } from './failures.js';

/** Long enough to open a connection with, and no longer. */
export const TICKET_MS = 30_000;
const MOST_TICKETS = 10_000;

/**
 * Tickets open one WebSocket each: browsers cannot set headers there, and a key in an address would end up in logs and histories. They live in memory
 * only, as hashes.
 */
export class Tickets {
  readonly #now: () => number;
  /** In the order in which they end. */
  readonly #tickets = new Map<string, { readonly principal: Principal; readonly ends: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  /** `RATE_LIMITED` where too many wait to be used. */
  create(principal: Principal): { readonly ticket: string; readonly expiresAt: number } {
    const now = this.#now();
    for (const [hash, { ends }] of this.#tickets) {
      if (ends > now) break;
      this.#tickets.delete(hash);
    }
    if (this.#tickets.size >= MOST_TICKETS) throw rateLimited('too many tickets have not been used', TICKET_MS);
    const ticket = randomBytes(32).toString('base64url');
    const ends = now + TICKET_MS;
    this.#tickets.set(hashOf(ticket), { principal, ends });
    return { ticket, expiresAt: ends };
  }

  /** Whom it was made for; it is gone after this. `UNAUTHENTICATED`. */
  redeem(ticket: string): Principal {
    const hash = hashOf(ticket);
    const found = this.#tickets.get(hash);
    this.#tickets.delete(hash);
    if (found === undefined || found.ends <= this.#now()) {
      throw new LineamentError('UNAUTHENTICATED', 'the ticket is not known, was used, or has expired', {
        fix: 'Get a new one: POST /api/v1/tickets.',
      });
    }
    return found.principal;
  }
}

/** Looked up by this, so that the time of a lookup tells nothing of the tickets that are there. */
function hashOf(ticket: string): string {
  return createHash('sha256').update(ticket).digest('base64');
}
