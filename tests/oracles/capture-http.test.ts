import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCamera } from '../../lib/capture/index.js';
import { haveFfmpeg, makeVideo, readFrameNumber } from '../support/video.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-http-'));
const FRAMES = 40;
const LOGIN = `Basic ${Buffer.from('watcher:topsecret').toString('base64')}`;
let server: Server | undefined;
let base = '';

/** Serves a transport stream: `/clip` at once, `/slow` in pieces and then silent, `/private` to who may, the rest not. */
beforeAll(async () => {
  if (!haveFfmpeg) return;
  const bytes = readFileSync(await makeVideo(join(folder, 'clip.ts'), { frames: FRAMES }));
  const made = createServer(async (request, response) => {
    const { url, headers } = request;
    if (url === '/private' && headers.authorization !== LOGIN) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="cam"' }).end();
    } else if (url === '/clip' || url === '/private') {
      response.writeHead(200, { 'Content-Type': 'video/mp2t' }).end(bytes);
    } else if (url === '/slow') {
      response.writeHead(200, { 'Content-Type': 'video/mp2t' });
      response.write(bytes.subarray(0, bytes.length / 2));
    } else {
      await sleep(1);
      response.writeHead(404).end();
    }
  });
  server = made;
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(made.address() as { port: number }).port}`;
});
afterAll(() => {
  server?.closeAllConnections();
  server?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe.skipIf(!haveFfmpeg)('HTTP (needs ffmpeg)', () => {
  const once = { reconnect: false } as const;

  it('gives pictures as they come; the end of a stream is a loss', async () => {
    await using camera = await openCamera({ source: `${base}/clip`, bufferSeconds: 60, ...once });
    const seen: (number | undefined)[] = [];
    const read = (async () => {
      for await (const frame of camera.frames({ order: 'all' })) seen.push(readFrameNumber(frame));
    })();
    await expect(read).rejects.toMatchObject({ code: 'CAMERA_LOST' });
    expect(seen).toEqual([...Array(FRAMES).keys()]);
    expect(camera.state).toBe('failed');
  });

  it('that goes silent is lost', async () => {
    const source = { kind: 'stream', url: `${base}/slow`, timeoutMs: 2500 } as const;
    await using camera = await openCamera({ source, ...once });
    const read = (async () => {
      for await (const _ of camera.frames());
    })();
    await expect(read).rejects.toMatchObject({ code: 'CAMERA_LOST' });
  });

  it('with a user and a password, which nobody gets to see', async () => {
    await using camera = await openCamera({
      source: `${base.replace('//', '//watcher:topsecret@')}/private`,
      ...once,
    });
    expect(readFrameNumber((await camera.newest())!)).toBeGreaterThanOrEqual(0);
    expect(camera.id).not.toContain('topsecret');
    const error: Error & { code?: string } = await openCamera({
      source: `${base.replace('//', '//watcher:wrongsecret@')}/private`,
    }).then(
      () => new Error('it was let in'),
      (thrown) => thrown,
    );
    expect(error.code).toBe('ACCESS_DENIED');
    expect(`${error.message} ${error.stack} ${(error.cause as Error)?.message}`).not.toContain('wrongsecret');
  });

  it('that is not there says so', async () => {
    await expect(openCamera({ source: `${base}/none`, ...once })).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    await expect(openCamera({ source: 'http://127.0.0.1:9/clip', ...once })).rejects.toMatchObject({
      code: 'CAMERA_LOST',
    });
    await expect(openCamera({ source: 'carrier-pigeon://loft/7', ...once })).rejects.toMatchObject({
      code: 'CAMERA_UNSUPPORTED',
    });
  });
});
