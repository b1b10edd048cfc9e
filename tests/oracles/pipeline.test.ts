import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openCamera } from '../../lib/capture/index.js';
import { type Engine, openEngine } from '../../lib/engine/index.js';
import { EventLog, openPipeline, type Pipeline, type PipelineEvent } from '../../lib/pipeline/index.js';
import { type RtspServer, startRtspServer } from '../support/rtsp-server.js';
import { openScene, writeSceneVideo } from '../support/scene.js';
import { ffmpeg, haveFfmpeg, makeVideo, readFrameNumber } from '../support/video.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-live-'));
const video = join(folder, 'scene.mp4');
/** The same with a key frame each second and nothing reordered, as cameras send it. */
const streamed = join(folder, 'streamed.mp4');
/** Whether a file system of a given size can be made here. */
const canMount = (() => {
  const place = join(folder, 'probe');
  mkdirSync(place);
  const good = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'none', place]).status === 0;
  if (good) spawnSync('umount', [place]);
  return good;
})();
let engine: Engine;
const servers: RtspServer[] = [];
const pipelines: Pipeline[] = [];

beforeAll(async () => {
  if (!haveFfmpeg) return;
  engine = await openEngine({ preset: 'fast' });
  const size = { width: 640, height: 360, fps: 10, sizes: [100, 120] } as const;
  await writeSceneVideo(await openScene({ kind: 'crowd', heads: 3, seconds: 8, ...size }), video);
  const encode = '-c:v libx264 -preset ultrafast -tune zerolatency -g 10 -pix_fmt yuv420p'.split(' ');
  await ffmpeg(['-nostdin', '-loglevel', 'error', '-i', video, ...encode, streamed]);
});
/** Also what a test that failed has left. */
afterEach(async () => {
  for (const pipeline of pipelines.splice(0)) await pipeline.close();
  for (const server of servers.splice(0)) await server.kill();
});
afterAll(async () => {
  await engine?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Listens to everything; `until` waits for an event that has not been waited for yet. */
function listen(pipeline: Pipeline) {
  pipelines.push(pipeline);
  const told: PipelineEvent[] = [];
  pipeline.on('*', (event) => void told.push(event));
  const until = async (what: (event: PipelineEvent) => boolean): Promise<PipelineEvent> => {
    for (let i = 0; i < 1500; i++) {
      const found = told.find(what);
      if (found !== undefined) return found;
      await sleep(20);
    }
    throw new Error(`it did not come to it: ${told.map(({ type }) => type).join(' ')}`);
  };
  return { told, until };
}

/** Ids in a log, and that it is sound. */
async function logged(data: string): Promise<Set<string>> {
  await using log = await EventLog.open({ folder: data });
  expect(await log.check()).toEqual([]);
  return new Set((await log.query({ limit: 1000 })).events.map(({ id }) => id));
}

describe.skipIf(!haveFfmpeg)('a pipeline over cameras that fail (needs ffmpeg)', () => {
  it('goes on when an RTSP server is killed and comes back, and loses no event', async () => {
    const first = await startRtspServer({ video: streamed });
    servers.push(first);
    const data = join(folder, 'rtsp');
    const source = { kind: 'stream', url: first.url, transport: 'tcp', timeoutMs: 3000 } as const;
    const cameras = [{ id: 'door', source, reconnect: { firstDelayMs: 100, mostDelayMs: 500 } }];
    const pipeline = await openPipeline({ cameras, engine, data });
    const { told, until } = listen(pipeline);
    await until(({ type }) => type === 'appeared');
    await first.kill();
    const lost = await until((one) => one.type === 'camera' && one.state === 'lost');
    expect(lost).toMatchObject({ camera: 'door' });
    const before = told.length;
    const second = await startRtspServer({ video: streamed, port: first.port });
    servers.push(second);
    await until((one) => told.indexOf(one) >= before && one.type === 'camera' && one.state === 'running');
    // It sees people again, who may still be the same.
    const { detected } = pipeline.stats().cameras[0]!;
    for await (const { tracks } of pipeline.tracks('door')) {
      if (tracks.some(({ seen }) => seen) && pipeline.stats().cameras[0]!.detected > detected + 5) break;
    }
    expect(pipeline.stats().cameras[0]?.source?.reconnects).toBe(1);
    const report = await pipeline.close();
    expect(report.events).toBe(0);
    expect(await logged(data)).toEqual(new Set(told.map(({ id }) => id)));
  });

  it('waits for a stream that is not there yet, and gives up for good where that makes no sense', async () => {
    const first = await startRtspServer({ video: streamed });
    await first.kill();
    const source = { kind: 'stream', url: first.url, transport: 'tcp', timeoutMs: 3000 } as const;
    const camera = { id: 'door', source, reconnect: { firstDelayMs: 100, mostDelayMs: 500 } };
    await expect(openPipeline({ cameras: [{ ...camera, reconnect: false }], engine })).rejects.toMatchObject({
      code: expect.stringMatching(/^CAMERA_/),
    });
    await expect(openPipeline({ cameras: [join(folder, 'none.mp4')], engine })).rejects.toMatchObject({
      code: 'CAMERA_NOT_FOUND',
    });
    const pipeline = await openPipeline({ cameras: [camera, '/dev/video250'], engine });
    const { told, until } = listen(pipeline);
    expect(await until((one) => one.type === 'camera' && one.camera === 'door')).toMatchObject({ state: 'lost' });
    expect(await until((one) => one.type === 'camera' && one.camera === 'video250')).toMatchObject({
      state: 'lost',
      code: 'CAMERA_NOT_FOUND',
    });
    servers.push(await startRtspServer({ video: streamed, port: first.port }));
    await until((one) => one.type === 'camera' && one.camera === 'door' && one.state === 'running');
    await until(({ type }) => type === 'appeared');
    expect(
      told.filter((one) => one.type === 'camera' && one.camera === 'door').map((one) => 'state' in one && one.state),
    ).toEqual(['lost', 'running']);
    await pipeline.close();
    expect(told.at(-1)).toMatchObject({ type: 'camera', state: 'ended' });
  });

  it('goes on when the bytes of one of its videos are damaged', async () => {
    const bad = join(folder, 'bad.mp4');
    const bytes = Buffer.from(readFileSync(video));
    const start = bytes.indexOf('mdat') + 2000;
    for (let at = start; at < bytes.length - 4000; at += 97) bytes[at] = (bytes[at] ?? 0) ^ 0x5a;
    writeFileSync(bad, bytes);
    const cameras = [
      { id: 'bad', source: { kind: 'file', path: bad, pace: 'fast' } as const },
      { id: 'good', source: { kind: 'file', path: video, pace: 'fast' } as const },
    ];
    await using pipeline = await openPipeline({ cameras, engine });
    const { told } = listen(pipeline);
    expect(await pipeline.done).toMatchObject({ events: 0, untold: 0 });
    const ends = told.filter((one) => one.type === 'camera' && one.state !== 'running');
    expect(ends.map(({ camera }) => camera).sort()).toEqual(['bad', 'good']);
    expect(told.filter(({ camera, type }) => camera === 'good' && type === 'left').length).toBeGreaterThan(0);
    expect(pipeline.stats().cameras.find(({ camera }) => camera === 'good')).toMatchObject({
      taken: 80,
      state: 'ended',
    });
  });

  it('goes on when the pipe of a camera is closed and written again', async () => {
    const fifo = join(folder, 'camera.yuv');
    execFileSync('mkfifo', [fifo]);
    const write = (): ReturnType<typeof spawn> =>
      spawn(
        'ffmpeg',
        [
          ...['-nostdin', '-loglevel', 'error', '-y', '-re', '-stream_loop', '-1', '-i', video],
          ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', fifo],
        ],
        { stdio: 'ignore' },
      );
    const source = { kind: 'raw', path: fifo, width: 640, height: 360, format: 'i420', fps: 10 } as const;
    let writer = write();
    const cameras = [{ id: 'usb', source, reconnect: { firstDelayMs: 50, mostDelayMs: 200 } }];
    const pipeline = await openPipeline({ cameras, engine });
    const { told, until } = listen(pipeline);
    try {
      await until(({ type }) => type === 'appeared');
      writer.kill('SIGKILL');
      await until((one) => one.type === 'camera' && one.state === 'lost');
      const before = told.length;
      writer = write();
      await until((one) => told.indexOf(one) >= before && one.type === 'camera' && one.state === 'running');
    } finally {
      await pipeline.close();
      writer.kill('SIGKILL');
    }
    expect(told.at(-1)).toMatchObject({ type: 'camera', state: 'ended' });
  });
});

describe.skipIf(!haveFfmpeg || !canMount)('a pipeline on a full disk (needs ffmpeg, and the right to mount)', () => {
  it('holds events back, says so, tells them when there is room, and makes no clip that it cannot', async () => {
    const data = join(folder, 'small');
    mkdirSync(data);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=6m', 'none', data]);
    try {
      const cameras = [{ id: 'door', source: { kind: 'file', path: video, loop: true } as const }];
      const pipeline = await openPipeline({
        cameras,
        engine,
        data,
        identify: false,
        // Something happens all the time.
        analyze: { inspect: () => ({ gestures: [{ gesture: 'wave', score: 0.9 }] }) },
        rules: { gesture: { coolDownMs: 200 } },
        clips: { preSeconds: 1, postSeconds: 1, maxSeconds: 5, events: ['appeared'] },
      });
      const { told, until } = listen(pipeline);
      await until(({ type }) => type === 'appeared');
      // Whatever is left, to the last byte.
      const filler = join(data, 'filler');
      spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4k'], { stdio: 'ignore' });
      expect(existsSync(filler)).toBe(true);
      const failed = await until((one) => one.type === 'gap' && one.stage === 'log');
      expect(failed).toMatchObject({ camera: 'pipeline' });
      const { taken } = pipeline.stats().cameras[0]!;
      const during = told.length;
      await sleep(1500);
      // Frames go on; nothing is told that is not on the disk.
      expect(pipeline.stats().cameras[0]!.taken).toBeGreaterThan(taken);
      expect(told.slice(during).filter(({ type }) => type !== 'gap')).toEqual([]);
      expect(pipeline.stats().events.waiting).toBeGreaterThan(0);
      rmSync(filler);
      await until((one) => one.type === 'gap' && one.stage === 'log' && one.message.includes('again'));
      await until((one) => told.indexOf(one) > during && one.type === 'gesture');
      const report = await pipeline.close();
      expect(report.events).toBe(0);
      const kept = await logged(data);
      for (const { id, type } of told) if (type !== 'gap') expect(kept).toContain(id);
      for (const one of told)
        if (one.type === 'clip' && one.path !== undefined) expect(existsSync(one.path)).toBe(true);
    } finally {
      spawnSync('umount', ['-l', data]);
    }
  });
});

describe.skipIf(!haveFfmpeg)('clips of a pipeline (needs ffmpeg)', () => {
  it('show the moments before their event, picture by picture, by the numbers burned in', async () => {
    // A face that is there from the fifth second on, and the number of each picture beside it.
    const { path } = await numberedVideo(join(folder, 'numbered.mp4'));
    const source = { kind: 'file', path, pace: 'live' } as const;
    const clips = { preSeconds: 3, postSeconds: 1, events: ['appeared'] as const };
    const pipeline = await openPipeline({
      cameras: [{ id: 'door', source }],
      engine,
      data: join(folder, 'numbered'),
      identify: false,
      clips,
    });
    const { told } = listen(pipeline);
    const times = new Map<number, number>();
    const seen = (async () => {
      for await (const frame of pipeline.frames('door', { order: 'all' }))
        times.set(readFrameNumber(frame)!, frame.timestamp);
    })();
    await Promise.all([pipeline.done, seen]);
    const appeared = told.find(({ type }) => type === 'appeared')!;
    const clip = told.find((one) => one.type === 'clip' && one.event === appeared.id) as PipelineEvent & {
      readonly path: string;
      readonly thumbnail: string;
      readonly from: number;
    };
    await using camera = await openCamera({ source: { kind: 'file', path: clip.path, pace: 'fast' } });
    const numbers: (number | undefined)[] = [];
    for await (const frame of camera.frames()) numbers.push(readFrameNumber(frame));
    const wanted = [...times]
      .filter(([, time]) => time >= appeared.timestamp - 3000 && time <= appeared.timestamp + 1000)
      .map(([number]) => number);
    expect(numbers).toEqual(wanted);
    expect(clip.from).toBe(times.get(wanted[0]!));
    // The picture of the event, not the first of the clip.
    const { data, info } = await sharp(clip.thumbnail).raw().toBuffer({ resolveWithObject: true });
    const shown = readFrameNumber({ data, width: info.width, height: info.height, format: 'rgb' });
    expect(times.get(shown!)).toBe(appeared.timestamp);
  });
});

/** A still head that comes after five seconds of nothing, with the numbers of `makeVideo`, 15 pictures a second. */
async function numberedVideo(file: string): Promise<{ readonly path: string }> {
  const numbers = await makeVideo(`${file}.numbers.mp4`, { width: 640, height: 480, fps: 15, frames: 120 });
  const photograph = join(process.cwd(), 'node_modules/@vladmandic/face-api/demo/sample1.jpg');
  const overlay = "[1:v]scale=-2:360[p];[0:v][p]overlay=x=0:y=120:enable='gte(t,5)',format=yuv420p";
  const encode = '-c:v libx264 -preset ultrafast -tune zerolatency -g 15 -frames:v 120'.split(' ');
  await ffmpeg(['-i', numbers, '-loop', '1', '-i', photograph, '-filter_complex', overlay, ...encode, file]);
  return { path: file };
}
