import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Camera, type CameraNotice, openCamera } from '../../lib/capture/index.js';
import { type RtspOptions, type RtspServer, startRtspServer } from '../support/rtsp-server.js';
import { haveFfmpeg, makeVideo, readFrameNumber } from '../support/video.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-rtsp-'));
const video = join(folder, 'clip.mp4');
let server: RtspServer | undefined;
let camera: Camera | undefined;

beforeAll(async () => {
  if (haveFfmpeg) await makeVideo(video, { frames: 100 });
});
afterEach(async () => {
  await camera?.close();
  await server?.kill();
  camera = undefined;
  server = undefined;
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const serve = async (options: Partial<RtspOptions> = {}): Promise<RtspServer> => {
  server = await startRtspServer({ video, ...options });
  return server;
};

/** So many pictures that can be read, in the order in which they came. */
async function some(from: Camera, count: number): Promise<{ sequence: number; number: number; timestamp: number }[]> {
  const seen = [];
  for await (const frame of from.frames({ order: 'all', borrow: true })) {
    const number = readFrameNumber(frame);
    if (number !== undefined) seen.push({ sequence: frame.sequence, number, timestamp: frame.timestamp });
    expect(frame.position).toBeUndefined();
    if (seen.length >= count) break;
  }
  return seen;
}

const until = async (done: () => boolean, what: string): Promise<void> => {
  for (let i = 0; !done(); i++) {
    if (i > 1500) throw new Error(`it did not come to it: ${what}`);
    await sleep(20);
  }
};

describe.skipIf(!haveFfmpeg)('RTSP (needs ffmpeg)', () => {
  it.each(['tcp', 'udp'] as const)('over %s gives pictures as they come', async (transport) => {
    const { url } = await serve();
    camera = await openCamera({ source: { kind: 'stream', url, transport } });
    const seen = await some(camera, 30);
    expect(server?.transport).toBe(transport);
    for (const [i, { number, sequence, timestamp }] of seen.entries()) {
      if (i === 0) continue;
      const before = seen[i - 1]!;
      expect(sequence).toBeGreaterThan(before.sequence);
      expect(timestamp).toBeGreaterThanOrEqual(before.timestamp);
      expect(number).not.toBe(before.number);
    }
    expect(Math.abs(Date.now() - seen.at(-1)!.timestamp)).toBeLessThan(60_000);
    expect(camera.stats()).toMatchObject({ state: 'running', width: 320, height: 240, format: 'i420' });
    await camera.close();
    await until(() => server?.playing === 0, 'the player leaves');
  });

  it.each(['basic', 'digest'] as const)('with a user and a password (%s)', async (kind) => {
    const { url } = await serve({ login: { kind, user: 'watcher', password: 'p@ss word' } });
    const address = url.replace('//', '//watcher:p%40ss%20word@');
    camera = await openCamera({ source: address });
    expect(camera.id).not.toMatch(/watcher|p%40/);
    await some(camera, 3);
    await camera.close();
    const wrong = url.replace('//', '//watcher:topsecret@');
    for (const refused of [url, wrong]) {
      const error: Error & { code?: string } = await openCamera({ source: refused }).then(
        () => new Error('it was let in'),
        (thrown) => thrown,
      );
      expect(error.code).toBe('ACCESS_DENIED');
      expect(`${error.message} ${error.stack} ${(error.cause as Error)?.message}`).not.toContain('topsecret');
    }
  });

  it('tells what is wrong: no such stream, nobody there, no answer', async () => {
    const { url, port } = await serve();
    await expect(openCamera({ source: `${url}-other` })).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    await server?.kill();
    await expect(openCamera({ source: `rtsp://127.0.0.1:${port}/stream` })).rejects.toMatchObject({
      code: 'CAMERA_LOST',
      message: expect.stringContaining('refused'),
    });
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const nobody = `rtsp://127.0.0.1:${(silent.address() as { port: number }).port}/stream`;
    await expect(openCamera({ source: { kind: 'stream', url: nobody, timeoutMs: 500 } })).rejects.toMatchObject({
      code: 'CAMERA_LOST',
    });
    silent.close();
  });

  it('goes on when the server was killed and came back', async () => {
    const { url, port } = await serve();
    camera = await openCamera({
      source: { kind: 'stream', url, timeoutMs: 6000 },
      reconnect: { firstDelayMs: 100, mostDelayMs: 300 },
    });
    const notices: CameraNotice[] = [];
    camera.onNotice((notice) => notices.push(notice));
    const before = await some(camera, 10);
    await server?.kill();
    await until(() => camera?.state === 'lost', 'lost');
    await until(() => notices.length >= 2, 'a second try');
    await serve({ port });
    await until(() => camera?.state === 'running', 'running again');
    const after = await some(camera, 10);
    expect(after[0]!.sequence).toBeGreaterThan(before.at(-1)!.sequence);
    expect(after[0]!.timestamp).toBeGreaterThan(before.at(-1)!.timestamp);
    expect(notices[0]).toMatchObject({ state: 'lost', code: 'CAMERA_LOST', attempt: 1 });
    expect(notices.at(-1)).toMatchObject({ state: 'running' });
    expect(camera.stats().reconnects).toBe(1);
  });

  it('that goes silent is lost, and fails when the tries are used up', async () => {
    const { url } = await serve();
    camera = await openCamera({
      // Longer than ffmpeg takes to find out what the stream is, on a busy machine too.
      source: { kind: 'stream', url, timeoutMs: 2500 },
      reconnect: { attempts: 1, firstDelayMs: 10 },
    });
    await some(camera, 3);
    server?.mute();
    await expect(some(camera, 1000)).rejects.toMatchObject({ code: 'CAMERA_LOST' });
    expect(camera.state).toBe('failed');
  });
});
