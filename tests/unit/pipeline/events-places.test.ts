import { describe, expect, it } from 'vitest';
import type { PipelineEvent } from '../../../lib/pipeline/types.js';
import type { Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { rules, sight, T0, track, types, walk } from './events-sights.js';

describe('zones', () => {
  const zone = {
    name: 'counter',
    corners: [
      [0.4, 0.5],
      [0.6, 0.5],
      [0.6, 1],
      [0.4, 1],
    ] as const,
  };
  const zones = (events: readonly PipelineEvent[]) =>
    events.flatMap((e) =>
      e.type === 'zone' ? [`${e.zone} ${e.action} ${e.timestamp - T0} ${e.stayedMs ?? ''}`.trim()] : [],
    );
  const line = (from: number, to: number, step: number, y = 600): Point[] =>
    Array.from({ length: Math.floor((to - from) / step) + 1 }, (_, i) => [from + i * step, y]);

  it('are entered and left with the time of the change and the stay', () => {
    // 20 pixels a frame: inside from 512 + 15 to 768, told as of the frame.
    expect(zones(walk(rules({ zones: [zone] }), line(400, 1000, 20)))).toEqual([
      'counter entered 700',
      'counter left 2000 1300',
    ]);
  });

  it('are left when the track ends, with the last sight', () => {
    const events = walk(rules({ zones: [zone] }), line(400, 640, 20));
    expect(zones(events)).toEqual(['counter entered 700', 'counter left 1200 500']);
    expect(types(events).slice(-2)).toEqual(['zone', 'left']);
  });

  it('reach to the border of the picture, where feet are cut off', () => {
    const feet = Array.from({ length: 10 }, (): Point => [640, 760]);
    expect(zones(walk(rules({ zones: [zone] }), feet))[0]).toBe('counter entered 0');
    const all = {
      name: 'all',
      corners: [
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 1],
      ] as const,
    };
    expect(zones(walk(rules({ zones: [all] }), feet))[0]).toBe('all entered 0');
  });

  it('do not flicker for whoever stands on their edge', () => {
    for (let seed = 1; seed <= 50; seed++) {
      const next = random(seed);
      const feet = Array.from({ length: 200 }, (): Point => [512 + (next() - 0.5) * 28, 600 + (next() - 0.5) * 28]);
      expect(zones(walk(rules({ zones: [zone] }), feet)), `seed ${seed}`).toEqual([]);
    }
  });

  it('take the face where no person is seen, and do not jump where the person box goes', () => {
    const r = rules({ zones: [zone] });
    const told = Array.from({ length: 40 }, (_, i) => {
      const { person: _person, ...faceOnly } = track(1, T0 + i * 100);
      // The person box is there in every third frame only: the face alone is far above the zone.
      return r.update(sight(i * 100, [i % 3 === 0 ? track(1, T0 + i * 100) : faceOnly]));
    }).flat();
    expect(zones(told)).toEqual(['counter entered 0']);
    const { person: _person, ...only } = track(2, T0, [640, 800]);
    const alone = rules({ zones: [zone] });
    const seen = [0, 200, 400].flatMap((ms) => [...alone.update(sight(ms, [only]))]);
    expect(zones(seen)).toEqual(['counter entered 0']);
  });

  it('may be concave, and belong to one camera', () => {
    const u = [
      [0.2, 0.2],
      [0.8, 0.2],
      [0.8, 0.9],
      [0.6, 0.9],
      [0.6, 0.4],
      [0.4, 0.4],
      [0.4, 0.9],
      [0.2, 0.9],
    ] as const;
    const feet = (x: number): Point[] => Array.from({ length: 10 }, () => [x, 500]);
    const made = () =>
      rules({
        zones: [
          { name: 'u', corners: u },
          { ...zone, camera: 'other' },
        ],
      });
    expect(zones(walk(made(), feet(640)))).toEqual([]);
    expect(zones(walk(made(), feet(384)))).toHaveLength(2);
  });

  it('are refused where they make no sense', () => {
    const bad = (corners: unknown) => () => rules({ zones: [{ name: 'z', corners } as never] });
    expect(
      bad([
        [0, 0],
        [1, 1],
      ]),
    ).toThrow(/three corners/);
    expect(
      bad([
        [0, 0],
        [1, 1],
        [2, 0],
      ]),
    ).toThrow(/from 0 to 1/);
    expect(
      bad([
        [0, 0],
        [1, Number.NaN],
        [1, 0],
      ]),
    ).toThrow(/from 0 to 1/);
    expect(
      bad([
        [0, 0.5],
        [1, 0.5],
        [0.5, 0.5],
      ]),
    ).toThrow(/area/);
    expect(() => rules({ zones: [zone, zone] })).toThrow(/counter/);
    expect(() => rules({ zone: { margn: 1 } as never })).toThrow(/margn/);
  });
});

describe('lines', () => {
  // From the top to the bottom of the picture: walking down, its left is the picture's right.
  const door = { name: 'door', from: [0.5, 0.6], to: [0.5, 1] } as const;
  const lines = (events: readonly PipelineEvent[]) => events.flatMap((e) => (e.type === 'line' ? [e.direction] : []));
  const path = (...xs: number[]): Point[] => xs.map((x) => [x, 600]);
  const far = (x: number): number[] => [x, x, x, x, x];

  it('are crossed forward from left to right as seen walking along them', () => {
    expect(lines(walk(rules({ lines: [door] }), path(...far(800), ...far(500))))).toEqual(['forward']);
    expect(lines(walk(rules({ lines: [door] }), path(...far(500), ...far(800))))).toEqual(['backward']);
    expect(lines(walk(rules({ lines: [door] }), path(...far(500), ...far(800), ...far(400))))).toEqual([
      'backward',
      'forward',
    ]);
  });

  it('are not crossed beyond their ends, nor by walking round one', () => {
    const above = (xs: readonly number[]): Point[] => xs.map((x) => [x, 300]);
    const r = () => rules({ lines: [door] });
    expect(lines(walk(r(), above([...far(800), ...far(500)])))).toEqual([]);
    const round: Point[] = [...path(...far(700)), [700, 300], [640, 300], [600, 300], ...path(...far(600))];
    expect(lines(walk(r(), round))).toEqual([]);
    // Through the line and back round its end: it ends where it began.
    expect(lines(walk(r(), [...path(...far(700), 610), [610, 300], [700, 300], ...path(...far(700))]))).toEqual([]);
  });

  it('count whoever leaves the picture right behind them', () => {
    expect(lines(walk(rules({ lines: [door] }), path(...far(800), 500)))).toEqual(['forward']);
  });

  it('count one crossing for one walk, whatever the boxes do', () => {
    for (let seed = 1; seed <= 100; seed++) {
      const next = random(seed);
      const jitter = (at: number): Point => [at + (next() - 0.5) * 28, 600 + (next() - 0.5) * 28];
      const standing = Array.from({ length: 100 }, () => jitter(640));
      const to = seed % 2 === 0 ? 1 : -1;
      const walked = Array.from({ length: 40 }, (_, i) => jitter(640 + to * (i - 20) * 15));
      const more = [...walked.slice(0, 20), ...standing, ...walked.slice(20)];
      expect(lines(walk(rules({ lines: [door] }), more)), `seed ${seed}`).toEqual([to > 0 ? 'backward' : 'forward']);
      expect(lines(walk(rules({ lines: [door] }), standing)).length, `standing, seed ${seed}`).toBe(0);
    }
  });

  it('are refused without a length', () => {
    expect(() => rules({ lines: [{ name: 'l', from: [0.5, 0.5], to: [0.5, 0.5] }] })).toThrow(/two ends/);
  });
});
