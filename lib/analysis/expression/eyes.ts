/** Blinks and closures of the eyes from the eye aspect ratio, against what is open for this person. */
import { clamp } from './evidence.js';
import { type OpenSegment, type Segment, SegmentFinder } from './segments.js';

/** The eyes at one moment. */
export interface EyeState {
  /** Eye aspect ratio of both eyes, the head's turn undone. */
  readonly aspectRatio: number;
  /** The ratio that this person's open eyes have, as far as it is known. */
  readonly openRatio: number;
  /** Ratio over the open ratio: 1 open, about 0.3 or less closed. */
  readonly openness: number;
  readonly closed: boolean;
  /** Seconds for which the eyes have been closed; 0 while they are open. */
  readonly closedFor: number;
  /** Blinks in a minute over the last minute; absent until ten seconds have been seen without a gap. */
  readonly blinksPerMinute?: number;
}

export interface EyeEvent extends Segment {
  /** A closure of up to half a second is a blink. */
  readonly kind: 'blink' | 'eye-closure';
}

/** Share of the opening that is lost at the onset and the offset of a closure, and that a closure must reach. */
const LEVELS = { low: 0.25, high: 0.4 };
/** Longest blink, seconds (B. Stern, S. Walrath and R. Goldstein, "The endogenous eyeblink", 1984: 100–400 ms). */
const LONGEST_BLINK = 0.5;
const WINDOW = 60;
const ENOUGH = 10;
/** What the ratio of open eyes may be. */
const PLAUSIBLE = [0.12, 0.6] as const;
/** Without a baseline: time over which the first guess of the open ratio is made, seconds. */
const FIRST = 0.5;

/** Follows the eyes of one person. */
export class EyeTracker {
  readonly #segments = new SegmentFinder(LEVELS);
  #open: number | undefined;
  /** First ratios, from which the open one is guessed where no baseline tells it. */
  #first: [time: number, ratio: number][] = [];
  #last: number | undefined;
  #seen = 0;
  /** Times of the blinks of the last minute. */
  #blinks: number[] = [];

  /** @param openRatio ratio of the person's open eyes, where a baseline of the person tells it */
  constructor(openRatio?: number) {
    this.#open = openRatio;
  }

  /** Takes a new open ratio, when the person's baseline has been learned. */
  calibrate(openRatio: number): void {
    this.#open = openRatio;
  }

  /** Takes the next ratio. The state is absent during the first half second where no baseline is known. */
  push(time: number, ratio: number): { state: EyeState | undefined; events: EyeEvent[] } {
    const step = this.#last === undefined ? 0 : time - this.#last;
    this.#last = time;
    this.#seen += step;
    if (this.#open === undefined) this.#guess(time, ratio);
    if (this.#open === undefined) return { state: undefined, events: [] };
    this.#adapt(ratio, step);
    const openness = ratio / this.#open;
    const events = eventsOf(this.#segments.push(time, 1 - openness));
    for (const event of events) if (event.kind === 'blink') this.#blinks.push(event.onset);
    return { state: this.#state(time, ratio, openness), events };
  }

  /** A gap: an event under way ends interrupted, the count of blinks starts again; the open ratio stays. */
  interrupt(): EyeEvent[] {
    const events = eventsOf(this.#segments.reset());
    this.#last = undefined;
    this.#seen = 0;
    this.#blinks = [];
    return events;
  }

  #guess(time: number, ratio: number): void {
    this.#first.push([time, ratio]);
    if (time - this.#first[0]![0] < FIRST || this.#first.length < 4) return;
    const sorted = this.#first.map(([, r]) => r).sort((a, b) => a - b);
    this.#open = clamp(sorted[Math.floor(sorted.length * 0.7)]!, PLAUSIBLE[0], PLAUSIBLE[1]);
    this.#first = [];
  }

  /** The open ratio follows what open eyes show: slowly, and fast upward where it was plainly too low. Closed eyes teach nothing. */
  #adapt(ratio: number, step: number): void {
    const openness = ratio / this.#open!;
    if (openness < 1 - LEVELS.low) return;
    const constant = openness > 1.2 ? 0.5 : 8;
    const next = this.#open! + (1 - Math.exp(-step / constant)) * (ratio - this.#open!);
    this.#open = clamp(next, PLAUSIBLE[0], PLAUSIBLE[1]);
  }

  #state(time: number, aspectRatio: number, openness: number): EyeState {
    const closed: OpenSegment | undefined = this.#segments.open;
    this.#blinks = this.#blinks.filter((t) => t > time - WINDOW);
    const span = Math.min(WINDOW, this.#seen);
    return {
      aspectRatio,
      openRatio: this.#open!,
      openness,
      closed: closed !== undefined,
      closedFor: closed === undefined ? 0 : time - closed.onset,
      ...(span >= ENOUGH && { blinksPerMinute: (this.#blinks.length / span) * 60 }),
    };
  }
}

function eventsOf(segment: Segment | undefined): EyeEvent[] {
  if (segment === undefined) return [];
  return [{ kind: segment.offset - segment.onset <= LONGEST_BLINK ? 'blink' : 'eye-closure', ...segment }];
}
