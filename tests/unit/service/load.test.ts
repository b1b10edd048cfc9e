import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPicture } from '../../../lib/service/images/index.js';
import { sample } from '../../support/samples.js';
import { startService, type TestService } from '../../support/service.js';

interface Said {
  readonly scheduler: Readonly<
    Record<'running' | 'waiting' | 'bytes' | 'done' | 'refused' | 'expired' | 'aborted', number>
  >;
}

let service: TestService;
let picture: Buffer;
beforeAll(async () => {
  picture = await readFile(sample(1));
  service = await startService({ limits: { concurrency: 1, queue: 4 }, cache: { embeddings: 0 } });
});
afterAll(() => service.close());

const detect = (): Promise<Response> =>
  service.fetch('/api/v1/detect', {
    method: 'POST',
    headers: { 'content-type': 'image/jpeg' },
    body: new Uint8Array(picture),
  });

const scheduler = async (): Promise<Said['scheduler']> =>
  ((await service.call('GET', '/api/v1/performance')).body as Said).scheduler;

describe('a service beyond its capacity', () => {
  it('answers some, tells the others to come back, and says that it lives', async () => {
    const before = await scheduler();
    const asked = 24;
    const answers = Promise.all(Array.from({ length: asked }, detect));
    const health = await Promise.all(Array.from({ length: 10 }, () => service.fetch('/health', { key: null })));
    expect(health.map(({ status }) => status)).toEqual(Array(10).fill(200));
    const statuses = new Map<number, number>();
    for (const answer of await answers) {
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      const body = (await answer.json()) as { code?: string; faces?: unknown[] };
      if (answer.status === 200) {
        expect(body.faces?.length).toBeGreaterThan(0);
        continue;
      }
      expect(answer.status).toBe(429);
      expect(answer.headers.get('content-type')).toContain('application/problem+json');
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(body.code).toBe('OVERLOADED');
    }
    const answered = statuses.get(200) ?? 0;
    const refused = statuses.get(429) ?? 0;
    expect(answered + refused).toBe(asked);
    // One works and four wait: at least those are answered.
    expect(answered).toBeGreaterThanOrEqual(5);
    expect(refused).toBeGreaterThan(0);
    const after = await scheduler();
    expect(after).toMatchObject({ running: 0, waiting: 0, bytes: 0 });
    expect(after.done - before.done).toBe(answered);
    expect(after.refused - before.refused).toBe(refused);
    expect((await service.fetch('/metrics').then((answer) => answer.text())).split('\n')).toContain(
      `lineament_http_errors_total{route="/api/v1/detect",code="OVERLOADED"} ${refused}`,
    );
    expect((await detect()).status).toBe(200);
  });

  it('refuses what has no hope before its body is read', async () => {
    await using other = await startService({ limits: { concurrency: 1, queue: 0 }, cache: { embeddings: 0 } });
    const { hostname, port } = new URL(other.address);
    const headers = {
      'content-type': 'image/jpeg',
      'content-length': picture.length,
      authorization: `Bearer ${other.key}`,
    };
    const body = new Uint8Array(picture);
    let status: number | undefined;
    while (status === undefined) {
      const working = other.fetch('/api/v1/analyze', {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg' },
        body,
      });
      while ((await other.fetch('/metrics').then((answer) => answer.text())).includes('lineament_queue_running 0')) {
        if ((await Promise.race([working, wait(1)])) !== undefined) break;
      }
      // Its body never comes.
      const asking = request({ hostname, port, path: '/api/v1/detect', method: 'POST', headers });
      const answer = new Promise<number | undefined>((resolve) => {
        asking.on('response', (incoming) => resolve(incoming.statusCode));
        asking.on('error', () => resolve(undefined));
      });
      asking.flushHeaders();
      // Where the other one was quicker it would be waited for.
      void working.then(() => setTimeout(() => asking.destroy(), 100));
      status = await answer;
      asking.destroy();
      await working;
    }
    expect(status).toBe(429);
  });

  it('forgets those whose client goes away', async () => {
    const before = await scheduler();
    const { hostname, port } = new URL(service.address);
    const headers = { 'content-type': 'image/jpeg', authorization: `Bearer ${service.key}` };
    const gone = Array.from({ length: 4 }, () => {
      const asking = request({ hostname, port, path: '/api/v1/analyze', method: 'POST', headers });
      asking.on('error', () => undefined);
      asking.end(picture);
      return asking;
    });
    for (;;) {
      const { running, waiting, done } = await scheduler();
      if (running + waiting + done - before.done >= 4) break;
      await wait(1);
    }
    for (const asking of gone) asking.destroy();
    for (;;) {
      const { running, waiting } = await scheduler();
      if (running + waiting === 0) break;
      await wait(5);
    }
    const after = await scheduler();
    expect(after.bytes).toBe(0);
    expect(after.done + after.aborted - before.done - before.aborted).toBe(4);
    expect(after.aborted).toBeGreaterThan(before.aborted);
    expect((await detect()).status).toBe(200);
  });
});

describe('pictures of one person', () => {
  it('are enrolled although all of them together would not fit', async () => {
    const small = await sharp(picture).autoOrient().resize(640).jpeg().toBuffer();
    const limits = { imageBytes: 1e6, pixels: 1e6, images: 8 };
    const { weight } = checkPicture({ name: 'image', bytes: small }, limits);
    await using other = await startService({
      limits: { queueBytes: Math.ceil(2.5 * weight) },
      cache: { embeddings: 0 },
    });
    const form = new FormData();
    for (let i = 0; i < 6; i++) form.append('images', new Blob([new Uint8Array(small)]), `${i}.jpg`);
    const answer = await other.fetch('/api/v1/enrol?person=ada', { method: 'POST', body: form });
    const body = (await answer.json()) as { samples?: unknown[] };
    expect(answer.status, JSON.stringify(body)).toBe(201);
    expect(body.samples).toHaveLength(6);
  });
});

describe('bodies that come in', () => {
  it('hold no more memory together than they may', async () => {
    const bytes = 4_000_000;
    await using other = await startService({ limits: { queueBytes: 3 * bytes } });
    const { hostname, port } = new URL(other.address);
    const headers = {
      'content-type': 'image/jpeg',
      'content-length': bytes,
      authorization: `Bearer ${other.key}`,
    };
    const held = async (): Promise<number> => {
      const body = await (await other.fetch('/metrics')).text();
      return Number(/^lineament_intake_bytes (\d+)$/m.exec(body)?.[1]);
    };
    const reach = async (wanted: number): Promise<void> => {
      while ((await held()) !== wanted) await wait(5);
    };
    const upload = (): Promise<Response> =>
      other.fetch('/api/v1/detect', {
        method: 'POST',
        headers: { 'content-type': 'image/jpeg' },
        body: new Uint8Array(picture),
      });
    // Three that do not go on.
    const slow = Array.from({ length: 3 }, () => {
      const asking = request({ hostname, port, path: '/api/v1/detect', method: 'POST', headers });
      asking.on('error', () => undefined);
      asking.write(picture.subarray(0, 100));
      return asking;
    });
    await reach(3 * bytes);
    const refused = await upload();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ code: 'OVERLOADED' });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    // What has no body needs no room.
    expect((await other.fetch('/ready')).status).toBe(200);
    slow[0]?.destroy();
    await reach(2 * bytes);
    expect((await upload()).status).toBe(200);
    for (const asking of slow) asking.destroy();
    await reach(0);
  });
});
