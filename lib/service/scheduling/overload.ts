import { LineamentError } from '../../errors.js';

/** Bounds of `retryAfter`: nobody is told to come back at once, and nobody is sent away for longer than a queue can be. */
const LEAST_SECONDS = 1;
const MOST_SECONDS = 60;

/** `OVERLOADED`, with the seconds after which coming back is worth it. */
export interface OverloadedError extends LineamentError {
  readonly retryAfter: number;
}

/** @param ms until there is hope again, as far as it can be told */
export function overloaded(detail: string, ms: number): OverloadedError {
  const seconds = Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, Math.ceil(ms / 1000)));
  const { stackTraceLimit } = Error;
  // Hundreds a second, none of them a fault of the code: where they come from is nobody's question, and it is most of what they cost.
  Error.stackTraceLimit = 0;
  try {
    const error = new LineamentError('OVERLOADED', detail, {
      fix: `Come back in ${seconds} s, or send fewer requests at a time.`,
    });
    return Object.assign(error, { retryAfter: seconds });
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}
