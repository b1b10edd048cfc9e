import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Principal } from '../../../lib/service/types.js';
import { authorityWith } from './auth-support.js';

const HERE = '192.0.2.7';
const scopes = (principal: Principal): string[] => [...principal.scopes];

describe('the first key', () => {
  it('is made where there is none for an administrator, and lets its holder do everything', async () => {
    const { authority } = await authorityWith();
    expect(authority.firstKey).toMatch(/^lin_[0-9a-f]{12}_[A-Za-z0-9_-]{43}$/);
    const principal = await authority.authenticate(authority.firstKey, HERE);
    expect(principal).toMatchObject({ kind: 'key', id: authority.firstKey?.slice(4, 16) });
    expect(scopes(principal)).toEqual(['read', 'enrol', 'admin']);
  });

  it('outlives the process once it could be shown, and is made anew where it could not', async () => {
    const first = await authorityWith();
    await first.authority.close();
    const second = await authorityWith({}, { folder: first.folder });
    expect(second.authority.firstKey).toBeDefined();
    expect(second.authority.firstKey).not.toBe(first.authority.firstKey);
    expect(await second.authority.keepFirstKey()).toBe(second.authority.firstKey?.slice(4, 16));
    await second.authority.close();
    const third = await authorityWith({}, { folder: first.folder });
    expect(third.authority.firstKey).toBeUndefined();
    expect(await third.authority.keepFirstKey()).toBeUndefined();
    expect(await third.authority.authenticate(second.authority.firstKey, HERE)).toMatchObject({ kind: 'key' });
    await expect(third.authority.authenticate(first.authority.firstKey, HERE)).rejects.toMatchObject({
      code: 'UNAUTHENTICATED',
    });
  });

  it('is made again when nobody can administer any more', async () => {
    const first = await authorityWith();
    const id = await first.authority.keepFirstKey();
    await first.authority.createKey({ name: 'reader', scopes: ['read'] });
    await first.authority.revokeKey(String(id));
    await first.authority.close();
    const second = await authorityWith({}, { folder: first.folder });
    expect(second.authority.firstKey).toBeDefined();
  });

  it('is not made where everybody may do everything', async () => {
    const { authority } = await authorityWith({ auth: { enabled: false } });
    expect(authority.firstKey).toBeUndefined();
    for (const given of [undefined, 'whatever']) {
      const principal = await authority.authenticate(given, HERE);
      expect(principal).toMatchObject({ id: 'anonymous', kind: 'anonymous' });
      expect(scopes(principal)).toEqual(['read', 'enrol', 'admin']);
    }
  });
});

describe('keys', () => {
  it('hold the scopes before theirs', async () => {
    const { authority } = await authorityWith();
    for (const [given, held] of [
      [['read'], ['read']],
      [['enrol'], ['read', 'enrol']],
      [
        ['admin', 'read'],
        ['read', 'enrol', 'admin'],
      ],
    ] as const) {
      const { key } = await authority.createKey({ name: 'k', scopes: given });
      expect(scopes(await authority.authenticate(key, HERE))).toEqual(held);
    }
  });

  it('are refused when they are wrong, unknown or malformed', async () => {
    const { authority } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const flipped = key.slice(0, -2) + (key.at(-2) === 'A' ? 'B' : 'A') + key.at(-1);
    const wrong = [
      '',
      'lin',
      id,
      key.slice(0, -1),
      `${key}A`,
      ` ${key}`,
      flipped,
      key.toUpperCase(),
      `lin_${'0'.repeat(12)}_${key.slice(17)}`,
    ];
    for (const given of wrong) {
      await expect(authority.authenticate(given, HERE), given).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    }
    expect(await authority.authenticate(key, HERE)).toMatchObject({ id });
  });

  it('end when they are revoked, at once, also when they were believed', async () => {
    const { authority, folder } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const principal = await authority.authenticate(key, HERE);
    expect(authority.stands(principal)).toBe(true);
    await authority.revokeKey(id);
    expect(authority.stands(principal)).toBe(false);
    await expect(authority.authenticate(key, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    await authority.revokeKey(id);
    await expect(authority.revokeKey('0123456789ab')).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(authority.revokeKey("' OR 1=1 --")).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await authority.close();
    const again = await authorityWith({}, { folder });
    await expect(again.authority.authenticate(key, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect((await again.authority.listKeys()).find((one) => one.id === id)).toMatchObject({ revoked: true });
  });

  it('end when their time has come, also when they were believed', async () => {
    const { authority, clock } = await authorityWith();
    const { key } = await authority.createKey({ name: 'k', scopes: ['read'], expiresAt: clock.now + 1000 });
    const principal = await authority.authenticate(key, HERE);
    clock.now += 1000;
    await expect(authority.authenticate(key, HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(authority.stands(principal)).toBe(false);
  });

  it('are checked again when they were believed for long enough', async () => {
    const { authority, clock } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    for (let i = 0; i < 3; i++) {
      expect(await authority.authenticate(key, HERE)).toMatchObject({ id });
      clock.now += 3_600_000;
    }
  });

  it('that come many times at once are checked once', async () => {
    const { authority } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    // More than may wait to be checked.
    const all = await Promise.all(Array.from({ length: 400 }, () => authority.authenticate(key, HERE)));
    expect(all.every((principal) => principal.id === id)).toBe(true);
  });

  it('are told with their last use, which is written in time', async () => {
    const { authority, clock, folder } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const mine = async (from = authority) => (await from.listKeys()).find((one) => one.id === id);
    expect(await mine()).not.toHaveProperty('lastUsedAt');
    clock.now += 5000;
    await authority.authenticate(key, HERE);
    expect(await mine()).toMatchObject({ lastUsedAt: clock.now, revoked: false, name: 'k' });
    await authority.close();
    const again = await authorityWith({}, { folder });
    expect(await mine(again.authority)).toMatchObject({ lastUsedAt: clock.now });
    expect(JSON.stringify(await again.authority.listKeys())).not.toContain(key.slice(17));
  });

  it('lie on the disk as hashes only, for the owner alone', async () => {
    const { authority, folder } = await authorityWith();
    await authority.keepFirstKey();
    const { key } = await authority.createKey({ name: 'a name', scopes: ['read'] });
    const files = await readdir(folder);
    expect(files).toContain('service.sqlite');
    let all = '';
    for (const file of files) {
      all += await readFile(join(folder, file), 'latin1');
      expect((await stat(join(folder, file))).mode & 0o077, file).toBe(0);
    }
    expect(all).toContain('a name');
    for (const one of [key, String(authority.firstKey)]) expect(all).not.toContain(one.slice(17));
  });

  it.each([
    ['an empty name', { name: '', scopes: ['read'] }],
    ['a name over lines', { name: 'a\nb', scopes: ['read'] }],
    ['a long name', { name: 'a'.repeat(101), scopes: ['read'] }],
    ['no scope', { name: 'a', scopes: [] }],
    ['an unknown scope', { name: 'a', scopes: ['root'] }],
    ['an end that has passed', { name: 'a', scopes: ['read'], expiresAt: 1 }],
    ['an end that is no time', { name: 'a', scopes: ['read'], expiresAt: Number.NaN }],
  ])('are not made with %s', async (_, given) => {
    const { authority } = await authorityWith();
    await expect(authority.createKey(given as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('are refused by one that was closed', async () => {
    const { authority } = await authorityWith();
    const { key } = await authority.createKey({ name: 'k', scopes: ['read'] });
    await Promise.all([authority.close(), authority.close()]);
    await expect(authority.authenticate(key, HERE)).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(authority.createKey({ name: 'k', scopes: ['read'] })).rejects.toMatchObject({ code: 'CLOSED' });
  });
});

describe('somebody without a key', () => {
  it('may do what the configuration says', async () => {
    const nothing = await authorityWith();
    expect(scopes(await nothing.authority.authenticate(undefined, HERE))).toEqual([]);
    const reader = await authorityWith({ auth: { anonymous: ['read'] } });
    expect(scopes(await reader.authority.authenticate(undefined, HERE))).toEqual(['read']);
    await expect(reader.authority.authenticate('wrong', HERE)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });
});

describe('wrong keys', () => {
  const wrong = (i: number): string => `lin_${i.toString(16).padStart(12, '0')}_${'A'.repeat(43)}`;
  const codes = async (asked: readonly Promise<unknown>[]): Promise<string[]> =>
    (await Promise.allSettled(asked)).map((one) => (one.status === 'fulfilled' ? 'ok' : String(one.reason.code)));

  it('are limited for an address, and for all of an IPv6 network', async () => {
    const { authority, clock } = await authorityWith({ rate: { failures: 3 } });
    const { key } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const ask = (i: number, address: string) => authority.authenticate(i % 2 === 0 ? wrong(i) : 'nonsense', address);
    expect(await codes([0, 1, 2].map((i) => ask(i, `2001:db8::${i}`)))).toEqual(Array(3).fill('UNAUTHENTICATED'));
    const refused = await authority.authenticate(wrong(9), '2001:db8::9').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'RATE_LIMITED', status: 429, retryAfter: 60 });
    // Another network is not concerned.
    expect(await authority.authenticate(key, '2001:db8:0:1::1')).toMatchObject({ kind: 'key' });
    // A key that was believed is not kept out by the failures of others behind the same address.
    expect(await authority.authenticate(key, '2001:db8::1')).toMatchObject({ kind: 'key' });
    clock.now += 60_000;
    await expect(authority.authenticate(wrong(9), '2001:db8::9')).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
  });

  it('that come all at once are not checked more often than the limit', async () => {
    const { authority } = await authorityWith({ rate: { failures: 4 } });
    const said = await codes(Array.from({ length: 20 }, (_, i) => authority.authenticate(wrong(i), HERE)));
    expect(said.filter((code) => code === 'UNAUTHENTICATED')).toHaveLength(4);
    expect(said.filter((code) => code === 'RATE_LIMITED')).toHaveLength(16);
  });

  it('do not keep right ones from being checked', async () => {
    const { authority } = await authorityWith({ rate: { failures: 1_000_000 } });
    const { key } = await authority.createKey({ name: 'k', scopes: ['read'] });
    let left = 0;
    const flood = Array.from({ length: 30 }, (_, i) => {
      left++;
      return authority.authenticate(wrong(i), '198.51.100.1').catch(() => left--);
    });
    expect(await authority.authenticate(key, HERE)).toMatchObject({ kind: 'key' });
    expect(left).toBeGreaterThan(20);
    await Promise.all(flood);
  });
});

describe('tickets', () => {
  it('open once, for whom they were made', async () => {
    const { authority } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const principal = await authority.authenticate(key, HERE);
    const { ticket } = authority.createTicket(principal);
    expect(authority.redeemTicket(ticket, HERE)).toMatchObject({ id, kind: 'key' });
    expect(() => authority.redeemTicket(ticket, HERE)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });

  it('end after a moment, and with their key', async () => {
    const { authority, clock } = await authorityWith();
    const { key, id } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const principal = await authority.authenticate(key, HERE);
    const { ticket, expiresAt } = authority.createTicket(principal);
    clock.now = expiresAt;
    expect(() => authority.redeemTicket(ticket, HERE)).toThrow(/ticket/);
    const other = authority.createTicket(principal);
    await authority.revokeKey(id);
    expect(() => authority.redeemTicket(other.ticket, HERE)).toThrow(/revoked/);
  });

  it('that are guessed count as wrong keys', async () => {
    const { authority } = await authorityWith({ rate: { failures: 2 } });
    for (const guess of ['a', 'b']) {
      expect(() => authority.redeemTicket(guess, HERE)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
    }
    expect(() => authority.redeemTicket('c', HERE)).toThrow(expect.objectContaining({ code: 'RATE_LIMITED' }));
  });
});
