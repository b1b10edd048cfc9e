import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../lib/gallery/database.js';
import { EventLog } from '../../../lib/pipeline/events/log.js';
import { pageStatement } from '../../../lib/pipeline/events/query.js';
import { APPLICATION_ID, MIGRATIONS } from '../../../lib/pipeline/events/schema.js';
import type { PipelineEvent } from '../../../lib/pipeline/types.js';
import { random } from '../../support/random.js';
import { ada, maker, somebody, T0 } from './events-made.js';

const { ids, made } = maker('log');
let folder = '';
let log: EventLog;
let clock = T0;
const open = (more = {}) => EventLog.open({ folder, now: () => clock, ...more });
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-events-'));
  clock = T0;
  log = await open();
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

/** One of each kind. */
const ALL: readonly PipelineEvent[] = [
  made(0, { type: 'appeared', track: 1, sequence: 12, box: [1.5, 2, 30, 40] }),
  made(1, { type: 'recognised', track: 1, identity: ada, previous: somebody }),
  made(2, { type: 'stranger', track: 2, identity: somebody, returning: true }),
  made(3, { type: 'expression', track: 1, identity: ada, expression: 'happy', probability: 0.875 }),
  made(4, { type: 'gesture', track: 1, gesture: 'wave', score: 0.5 }),
  made(5, { type: 'liveness', track: 1, live: true, score: 0.9 }),
  made(6, { type: 'zone', track: 1, zone: 'counter', action: 'left', stayedMs: 1500.25 }),
  made(7, { type: 'line', track: 1, line: 'threshold', direction: 'forward' }),
  made(8, { type: 'camera', state: 'lost', code: 'CAMERA_LOST', message: 'no pictures', camera: 'yard' }),
  made(9, { type: 'clip', event: ids.next(T0), code: 'STORE_FULL', message: 'no space' }),
  made(10, { type: 'gap', stage: 'events', count: 3, message: '3 appeared' }),
  made(11.5, { type: 'left', track: 1, stayedMs: 11, identity: { kind: 'undecided', looks: 1, weight: 0.2 } }),
];

describe('the event log', () => {
  it('gives events back as they were, after it was opened again', async () => {
    await log.append(ALL);
    await log.close();
    log = await open();
    expect((await log.query({ order: 'oldest' })).events).toEqual(ALL);
    expect((await log.query()).events).toEqual([...ALL].reverse());
    for (const event of ALL) expect(await log.get(event.id)).toEqual(event);
    expect(await log.get(ids.next(T0 + 99))).toBeUndefined();
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
    expect(await log.check()).toEqual([]);
  });

  it('does not write an event twice, and refuses all of a call where one is no event', async () => {
    await log.append(ALL);
    await log.append(ALL.slice(0, 3));
    expect(await log.count()).toEqual([{ count: ALL.length }]);
    const bad: [Partial<PipelineEvent>, RegExp][] = [
      [{ id: '1' }, /events\[1\]\.id/],
      [{ type: 'party' as never }, /events\[1\]\.type/],
      [{ camera: '' }, /camera/],
      [{ timestamp: Number.NaN }, /timestamp/],
      [{ timestamp: -5 }, /timestamp/],
      [{ message: 'x'.repeat(70_000) } as never, /65536/],
    ];
    for (const [change, message] of bad) {
      const good = made(50, { type: 'appeared' });
      await expect(log.append([good, { ...made(51, { type: 'appeared' }), ...change } as never])).rejects.toThrow(
        message,
      );
      expect(await log.get(good.id)).toBeUndefined();
    }
    await log.append([]);
  });

  it('answers by time, camera, type, person and zone, page by page', async () => {
    const next = random(5);
    const all = Array.from({ length: 700 }, (_, i) => {
      const type = (['appeared', 'left', 'zone', 'line'] as const)[Math.floor(next() * 4)]!;
      return made(Math.floor(next() * 300), {
        type,
        camera: `cam${Math.floor(next() * 3)}`,
        ...(next() < 0.5 && { identity: { kind: 'known', id: `p${Math.floor(next() * 4)}`, looks: 1, weight: 1 } }),
        ...(type === 'zone' && { zone: `z${Math.floor(next() * 2)}`, action: 'entered' }),
        ...(type === 'line' && { line: 'z1', direction: 'forward' }),
        ...(type === 'left' && { stayedMs: i }),
      });
    });
    for (let i = 0; i < all.length; i += 100) await log.append(all.slice(i, i + 100));
    const placeOf = (e: PipelineEvent) => (e.type === 'zone' ? e.zone : e.type === 'line' ? e.line : undefined);
    const is = (wanted: string | readonly string[] | undefined, value: string | undefined) =>
      wanted === undefined || (value !== undefined && [wanted].flat().includes(value));
    const questions = [
      {},
      { from: T0 + 100, to: T0 + 150 },
      { camera: 'cam1' },
      { camera: ['cam0', 'cam2'], type: 'zone' },
      { type: ['left', 'line'], from: T0 + 20 },
      { person: 'p1' },
      { person: ['p0', 'p3', 'nobody'], camera: 'cam0', to: T0 + 200 },
      { zone: 'z1' },
      { zone: ['z0', 'z1'], person: 'p2', type: 'line' },
      { camera: 'nowhere' },
      { person: 'nobody' },
    ] as const;
    for (const question of questions) {
      const q = question as {
        from?: number;
        to?: number;
        camera?: string;
        type?: string;
        person?: string;
        zone?: string;
      };
      const expected = all.filter(
        (e) =>
          e.timestamp >= (q.from ?? 0) &&
          e.timestamp < (q.to ?? Number.POSITIVE_INFINITY) &&
          is(q.camera, e.camera) &&
          is(q.type, e.type) &&
          is(q.person, e.identity?.id) &&
          is(q.zone, placeOf(e)),
      );
      for (const order of ['newest', 'oldest'] as const) {
        const found: PipelineEvent[] = [];
        for (let after: string | undefined, pages = 0; pages < 100; pages++) {
          const page = await log.query({ ...question, order, limit: 37, ...(after !== undefined && { after }) });
          found.push(...page.events);
          after = page.next;
          if (after === undefined) break;
          expect(page.events).toHaveLength(37);
        }
        const times = found.map(({ timestamp }) => timestamp);
        expect(times).toEqual([...times].sort((a, b) => (order === 'newest' ? b - a : a - b)));
        expect(new Set(found.map(({ id }) => id)), JSON.stringify(question)).toEqual(
          new Set(expected.map(({ id }) => id)),
        );
        expect(found).toHaveLength(expected.length);
      }
      expect(await log.count(question)).toEqual([{ count: expected.length }]);
    }
  });

  it('pages hold while events are added', async () => {
    await log.append(Array.from({ length: 50 }, (_, i) => made(i, { type: 'appeared' })));
    const first = await log.query({ limit: 20 });
    await log.append(Array.from({ length: 50 }, (_, i) => made(100 + i, { type: 'appeared' })));
    const second = await log.query({ limit: 100, after: first.next! });
    expect([...first.events, ...second.events].map(({ timestamp }) => timestamp - T0)).toEqual(
      Array.from({ length: 50 }, (_, i) => 49 - i),
    );
  });

  it('counts by hour, day, camera, person, type and zone', async () => {
    const at = (hours: number) => hours * 3_600_000 - T0;
    const start = Math.floor(T0 / 86_400_000) * 24;
    await log.append([
      made(at(start + 1.5), { type: 'appeared', identity: ada }),
      made(at(start + 1.9), { type: 'left', stayedMs: 1, identity: ada }),
      made(at(start + 23.5), { type: 'appeared', camera: 'yard' }),
      made(at(start + 24.5), { type: 'zone', zone: 'a', action: 'entered', identity: somebody }),
    ]);
    const hour = (h: number) => (start + h) * 3_600_000;
    expect(await log.count({ by: ['hour'] })).toEqual([
      { hour: hour(1), count: 2 },
      { hour: hour(23), count: 1 },
      { hour: hour(24), count: 1 },
    ]);
    expect(await log.count({ by: ['day'] })).toEqual([
      { day: hour(0), count: 3 },
      { day: hour(24), count: 1 },
    ]);
    expect(await log.count({ by: ['day'], utcOffsetMinutes: 60 })).toEqual([
      { day: hour(-1), count: 2 },
      { day: hour(23), count: 2 },
    ]);
    expect(await log.count({ by: ['camera', 'type'], from: hour(0), to: hour(24) })).toEqual([
      { camera: 'door', type: 'appeared', count: 1 },
      { camera: 'door', type: 'left', count: 1 },
      { camera: 'yard', type: 'appeared', count: 1 },
    ]);
    expect(await log.count({ by: ['person', 'zone'] })).toEqual([
      { count: 1 },
      { person: 'Person_A47B8C12', zone: 'a', count: 1 },
      { person: 'ada', count: 2 },
    ]);
    await expect(log.count({ by: ['year' as never] })).rejects.toThrow(/hour/);
  });

  it('refuses questions that make no sense', async () => {
    const bad = [
      { limit: 0 },
      { limit: 1001 },
      { after: 'x' },
      { type: 'party' },
      { camera: [] },
      { form: 1 },
      { from: 'x' },
    ];
    for (const query of bad)
      await expect(log.query(query as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(log.query({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'ABORTED' });
    await log.close();
    await expect(log.query()).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(log.append(ALL)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(EventLog.open({ folder: join(folder, 'none'), create: false })).rejects.toMatchObject({
      code: 'STORE_NOT_FOUND',
    });
  });

  it('goes along an index for every question, without sorting everything', async () => {
    await log.append(ALL);
    await log.close();
    await using db = await Database.open({ path: log.path, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
    const keys = () => Promise.resolve([1]);
    const time = { from: T0, to: T0 + 1000, after: `${T0}_5` };
    const expected = {
      events_time: {},
      events_camera: { camera: 'door' },
      events_type: { type: 'left', camera: 'door' },
      events_place: { zone: 'a', type: 'zone', camera: 'door' },
      events_person: { person: 'ada', type: 'zone' },
    } as const;
    for (const [index, question] of Object.entries(expected)) {
      for (const order of ['newest', 'oldest'] as const) {
        const { statement } = await pageStatement({ ...question, ...time, order }, keys);
        const plan = await db.read(`EXPLAIN QUERY PLAN ${statement!.sql}`, statement!.params);
        const lines = plan.rows.map((row) => String(row[3]));
        const walk = lines.filter((line) => line.includes(index));
        expect(walk, index).toHaveLength(1);
        expect(walk[0]).toMatch(/^SEARCH events USING/);
        expect(walk[0]).toContain('timestamp>? AND timestamp<?');
        expect(lines.filter((line) => line.startsWith('SCAN') && !/page|subquery/.test(line))).toEqual([]);
      }
    }
    const rows = await db.read('SELECT count(*) FROM events');
    expect(rows.rows).toEqual([[ALL.length]]);
  });
});

describe('those who follow the log', () => {
  it('get every event once, in the order of commits, however slow they are', async () => {
    await log.append(ALL.slice(0, 2));
    const stop = new AbortController();
    const seen: string[][] = [[], [], []];
    const follow = async (to: string[], options: object, pause: number): Promise<void> => {
      for await (const event of log.follow({ ...options, signal: stop.signal })) {
        to.push(event.id);
        if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
      }
    };
    const ends = [
      follow(seen[0]!, {}, 0),
      follow(seen[1]!, { start: 'oldest', type: ['zone', 'recognised'] }, 0),
      follow(seen[2]!, {}, 2),
    ];
    await new Promise((resolve) => setTimeout(resolve, 100));
    const later = Array.from({ length: 300 }, (_, i) =>
      made(1000 - i, i % 3 === 0 ? { type: 'zone', zone: 'a', action: 'entered' } : { type: 'appeared' }),
    );
    await Promise.all(later.map((event) => log.append([event])));
    await expect.poll(() => seen.map(({ length }) => length), { timeout: 20_000 }).toEqual([300, 101, 300]);
    expect(seen[0]).toEqual(seen[2]);
    expect(new Set(seen[0])).toEqual(new Set(later.map(({ id }) => id)));
    stop.abort();
    for (const end of ends) await expect(end).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('hear of what another process wrote, and end when the log is closed', async () => {
    const other = await EventLog.open({ folder });
    const seen: PipelineEvent[] = [];
    const end = (async () => {
      for await (const event of log.follow({ pollMs: 20 })) seen.push(event);
    })();
    await new Promise((resolve) => setTimeout(resolve, 60));
    await other.append(ALL);
    await other.close();
    await expect.poll(() => seen.length).toBe(ALL.length);
    await log.close();
    await end;
  });
});
