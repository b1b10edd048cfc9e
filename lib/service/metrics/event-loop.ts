import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop came to what was due, ms: over the last stretch of time. */
export interface LoopDelay {
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** ms between two looks at the clock; a delay shorter than this is not seen. */
const RESOLUTION = 10;
/** A stretch ends with the first reading after so long, so that several readers see the same and none forgets a delay at once. */
const STRETCH = 10_000;

/** Watches the event loop of this thread with Node's own histogram, which costs a timer. */
export class LoopWatch {
  readonly #histogram: IntervalHistogram = monitorEventLoopDelay({ resolution: RESOLUTION });
  #since = performance.now();

  constructor() {
    this.#histogram.enable();
  }

  read(): LoopDelay {
    const histogram = this.#histogram;
    // The histogram holds the time between two looks: what is longer than it should be is the delay.
    const late = (nanoseconds: number): number =>
      Number.isFinite(nanoseconds) ? Math.max(0, nanoseconds / 1e6 - RESOLUTION) : 0;
    const delay =
      histogram.count === 0
        ? { mean: 0, p50: 0, p99: 0, max: 0 }
        : {
            mean: late(histogram.mean),
            p50: late(histogram.percentile(50)),
            p99: late(histogram.percentile(99)),
            max: late(histogram.max),
          };
    if (performance.now() - this.#since > STRETCH) {
      histogram.reset();
      this.#since = performance.now();
    }
    return delay;
  }
}
