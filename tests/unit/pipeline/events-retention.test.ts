import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../lib/gallery/database.js';
import { openGallery } from '../../../lib/gallery/index.js';
import { EventIds, EventLog, galleryPersons, type PersonStore } from '../../../lib/pipeline/events/index.js';
import { APPLICATION_ID, MIGRATIONS } from '../../../lib/pipeline/events/schema.js';
import type { PipelineEvent } from '../../../lib/pipeline/types.js';

const DAY = 86_400_000;
const NOW = 1_780_000_000_000;
const ids = new EventIds({ seed: 'retention' });
let folder = '';
let log: EventLog;
const inside = (...parts: string[]): string => join(folder, 'data', 'clips', ...parts);
const open = () => EventLog.open({ folder: join(folder, 'data'), now: () => NOW });
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-retention-'));
  mkdirSync(inside('door'), { recursive: true });
  log = await open();
});
afterEach(async () => {
  await log.close();
  rmSync(folder, { recursive: true, force: true });
});

const made = (daysAgo: number, fields: object): PipelineEvent => {
  const timestamp = NOW - daysAgo * DAY;
  return { id: ids.next(timestamp), camera: 'door', timestamp, ...fields } as PipelineEvent;
};
const seen = (person: string, daysAgo: number): PipelineEvent =>
  made(daysAgo, { type: 'recognised', identity: { kind: 'known', id: person, looks: 1, weight: 1 } });

/** A clip of a file, which is written first. */
function clip(daysAgo: number, file: string, more: object = {}): PipelineEvent {
  const text = `clip ${file}`;
  writeFileSync(file, text);
  writeFileSync(`${file}.jpg`, 'thumbnail');
  const end = NOW - daysAgo * DAY;
  return made(daysAgo, {
    type: 'clip',
    event: ids.next(NOW),
    path: file,
    thumbnail: `${file}.jpg`,
    sha256: createHash('sha256').update(text).digest('hex'),
    from: end - 10_000,
    to: end,
    ...more,
  });
}

describe('events', () => {
  it('go after their time, in pieces, and a dry run takes none', async () => {
    const all = Array.from({ length: 5000 }, (_, i) => made(i / 10, { type: 'appeared', track: i }));
    await log.append(all);
    const plan = await log.planRetention(NOW);
    // 365 days after: 3651 to 4999 tenths of a day.
    expect(plan.events).toEqual({ count: 1349, oldest: all[4999]!.timestamp });
    expect(await log.count()).toEqual([{ count: 5000 }]);
    const steps: number[] = [];
    const report = await log.runRetention(NOW, {
      policy: { eventsDays: 100 },
      onProgress: ({ stage, done, total }) => {
        expect(done).toBeLessThanOrEqual(total);
        if (stage === 'events') steps.push(done);
      },
    });
    expect(report.events.count).toBe(3999);
    expect(steps).toEqual([2000, 3999]);
    expect(await log.count()).toEqual([{ count: 1001 }]);
    expect((await log.audit())[0]).toMatchObject({ action: 'retention', actor: 'retention', detail: { events: 3999 } });
    expect((await log.runRetention(NOW, { policy: { eventsDays: false } })).events.count).toBe(0);
    expect((await log.planRetention(NOW)).events).toEqual({ count: 0 });
  });

  it('stay where the run is stopped, and the next one goes on', async () => {
    await log.append(Array.from({ length: 5000 }, (_, i) => made(400 + i, { type: 'appeared' })));
    const stop = new AbortController();
    const run = log.runRetention(NOW, { signal: stop.signal, onProgress: () => stop.abort() });
    await expect(run).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await log.count()).toEqual([{ count: 3000 }]);
    expect((await log.runRetention(NOW)).events.count).toBe(3000);
    await expect(log.planRetention(NOW, { signal: stop.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('clips', () => {
  it('go with their thumbnails after their time; the event stays and says so', async () => {
    const old = clip(31, inside('door', 'old.mp4'));
    const young = clip(29, inside('door', 'young.mp4'));
    await log.append([old, young]);
    expect((await log.query()).events).toEqual([young, old]);
    expect((await log.planRetention(NOW)).clips).toEqual({ count: 1, oldest: NOW - 31 * DAY });
    const { clips, files } = await log.runRetention(NOW);
    expect(clips.count).toBe(1);
    expect(files).toEqual({
      deleted: 1,
      bytes: `clip ${inside('door', 'old.mp4')}`.length + 9,
      missing: 0,
      problems: [],
    });
    expect([old, young].map((e) => existsSync((e as { path: string }).path))).toEqual([false, true]);
    expect(existsSync(inside('door', 'old.mp4.jpg'))).toBe(false);
    const {
      path: _path,
      sha256: _hash,
      thumbnail: _thumbnail,
      ...rest
    } = old as PipelineEvent & Record<string, unknown>;
    expect(await log.get(old.id)).toEqual({ ...rest, code: 'NOT_FOUND', message: 'the file has been deleted' });
    expect((await log.runRetention(NOW)).clips.count).toBe(0);
  });

  it('that are not what the log says are reported and left alone, and nothing outside is touched', async () => {
    const outside = join(folder, 'precious.mp4');
    const linked = join(folder, 'elsewhere');
    mkdirSync(linked);
    symlinkSync(linked, inside('link'));
    symlinkSync(outside, inside('door', 'file-link.mp4'));
    const all = [
      clip(40, outside),
      clip(40, inside('link', 'a.mp4')),
      clip(40, inside('door', 'changed.mp4')),
      clip(40, inside('door', 'missing.mp4')),
      clip(40, inside('door', 'good.mp4')),
      made(40, { type: 'clip', event: ids.next(NOW), path: '../../precious.mp4', from: 1, to: 2 }),
      made(40, { type: 'clip', event: ids.next(NOW), path: 'door/file-link.mp4', from: 1, to: 2 }),
      made(40, { type: 'clip', event: ids.next(NOW), path: 'door', from: 1, to: 2 }),
    ];
    await log.append(all);
    writeFileSync(inside('door', 'changed.mp4'), 'somebody wrote here');
    rmSync(inside('door', 'missing.mp4'));
    writeFileSync(inside('door', 'unknown.mp4'), 'nobody knows me');
    writeFileSync(inside('door', 'recording.mp4'), 'being written');
    const long = new Date(NOW - 50 * DAY);
    utimesSync(inside('door', 'unknown.mp4'), long, long);
    const { files } = await log.runRetention(NOW);
    expect(files.deleted).toBe(1);
    expect(files.missing).toBe(1);
    const said = files.problems.map(({ path, problem }) => `${path} ${problem}`).sort();
    expect(said).toEqual(
      [
        `${outside} outside`,
        'door/changed.mp4 changed',
        'door/file-link.mp4 outside',
        'door outside',
        'door/missing.mp4 missing',
        'door/unknown.mp4 unknown',
        'link/a.mp4 outside',
      ].sort(),
    );
    for (const path of [outside, `${outside}.jpg`, join(linked, 'a.mp4'), inside('door', 'changed.mp4')]) {
      expect(existsSync(path), path).toBe(true);
    }
    for (const name of ['unknown.mp4', 'recording.mp4', 'file-link.mp4'])
      expect(existsSync(inside('door', name))).toBe(true);
    expect(existsSync(inside('door', 'good.mp4'))).toBe(false);
    // What was left alone is reported again.
    expect((await log.runRetention(NOW)).files.problems).toHaveLength(6);
  });

  it('that share a file go together, once the last of them is due, with what lies beside it', async () => {
    const one = clip(40, inside('door', 'shared.mp4')) as Extract<PipelineEvent, { type: 'clip' }>;
    writeFileSync(inside('door', 'shared.json'), '{}');
    writeFileSync(inside('door', 'other.json'), '{}');
    const long = new Date(NOW - 50 * DAY);
    for (const name of ['shared.json', 'other.json']) utimesSync(inside('door', name), long, long);
    const { from: _from, to: _to, ...rest } = one;
    const two = { ...rest, id: ids.next(NOW - 20 * DAY), timestamp: NOW - 20 * DAY };
    await log.append([one, two]);
    expect((await log.planRetention(NOW)).clips.count).toBe(0);
    const early = await log.runRetention(NOW);
    expect(early.files.problems).toEqual([{ path: 'door/other.json', problem: 'unknown' }]);
    const report = await log.runRetention(NOW, { policy: { clipsDays: 10 } });
    expect(report).toMatchObject({ clips: { count: 1 }, files: { deleted: 1, missing: 0 } });
    for (const name of ['shared.mp4', 'shared.mp4.jpg', 'shared.json'])
      expect(existsSync(inside('door', name))).toBe(false);
    for (const { id } of [one, two]) expect(await log.get(id)).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('whose deletion was interrupted are deleted when the log is opened', async () => {
    await log.append([clip(1, inside('door', 'a.mp4')), clip(1, inside('door', 'b.mp4'))]);
    await log.close();
    const db = await Database.open({ path: log.path, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
    await db.write([{ sql: `UPDATE clips SET state = 'going' WHERE path = 'door/a.mp4'` }]);
    await db.close();
    log = await open();
    expect(existsSync(inside('door', 'a.mp4'))).toBe(false);
    expect(existsSync(inside('door', 'b.mp4'))).toBe(true);
  });

  it('on which somebody may be seen go with the person', async () => {
    const person = { kind: 'known', id: 'ada', looks: 1, weight: 1 } as const;
    const by = (file: string, more: object) => clip(5, inside('door', file), more);
    const at = NOW - 5 * DAY;
    const stayed = made(5, { type: 'left', stayedMs: 3_600_000, identity: person });
    const cause = made(8, { type: 'recognised', identity: person });
    await log.append([
      stayed,
      cause,
      by('during.mp4', { from: at - 1_800_000, to: at - 1_700_000 }),
      by('before.mp4', { from: at - 7_200_000, to: at - 3_700_000 }),
      by('after.mp4', { from: at + 1, to: at + 1000 }),
      by('other-camera.mp4', { camera: 'yard', from: at - 1000, to: at }),
      by('cause.mp4', { camera: 'yard', event: cause.id, from: 1, to: 2 }),
      // Says neither from when nor to when: from before its cause to its own time.
      by('unsaid.mp4', { event: ids.next(at - 60_000), timestamp: at + 5000, from: undefined, to: undefined }),
    ]);
    const { clips } = await log.erase('ada', { by: 'desk' });
    expect(clips).toMatchObject({ deleted: 3, problems: [] });
    const left = ['during', 'before', 'after', 'other-camera', 'cause', 'unsaid'].filter((name) =>
      existsSync(inside('door', `${name}.mp4`)),
    );
    expect(left).toEqual(['before', 'after', 'other-camera']);
  });
});

describe('clips that come after an erasure', () => {
  it('go where the person may be seen in them', async () => {
    const person = { kind: 'known', id: 'ada', looks: 1, weight: 1 } as const;
    const second = 1000;
    const at = (ms: number, fields: object): PipelineEvent =>
      ({ id: ids.next(NOW + ms), camera: 'door', timestamp: NOW + ms, ...fields }) as PipelineEvent;
    const appeared = at(-60 * second, { type: 'recognised', identity: person });
    // Somebody who has not left, at the door; and who has, in the yard.
    await log.append([
      appeared,
      at(-50 * second, { type: 'appeared', camera: 'yard', identity: person }),
      at(-40 * second, { type: 'left', camera: 'yard', stayedMs: 10 * second, identity: person }),
    ]);
    await log.erase('ada', { by: 'desk' });
    const made = (name: string, from: number, to: number, more: object): PipelineEvent => ({
      ...clip(0, inside('door', `${name}.mp4`), { from: NOW + from * second, to: NOW + to * second, ...more }),
      timestamp: NOW + to * second,
    });
    const own = made('own', -65, 5, { event: appeared.id, identity: person });
    await log.append([
      own,
      made('beside', -10, 10, {}),
      made('later', 1, 10, {}),
      made('yard', -39, 5, { camera: 'yard' }),
      made('yard-then', -45, -35, { camera: 'yard' }),
      made('elsewhere', -60, 10, { camera: 'gate' }),
    ]);
    const left = ['own', 'beside', 'later', 'yard', 'yard-then', 'elsewhere'].filter((name) =>
      existsSync(inside('door', `${name}.mp4`)),
    );
    expect(left).toEqual(['later', 'yard', 'elsewhere']);
    expect(await log.get(own.id)).toMatchObject({ type: 'clip', code: 'NOT_FOUND' });
    expect(await log.get(own.id)).not.toHaveProperty('path');
    expect(await log.get(own.id)).not.toHaveProperty('identity');
    expect(await log.person('ada')).toBeUndefined();
  });
});

describe('persons', () => {
  it('are archived when they were not seen for long, back when they are, and deleted in the end', async () => {
    await log.append([seen('old', 200), seen('back', 200), seen('new', 100), seen('alias', 10), seen('root', 300)]);
    await log.merge('root', 'alias', { by: 'test' });
    const first = await log.runRetention(NOW, { by: 'nightly' });
    expect(first.archive).toEqual({ count: 2, oldest: NOW - 200 * DAY });
    expect(first.delete).toEqual({ count: 0 });
    const archived = async () => (await log.persons({ state: 'archived' })).map(({ id }) => id);
    expect(await archived()).toEqual(['back', 'old']);
    expect((await log.person('old'))!.archivedAt).toBe(NOW);
    expect((await log.audit({ person: 'old' }))[0]).toMatchObject({ actor: 'nightly', action: 'archive' });
    await log.append([seen('back', -1)]);
    expect(await archived()).toEqual(['old']);
    // 730 days after it was archived, to the millisecond.
    const later = NOW + 730 * DAY;
    const policy = { archiveAfterDays: false, eventsDays: false } as const;
    expect((await log.planRetention(later, { policy })).delete.count).toBe(0);
    expect((await log.planRetention(later + 1, { policy })).delete).toEqual({ count: 1, oldest: NOW - 200 * DAY });
    const last = await log.runRetention(later + 1, { policy });
    expect(last.delete.count).toBe(1);
    expect(await log.person('old')).toBeUndefined();
    // The events stay, as nobody's.
    expect(await log.count()).toEqual([{ count: 6 }]);
    expect((await log.audit({ person: 'old' })).map(({ action }) => action)).toEqual(['erasure', 'archive']);
    expect(await log.verifyAudit()).toMatchObject({ ok: true });
  });

  it('are deleted from the gallery too, with a receipt', async () => {
    let clock = NOW;
    const gallery = await openGallery({ folder: join(folder, 'gallery'), now: () => clock });
    try {
      const embedding = (seed: number) => {
        const vector = Float32Array.from({ length: 128 }, (_, i) => Math.sin(seed * 7 + i * (seed + 1)));
        const norm = Math.hypot(...vector);
        return { model: 'test-128', dims: 128, vector: vector.map((x) => x / norm) };
      };
      for (const [i, id] of ['ada', 'bob'].entries()) await gallery.enrol(id, { embedding: embedding(i) });
      const stores = [galleryPersons(gallery)];
      await log.append([seen('bob', -179)]);
      // Never seen by a camera, ada counts from her enrolment.
      expect((await log.runRetention(NOW + 181 * DAY, { stores })).archive).toEqual({ count: 1, oldest: NOW });
      expect((await log.persons({ state: 'archived' })).map(({ id }) => id)).toEqual(['ada']);
      clock = NOW + 1000 * DAY;
      await log.append([seen('bob', -999)]);
      const { delete: gone } = await log.runRetention(clock, { stores });
      expect(gone.count).toBe(1);
      expect((await gallery.list()).persons.map(({ id }) => id)).toEqual(['bob']);
      const [receipt] = await gallery.receipts();
      expect((await log.audit({ person: 'ada' }))[0]).toMatchObject({
        action: 'erasure',
        detail: { receipt: receipt!.id },
      });
    } finally {
      await gallery.close();
    }
  });

  it('stay in the log while a store cannot delete them', async () => {
    let broken = true;
    const deleted: string[] = [];
    const store: PersonStore = {
      name: 'strangers',
      async *persons() {
        yield [{ id: 'x', since: NOW - 2000 * DAY }];
        yield [{ id: 'y', since: NOW - 2000 * DAY, lastSeen: NOW - DAY }];
      },
      archive: () => Promise.resolve(),
      delete: (id) => {
        if (broken) return Promise.reject(Object.assign(new Error('locked'), { code: 'STORE_BUSY' }));
        deleted.push(id);
        return Promise.resolve({});
      },
    };
    const stores = [store];
    expect((await log.runRetention(NOW, { stores })).archive.count).toBe(1);
    const later = NOW + 731 * DAY;
    const policy = { archiveAfterDays: false } as const;
    const failed = await log.runRetention(later, { stores, policy });
    expect(failed).toMatchObject({ delete: { count: 0 }, failed: [{ store: 'strangers', code: 'STORE_BUSY' }] });
    expect(await log.person('x')).toBeDefined();
    broken = false;
    expect((await log.runRetention(later, { stores, policy })).delete.count).toBe(1);
    expect(deleted).toEqual(['x']);
    expect(await log.person('x')).toBeUndefined();
  });

  it('and all else are kept for ever where the policy says so; nonsense is refused', async () => {
    await log.append([seen('ada', 5000), clip(5000, inside('door', 'a.mp4'))]);
    const never = { archiveAfterDays: false, deleteAfterDays: false, eventsDays: false, clipsDays: false } as const;
    const report = await log.runRetention(NOW, { policy: never });
    for (const what of ['clips', 'events', 'archive', 'delete'] as const) expect(report[what]).toEqual({ count: 0 });
    expect(await log.audit()).toEqual([]);
    for (const policy of [{ eventsDays: -1 }, { clipsDays: Number.NaN }, { eventDays: 1 }, { archiveAfterDays: '1' }]) {
      await expect(log.planRetention(NOW, { policy: policy as never })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
      });
    }
    await expect(log.planRetention(Number.NaN)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});
