import { describe, expect, it } from 'vitest';
import { EventIds } from '../../../lib/pipeline/events/ids.js';
import type { EventRulesOptions } from '../../../lib/pipeline/events/rule-options.js';
import type { EventRules } from '../../../lib/pipeline/events/rules.js';
import type { Identity, PipelineEvent, Track } from '../../../lib/pipeline/types.js';
import { type Box, EXPRESSIONS, type Expression, type ExpressionLabel, type Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { known, rules, sight, stranger, T0, track, types } from './events-sights.js';

function feeling(label: ExpressionLabel, probability: number): Expression {
  const rest = (1 - probability) / (EXPRESSIONS.length - 1);
  const probabilities = Object.fromEntries(EXPRESSIONS.map((one) => [one, one === label ? probability : rest]));
  return { label, probability, probabilities: probabilities as Record<ExpressionLabel, number> };
}

describe('coming and going', () => {
  it('tells a track once it is confirmed, and its stay when it ended', () => {
    const r = rules();
    expect(r.update(sight(0, [track(1, T0, [640, 600], { state: 'tentative' })]))).toEqual([]);
    const [appeared] = r.update(sight(100, [track(1, T0 + 100)]));
    expect(appeared).toMatchObject({ type: 'appeared', camera: 'door', track: 1, timestamp: T0 + 100, sequence: 1 });
    expect(r.update(sight(200, [track(1, T0 + 100, [640, 600], { state: 'lost', seen: false })]))).toEqual([]);
    const [left] = r.update(sight(3000, [track(1, T0 + 100, [640, 600], { state: 'ended' })]));
    expect(left).toMatchObject({ type: 'left', timestamp: T0 + 100, stayedMs: 100 });
    expect(r.end()).toEqual([]);
  });

  it('waits as long as it is told to, and lets go of tracks that nobody mentions any more', () => {
    const r = rules({ appeared: { afterMs: 500 }, left: { absentMs: 1000 } });
    expect(types(r.update(sight(400, [track(1, T0 + 400)])))).toEqual([]);
    expect(types(r.update(sight(500, [track(1, T0 + 500)])))).toEqual(['appeared']);
    expect(types(r.update(sight(1500, [])))).toEqual([]);
    expect(r.update(sight(1600, []))).toMatchObject([{ type: 'left', timestamp: T0 + 500, stayedMs: 500 }]);
  });

  it('tells nothing of tracks that were never confirmed', () => {
    const r = rules();
    r.update(sight(0, [track(1, T0, [640, 600], { state: 'tentative' })]));
    expect(r.update(sight(100, [track(1, T0, [640, 600], { state: 'ended' })]))).toEqual([]);
    expect(r.gesture(1, { timestamp: T0, gesture: 'wave', score: 1 })).toEqual([]);
  });
});

describe('identities', () => {
  it('are told when they are decided and when they change', () => {
    const r = rules({ recognised: { coolDownMs: 0 }, stranger: { coolDownMs: 0 } });
    const at = (ms: number, identity: Identity) => r.update(sight(ms, [track(1, T0 + ms)], new Map([[1, identity]])));
    expect(types(at(0, { kind: 'undecided', looks: 1, weight: 0.5 }))).toEqual(['appeared']);
    expect(at(100, stranger('Person_A'))).toMatchObject([{ type: 'stranger', returning: false }]);
    expect(at(200, stranger('Person_A'))).toEqual([]);
    expect(at(300, known('ada'))).toMatchObject([
      { type: 'recognised', identity: { id: 'ada' }, previous: { id: 'Person_A' } },
    ]);
    expect(at(400, known('ada'))).toEqual([]);
    expect(at(500, { kind: 'undecided', looks: 9, weight: 3 })).toEqual([]);
    expect(r.end()).toMatchObject([{ type: 'left', identity: { id: 'ada' } }]);
  });

  it('are not told any more when they are forgotten', () => {
    const r = rules({ recognised: { coolDownMs: 0 } });
    const at = (ms: number, identity: Identity) => r.update(sight(ms, [track(1, T0 + ms)], new Map([[1, identity]])));
    at(0, known('ada'));
    r.forget(1);
    r.forget(2);
    expect(at(100, { kind: 'undecided', looks: 0, weight: 0 })).toEqual([]);
    const [bob] = at(200, known('bob'));
    expect(bob).toMatchObject({ type: 'recognised', identity: { id: 'bob' } });
    expect(bob).not.toHaveProperty('previous');
    r.forget(1);
    expect(r.end()[0]).not.toHaveProperty('identity');
  });

  it('hold for a while before they count, and cool down across tracks', () => {
    const r = rules({ recognised: { holdMs: 300, coolDownMs: 5000 } });
    const at = (ms: number, id: number, identity: Identity) =>
      r.update(sight(ms, [track(id, T0 + ms)], new Map([[id, identity]])));
    expect(types(at(0, 1, known('ada')))).toEqual(['appeared']);
    expect(at(200, 1, known('bob'))).toEqual([]);
    expect(at(400, 1, known('ada'))).toEqual([]);
    expect(at(700, 1, known('ada'))).toMatchObject([{ type: 'recognised', identity: { id: 'ada' } }]);
    at(1000, 2, known('ada'));
    expect(at(1300, 2, known('ada'))).toEqual([]);
    at(6000, 3, known('ada'));
    expect(types(at(6300, 3, known('ada')))).toEqual(['recognised']);
  });

  it('say whether a stranger was here before, by memory or by what the caller knows', () => {
    const sees = (r: EventRules, ms: number, id: number) =>
      r.update(sight(ms, [track(id, T0 + ms)], new Map([[id, stranger('Person_B')]])));
    const r = rules();
    expect(sees(r, 0, 1)[1]).toMatchObject({ type: 'stranger', returning: false });
    expect(sees(r, 9000, 2).find(({ type }) => type === 'stranger')).toMatchObject({ returning: true });
    expect(sees(rules({ isReturning: () => true }), 0, 1)[1]).toMatchObject({ returning: true });
  });
});

describe('expressions, gestures, liveness', () => {
  const shows = (r: EventRules, ms: number, expression: Expression) => {
    const box: Box = [0, 0, 10, 10];
    const detection = { kind: 'face', box, score: 1, face: { box, score: 1, expression } } as const;
    return types(r.update(sight(ms, [track(1, T0 + ms, [640, 600], { detection: detection as never })])));
  };

  it('tells an expression once it has lasted, and once only', () => {
    const r = rules();
    shows(r, 0, feeling('neutral', 0.9));
    const told: string[] = [];
    for (let ms = 100; ms <= 3000; ms += 100) told.push(...shows(r, ms, feeling('happy', 0.8)));
    expect(told).toEqual(['expression']);
    const flicker: string[] = [];
    for (let ms = 3100; ms < 9000; ms += 100)
      flicker.push(...shows(r, ms, feeling(ms % 400 < 200 ? 'sad' : 'angry', 0.9)));
    expect(flicker).toEqual([]);
  });

  it('does not join looks that lie far apart', () => {
    const r = rules();
    shows(r, 0, feeling('happy', 0.9));
    expect(shows(r, 4000, feeling('happy', 0.9))).toEqual([]);
    expect(shows(r, 4500, feeling('happy', 0.9))).toEqual(['expression']);
  });

  it('tells gestures above their score, not again while they cool down', () => {
    const r = rules();
    r.update(sight(0, [track(1, T0)]));
    const wave = (ms: number, score: number, gesture = 'wave') =>
      r.gesture(1, { timestamp: T0 + ms, sequence: 7, gesture, score });
    expect(wave(100, 0.4)).toEqual([]);
    expect(wave(200, 0.9)).toMatchObject([{ type: 'gesture', gesture: 'wave', score: 0.9, track: 1, sequence: 7 }]);
    expect(wave(900, 0.9)).toEqual([]);
    expect(wave(900, 0.9, 'nod')).toHaveLength(1);
    expect(wave(1200, 0.9)).toHaveLength(1);
  });

  it('tells liveness at first and where it changes and holds', () => {
    const r = rules();
    r.update(sight(0, [track(1, T0)]));
    const live = (ms: number, value: boolean) =>
      r.liveness(1, { timestamp: T0 + ms, live: value, score: 0.7 }).map((e) => e.type === 'liveness' && e.live);
    expect(live(0, true)).toEqual([true]);
    expect(live(100, false)).toEqual([]);
    expect(live(200, true)).toEqual([]);
    expect(live(300, false)).toEqual([]);
    expect(live(900, false)).toEqual([false]);
  });
});

describe('cameras', () => {
  const notice = (ms: number, state: 'opening' | 'running' | 'lost' | 'ended' | 'failed', attempt?: number) => ({
    camera: 'door',
    state,
    timestamp: T0 + ms,
    ...(state === 'lost' && { code: 'CAMERA_LOST', message: 'no pictures', attempt: attempt ?? 1 }),
  });
  const states = (events: readonly PipelineEvent[]) => events.map((e) => (e.type === 'camera' ? e.state : e.type));

  it('are told when they change, not for every try', () => {
    const r = rules();
    expect(r.notice(notice(0, 'opening'))).toEqual([]);
    expect(states(r.notice(notice(10, 'running')))).toEqual(['running']);
    r.update(sight(100, [track(1, T0 + 100)]));
    expect(r.notice(notice(200, 'lost'))).toMatchObject([{ state: 'lost', code: 'CAMERA_LOST' }]);
    expect(r.notice(notice(1000, 'lost', 2))).toEqual([]);
    // By now nobody can say that the track is still there.
    expect(states(r.notice(notice(20_000, 'lost', 3)))).toEqual(['left']);
    expect(states(r.notice(notice(21_000, 'running')))).toEqual(['running']);
    r.update(sight(22_000, [track(2, T0 + 22_000)]));
    expect(states(r.notice(notice(23_000, 'ended')))).toEqual(['left', 'ended']);
  });

  it('that flap do not flood the log, and the last word is told', () => {
    const r = rules({ rate: { perSecond: 1, burst: 3 } });
    const told: PipelineEvent[] = [];
    for (let i = 0; i < 1001; i++) told.push(...r.notice(notice(i * 10, i % 2 === 0 ? 'lost' : 'running')));
    told.push(...r.update(sight(20_000, [])));
    const camera = told.filter(({ type }) => type === 'camera');
    expect(camera.length).toBeLessThanOrEqual(14);
    expect(camera.at(-1)).toMatchObject({ state: 'lost' });
    const gaps = told.flatMap((e) => (e.type === 'gap' ? [e.count] : []));
    expect(gaps.length).toBeLessThanOrEqual(12);
    expect(gaps.reduce((a, b) => a + b, 0)).toBeGreaterThan(400);
  });
});

describe('whatever is seen', () => {
  /** Tracks that come, flicker, jump and go at random. */
  function storm(seed: number, options: EventRulesOptions): PipelineEvent[] {
    const next = random(seed);
    const r = rules({
      zones: [
        {
          name: 'a',
          corners: [
            [0.2, 0.3],
            [0.7, 0.3],
            [0.7, 0.9],
            [0.2, 0.9],
          ],
        },
      ],
      lines: [{ name: 'l', from: [0.5, 0], to: [0.5, 1] }],
      ...options,
    });
    const events: PipelineEvent[] = [];
    const live = new Map<number, Track>();
    let count = 0;
    for (let ms = 0; ms < 20_000; ms += 67) {
      if (next() < 0.3)
        live.set(++count, track(count, T0 + ms, [next() * 1280, next() * 720], { state: 'tentative', first: T0 + ms }));
      const identities = new Map<number, Identity>();
      for (const [id, one] of live) {
        const foot: Point = [one.person![0] + 50 + (next() - 0.5) * 80, one.person![1] + 300 + (next() - 0.5) * 80];
        const state = next() < 0.05 ? 'ended' : next() < 0.2 ? 'lost' : 'confirmed';
        live.set(id, track(id, T0 + ms, foot, { state, first: one.first }));
        if (next() < 0.3)
          identities.set(id, next() < 0.5 ? known(`k${Math.floor(next() * 3)}`) : stranger(`s${id % 5}`));
      }
      const shown = [...live.values()].filter(() => next() > 0.1);
      events.push(...r.update(sight(ms, shown, identities)));
      if (next() < 0.3)
        events.push(...r.gesture(Math.ceil(next() * count), { timestamp: T0 + ms, gesture: 'nod', score: next() }));
      for (const [id, one] of live) if (one.state === 'ended') live.delete(id);
    }
    return [...events, ...r.end()];
  }

  it.each([{ rate: {} }, { rate: { perSecond: 0.5, burst: 2 } }])('nobody leaves who did not come (%o)', ({ rate }) => {
    for (let seed = 1; seed <= 20; seed++) {
      const here = new Map<number, { zone: boolean; first: number }>();
      const came = new Set<number>();
      for (const event of storm(seed, { rate })) {
        if (event.track === undefined) continue;
        const state = here.get(event.track);
        if (event.type === 'appeared') {
          expect(state).toBeUndefined();
          here.set(event.track, { zone: false, first: event.timestamp });
          came.add(event.track);
          continue;
        }
        expect(state, `${event.type} of ${event.track}, seed ${seed}`).toBeDefined();
        if (event.type === 'zone') {
          expect(state!.zone).toBe(event.action === 'left');
          state!.zone = event.action === 'entered';
          if (event.action === 'left') expect(event.stayedMs).toBeGreaterThanOrEqual(0);
        }
        if (event.type === 'left') {
          expect(state!.zone).toBe(false);
          here.delete(event.track);
        }
      }
      expect(came.size).toBeGreaterThan(2);
      expect(here.size).toBe(0);
    }
  });

  it('the same sights give the same events and ids, which sort by time', () => {
    const once = storm(3, {});
    expect(storm(3, {})).not.toBe(once);
    expect(storm(3, { ids: new EventIds({ seed: 'test' }) })).toEqual(once);
    expect(new Set(once.map(({ id }) => id)).size).toBe(once.length);
    const sorted = [...once].sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ timestamp }) => timestamp);
    expect(sorted).toEqual([...sorted].sort((a, b) => a - b));
  });

  it('their rate is bounded, and what is left out is counted', () => {
    const r = rules({ rate: { perSecond: 5, burst: 10 } });
    const events: PipelineEvent[] = [];
    for (let i = 0; i < 1000; i++) {
      const one = track(i, T0 + i * 10, [640, 600], { first: T0 + i * 10 });
      events.push(
        ...r.update(
          sight(i * 10, [one, ...(i > 0 ? [track(i - 1, T0 + i * 10, [640, 600], { state: 'ended' })] : [])]),
        ),
      );
    }
    events.push(...r.end());
    const count = (type: string) => events.filter((e) => e.type === type).length;
    expect(count('appeared')).toBeLessThanOrEqual(10 + 5 * 10 + 1);
    expect(count('left')).toBe(count('appeared'));
    expect(count('gap')).toBeLessThanOrEqual(12);
    const left = events.reduce((sum, e) => sum + (e.type === 'gap' ? e.count : 0), 0);
    expect(left).toBe(2 * (1000 - count('appeared')));
  });

  it('bad times and sizes are refused, and a clock that goes back does no harm', () => {
    const r = rules();
    expect(() => r.update({ ...sight(0, []), timestamp: Number.NaN })).toThrow(/timestamp/);
    expect(() => r.update({ ...sight(0, []), timestamp: -1 })).toThrow(/timestamp/);
    expect(() => r.update({ ...sight(0, []), width: 0 })).toThrow(/width/);
    r.update(sight(5000, [track(1, T0 + 5000)]));
    expect(types(r.update(sight(1000, [track(1, T0 + 1000), track(2, T0 + 1000)])))).toEqual(['appeared']);
    expect(types(r.end())).toEqual(['left', 'left']);
  });
});

describe('ids', () => {
  const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

  it('are UUIDs of version 7 that rise within a millisecond and tell it', () => {
    for (const ids of [new EventIds(), new EventIds({ seed: 'a' })]) {
      const times = Array.from({ length: 5000 }, (_, i) => T0 + (i % 3) + 0.25);
      const made = times.map((time) => ids.next(time));
      expect(new Set(made).size).toBe(made.length);
      for (const [i, id] of made.entries()) {
        expect(id).toMatch(UUID7);
        expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(T0 + (i % 3));
        if (i >= 3) expect(id > made[i - 3]!).toBe(true);
      }
    }
    expect(new EventIds({ seed: 'a' }).next(T0)).toBe(new EventIds({ seed: 'a' }).next(T0));
    expect(new EventIds({ seed: 'a' }).next(T0)).not.toBe(new EventIds({ seed: 'b' }).next(T0));
    expect(() => new EventIds().next(2 ** 48)).toThrow(/timestamp/);
  });
});
