import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop came to what was due, ms: over the last minute or two. */
export interface LoopDelay {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

const NONE: LoopDelay = { mean: 0, p50: 0, p99: 0, max: 0 };
/** ms between two looks at the clock; a delay shorter than this is not seen. */
const RESOLUTION = 10;
/** A stretch ends with the first reading after so long. */
const STRETCH = 60_000;

/** Watches the event loop of this thread with Node's own histogram, which costs a timer until it is closed. */
export class LoopWatch {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  #since = performance.now();
  #before = NONE;

  constructor() {
    this.#histogram.enable();
  }

  /** The worse of this stretch and the one before, so that every reader sees a delay, however many read and in whatever order. */
  read(): LoopDelay {
    const now = this.#measured();
    const before = this.#before;
    if (performance.now() - this.#since > STRETCH) {
      this.#before = now;
      this.#histogram.reset();
      this.#since = performance.now();
    }
    return {
      mean: Math.max(now.mean, before.mean),
      p50: Math.max(now.p50, before.p50),
      p99: Math.max(now.p99, before.p99),
      max: Math.max(now.max, before.max),
    };
  }

  close(): void {
    this.#histogram.disable();
  }

  #measured(): LoopDelay {
    const histogram = this.#histogram;
    if (histogram.count === 0) return NONE;
    // The histogram holds the time between two looks: what is longer than it should be is the delay.
    const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION);
    return {
      mean: late(histogram.mean),
      p50: late(histogram.percentile(50)),
      p99: late(histogram.percentile(99)),
      max: late(histogram.max),
    };
  }
}
