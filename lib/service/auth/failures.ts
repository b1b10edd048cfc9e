import { LineamentError } from '../../errors.js';

const WINDOW_MS = 60_000;
/** Callers that are remembered; the one that began longest ago is forgotten first. */
const CALLERS = 10_000;

/** `RATE_LIMITED`, with the seconds after which to come back. */
export function rateLimited(detail: string, ms: number): LineamentError & { readonly retryAfter: number } {
  const retryAfter = Math.max(1, Math.ceil(ms / 1000));
  return Object.assign(new LineamentError('RATE_LIMITED', detail, { fix: `Come back in ${retryAfter} s.` }), {
    retryAfter,
  });
}

/** Failed attempts of each caller in windows of one minute. */
export class Failures {
  readonly #limit: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, { count: number; readonly ends: number }>();

  /** `limit` attempts a minute; 0 is no limit. */
  constructor(limit: number, now: () => number) {
    this.#limit = limit;
    this.#now = now;
  }

  /** Throws `RATE_LIMITED` for a caller that has failed too often. */
  check(caller: string): void {
    if (this.#limit === 0) return;
    const window = this.#windows.get(caller);
    const left = window === undefined ? 0 : window.ends - this.#now();
    if (window === undefined || left <= 0 || window.count < this.#limit) return;
    throw rateLimited('too many wrong keys from this address', left);
  }

  add(caller: string): void {
    if (this.#limit === 0) return;
    const now = this.#now();
    const window = this.#windows.get(caller);
    if (window !== undefined && window.ends > now) {
      window.count++;
      return;
    }
    this.#windows.delete(caller);
    if (this.#windows.size >= CALLERS) {
      for (const oldest of this.#windows.keys()) {
        this.#windows.delete(oldest);
        break;
      }
    }
    this.#windows.set(caller, { count: 1, ends: now + WINDOW_MS });
  }
}
