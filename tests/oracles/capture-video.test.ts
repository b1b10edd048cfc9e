import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CameraFrame, type CameraOptions, openCamera } from '../../lib/capture/index.js';
import { ffmpeg, haveFfmpeg, makeVideo, readFrameNumber } from '../support/video.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-video-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const at = (name: string): string => join(folder, name);
const range = (count: number): number[] => [...Array(count).keys()];

interface Seen {
  readonly frames: readonly Omit<CameraFrame, 'data'>[];
  readonly numbers: readonly (number | undefined)[];
  readonly error?: unknown;
}

/** Everything that a file gives, without the pixels. */
async function readAll(path: string, options: Partial<CameraOptions> = {}): Promise<Seen> {
  await using camera = await openCamera({ source: { kind: 'file', path, pace: 'fast' }, ...options });
  const frames: Omit<CameraFrame, 'data'>[] = [];
  const numbers: (number | undefined)[] = [];
  try {
    for await (const frame of camera.frames({ borrow: true })) {
      const { data: _, ...rest } = frame;
      frames.push(rest);
      numbers.push(readFrameNumber(frame));
    }
  } catch (error) {
    return { frames, numbers, error };
  }
  expect(camera.stats()).toMatchObject({ received: frames.length, delivered: frames.length, dropped: 0 });
  return { frames, numbers };
}

describe.skipIf(!haveFfmpeg)('video files (needs ffmpeg)', () => {
  const clip = at('clip.mp4');
  beforeAll(() => makeVideo(clip, { frames: 60 }));

  it('give every picture once, with its time, as planar 4:2:0', async () => {
    const { frames, numbers } = await readAll(clip);
    expect(numbers).toEqual(range(60));
    for (const [i, frame] of frames.entries()) {
      expect(frame).toMatchObject({ width: 320, height: 240, format: 'i420', channels: 1, sequence: i });
      expect(frame.position).toBeCloseTo(i * 40, 1);
      expect(frame.timestamp - frames[0]!.timestamp).toBeCloseTo(i * 40, 1);
    }
  });

  it('become what is asked for', async () => {
    for (const [format, bytes] of [
      ['rgb', 3],
      ['gray', 1],
      ['nv12', 1.5],
      ['native', 1.5],
    ] as const) {
      await using camera = await openCamera({ source: { kind: 'file', path: clip, pace: 'fast' }, format });
      const { value } = await camera.frames().next();
      expect(value).toMatchObject({ format: format === 'native' ? 'i420' : format });
      expect(value!.data).toHaveLength(320 * 240 * bytes);
      expect(readFrameNumber(value!)).toBe(0);
    }
  });

  it('are scaled down to fit, never up, to even sizes', async () => {
    const size = async (options: Partial<CameraOptions>): Promise<[number, number]> => {
      const { frames, numbers } = await readAll(clip, options);
      expect(numbers).toEqual(range(60));
      return [frames[0]!.width, frames[0]!.height];
    };
    expect(await size({ width: 160 })).toEqual([160, 120]);
    expect(await size({ height: 121 })).toEqual([160, 120]);
    expect(await size({ width: 200, height: 200 })).toEqual([200, 150]);
    expect(await size({ width: 4000, height: 4000 })).toEqual([320, 240]);
  });

  it('of odd sizes lose their last row and column', async () => {
    const odd = at('odd.mkv');
    await ffmpeg(
      '-f lavfi -i testsrc2=size=321x241:rate=10 -frames:v 3 -c:v ffv1 -pix_fmt yuv444p'.split(' ').concat(odd),
    );
    const { frames } = await readAll(odd);
    expect(frames.map(({ width, height }) => [width, height])).toEqual(range(3).map(() => [320, 240]));
  });

  it('are thinned to the rate that is asked for', async () => {
    const { numbers, frames } = await readAll(clip, { fps: 10 });
    expect(numbers).toHaveLength(24);
    expect(numbers.slice(0, 5)).toEqual([0, 3, 5, 8, 10]);
    expect(frames.map(({ sequence }) => sequence)).toEqual(range(24));
  });

  it('at their own pace give the newest; who is slow misses some, and nothing is delayed', async () => {
    await using camera = await openCamera(clip2s());
    const seen: number[] = [];
    for await (const frame of camera.frames()) {
      seen.push(readFrameNumber(frame)!);
      // The second is asked for when the last has come: all that lies between was not waited for.
      if (seen.length === 1) await expect.poll(() => camera.stats().received, { timeout: 30_000 }).toBe(60);
    }
    const { received, delivered, dropped } = camera.stats();
    expect(received).toBe(60);
    expect(delivered).toBe(seen.length);
    expect(seen).toEqual([seen[0], 59]);
    expect(dropped).toBe(58 - seen[0]!);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });

  it('at their own pace, in order, give all to who keeps up', async () => {
    await using camera = await openCamera({ ...clip2s(), bufferSeconds: 5 });
    const seen: number[] = [];
    for await (const frame of camera.frames({ order: 'all', borrow: true })) seen.push(readFrameNumber(frame)!);
    expect(seen).toEqual(range(60));
    const past: number[] = [];
    const newest = (await camera.newest())!;
    for await (const frame of camera.history(newest.timestamp - 401, newest.timestamp)) {
      past.push(readFrameNumber(frame)!);
    }
    expect(past).toEqual(range(11).map((i) => 49 + i));
  });

  const clip2s = (): CameraOptions => ({ source: clip });

  it('are read by several at once', async () => {
    await using camera = await openCamera({ source: { kind: 'file', path: clip, pace: 'fast' } });
    const read = async (pause: number): Promise<number[]> => {
      const seen: number[] = [];
      for await (const frame of camera.frames()) {
        seen.push(readFrameNumber(frame)!);
        await sleep(pause);
      }
      return seen;
    };
    const [quick, slow] = await Promise.all([read(0), read(5)]);
    expect(quick).toEqual(range(60));
    expect(slow).toEqual(range(60));
  });

  it('go round and round when asked', async () => {
    await using camera = await openCamera({ source: { kind: 'file', path: clip, pace: 'fast', loop: true } });
    const seen: number[] = [];
    let last = -1;
    for await (const frame of camera.frames({ borrow: true })) {
      seen.push(readFrameNumber(frame)!);
      expect(frame.position).toBeGreaterThan(last);
      last = frame.position!;
      if (seen.length === 150) break;
    }
    expect(seen).toEqual(range(150).map((i) => i % 60));
  });

  it('of a changing rate keep the times of their pictures', async () => {
    const file = at('vfr.mkv');
    await makeVideo(file, {
      frames: 30,
      filter: "select='lt(n,10)+not(mod(n,5))'",
      encode: '-c:v libx264 -preset ultrafast -fps_mode vfr'.split(' '),
    });
    const { frames, numbers } = await readAll(file);
    expect(numbers.slice(0, 14)).toEqual([...range(10), 10, 15, 20, 25]);
    for (const [i, frame] of frames.entries()) expect(frame.position).toBeCloseTo(numbers[i]! * 40, 0);
  });

  it('of a phone held upright are turned', async () => {
    const file = at('portrait.mp4');
    const bytes = readFileSync(clip);
    const matrix = bytes.indexOf('tkhd') + 44;
    for (const [i, value] of [0, 0x10000, 0, -0x10000, 0, 0, 0, 0, 0x40000000].entries()) {
      bytes.writeInt32BE(value, matrix + 4 * i);
    }
    writeFileSync(file, bytes);
    const { frames } = await readAll(file);
    expect(frames).toHaveLength(60);
    expect(frames[0]).toMatchObject({ width: 240, height: 320 });
    expect((await readAll(file, { width: 120 })).frames[0]).toMatchObject({ width: 120, height: 160 });
  });

  it('of 8K are read, and scaled where that is asked for', async () => {
    const file = at('8k.mkv');
    await ffmpeg(
      '-f lavfi -i color=gray:size=7680x4320:rate=5 -frames:v 2 -c:v libx264 -preset ultrafast'.split(' ').concat(file),
    );
    expect((await readAll(file)).frames[1]).toMatchObject({ width: 7680, height: 4320 });
    expect((await readAll(file, { width: 1280, height: 1280 })).frames[1]).toMatchObject({ width: 1280, height: 720 });
  });

  it('whose header says zero pictures a second are read', async () => {
    const file = at('zero.avi');
    await makeVideo(file, { frames: 10, encode: ['-c:v', 'mjpeg', '-q:v', '2'] });
    const bytes = readFileSync(file);
    bytes.writeUInt32LE(0, bytes.indexOf('avih') + 8);
    bytes.writeUInt32LE(0, bytes.indexOf('strh') + 8 + 24);
    writeFileSync(file, bytes);
    const { frames, numbers } = await readAll(file);
    expect(numbers).toEqual(range(10));
    for (const [i, { position }] of frames.entries())
      if (i > 0) expect(position).toBeGreaterThan(frames[i - 1]!.position!);
  });

  it('whose times begin below zero begin at zero', async () => {
    const file = at('negative.mkv');
    await makeVideo(file, {
      frames: 20,
      encode: '-c:v libx264 -preset ultrafast -bf 2 -output_ts_offset -3 -avoid_negative_ts disabled'.split(' '),
    });
    const { frames, numbers } = await readAll(file);
    expect(numbers).toEqual(range(20));
    expect(frames[0]!.position).toBe(0);
    for (const [i, { position }] of frames.entries()) expect(position).toBeCloseTo(i * 40, 0);
  });

  it('of sound alone are refused with the reason', async () => {
    const file = at('sound.m4a');
    await ffmpeg(['-f', 'lavfi', '-i', 'sine=duration=1', '-c:a', 'aac', file]);
    await expect(openCamera({ source: file })).rejects.toMatchObject({
      code: 'VIDEO_CORRUPT',
      message: expect.stringContaining('no pictures'),
    });
  });

  it('that are none, empty or cut before their index are refused', async () => {
    const cut = at('cut.mp4');
    writeFileSync(cut, readFileSync(clip).subarray(0, 20_000));
    writeFileSync(at('empty.mp4'), '');
    writeFileSync(at('text.mp4'), 'this is no video '.repeat(1000));
    for (const file of [cut, at('empty.mp4'), at('text.mp4')]) {
      await expect(openCamera({ source: file }), file).rejects.toMatchObject({ code: 'VIDEO_CORRUPT' });
    }
  });

  it('that are cut later give what there is and then fail', async () => {
    const whole = at('whole.mp4');
    await ffmpeg(['-i', clip, '-c', 'copy', '-movflags', '+faststart', whole]);
    const cut = at('half.mp4');
    const bytes = readFileSync(whole);
    writeFileSync(cut, bytes.subarray(0, Math.floor(bytes.length / 2)));
    const { numbers, error } = await readAll(cut);
    expect(error).toMatchObject({ code: 'VIDEO_CORRUPT' });
    expect(numbers.length).toBeGreaterThan(5);
    expect(numbers.length).toBeLessThan(60);
    expect(numbers.slice(0, -1)).toEqual(range(numbers.length - 1));
  });

  it('with damage in the middle go on after it, and count it', async () => {
    const file = at('damaged.ts');
    await makeVideo(file, { frames: 90 });
    const bytes = readFileSync(file);
    const middle = Math.floor(bytes.length / 2);
    for (let i = 0; i < 8000; i++) bytes[middle + i] = (i * 167 + 13) & 255;
    writeFileSync(file, bytes);
    await using camera = await openCamera({ source: { kind: 'file', path: file, pace: 'fast' } });
    const numbers: (number | undefined)[] = [];
    for await (const frame of camera.frames({ borrow: true })) numbers.push(readFrameNumber(frame));
    expect(numbers.slice(0, 30)).toEqual(range(30));
    expect(numbers.slice(-10)).toEqual(range(10).map((i) => 80 + i));
    expect(camera.stats().damaged).toBeGreaterThan(0);
    expect(camera.state).toBe('ended');
  });

  it('may be called anything', async () => {
    const bytes = readFileSync(clip);
    for (const name of ['concat:a|b.mp4', 'with space ü %d.mp4', "quote's.mp4"]) {
      writeFileSync(at(name), bytes);
      expect((await readAll(at(name))).numbers).toEqual(range(60));
    }
  });

  it('cannot make ffmpeg open an address', async () => {
    const file = at('list.m3u8');
    writeFileSync(file, '#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n');
    await expect(openCamera({ source: file })).rejects.toMatchObject({ name: 'LineamentError' });
  });

  it('want an ffmpeg that is there, and a hardware decoder that it has', async () => {
    await expect(openCamera({ source: clip, ffmpeg: at('nothing') })).rejects.toMatchObject({
      code: 'FFMPEG_NOT_FOUND',
      fix: expect.stringContaining('ffmpeg'),
    });
    await expect(openCamera({ source: clip, hardware: 'abacus' })).rejects.toMatchObject({ code: 'FFMPEG_FAILED' });
  });
});
