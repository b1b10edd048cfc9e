import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startService } from '../support/service.js';
import { type Finished, lineament } from './run.js';

const KEY = /^lin_[0-9a-f]{12}_[A-Za-z0-9_-]{43}\n$/;
const idOf = (key: string): string => key.slice(4, 16);
let folder = '';
const run = (...args: string[]): Promise<Finished> => lineament(['keys', ...args, '--data', folder]);

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-keys-cli-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('keys from the command line', { timeout: 120_000 }, () => {
  it('lets an administrator in again who has lost the key, while the service runs', async () => {
    await using service = await startService({}, { folder });
    const made = await run('create', 'rescue', '--scope', 'admin');
    expect(made).toMatchObject({ code: 0, stdout: expect.stringMatching(KEY) as string });
    const key = made.stdout.trim();
    expect(made.stderr).toContain(`key ${idOf(key)} 'rescue' with scope admin: it is shown this once`);
    expect(made.stderr).not.toContain(key.slice(17));
    expect((await service.call('GET', '/api/v1/keys', undefined, key)).status).toBe(200);

    const revoked = await run('revoke', idOf(service.key), '--json');
    expect(revoked).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(revoked.stdout)).toMatchObject({ id: idOf(service.key), name: 'first', revoked: true });
    while ((await service.call('GET', '/api/v1/keys')).status === 200) await wait(20);
    expect((await service.call('GET', '/api/v1/keys')).body).toMatchObject({ code: 'UNAUTHENTICATED' });

    type Audit = { entries: { actor: string; action: string; detail: object }[] };
    const audit = (await service.call('GET', '/api/v1/audit', undefined, key)).body as Audit;
    const ours = audit.entries.filter(({ actor }) => actor === 'lineament keys');
    expect(ours.map(({ action, detail }) => [action, detail])).toEqual([
      ['key.revoke', { key: idOf(service.key) }],
      ['key.create', { key: idOf(key), scopes: ['admin'] }],
    ]);
    expect((await service.call('GET', '/api/v1/audit/check', undefined, key)).body).toMatchObject({ ok: true });
  });

  it('lists, makes and revokes while it does not', async () => {
    const before = await startService({}, { folder });
    await before.close();
    const made = await run('create', 'door\u001b[31m\u202e', '--expires', '2', '--json');
    // A name that would move the cursor.
    expect(JSON.parse(made.stderr)).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
    const good = JSON.parse((await run('create', 'the \u202edoor', '--expires', '2', '--json')).stdout) as {
      id: string;
      key: string;
      expiresAt: number;
      createdAt: number;
    };
    expect(good).toMatchObject({ name: 'the \u202edoor', scopes: ['read'], revoked: false });
    expect(good.expiresAt - good.createdAt).toBeGreaterThan(86_400_000);
    const listed = await run('list');
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    const lines = listed.stdout.split('\n').map((line) => line.replace(/\s+/g, ' ').trim());
    expect(lines[1]).toContain(`${idOf(before.key)} first admin`);
    expect(lines[2]).toContain(`${good.id} the \\u202edoor read`);
    expect(JSON.parse((await run('list', '--json')).stdout)).toMatchObject({
      keys: [{ id: idOf(before.key) }, { id: good.id }],
    });
    const last = await run('revoke', idOf(before.key));
    expect(last).toMatchObject({ code: 0, stdout: `key ${idOf(before.key)} opens nothing any more\n` });
    expect(last.stderr).toContain('no key of an administrator is left');
    expect((await run('list')).stdout).toMatch(/revoked$/m);

    await run('create', 'other', '--scope', 'admin', '--quiet');
    await using again = await startService({}, { folder });
    // There is one for an administrator, so none is made.
    expect(again.service.firstKey).toBeUndefined();
    expect((await again.call('GET', '/api/v1/cameras', undefined, good.key)).status).toBe(200);
    expect((await again.call('GET', '/api/v1/keys', undefined, good.key)).status).toBe(403);
  });

  it('finds the folder as the service does', async () => {
    await (await startService({}, { folder })).close();
    const env = { LINEAMENT_SERVICE_DATA_FOLDER: folder };
    const listed = await lineament(['keys', 'list', '--json'], { env });
    expect(JSON.parse(listed.stdout)).toMatchObject({ keys: [{ name: 'first' }] });
    const help = await lineament(['keys', '--help']);
    for (const said of ['list: all keys', 'create NAME', 'revoke ID', '--scope SCOPE', 'audit trail']) {
      expect(help.stdout).toContain(said);
    }
  });

  it('says what is wrong and what to do', async () => {
    const none = path.join(folder, 'none');
    const missing = await lineament(['keys', 'create', 'a', '--json', '--data', none]);
    expect(missing.code).toBe(2);
    expect(JSON.parse(missing.stderr)).toMatchObject({ error: { code: 'STORE_NOT_FOUND', fix: expect.any(String) } });
    expect(existsSync(none)).toBe(false);
    await (await startService({}, { folder })).close();
    for (const [args, code, said] of [
      [['forget', 'x'], 'INVALID_ARGUMENT', 'list, create, revoke'],
      [['create'], 'INVALID_ARGUMENT', 'keys --help'],
      [['list', 'all'], 'INVALID_ARGUMENT', 'keys --help'],
      [['create', 'a', '--scope', 'root'], 'INVALID_ARGUMENT', 'keys --help'],
      [['create', 'a', '--expires', 'soon'], 'INVALID_ARGUMENT', 'keys --help'],
      [['create', 'a'.repeat(101)], 'INVALID_ARGUMENT', undefined],
      [['revoke', '0123456789ab'], 'NOT_FOUND', 'keys list'],
      [['revoke', "' OR 1=1 --"], 'NOT_FOUND', 'keys list'],
    ] as const) {
      const wrong = await run(...args, '--json');
      expect(wrong, args.join(' ')).toMatchObject({ code: 2, stdout: '' });
      const { error } = JSON.parse(wrong.stderr) as { error: { code: string; fix?: string } };
      expect(error.code, args.join(' ')).toBe(code);
      if (said !== undefined) expect(error.fix).toContain(said);
    }
  });
});
