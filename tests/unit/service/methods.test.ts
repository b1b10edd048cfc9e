// Which methods an address has: 405 with Allow for others, and HEAD wherever GET is.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routesOf } from '../../../lib/service/auth/index.js';
import { startService } from '../../support/service.js';
import { ask, type Running, runService } from './auth-running.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

let running: Running;
let key: Record<string, string>;
/** Methods of each address. */
const addresses = new Map<string, string[]>();
beforeAll(async () => {
  running = await runService();
  key = { authorization: `Bearer ${running.key}` };
  for (const { url, method } of routesOf(running.app)) addresses.set(url, [...(addresses.get(url) ?? []), method]);
});
afterAll(() => running?.close());

const concrete = (url: string): string => url.replaceAll(/:\w+/g, '7');

describe('a method that an address does not have', () => {
  it('is answered with 405 and those that it has, by every address, whatever the body', async () => {
    expect(addresses.size).toBeGreaterThan(50);
    const wrong: string[] = [];
    for (const url of addresses.keys()) {
      // What else matches the address has a say, too.
      const allowed = [...addresses].flatMap(([other, own]) =>
        other === url || (other.includes(':') && new RegExp(`^${other.replaceAll(/:\w+/g, '[^/]+')}$`).test(url))
          ? own
          : [],
      );
      for (const method of METHODS.filter((one) => !allowed.includes(one))) {
        const body = ['POST', 'PUT', 'PATCH'].includes(method);
        const answer = await ask(running, concrete(url), {
          method,
          headers: body ? { 'content-type': 'text/csv' } : {},
          ...(body && { body: '{' }),
        });
        const given = String(answer.headers.allow).split(', ');
        const right =
          answer.status === 405 &&
          JSON.stringify(given) === JSON.stringify([...new Set(allowed)].sort()) &&
          answer.headers['content-type'] === 'application/problem+json' &&
          (method === 'HEAD' || (JSON.parse(answer.body) as { status: number }).status === 405);
        if (!right) wrong.push(`${method} ${url}: ${answer.status} ${answer.headers.allow}, not ${allowed}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('says what to do, and is told from an address that is none', async () => {
    const known = await running.call('DELETE', '/api/v1/detect?x=1');
    expect(known).toMatchObject({ status: 405, body: { detail: 'there is no DELETE here', fix: 'Use POST.' } });
    for (const path of ['/api/v1/nothing', '/api/v1/persons/a/b/c', '/api/v1/detect/x', '/api/v1/persons//merge']) {
      const answer = await running.fetch(path, { method: 'DELETE' });
      expect(answer.status, path).toBe(404);
      expect(answer.headers.get('allow')).toBeNull();
    }
    const slash = await running.fetch('/api/v1/detect/', { method: 'DELETE' });
    expect(slash.headers.get('allow')).toBe('POST');
  });

  it('leaves OPTIONS to CORS where that is on', async () => {
    await using open = await startService({ cors: { origins: ['https://app.example.org'] } });
    const headers = { origin: 'https://app.example.org', 'access-control-request-method': 'POST' };
    const asked = await open.fetch('/api/v1/detect', { method: 'OPTIONS', key: null, headers });
    expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, headers.origin]);
    const put = await open.fetch('/api/v1/detect', { method: 'PUT', headers: { origin: headers.origin } });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'POST']);
    expect(put.headers.get('access-control-allow-origin')).toBe(headers.origin);
  });
});

describe('HEAD', () => {
  it('is answered as GET is, without the body', async () => {
    const wrong: string[] = [];
    for (const [url, methods] of addresses) {
      if (!methods.includes('GET') || url.startsWith('/ws/')) continue;
      for (const headers of [key, {}]) {
        const got = await ask(running, concrete(url), { headers });
        const head = await ask(running, concrete(url), { method: 'HEAD', headers });
        const same = got.status === head.status && got.headers['content-type'] === head.headers['content-type'];
        if (!same || head.body !== '') wrong.push(`${url}: ${got.status} and ${head.status} ${head.body}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  it('of an export takes nothing out of the gallery, and is in no trail', async () => {
    const before = await running.call('GET', '/api/v1/audit?action=gallery.export');
    expect((await running.fetch('/api/v1/export', { method: 'HEAD' })).status).toBe(200);
    expect((await running.fetch('/api/v1/export?collection=nowhere', { method: 'HEAD' })).status).toBe(404);
    expect(await running.call('GET', '/api/v1/audit?action=gallery.export')).toEqual(before);
  });
});
