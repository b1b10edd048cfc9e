/** What the rules know of one track. */
import type { Box } from '../../types.js';
import type { Identity, Track } from '../types.js';
import { ExpressionWatch } from './expressions.js';
import { Held } from './held.js';
import { AnchorPoint, type LineShape, LineWatch, type ZoneShape, ZoneWatch } from './places.js';
import type { Rules } from './rule-options.js';

/** What an event takes from the frame that it was seen in. */
export interface Mark {
  readonly sequence?: number;
  readonly box?: Box;
}

/** `waiting`: not told yet. `told`: appeared. `silent`: its appearance was left out, and so is everything else of it. */
export type Telling = 'waiting' | 'told' | 'silent';

export class Subject {
  telling: Telling = 'waiting';
  /** Its newest snapshot, and when that came. */
  track: Track;
  time: number;
  /** The last decided identity, and the last that was told. */
  identity: Identity | undefined;
  told: Identity | undefined;
  decision: Held<string, Identity>;
  readonly #decisionMs: number;
  readonly expressions: ExpressionWatch;
  readonly liveness: Held<boolean, undefined>;
  readonly anchor = new AnchorPoint();
  readonly zones: readonly ZoneWatch<Mark>[];
  readonly lines: readonly LineWatch<Mark>[];

  constructor(track: Track, time: number, rules: Rules, zones: readonly ZoneShape[], lines: readonly LineShape[]) {
    this.track = track;
    this.time = time;
    // The longer of the two holds for both: whether it is one or the other is what has to last.
    this.#decisionMs = Math.max(rules.recognised.holdMs, rules.stranger.holdMs);
    this.decision = this.#undecided();
    this.expressions = new ExpressionWatch(rules.expression);
    this.liveness = new Held(rules.livenessHoldMs);
    this.zones = zones.map((zone) => new ZoneWatch(zone, rules.zone.holdMs));
    this.lines = lines.map((line) => new LineWatch(line, rules.line.holdMs));
  }

  /** No later event names whom it was held to be. */
  forget(): void {
    this.identity = undefined;
    this.told = undefined;
    this.decision = this.#undecided();
  }

  #undecided(): Held<string, Identity> {
    const decision = new Held<string, Identity>(this.#decisionMs);
    decision.push(Number.NEGATIVE_INFINITY, '', { kind: 'undecided', looks: 0, weight: 0 });
    return decision;
  }

  get box(): Box | undefined {
    return this.track.face ?? this.track.person;
  }

  mark(sequence: number | undefined): Mark {
    const box = this.box;
    return { ...(sequence === undefined ? {} : { sequence }), ...(box && { box }) };
  }
}
