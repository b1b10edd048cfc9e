import { describe, expect, it } from 'vitest';
import {
  ACTION_UNIT_INFO,
  ACTION_UNITS,
  type ActionUnitId,
  baselineToJson,
  eyeAspectRatio,
  facsGrade,
  learnNeutralBaseline,
  measureActionUnits,
  mouthAspectRatio,
  type NeutralBaseline,
  parseBaseline,
} from '../../../lib/analysis/expression/index.js';
import type { Point, Pose } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { type Movement, moved, neutralHead, noisy, picture, sway } from './expression-support.js';

const person = neutralHead(1);
const ahead: Pose = { roll: 0, yaw: 0, pitch: 0 };
const baseline: NeutralBaseline = learnNeutralBaseline(
  Array.from({ length: 5 }, () => ({ landmarks: picture(person) })),
)!;

const strongest = (points: readonly Point[], options: Parameters<typeof measureActionUnits>[1]): number =>
  Math.max(...Object.values(measureActionUnits(points, options)!.intensity));

describe('measureActionUnits', () => {
  const turns: Pose[] = [
    { roll: 0, yaw: 40, pitch: 0 },
    { roll: 0, yaw: -40, pitch: 0 },
    { roll: 0, yaw: 0, pitch: 25 },
    { roll: 0, yaw: 0, pitch: -25 },
    { roll: 160, yaw: 0, pitch: 0 },
    { roll: -30, yaw: 30, pitch: -20 },
  ];

  it.each(turns)('sees no unit when the head only turns: roll $roll, yaw $yaw, pitch $pitch', (pose) => {
    const points = picture(person, pose, 9, [100, 50]);
    expect(strongest(points, { baseline })).toBeLessThan(0.2);
    expect(strongest(points, { baseline, pose })).toBeLessThan(0.2);
  });

  it.each(turns)('finds the turn: roll $roll, yaw $yaw, pitch $pitch', (pose) => {
    const mean = measureActionUnits(picture(neutralHead(), pose, 9, [100, 50]))!.pose;
    for (const axis of ['roll', 'yaw', 'pitch'] as const) expect(mean[axis]).toBeCloseTo(pose[axis], 3);
    // Another person's build is known only as far as the baseline tells it.
    const other = measureActionUnits(picture(person, pose, 9, [100, 50]), { baseline })!.pose;
    for (const axis of ['roll', 'yaw', 'pitch'] as const) expect(Math.abs(other[axis] - pose[axis])).toBeLessThan(2.5);
  });

  it('keeps its pose while the mouth opens and the brows rise', () => {
    const pose = { roll: 4, yaw: 12, pitch: -6 };
    const still = measureActionUnits(picture(person, pose), { baseline })!.pose;
    const found = measureActionUnits(picture(moved(person, { jaw: 1, brows: 1, smile: 1 }), pose), { baseline })!.pose;
    for (const axis of ['roll', 'yaw', 'pitch'] as const) expect(found[axis]).toBeCloseTo(still[axis], 6);
  });

  const cases: [string, Movement, ActionUnitId[], ActionUnitId[]][] = [
    ['smile', { smile: 1 }, ['AU12', 'AU6'], ['AU1', 'AU4', 'AU7', 'AU15', 'AU20', 'AU25', 'AU26', 'AU43']],
    ['raised brows', { brows: 1 }, ['AU1', 'AU2'], ['AU4', 'AU5', 'AU12', 'AU26', 'AU43']],
    ['frown', { frown: 1 }, ['AU4'], ['AU1', 'AU2', 'AU12', 'AU15', 'AU43']],
    ['wide eyes', { wide: 1 }, ['AU5'], ['AU1', 'AU4', 'AU7', 'AU43', 'AU12']],
    ['closed eyes', { close: 1 }, ['AU43'], ['AU5', 'AU6', 'AU7', 'AU12', 'AU1']],
    ['open jaw', { jaw: 0.6 }, ['AU25', 'AU26'], ['AU12', 'AU15', 'AU1', 'AU43', 'AU17', 'AU24']],
    ['wide open jaw', { jaw: 1.2 }, ['AU25', 'AU26', 'AU27'], ['AU12', 'AU1', 'AU43']],
    ['mouth corners down', { corners: 1 }, ['AU15'], ['AU12', 'AU20', 'AU26', 'AU17']],
    ['pucker', { pucker: 1 }, ['AU18'], ['AU12', 'AU15', 'AU20', 'AU26']],
    ['stretched lips', { stretch: 1 }, ['AU20'], ['AU12', 'AU15', 'AU18', 'AU26']],
  ];
  it.each(cases)('%s: the right units, no others', (_, movement, present, absent) => {
    for (const pose of [ahead, { roll: 15, yaw: 20, pitch: 10 }, { roll: -10, yaw: -20, pitch: -10 }]) {
      const { intensity } = measureActionUnits(picture(moved(person, movement), pose), { baseline })!;
      for (const unit of present) expect([unit, intensity[unit] > 1.5]).toEqual([unit, true]);
      for (const unit of absent) expect([unit, intensity[unit] < 0.6]).toEqual([unit, true]);
    }
  });

  it('grows with the movement and stays within 0–5', () => {
    const at = (smile: number): number =>
      measureActionUnits(picture(moved(person, { smile })), { baseline })!.intensity.AU12;
    const values = [0, 0.2, 0.4, 0.6, 0.8, 1].map(at);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(new Set(values).size).toBeGreaterThan(4);
    expect(values[0]).toBe(0);
    expect(at(5)).toBe(5);
    for (const unit of ACTION_UNITS) expect(ACTION_UNIT_INFO[unit].full).toBeGreaterThan(ACTION_UNIT_INFO[unit].floor);
  });

  it('tells the sides apart, and changes them with a mirrored picture', () => {
    const points = [...picture(person)];
    const winking = picture(moved(person, { close: 1 }));
    for (let i = 36; i < 42; i++) points[i] = winking[i]!;
    const { left, right } = measureActionUnits(points, { baseline })!;
    expect(left.AU43).toBeGreaterThan(4);
    expect(right.AU43).toBe(0);
    // In a mirror, points change places with their partners on the other side.
    const partner = [
      ...Array.from({ length: 17 }, (_, i) => 16 - i),
      ...[26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 27, 28, 29, 30, 35, 34, 33, 32, 31],
      ...[45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
      ...[54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65],
    ];
    const mirrored = measureActionUnits(
      partner.map((i): Point => [640 - points[i]![0], points[i]![1]]),
      { baseline },
    )!;
    for (const unit of ACTION_UNITS) {
      expect(mirrored.left[unit] ?? 0).toBeCloseTo(right[unit] ?? 0, 6);
      expect(mirrored.right[unit] ?? 0).toBeCloseTo(left[unit] ?? 0, 6);
    }
  });

  it('does not depend on size, place or turn of the picture', () => {
    const points = picture(moved(person, { smile: 0.8, brows: 0.5 }), { roll: 0, yaw: 10, pitch: 5 }, 25, [0, 0]);
    const [c, s] = [3.1 * Math.cos(1.3), 3.1 * Math.sin(1.3)];
    const changed = points.map(([x, y]): Point => [c * x - s * y + 900, s * x + c * y - 40]);
    const a = measureActionUnits(points, { baseline })!;
    const b = measureActionUnits(changed, { baseline })!;
    expect(a.intensity.AU12).toBeGreaterThan(1.5);
    for (const unit of ACTION_UNITS) expect(b.intensity[unit]).toBeCloseTo(a.intensity[unit], 6);
    expect(b.pose.roll - a.pose.roll).toBeGreaterThan(60);
  });

  it('does not count what is smaller than the pixels', () => {
    const at = (scale: number): number =>
      measureActionUnits(picture(moved(person, { wide: 1 }), ahead, scale), { baseline })!.intensity.AU5;
    expect(at(3)).toBe(0);
    expect(at(14)).toBeGreaterThan(2.5);
  });

  it('says when it stands on the population, and is then slower to see something', () => {
    const face = picture(moved(neutralHead(), { smile: 1 }));
    const found = measureActionUnits(face)!;
    expect(found.baseline).toBe('population');
    expect(found.intensity.AU12).toBeGreaterThan(2);
    expect(strongest(picture(person), {})).toBeLessThan(2.5);
    expect(measureActionUnits(face, { baseline })!.baseline).toBe('person');
  });

  it('is absent for a face turned away or points that span nothing, and refuses what is no face', () => {
    expect(
      measureActionUnits(picture(person, { roll: 0, yaw: 80, pitch: 0 }), { pose: { roll: 0, yaw: 80, pitch: 0 } }),
    ).toBeUndefined();
    expect(measureActionUnits(person.map((): Point => [3, 3]))).toBeUndefined();
    const bad = [...picture(person)];
    bad[17] = [Number.NaN, 1];
    expect(() => measureActionUnits(bad)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => measureActionUnits(bad)).toThrow(/landmarks\[17\]/);
    expect(() => measureActionUnits([])).toThrow(/68 points/);
    expect(() => measureActionUnits(picture(person), { pose: { ...ahead, yaw: Number.NaN } })).toThrow(/pose\.yaw/);
  });
});

describe('learnNeutralBaseline', () => {
  const smiles = (share: number, neutral?: (smiling: boolean) => number) => {
    const next = random(11);
    return Array.from({ length: 60 }, (_, i) => {
      const smiling = i % 10 < share * 10;
      const head = moved(person, smiling ? { smile: 1, jaw: 0.2 } : i % 7 === 0 ? { close: 1 } : {});
      const frame = { landmarks: noisy(picture(head, sway(i / 10)), 0.5, next) };
      return neutral ? { ...frame, neutral: neutral(smiling) } : frame;
    });
  };
  const distance = (learned: NeutralBaseline | undefined): number => {
    const differences = Array.from(learned!.shape, (v, k) => Math.abs(v - baseline.shape[k]!));
    return Math.max(...differences);
  };

  it('finds the neutral face among smiles and blinks, turned and noisy', () => {
    expect(distance(learnNeutralBaseline(smiles(0.4)))).toBeLessThan(0.12);
  });

  it('trusts a network that says what is neutral, even where the face mostly smiles', () => {
    const learned = learnNeutralBaseline(smiles(0.8, (smiling) => (smiling ? 0.1 : 0.9)))!;
    expect(learned.frames).toBeLessThan(20);
    expect(distance(learned)).toBeLessThan(0.15);
  });

  it('is absent without enough frames of the front', () => {
    const frame = { landmarks: picture(person) };
    expect(learnNeutralBaseline([frame, frame])).toBeUndefined();
    const turned = { landmarks: picture(person, { roll: 0, yaw: 50, pitch: 0 }) };
    expect(learnNeutralBaseline(Array.from({ length: 9 }, () => turned))).toBeUndefined();
    expect(() => learnNeutralBaseline([{ ...frame, neutral: 3 }])).toThrow(/frames\[0\]\.neutral/);
    expect(() => learnNeutralBaseline([frame], { minFrames: 0 })).toThrow(/minFrames/);
  });

  it('survives JSON, and names what is wrong with other JSON', () => {
    const text = JSON.stringify(baselineToJson(baseline));
    const back = parseBaseline(text);
    expect(back.kind).toBe('person');
    expect(back.frames).toBe(5);
    expect(distance(back)).toBeLessThan(0.001);
    const good = JSON.parse(text) as Record<string, unknown>;
    expect(parseBaseline(good)).toEqual(back);
    for (const [broken, name] of [
      ['{', /JSON/],
      ['null', /object/],
      [{ ...good, version: 2 }, /version/],
      [{ ...good, kind: 'mean' }, /kind/],
      [{ ...good, frames: -1 }, /frames/],
      [{ ...good, points: [] }, /points/],
      [{ ...good, points: Array.from({ length: 68 }, () => [0, 0]) }, /points/],
      [{ ...good, points: Array.from({ length: 68 }, () => [0, null]) }, /points\[0\]/],
    ] as const) {
      expect(() => parseBaseline(broken)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
      expect(() => parseBaseline(broken)).toThrow(name);
    }
  });
});

describe('aspect ratios', () => {
  it('of eyes follow Soukupová and Čech', () => {
    const points = picture(person).map((p): Point => [p[0], p[1]]);
    const eye: Point[] = [
      [0, 0],
      [1, -1],
      [3, -2],
      [4, 0],
      [3, 1],
      [1, 1],
    ];
    eye.forEach((p, i) => {
      points[36 + i] = p;
    });
    expect(eyeAspectRatio(points, 'left')).toBeCloseTo((2 + 3) / 8, 12);
    for (let i = 36; i < 42; i++) points[i] = [5, 5];
    expect(eyeAspectRatio(points, 'left')).toBeUndefined();
    expect(eyeAspectRatio(points, 'right')).toBeCloseTo(eyeAspectRatio(picture(person), 'right')!, 12);
  });

  it('fall when eyes close and rise when the mouth opens, whatever the roll and size', () => {
    const at = (movement: Movement, roll: number, scale: number) => {
      const points = picture(moved(person, movement), { roll, yaw: 0, pitch: 0 }, scale);
      return [eyeAspectRatio(points, 'left')!, mouthAspectRatio(points)!] as const;
    };
    const open = at({}, 0, 10);
    expect(at({}, 50, 33)[0]).toBeCloseTo(open[0], 9);
    expect(at({}, 50, 33)[1]).toBeCloseTo(open[1], 9);
    expect(at({ close: 1 }, 0, 10)[0]).toBeLessThan(0.4 * open[0]);
    expect(at({ jaw: 1 }, 0, 10)[1]).toBeGreaterThan(open[1] + 0.4);
  });
});

describe('facsGrade', () => {
  it('names the letters from trace to maximum', () => {
    expect([0, 0.4, 0.6, 2, 2.6, 4.4, 5, 9].map(facsGrade)).toEqual([
      undefined,
      undefined,
      'A',
      'B',
      'C',
      'D',
      'E',
      'E',
    ]);
  });
});
