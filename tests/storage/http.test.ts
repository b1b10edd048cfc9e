// The client against a real service over TLS on this machine, which breaks down in all the ways that networks do.
import { mkdtempSync, rmSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { LineamentError } from '../../lib/errors.js';
import {
  bearerToken,
  connectStorage,
  openEmbeddedStorage,
  type RemoteStorageOptions,
  type StorageRequest,
  type TemplateStorage,
} from '../../lib/storage/index.js';
import { type Backend, contract } from './contract.js';
import { type Service, says, startService } from './service.js';
import { codeOf, MODEL, probe, template, unitVectors } from './support.js';

let folder: string;
let held: TemplateStorage;
let service: Service;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-storage-'));
  held = await openEmbeddedStorage({ ...MODEL, path: path.join(folder, 'held.db'), threads: 1 });
  service = await startService(held);
});
afterAll(async () => {
  await service?.close();
  await held?.close();
  rmSync(folder, { recursive: true, force: true });
});

const connect = (options: Partial<RemoteStorageOptions> = {}): Promise<TemplateStorage> =>
  connectStorage({ url: service.url, tls: { ca: service.cert }, retryDelayMs: 1, ...options });

const backend: Backend = {
  matching: 'exact',
  transactions: true,
  open: ({ model } = {}) => connect(model === undefined ? {} : { model }),
};
contract('HTTP', () => backend);

describe('a client of the service', () => {
  let storage: TemplateStorage;
  const [vector] = unitVectors(1, 21) as [Float32Array];
  let tests = 0;
  let where: { collection: string };

  beforeAll(async () => {
    storage = await connect({ timeoutMs: 10_000 });
  });
  afterAll(() => storage?.close());
  beforeEach(() => {
    where = { collection: `h${++tests}` };
    service.instead.length = 0;
    service.seen.length = 0;
  });

  const operations = (): string[] => service.seen.map((one) => one.operation);

  it('repeats what failed on the way, and stores it once', async () => {
    const gone = (_: unknown, response: ServerResponse): void => void response.destroy();
    service.instead.push(
      says(503, { error: { code: 'STORE_BUSY', message: 'Store is in use' } }, { 'retry-after': '0' }),
      gone,
      // Done, but the answer is lost.
      async (request, response, next) => {
        response.end = ((): ServerResponse => response.destroy()) as never;
        await next(request, response);
      },
    );
    expect(await storage.storeTemplate('p', template(vector), where)).toEqual({
      stored: 1,
      replaced: 0,
      replayed: false,
    });
    expect(operations()).toEqual(['store', 'store', 'store', 'store']);
    expect(new Set(service.seen.map((one) => one.headers['idempotency-key'])).size).toBe(1);
    expect(new Set(service.seen.map((one) => one.headers['x-request-id'])).size).toBe(1);
    expect(await held.count(where)).toBe(1);
  });

  it('says of a repeated request of the caller that it was one', async () => {
    const options = { ...where, idempotencyKey: 'the caller’s' };
    await storage.storeTemplate('p', template(vector), options);
    expect(await storage.storeTemplate('p', template(vector), options)).toMatchObject({ replayed: true });
    expect(await codeOf(storage.storeTemplate('q', template(vector), options))).toBe('DUPLICATE_ID');
    expect(operations()).toEqual(['store', 'store', 'store']);
  });

  it('waits as long as it is asked to, but not longer than it allows', async () => {
    const patient = await connect({ maxRetryDelayMs: 5 });
    const later = new Date(Date.now() + 3_600_000).toUTCString();
    service.instead.push(says(429, 'slow down', { 'retry-after': '3600', 'content-type': 'text/plain' }));
    service.instead.push(says(503, 'later', { 'retry-after': later, 'content-type': 'text/html' }));
    expect(await patient.count(where)).toBe(0);
    await patient.close();
  });

  it('gives up after its retries, and names the request', async () => {
    const busy = says(503, { error: { code: 'STORE_BUSY', message: 'Store is in use: somebody else' } });
    service.instead.push(busy, busy, busy, busy, busy);
    const error = (await storage.count(where).catch((e: unknown) => e)) as LineamentError;
    expect(error.code).toBe('STORE_BUSY');
    expect(error.message).toMatch(/^Store is in use: somebody else \(said by 127\.0\.0\.1:\d+\)/);
    expect(operations()).toHaveLength(4);
    service.instead.length = 0;
    const once = await connect({ retries: 0 });
    service.seen.length = 0;
    service.instead.push(busy);
    expect(await codeOf(once.count(where))).toBe('STORE_BUSY');
    expect(operations()).toHaveLength(1);
    await once.close();
  });

  it('does not repeat what cannot become better', async () => {
    const refused: [number, unknown, string][] = [
      [400, { error: { code: 'INVALID_ARGUMENT', message: 'Invalid argument: no' } }, 'INVALID_ARGUMENT'],
      [401, { error: { code: 'ACCESS_DENIED', message: 'Access denied' } }, 'ACCESS_DENIED'],
      [403, 'forbidden by a proxy', 'ACCESS_DENIED'],
      [404, { error: { code: 'NOT_FOUND', message: 'Not found' } }, 'NOT_FOUND'],
      [404, 'no such page', 'STORE_UNAVAILABLE'],
      [409, { error: { code: 'DUPLICATE_ID', message: 'Already there: p' } }, 'DUPLICATE_ID'],
      [500, { error: { code: 'STORE_CORRUPT', message: 'Store is damaged' } }, 'STORE_CORRUPT'],
      [507, { error: { code: 'STORE_FULL', message: 'No space left for the store' } }, 'STORE_FULL'],
      [418, { error: { code: 'NOT_A_CODE', message: '?' } }, 'STORE_UNAVAILABLE'],
      [200, '{"count": 1', 'STORE_UNAVAILABLE'],
      [200, '7', 'STORE_FAILED'],
    ];
    for (const [status, body, code] of refused) {
      service.seen.length = 0;
      service.instead.push(says(status, body));
      expect([status, await codeOf(storage.count(where))]).toEqual([status, code]);
      expect(operations()).toHaveLength(1);
    }
    service.instead.push(says(200, '<html>', { 'content-type': 'text/html' }));
    expect(await codeOf(storage.count(where))).toBe('STORE_UNAVAILABLE');
    // Closed is the storage of the service, not the caller's.
    const closed = says(503, { error: { code: 'CLOSED', message: 'Closed: x' } });
    service.instead.push(closed, closed, closed, closed);
    expect(await codeOf(storage.count(where))).toBe('STORE_UNAVAILABLE');
  });

  it('does not wait for ever, in whatever place the service hangs', async () => {
    const hasty = await connect({ timeoutMs: 1500, retries: 1 });
    const hang = (): void => undefined;
    const halfway = (_: unknown, response: ServerResponse): void => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '100' });
      response.write('{');
    };
    service.seen.length = 0;
    service.instead.push(hang, halfway);
    const error = (await hasty.count(where).catch((e: unknown) => e)) as LineamentError;
    expect(error.code).toBe('STORE_UNAVAILABLE');
    expect(error.message).toMatch(/did not answer in 1500 ms/);
    expect(operations()).toHaveLength(2);
    service.instead.push(hang);
    expect(await hasty.count(where)).toBe(0);
    await hasty.close();
  });

  it('takes back a call that hangs, and one that waits for its next try', async () => {
    const stop = new AbortController();
    service.instead.push(() => stop.abort(new Error('the caller had enough')));
    const error = (await storage.count({ ...where, signal: stop.signal }).catch((e: unknown) => e)) as LineamentError;
    expect(error.code).toBe('ABORTED');
    expect((error.cause as Error).message).toBe('the caller had enough');
    expect(operations()).toHaveLength(1);
    const slow = await connect({ retryDelayMs: 60_000, maxRetryDelayMs: 60_000 });
    const again = new AbortController();
    service.instead.push((request, response) => {
      says(503, 'busy', { 'retry-after': '60' })(request, response);
      response.on('close', () => setImmediate(() => again.abort()));
    });
    expect(await codeOf(slow.count({ ...where, signal: again.signal }))).toBe('ABORTED');
    await slow.close();
  });

  it('reads no answer longer than it allows', async () => {
    const small = await connect({ maxResponseBytes: 1000 });
    const endless = (_: unknown, response: ServerResponse): void => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const more = (): void => {
        while (!response.destroyed && response.write(' '.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    };
    service.seen.length = 0;
    service.instead.push(endless);
    expect(await codeOf(small.count(where))).toBe('STORE_FAILED');
    expect(operations()).toHaveLength(1);
    await small.close();
  });

  it('trusts the certificates that it is told to, and no others', async () => {
    expect(await codeOf(connect({ tls: {}, retries: 0 }))).toBe('STORE_UNAVAILABLE');
    const error = (await connect({ tls: {} }).catch((e: unknown) => e)) as LineamentError;
    expect(error.fix).toMatch(/tls\.ca/);
    expect(service.seen).toHaveLength(0);
    const other = await startService(held);
    expect(await codeOf(connect({ url: other.url }))).toBe('STORE_UNAVAILABLE');
    const both = await connect({ url: other.url, tls: { ca: [service.cert, Buffer.from(other.cert)] } });
    expect(await both.count(where)).toBe(0);
    await both.close();
    await other.close();
  });

  it('refuses addresses that are none, or not safe', async () => {
    const bad: Partial<RemoteStorageOptions>[] = [
      { url: 'not a url' },
      { url: 'ftp://127.0.0.1' },
      { url: 'http://example.com' },
      { url: 'https://name:password@example.com' },
      { timeoutMs: 0 },
      { retries: -1 },
      { token: '' },
      { tls: { caa: 'x' } as never },
    ];
    for (const options of bad) expect(await codeOf(connect(options))).toBe('INVALID_ARGUMENT');
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, '127.0.0.1', resolve));
    const { port } = nobody.address() as { port: number };
    await new Promise((resolve) => nobody.close(resolve));
    expect(await codeOf(connect({ url: `https://127.0.0.1:${port}`, retries: 1 }))).toBe('STORE_UNAVAILABLE');
  });

  it('refuses services that are none, of a later version, or for another model', async () => {
    service.instead.push(says(200, { hello: 'world' }));
    expect(await codeOf(connect())).toBe('STORE_UNAVAILABLE');
    service.instead.push(says(200, { service: 'lineament-storage', version: 2, model: MODEL }));
    expect(await codeOf(connect())).toBe('STORE_VERSION');
    expect(await codeOf(connect({ model: { ...MODEL, model: 'another' } }))).toBe('EMBEDDING_MISMATCH');
  });
});

describe('the service', () => {
  const [vector] = unitVectors(1, 22) as [Float32Array];

  it('asks who comes, before it reads what he brings', async () => {
    const asked: StorageRequest[] = [];
    const told: string[] = [];
    const guarded = await startService(held, {
      authorize: async (request) => {
        asked.push(request);
        if (request.token === 'reader') return { collections: ['public'] };
        return bearerToken('secret')(request);
      },
      onError: (error) => void told.push(error.code),
    });
    const at = { url: guarded.url, tls: { ca: guarded.cert } };
    expect(await codeOf(connect(at))).toBe('ACCESS_DENIED');
    expect(await codeOf(connect({ ...at, token: 'guess' }))).toBe('ACCESS_DENIED');
    let calls = 0;
    const token = async (): Promise<string> => {
      calls++;
      return 'secret';
    };
    const owner = await connect({ ...at, token });
    await owner.storeTemplate('p', template(vector), { collection: 'public' });
    await owner.storeTemplate('p', template(vector), { collection: 'private' });
    expect(calls).toBe(3);
    const reader = await connect({ ...at, token: 'reader' });
    const everywhere = await reader.findMatches(probe(vector));
    expect(everywhere.map((match) => match.collection)).toEqual(['public']);
    expect((await reader.getTemplate('p', { collection: 'public' }))?.id).toBe('p');
    const denied = [
      () => reader.getTemplate('p', { collection: 'private' }),
      () => reader.getTemplate('p'),
      () => reader.findMatches(probe(vector), { collection: ['public', 'private'] }),
      () => reader.storeTemplate('q', template(vector), { collection: 'private' }),
      () => reader.deleteTemplate('p', { collection: 'private' }),
      () => reader.deleteExpired(),
      () => reader.listTemplates(),
      () => reader.count(),
    ];
    for (const call of denied) expect(await codeOf(call)).toBe('ACCESS_DENIED');
    expect(await owner.count({ collection: 'private' })).toBe(1);
    expect(told).toEqual([]);
    expect(asked.at(-1)).toMatchObject({ operation: 'count', token: 'secret' });
    await Promise.all([owner.close(), reader.close()]);
    await guarded.close();
  });

  it('answers what it cannot do with the status and the form of its errors', async () => {
    const plain = await startService(held, { tls: false, maxBodyBytes: 2000 });
    const ask = async (method: string, at: string, body?: string, type = 'application/json') => {
      const headers = { ...(body === undefined ? {} : { 'content-type': type }), 'x-request-id': 'mine-1' };
      const answer = await fetch(plain.url + at, { method, headers, ...(body === undefined ? {} : { body }) });
      const { error } = (await answer.json()) as { error?: { code: string } };
      expect(answer.headers.get('x-request-id')).toBe('mine-1');
      return [answer.status, error?.code];
    };
    expect(await ask('GET', '/v1')).toEqual([200, undefined]);
    expect(await ask('GET', '/below/v1')).toEqual([200, undefined]);
    expect(await ask('GET', '/')).toEqual([404, 'NOT_FOUND']);
    expect(await ask('POST', '/v1/destroy', '{}')).toEqual([404, 'NOT_FOUND']);
    expect(await ask('GET', '/v1/count')).toEqual([405, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1', '{}')).toEqual([405, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/count', 'x', 'text/plain')).toEqual([415, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/count', '{')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/count', '[]')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/count', '{"collection":7}')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/get', '{"id":"nobody"}')).toEqual([404, 'NOT_FOUND']);
    expect(await ask('POST', '/v1/store', '{"templates":"x"}')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/store', '{"templates":[null]}')).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await ask('POST', '/v1/store', '{"templates":[{"id":"p","template":"!"}]}')).toEqual([
      400,
      'INVALID_ARGUMENT',
    ]);
    expect(await ask('POST', '/v1/store', '{"templates":[{"id":"p","template":"AAAA"}]}')).toEqual([
      422,
      'TEMPLATE_INVALID',
    ]);
    expect(await ask('POST', '/v1/match', '{"model":"test-32","probes":[{"vector":"AAAA"}]}')).toEqual([
      400,
      'INVALID_ARGUMENT',
    ]);
    expect(await ask('POST', '/v1/match', '{"model":"other","probes":[{"vector":"AACAPw=="}]}')).toEqual([
      409,
      'EMBEDDING_MISMATCH',
    ]);
    expect(await ask('POST', '/v1/match', '{}')).toEqual([400, 'INVALID_ARGUMENT']);
    const long = JSON.stringify({ ids: ['x'.repeat(2000)] });
    expect(await ask('POST', '/v1/delete', long)).toEqual([413, 'INVALID_ARGUMENT']);
    await plain.close();
  });

  it('keeps to itself what went wrong inside', async () => {
    const told: LineamentError[] = [];
    const closed = await openEmbeddedStorage({ ...MODEL, path: path.join(folder, 'closed.db'), threads: 1 });
    const broken = await startService(closed, {
      authorize: ({ operation }) => {
        if (operation === 'count') throw new Error('/etc/secret could not be read');
        return true;
      },
      onError: (error) => void told.push(error),
    });
    const client = await connect({ url: broken.url, tls: { ca: broken.cert }, retries: 1 });
    const error = (await client.count().catch((e: unknown) => e)) as LineamentError;
    expect(error.code).toBe('INTERNAL');
    expect(error.message).not.toMatch(/secret/);
    expect(told.map((one) => one.message)).toEqual(['Internal error: /etc/secret could not be read']);
    await closed.close();
    expect(await codeOf(client.getTemplate('p'))).toBe('STORE_UNAVAILABLE');
    expect(told).toHaveLength(3);
    await client.close();
    await broken.close();
  });
});
