/** Expression over time: one tracker follows one face. */

import { invalid, numberIn, plainObject, positiveInteger } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import { checkLandmarks } from '../../landmarks/check.js';
import { LID_COUNT } from '../../landmarks/lids.js';
import { EXPRESSIONS, type ExpressionLabel, type Point, type Pose } from '../../types.js';
import { type BaselineFrame, learnNeutralBaseline, type NeutralBaseline, POPULATION_BASELINE } from './baseline.js';
import type { ExpressionProbabilities } from './emotions.js';
import { type EyeEvent, type EyeState, EyeTracker } from './eyes.js';
import { sideWeights, unitsOf } from './measure.js';
import { type MouthState, MouthTracker } from './mouth.js';
import { shapeEar, shapeMar } from './ratios.js';
import { CentredAverage, type Segment, SegmentFinder } from './segments.js';
import { finitePose, frontalise } from './shape.js';
import { ACTION_UNITS, type ActionUnitId } from './units.js';

/** Something that began, reached its height and ended. Times in seconds on the caller's clock. */
export interface ExpressionEvent extends Segment {
  readonly kind: 'action-unit' | 'expression' | 'blink' | 'eye-closure' | 'mouth-open' | 'yawn' | 'mouth-activity';
  /** What it was: an action unit (a blink is AU45, a closure AU43), an expression, or `mouth`. */
  readonly unit: ActionUnitId | 'AU45' | ExpressionLabel | 'mouth';
  /**
   * Greatest value: intensity 0–5 for units, probability for expressions, share of the opening that was lost for blinks and
   * closures, mouth aspect ratio for `mouth-open` and `yawn`, changes of direction per second for `mouth-activity`.
   */
  readonly peak: number;
}

/** What has begun and not ended. */
export interface ActiveExpression {
  readonly unit: ActionUnitId | ExpressionLabel;
  readonly onset: number;
  readonly peak: number;
}

/** A face at one moment. */
export interface ExpressionState {
  readonly time: number;
  /** Intensities 0–5, smoothed. */
  readonly units: Readonly<Record<ActionUnitId, number>>;
  /** What the intensities are relative to. */
  readonly baseline: 'person' | 'population';
  /** Probabilities of the caller's networks, smoothed; absent until some were given. */
  readonly probabilities?: ExpressionProbabilities;
  /**
   * Absent during the first half second of a person whose baseline is not known, and for a frame without lids once the tracker
   * has seen some.
   */
  readonly eyes?: EyeState;
  readonly mouth: MouthState;
  /** Units and expressions under way. */
  readonly active: readonly ActiveExpression[];
  /** Events that ended since the last call, oldest onset first. */
  readonly events: readonly ExpressionEvent[];
}

export interface ExpressionTrackerOptions {
  /** The person's neutral face, where it is known; otherwise it is learned from what the tracker sees. */
  readonly baseline?: NeutralBaseline;
  /** Time constant of the smoothing, seconds; default 0.1. 0 switches it off. */
  readonly smoothing?: number;
  /** Frames without which the face counts as lost, seconds; default 1. What was under way then ends, interrupted. */
  readonly maxGap?: number;
  /** Intensity that a unit must reach to become an event; default 1.5. It begins and ends at half of it. */
  readonly unitLevel?: number;
  /** Frames, at least 0.1 s apart, after which the person's own baseline is learned; default 30. 0: never. */
  readonly learnFrames?: number;
}

export interface ExpressionInput {
  /** Orientation of the head from elsewhere; otherwise solved for. */
  readonly pose?: Pose | undefined;
  /** Probabilities of the expression networks, fused or of one. */
  readonly probabilities?: ExpressionProbabilities | undefined;
  /** The lids of the eyes, 12 points (`locateLids`, or `lids` of an analysed face): blinks and closures are found on them. */
  readonly lids?: readonly Point[] | undefined;
}

/** Reach of the centred average on which events are found, seconds: events are known that much later, their times are not shifted. */
const REACH = 0.1;
const EXPRESSION_LEVELS = { low: 0.35, high: 0.6, minSeconds: 0.1 };
const LEARN_INTERVAL = 0.1;
/** Units that are events of their own; closed eyes are the eye tracker's. */
const UNIT_EVENTS = ACTION_UNITS.filter((unit) => unit !== 'AU43');
const SHOWN = EXPRESSIONS.filter((label) => label !== 'neutral');

/**
 * Follows the expression of one face through time: give each face track a tracker of its own. Everything depends on the time
 * stamps alone, not on the frame rate. Values are smoothed exponentially with a time constant in seconds; onset, apex and offset
 * are found on a centred average, which shifts nothing in time, with hysteresis. A face that is not seen for more than `maxGap` ends
 * what was under way (`interrupted`) and restarts the smoothing; the baseline stays. It names what a face shows, not what a
 * person feels.
 *
 * Blinks and closures need points that follow the eyelids: give `lids` with each frame. The 68 points of the
 * starter pack's network have nearly open lids on shut eyes (ratio 0.25–0.28 on photographs, 0.32 on open ones), and so
 * have predictors that learned from it: without `lids`, blinks go unseen with them. Eyes are followed by one kind of points: from the
 * first lids on by lids only.
 *
 * Synchronous, about 0.15 ms a frame, constant memory; not to be shared between threads.
 */
export class ExpressionTracker {
  readonly #smoothing: number;
  readonly #maxGap: number;
  readonly #learnFrames: number;
  #baseline: NeutralBaseline;
  #eyes: EyeTracker;
  /** Whether the eyes are followed by lids. */
  #byLids = false;
  readonly #mouth: MouthTracker;
  readonly #average = new CentredAverage(REACH);
  readonly #probabilityAverage = new CentredAverage(REACH);
  readonly #units: readonly SegmentFinder[];
  readonly #expressions: readonly SegmentFinder[];
  #last: number | undefined;
  #smooth: Float64Array | undefined;
  #probabilities: Float64Array | undefined;
  #probabilitiesAt = 0;
  #learning: (BaselineFrame & { readonly time: number })[] = [];

  /** @throws LineamentError INVALID_ARGUMENT for options out of range */
  constructor(options: ExpressionTrackerOptions = {}) {
    plainObject('options', options, ['baseline', 'smoothing', 'maxGap', 'unitLevel', 'learnFrames']);
    this.#smoothing = numberIn('smoothing', options.smoothing ?? 0.1, 0, 10);
    this.#maxGap = numberIn('maxGap', options.maxGap ?? 1, 0.01, 3600);
    const high = numberIn('unitLevel', options.unitLevel ?? 1.5, 0.2, 5);
    this.#learnFrames = options.learnFrames === 0 ? 0 : positiveInteger('learnFrames', options.learnFrames ?? 30, 1000);
    this.#baseline = options.baseline ?? POPULATION_BASELINE;
    this.#eyes = new EyeTracker(this.#openRatio());
    this.#mouth = new MouthTracker(shapeMar(this.#baseline.shape));
    this.#units = UNIT_EVENTS.map(() => new SegmentFinder({ low: high / 2, high, minSeconds: 0.05 }));
    this.#expressions = SHOWN.map(() => new SegmentFinder(EXPRESSION_LEVELS));
  }

  /** The neutral face in use: the one given, or the one learned; keep it (`baselineToJson`) for when the person comes back. */
  get baseline(): NeutralBaseline {
    return this.#baseline;
  }

  /**
   * Takes the next frame.
   *
   * @param time seconds on any clock that rises
   * @param landmarks 68 points in pixels; absent where the face was not found in this frame
   * @returns the state, or nothing where there was no face, or one turned away by more than 65°
   * @throws LineamentError INVALID_ARGUMENT where `time` is not finite or not later than the last, or points, lids, pose or
   * probabilities are not finite; the tracker is then as it was before the call
   */
  update(
    time: number,
    landmarks: readonly Point[] | undefined,
    input: ExpressionInput = {},
  ): ExpressionState | undefined {
    if (typeof time !== 'number' || !Number.isFinite(time)) throw invalid('time', 'finite number of seconds', time);
    if (this.#last !== undefined && time <= this.#last) {
      throw new LineamentError('INVALID_ARGUMENT', `Expected time later than ${this.#last} s but received ${time} s`, {
        fix: 'Give frames in order, or call reset() where the clock starts again.',
      });
    }
    const points = landmarks === undefined ? undefined : checkLandmarks('landmarks', landmarks);
    const pose = input.pose === undefined ? undefined : finitePose('pose', input.pose);
    const probabilities =
      input.probabilities && EXPRESSIONS.map((l) => numberIn(`probabilities.${l}`, input.probabilities![l], 0, 1.001));
    const lids = input.lids && checkLandmarks('lids', input.lids, LID_COUNT);
    const frontal = points && frontalise(points, this.#baseline.shape, pose, lids);
    if (points === undefined || frontal === undefined) return undefined;

    const events = this.#last !== undefined && time - this.#last > this.#maxGap ? this.#interrupt() : [];
    const step = this.#last === undefined ? Number.POSITIVE_INFINITY : time - this.#last;
    this.#last = time;
    const { intensity } = unitsOf(frontal, this.#baseline);
    const values = Float64Array.from(ACTION_UNITS, (unit) => intensity[unit]);
    this.#smooth = blend(this.#smooth, values, this.#weight(step));
    events.push(
      ...this.#unitEvents(
        this.#average.push(
          time,
          Float64Array.from(UNIT_EVENTS, (unit) => intensity[unit]),
        ),
      ),
    );
    if (probabilities !== undefined) events.push(...this.#takeProbabilities(time, probabilities));

    const [left, right] = sideWeights(frontal.pose.yaw);
    if (frontal.lids !== undefined && !this.#byLids) {
      events.push(...this.#eyes.interrupt().map(eyeEvent));
      this.#byLids = true;
      this.#eyes = new EyeTracker(this.#openRatio());
    }
    const shape = this.#byLids ? frontal.lids : frontal.shape;
    const eyes = shape && this.#eyes.push(time, left * shapeEar(shape, 'left') + right * shapeEar(shape, 'right'));
    if (eyes) events.push(...eyes.events.map(eyeEvent));
    const mouth = this.#mouth.push(time, shapeMar(frontal.shape));
    events.push(...mouth.events.map((e): ExpressionEvent => ({ ...e, unit: 'mouth' })));
    const state: ExpressionState = {
      time,
      units: Object.fromEntries(ACTION_UNITS.map((unit, i) => [unit, this.#smooth![i]!])) as Record<
        ActionUnitId,
        number
      >,
      baseline: this.#baseline.kind,
      ...(this.#probabilities && {
        probabilities: Object.fromEntries(EXPRESSIONS.map((label, i) => [label, this.#probabilities![i]!])) as Record<
          ExpressionLabel,
          number
        >,
      }),
      ...(eyes?.state && { eyes: eyes.state }),
      mouth: mouth.state,
      active: this.#active(),
      events: events.sort((a, b) => a.onset - b.onset),
    };
    this.#learn({ time, landmarks: points, pose, neutral: input.probabilities?.neutral, lids });
    return state;
  }

  /**
   * Ends everything under way and forgets the clock and the smoothing; the baseline and the eyes' open ratio stay. For the end
   * of a track, or where the clock starts again.
   *
   * @returns the events that this ended, oldest onset first
   */
  reset(): ExpressionEvent[] {
    const events = this.#interrupt();
    this.#last = undefined;
    return events.sort((a, b) => a.onset - b.onset);
  }

  /** What open eyes have by the points that are followed, where the person's baseline tells it. */
  #openRatio(): number | undefined {
    const { kind, shape, lids } = this.#baseline;
    if (kind !== 'person') return undefined;
    if (this.#byLids) return lids && (lids[0] + lids[1]) / 2;
    return (shapeEar(shape, 'left') + shapeEar(shape, 'right')) / 2;
  }

  #weight(step: number): number {
    return this.#smoothing === 0 ? 1 : 1 - Math.exp(-step / this.#smoothing);
  }

  #unitEvents(averages: readonly { readonly time: number; readonly values: Float64Array }[]): ExpressionEvent[] {
    return averages.flatMap(({ time, values }) =>
      UNIT_EVENTS.flatMap((unit, i): ExpressionEvent[] => {
        const segment = this.#units[i]!.push(time, values[i]!);
        return segment ? [{ kind: 'action-unit', unit, ...segment }] : [];
      }),
    );
  }

  #takeProbabilities(time: number, probabilities: readonly number[]): ExpressionEvent[] {
    const values = Float64Array.from(probabilities);
    const step = this.#probabilities === undefined ? Number.POSITIVE_INFINITY : time - this.#probabilitiesAt;
    this.#probabilities = blend(this.#probabilities, values, this.#weight(step));
    this.#probabilitiesAt = time;
    return this.#expressionEvents(this.#probabilityAverage.push(time, values));
  }

  #expressionEvents(averages: readonly { readonly time: number; readonly values: Float64Array }[]): ExpressionEvent[] {
    return averages.flatMap(({ time, values }) =>
      SHOWN.flatMap((label, i): ExpressionEvent[] => {
        const segment = this.#expressions[i]!.push(time, values[EXPRESSIONS.indexOf(label)]!);
        return segment ? [{ kind: 'expression', unit: label, ...segment }] : [];
      }),
    );
  }

  #active(): ActiveExpression[] {
    const of = (finders: readonly SegmentFinder[], names: readonly (ActionUnitId | ExpressionLabel)[]) =>
      finders.flatMap(({ open }, i) => (open ? [{ unit: names[i]!, onset: open.onset, peak: open.peak }] : []));
    return [...of(this.#units, UNIT_EVENTS), ...of(this.#expressions, SHOWN)];
  }

  #interrupt(): ExpressionEvent[] {
    const events = [
      ...this.#unitEvents(this.#average.flush()),
      ...this.#expressionEvents(this.#probabilityAverage.flush()),
    ];
    const end = (
      finders: readonly SegmentFinder[],
      kind: 'action-unit' | 'expression',
      names: readonly string[],
    ): void => {
      finders.forEach((finder, i) => {
        const segment = finder.reset();
        if (segment) events.push({ kind, unit: names[i] as ExpressionEvent['unit'], ...segment });
      });
    };
    end(this.#units, 'action-unit', UNIT_EVENTS);
    end(this.#expressions, 'expression', SHOWN);
    events.push(...this.#eyes.interrupt().map(eyeEvent));
    for (const e of this.#mouth.interrupt()) events.push({ ...e, unit: 'mouth' });
    this.#smooth = undefined;
    this.#probabilities = undefined;
    return events;
  }

  /**
   * Collects frames until there are enough, then takes the person's own baseline. What was under way relative to the
   * population's face is dropped: it was measured on another scale.
   */
  #learn(frame: BaselineFrame & { readonly time: number }): void {
    if (this.#baseline.kind === 'person' || this.#learnFrames === 0) return;
    const before = this.#learning.at(-1)?.time;
    if (before !== undefined && frame.time - before < LEARN_INTERVAL) return;
    this.#learning.push(frame);
    if (this.#learning.length < this.#learnFrames) return;
    const baseline = learnNeutralBaseline(this.#learning, { minFrames: Math.min(5, this.#learnFrames) });
    this.#learning = baseline ? [] : this.#learning.slice(this.#learnFrames >> 1);
    if (baseline === undefined) return;
    this.#baseline = baseline;
    this.#average.flush();
    for (const finder of this.#units) finder.reset();
    this.#smooth = undefined;
    const open = this.#openRatio();
    if (open !== undefined) this.#eyes.calibrate(open);
    this.#mouth.calibrate(shapeMar(baseline.shape));
  }
}

const eyeEvent = (event: EyeEvent): ExpressionEvent => ({ ...event, unit: event.kind === 'blink' ? 'AU45' : 'AU43' });

/** Exponential smoothing; weight 1 takes the new values as they are. */
function blend(before: Float64Array | undefined, now: Float64Array, weight: number): Float64Array {
  return before === undefined ? now.slice() : before.map((v, i) => v + weight * (now[i]! - v));
}
