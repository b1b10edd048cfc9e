import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openCamera } from '../../lib/capture/index.js';
import type { CameraFrame } from '../../lib/capture/types.js';
import { bufferSecondsFor, ClipRecorder } from '../../lib/pipeline/clips/index.js';
import { Redactor } from '../../lib/pipeline/privacy/index.js';
import { openReplay, recordSession } from '../../lib/pipeline/replay/index.js';
import { haveFfmpeg, makeVideo, readFrameNumber } from '../support/video.js';

// The whole way with a real camera: a video read by ffmpeg at its own pace, its ring, an event, a clip that is read back.
let folder: string;
let video: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-clips-'));
  if (haveFfmpeg) video = await makeVideo(join(folder, 'in.mp4'), { width: 640, height: 360, fps: 15, frames: 180 });
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const read = async (path: string, pace: 'live' | 'fast'): Promise<CameraFrame[]> => {
  await using camera = await openCamera({ source: { kind: 'file', path, pace }, bufferSeconds: 2 });
  const all: CameraFrame[] = [];
  for await (const frame of camera.frames({ order: 'all' })) all.push(frame);
  return all;
};

describe.skipIf(!haveFfmpeg)('clips of a camera (needs ffmpeg)', () => {
  it('begin at most one picture from the asked start, by the numbers burned in', async () => {
    const source = { kind: 'file', path: video, pace: 'live' } as const;
    await using camera = await openCamera({ source, bufferSeconds: bufferSecondsFor(3) });
    await using recorder = new ClipRecorder({ folder: join(folder, 'clips'), preSeconds: 3, postSeconds: 2 });
    // Every picture that the detector's reader saw, by its own number.
    const times = new Map<number, number>();
    let done: ReturnType<ClipRecorder['event']>['done'] | undefined;
    let event = 0;
    for await (const frame of camera.frames({ order: 'all' })) {
      times.set(readFrameNumber(frame)!, frame.timestamp);
      if (frame.sequence === 75) {
        event = frame.timestamp;
        ({ done } = recorder.event({ source: camera, timestamp: event, event: 'appeared' }));
      }
    }
    const clip = await done!;
    const wanted = [...times].filter(([, time]) => time >= event - 3000 && time <= event + 2000).map(([n]) => n);
    const shown = await read(clip.path, 'fast');
    const numbers = shown.map((frame) => readFrameNumber(frame));
    expect(numbers).toEqual(wanted);
    expect(clip).toMatchObject({ ended: 'end', dropped: 0, missing: 0, pictures: wanted.length });
    expect(times.get(numbers[0]!)! - (event - 3000)).toBeLessThanOrEqual(1000 / 15 + 1);
    for (const [i, frame] of shown.entries()) {
      expect(frame.position).toBeCloseTo(times.get(numbers[i]!)! - clip.first.timestamp, 0);
    }
  });

  it('have their faces covered, thumbnail too, where nobody has looked', async () => {
    await using redactor = new Redactor({ mode: 'blur-all' });
    await using camera = await openCamera({ source: { kind: 'file', path: video, pace: 'fast' } });
    redactor.end(camera.id);
    await using recorder = new ClipRecorder({ folder: join(folder, 'covered'), redactor });
    const path = join(folder, 'covered.mp4');
    const clip = await recorder.record({ source: camera, start: 0, end: 8e15, path }).done;
    expect(clip).toMatchObject({ ended: 'source', privacy: 'blur-all', pictures: 180 });
    const [first, ...rest] = await read(path, 'fast');
    // Blocks of 80 pixels are all that is left, where a number has fields of 40.
    const { data, info } = await sharp(clip.thumbnail).raw().toBuffer({ resolveWithObject: true });
    const thumbnail = { data, width: info.width, height: info.height, format: 'rgb' };
    expect([first!, ...rest, thumbnail].some((frame) => readFrameNumber(frame) !== undefined)).toBe(false);
  });

  it('can be made of a session that is played again, the same to the bit', async () => {
    const session = join(folder, 'session');
    {
      await using camera = await openCamera({ source: { kind: 'file', path: video, pace: 'fast' }, id: 'gate' });
      const facts = await (await recordSession(camera, session, { storage: 'ffv1' })).done;
      expect(facts.cameras).toMatchObject([{ id: 'gate', pictures: 180, dropped: 0 }]);
    }
    const clips: string[] = [];
    for (const name of ['a', 'b']) {
      await using replay = await openReplay(session);
      const [source] = replay.cameras;
      await using recorder = new ClipRecorder({ folder: join(folder, name) });
      const clip = await recorder.event({ source: source!, timestamp: source!.first! + 6000, event: 'again' }).done;
      expect(clip).toMatchObject({ pictures: 151, dropped: 0, missing: 0 });
      clips.push(clip.sha256);
    }
    expect(clips[0]).toBe(clips[1]);
  });
});
