/** Servers that misbehave in ways that would be believed, and callers that leave at the wrong moment. */
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { codeOf } from '../../support/code.js';
import { Bench, type CardText, file, noise, sha256, zipOf } from './catalogue-support.js';

const DATA = noise(400_000);
const OTHER = noise(400_000, 2);
const HALF = DATA.subarray(0, DATA.length / 2);
const HASH = { sha256: sha256(DATA), bytes: DATA.length };

let bench: Bench;
beforeEach(async () => {
  bench = await Bench.open();
});
afterEach(() => bench.close());

const offered = (card: Partial<CardText> = {}): Promise<void> =>
  bench.write({ id: 'm', sources: [{ url: bench.server.url('/m.onnx') }], ...card });
const path = (): string => join(bench.cache, 'm.onnx');
const holds = async (data: Buffer): Promise<boolean> => data.equals(await readFile(path()));
const left = async (): Promise<string[]> =>
  (await readdir(join(bench.cache, 'downloads'))).filter((name) => !name.endsWith('.lock'));
const trust = async (): Promise<string> => (await (await bench.catalogue()).get('m')).trust;

/** Bytes whose end is the end of the connection. */
const unframed = (response: ServerResponse, data: Uint8Array): void =>
  void response.socket!.end(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n'), data]));

describe('a server that cannot go on', () => {
  it('is given up when it cuts every time, though now earlier and now later', async () => {
    await offered(HASH);
    bench.server.on('/m.onnx', (request, response, count) => {
      const cut = { [count]: count % 2 === 1 ? 100_000 : 10_000 };
      file(DATA, count > 12 ? {} : { ranges: false, cut })(request, response, count);
    });
    const catalogue = await bench.catalogue();
    await expect(catalogue.download('m')).rejects.toMatchObject({ code: 'DOWNLOAD_FAILED' });
    // 3 where all that was sent comes; the last of it may be lost.
    expect(bench.server.count('/m.onnx')).toBeLessThan(8);
  });

  it('leaves nothing where nothing came', async () => {
    await offered(HASH);
    expect(await codeOf((await bench.catalogue()).download('m'))).toBe('DOWNLOAD_FAILED');
    expect(await left()).toEqual([]);
  });

  it('is asked again where it ends early without having said how long the file is', async () => {
    await offered(HASH);
    bench.server.on('/m.onnx', (request, response, count) =>
      count === 1 ? unframed(response, HALF) : file(DATA)(request, response, count),
    );
    expect(await (await bench.catalogue()).download('m')).toMatchObject({ state: 'present' });
    expect(bench.server.count('/m.onnx')).toBe(2);
  });
});

describe('what nobody published a hash of', () => {
  beforeEach(() => offered());

  it.each([
    ['etag', '"old"', '"new"'],
    ['last-modified', 'Sun, 01 Mar 2026 00:00:00 GMT', 'Mon, 02 Mar 2026 00:00:00 GMT'],
  ])('is not put together from two versions: %s', async (header, before, after) => {
    const answer = (response: ServerResponse, status: number, data: Buffer, headers: object): void =>
      void response.writeHead(status, { 'content-length': data.length, ...headers }).end(data);
    bench.server.on('/m.onnx', (request, response, count) => {
      if (count === 1) {
        response.writeHead(200, { 'content-length': OTHER.length, [header]: before });
        response.write(OTHER.subarray(0, 100_000), () => setTimeout(() => response.destroy(), 30));
        return;
      }
      // If-Range is not heeded.
      const start = Number(/\d+/.exec(request.headers.range ?? '0')![0]);
      const range = start > 0 ? { 'content-range': `bytes ${start}-${DATA.length - 1}/${DATA.length}` } : {};
      answer(response, start > 0 ? 206 : 200, DATA.subarray(start), { [header]: after, ...range });
    });
    expect(await (await bench.catalogue()).download('m')).toMatchObject({ trust: 'first-use', ...HASH });
    expect(bench.server.asked.map(({ range }) => range !== undefined)).toEqual([false, true, false]);
    expect(await holds(DATA)).toBe(true);
  });

  it('is not taken on trust where its end may be a cut', async () => {
    bench.server.on('/m.onnx', (_, response) => unframed(response, HALF));
    await expect((await bench.catalogue()).download('m')).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      message: expect.stringContaining('how long it is') as string,
    });
    expect([await trust(), existsSync(path())]).toEqual(['unknown', false]);
    // In chunks it has an end.
    bench.server.on('/m.onnx', (_, response) => void response.writeHead(200).end(DATA));
    expect(await (await bench.catalogue()).download('m')).toMatchObject({ trust: 'first-use', ...HASH });
  });

  it('is not taken on trust where it is a web page, or nothing', async () => {
    bench.server.on('/m.onnx', (_, response) =>
      response
        .writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'content-length': 20 })
        .end('<p>Log in, please.</p>'.slice(0, 20)),
    );
    await expect((await bench.catalogue()).download('m')).rejects.toThrow('gives a web page');
    bench.server.on('/m.onnx', (_, response) => response.writeHead(200, { 'content-length': 0 }).end());
    await expect((await bench.catalogue()).download('m')).rejects.toThrow('is empty');
    bench.server.on('/m.zip', file(zipOf([{ name: 'm.onnx', data: new Uint8Array(0) }])));
    await offered({ sources: [{ url: bench.server.url('/m.zip'), member: 'm.onnx' }] });
    await expect((await bench.catalogue()).download('m')).rejects.toThrow("'m.onnx' in it is empty");
    expect([await trust(), await left()]).toEqual(['unknown', []]);
  });

  it('is the one that came first, when two come from different places at once', async () => {
    await offered({ sources: [] });
    const ends: Record<string, () => void> = {};
    for (const [name, data] of [
      ['/a/m.onnx', DATA],
      ['/b/m.onnx', OTHER],
    ] as const) {
      bench.server.on(name, (_, response) => {
        response.writeHead(200, { 'content-length': data.length }).write(data.subarray(0, 100_000));
        ends[name] = () => response.end(data.subarray(100_000));
      });
    }
    const [one, two] = await Promise.all(
      ['/a', '/b'].map((place) => bench.catalogue({ mirrors: [bench.server.url(place)] })),
    );
    const [first, second] = [one!.download('m'), codeOf(two!.download('m'))];
    await expect.poll(() => Object.keys(ends)).toHaveLength(2);
    ends['/a/m.onnx']!();
    expect(await first).toMatchObject({ state: 'present', ...HASH });
    ends['/b/m.onnx']!();
    expect(await second).toBe('MODEL_HASH_MISMATCH');
    expect(await holds(DATA)).toBe(true);
  });
});

describe('a caller that leaves', () => {
  it('with the first news ends the connection', async () => {
    await offered(HASH);
    let closed: Promise<unknown> | undefined;
    bench.server.on('/m.onnx', (_, response) => {
      closed = once(response, 'close');
      response.writeHead(200, { 'content-length': DATA.length }).write(HALF);
    });
    const catalogue = await bench.catalogue({ network: { idleMs: 600_000, retries: 0 } });
    const controller = new AbortController();
    const work = catalogue.download('m', { signal: controller.signal, onProgress: () => controller.abort() });
    expect(await codeOf(work)).toBe('ABORTED');
    await closed;
    expect(existsSync(path())).toBe(false);
  });

  it('while it waits for the end of one that was left begins none', async () => {
    await offered(HASH);
    bench.server.on('/m.onnx', (_, response) => {
      response.writeHead(200, { 'content-length': DATA.length }).write(HALF);
    });
    const catalogue = await bench.catalogue();
    const [first, second] = [new AbortController(), new AbortController()];
    const begun = new Promise<void>((resolve) => {
      const work = catalogue.download('m', {
        signal: first.signal,
        onProgress: ({ received }) => received > 0 && resolve(),
      });
      work.catch(() => undefined);
    });
    await begun;
    first.abort();
    const work = codeOf(catalogue.download('m', { signal: second.signal }));
    second.abort();
    expect(await work).toBe('ABORTED');
    expect(bench.server.count('/m.onnx')).toBe(1);
  });
});

it('what was being unpacked when a process was killed goes with the model', async () => {
  const url = bench.server.url('/m.zip');
  await offered({ sources: [{ url, member: 'm.onnx' }] });
  const folder = join(bench.cache, 'downloads');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${sha256(Buffer.from(url)).slice(0, 24)}.part.m.onnx`), HALF);
  await (await bench.catalogue()).remove('m');
  expect(await left()).toEqual([]);
});
