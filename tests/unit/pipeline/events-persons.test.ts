import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Database } from '../../../lib/gallery/database.js';
import { EventLog } from '../../../lib/pipeline/events/log.js';
import { APPLICATION_ID, MIGRATIONS } from '../../../lib/pipeline/events/schema.js';
import type { Identity } from '../../../lib/pipeline/types.js';
import { ada, maker, somebody, T0 } from './events-made.js';

const { made } = maker('persons');
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

describe('persons', () => {
  const one = (person: string, ms: number, more: object = {}) =>
    made(ms, { type: 'recognised', identity: { kind: 'known', id: person, looks: 1, weight: 1, ...more } });
  const who = async (query = {}) =>
    (await log.query({ order: 'oldest', ...query })).events.map(
      ({ identity }) => `${identity?.id} ${identity?.name ?? '-'}`,
    );

  it('are renamed in old events too, also against names that come later', async () => {
    await log.append([one('ada', 0, { name: 'Ada' })]);
    await log.append([one('ada', 10, { name: 'Ada L.' })]);
    expect(await who()).toEqual(['ada Ada L.', 'ada Ada L.']);
    await log.rename('ada', 'Countess', { by: 'test' });
    await log.append([one('ada', 20, { name: 'Ada' })]);
    expect(await who()).toEqual(['ada Countess', 'ada Countess', 'ada Countess']);
    await expect(log.rename('nobody', 'x', { by: 'test' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('are merged and parted again, several deep, without touching events', async () => {
    await log.append(['a', 'b', 'c', 'd'].map((id, i) => one(id, i)));
    await log.merge('b', 'a', { by: 'test' });
    await log.merge('c', 'b', { by: 'test' });
    expect(await who()).toEqual(['c -', 'c -', 'c -', 'd -']);
    expect(await who({ person: 'a' })).toEqual(['c -', 'c -', 'c -']);
    expect(await log.person('a')).toMatchObject({ id: 'c', merged: ['a', 'b'], firstSeen: T0, lastSeen: T0 + 2 });
    await log.unmerge('b', { by: 'test' });
    expect(await who()).toEqual(['b -', 'b -', 'c -', 'd -']);
    await log.unmerge('a', { by: 'test' });
    expect(await who()).toEqual(['a -', 'b -', 'c -', 'd -']);
    await expect(log.unmerge('a', { by: 'test' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await log.merge('d', 'd', { by: 'test' });
    expect((await log.persons({ after: 'a', limit: 2 })).map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('follow what becomes of strangers', async () => {
    const by = { by: 'identities' };
    await log.append([one('Person_1', 0), one('Person_2', 1)]);
    expect(await log.reflect({ kind: 'merged', id: 'Person_1', into: 'Person_2' }, by)).toBe(true);
    expect(await log.reflect({ kind: 'renamed', id: 'Person_2', name: 'Bob' }, by)).toBe(true);
    expect(await who()).toEqual(['Person_2 Bob', 'Person_2 Bob']);
    expect(await log.reflect({ kind: 'enrolled', id: 'Person_2', person: 'bob' }, by)).toBe(true);
    expect(await who()).toEqual(['bob -', 'bob -']);
    expect(await log.reflect({ kind: 'parted', id: 'Person_1', from: 'Person_2', operation: 3 }, by)).toBe(true);
    expect(await who()).toEqual(['Person_1 -', 'bob -']);
    expect(await log.reflect({ kind: 'erased', id: 'Person_1' }, by)).toBe(true);
    expect(await who()).toEqual(['undefined -', 'bob -']);
    expect(await log.reflect({ kind: 'merged', id: 'gone', into: 'bob' }, by)).toBe(false);
  });
});

describe('consent', () => {
  it('is unknown, given or withdrawn for each scope, and outlives the process', async () => {
    expect(log.consentOf('ada')).toEqual({ recognition: { status: 'unknown' }, recording: { status: 'unknown' } });
    await log.setConsent('ada', { scope: 'recognition', status: 'given', policy: '2026-1', by: 'desk' });
    clock += 1000;
    const withdrawn = log.setConsent('ada', { scope: 'recognition', status: 'withdrawn', by: 'desk' });
    // At once, not only when it is written.
    expect(log.consentOf('ada').recognition.status).toBe('withdrawn');
    await withdrawn;
    await log.setConsent('ada', { scope: 'recording', status: 'given', policy: '2', since: T0 - 5, by: 'desk' });
    await log.close();
    log = await open();
    expect(log.consentOf('ada')).toEqual({
      recognition: { status: 'withdrawn', since: T0 + 1000 },
      recording: { status: 'given', since: T0 - 5, policy: '2' },
    });
    await expect(log.setConsent('ada', { scope: 'party' as never, status: 'given', by: 'x' })).rejects.toThrow(/scope/);
  });

  it('is shared by those who were merged, the last word counting', async () => {
    await log.append([
      made(0, { type: 'stranger', identity: somebody, returning: false }),
      made(1, { type: 'recognised', identity: ada }),
    ]);
    await log.setConsent('ada', { scope: 'recording', status: 'given', since: T0, by: 'desk' });
    await log.setConsent('Person_A47B8C12', { scope: 'recording', status: 'withdrawn', since: T0 + 1, by: 'desk' });
    await log.merge('ada', 'Person_A47B8C12', { by: 'desk' });
    for (const id of ['ada', 'Person_A47B8C12']) expect(log.consentOf(id).recording.status).toBe('withdrawn');
    await log.unmerge('Person_A47B8C12', { by: 'desk' });
    expect(log.consentOf('ada').recording.status).toBe('given');
    const other = await EventLog.open({ folder });
    await other.setConsent('ada', { scope: 'recording', status: 'withdrawn', by: 'desk' });
    await other.close();
    await log.refreshConsents();
    expect(log.consentOf('ada').recording.status).toBe('withdrawn');
  });
});

describe('consent that several change', () => {
  it('is withdrawn from the call on, whatever is being written', async () => {
    const say = (status: 'given' | 'withdrawn') => log.setConsent('ada', { scope: 'recording', status, by: 'desk' });
    for (let i = 0; i < 5; i++) {
      const given = say('given');
      const withdrawn = say('withdrawn');
      await given;
      expect(log.consentOf('ada').recording.status).toBe('withdrawn');
      await withdrawn;
      expect(log.consentOf('ada').recording.status).toBe('withdrawn');
    }
  });

  it('is seen where another process said it, as soon as it is asked for', async () => {
    await using other = await EventLog.open({ folder });
    await log.setConsent('ada', { scope: 'recording', status: 'given', by: 'desk' });
    await other.refreshConsents();
    expect(other.consentOf('ada').recording.status).toBe('given');
    await log.setConsent('ada', { scope: 'recording', status: 'withdrawn', by: 'desk' });
    await Promise.all([other.refreshConsents(), other.refreshConsents()]);
    expect(other.consentOf('ada').recording.status).toBe('withdrawn');
  });
});

describe('the audit trail', () => {
  const fill = async (): Promise<void> => {
    await log.append([made(0, { type: 'recognised', identity: ada })]);
    await log.setConsent('ada', { scope: 'recording', status: 'given', by: 'desk' });
    await log.rename('ada', 'Countess', { by: 'admin' });
    await log.recordAudit({ by: 'admin', action: 'export', person: 'ada', detail: { events: 1 } });
    await log.setConsent('bob', { scope: 'recording', status: 'withdrawn', by: 'desk' });
  };
  const tamper = async (...sql: string[]): Promise<void> => {
    await log.close();
    const db = await Database.open({ path: log.path, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
    await db.write(sql.map((one) => ({ sql: one })));
    await db.close();
    log = await open();
  };

  it('says who did what to whom, without names and ids', async () => {
    await fill();
    const all = await log.audit();
    expect(all.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'desk consent',
      'admin export',
      'admin rename',
      'desk consent',
    ]);
    expect((await log.audit({ person: 'ada' })).map(({ number }) => number)).toEqual([3, 2, 1]);
    expect((await log.audit({ action: 'consent', limit: 1, before: 4 })).map(({ number }) => number)).toEqual([1]);
    expect(all[0]!.subject).toBe(log.digest('bob'));
    expect(JSON.stringify(all)).not.toMatch(/"ada"|"bob"|Countess/);
    const check = await log.verifyAudit();
    expect(check).toEqual({ ok: true, entries: 4, head: { number: 4, hash: all[0]!.hash } });
    expect(await log.verifyAudit({ number: 2, hash: all[2]!.hash })).toMatchObject({ ok: true });
  });

  it('cannot be changed or shortened by statements', async () => {
    await fill();
    await expect(tamper("UPDATE audit SET actor = 'nobody' WHERE number = 2")).rejects.toThrow(/audit trail/);
    log = await open();
    await expect(tamper('DELETE FROM audit')).rejects.toThrow(/audit trail/);
    log = await open();
    expect(await log.verifyAudit()).toMatchObject({ ok: true, entries: 4 });
  });

  it.each([
    ['an entry that was changed', ["UPDATE audit SET actor = 'nobody' WHERE number = 2"], 2],
    ['a detail', [`UPDATE audit SET detail = '{}' WHERE number = 1`], 1],
    ['a time', ['UPDATE audit SET at = at + 1 WHERE number = 3'], 3],
    ['an entry that was taken out', ['DELETE FROM audit WHERE number = 2'], 2],
    ['a tail that was cut off', ['DELETE FROM audit WHERE number >= 3'], 3],
    ['all of it', ['DELETE FROM audit'], 1],
  ])('shows %s', async (_, statements, number) => {
    await fill();
    await tamper('DROP TRIGGER audit_stays', 'DROP TRIGGER audit_kept', ...statements);
    expect(await log.verifyAudit()).toMatchObject({ ok: false, broken: { number } });
  });

  it('shows by an entry kept elsewhere that all of it was written anew', async () => {
    await fill();
    const { head } = await log.verifyAudit();
    await log.close();
    rmSync(folder, { recursive: true });
    log = await open();
    await fill();
    expect(await log.verifyAudit()).toMatchObject({ ok: true });
    expect(await log.verifyAudit(head)).toMatchObject({ ok: false, broken: { number: 4 } });
    expect(await log.verifyAudit({ number: 9, hash: head.hash })).toMatchObject({ ok: false, broken: { number: 5 } });
  });

  it('is one chain, whoever writes', async () => {
    const other = await EventLog.open({ folder });
    await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        (i % 2 === 0 ? log : other).recordAudit({ by: `w${i % 2}`, action: 'export' }),
      ),
    );
    await other.close();
    expect(await log.verifyAudit()).toMatchObject({ ok: true, entries: 40 });
  });
});

describe('erasure', () => {
  const bytes = (): string =>
    readdirSync(folder)
      .filter((name) => name.startsWith('events.db'))
      .map((name) => readFileSync(join(folder, name), 'latin1'))
      .join('');

  it.each(['anonymise', 'delete'] as const)('leaves no id, no name and no measure behind (%s)', async (events) => {
    const secret: Identity = {
      kind: 'known',
      id: 'SECRET-ID-7',
      name: 'SECRET NAME 7',
      similarity: 0.123456789,
      looks: 4,
      weight: 3,
    };
    const alias: Identity = { kind: 'stranger', id: 'Person_5EC2E700', looks: 1, weight: 1 };
    await log.append([
      made(0, { type: 'stranger', identity: alias, track: 5, returning: false }),
      made(1, { type: 'recognised', identity: secret, previous: alias, track: 5, box: [1, 2, 3, 4] }),
      made(2, { type: 'recognised', identity: ada, previous: secret }),
      ...Array.from({ length: 500 }, (_, i) => made(3 + i, { type: 'appeared', identity: i % 2 === 0 ? secret : ada })),
    ]);
    await log.merge('SECRET-ID-7', 'Person_5EC2E700', { by: 'desk' });
    await log.rename('SECRET-ID-7', 'SECRET NAME 8', { by: 'desk' });
    await log.setConsent('SECRET-ID-7', { scope: 'recording', status: 'given', by: 'desk' });
    expect(bytes()).toContain('SECRET NAME');
    const summary = await log.erase('Person_5EC2E700', { by: 'desk', events, reason: 'asked for', receipt: 'r1' });
    expect(summary).toMatchObject({
      subject: log.digest('Person_5EC2E700'),
      persons: 2,
      events: events === 'delete' ? { anonymised: 0, deleted: 252 } : { anonymised: 252, deleted: 0 },
      consents: 1,
      log: 'emptied',
    });
    expect(bytes()).not.toMatch(/SECRET|Person_5EC2E700|0\.123456789/);
    expect(JSON.stringify((await log.query({ limit: 1000 })).events)).not.toMatch(/SECRET|Person_5E|0\.1234/);
    expect(await log.count()).toEqual([{ count: events === 'delete' ? 251 : 503 }]);
    expect(await log.count({ person: 'ada' })).toEqual([{ count: 251 }]);
    expect(log.consentOf('SECRET-ID-7').recording.status).toBe('unknown');
    expect((await log.audit({ limit: 1 }))[0]).toMatchObject({
      action: 'erasure',
      detail: { events: 252, how: events, reason: 'asked for', receipt: 'r1' },
    });
    expect(await log.verifyAudit()).toMatchObject({ ok: true });
    expect(await log.check()).toEqual([]);
    await expect(log.erase('SECRET-ID-7', { by: 'desk' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    // Seen again: somebody new.
    await log.append([made(900, { type: 'recognised', identity: { ...secret, name: 'New' } })]);
    expect(await log.count({ person: 'SECRET-ID-7' })).toEqual([{ count: 1 }]);
  });

  it('holds for events from before it that come after it', async () => {
    const alias: Identity = { kind: 'stranger', id: 'Person_5EC2E700', looks: 1, weight: 1 };
    await log.append([
      made(0, { type: 'stranger', identity: alias, track: 5, returning: false }),
      made(1000, { type: 'recognised', identity: ada, previous: alias, track: 5 }),
    ]);
    await log.merge('ada', 'Person_5EC2E700', { by: 'desk' });
    await log.erase('ada', { by: 'desk' });
    const late = [
      made(900, { type: 'gesture', gesture: 'wave', score: 1, identity: ada, track: 5, box: [1, 2, 3, 4] }),
      made(950, { type: 'recognised', identity: somebody, previous: ada, track: 6 }),
      made(60_000, { type: 'left', stayedMs: 59_500, identity: alias, track: 5 }),
    ];
    await log.append(late);
    expect(await log.person('ada')).toBeUndefined();
    expect(await log.person('Person_5EC2E700')).toBeUndefined();
    expect(JSON.stringify((await log.query()).events)).not.toMatch(/ada|Ada|5EC2E700/);
    const [wave, other] = [await log.get(late[0]!.id), await log.get(late[1]!.id)];
    expect(wave).toMatchObject({ type: 'gesture', gesture: 'wave' });
    expect(wave).not.toHaveProperty('identity');
    expect(wave).not.toHaveProperty('box');
    expect(wave).not.toHaveProperty('track');
    expect(other).toMatchObject({ type: 'recognised', track: 6, identity: { id: somebody.id } });
    // Who comes again is there again.
    await log.append([made(70_000, { type: 'recognised', identity: ada })]);
    expect(await log.person('ada')).toMatchObject({ id: 'ada' });
    await log.append([made(980, { type: 'appeared', identity: ada })]);
    expect(await log.count({ person: 'ada' })).toEqual([{ count: 1 }]);
    expect(await log.verifyAudit()).toMatchObject({ ok: true });
  });
});
