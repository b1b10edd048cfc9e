import { describe, expect, it } from 'vitest';
import { trackingMetrics } from '../../../../lib/pipeline/tracking/metrics.js';
import { Tracker } from '../../../../lib/pipeline/tracking/tracker.js';
import type { Detection, Track } from '../../../../lib/pipeline/types.js';
import type { Box, Embedding } from '../../../../lib/types.js';
import { normal, random } from '../../../support/random.js';

const PICTURE = { width: 1280, height: 720 };
const face = (box: Box, more: Partial<Detection> = {}): Detection => ({ kind: 'face', box, score: 0.9, ...more });
const person = (box: Box, more: Partial<Detection> = {}): Detection => ({ kind: 'person', box, score: 0.9, ...more });
const middle = ([x, y, w, h]: Box): [number, number] => [x + w / 2, y + h / 2];
/** A look that is `i`'s: cosines of different ones are 0. */
const look = (i: number): Embedding => {
  const vector = new Float32Array(8);
  vector[i] = 1;
  return { model: 'test', dims: 8, vector };
};
const looks = { same: 0.8, different: 0.3 };
const alive = (tracks: readonly Track[]): Track[] => tracks.filter((t) => t.state === 'confirmed');

describe('tracker', () => {
  it('confirms after two hits, tells of a loss, and of an end once', () => {
    const tracker = new Tracker('door', { coastMs: 300, keepMs: 1000 });
    const states: string[] = [];
    for (let t = 0; t <= 2000; t += 100) {
      const [track] = tracker.update(t, t < 500 ? [face([100 + t / 10, 100, 60, 60])] : [], PICTURE);
      states.push(track?.state ?? '-');
    }
    expect(states.join(' ')).toBe(`tentative ${'confirmed '.repeat(7)}${'lost '.repeat(7)}ended${' -'.repeat(5)}`);
    expect(tracker.size).toBe(0);
  });

  it('says where a box is between detections, over steps of any length', () => {
    const next = random(1);
    const tracker = new Tracker('door');
    const off: number[] = [];
    let t = 1e12;
    const start = t;
    const where = (time: number): Box => [100 + 0.2 * (time - start), 300 - 0.05 * (time - start), 80, 100];
    for (let i = 0; i < 120; i++) {
      t += 10 + 80 * next();
      const looked = i % 4 === 0;
      const box = where(t);
      const seen: Box = [
        box[0] + 2 * normal(next),
        box[1] + 2 * normal(next),
        box[2],
        box[3] * (1 + 0.02 * normal(next)),
      ];
      const tracks = tracker.update(t, looked ? [face(seen)] : undefined, { width: 5000, height: 720 });
      expect(tracks).toHaveLength(1);
      const [track] = tracks;
      expect(track!.seen).toBe(looked);
      expect(track!.detection === undefined).toBe(!looked);
      if (i < 20) continue;
      const [a, b] = [middle(track!.face!), middle(box)];
      off.push(Math.hypot(a[0] - b[0], a[1] - b[1]));
      expect(track!.velocity[0]).toBeGreaterThan(120);
      expect(track!.velocity[0]).toBeLessThan(280);
    }
    expect(off.reduce((a, b) => a + b) / off.length).toBeLessThan(5);
    expect(Math.max(...off)).toBeLessThan(20);
  });

  it('keeps numbers through crossings with noise, false boxes and gaps', () => {
    const next = random(5);
    const tracker = new Tracker('door');
    const frames = [];
    for (let i = 0; i < 300; i++) {
      const truth = Array.from({ length: 6 }, (_, k) => {
        const phase = (i / 300) * 2 * Math.PI * (1 + (k % 2)) + k;
        const size = 70 + 8 * k;
        return {
          id: k,
          box: [600 + 450 * Math.sin(phase), 120 + 75 * k + 60 * Math.cos(phase), size, size * 1.2] as Box,
        };
      });
      const detections = truth
        .filter(() => next() > 0.1)
        .map(({ box: [x, y, w, h] }) =>
          face([x + 3 * normal(next), y + 3 * normal(next), w, h], { score: 0.3 + 0.7 * next() }),
        );
      if (next() < 0.3) detections.push(face([1200 * next(), 600 * next(), 60, 70], { score: 0.45 }));
      const tracks = tracker.update(i * 66, detections, PICTURE);
      frames.push({ truth, found: alive(tracks).map(({ id, face }) => ({ id, box: face! })) });
    }
    const metrics = trackingMetrics(frames);
    expect(metrics.switches).toBeLessThanOrEqual(2);
    expect(metrics.idf1).toBeGreaterThan(0.9);
    expect(metrics.mota).toBeGreaterThan(0.9);
  });

  it('goes on with a weak box, but begins nothing with one', () => {
    const tracker = new Tracker('door', { confirmHits: 1 });
    expect(tracker.update(0, [face([10, 10, 50, 50], { score: 0.2 })], PICTURE)).toEqual([]);
    const [first] = tracker.update(100, [face([10, 10, 50, 50])], PICTURE);
    const [again] = tracker.update(200, [face([12, 10, 50, 50], { score: 0.2 })], PICTURE);
    expect(again).toMatchObject({ id: first!.id, seen: true, hits: 2 });
  });

  it('joins a face and its person, and keeps the person while the face is turned away', () => {
    const tracker = new Tracker('door');
    const body = (x: number): Box => [x, 100, 150, 500];
    const head = (x: number): Box => [x + 45, 110, 60, 75];
    let id: number | undefined;
    for (let i = 0; i < 60; i++) {
      const detections = [person(body(200 + 4 * i)), person(body(800)), face(head(800))];
      if (i < 20 || i >= 50) detections.push(face(head(200 + 4 * i)));
      const tracks = tracker.update(i * 100, detections, PICTURE);
      expect(tracks).toHaveLength(2);
      const track = tracks.find((t) => t.person![0] < 600)!;
      id ??= track.id;
      expect(track.id).toBe(id);
      if (i === 45) expect(track.face).toBeUndefined();
      if (i === 55) expect(middle(track.face!)[0]).toBeCloseTo(middle(head(200 + 4 * i))[0], -1);
    }
  });

  it('begins with a face and goes on with the person that it belongs to', () => {
    const tracker = new Tracker('door');
    const [a] = tracker.update(0, [face([245, 110, 60, 75])], PICTURE);
    const [b] = tracker.update(100, [person([200, 100, 150, 500])], PICTURE);
    const [c] = tracker.update(200, [face([245, 110, 60, 75])], PICTURE);
    expect([b!.id, c!.id]).toEqual([a!.id, a!.id]);
    expect(c).toMatchObject({ state: 'confirmed', hits: 3 });
  });

  it('does not miss a person because only faces were looked for', () => {
    const tracker = new Tracker('door', { coastMs: 100 });
    for (let t = 0; t <= 300; t += 100) tracker.update(t, [person([200, 100, 150, 500])], PICTURE);
    const [kept] = tracker.update(500, [], PICTURE, ['face']);
    expect(kept!.state).toBe('confirmed');
    const [lost] = tracker.update(600, [], PICTURE, ['face', 'person']);
    expect(lost!.state).toBe('lost');
  });

  it('knows who comes back by looks, within a track and after the frame', () => {
    for (const late of [false, true]) {
      const tracker = new Tracker('door', { looks });
      const seen = (t: number, who: number, box: Box): Track => {
        const detection = late ? face(box) : face(box, { embedding: look(who) });
        const [track] = tracker.update(t, [detection], PICTURE).filter((k) => k.seen);
        const id = late ? tracker.look(track!.id, look(who)) : track!.id;
        return { ...track!, id };
      };
      const first = seen(0, 1, [100, 100, 80, 90]);
      seen(100, 1, [100, 100, 80, 90]);
      for (let t = 200; t < 1200; t += 100) tracker.update(t, [], PICTURE);
      expect(seen(1200, 1, [500, 300, 80, 90]).id).toBe(first.id);
      seen(1300, 1, [500, 300, 80, 90]);
      for (let t = 1400; t < 2400; t += 100) tracker.update(t, [], PICTURE);
      // Who looks different is somebody else, also near by; without looks in time, only farther than one can have gone.
      expect(seen(2400, 2, late ? [1200, 20, 30, 34] : [560, 300, 80, 90]).id).not.toBe(first.id);
      // The one that is gone is not told of again.
      const ids = tracker.update(2500, [], PICTURE).map((t) => t.id);
      expect(new Set(ids).size).toBe(ids.length);
    }
  });

  it('is bounded, whatever is found', () => {
    const next = random(2);
    const tracker = new Tracker('door', { maxTracks: 40, confirmHits: 1 });
    const ended = new Set<number>();
    for (let i = 0; i < 40; i++) {
      const detections = Array.from({ length: 60 }, () => face([1200 * next(), 650 * next(), 20, 20]));
      for (const track of tracker.update(i * 50, detections, PICTURE)) {
        if (track.state !== 'ended') continue;
        expect(ended.has(track.id)).toBe(false);
        ended.add(track.id);
      }
      expect(tracker.size).toBeLessThanOrEqual(40);
    }
    expect(tracker.finish()).toHaveLength(40);
    expect(tracker.size).toBe(0);
  });

  it('survives long gaps and gives the same again', () => {
    const run = (): string => {
      const next = random(9);
      const tracker = new Tracker('door');
      const all: Track[][] = [];
      let t = -5000;
      for (let i = 0; i < 80; i++) {
        t += i % 20 === 19 ? 3_600_000 : i % 7 === 6 ? 0 : 40;
        const detections = Array.from({ length: 4 }, (_, k) => face([200 * k + 5 * next(), 100, 60, 70]));
        all.push(tracker.update(t, i % 3 === 2 ? undefined : detections, PICTURE));
      }
      for (const tracks of all) {
        for (const { face: box, velocity } of tracks) {
          expect([...box!, ...velocity].every(Number.isFinite)).toBe(true);
        }
      }
      return JSON.stringify(all);
    };
    expect(run()).toBe(run());
  });

  it('refuses what is not a time, a detection or an option, and is as before', () => {
    const tracker = new Tracker('door');
    tracker.update(1000, [face([10, 10, 50, 50])], PICTURE);
    const bad: (() => unknown)[] = [
      () => tracker.update(999, [], PICTURE),
      () => tracker.update(Number.NaN, [], PICTURE),
      () => tracker.update(2000, [face([10, 10, -5, 5])], PICTURE),
      () => tracker.update(2000, [face([Number.NaN, 10, 5, 5])], PICTURE),
      () => tracker.update(2000, [{ kind: 'dog', box: [1, 1, 1, 1], score: 1 } as never], PICTURE),
      () => tracker.update(2000, [undefined as never], PICTURE),
      () => tracker.update(2000, [], { width: 0, height: 5 }),
      () => tracker.look(1, { model: 'x', dims: 3, vector: new Float32Array(2) }),
      () => new Tracker(''),
      () => new Tracker('door', { confirmHits: 0 }),
      () => new Tracker('door', { weak: 0.9 }),
      () => new Tracker('door', { looks: { same: 0.5, different: 0.6 } }),
      () => new Tracker('door', { keep: 5 } as never),
    ];
    for (const call of bad) expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(tracker.update(1100, [face([10, 10, 50, 50])], PICTURE)).toMatchObject([{ id: 1, hits: 2 }]);
  });
});
