import { existsSync } from 'node:fs';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LineamentError } from '../../../lib/errors.js';
import { isAllowed } from '../../../lib/models/catalogue/address.js';
import type { DownloadProgress } from '../../../lib/models/index.js';
import { codeOf } from '../../support/code.js';
import { Bench, type CardText, file, noise, sha256 } from './catalogue-support.js';

const DATA = noise(400_000);
const OTHER = noise(400_000, 2);
const HASH = { sha256: sha256(DATA), bytes: DATA.length };

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

const source = (path = '/m.onnx') => ({ sources: [{ url: bench.server.url(path) }] });
const fileOf = (id = 'm'): string => join(bench.cache, `${id}.onnx`);
/** `toEqual` looks at every byte by itself, for seconds. */
const holds = async (data: Buffer, id?: string): Promise<boolean> => data.equals(await readFile(fileOf(id)));
const offered = async (card: Partial<CardText> = {}): Promise<void> =>
  bench.write({ id: 'm', ...HASH, ...source(), ...card });
const failure = async (work: Promise<unknown>): Promise<LineamentError> =>
  work.then(
    () => expect.fail('it did not fail'),
    (error: unknown) => error as LineamentError,
  );
const left = async (): Promise<string[]> =>
  (await readdir(join(bench.cache, 'downloads'))).filter((name) => !name.endsWith('.lock'));

describe('a download', () => {
  it('comes whole, is verified, and leaves nothing else behind', async () => {
    await offered();
    bench.server.on('/m.onnx', file(DATA));
    const catalogue = await bench.catalogue();
    expect(await catalogue.get('m')).toMatchObject({ state: 'absent', trust: 'published', origin: 'private' });
    const seen: DownloadProgress[] = [];
    const entry = await catalogue.download('m', { onProgress: (progress) => seen.push(progress) });
    expect(entry).toMatchObject({ state: 'present', ...HASH });
    expect(await holds(DATA)).toBe(true);
    expect(await left()).toEqual([]);
    expect(seen.at(-1)).toEqual({
      id: 'm',
      received: DATA.length,
      total: DATA.length,
      resumed: 0,
      source: bench.server.url('/m.onnx'),
    });
    await catalogue.download('m');
    expect(bench.server.count('/m.onnx')).toBe(1);
  });

  it('goes on after a cut, with the ETag', async () => {
    await offered();
    bench.server.on('/m.onnx', file(DATA, { cut: { 1: 150_000 } }));
    const catalogue = await bench.catalogue();
    await catalogue.download('m');
    expect(await holds(DATA)).toBe(true);
    const [, second] = bench.server.asked;
    expect(Number(second?.range?.slice(6, -1))).toBeGreaterThan(0);
    expect(second?.ifRange).toBe('"v1"');
  });

  it('goes on where another catalogue stopped', async () => {
    await offered();
    bench.server.on('/m.onnx', file(DATA, { cut: { 1: 150_000 } }));
    const first = await bench.catalogue({ network: { retries: 0 } });
    const error = await failure(first.download('m'));
    expect(error.code).toBe('DOWNLOAD_FAILED');
    expect(error.message).toContain('/m.onnx');
    const part = (await left()).find((name) => name.endsWith('.part'))!;
    const { size } = await stat(join(bench.cache, 'downloads', part));
    expect(size).toBeGreaterThan(0);
    const seen: DownloadProgress[] = [];
    await (await bench.catalogue()).download('m', { onProgress: (progress) => seen.push(progress) });
    expect(seen[0]).toMatchObject({ resumed: size, received: size });
    expect(bench.server.asked[1]?.range).toBe(`bytes=${size}-`);
    expect(await holds(DATA)).toBe(true);
  });

  it('begins anew where the server ignores ranges, and where its ETag has changed', async () => {
    await offered();
    bench.server.on('/m.onnx', file(DATA, { ranges: false, cut: { 1: 100_000, 2: 50_000 } }));
    await (await bench.catalogue()).download('m');
    expect(await holds(DATA)).toBe(true);

    await bench.write({ id: 'n', ...HASH, ...source('/n.onnx') });
    bench.server.on('/n.onnx', (request, response, count) =>
      count === 1
        ? file(OTHER, { etag: '"old"', cut: { 1: 100_000 } })(request, response, count)
        : file(DATA, { etag: '"new"' })(request, response, count),
    );
    await (await bench.catalogue()).download('n');
    expect(bench.server.asked.at(-1)?.ifRange).toBe('"old"');
    expect(await holds(DATA, 'n')).toBe(true);
  });

  it('begins anew where a server without ETag goes on with another file', async () => {
    await offered();
    bench.server.on('/m.onnx', (request, response, count) =>
      count === 1
        ? file(OTHER, { etag: '', cut: { 1: 100_000 } })(request, response, count)
        : file(DATA, { etag: '' })(request, response, count),
    );
    const first = await bench.catalogue({ network: { retries: 0 } });
    expect(await codeOf(first.download('m'))).toBe('DOWNLOAD_FAILED');
    await (await bench.catalogue()).download('m');
    expect(bench.server.asked.map(({ range }) => range !== undefined)).toEqual([false, true, false]);
    expect(await holds(DATA)).toBe(true);
  });

  it('takes no other part than the one that was asked for', async () => {
    await offered();
    bench.server.on('/m.onnx', (request, response, count) => {
      if (count !== 2) return file(DATA, { cut: { 1: 100_000 } })(request, response, count);
      const range = `bytes 0-${DATA.length - 1}/${DATA.length}`;
      response.writeHead(206, { 'content-range': range, 'content-length': DATA.length }).end(DATA);
    });
    await (await bench.catalogue()).download('m');
    expect(bench.server.asked[2]?.range).toBeUndefined();
    expect(await holds(DATA)).toBe(true);
  });

  it('refuses a file with another hash and keeps nothing of it', async () => {
    await offered();
    bench.server.on('/m.onnx', file(OTHER));
    const catalogue = await bench.catalogue();
    const error = await failure(catalogue.download('m'));
    expect(error.code).toBe('MODEL_HASH_MISMATCH');
    expect(error.message).toContain(sha256(OTHER));
    expect(existsSync(fileOf())).toBe(false);
    expect(await left()).toEqual([]);
    expect((await catalogue.get('m')).state).toBe('absent');
  });

  it('tells truncation from the end', async () => {
    await offered();
    bench.server.on('/m.onnx', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 1000), () => response.destroy());
    });
    const error = await failure((await bench.catalogue()).download('m'));
    expect(error.code).toBe('DOWNLOAD_FAILED');
    expect(bench.server.count('/m.onnx')).toBe(3);
    // A server that says it is all there was: another size than the card's.
    bench.server.on('/m.onnx', file(DATA.subarray(0, 1000)));
    expect((await failure((await bench.catalogue()).download('m'))).message).toContain('has 1000 bytes, not 400000');
    expect(existsSync(fileOf())).toBe(false);
  });

  it('does not ask again after 404, and does after 500 and 429', async () => {
    await offered();
    const missing = await failure((await bench.catalogue()).download('m'));
    expect(missing).toMatchObject({ code: 'DOWNLOAD_FAILED' });
    expect(missing.message).toContain('answered 404');
    expect(bench.server.count('/m.onnx')).toBe(1);
    bench.server.on('/m.onnx', (request, response, count) => {
      if (count === 2) response.writeHead(500).end();
      else if (count === 3) response.writeHead(429, { 'retry-after': '0' }).end();
      else file(DATA)(request, response, count);
    });
    await (await bench.catalogue()).download('m');
    expect(bench.server.count('/m.onnx')).toBe(4);
  });

  it('is given up where nothing comes for too long', async () => {
    await offered();
    bench.server.on('/m.onnx', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 2000));
    });
    const network = { connectMs: 2000, idleMs: 100, retries: 1, retryMs: 1 };
    const error = await failure((await bench.catalogue({ network })).download('m'));
    expect(error.message).toContain('sent nothing for 0.1 s');
    expect(bench.server.count('/m.onnx')).toBe(2);
    bench.server.on('/m.onnx', () => {});
    const silent = await bench.catalogue({ network: { ...network, connectMs: 100 } });
    expect((await failure(silent.download('m'))).message).toContain('no answer within 0.1 s');
  });

  it('takes no content that is encoded, and none that is too large', async () => {
    await offered();
    const packed = gzipSync(DATA);
    bench.server.on('/m.onnx', (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip', 'content-length': packed.length }).end(packed),
    );
    expect((await failure((await bench.catalogue()).download('m'))).message).toContain('as gzip');
    // No length is given, and it does not end where it should.
    bench.server.on('/m.onnx', (_, response) => response.writeHead(200).end(Buffer.concat([DATA, DATA])));
    const error = await failure((await bench.catalogue()).download('m'));
    expect(error.message).toContain('sends more than the 400000 bytes');
    await bench.write({ id: 'n', ...source('/n.onnx') });
    bench.server.on('/n.onnx', (_, response) =>
      response.writeHead(200, { 'content-length': 3 * 2 ** 30 }).flushHeaders(),
    );
    expect((await failure((await bench.catalogue()).download('n'))).message).toContain('more than the 2147483648');
  });

  it('says before it begins that there is no room', async () => {
    const bytes = 2 ** 50;
    await offered({ bytes });
    bench.server.on('/m.onnx', (_, response) => response.writeHead(200, { 'content-length': bytes }).flushHeaders());
    const error = await failure((await bench.catalogue()).download('m'));
    expect(error.code).toBe('STORE_FULL');
    expect(await left()).toEqual([]);
  });

  it('ends when it is aborted, and keeps what came', async () => {
    await offered();
    bench.server.on('/m.onnx', (request, response, count) => {
      if (count > 1) return file(DATA)(request, response, count);
      response.writeHead(200, { 'content-length': DATA.length, etag: '"v1"' });
      response.write(DATA.subarray(0, 100_000));
    });
    const catalogue = await bench.catalogue();
    const controller = new AbortController();
    const work = catalogue.download('m', {
      signal: controller.signal,
      onProgress: ({ received }) => received > 0 && controller.abort(),
    });
    expect(await codeOf(work)).toBe('ABORTED');
    await catalogue.download('m');
    expect(bench.server.asked[1]?.range).toMatch(/^bytes=[1-9]/);
    expect(await holds(DATA)).toBe(true);
  });
});

describe('addresses', () => {
  it.each([
    ['https://example.com/m', undefined, true],
    ['http://example.com/m', undefined, false],
    ['http://127.0.0.1/m', undefined, true],
    ['http://[::1]:8080/m', undefined, true],
    ['http://localhost/m', 'http://127.0.0.1/', true],
    ['http://127.0.0.1/m', 'https://example.com/', false],
    ['http://127.0.0.1.example.com/m', undefined, false],
    ['http://localhost.example.com/m', undefined, false],
    ['data:text/plain,m', undefined, false],
  ])('are safe or not: %s from %s', (url, from, allowed) => {
    expect(isAllowed(new URL(url), from === undefined ? undefined : new URL(from))).toBe(allowed);
  });

  it('are followed to where they redirect, without the credentials of another host', async () => {
    const { server } = bench;
    const url = server.url('/start').replace('//', '//user:secret@');
    await offered({ sources: [{ url }] });
    server.on('/start', (_, response) => response.writeHead(302, { location: '/same' }).end());
    server.on('/same', (_, response) =>
      response.writeHead(307, { location: server.url('/m.onnx', 'localhost') }).end(),
    );
    server.on('/m.onnx', file(DATA));
    await (await bench.catalogue()).download('m');
    const basic = `Basic ${Buffer.from('user:secret').toString('base64')}`;
    expect(server.asked.map(({ path, authorization }) => [path, authorization])).toEqual([
      ['/start', basic],
      ['/same', basic],
      ['/m.onnx', undefined],
    ]);
  });

  it.each([
    ['a circle', '/start', 'in a circle'],
    ['another scheme', 'ftp://127.0.0.1/m.onnx', 'only https'],
    ['a file', 'file:///etc/passwd', 'only https'],
    ['plain http elsewhere', 'http://192.0.2.1/m.onnx', 'only https'],
    ['no address', 'http://[', 'no address'],
  ])('are not followed to %s', async (_, location, said) => {
    await offered({ sources: [{ url: bench.server.url('/start').replace('//', '//user:secret@') }] });
    bench.server.on('/start', (__, response) => response.writeHead(302, { location }).end());
    const error = await failure((await bench.catalogue()).download('m'));
    expect(error.code).toBe('DOWNLOAD_FAILED');
    expect(error.message).toContain(said);
    expect(error.message).not.toContain('secret');
  });

  it('are not followed for ever', async () => {
    await offered({ sources: [{ url: bench.server.url('/0') }] });
    for (let i = 0; i < 9; i++) {
      bench.server.on(`/${i}`, (_, response) => response.writeHead(302, { location: `/${i + 1}` }).end());
    }
    const error = await failure((await bench.catalogue()).download('m'));
    expect(error.message).toContain('more than 5 times');
  });

  it('are tried in turn: mirrors first, for the file and then for what the card names', async () => {
    const { server } = bench;
    await offered({ sources: [{ url: server.url('/own/published.onnx') }] });
    server.on('/own/published.onnx', file(DATA));
    const mirrors = [server.url('/a/'), server.url('/b')];
    server.on('/b/m.onnx', file(OTHER));
    await (await bench.catalogue({ mirrors })).download('m');
    expect(server.asked.map(({ path }) => path)).toEqual([
      '/a/m.onnx',
      '/a/published.onnx',
      '/b/m.onnx',
      '/b/published.onnx',
      '/own/published.onnx',
    ]);
    expect(await holds(DATA)).toBe(true);
  });

  it('all answer for a failure, and a wrong file is not hidden among them', async () => {
    await offered({ sources: [{ url: bench.server.url('/gone') }, { url: bench.server.url('/wrong') }] });
    bench.server.on('/wrong', file(OTHER));
    const error = await failure((await bench.catalogue()).download('m'));
    expect(error.code).toBe('MODEL_HASH_MISMATCH');
    expect(error.message).toMatch(/\/gone answered 404.*\/wrong what it gives has SHA-256/);
  });

  it('are refused in a card where they are not safe', async () => {
    for (const url of ['http://example.com/m.onnx', 'ftp://example.com/m', 'nowhere']) {
      await offered({ sources: [{ url }] });
      expect(await codeOf(bench.catalogue())).toBe('MODEL_CORRUPT');
    }
    await offered();
    expect(await codeOf(bench.catalogue({ mirrors: ['http://example.com/'] }))).toBe('INVALID_ARGUMENT');
  });
});

describe('callers', () => {
  it('share one download, and one that leaves does not end it', async () => {
    await offered();
    let finish = (): void => {};
    bench.server.on('/m.onnx', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 100_000));
      finish = () => response.end(DATA.subarray(100_000));
    });
    const catalogue = await bench.catalogue();
    const controller = new AbortController();
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const first = catalogue.download('m', { signal: controller.signal, onProgress: () => begin() });
    const second = catalogue.download('m');
    await begun;
    expect((await catalogue.get('m')).state).toBe('downloading');
    expect(await codeOf(catalogue.remove('m'))).toBe('STORE_BUSY');
    controller.abort();
    expect(await codeOf(first)).toBe('ABORTED');
    finish();
    expect((await second).state).toBe('present');
    expect(bench.server.count('/m.onnx')).toBe(1);
  });

  it('hear their own errors, and the others go on', async () => {
    await offered();
    bench.server.on('/m.onnx', file(DATA));
    const catalogue = await bench.catalogue();
    const wrong = catalogue.download('m', {
      onProgress: () => {
        throw new RangeError('not mine');
      },
    });
    const [bad, good] = await Promise.allSettled([wrong, catalogue.download('m')]);
    expect(bad).toMatchObject({ status: 'rejected', reason: { message: 'not mine' } });
    expect(good).toMatchObject({ status: 'fulfilled', value: { state: 'present' } });
  });

  it('hear of the last bytes, though nothing follows', async () => {
    await offered();
    bench.server.on('/m.onnx', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 100_000));
    });
    const controller = new AbortController();
    const work = (await bench.catalogue()).download('m', {
      signal: controller.signal,
      onProgress: ({ received }) => received === 100_000 && controller.abort(),
    });
    expect(await codeOf(work)).toBe('ABORTED');
  });

  it('may have catalogues of their own on one folder', async () => {
    await offered();
    bench.server.on('/m.onnx', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 100_000));
      setTimeout(() => response.end(DATA.subarray(100_000)), 300);
    });
    const [one, two] = await Promise.all([bench.catalogue(), bench.catalogue()]);
    const entries = await Promise.all([one.download('m'), two.download('m')]);
    expect(entries.map(({ state }) => state)).toEqual(['present', 'present']);
    expect(bench.server.count('/m.onnx')).toBe(1);
  });
});

describe('what a stopped download has left', () => {
  it('goes with the model, but not while somebody is at work', async () => {
    await offered();
    let finish = (): void => {};
    bench.server.on('/m.onnx', (request, response, count) => {
      if (count === 1) return file(DATA, { cut: { 1: 100_000 } })(request, response, count);
      response.writeHead(200, { 'content-length': DATA.length });
      response.write(DATA.subarray(0, 100_000));
      finish = () => response.end(DATA.subarray(100_000));
    });
    const catalogue = await bench.catalogue({ network: { retries: 0 } });
    expect(await codeOf(catalogue.download('m'))).toBe('DOWNLOAD_FAILED');
    expect(await left()).toHaveLength(2);
    await catalogue.remove('m');
    expect(await left()).toEqual([]);
    const other = await bench.catalogue();
    let removed: Promise<void> | undefined;
    const work = other.download('m', {
      onProgress: () => {
        removed ??= catalogue.remove('m').then(finish);
      },
    });
    expect((await work).state).toBe('present');
    await removed;
  });
});

describe('a file without a published hash', () => {
  it('is trusted when it is first seen, and only that one afterwards', async () => {
    await bench.write({ id: 'm', ...source() });
    bench.server.on('/m.onnx', file(DATA));
    const catalogue = await bench.catalogue();
    expect(await catalogue.get('m')).toMatchObject({ trust: 'unknown' });
    expect(await catalogue.download('m')).toMatchObject({ trust: 'first-use', ...HASH });
    await catalogue.remove('m');
    expect(await catalogue.get('m')).toMatchObject({ state: 'absent', trust: 'first-use', ...HASH });
    bench.server.on('/m.onnx', file(OTHER));
    expect(await codeOf((await bench.catalogue()).download('m'))).toBe('MODEL_HASH_MISMATCH');
    await catalogue.remove('m', { forget: true });
    expect(await catalogue.download('m')).toMatchObject({ trust: 'first-use', sha256: sha256(OTHER) });
  });

  it('is not put together from what two processes fetched', async () => {
    await bench.write({ id: 'm', ...source() });
    bench.server.on('/m.onnx', file(DATA, { cut: { 1: 100_000 } }));
    expect(await codeOf((await bench.catalogue({ network: { retries: 0 } })).download('m'))).toBe('DOWNLOAD_FAILED');
    await (await bench.catalogue()).download('m');
    expect(bench.server.asked[1]?.range).toBeUndefined();
    expect(await holds(DATA)).toBe(true);
  });

  it('is fetched again where the one in the cache was changed', async () => {
    await bench.write({ id: 'm', ...source() });
    bench.server.on('/m.onnx', file(DATA));
    const catalogue = await bench.catalogue();
    await catalogue.download('m');
    await writeFile(fileOf(), OTHER);
    expect(await codeOf((await catalogue.pack()).read('m'))).toBe('MODEL_HASH_MISMATCH');
    await catalogue.download('m');
    expect(await holds(DATA)).toBe(true);
  });
});
