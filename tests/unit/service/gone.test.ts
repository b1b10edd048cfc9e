// Clients that go away: what was done for them ends, and the place that they held is free. Nothing is decided by a clock: work waits for the test.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type ClientRequest, request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SchedulerStats } from '../../../lib/service/types.js';
import { sample } from '../../support/samples.js';
import { type Running, runService } from './auth-running.js';

let service: Running;
let picture: Buffer;
beforeAll(async () => {
  picture = await sharp(await readFile(sample(1)))
    .resize(320)
    .jpeg()
    .toBuffer();
  service = await runService({ limits: { concurrency: 1, queue: 16 }, cache: { embeddings: 0 } });
});
afterAll(() => service?.close());

/** What was changed of the service by a test. */
const undo: (() => void)[] = [];
afterEach(() => {
  for (const one of undo.splice(0)) one();
});

const stats = (): SchedulerStats => service.parts.scheduler.stats();
async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await wait(1);
}
async function intake(): Promise<number> {
  return Number(/^lineament_intake_bytes (\d+)$/m.exec((await service.parts.metrics.text()).body)?.[1]);
}
const idle = (): Promise<void> =>
  until(async () => stats().running + stats().waiting + stats().bytes + (await intake()) === 0);

/** A door that is shut until the test opens it. */
function door(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  undo.push(() => open());
  return { opened, open };
}

/** A request that has not been sent whole; that it is cut off is what these tests do. */
function asking(path: string, type: string, length?: number): ClientRequest {
  const { hostname, port } = new URL(service.address);
  const headers = {
    authorization: `Bearer ${service.key}`,
    'content-type': type,
    ...(length !== undefined && { 'content-length': length }),
  };
  const asked = request({ hostname, port, path, method: 'POST', headers, agent: false });
  asked.on('error', () => undefined);
  return asked;
}

/** A form with `count` pictures as `names` say. */
function form(names: readonly string[], fields: Readonly<Record<string, string>> = {}): [type: string, body: Buffer] {
  const parts: Buffer[] = Object.entries(fields).map(([name, value]) =>
    Buffer.from(`--edge\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`),
  );
  for (const name of names) {
    const head = `content-disposition: form-data; name="${name}"; filename="a.jpg"\r\ncontent-type: image/jpeg`;
    parts.push(Buffer.from(`--edge\r\n${head}\r\n\r\n`), picture, Buffer.from('\r\n'));
  }
  return ['multipart/form-data; boundary=edge', Buffer.concat([...parts, Buffer.from('--edge--\r\n')])];
}

/** Every operation that works on pictures in turn, with the names of those. */
const OPERATIONS: readonly (readonly [path: string, names: readonly string[]])[] = [
  ['/api/v1/detect', ['image']],
  ['/api/v1/analyze', ['image']],
  ['/api/v1/landmarks', ['image']],
  ['/api/v1/mesh', ['image']],
  ['/api/v1/quality', ['image']],
  ['/api/v1/verify', ['image1', 'image2']],
  ['/api/v1/similarity', ['image1', 'image2']],
  ['/api/v1/face-recognition/extract-embedding', ['image']],
  ['/api/v1/face-recognition/compare-faces', ['image1', 'image2']],
  ['/api/v1/face-recognition/match-face', ['image']],
  ['/api/v1/identify', ['image']],
  ['/api/v1/identify/batch', ['images', 'images', 'images']],
  ['/api/v1/enrol', ['image']],
  ['/api/v1/persons/ada/samples', ['image', 'images']],
];
const enrolled = async (): Promise<number> => (await service.parts.gallery.stats()).persons;

describe('a client that goes away', { timeout: 60_000 }, () => {
  it.each([
    ['a picture', 'image/jpeg'],
    ['a form', 'multipart/form-data; boundary=edge'],
    ['JSON', 'application/json'],
  ])('while it sends %s gives back the room for it, and never waits for a turn', async (_, type) => {
    await idle();
    const before = stats();
    const asked = asking('/api/v1/detect', type, 100_000);
    asked.write(type.startsWith('multipart') ? form(['image'])[1].subarray(0, 5000) : picture.subarray(0, 5000));
    await until(async () => (await intake()) === 100_000);
    asked.destroy();
    await idle();
    expect({ ...stats(), serviceMs: 0 }).toEqual({ ...before, serviceMs: 0 });
  });

  it('while it sends an import ends it', async () => {
    await idle();
    const asked = asking('/api/v1/import', 'application/x-ndjson');
    asked.write('{"lineament":');
    await until(async () => (await intake()) > 0);
    asked.destroy();
    await idle();
    // The gallery is free for what must be alone with it.
    expect((await service.parts.gallery.check()).ok).toBe(true);
  });

  it.each(OPERATIONS)('while it waits for its turn (%s) leaves the line', async (path, names) => {
    await idle();
    const before = stats();
    const { opened, open } = door();
    const held = service.parts.scheduler.run({ kind: 'held', bytes: 0 }, () => opened);
    const [type, body] = form(names);
    const asked = asking(path, type, body.length);
    asked.end(body);
    await until(() => stats().waiting > 0);
    const waiting = stats().waiting;
    asked.destroy();
    await until(() => stats().waiting === 0);
    await until(async () => (await intake()) === 0);
    expect(stats()).toMatchObject({ running: 1, bytes: 0, done: before.done });
    expect(stats().aborted - before.aborted).toBeGreaterThanOrEqual(waiting);
    open();
    await held;
    await idle();
    // Nothing but what held the place was done.
    expect(stats().done - before.done).toBe(1);
    expect(await enrolled()).toBe(0);
  });

  it.each(OPERATIONS)('while its work is under way (%s) has it stopped, and frees the place', async (path, names) => {
    await idle();
    const before = stats();
    const { opened, open } = door();
    const { scheduler } = service.parts;
    const real = scheduler.run.bind(scheduler);
    const ends: string[] = [];
    let begun = 0;
    let told = 0;
    scheduler.run = (job, work) =>
      real(job, async (signal) => {
        begun++;
        signal.addEventListener('abort', () => told++);
        await opened;
        try {
          const answer = await work(signal);
          ends.push('done');
          return answer;
        } catch (error) {
          ends.push((error as { code: string }).code);
          throw error;
        }
      });
    undo.push(() => {
      scheduler.run = real;
    });
    const [type, body] = form(names);
    const asked = asking(path, type, body.length);
    asked.end(body);
    await until(() => begun === 1);
    asked.destroy();
    await until(() => told === 1);
    // What was told to stop has its place until it has.
    expect(stats()).toMatchObject({ running: 1, waiting: 0 });
    open();
    await idle();
    expect(ends).toEqual(['ABORTED']);
    expect([begun, stats().done - before.done]).toEqual([1, 0]);
    expect(await enrolled()).toBe(0);
  });

  it('during a batch leaves the rest of it undone', async () => {
    await idle();
    const before = stats();
    const { opened, open } = door();
    const { scheduler } = service.parts;
    const real = scheduler.run.bind(scheduler);
    let begun = 0;
    scheduler.run = (job, work) =>
      real(job, async (signal) => {
        begun++;
        // The first two are done; the test holds the third.
        if (begun > 2) await opened;
        return work(signal);
      });
    undo.push(() => {
      scheduler.run = real;
    });
    const people = Array.from({ length: 12 }, (_, i) => `p${i}`);
    const [type, body] = form(
      people.map(() => 'images'),
      { persons: JSON.stringify(people) },
    );
    const asked = asking('/api/v1/enrol/batch', type, body.length);
    asked.end(body);
    await until(() => begun === 3);
    asked.destroy();
    await until(() => stats().waiting === 0);
    open();
    await idle();
    expect([begun, stats().done - before.done]).toEqual([3, 2]);
    // What was done before stays done.
    expect(await enrolled()).toBeLessThanOrEqual(2);
    for (const person of people) await service.call('DELETE', `/api/v1/persons/${person}`);
  });

  it('during an export ends the reading of the gallery', async () => {
    const { gallery } = service.parts;
    for (let i = 0; i < 30; i++) {
      const vector = Float32Array.from({ length: 128 }, (_, k) => Math.sin(i + k));
      const length = Math.hypot(...vector);
      const embedding = { model: 'test', dims: 128, vector: vector.map((value) => value / length) };
      await gallery.enrol(`e${i}`, { embedding }, { collection: 'export' });
    }
    const real = gallery.export.bind(gallery);
    let read = 0;
    let ended = 0;
    let signal: AbortSignal | undefined;
    const { opened, open } = door();
    gallery.export = async function* (options = {}) {
      signal = options.signal;
      try {
        for await (const line of real(options)) {
          if (read++ === 3) await opened;
          yield line;
        }
      } finally {
        ended++;
      }
    };
    undo.push(() => {
      gallery.export = real;
    });
    const { hostname, port } = new URL(service.address);
    const asked = request({
      hostname,
      port,
      path: '/api/v1/export',
      agent: false,
      headers: { authorization: `Bearer ${service.key}` },
    });
    asked.on('error', () => undefined);
    asked.end();
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage];
    response.on('error', () => undefined);
    response.resume();
    await until(() => read === 4);
    asked.destroy();
    await until(() => signal?.aborted === true);
    open();
    await until(() => ended === 1);
    // The line that was held, and no more.
    expect(read).toBeLessThanOrEqual(5);
    expect((await gallery.check()).ok).toBe(true);
  });

  it('leaves a service that serves', async () => {
    await idle();
    const [type, body] = form(['image']);
    const answer = await service.fetch('/api/v1/detect', {
      method: 'POST',
      headers: { 'content-type': type },
      body: new Uint8Array(body),
    });
    expect(answer.status).toBe(200);
    expect(service.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });
});
