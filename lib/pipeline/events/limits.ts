/** What keeps events from becoming a storm: cool-downs and a bounded rate. Time is that of the events. */
import type { PipelineEventType } from '../types.js';

/** Most subjects whose last event is remembered, for each type. */
const MOST_SUBJECTS = 4096;

/** Refuses what was told of the same subject less than so long ago. */
export class CoolDown {
  readonly #ms: number;
  readonly #last = new Map<string, number>();

  constructor(ms: number) {
    this.#ms = ms;
  }

  ready(time: number, subject: string): boolean {
    const last = this.#last.get(subject);
    return last === undefined || time - last >= this.#ms;
  }

  told(time: number, subject: string): void {
    if (this.#ms === 0) return;
    this.#last.delete(subject);
    this.#last.set(subject, time);
    if (this.#last.size > MOST_SUBJECTS) this.#last.delete(this.#last.keys().next().value!);
  }
}

export interface RateLimit {
  /** Events a second, in the long run. */
  readonly perSecond: number;
  /** Events at once. */
  readonly burst: number;
}

/** What was left out since the last time that it was told. */
export interface LeftOut {
  readonly count: number;
  readonly types: ReadonlyMap<PipelineEventType, number>;
  readonly first: number;
  readonly last: number;
}

/** A bucket of tokens for each type of event; what finds none is counted. */
export class RateLimiter {
  readonly #limit: RateLimit;
  readonly #buckets = new Map<PipelineEventType, { tokens: number; time: number }>();
  #leftOut = new Map<PipelineEventType, number>();
  #first = 0;
  #last = 0;

  constructor(limit: RateLimit) {
    this.#limit = limit;
  }

  /** Takes a token for an event of the type, or counts it as left out. */
  take(time: number, type: PipelineEventType): boolean {
    const bucket = this.#bucket(time, type);
    if (bucket.tokens >= 1) {
      bucket.tokens -= 1;
      return true;
    }
    this.leaveOut(time, type);
    return false;
  }

  /** Whether `take` would find one. */
  has(time: number, type: PipelineEventType): boolean {
    return this.#bucket(time, type).tokens >= 1;
  }

  #bucket(time: number, type: PipelineEventType): { tokens: number; time: number } {
    const { perSecond, burst } = this.#limit;
    const bucket = this.#buckets.get(type) ?? { tokens: burst, time };
    this.#buckets.set(type, bucket);
    if (time > bucket.time) {
      bucket.tokens = Math.min(burst, bucket.tokens + ((time - bucket.time) / 1000) * perSecond);
      bucket.time = time;
    }
    return bucket;
  }

  leaveOut(time: number, type: PipelineEventType): void {
    if (this.#leftOut.size === 0) this.#first = time;
    this.#last = Math.max(time, this.#first);
    this.#leftOut.set(type, (this.#leftOut.get(type) ?? 0) + 1);
  }

  /** When the first of what has not been told was left out. */
  get since(): number | undefined {
    return this.#leftOut.size === 0 ? undefined : this.#first;
  }

  /** What was left out, once. */
  drain(): LeftOut | undefined {
    if (this.#leftOut.size === 0) return undefined;
    const types = this.#leftOut;
    this.#leftOut = new Map();
    let count = 0;
    for (const one of types.values()) count += one;
    return { count, types, first: this.#first, last: this.#last };
  }
}
