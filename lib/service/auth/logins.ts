import type { Logger, ServiceParts } from '../types.js';

/** Failures are told together: one line of the audit trail a minute, however many there are. */
const TOGETHER_MS = 60_000;
/** Addresses that a line names; of the others it gives the number. */
const MOST_NAMED = 50;
const MOST_COUNTED = 10_000;

/** Who presented what opens nothing: counted, and told to log and audit trail in summaries. */
export class FailedLogins {
  readonly #audit: ServiceParts['audit'];
  readonly #log: Logger;
  readonly #counts = new Map<string, number>();
  #count = 0;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor({ audit, log }: Pick<ServiceParts, 'audit' | 'log'>) {
    this.#audit = audit;
    this.#log = log;
  }

  add(caller: string): void {
    if (this.#count === 0) this.#since = Date.now();
    this.#count++;
    if (this.#counts.has(caller) || this.#counts.size < MOST_COUNTED) {
      this.#counts.set(caller, (this.#counts.get(caller) ?? 0) + 1);
    }
    this.#timer ??= setTimeout(() => void this.flush(), TOGETHER_MS).unref();
  }

  /** Tells what was counted since the last time. Never rejects: what cannot be written is in the log. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#count === 0) return;
    const most = [...this.#counts].sort(([, a], [, b]) => b - a);
    const detail = {
      count: this.#count,
      since: this.#since,
      addresses: most.slice(0, MOST_NAMED).map(([address, count]) => ({ address, count })),
      other_addresses: Math.max(0, most.length - MOST_NAMED),
    };
    this.#counts.clear();
    this.#count = 0;
    this.#log.warn(detail, 'wrong keys were presented');
    try {
      await this.#audit.append({ actor: 'service', action: 'login.failed', detail });
    } catch (error) {
      this.#log.error({ error: (error as Error).message }, 'failed logins are not in the audit trail');
    }
  }
}
