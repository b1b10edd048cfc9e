import { describe, expect, it } from 'vitest';
import {
  type ActionUnitId,
  type ExpressionEvent,
  type ExpressionState,
  ExpressionTracker,
  learnNeutralBaseline,
  measureActionUnits,
} from '../../../lib/analysis/expression/index.js';
import { EXPRESSIONS, type ExpressionLabel } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { type Movement, moved, neutralHead, noisy, picture, sway, swell } from './expression-support.js';

const person = neutralHead(1);
const baseline = learnNeutralBaseline(Array.from({ length: 5 }, () => ({ landmarks: picture(person) })))!;
const RATES = [10, 30, 60];
const SIGMA = 0.5;

interface Run {
  readonly events: ExpressionEvent[];
  readonly states: ExpressionState[];
}

/** Runs a film of a moving head through a tracker; `seed` of the noise, which is left out where it is 0. */
function film(
  seconds: number,
  rate: number,
  at: (time: number) => Movement,
  options: { seed?: number; tracker?: ExpressionTracker; start?: number } = {},
): Run {
  const { seed = 1, tracker = new ExpressionTracker({ baseline }), start = 100 } = options;
  const next = random(seed * 1000 + rate);
  const states: ExpressionState[] = [];
  for (let i = 0; i < seconds * rate; i++) {
    const time = i / rate;
    const points = picture(moved(person, at(time)), sway(time));
    states.push(tracker.update(start + time, seed === 0 ? points : noisy(points, SIGMA, next))!);
  }
  return { states, events: [...states.flatMap((s) => s.events), ...tracker.reset()] };
}

/** When the intensity of a unit crosses a level, on the same film without noise, to a five-hundredth of a second. */
function crossings(unit: ActionUnitId, level: number, seconds: number, at: (time: number) => Movement) {
  let [first, last] = [Number.NaN, Number.NaN];
  for (let time = 0; time < seconds; time += 0.002) {
    const value = measureActionUnits(picture(moved(person, at(time)), sway(time)), { baseline })!.intensity[unit];
    if (value < level) continue;
    if (Number.isNaN(first)) first = time;
    last = time;
  }
  return { first, last };
}

describe('ExpressionTracker', () => {
  describe.each(RATES)('at %i frames a second', (rate) => {
    const frames = (count: number): number => count / rate;

    it.each([
      ['AU12', (a: number): Movement => ({ smile: a })],
      ['AU1', (a: number): Movement => ({ brows: a })],
      ['AU4', (a: number): Movement => ({ frown: a })],
      ['AU26', (a: number): Movement => ({ jaw: 0.8 * a })],
    ] as const)('times %s of a moving, noisy head within two frames', (unit, movement) => {
      const at = (time: number): Movement => movement(swell(time, 2, 3.4));
      const { events } = film(5, rate, at);
      const found = events.filter((e) => e.unit === unit);
      expect(found).toHaveLength(1);
      const { onset, apex, offset, peak, interrupted, kind } = found[0]!;
      const truth = crossings(unit, 0.75, 5, at);
      expect(Math.abs(onset - 100 - truth.first)).toBeLessThanOrEqual(frames(2));
      expect(Math.abs(offset - 100 - truth.last)).toBeLessThanOrEqual(frames(2));
      expect(Math.abs(apex - 102.7)).toBeLessThanOrEqual(frames(2));
      expect(peak).toBeGreaterThan(2);
      expect([interrupted, kind]).toEqual([false, 'action-unit']);
    });

    it('sees no event in a minute of a neutral, moving, noisy face', () => {
      expect(film(60, rate, () => ({}), { seed: 5 }).events).toEqual([]);
    });

    it('counts blinks and times them within two frames', () => {
      const times = [1.5, 4, 4.8, 7.3, 9.9, 13.2];
      const at = (time: number): Movement => ({
        close: Math.max(...times.map((t) => swell(time, t - 0.16, t + 0.16))),
      });
      const { events, states } = film(15, rate, at, { seed: 3 });
      expect(events.map((e) => [e.kind, e.unit])).toEqual(times.map(() => ['blink', 'AU45']));
      events.forEach((event, i) => {
        expect(Math.abs(event.apex - 100 - times[i]!)).toBeLessThanOrEqual(frames(2));
        expect(event.onset).toBeLessThan(event.apex);
        expect(event.offset).toBeGreaterThan(event.apex);
        expect(event.offset - event.onset).toBeLessThan(0.4);
      });
      expect(states.at(-1)!.eyes!.blinksPerMinute).toBeCloseTo((6 / 15) * 60, 0);
      expect(states[0]!.eyes!.blinksPerMinute).toBeUndefined();
    });

    it('tells a long closure from a blink while it lasts', () => {
      const at = (time: number): Movement => ({ close: time >= 2 && time < 3.5 ? 1 : 0 });
      const { events, states } = film(5, rate, at, { seed: 4 });
      expect(events.map((e) => e.kind)).toEqual(['eye-closure']);
      expect(events[0]!.unit).toBe('AU43');
      expect(Math.abs(events[0]!.onset - 102)).toBeLessThanOrEqual(frames(1));
      expect(Math.abs(events[0]!.offset - 103.5)).toBeLessThanOrEqual(frames(1));
      const during = states.find((s) => s.time >= 103.2)!.eyes!;
      expect(during.closed).toBe(true);
      expect(during.closedFor).toBeGreaterThan(1);
      expect(states.at(-1)!.eyes).toMatchObject({ closed: false, closedFor: 0 });
    });

    it('names a yawn, and an open mouth that is none', () => {
      const yawn = (time: number): Movement => ({ jaw: 1.2 * Math.min(1, 2 * swell(time, 1, 4)) });
      const { events, states } = film(6, rate, yawn, { seed: 6 });
      const mouth = events.filter((e) => e.unit === 'mouth');
      expect(mouth.map((e) => e.kind)).toEqual(['yawn']);
      expect(mouth[0]!.peak).toBeGreaterThan(0.55);
      expect(states.find((s) => s.time >= 102.8)!.mouth.yawning).toBe(true);
      const gasp = film(4, rate, (time) => ({ jaw: 1.2 * swell(time, 1, 1.9) }), { seed: 7 });
      expect(gasp.events.filter((e) => e.unit === 'mouth').map((e) => e.kind)).toEqual(['mouth-open']);
    });

    it('sees movement as in speech, and where it ends', () => {
      // Three syllables a second.
      const speech = (time: number): Movement => ({
        jaw: time > 2 && time < 5 ? 0.35 * Math.sin(Math.PI * 3 * (time - 2)) ** 2 : 0,
      });
      const { events, states } = film(8, rate, speech, { seed: 8 });
      const activity = events.filter((e) => e.kind === 'mouth-activity');
      expect(activity).toHaveLength(1);
      expect(activity[0]!.onset).toBeGreaterThan(101.9);
      expect(activity[0]!.onset).toBeLessThan(102.9);
      expect(activity[0]!.offset).toBeGreaterThan(104.3);
      expect(activity[0]!.offset).toBeLessThan(105.3);
      expect(states.find((s) => s.time >= 104)!.mouth.active).toBe(true);
      expect(states.at(-1)!.mouth.active).toBe(false);
    });
  });

  it('smooths by time, not by frames', () => {
    const at = (time: number): Movement => ({ smile: time < 1 ? 0 : 1 });
    const value = (rate: number, smoothing: number): number => {
      const tracker = new ExpressionTracker({ baseline, smoothing });
      return film(1.5, rate, at, { seed: 0, tracker }).states.find((s) => s.time >= 101.199)!.units.AU12;
    };
    expect(value(20, 0.2)).toBeCloseTo(value(60, 0.2), 0);
    expect(value(60, 0.2)).toBeLessThan(value(60, 0) * 0.8);
  });

  it('reports what is under way before it ends', () => {
    const { states } = film(3, 30, (time) => ({ smile: swell(time, 1, 5) }), { seed: 0 });
    const active = states.at(-1)!.active.find((a) => a.unit === 'AU12')!;
    expect(active.peak).toBeGreaterThan(2);
    expect(active.onset).toBeLessThan(102.5);
  });

  it('learns the face that it sees, and measures against it from then on', () => {
    const tracker = new ExpressionTracker({ learnFrames: 20 });
    const { states, events } = film(8, 30, (time) => ({ smile: swell(time, 5, 7), close: swell(time, 1, 1.3) }), {
      tracker,
      seed: 9,
    });
    expect(states[0]!.baseline).toBe('population');
    expect(states.at(-1)!.baseline).toBe('person');
    expect(tracker.baseline.kind).toBe('person');
    const differences = Array.from(tracker.baseline.shape, (v, k) => Math.abs(v - baseline.shape[k]!));
    expect(Math.max(...differences)).toBeLessThan(0.12);
    expect(events.filter((e) => e.unit === 'AU12')).toHaveLength(1);
    expect(events.filter((e) => e.kind === 'blink')).toHaveLength(1);
    const stranger = new ExpressionTracker({ learnFrames: 0 });
    film(8, 30, () => ({}), { tracker: stranger });
    expect(stranger.baseline.kind).toBe('population');
  });

  it('adapts to eyes that are narrow when open', () => {
    const narrow = (time: number): Movement => ({ close: 0.45 + 0.55 * swell(time, 4, 4.3) });
    const tracker = new ExpressionTracker({ learnFrames: 0 });
    const { events, states } = film(6, 30, narrow, { tracker, seed: 2 });
    expect(events.filter((e) => e.unit === 'AU45' || e.unit === 'AU43').map((e) => e.kind)).toEqual(['blink']);
    expect(states[0]!.eyes).toBeUndefined();
    expect(states.at(-1)!.eyes!.openness).toBeGreaterThan(0.85);
  });

  it('finds out what open is when it first saw the eyes shut', () => {
    const shut = (time: number): Movement => ({ close: time < 1.2 ? 1 : swell(time, 5, 5.3) });
    const tracker = new ExpressionTracker({ learnFrames: 0 });
    const { events, states } = film(7, 30, shut, { tracker, seed: 12 });
    const openness = states.find((s) => s.time >= 104.5)!.eyes!.openness;
    expect(openness).toBeGreaterThan(0.85);
    expect(openness).toBeLessThan(1.15);
    const blinks = events.filter((e) => e.unit === 'AU45');
    expect(blinks).toHaveLength(1);
    expect(Math.abs(blinks[0]!.apex - 105.15)).toBeLessThan(2 / 30);
  });

  it('follows probabilities that the caller gives', () => {
    const tracker = new ExpressionTracker({ baseline });
    const events: ExpressionEvent[] = [];
    let last: ExpressionState | undefined;
    for (let i = 0; i < 90; i++) {
      const happy = 0.9 * swell(i / 30, 0.5, 2.5);
      const probabilities = Object.fromEntries(
        EXPRESSIONS.map((l) => [l, l === 'happy' ? happy : l === 'neutral' ? 1 - happy : 0]),
      ) as Record<ExpressionLabel, number>;
      last = tracker.update(i / 30, picture(person), { probabilities });
      events.push(...last!.events);
    }
    expect(events.map((e) => [e.kind, e.unit])).toEqual([['expression', 'happy']]);
    expect(Math.abs(events[0]!.apex - 1.5)).toBeLessThan(1 / 30);
    expect(last!.probabilities!.neutral).toBeGreaterThan(0.95);
  });

  it('ends what is under way when the face is gone, and goes on after it', () => {
    const tracker = new ExpressionTracker({ baseline, maxGap: 0.5 });
    const smile = picture(moved(person, { smile: 1 }));
    const seen: ExpressionEvent[] = [];
    for (let i = 0; i < 30; i++) seen.push(...tracker.update(i / 30, i < 5 ? picture(person) : smile)!.events);
    expect(seen).toEqual([]);
    for (let i = 30; i < 60; i++) expect(tracker.update(i / 30, undefined)).toBeUndefined();
    const back = tracker.update(2.2, picture(person))!;
    const smiled = back.events.find((e) => e.unit === 'AU12')!;
    expect(smiled.interrupted).toBe(true);
    expect(smiled.offset).toBeCloseTo(29 / 30, 9);
    expect(back.active).toEqual([]);
    expect(back.units.AU12).toBe(0);
    // A shorter gap is bridged.
    expect(tracker.update(2.5, smile)!.events).toEqual([]);
  });

  it('refuses frames out of order and points that are not finite, and stays as it was', () => {
    const movement = (time: number): Movement => ({ smile: swell(time, 0.5, 2) });
    const bad = picture(person).map((p, i) => (i === 30 ? ([Number.NaN, 0] as const) : p));
    const run = (disturb: boolean): ExpressionEvent[] => {
      const tracker = new ExpressionTracker({ baseline });
      const events: ExpressionEvent[] = [];
      for (let i = 0; i < 90; i++) {
        events.push(...tracker.update(i / 30, picture(moved(person, movement(i / 30))))!.events);
        if (!disturb) continue;
        const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
        expect(() => tracker.update(i / 30, picture(person))).toThrow(refused);
        expect(() => tracker.update(i / 30 - 1, picture(person))).toThrow(/later than/);
        expect(() => tracker.update(Number.NaN, picture(person))).toThrow(/time/);
        expect(() => tracker.update(i / 30 + 0.001, bad)).toThrow(/landmarks\[30\]/);
        expect(() =>
          tracker.update(i / 30 + 0.001, picture(person), { pose: { roll: 0, yaw: Number.NaN, pitch: 0 } }),
        ).toThrow(/pose\.yaw/);
      }
      return events;
    };
    const calm = run(false);
    expect(calm.length).toBeGreaterThan(0);
    expect(run(true)).toEqual(calm);
  });

  it('refuses options that mean nothing', () => {
    for (const options of [
      { smoothing: -1 },
      { maxGap: 0 },
      { unitLevel: Number.NaN },
      { learnFrames: 1.5 },
      { window: 3 },
    ]) {
      expect(() => new ExpressionTracker(options as object)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  it('starts again after reset, on any clock', () => {
    const tracker = new ExpressionTracker({ baseline });
    tracker.update(50, picture(person));
    tracker.reset();
    expect(tracker.update(1, picture(person))!.time).toBe(1);
  });
});
