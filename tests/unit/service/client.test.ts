// The client against a real service, and against servers that do not behave.
import { existsSync, readFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Client, type Schemas, ServiceError } from '../../../lib/client/index.js';
import { startService, type TestService } from '../../support/service.js';

const photo = readFileSync('node_modules/@vladmandic/face-api/demo/sample1.jpg');
const picture = (): Blob => new Blob([photo], { type: 'image/jpeg' });

let service: TestService;
let client: Client;
beforeAll(async () => {
  service = await startService();
  client = new Client({ address: `${service.address}/`, key: () => service.key });
});
afterAll(() => service?.close());

async function failure(act: Promise<unknown>): Promise<ServiceError> {
  const error = await act.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ServiceError);
  return error as ServiceError;
}

describe('pictures', () => {
  it('go as a form, as JSON and as they are, with the same answer', async () => {
    const form = await client.call('detect', { form: { image: picture(), landmarks: true } });
    const json = await client.call('detect', { json: { image: photo.toString('base64'), landmarks: true } });
    const bytes = await client.call('detect', { bytes: picture(), query: { landmarks: true } });
    const plain = await client.call('detect', { bytes: new Uint8Array(photo), query: { landmarks: true } });
    const faces: readonly Schemas['Face'][] = form.faces;
    expect(faces.length).toBeGreaterThan(0);
    expect(faces[0]?.landmarks).toHaveLength(68);
    for (const other of [json, bytes, plain]) expect(other).toEqual(form);
  });

  it('go two in a form', async () => {
    const { similarity_score: score } = await client.call('similarity', {
      form: { image1: picture(), image2: picture() },
    });
    expect(score).toBeCloseTo(1, 4);
  });

  it('come back as bytes', async () => {
    const glb = await client.call('mesh', { form: { image: picture() } });
    expect(glb).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(glb as Uint8Array).toString('latin1', 0, 4)).toBe('glTF');
  });
});

describe('other calls', () => {
  it('read, write and delete, with ids that are no paths', async () => {
    const crop = picture();
    const id = 'a/b ../ü?#%';
    await client.call('create_person', { form: { image: crop, person: id, name: 'Ada' } });
    expect((await client.call('get_person', { path: { id } })).name).toBe('Ada');
    await client.call('delete_person', { path: { id } });
    const error = await failure(client.call('get_person', { path: { id } }));
    expect(error).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(error.problem?.instance).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('give text, and nothing', async () => {
    expect(await client.call('metrics')).toContain('lineament_http_requests_total');
    const { id } = await client.call('create_key', { json: { name: 'short', scopes: ['read'] } });
    expect(await client.call('revoke_key', { path: { id } })).toBeUndefined();
  });

  it('give the answer as it comes where that is asked for', async () => {
    const response = await client.open('health');
    expect(await response.json()).toMatchObject({ status: 'ok' });
  });

  it('make an address for a WebSocket with a ticket', async () => {
    const url = new URL(await client.socketAddress('/ws/events'));
    expect(url.protocol).toBe('ws:');
    expect(url.pathname).toBe('/ws/events');
    expect(url.searchParams.get('ticket')).toMatch(/.{16,}/);
    expect(url.href).not.toContain(service.key);
  });
});

describe('failures', () => {
  it('of the service have its code, and what to do', async () => {
    const error = await failure(client.call('detect', { form: { image: new Blob(['no picture']) } }));
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(500);
    expect(error.code).toMatch(/^IMAGE_/);
    const nobody = new Client({ address: service.address, key: 'lin_000000000000_wrong' });
    expect(await failure(nobody.call('list_persons'))).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });

  it('of the caller are told before anything is sent', async () => {
    for (const id of ['', '.', '..']) {
      expect(await failure(client.call('get_person', { path: { id } }))).toMatchObject({
        code: 'INVALID_ARGUMENT',
        status: 0,
      });
    }
    const both = client.call('detect', { form: { image: picture() }, json: { image: 'x' } });
    expect((await failure(both)).code).toBe('INVALID_ARGUMENT');
  });

  it('of the network are told apart', async () => {
    const gone = new Client({ address: 'http://127.0.0.1:9' });
    expect(await failure(gone.call('health'))).toMatchObject({ code: 'UNREACHABLE', status: 0 });
    const controller = new AbortController();
    const aborted = client.call('detect', { form: { image: picture() }, signal: controller.signal });
    controller.abort();
    expect(await failure(aborted)).toMatchObject({ code: 'ABORTED', status: 0 });
  });

  it.each<[string, RequestListener, object]>([
    ['never answers', () => {}, { code: 'TIMED_OUT', status: 0 }],
    [
      'stops in the middle',
      (_, res) => void res.writeHead(200, { 'content-type': 'application/json' }).write('{"a'),
      { code: 'TIMED_OUT' },
    ],
    [
      'breaks off',
      (_, res) => {
        res.writeHead(200, { 'content-type': 'application/json', 'content-length': 99 }).write('{"a');
        setTimeout(() => res.destroy(), 20);
      },
      { code: 'UNREACHABLE' },
    ],
    ['answers with a page', (_, res) => void res.writeHead(502).end('<html>'), { code: 'UNKNOWN', status: 502 }],
    ['answers with another JSON', (_, res) => void res.writeHead(400).end('null'), { code: 'UNKNOWN', status: 400 }],
    [
      'asks for patience',
      (_, res) => void res.writeHead(429, { 'retry-after': '7' }).end(),
      { code: 'UNKNOWN', retryAfter: 7 },
    ],
  ])('a server that %s', async (_, listener, expected) => {
    const server = createServer(listener).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      const error = await failure(new Client({ address, timeoutMs: 400 }).call('health'));
      expect(error).toMatchObject(expected);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});

const CHROMIUM = '/usr/bin/chromium';

describe.skipIf(!existsSync(CHROMIUM))('in a browser (needs Chromium)', () => {
  it('does the same from a page of another origin that is on the list', async () => {
    const { outputFiles } = await build({
      entryPoints: ['lib/client/index.ts'],
      bundle: true,
      write: false,
      format: 'iife',
      globalName: 'lineament',
      platform: 'browser',
      logLevel: 'silent',
    });
    const pages = createServer(
      (_, response) => void response.setHeader('content-type', 'text/html').end('<p>page'),
    ).listen(0);
    await new Promise((resolve) => pages.once('listening', resolve));
    const origin = `http://localhost:${(pages.address() as AddressInfo).port}`;
    await using served = await startService({ cors: { origins: [origin] } });
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
    try {
      const page = await browser.newPage();
      await page.goto(origin);
      await page.addScriptTag({ content: outputFiles[0]?.text ?? '' });
      const program = `(async () => {
        const client = new lineament.Client({ address: ${JSON.stringify(served.address)}, key: ${JSON.stringify(served.key)} });
        const bytes = Uint8Array.from(atob(${JSON.stringify(photo.toString('base64'))}), (c) => c.charCodeAt(0));
        const { faces } = await client.call('detect', { form: { image: new File([bytes], 'photo.jpg') } });
        const error = await client.call('get_person', { path: { id: 'nobody' } }).catch((one) => one);
        return { faces: faces.length, code: error.code, status: error.status };
      })()`;
      expect(await page.evaluate(program)).toEqual({ faces: expect.any(Number), code: 'NOT_FOUND', status: 404 });
    } finally {
      await browser.close();
      pages.close();
    }
  });
});

describe('the files of the client', () => {
  it('import nothing but each other: they run in browsers', () => {
    for (const name of ['client', 'index', 'generated']) {
      const source = readFileSync(`lib/client/${name}.ts`, 'utf8');
      const imports = [...source.matchAll(/from ['"]([^'"]+)['"]/g)].map((match) => match[1]);
      for (const one of imports) expect(['./client.js', './generated.js']).toContain(one);
      expect(source).not.toMatch(/\b(?:Buffer|process|require|globalThis)\b\s*[.([]/);
    }
  });
});
