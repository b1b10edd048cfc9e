import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { RouteGroup } from '../../../lib/service/server.js';
import { jose } from '../../../lib/service/vendor.js';
import { ask, bareConnection, type Running, runService } from './auth-running.js';

/** A WebSocket that stays open until somebody closes it, and says with which code it was. */
const socketRoute: RouteGroup = (app) => {
  app.get('/ws/test', { websocket: true, config: { scope: 'read' } }, (socket, request) => {
    socket.send(request.principal.id);
  });
};

const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
const codeOf = (answer: { readonly body: string }): unknown => (JSON.parse(answer.body) as { code?: unknown }).code;

describe('what somebody presents', () => {
  let running: Running;
  beforeAll(async () => {
    running = await runService({}, [socketRoute]);
  });
  afterAll(() => running?.close());

  it.each<[string, (key: string) => Record<string, string | string[]>, number]>([
    ['Bearer', (key) => ({ authorization: `Bearer ${key}` }), 200],
    ['bearer', (key) => ({ authorization: `bearer   ${key}` }), 200],
    ['X-API-Key', (key) => ({ 'x-api-key': key }), 200],
    ['both', (key) => ({ authorization: `Bearer ${key}`, 'x-api-key': key }), 401],
    ['two of X-API-Key', (key) => ({ 'x-api-key': [key, key] }), 401],
    ['Basic', (key) => ({ authorization: `Basic ${Buffer.from(`:${key}`).toString('base64')}` }), 401],
    ['no scheme', (key) => ({ authorization: key }), 401],
    ['an empty key', () => ({ 'x-api-key': '' }), 401],
    ['Bearer and nothing', () => ({ authorization: 'Bearer ' }), 401],
    ['a cookie', (key) => ({ cookie: `key=${key}` }), 401],
  ])('counts as %s', async (_, headers, status) => {
    const answer = await ask(running, '/api/v1/keys', { headers: headers(running.key) });
    expect(answer.status).toBe(status);
  });

  it('is not taken from an address, except a ticket for a WebSocket', async () => {
    const { key } = running;
    for (const name of ['key', 'api_key', 'token', 'access_token', 'authorization', 'ticket']) {
      expect((await ask(running, `/api/v1/keys?${name}=${key}`)).status, name).toBe(401);
    }
    for (const query of ['', '?ticket=', '?ticket=a&ticket=b', `?ticket=${key}`, `?key=${key}`]) {
      expect((await ask(running, `/ws/test${query}`, { upgrade: true })).status, query).toBe(401);
    }
    const made = await running.call('POST', '/api/v1/tickets');
    expect(made.status).toBe(201);
    const { ticket, expires_at } = made.body as { ticket: string; expires_at: number };
    expect(expires_at).toBeGreaterThan(Date.now());
    expect((await ask(running, `/ws/test?ticket=${ticket}`, { upgrade: true })).status).toBe(101);
    expect((await ask(running, `/ws/test?ticket=${ticket}`, { upgrade: true })).status).toBe(401);
    expect((await ask(running, '/ws/test', { upgrade: true, headers: bearer(key) })).status).toBe(101);
  });

  it('may make keys, see them and take them back', async () => {
    const made = await running.call('POST', '/api/v1/keys', { name: 'a reader', scopes: ['read'] });
    expect(made.status).toBe(201);
    const { id, key } = made.body as { id: string; key: string };
    expect(made.body).toMatchObject({ name: 'a reader', scopes: ['read'], revoked: false });
    expect((await running.call('GET', '/api/v1/performance', undefined, key)).status).toBe(200);
    const listed = await running.call('GET', '/api/v1/keys');
    const { keys } = listed.body as { keys: { id: string }[] };
    expect(keys.find((one) => one.id === id)).toMatchObject({ name: 'a reader', last_used_at: expect.any(Number) });
    expect(JSON.stringify(listed.body)).not.toContain(key.slice(17));
    expect((await running.call('DELETE', `/api/v1/keys/${id}`)).status).toBe(204);
    expect((await running.call('GET', '/api/v1/performance', undefined, key)).status).toBe(401);
    expect((await running.call('DELETE', '/api/v1/keys/nobody')).status).toBe(404);

    for (const bad of [{}, { name: 'a' }, { name: 'a', scopes: ['root'] }, { name: 'a', scopes: [], more: 1 }, []]) {
      expect((await running.call('POST', '/api/v1/keys', bad)).status, JSON.stringify(bad)).toBe(400);
    }
    const { body } = await running.call('GET', '/api/v1/audit?limit=2');
    const admin = running.key.slice(4, 16);
    expect(body).toMatchObject({
      entries: [
        { action: 'key.revoke', actor: admin, detail: { key: id } },
        { action: 'key.create', actor: admin, detail: { key: id, scopes: ['read'] } },
      ],
    });
    const { before } = body as { before: number };
    const older = await running.call('GET', `/api/v1/audit?before=${before}&action=key.create`);
    expect(older.body).toMatchObject({ entries: [{ actor: 'service', detail: { key: running.key.slice(4, 16) } }] });
    const check = await running.call('GET', '/api/v1/audit/check');
    expect(check.body).toMatchObject({ ok: true, entries: before + 1, number: before + 1 });
    const { number, hash } = check.body as { number: number; hash: string };
    const again = await running.call('GET', `/api/v1/audit/check?number=${number}&hash=${hash}`);
    expect(again.body).toMatchObject({ ok: true });
    const other = await running.call('GET', `/api/v1/audit/check?number=${number}&hash=${'0'.repeat(64)}`);
    expect(other.body).toMatchObject({ ok: false, broken: number });
    expect((await running.call('GET', `/api/v1/audit/check?number=${number}`)).status).toBe(400);
  });

  it('loses its WebSockets when it is revoked', async () => {
    const made = await running.call('POST', '/api/v1/keys', { name: 'a watcher', scopes: ['read'] });
    const { id, key } = made.body as { id: string; key: string };
    const socket = new WebSocket(`${running.address.replace('http', 'ws')}/ws/test`, { headers: bearer(key) });
    await once(socket, 'open');
    const closed = new Promise<number>((resolve) => socket.once('close', (code: number) => resolve(code)));
    await running.call('DELETE', `/api/v1/keys/${id}`);
    expect(await closed).toBe(1008);
  });
});

describe('limits', () => {
  it('hold for an address and for a key, and say when to come back', async () => {
    const running = await runService({ rate: { perAddress: 6, perKey: 3 } });
    try {
      const get = (key?: string) => ask(running, '/api/v1/keys', key === undefined ? {} : { headers: bearer(key) });
      const first = await get(running.key);
      expect(first.status).toBe(200);
      // The nearer of both.
      expect(first.headers).toMatchObject({ 'ratelimit-limit': '3', 'ratelimit-remaining': '2' });
      for (let i = 0; i < 2; i++) expect((await get(running.key)).status).toBe(200);
      const limited = await get(running.key);
      expect(limited.status).toBe(429);
      expect(codeOf(limited)).toBe('RATE_LIMITED');
      expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
      expect(limited.headers).toMatchObject({ 'ratelimit-remaining': '0' });
      for (let i = 0; i < 2; i++) expect((await get()).status).toBe(401);
      expect((await get()).status).toBe(429);
      expect((await ask(running, '/nothing')).status).toBe(429);
      for (const url of ['/health', '/ready', '/docs', '/openapi.json']) {
        expect((await ask(running, url)).status, url).toBe(200);
      }
    } finally {
      await running.close();
    }
  });

  it('hold for wrong keys, and the audit trail tells of them', async () => {
    const running = await runService({ rate: { failures: 3 } });
    const { authority, audit } = running.parts;
    const { key } = await authority.createKey({ name: 'k', scopes: ['read'] });
    const get = (given: string) => ask(running, '/api/v1/performance', { headers: bearer(given) });
    expect((await get(key)).status).toBe(200);
    for (let i = 0; i < 3; i++) expect((await get(`wrong${i}`)).status).toBe(401);
    const limited = await get('wrong');
    expect(limited.status).toBe(429);
    expect(Number(limited.headers['retry-after'])).toBeGreaterThan(0);
    expect((await get(key)).status).toBe(200);
    // Closing tells what was counted; the trail is closed after the server.
    const told: unknown[] = [];
    const append = audit.append.bind(audit);
    audit.append = async (draft) => {
      told.push(draft);
      await append(draft);
    };
    await running.close();
    expect(told).toMatchObject([
      { action: 'login.failed', detail: { count: 4, addresses: [{ address: '127.0.0.1', count: 4 }] } },
    ]);
  });

  it('cannot be avoided by a header that no proxy was trusted for', async () => {
    const running = await runService({ rate: { perAddress: 2 } });
    try {
      const statuses: number[] = [];
      for (let i = 0; i < 3; i++) {
        statuses.push((await ask(running, '/api/v1/keys', { headers: { 'x-forwarded-for': `192.0.2.${i}` } })).status);
      }
      expect(statuses).toEqual([401, 401, 429]);
    } finally {
      await running.close();
    }
  });
});

describe('pages of others', () => {
  it('are refused where no key is needed, and keys are taken from everywhere', async () => {
    const running = await runService({ auth: { anonymous: ['read'] } }, [socketRoute]);
    try {
      const { port } = new URL(running.address);
      const asked = (headers: Record<string, string>, upgrade = false) =>
        ask(running, upgrade ? '/ws/test' : '/api/v1/performance', { headers, upgrade });
      expect((await asked({})).status).toBe(200);
      expect((await asked({ host: `localhost:${port}`, origin: `http://localhost:${port}` })).status).toBe(200);
      for (const headers of [{ host: 'evil.example' }, { origin: 'https://evil.example' }, { origin: 'null' }]) {
        const answer = await asked(headers as Record<string, string>);
        expect([answer.status, codeOf(answer)], JSON.stringify(headers)).toEqual([403, 'ACCESS_DENIED']);
        expect((await asked(headers as Record<string, string>, true)).status).toBe(403);
        expect((await asked({ ...headers, ...bearer(running.key) } as Record<string, string>)).status).toBe(200);
      }
      expect((await asked({}, true)).status).toBe(101);
      expect((await ask(running, '/health', { headers: { host: 'evil.example' } })).status).toBe(200);
      expect((await ask(running, '/api/v1/keys')).status).toBe(401);
    } finally {
      await running.close();
    }
  });

  it('cannot change anything where authentication is off', async () => {
    const running = await runService({ auth: { enabled: false } });
    try {
      const made = (headers: Record<string, string>) =>
        ask(running, '/api/v1/keys', {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ name: 'k', scopes: ['read'] }),
        });
      expect((await made({})).status).toBe(201);
      expect((await made({ origin: 'https://evil.example' })).status).toBe(403);
      expect((await made({ host: 'evil.example' })).status).toBe(403);
    } finally {
      await running.close();
    }
  });
});

describe('hostile connections', () => {
  let running: Running;
  beforeAll(async () => {
    running = await runService({ server: { headersTimeoutMs: 400, requestTimeoutMs: 1200 } });
  });
  afterAll(() => running?.close());

  /** Sends a piece again and again until the other side ends the connection; gives what came back. */
  async function drip(begin: string, piece: string): Promise<string> {
    const { socket, ended } = bareConnection(running);
    socket.write(begin);
    const dripping = setInterval(() => void (socket.writable && socket.write(piece)), 50);
    try {
      return await ended;
    } finally {
      clearInterval(dripping);
    }
  }

  it('that never end their headers are ended', async () => {
    expect(await drip('GET /health HTTP/1.1\r\nHost: localhost\r\n', 'X-A: b\r\n')).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
    expect(await drip('GET /hea', 'l')).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  it('that never end their body are ended, with a key and without', async () => {
    const head = (key: string): string =>
      [
        'POST /api/v1/keys HTTP/1.1',
        'Host: localhost',
        'Content-Type: application/json',
        'Content-Length: 100000',
        ...(key === '' ? [] : [`Authorization: Bearer ${key}`]),
        '\r\n',
      ].join('\r\n');
    expect(await drip(head(running.key), ' ')).toMatch(/^(?:HTTP\/1\.1 (?:408|400) |$)/);
    expect(await drip(head(''), ' ')).toMatch(/^HTTP\/1\.1 401 /);
    const chunked = head(running.key).replace('Content-Length: 100000', 'Transfer-Encoding: chunked');
    expect(await drip(chunked, '1\r\n \r\n')).toMatch(/^(?:HTTP\/1\.1 (?:408|400) |$)/);
  });

  it('that say nothing are ended', async () => {
    expect(await bareConnection(running).ended).toMatch(/^(?:HTTP\/1\.1 408 |$)/);
  });

  const line = 'GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n';
  it.each([
    ['a header that is too long', `${line}X-A: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['too many headers', `${line}${'X-A-header: a value\r\n'.repeat(1000)}\r\n`, 431],
    ['an address that is too long', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: localhost\r\n\r\n`, 431],
    ['a bare line feed in a header', `${line}X-A: a\nX-Admin: yes\r\n\r\n`, 400],
    ['a carriage return in a header', `${line}X-A: a\rSet-Cookie: b\r\n\r\n`, 400],
    ['a zero in a header', `${line}X-A: a\0b\r\n\r\n`, 400],
    ['a header over two lines', `${line}X-A: a\r\n b: c\r\n\r\n`, 400],
    ['no host', 'GET /health HTTP/1.1\r\n\r\n', 400],
    ['two lengths', `POST /api/v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`, 400],
    [
      'a length and chunks',
      `POST /api/v1/keys HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n`,
      400,
    ],
    ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400],
  ])('are refused with %s', async (_, text, status) => {
    const { socket, ended } = bareConnection(running);
    socket.write(text, 'latin1');
    const got = await ended;
    expect(got).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(got.toLowerCase()).not.toMatch(/set-cookie|x-admin/);
  });

  it('cannot put headers into an answer', async () => {
    for (const path of [
      '/%0d%0aSet-Cookie:%20a=b',
      '/health?a=%0d%0aSet-Cookie:%20a=b',
      '/api/v1/keys/%0d%0aSet-Cookie:a',
    ]) {
      const answer = await ask(running, path, { headers: bearer(running.key) });
      expect(answer.headers, path).not.toHaveProperty('set-cookie');
      expect(answer.status).toBeLessThan(500);
    }
    for (const id of ['a b', 'a\tSet-Cookie: b', 'ü', 'a'.repeat(200), '<script>']) {
      const answer = await ask(running, '/health', { headers: { 'x-request-id': Buffer.from(id).toString('latin1') } });
      expect(answer.headers['x-request-id'], id).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  it('leave the service as it was', async () => {
    expect((await ask(running, '/health')).status).toBe(200);
  });
});

describe('secrets', () => {
  it('are not in the log, whatever is presented and wherever', async () => {
    process.env['LINEAMENT_TEST_JWT'] = 'a secret of at least thirty-two bytes!';
    const jwt = { issuer: 'i', audience: 'a', key: 'env:LINEAMENT_TEST_JWT', algorithms: ['HS256'] };
    const running = await runService({ auth: { jwt } }, [socketRoute]);
    try {
      const sign = (secret: string) =>
        new jose.SignJWT({ scope: 'admin' })
          .setProtectedHeader({ alg: 'HS256' })
          .setIssuer('i')
          .setAudience('a')
          .setSubject('ada')
          .setExpirationTime('1h')
          .sign(new TextEncoder().encode(secret));
      const token = await sign(process.env['LINEAMENT_TEST_JWT']);
      const forged = await sign('another secret of thirty-two bytes!!!');
      const made = await running.call('POST', '/api/v1/keys', { name: 'k', scopes: ['read'] });
      const { key } = made.body as { key: string };
      const wrong = `lin_0123456789ab_${'w'.repeat(43)}`;
      const { ticket } = (await running.call('POST', '/api/v1/tickets')).body as { ticket: string };
      const password = 'a-password-of-somebody';
      for (const given of [running.key, key, wrong, token, forged, password]) {
        const basic = Buffer.from(`ada:${given}`).toString('base64');
        for (const headers of [
          { 'x-api-key': given },
          bearer(given),
          { authorization: `Basic ${basic}` },
          { cookie: given },
        ]) {
          await ask(running, '/api/v1/keys', { headers: headers as Record<string, string> });
        }
        await ask(running, `/api/v1/keys?key=${given}&ticket=${given}`, { headers: bearer(running.key) });
        await ask(running, `/api/v1/keys/${given}`, { method: 'DELETE', headers: bearer(running.key) });
        await ask(running, `/${given}`, { headers: bearer(given) });
        await running.call('POST', '/api/v1/keys', { name: given, scopes: [given], [given]: given });
        await ask(running, `/ws/test?ticket=${given}`, { upgrade: true });
      }
      expect((await ask(running, `/ws/test?ticket=${ticket}`, { upgrade: true })).status).toBe(101);
      expect((await ask(running, '/api/v1/keys', { headers: bearer(token) })).status).toBe(200);
      running.parts.log.error(
        { error: new Error(`wrong: ${key}`), authorization: key, nested: { text: `Bearer ${token}` } },
        'a test',
      );
      const secrets = [running.key, key, wrong].map((one) => one.slice(17));
      const others = [token, forged].map((one) => one.split('.')[2]!);
      await running.close();
      expect(running.log.length).toBeGreaterThan(20);
      const text = running.log.join('');
      for (const secret of [...secrets, ...others, ticket, process.env['LINEAMENT_TEST_JWT']]) {
        expect(text).not.toContain(secret);
      }
      expect(text).not.toContain(Buffer.from(`ada:${password}`).toString('base64'));
    } finally {
      delete process.env['LINEAMENT_TEST_JWT'];
      await running.close();
    }
  });
});
