/** Where a signal rises and falls again: onset, apex and offset with hysteresis, at any frame rate. */

/** One rise and fall of a signal. Times in seconds, on the clock of the input. */
export interface Segment {
  /** When it rose through the lower level, interpolated between frames. */
  readonly onset: number;
  /** Middle of the time during which it was within a tenth of its peak. */
  readonly apex: number;
  /** When it fell through the lower level again; the last frame that was seen where it was interrupted. */
  readonly offset: number;
  readonly peak: number;
  /** True where a gap or a reset ended it. */
  readonly interrupted: boolean;
}

/** A rise that has not ended yet. */
export interface OpenSegment {
  readonly onset: number;
  readonly peak: number;
  /** Time of the last sample that it holds. */
  readonly until: number;
}

export interface SegmentLevels {
  /** A segment lasts while the signal is above this … */
  readonly low: number;
  /** … and exists only if it reached this. */
  readonly high: number;
  /** Shorter segments are dropped, seconds. */
  readonly minSeconds?: number;
}

/** Longest history of one segment; beyond it, every second sample is dropped. */
const MOST_SAMPLES = 512;

/** Finds segments in one signal; constant memory, some nanoseconds a sample. */
export class SegmentFinder {
  readonly #low: number;
  readonly #high: number;
  readonly #minSeconds: number;
  #last: readonly [time: number, value: number] | undefined;
  /** Time of the last rise through the lower level, while the signal is above it. */
  #onset: number | undefined;
  #peak = 0;
  #samples: [time: number, value: number][] = [];

  constructor({ low, high, minSeconds = 0 }: SegmentLevels) {
    this.#low = low;
    this.#high = high;
    this.#minSeconds = minSeconds;
  }

  /** Takes the next sample; times must rise. Gives the segment that it ends. */
  push(time: number, value: number): Segment | undefined {
    const last = this.#last;
    this.#last = [time, value];
    if (this.#onset === undefined) {
      if (value < this.#low) return undefined;
      this.#onset = last === undefined ? time : crossing(last, [time, value], this.#low);
      this.#peak = value;
      this.#samples = [[time, value]];
      return undefined;
    }
    if (value >= this.#low) {
      this.#peak = Math.max(this.#peak, value);
      this.#samples.push([time, value]);
      if (this.#samples.length > MOST_SAMPLES) this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
      return undefined;
    }
    return this.#end(crossing(last!, [time, value], this.#low), false);
  }

  /** The segment that is under way, once it has reached the higher level. */
  get open(): OpenSegment | undefined {
    if (this.#onset === undefined || this.#peak < this.#high) return undefined;
    return { onset: this.#onset, peak: this.#peak, until: this.#last![0] };
  }

  /** Forgets everything; gives the segment that this interrupts. */
  reset(): Segment | undefined {
    const ended = this.#onset === undefined ? undefined : this.#end(this.#last![0], true);
    this.#last = undefined;
    return ended;
  }

  #end(offset: number, interrupted: boolean): Segment | undefined {
    const onset = this.#onset!;
    const peak = this.#peak;
    const samples = this.#samples;
    this.#onset = undefined;
    this.#samples = [];
    if (peak < this.#high || offset - onset < this.#minSeconds) return undefined;
    return { onset, apex: apexOf(samples, peak), offset, peak, interrupted };
  }
}

/** Where the line between two samples meets a level that lies between their values. */
function crossing([t0, v0]: readonly [number, number], [t1, v1]: readonly [number, number], level: number): number {
  return v1 === v0 ? t1 : t0 + ((level - v0) / (v1 - v0)) * (t1 - t0);
}

function apexOf(samples: readonly (readonly [number, number])[], peak: number): number {
  const near = 0.9 * peak;
  const first = samples.findIndex(([, v]) => v >= near);
  const last = samples.findLastIndex(([, v]) => v >= near);
  const from = first > 0 ? crossing(samples[first - 1]!, samples[first]!, near) : samples[first]![0];
  const to = last < samples.length - 1 ? crossing(samples[last]!, samples[last + 1]!, near) : samples[last]![0];
  return (from + to) / 2;
}

/**
 * A centred moving average of several signals that share their times: triangular weights over ± `seconds`, widened to the
 * neighbouring frames where frames are further apart. It does not shift anything in time; its results come as much later.
 */
export class CentredAverage {
  readonly #seconds: number;
  readonly #ring: { readonly time: number; readonly values: Float64Array }[] = [];
  /** Index in the ring of the next sample to give out. */
  #next = 0;
  #interval = 0;

  constructor(seconds: number) {
    this.#seconds = seconds;
  }

  /** Takes the values at a time and gives the averages that are complete now, oldest first. */
  push(time: number, values: Float64Array): { readonly time: number; readonly values: Float64Array }[] {
    const ring = this.#ring;
    const before = ring.at(-1)?.time;
    if (before !== undefined) {
      const step = time - before;
      this.#interval = this.#interval === 0 ? step : this.#interval + 0.1 * (step - this.#interval);
    }
    ring.push({ time, values });
    const reach = this.#reach();
    const done = [];
    while (this.#next < ring.length && ring[this.#next]!.time + reach <= time) done.push(this.#at(this.#next++, reach));
    // What lies before every later average is not needed any more.
    const oldest = (ring[this.#next]?.time ?? time) - reach;
    let unneeded = 0;
    while (unneeded < this.#next && ring[unneeded]!.time < oldest) unneeded++;
    ring.splice(0, unneeded);
    this.#next -= unneeded;
    return done;
  }

  /** Gives out what waits for later samples, averaged over what is there, and forgets everything. */
  flush(): { readonly time: number; readonly values: Float64Array }[] {
    const reach = this.#reach();
    const done = [];
    while (this.#next < this.#ring.length) done.push(this.#at(this.#next++, reach));
    this.#ring.length = 0;
    this.#next = 0;
    this.#interval = 0;
    return done;
  }

  #reach(): number {
    return Math.max(this.#seconds, 1.6 * this.#interval);
  }

  #at(index: number, reach: number): { readonly time: number; readonly values: Float64Array } {
    const ring = this.#ring;
    const { time, values } = ring[index]!;
    const mean = new Float64Array(values.length);
    let weights = 0;
    const add = (i: number): boolean => {
      const sample = ring[i];
      const weight = sample === undefined ? 0 : 1 - Math.abs(sample.time - time) / reach;
      if (!(weight > 0)) return false;
      for (let k = 0; k < mean.length; k++) mean[k]! += weight * sample!.values[k]!;
      weights += weight;
      return true;
    };
    add(index);
    for (let i = index - 1; add(i); i--);
    for (let i = index + 1; add(i); i++);
    for (let k = 0; k < mean.length; k++) mean[k]! /= weights;
    return { time, values: mean };
  }
}
