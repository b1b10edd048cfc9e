import { describe, expect, it } from 'vitest';
import { callerOf } from '../../../lib/service/auth/address.js';
import { Failures } from '../../../lib/service/auth/failures.js';
import { COST, hashSecret, matches, readCost, writeCost } from '../../../lib/service/auth/hash.js';
import { redactText } from '../../../lib/service/auth/index.js';
import { isLimited } from '../../../lib/service/auth/limits.js';
import { checkPage } from '../../../lib/service/auth/pages.js';
import { Turns } from '../../../lib/service/auth/turns.js';
import { completeConfig } from '../../../lib/service/config/index.js';

describe('callerOf', () => {
  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['::FFFF:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.33', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4::/64'],
  ])('takes %s for %s', (address, caller) => {
    expect(callerOf(address)).toBe(caller);
  });

  it('keeps what is no address, within limits', () => {
    expect(callerOf('')).toBe('');
    expect(callerOf('x'.repeat(1000))).toHaveLength(64);
  });
});

describe('scrypt hashes', () => {
  it('fit their secret alone, by the cost that lies beside them', async () => {
    const one = await hashSecret('secret');
    expect(await matches('secret', one)).toBe(true);
    expect(await matches('Secret', one)).toBe(false);
    expect(await matches('', one)).toBe(false);
    const other = await hashSecret('secret');
    expect(Buffer.from(other.hash).equals(one.hash)).toBe(false);
    expect(readCost(writeCost(COST))).toEqual(COST);
    expect(await matches('secret', { ...one, cost: { ...COST, N: COST.N / 2 } })).toBe(false);
  });

  it.each(['', '16384', '16383:8:1', '1:8:1', '16384:8:0', '1073741824:8:1', '16384:8:17', 'a:b:c', '16384:-8:1'])(
    'are refused with the cost "%s"',
    (text) => {
      expect(() => readCost(text)).toThrow(expect.objectContaining({ code: 'STORE_CORRUPT' }));
    },
  );
});

describe('Turns', () => {
  /** Work that ends when it is told to. */
  const works = () => {
    const started: string[] = [];
    const ends = new Map<string, () => void>();
    const work = (name: string) => () => {
      started.push(name);
      return new Promise<string>((resolve) => ends.set(name, () => resolve(name)));
    };
    const end = async (name: string): Promise<void> => {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { started, work, end };
  };

  it('gives one turn to each caller, and so many in all', async () => {
    const { started, work, end } = works();
    const turns = new Turns(2, 100);
    const all = ['a1', 'a2', 'a3', 'b1', 'c1', 'b2'].map((name) => turns.take(String(name[0]), work(name)));
    expect(started).toEqual(['a1', 'b1']);
    await end('a1');
    expect(started).toEqual(['a1', 'b1', 'c1']);
    await end('c1');
    expect(started).toEqual(['a1', 'b1', 'c1', 'a2']);
    for (const name of ['b1', 'a2', 'b2', 'a3']) await end(name);
    expect(await Promise.all(all)).toEqual(['a1', 'a2', 'a3', 'b1', 'c1', 'b2']);
  });

  it('goes on after work that failed, and refuses what cannot wait', async () => {
    const { work, end } = works();
    const turns = new Turns(1, 2);
    const first = turns.take('a', work('one'));
    const bad = turns.take('a', () => Promise.reject(new Error('bad')));
    const last = turns.take('b', work('two'));
    await expect(turns.take('c', work('three'))).rejects.toMatchObject({ code: 'OVERLOADED', retryAfter: 1 });
    const failed = expect(bad).rejects.toThrow('bad');
    await end('one');
    await end('two');
    await failed;
    expect(await Promise.all([first, last])).toEqual(['one', 'two']);
  });

  it('leaves three quarters of the line to others than one caller', async () => {
    const { work, end } = works();
    const turns = new Turns(1, 8);
    // The first one works already.
    const all = ['a0', 'a1', 'a2', 'b1', 'b2'].map((name) => turns.take(String(name[0]), work(name)));
    await expect(turns.take('a', work('a3'))).rejects.toMatchObject({ code: 'OVERLOADED' });
    all.push(turns.take('c', work('c1')));
    for (const name of ['a0', 'b1', 'c1', 'a1', 'b2', 'a2']) await end(name);
    expect(await Promise.all(all)).toEqual(['a0', 'a1', 'a2', 'b1', 'b2', 'c1']);
  });
});

describe('Failures', () => {
  it('forget after a minute, and whom they have not heard of for longest', () => {
    let now = 0;
    const failures = new Failures(2, () => now);
    failures.add('a');
    failures.check('a');
    failures.add('a');
    expect(() => failures.check('a')).toThrow(expect.objectContaining({ code: 'RATE_LIMITED', retryAfter: 60 }));
    now = 59_000;
    expect(() => failures.check('a')).toThrow(expect.objectContaining({ retryAfter: 1 }));
    now = 60_000;
    failures.check('a');
    failures.add('b');
    failures.add('b');
    for (let i = 0; i < 9_999; i++) failures.add(`x${i}`);
    expect(() => failures.check('b')).toThrow();
    failures.add('one more');
    failures.check('b');
  });

  it('count nothing without a limit', () => {
    const failures = new Failures(0, () => 0);
    for (let i = 0; i < 10; i++) failures.add('a');
    failures.check('a');
  });
});

describe('redactText', () => {
  const key = `lin_0123456789ab_${'aB3-_'.repeat(9).slice(0, 43)}`;
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl';

  it.each([
    ['a key', `the key ${key} is wrong`, [key.slice(17)]],
    ['a key that was cut', `the key ${key.slice(0, 40)} is wrong`, [key.slice(17, 40)]],
    ['a key without its id', `lin_${key.slice(17)}`, [key.slice(17)]],
    ['a token', `token ${jwt}.`, ['eyJzdWIi', 'c2lnbmF0dXJl']],
    ['a header', `authorization: Bearer abc.def-123`, ['abc.def-123']],
    ['a ticket', '/ws/camera/1?width=3&ticket=abcDEF123&x=1', ['abcDEF123']],
    ['an address with a password', 'rtsp://ada:engine@192.0.2.1/live?token=abc', ['engine', 'abc']],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nMIIsecret\n-----END PRIVATE KEY-----', ['MIIsecret']],
  ])('takes out %s', (_, text, secrets) => {
    const clean = redactText(text);
    for (const secret of secrets) expect(clean).not.toContain(secret);
    expect(clean).toContain('***');
  });

  it('leaves the id of a key, and what is no secret', () => {
    expect(redactText(`the key ${key} is wrong`)).toBe('the key lin_0123456789ab_*** is wrong');
    for (const text of [
      '',
      'detection of 3 faces',
      'a linear key',
      'GET /api/v1/keys/0123456789ab',
      'https://example.org/a?b=c',
    ]) {
      expect(redactText(text)).toBe(text);
    }
  });
});

describe('isLimited', () => {
  it.each(['/health', '/ready', '/metrics', '/docs', '/docs/start.js', '/openapi.json'])('leaves %s alone', (url) => {
    expect(isLimited(url, undefined)).toBe(false);
    expect(isLimited(url, true)).toBe(true);
  });

  it.each(['', '/', '/api/v1/detect', '/healthy', '/api/v1/health', '/docsx'])('counts %s', (url) => {
    expect(isLimited(url, undefined)).toBe(true);
    expect(isLimited(url, false)).toBe(false);
  });
});

describe('pages of others', () => {
  const asks = (host: string | undefined, origin?: string, protocol = 'http') => ({
    headers: { host, origin },
    host: host ?? '',
    protocol,
  });
  const near = completeConfig({ cors: { origins: ['https://app.example.org'] } });

  it.each([
    ['by name', asks('localhost:8080')],
    ['by address', asks('127.0.0.1:8080')],
    ['by another address of this machine', asks('192.0.2.1:8080')],
    ['by IPv6', asks('[::1]:8080')],
    ['its own page', asks('localhost:8080', 'http://localhost:8080')],
    ['its own page in capitals', asks('LOCALHOST:8080', 'http://localhost:8080')],
    ['its own page over TLS', asks('localhost', 'https://localhost', 'https')],
    ['an allowed page', asks('localhost:8080', 'https://app.example.org')],
    ['HTTP/1.0', asks(undefined)],
  ])('are not: %s', (_, asked) => {
    checkPage(asked, near);
  });

  it.each([
    ['a name that points here', asks('evil.example:8080')],
    ['a name that begins like ours', asks('localhost.evil.example')],
    ['a name like an address', asks('127.0.0.1.evil.example')],
    ['another page', asks('localhost:8080', 'https://evil.example')],
    ['another port', asks('localhost:8080', 'http://localhost:3000')],
    ['another scheme', asks('localhost:8080', 'https://localhost:8080')],
    ['a page in a sandbox', asks('localhost:8080', 'null')],
    ['a file', asks('localhost:8080', 'file://')],
    ['nonsense', asks('localhost:8080', 'http://')],
    ['nonsense for a host', asks('a b')],
  ])('may not ask without a key: %s', (_, asked) => {
    expect(() => checkPage(asked, near)).toThrow(expect.objectContaining({ code: 'ACCESS_DENIED' }));
  });

  it('have names of their own behind a proxy, and where others may ask', () => {
    const proxied = completeConfig({ server: { trustProxy: ['127.0.0.1'] } });
    checkPage(asks('faces.example.org'), proxied);
    const open = completeConfig({ server: { host: '0.0.0.0' }, auth: { anonymous: ['read'] } });
    checkPage(asks('faces.example.org'), open);
    expect(() => checkPage(asks('faces.example.org', 'https://evil.example'), open)).toThrow(/page/);
    checkPage(asks('localhost', 'https://anybody.example'), completeConfig({ cors: { origins: ['*'] } }));
  });
});
