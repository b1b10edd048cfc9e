// Keys that somebody else changes: another process with the data folder, and hashes that become costlier.
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { COST, isBelow, writeCost } from '../../../lib/service/auth/hash.js';
import { type ApiKey, type KeyDesk, openAuditTrail, openKeyDesk } from '../../../lib/service/auth/index.js';
import { KEYS_FILE, KeyStore } from '../../../lib/service/auth/keys.js';
import { authorityWith, temporaryFolder } from './auth-support.js';

const HERE = '192.0.2.7';

async function deskOf(folder: string): Promise<KeyDesk> {
  const desk = await openKeyDesk(folder, 'somebody');
  onTestFinished(() => desk.close());
  return desk;
}

describe('a key desk', () => {
  it('makes keys that a running service knows at once', async () => {
    const { authority, folder } = await authorityWith();
    const desk = await deskOf(folder);
    const { key, id } = await desk.create({ name: 'rescue', scopes: ['admin'] });
    const principal = await authority.authenticate(key, HERE);
    expect(principal).toMatchObject({ id, kind: 'key' });
    expect([...principal.scopes]).toEqual(['read', 'enrol', 'admin']);
    expect((await authority.listKeys()).map(({ name }) => name)).toContain('rescue');
  });

  it('revokes keys that a running service believes, its first one too', async () => {
    const { authority, folder } = await authorityWith();
    await authority.keepFirstKey();
    const desk = await deskOf(folder);
    const guest = await authority.authenticate(authority.firstKey, HERE);
    expect((await desk.list()).map(({ id, revoked }) => [id, revoked])).toEqual([[guest.id, false]]);
    await desk.revoke(guest.id);
    // Nobody asks: the service looks for itself.
    while (authority.stands(guest)) await wait(5);
    await expect(authority.authenticate(authority.firstKey, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await desk.revoke(guest.id);
    await expect(desk.revoke('0123456789ab')).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it('sees what a running service does, and neither undoes the work of the other', async () => {
    const { authority, folder } = await authorityWith();
    const desk = await deskOf(folder);
    const hers = await desk.create({ name: 'hers', scopes: ['read'] });
    const his = await authority.createKey({ name: 'his', scopes: ['read'] });
    await Promise.all([desk.revoke(his.id), authority.revokeKey(hers.id)]);
    const both = await Promise.all(
      Array.from({ length: 20 }, (_, i) => {
        const given = { name: `k${i}`, scopes: ['enrol'] as const };
        return i % 2 === 0 ? desk.create(given) : authority.createKey(given);
      }),
    );
    const state = (keys: readonly ApiKey[]) => Object.fromEntries(keys.map(({ id, revoked }) => [id, revoked]));
    const wanted = { [hers.id]: true, [his.id]: true, ...Object.fromEntries(both.map(({ id }) => [id, false])) };
    expect(state(await desk.list())).toEqual(wanted);
    // And its first key, which is not on the disk yet.
    expect(state(await authority.listKeys())).toMatchObject(wanted);
    for (const { key, id } of both) expect(await authority.authenticate(key, HERE)).toMatchObject({ id });
  });

  it('says who did what in the audit trail', async () => {
    const { authority, folder } = await authorityWith();
    await authority.close();
    const desk = await deskOf(folder);
    const { id, key } = await desk.create({ name: 'a name', scopes: ['enrol'], expiresAt: Date.now() + 60_000 });
    await desk.revoke(id);
    await Promise.all([desk.close(), desk.close()]);
    await expect(desk.list()).rejects.toMatchObject({ code: 'CLOSED' });
    const trail = await openAuditTrail(folder);
    onTestFinished(() => trail.close());
    const entries = await trail.list();
    expect(entries).toMatchObject([
      { actor: 'somebody', action: 'key.revoke', detail: { key: id } },
      {
        actor: 'somebody',
        action: 'key.create',
        detail: { key: id, scopes: ['enrol'], expires_at: expect.any(Number) },
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain(key.slice(17));
    expect(await trail.check()).toMatchObject({ ok: true });
  });

  it('is refused where there is no service, and makes nothing there', async () => {
    const folder = await temporaryFolder();
    for (const place of [join(folder, 'none'), folder]) {
      const refused = await openKeyDesk(place, 'somebody').catch((error: unknown) => error);
      expect(refused).toMatchObject({ code: 'STORE_NOT_FOUND', fix: expect.stringContaining('data folder') });
    }
    expect(existsSync(join(folder, 'none'))).toBe(false);
    expect(existsSync(join(folder, KEYS_FILE))).toBe(false);
    await writeFile(
      join(folder, KEYS_FILE),
      'no database at all, but long enough to look like one of some kind'.repeat(9),
    );
    await expect(openKeyDesk(folder, 'somebody')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

describe('hashes of a lower cost', () => {
  const CHEAP = { N: 2 ** 10, r: 8, p: 1 };

  it.each([
    [CHEAP, COST, true],
    [COST, COST, false],
    [COST, CHEAP, false],
    [{ ...COST, N: COST.N / 2, p: 2 }, COST, true],
    [{ ...COST, p: 1 }, { ...COST, p: 2 }, true],
  ])('%o is below %o: %s', (given, wanted, below) => {
    expect(isBelow(given, wanted)).toBe(below);
  });

  it('are renewed by the next use of the right secret, and by nothing else', async () => {
    const folder = await temporaryFolder();
    const before = await KeyStore.open(folder, Date.now, { cost: CHEAP });
    const { key, id } = await before.create({ name: 'old', scopes: ['admin'] });
    const other = await before.create({ name: 'never used', scopes: ['read'] });
    await before.close();
    const costs = async (): Promise<Record<string, string>> => {
      const store = await KeyStore.open(folder, Date.now);
      const found = store.list().map((one) => [one.id, writeCost(store.hashOf(one.id)?.cost ?? COST)]);
      await store.close();
      return Object.fromEntries(found) as Record<string, string>;
    };
    const [cheap, now] = [writeCost(CHEAP), writeCost(COST)];
    expect(await costs()).toEqual({ [id]: cheap, [other.id]: cheap });

    const { authority } = await authorityWith({}, { folder });
    const wrong = `${key.slice(0, -2)}${key.at(-2) === 'A' ? 'B' : 'A'}${key.at(-1)}`;
    await expect(authority.authenticate(wrong, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(await costs()).toEqual({ [id]: cheap, [other.id]: cheap });
    await Promise.all(Array.from({ length: 5 }, () => authority.authenticate(key, HERE)));
    expect(await costs()).toEqual({ [id]: now, [other.id]: cheap });
    await expect(authority.authenticate(wrong, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await authority.close();

    const again = await authorityWith({}, { folder });
    expect(again.authority.firstKey).toBeUndefined();
    expect(await again.authority.authenticate(key, HERE)).toMatchObject({ id });
    await expect(again.authority.authenticate(wrong, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});
