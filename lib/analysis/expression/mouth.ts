/** Opening of the mouth, yawns, and movement as in speech, from the mouth aspect ratio. */
import { type Segment, SegmentFinder } from './segments.js';

/** The mouth at one moment. */
export interface MouthState {
  /** Mouth aspect ratio, the head's turn undone. */
  readonly aspectRatio: number;
  readonly open: boolean;
  /** Wide open for as long as a yawn takes. */
  readonly yawning: boolean;
  /** The mouth opens and closes again and again, as in speech; eating and singing look the same. */
  readonly active: boolean;
}

export interface MouthEvent extends Segment {
  /** `mouth-activity` has its peak in changes of direction per second; the others in mouth aspect ratio. */
  readonly kind: 'mouth-open' | 'yawn' | 'mouth-activity';
}

/** Mouth aspect ratio above the neutral one: end and least height of an opening. */
const LEVELS = { low: 0.12, high: 0.2 };
/** Ratio above the neutral one from which the mouth is wide open, and how long it is so in a yawn, seconds. */
const WIDE = 0.45;
const YAWN = 0.8;
/** Least swing of the ratio that counts as a movement, and the turns within the window that make an activity. */
const SWING = 0.06;
const TURNS = 4;
const TURN_WINDOW = 1.2;

/** Follows the mouth of one person. */
export class MouthTracker {
  readonly #segments = new SegmentFinder(LEVELS);
  #neutral: number;
  #last: number | undefined;
  #wideFor = 0;
  /** Last extreme of the ratio and the direction away from it: 1 rising, −1 falling, 0 not known. */
  #extreme: readonly [time: number, value: number] | undefined;
  #direction = 0;
  #turns: number[] = [];
  #activity: { onset: number; apex: number; peak: number; until: number } | undefined;

  /** @param neutral mouth aspect ratio of the neutral face */
  constructor(neutral: number) {
    this.#neutral = neutral;
  }

  /** Takes a new neutral ratio, when the person's baseline has been learned. */
  calibrate(neutral: number): void {
    this.#neutral = neutral;
  }

  /** Takes the next ratio. */
  push(time: number, ratio: number): { state: MouthState; events: MouthEvent[] } {
    const step = this.#last === undefined ? 0 : time - this.#last;
    this.#last = time;
    const height = ratio - this.#neutral;
    if (height >= WIDE) this.#wideFor += step;
    const events = this.#opened(this.#segments.push(time, height));
    this.#turn(time, ratio);
    events.push(...this.#activityAt(time));
    const open = this.#segments.open !== undefined;
    return {
      state: { aspectRatio: ratio, open, yawning: open && this.#wideFor >= YAWN, active: this.#activity !== undefined },
      events,
    };
  }

  /** A gap: events under way end interrupted. */
  interrupt(): MouthEvent[] {
    const events = this.#opened(this.#segments.reset());
    if (this.#activity !== undefined) events.push(this.#ended(this.#activity.until, true));
    this.#last = undefined;
    this.#extreme = undefined;
    this.#direction = 0;
    this.#turns = [];
    return events;
  }

  #opened(segment: Segment | undefined): MouthEvent[] {
    if (segment === undefined) {
      if (this.#segments.open === undefined) this.#wideFor = 0;
      return [];
    }
    const kind = this.#wideFor >= YAWN ? 'yawn' : 'mouth-open';
    this.#wideFor = 0;
    return [{ ...segment, kind, peak: segment.peak + this.#neutral }];
  }

  /** Notes a change of direction once the ratio has come back from an extreme by more than the least swing. */
  #turn(time: number, ratio: number): void {
    const extreme = this.#extreme;
    if (extreme === undefined) {
      this.#extreme = [time, ratio];
      return;
    }
    const moved = ratio - extreme[1];
    if (this.#direction === 0) {
      if (Math.abs(moved) < SWING) return;
      this.#direction = Math.sign(moved);
      this.#extreme = [time, ratio];
    } else if (moved * this.#direction >= 0) {
      this.#extreme = [time, ratio];
    } else if (Math.abs(moved) >= SWING) {
      this.#turns.push(extreme[0]);
      this.#direction = -this.#direction;
      this.#extreme = [time, ratio];
    }
  }

  #activityAt(time: number): MouthEvent[] {
    while (this.#turns.length > 0 && this.#turns[0]! < time - TURN_WINDOW) this.#turns.shift();
    const turns = this.#turns;
    const rate = turns.length / TURN_WINDOW;
    const activity = this.#activity;
    if (activity === undefined) {
      if (turns.length >= TURNS) {
        this.#activity = { onset: turns[0]!, apex: time, peak: rate, until: turns.at(-1)! };
      }
      return [];
    }
    if (turns.length > 0) {
      activity.until = turns.at(-1)!;
      if (rate > activity.peak) {
        activity.peak = rate;
        activity.apex = time;
      }
      return [];
    }
    return [this.#ended(activity.until, false)];
  }

  #ended(offset: number, interrupted: boolean): MouthEvent {
    const { onset, apex, peak } = this.#activity!;
    this.#activity = undefined;
    return { kind: 'mouth-activity', onset, apex: Math.min(apex, offset), offset, peak, interrupted };
  }
}
