import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { AUDIT_TABLES } from '../../../lib/gallery/audit-chain.js';
import { Database } from '../../../lib/gallery/database.js';
import { openAuditTrail, record } from '../../../lib/service/auth/index.js';
import { FailedLogins } from '../../../lib/service/auth/logins.js';
import { AUDIT_FILE } from '../../../lib/service/auth/trail.js';
import type { AuditTrail, Principal } from '../../../lib/service/types.js';
import { listeningLog, temporaryFolder } from './auth-support.js';

const admin: Principal = { id: '0123456789ab', kind: 'key', scopes: new Set(['read', 'enrol', 'admin']) };
const request = { id: 'r1', principal: admin };

async function open(folder: string): Promise<AuditTrail> {
  const audit = await openAuditTrail(folder);
  onTestFinished(() => audit.close());
  return audit;
}

async function fill(audit: AuditTrail): Promise<void> {
  await record({ audit }, request, 'person.enrol', { person: 'ada', detail: { samples: 2 } });
  await record({ audit }, request, 'model.switch', { detail: { to: 'balanced' } });
  await record({ audit }, request, 'person.erase', { person: 'ada' });
}

describe('the audit trail of the service', () => {
  it('says who did what, newest first, and is there when it is opened again', async () => {
    const folder = await temporaryFolder();
    const first = await open(folder);
    await fill(first);
    await first.close();
    await expect(first.append({ actor: 'x', action: 'y', detail: {} })).rejects.toMatchObject({ code: 'CLOSED' });
    const audit = await open(folder);
    const all = await audit.list();
    expect(all).toMatchObject([
      { number: 3, actor: '0123456789ab', action: 'person.erase', detail: { request: 'r1' } },
      { number: 2, action: 'model.switch', detail: { to: 'balanced' } },
      { number: 1, action: 'person.enrol', detail: { samples: 2 } },
    ]);
    expect(await audit.list({ before: 3, limit: 1 })).toMatchObject([{ number: 2 }]);
    expect(await audit.list({ action: 'person.enrol' })).toMatchObject([{ number: 1 }]);
    expect(await audit.list({ subject: 'ada' })).toMatchObject([{ number: 3 }, { number: 1 }]);
    expect(await audit.list({ subject: 'bob' })).toEqual([]);
    expect(await audit.check()).toMatchObject({ ok: true, entries: 3, head: { number: 3 } });
  });

  it('holds no person', async () => {
    const folder = await temporaryFolder();
    const audit = await open(folder);
    await record({ audit }, request, 'person.enrol', { person: 'Augusta Ada King' });
    await audit.close();
    const files = await Promise.all((await readdir(folder)).map((file) => readFile(join(folder, file), 'latin1')));
    expect(files.join('')).toContain('person.enrol');
    expect(files.join('')).not.toContain('Augusta');
  });

  it.each([
    ['an entry that was changed', "UPDATE audit SET actor = 'nobody' WHERE number = 2", 2],
    ['an entry that was taken out', 'DELETE FROM audit WHERE number = 2', 2],
    ['a tail that was cut off', 'DELETE FROM audit WHERE number = 3', 3],
  ])('shows %s', async (_, sql, broken) => {
    const folder = await temporaryFolder();
    const first = await open(folder);
    await fill(first);
    await first.close();
    const path = join(folder, AUDIT_FILE);
    const db = await Database.open({ path, applicationId: 0x4c534155, migrations: [AUDIT_TABLES] });
    await expect(db.write([{ sql }])).rejects.toThrow(/audit trail/);
    await db.write([{ sql: 'DROP TRIGGER audit_stays' }, { sql: 'DROP TRIGGER audit_kept' }, { sql }]);
    await db.close();
    expect(await (await open(folder)).check()).toMatchObject({ ok: false, broken });
  });

  it('shows by an entry kept elsewhere that all of it was written anew', async () => {
    const old = await open(await temporaryFolder());
    await fill(old);
    const { head } = await old.check();
    await fill(old);
    expect(await old.check(head)).toMatchObject({ ok: true, entries: 6 });
    const anew = await open(await temporaryFolder());
    await fill(anew);
    expect(await anew.check(head)).toMatchObject({ ok: false, broken: 3 });
  });
});

describe('failed logins', () => {
  it('are told together', async () => {
    const audit = await open(await temporaryFolder());
    const log = listeningLog();
    const failed = new FailedLogins({ audit, log });
    await failed.flush();
    for (let i = 0; i < 60; i++) failed.add(`192.0.2.${i}`);
    for (let i = 0; i < 5; i++) failed.add('198.51.100.1');
    await failed.flush();
    await failed.flush();
    const [entry, ...others] = (await audit.list()) as { detail: { addresses: { address: string }[] } }[];
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      actor: 'service',
      action: 'login.failed',
      detail: { count: 65, other_addresses: 11 },
    });
    expect(entry?.detail.addresses).toHaveLength(50);
    expect(entry?.detail.addresses[0]).toEqual({ address: '198.51.100.1', count: 5 });
    expect(log.lines).toHaveLength(1);
  });

  it('that cannot be written are in the log', async () => {
    const audit = await open(await temporaryFolder());
    await audit.close();
    const log = listeningLog();
    const failed = new FailedLogins({ audit, log });
    failed.add('192.0.2.1');
    await failed.flush();
    expect(log.lines.join('\n')).toMatch(/not in the audit trail/);
  });
});
