// Lids given beside landmarks that do not follow them, as the starter pack's network draws them: open on closed eyes.
import { describe, expect, it } from 'vitest';
import {
  ACTION_UNITS,
  baselineToJson,
  ExpressionTracker,
  eyeAspectRatio,
  learnNeutralBaseline,
  measureActionUnits,
  parseBaseline,
} from '../../../lib/analysis/expression/index.js';
import { assessQuality, type FaceQuality, type QualityInput } from '../../../lib/analysis/quality/index.js';
import type { Point, Pose } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { type Movement, moved, neutralHead, noisy, picture, sway, swell } from './expression-support.js';

const person = neutralHead(1);
const ahead: Pose = { roll: 0, yaw: 0, pitch: 0 };
const turns: Pose[] = [ahead, { roll: 25, yaw: 30, pitch: -10 }, { roll: -15, yaw: -30, pitch: 15 }];

/** The lids of a head, as the mesh would give them. */
const lidsOf = (movement: Movement, pose: Pose = ahead): Point[] =>
  picture(moved(person, movement), pose).slice(36, 48);
const open = (pose: Pose = ahead): Point[] => picture(person, pose);

const frames = Array.from({ length: 6 }, () => ({ landmarks: open(), lids: lidsOf({}) }));
const baseline = learnNeutralBaseline(frames)!;
const closing = [0, 0.2, 0.4, 0.6, 0.8, 1];

describe('action units', () => {
  it.each(turns)('AU43 follows the lids, not the landmarks: roll $roll, yaw $yaw, pitch $pitch', (pose) => {
    for (const options of [{}, { baseline }]) {
      const values = closing.map(
        (close) => measureActionUnits(open(pose), { ...options, lids: lidsOf({ close }, pose) })!.intensity.AU43,
      );
      expect(values).toEqual([...values].sort((a, b) => a - b));
      expect(values[0]).toBeLessThan(0.5);
      expect(values[3]).toBeGreaterThan(values[1]!);
      expect(values.at(-1)).toBeGreaterThan(4);
      expect(measureActionUnits(open(pose), options)!.intensity.AU43).toBe(0);
    }
  });

  it('tells a wink: one side is shut, the other is not', () => {
    const lids = [...lidsOf({ close: 1 }).slice(0, 6), ...lidsOf({}).slice(6)];
    const { left, right } = measureActionUnits(open(), { baseline, lids })!;
    expect(left.AU43).toBeGreaterThan(4);
    expect(right.AU43).toBe(0);
  });

  it('no lid is raised or tightened where the eye is shut', () => {
    for (const movement of [{ wide: 1 }, { smile: 1 }]) {
      const landmarks = picture(moved(person, movement));
      const seen = measureActionUnits(landmarks, { baseline })!.intensity;
      const shut = measureActionUnits(landmarks, { baseline, lids: lidsOf({ close: 1 }) })!.intensity;
      expect(seen.AU5 + seen.AU6).toBeGreaterThan(1);
      expect(shut.AU5 + shut.AU6 + shut.AU7).toBe(0);
    }
  });

  it('lids leave every other unit, and the pose, as they are', () => {
    const landmarks = picture(moved(person, { smile: 0.6, brows: 0.5, jaw: 0.4 }), { roll: 5, yaw: 15, pitch: 5 });
    const without = measureActionUnits(landmarks, { baseline })!;
    const withLids = measureActionUnits(landmarks, { baseline, lids: landmarks.slice(36, 48) })!;
    expect(withLids.pose).toEqual(without.pose);
    for (const unit of ACTION_UNITS) {
      if (unit !== 'AU43') expect(withLids.intensity[unit]).toBeCloseTo(without.intensity[unit], 9);
    }
  });

  it('refuses lids that are none', () => {
    for (const lids of [[], lidsOf({}).slice(1), lidsOf({}).map((): Point => [Number.NaN, 0])]) {
      const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
      expect(() => measureActionUnits(open(), { lids })).toThrow(refused);
      expect(() => eyeAspectRatio(open(), 'left', lids)).toThrow(refused);
      expect(() => learnNeutralBaseline([{ landmarks: open(), lids }])).toThrow(refused);
      expect(() => new ExpressionTracker().update(0, open(), { lids })).toThrow(refused);
    }
  });
});

describe('the aspect ratio', () => {
  it('is that of the lids where there are some', () => {
    const lids = [...lidsOf({ close: 1 }).slice(0, 6), ...lidsOf({}).slice(6)];
    expect(eyeAspectRatio(open(), 'left', lids)).toBeLessThan(0.1);
    expect(eyeAspectRatio(open(), 'right', lids)).toBeCloseTo(eyeAspectRatio(open(), 'right')!, 12);
  });
});

describe('a baseline', () => {
  it('keeps what the open lids of the person have, also as JSON', () => {
    expect(baseline.lids![0]).toBeCloseTo(eyeAspectRatio(open(), 'left')!, 3);
    const again = parseBaseline(JSON.stringify(baselineToJson(baseline)));
    expect(again.lids![1]).toBeCloseTo(baseline.lids![1], 3);
    expect(learnNeutralBaseline(frames.map(({ landmarks }) => ({ landmarks })))!.lids).toBeUndefined();
    expect(parseBaseline(baselineToJson({ ...baseline, lids: undefined as never })).lids).toBeUndefined();
    for (const lids of [[0.3], [0.3, -1], 'none', [0.3, Number.NaN]]) {
      expect(() => parseBaseline({ ...baselineToJson(baseline), lids })).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });

  it('is not learned from frames in which the eyes are shut', () => {
    const shut = Array.from({ length: 14 }, () => ({ landmarks: open(), lids: lidsOf({ close: 1 }) }));
    expect(learnNeutralBaseline([...shut, ...frames])!.lids![0]).toBeCloseTo(baseline.lids![0], 2);
  });
});

describe('the tracker', () => {
  const blinks = [3, 4.5, 6.2];
  const at = (time: number): Movement => ({
    close: blinks.reduce((most, from) => Math.max(most, swell(time, from, from + 0.3)), 0),
  });
  const film = (seconds: number, tracker: ExpressionTracker, lidsAt: (time: number) => boolean) => {
    const next = random(3);
    const states = Array.from({ length: seconds * 30 }, (_, i) => {
      const time = i / 30;
      const landmarks = noisy(open(sway(time)), 0.4, next);
      const lids = noisy(lidsOf(at(time), sway(time)), 0.4, next);
      return tracker.update(time, landmarks, lidsAt(time) ? { lids } : {})!;
    });
    return { states, events: [...states.flatMap(({ events }) => events), ...tracker.reset()] };
  };

  it.each([
    ['the person known', () => new ExpressionTracker({ baseline })],
    ['nothing known', () => new ExpressionTracker()],
  ] as const)('finds each blink by the lids, and none without them: %s', (_, make) => {
    const { events, states } = film(8, make(), () => true);
    const found = events.filter(({ unit }) => unit === 'AU45');
    expect(found.map(({ kind }) => kind)).toEqual(['blink', 'blink', 'blink']);
    for (const [i, { apex, peak }] of found.entries()) {
      expect(Math.abs(apex - blinks[i]! - 0.15)).toBeLessThan(0.1);
      expect(peak).toBeGreaterThan(0.5);
    }
    expect(states.at(-1)!.eyes!.openness).toBeGreaterThan(0.8);
    expect(film(8, make(), () => false).events.filter(({ unit }) => unit === 'AU45')).toEqual([]);
  });

  it('learns the open lids of the person', () => {
    const tracker = new ExpressionTracker({ learnFrames: 10 });
    film(2.5, tracker, () => true);
    expect(tracker.baseline.kind).toBe('person');
    expect(tracker.baseline.lids![0]).toBeCloseTo(baseline.lids![0], 1);
  });

  it('follows the eyes by one kind of points: lids from the first on, and nothing where they are missing', () => {
    const { states } = film(8, new ExpressionTracker({ baseline }), (time) => time >= 1 && time < 5);
    const eyes = (time: number) => states[Math.round(time * 30)]!.eyes;
    expect(eyes(0.5)).toBeDefined();
    expect(eyes(3.15)!.closed).toBe(true);
    expect(eyes(6.35)).toBeUndefined();
    expect(states.at(-1)!.units.AU12).toBeLessThan(0.5);
  });
});

describe('quality', () => {
  const frame = { width: 640, height: 480 };
  const assess = (landmarks: readonly Point[], more: Partial<QualityInput> = {}): FaceQuality =>
    assessQuality({ landmarks, frame, ...more })!;
  const neutrality = (movement: Movement): number => {
    const component = assess(picture(moved(neutralHead(), movement))).components.expressionNeutrality!;
    expect(component.source).toBe('landmarks');
    return component.value;
  };

  it('eyes are open or shut by the lids, and by the landmarks without them', () => {
    const scores = closing.map((close) => assess(open(), { lids: lidsOf({ close }) }).components.eyesOpen!);
    for (let i = 1; i < scores.length; i++) expect(scores[i]!.value).toBeLessThan(scores[i - 1]!.value);
    expect(scores[0]!.score).toBeGreaterThan(90);
    expect(scores.at(-1)!.score).toBeLessThan(10);
    expect(scores[0]!.source).toBe('network');
    const without = assess(open()).components.eyesOpen!;
    expect(without.source).toBe('landmarks');
    expect(without.value).toBeCloseTo(scores[0]!.value, 12);
    // The eye that is less open counts.
    const wink = [...lidsOf({}).slice(0, 6), ...lidsOf({ close: 1 }).slice(6)];
    expect(assess(open(), { lids: wink }).components.eyesOpen!.score).toBeLessThan(10);
    expect(assess(open(), { lids: wink }).guidance.map(({ code }) => code)).toContain('open-eyes');
  });

  it('refuses lids that are none', () => {
    expect(() => assess(open(), { lids: lidsOf({}).slice(2) })).toThrow(/lids/);
  });

  it.each([
    ['a smile', (a) => ({ smile: a })],
    ['raised brows', (a) => ({ brows: a })],
    ['a frown', (a) => ({ frown: a })],
    ['an open jaw', (a) => ({ jaw: a })],
    ['corners of the mouth down', (a) => ({ corners: a })],
    ['a pucker', (a) => ({ pucker: a })],
    ['closed eyes', (a) => ({ close: a })],
  ] as [string, (amount: number) => Movement][])('without a network, %s takes neutrality away', (_, of) => {
    const values = [0, 0.4, 0.6, 0.8, 1].map((amount) => neutrality(of(amount)));
    expect(values[0]).toBe(1);
    expect(values).toEqual([...values].sort((a, b) => b - a));
    // Small movements are not counted against a stranger's face, and a unit grows no further than 5.
    expect(new Set(values).size).toBeGreaterThan(2);
    expect(values.at(-1)).toBeLessThan(0.6);
  });

  it('several movements take more than one, and the network is believed where it spoke', () => {
    const one = neutrality({ smile: 1 });
    const more = neutrality({ smile: 1, brows: 1 });
    const most = neutrality({ smile: 1, brows: 1, jaw: 1 });
    expect(more).toBeLessThan(one);
    expect(most).toBeLessThan(more);
    expect(most).toBeLessThan(0.1);
    const probabilities = { neutral: 0.9, happy: 0.1, sad: 0, angry: 0, fearful: 0, disgusted: 0, surprised: 0 };
    const expression = { label: 'neutral', probability: 0.9, probabilities } as const;
    const read = assess(picture(moved(neutralHead(), { smile: 1 })), { expression });
    expect(read.components.expressionNeutrality).toMatchObject({ value: 0.9, source: 'network' });
  });
});
