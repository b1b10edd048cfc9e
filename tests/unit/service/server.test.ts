// The HTTP server itself: errors, limits, headers, connections that misbehave, starting and stopping.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { problemOf, publicText, toLineamentError } from '../../../lib/service/problem.js';
import { runChild } from '../../support/child.js';
import { startService, type TestService } from '../../support/service.js';

const photo = readFileSync('node_modules/@vladmandic/face-api/demo/sample1.jpg');

let service: TestService;
beforeAll(async () => {
  service = await startService({
    limits: { bodyBytes: 400_000, imageBytes: 300_000 },
    server: { headersTimeoutMs: 400, requestTimeoutMs: 1500 },
    cors: { origins: ['https://app.example.org'] },
  });
});
afterAll(() => service?.close());

/** What comes back over a bare connection, until it ends. */
async function raw(text: string, { more, pause = 0 }: { more?: string; pause?: number } = {}): Promise<string> {
  const { port } = new URL(service.address);
  const socket = connect(Number(port), '127.0.0.1');
  let answer = '';
  socket.on('data', (bytes) => {
    answer += bytes.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(text);
  if (more !== undefined) setTimeout(() => socket.writable && socket.write(more), pause);
  await once(socket, 'close');
  return answer;
}

describe('problems', () => {
  it.each<[string, string, RequestInit, number, string]>([
    ['no such address', '/api/v1/nothing', {}, 404, 'NOT_FOUND'],
    ['no such method', '/api/v1/detect', { method: 'DELETE' }, 405, 'METHOD_NOT_ALLOWED'],
    [
      'JSON that is none',
      '/api/v1/detect',
      { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_ARGUMENT',
    ],
    [
      'empty JSON',
      '/api/v1/detect',
      { method: 'POST', body: '', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_ARGUMENT',
    ],
    [
      'a type that nobody reads',
      '/api/v1/detect',
      { method: 'POST', body: 'x', headers: { 'content-type': 'text/csv' } },
      415,
      'MEDIA_UNSUPPORTED',
    ],
    [
      'a prototype',
      '/api/v1/keys',
      {
        method: 'POST',
        body: '{"__proto__":{"scopes":["admin"]},"name":"x"}',
        headers: { 'content-type': 'application/json' },
      },
      400,
      'INVALID_ARGUMENT',
    ],
    ['a wrong query', '/api/v1/persons?limit=many', {}, 400, 'INVALID_ARGUMENT'],
    [
      'a null for a number',
      '/api/v1/detect',
      { method: 'POST', body: '{"image":"","max_faces":null}', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_ARGUMENT',
    ],
    [
      'a text for a number',
      '/api/v1/detect',
      { method: 'POST', body: '{"image":"","max_faces":"5"}', headers: { 'content-type': 'application/json' } },
      400,
      'INVALID_ARGUMENT',
    ],
    ['a broken escape', '/api/v1/persons/%E0%A4%A', {}, 400, 'INVALID_ARGUMENT'],
    ['a very long id', `/api/v1/persons/${'a'.repeat(3000)}`, {}, 400, 'INVALID_ARGUMENT'],
  ])('tell of %s', async (_, path, init, status, code) => {
    const answer = await service.fetch(path, init);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    const body = (await answer.json()) as Record<string, unknown>;
    expect(body).toMatchObject({ status, code, type: `urn:lineament:error:${code}` });
    expect(answer.status).toBe(status);
    expect(body['instance']).toBe(answer.headers.get('x-request-id'));
  });

  it('say what of a request is wrong', async () => {
    const { body } = await service.call('POST', '/api/v1/keys', { name: 'x', scopes: ['all'] });
    expect(body).toMatchObject({ detail: expect.stringMatching(/^body\.scopes\.0 must be one of read, enrol, admin/) });
    const more = await service.call('POST', '/api/v1/keys', { name: 'x', scopes: ['read'], extra: 1 });
    expect(more.body).toMatchObject({ detail: expect.stringContaining("has no field 'extra'") });
  });

  it('show neither paths nor stacks nor passwords', () => {
    const inner = new Error('ENOENT /home/ada/secret/models/x.onnx');
    const fault = problemOf(toLineamentError(inner), 'id');
    expect(fault).toMatchObject({ status: 500, code: 'INTERNAL', instance: 'id' });
    expect(JSON.stringify(fault)).not.toMatch(/ada|ENOENT|secret/);
    const missing = problemOf(
      new LineamentError('MODEL_NOT_FOUND', '/srv/models', { fix: 'Look at /srv/models.' }),
      'id',
    );
    expect(JSON.stringify(missing)).not.toContain('srv');
    const busy = problemOf(new LineamentError('STORE_BUSY', 'C:\\data\\store is in use, /var/lib/x too'), 'id');
    expect(busy.detail).toBe('… is in use, … too');
    expect(publicText('tried https://models.example.org/a/b.onnx and rtsp://u:p@h/s')).toBe(
      'tried https://models.example.org/a/b.onnx and rtsp://***@h/s',
    );
    expect(publicText('a/b and/or c')).toBe('a/b and/or c');
  });

  it('split title, detail and fix', () => {
    const error = new LineamentError('INVALID_ARGUMENT', 'no', { fix: 'Say yes.' });
    expect(problemOf(error, 'id')).toMatchObject({ title: 'Invalid argument', detail: 'no', fix: 'Say yes.' });
  });
});

describe('headers', () => {
  it('are those of a careful server', async () => {
    const { headers } = await service.fetch('/health', { key: null });
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-frame-options')).toBeTruthy();
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.get('strict-transport-security')).toBeNull();
    expect(headers.get('x-powered-by')).toBeNull();
    expect(headers.get('server')).toBeNull();
  });

  it('keep the id of a request where it is one', async () => {
    const good = await service.fetch('/health', { headers: { 'x-request-id': 'abc-1' } });
    expect(good.headers.get('x-request-id')).toBe('abc-1');
    const bad = await service.fetch('/health', { headers: { 'x-request-id': 'a b"<script>' } });
    expect(bad.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('let those pages read that are on the list, and no others', async () => {
    const preflight = (origin: string): Promise<Response> =>
      service.fetch('/api/v1/detect', {
        method: 'OPTIONS',
        key: null,
        headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
      });
    const allowed = await preflight('https://app.example.org');
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example.org');
    expect(allowed.headers.get('access-control-allow-headers')).toContain('authorization');
    expect((await preflight('https://evil.example.org')).headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('limits', () => {
  it('of bodies hold for every type, stated and not', async () => {
    const big = Buffer.alloc(500_000, 1);
    for (const type of [
      'application/json',
      'image/jpeg',
      'application/octet-stream',
      'multipart/form-data; boundary=x',
    ]) {
      const answer = await service.fetch('/api/v1/detect', {
        method: 'POST',
        body: big,
        headers: { 'content-type': type },
      });
      expect(answer.status, type).toBe(413);
      expect(await answer.json()).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' });
    }
    // In pieces, without a length.
    const stream = (): ReadableStream<Uint8Array> => new Blob([big]).stream();
    const pieces = { method: 'POST', body: stream(), duplex: 'half', headers: { 'content-type': 'image/jpeg' } };
    expect((await service.fetch('/api/v1/detect', pieces as RequestInit)).status).toBe(413);
  });

  it('of bodies in pieces hold for forms, too', async () => {
    const form = new FormData();
    for (let i = 0; i < 4; i++) form.append('images', new Blob([photo.subarray(0, 200_000)]), `${i}.jpg`);
    const whole = new Response(form);
    const init = {
      method: 'POST',
      body: whole.body,
      duplex: 'half',
      headers: { 'content-type': whole.headers.get('content-type') ?? '' },
    };
    const answer = await service.fetch('/api/v1/detect/batch', init as RequestInit);
    expect(answer.status).toBe(413);
  });

  it('of files hold inside forms', async () => {
    const form = new FormData();
    form.append('image', new Blob([Buffer.alloc(350_000)]), 'a.jpg');
    const answer = await service.fetch('/api/v1/detect', { method: 'POST', body: form });
    expect(answer.status).toBe(413);
    expect((await service.fetch('/health')).status).toBe(200);
  });

  it('of headers', async () => {
    const answer = await raw(`GET /health HTTP/1.1\r\nHost: x\r\nX-Long: ${'a'.repeat(40_000)}\r\n\r\n`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect(answer).toContain('application/problem+json');
  });

  it('of patience: headers that trickle, and bodies that do', async () => {
    const slowHead = await raw('GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ', { more: 'b', pause: 100 });
    expect(slowHead).toMatch(/^HTTP\/1\.1 408 /);
    const head = `POST /api/v1/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${service.key}\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\n`;
    const slowBody = await raw(head, { more: 'abc', pause: 100 });
    expect(slowBody).toMatch(/^HTTP\/1\.1 408 /);
  });

  it('of patience with bodies that nobody wants', async () => {
    for (const first of [
      'POST /api/v1/detect',
      'POST /api/v1/import',
      'PUT /api/v1/detect',
      'POST /api/v1/persons/%E0%A4%A',
    ]) {
      const head = `${first} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n`;
      // The connection ends although its client would go on.
      expect(await raw(head, { more: '{', pause: 100 }), first).toMatch(/^HTTP\/1\.1 40[015] /);
    }
  });

  it('of what is HTTP at all', async () => {
    expect(await raw('hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await raw('GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
  });
});

describe('the log', () => {
  it('has a line for each request, with neither keys nor queries', async () => {
    await service.fetch('/api/v1/persons?collection=nobodys-business');
    await service.fetch('/api/v1/persons', {
      headers: { 'x-api-key': 'lin_0123456789ab_abcdefghijklmnop' },
      key: null,
    });
    const text = service.log.join('');
    expect(text).not.toContain(service.key);
    expect(text).not.toContain('abcdefghijklmnop');
    expect(text).not.toContain('nobodys-business');
    const requests = (): unknown[] => service.log.map((line) => JSON.parse(line) as unknown);
    await expect
      .poll(requests)
      .toContainEqual(expect.objectContaining({ message: 'request', route: '/api/v1/persons', status: 404 }));
  });
});

describe('starting and stopping', () => {
  it('lets requests that run end, and refuses new ones', async () => {
    const other = await startService();
    const socket = connect(Number(new URL(other.address).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (bytes) => {
      answer += bytes.toString('latin1');
    });
    const ended = once(socket, 'close');
    const head = `POST /api/v1/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${other.key}\r\nContent-Type: image/jpeg\r\nExpect: 100-continue\r\nContent-Length: ${photo.length}\r\n\r\n`;
    socket.write(head);
    await expect.poll(() => answer).toMatch(/^HTTP\/1\.1 100 /);
    socket.write(photo.subarray(0, 1000));
    const closing = other.close();
    await expect
      .poll(() =>
        fetch(other.address).then(
          () => 'open',
          () => 'closed',
        ),
      )
      .toBe('closed');
    socket.write(photo.subarray(1000));
    await Promise.all([ended, closing]);
    expect(answer).toMatch(/HTTP\/1\.1 200 /);
    expect(answer).toContain('"faces":[{');
    await other.close();
    await expect(fetch(other.address)).rejects.toThrow();
  });

  it('closes although a client holds its connection', async () => {
    const other = await startService({ server: { drainMs: 300, requestTimeoutMs: 60_000 } });
    const socket = connect(Number(new URL(other.address).port), '127.0.0.1');
    socket.on('error', () => {});
    socket.write(
      `POST /api/v1/detect HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${other.key}\r\nContent-Type: image/jpeg\r\nContent-Length: 1000\r\n\r\nabc`,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
    await other.close();
    socket.destroy();
  });

  it('keeps what was stored, and makes no second first key', async () => {
    const first = await startService();
    const { key, folder } = first;
    await first.service.close();
    const second = await startService({}, { folder });
    expect(second.service.firstKey).toBeUndefined();
    expect((await second.fetch('/api/v1/persons', { key })).status).toBe(200);
    await second.close();
    await first.close();
  });

  it('says why it cannot listen', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await expect(startService({ server: { port } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(`another program listens at 127.0.0.1:${port}`),
    });
    taken.close();
    await expect(startService({ engine: { preset: 'no-such-preset' } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    const tls = { cert: '/nonexistent/c.pem', key: '/nonexistent/k.pem' };
    await expect(startService({ server: { tls } })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  });

  it('two services do not share a folder', async () => {
    await expect(startService({}, { folder: service.folder })).rejects.toMatchObject({ code: 'STORE_BUSY' });
  });
});

describe('who imports what', () => {
  it('third-party code comes in by vendor.ts alone', async () => {
    const script = `
      import { readdirSync, readFileSync } from 'node:fs';
      const files = readdirSync('lib/service', { recursive: true }).filter((name) => name.endsWith('.ts') && name !== 'vendor.ts');
      const found = files.flatMap((name) =>
        [...readFileSync('lib/service/' + name, 'utf8').matchAll(/^(?:import|export)[^;]*?from '([^'.][^']*)'/gm)]
          .map((match) => match[1]).filter((one) => !one.startsWith('node:')).map((one) => name + ': ' + one));
      console.log(JSON.stringify({ files: files.length, found }));`;
    const { stdout } = await runChild(script);
    const { files, found } = JSON.parse(stdout) as { files: number; found: string[] };
    expect(files).toBeGreaterThan(30);
    expect(found).toEqual([]);
  });
});
