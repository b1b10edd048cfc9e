import type { CameraOptions } from './types.js';

/** When and how often a lost camera is tried again. */
export interface Backoff {
  readonly attempts: number;
  readonly firstDelayMs: number;
  readonly mostDelayMs: number;
}

const DEFAULT: Backoff = { attempts: Infinity, firstDelayMs: 500, mostDelayMs: 30_000 };

/** The option with its defaults; no attempts for `false`. */
export function backoffOf(reconnect: CameraOptions['reconnect']): Backoff {
  return reconnect === false ? { ...DEFAULT, attempts: 0 } : { ...DEFAULT, ...reconnect };
}

/** Milliseconds before try number `attempt` (from 1): twice as long each time, up to the most. */
export function delayBefore(attempt: number, { firstDelayMs, mostDelayMs }: Backoff): number {
  return Math.min(mostDelayMs, firstDelayMs * 2 ** Math.min(30, attempt - 1));
}
