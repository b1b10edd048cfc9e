import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { ClipRecorder } from '../../../lib/pipeline/clips/index.js';
import { Turns } from '../../../lib/pipeline/clips/turns.js';
import { failure, ffmpeg, MemorySource, numbered, readBack, SLOW, sourceOf, steady, T0 } from './clips-support.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-clips-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const code = (error: unknown): string => (error instanceof LineamentError ? error.code : `no code: ${String(error)}`);
/** Steps of a camera that keeps no rate. */
const uneven = (count: number): number[] => {
  let at = 0;
  return Array.from({ length: count }, (_, i) => (at += [66.7, 33.3, 121, 66.6, 250][i % 5]!));
};

describe('options and requests', () => {
  it('are checked', () => {
    const make = (options: object): ClipRecorder => new ClipRecorder(options as never);
    for (const bad of [
      {},
      { folder: '' },
      { folder, preSeconds: Number.NaN },
      { folder, encoders: 0 },
      { folder, pre: 1 },
    ]) {
      expect(() => make(bad)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(() => make({ folder, maxSeconds: 6 })).toThrow(/preSeconds \+ postSeconds/);
    expect(() => make({ folder, encoder: 'libx265' })).toThrow(/libx264/);
    const recorder = make({ folder });
    const source = new MemorySource();
    const request = { source, start: T0, end: T0 + 1, path: join(folder, 'a.mp4') };
    for (const bad of [{ path: 'a.avi' }, { end: T0 - 1 }, { start: Number.NaN }, { source: {} }]) {
      expect(() => recorder.record({ ...request, ...bad } as never)).toThrow(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
    expect(recorder.active).toBe(0);
  });

  it('are refused by a closed recorder', async () => {
    const recorder = new ClipRecorder({ folder });
    await recorder.close();
    await recorder.close();
    expect(() => recorder.event({ source: new MemorySource(), timestamp: T0, event: 'e' })).toThrow(
      expect.objectContaining({ code: 'CLOSED' }),
    );
  });

  it('say how to get an ffmpeg that is not there', async () => {
    const recorder = new ClipRecorder({ folder, ffmpeg: join(folder, 'none') });
    const error = await failure(recorder.event({ source: sourceOf(steady(3)), timestamp: T0, event: 'e' }).done);
    expect(code(error)).toBe('FFMPEG_NOT_FOUND');
    expect(error.fix).toMatch(/Install ffmpeg/);
  });
});

describe('turns', () => {
  it('go to so many at a time, in order, and past those who left', async () => {
    const turns = new Turns(2);
    const never = new AbortController();
    const order: number[] = [];
    const a = await turns.take(never.signal);
    const b = await turns.take(never.signal);
    const third = turns.take(never.signal).then((end) => {
      order.push(3);
      return end;
    });
    const gone = new AbortController();
    const fourth = turns.take(gone.signal);
    const fifth = turns.take(never.signal).then((end) => {
      order.push(5);
      return end;
    });
    expect(turns.waiting).toBe(3);
    gone.abort();
    expect(code(await failure(fourth))).toBe('CLOSED');
    a();
    a();
    await third;
    expect(order).toEqual([3]);
    b();
    (await fifth)();
    expect(order).toEqual([3, 5]);
    (await third)();
    await turns.take(never.signal);
    await turns.take(never.signal);
    expect(turns.waiting).toBe(0);
  });
});

describe.skipIf(!ffmpeg)('clips (needs ffmpeg with libx264)', () => {
  it('begin before the event, at most one picture from the asked start, and keep every time', async () => {
    const times = uneven(400);
    const source = sourceOf(times.slice(0, 130));
    const event = T0 + times[129]!;
    await using recorder = new ClipRecorder({ folder });
    const recording = recorder.event({ source, timestamp: event, event: 'appeared 1' });
    for (let i = 130; i < times.length; i++) {
      source.push(numbered(i, T0 + times[i]!));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const clip = await recording.done;
    const expected = times.flatMap((time, i) => (T0 + time >= event - 5000 && T0 + time <= event + 5000 ? [i] : []));
    const { numbers, times: shown } = await readBack(clip.path);
    expect(numbers).toEqual(expected);
    expect(clip).toMatchObject({ ended: 'end', pictures: numbers.length, dropped: 0, missing: 0, encoder: 'libx264' });
    expect(clip.first.sequence).toBe(expected[0]);
    // The picture before the first was taken before the asked start.
    expect(T0 + times[expected[0]! - 1]!).toBeLessThan(event - 5000);
    for (const [i, number] of numbers.entries()) {
      expect(shown[i]).toBeCloseTo(times[number]! - times[expected[0]!]!, 1);
    }
  });

  it('have all that the camera keeps when they are stopped, those that wait for an encoder too', async () => {
    const sources = ['gate', 'yard', 'hall'].map((id) => {
      const source = new MemorySource(id);
      for (const [i, time] of steady(120).entries()) source.push(numbered(i, T0 + time, 160, 96, id));
      return source;
    });
    const recorder = new ClipRecorder({ folder, encoders: 1 });
    const made = sources.map((source) => recorder.event({ source, timestamp: T0 + 4760, event: 'last' }));
    const given = new AbortController();
    const gone = recorder.record({
      source: sources[0]!,
      start: T0,
      end: T0 + 9000,
      path: join(folder, 'gone.mp4'),
      signal: given.signal,
    });
    const refused = failure(gone.done);
    given.abort();
    await recorder.close();
    for (const { done } of made) {
      const clip = await done;
      expect(clip).toMatchObject({ ended: 'stopped', pictures: 120, dropped: 0 });
      expect((await readBack(clip.path)).numbers).toEqual(Array.from({ length: 120 }, (_, i) => i));
    }
    expect(code(await refused)).toBe('ABORTED');
    expect(existsSync(join(folder, 'gone.mp4'))).toBe(false);
  });

  it('have facts, digest and thumbnail beside them, for their owner alone', async () => {
    const source = sourceOf(steady(100));
    source.end();
    await using recorder = new ClipRecorder({ folder, preSeconds: 1, postSeconds: 1, thumbnailSide: 80 });
    const clip = await recorder.event({ source, timestamp: T0 + 2000, event: 'a/b:ü' }).done;
    const files = readdirSync(join(folder, 'gate', '2027-01-15'));
    expect(files.sort()).toEqual(['08-00-02-000_a-b-ü.jpg', '08-00-02-000_a-b-ü.json', '08-00-02-000_a-b-ü.mp4']);
    const video = readFileSync(clip.path);
    expect(createHash('sha256').update(video).digest('hex')).toBe(clip.sha256);
    expect(video.length).toBe(clip.bytes);
    // The index lies in front of the pictures.
    expect(video.indexOf('moov')).toBeLessThan(video.indexOf('mdat'));
    expect(JSON.parse(readFileSync(clip.path.replace('.mp4', '.json'), 'utf8'))).toEqual(clip);
    expect(statSync(clip.path).mode & 0o777).toBe(0o600);
    expect(statSync(clip.thumbnail!).mode & 0o777).toBe(0o600);
    expect(await sharp(clip.thumbnail).metadata()).toMatchObject({ format: 'jpeg', width: 80, height: 48 });
    expect(clip.events).toEqual(['a/b:ü']);
  });

  it('are extended by events that overlap, up to a length', async () => {
    const source = sourceOf(steady(100));
    await using recorder = new ClipRecorder({ folder, preSeconds: 1, postSeconds: 1, maxSeconds: 4 });
    const first = recorder.event({ source, timestamp: T0 + 1000, event: 'one' });
    expect(recorder.event({ source, timestamp: T0 + 2800, event: 'two' })).toBe(first);
    const other = recorder.event({ source, timestamp: T0 + 3400, event: 'three' });
    expect(other).not.toBe(first);
    for (let i = 100; i < 120; i++) source.push(numbered(i, T0 + i * 40));
    const clips = await Promise.all([first.done, other.done]);
    expect(clips.map(({ events }) => events)).toEqual([['one', 'two'], ['three']]);
    expect(clips.map(({ first, last }) => [first.sequence, last.sequence])).toEqual([
      [0, 95],
      [60, 110],
    ]);
    expect(recorder.active).toBe(0);
  });

  it('wait for an encoder with their pictures in the ring, and say what was lost', async () => {
    const source = sourceOf(steady(50));
    const ring = new MemorySource('other', 30);
    for (let i = 0; i < 30; i++) ring.push(numbered(i, T0 + i * 40, 160, 96, 'other'));
    await using recorder = new ClipRecorder({ folder, preSeconds: 1, postSeconds: 1, encoders: 1 });
    const first = recorder.event({ source, timestamp: T0 + 1000, event: 'one' });
    const second = recorder.event({ source: ring, timestamp: T0 + 1000, event: 'two' });
    const third = recorder.event({ source: new MemorySource('dark', 3), timestamp: T0 + 1000, event: 'three' });
    await expect.poll(() => recorder.waiting, SLOW).toBe(2);
    // Meanwhile the ring goes on and overwrites the first second.
    for (let i = 30; i < 60; i++) ring.push(numbered(i, T0 + i * 40, 160, 96, 'other'));
    ring.end();
    source.end();
    const clips = [await first.done, await second.done];
    expect(clips.map(({ pictures, missing, ended }) => ({ pictures, missing, ended }))).toEqual([
      { pictures: 50, missing: 0, ended: 'source' },
      { pictures: 21, missing: 1160, ended: 'end' },
    ]);
    third.stop();
    expect(code(await failure(third.done))).toBe('RECORDING_FAILED');
  });

  it('say when nothing of the time is kept', async () => {
    const source = new MemorySource('gate', 5);
    for (let i = 0; i < 200; i++) source.push(numbered(i, T0 + i * 40));
    await using recorder = new ClipRecorder({ folder, preSeconds: 1, postSeconds: 1 });
    const recording = recorder.event({ source, timestamp: T0 + 2000, event: 'long ago' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    source.push(numbered(200, T0 + 8000));
    const error = await failure(recording.done);
    expect(code(error)).toBe('RECORDING_FAILED');
    expect(error.fix).toMatch(/bufferSeconds/);
    expect(readdirSync(join(folder, 'gate', '2027-01-15'))).toEqual([]);
  });

  it('count what the camera dropped', async () => {
    const source = new MemorySource();
    for (let i = 0; i < 50; i++) if (i % 10 < 7) source.push(numbered(i, T0 + i * 40));
    source.end();
    await using recorder = new ClipRecorder({ folder });
    const clip = await recorder.record({ source, start: T0, end: T0 + 5000, path: join(folder, 'x.mp4') }).done;
    expect(clip).toMatchObject({ pictures: 35, dropped: 12, first: { sequence: 0 }, last: { sequence: 46 } });
    expect((await readBack(clip.path)).numbers).toHaveLength(35);
  });

  it('take every layout, odd sizes and padded rows', async () => {
    const formats = ['rgb', 'bgr', 'rgba', 'bgra', 'gray', 'yuyv', 'nv12', 'i420'] as const;
    await using recorder = new ClipRecorder({ folder });
    for (const format of formats) {
      const [width, height] = format === 'rgb' || format === 'i420' || format === 'nv12' ? [163, 97] : [160, 96];
      const pixel = { rgb: 3, bgr: 3, rgba: 4, bgra: 4, gray: 1, yuyv: 2, nv12: 1, i420: 1 }[format];
      const stride = width * pixel + 13;
      const rows = pixel === 1 && format !== 'gray' ? height * 2 : height;
      const source = new MemorySource();
      for (let i = 0; i < 12; i++) {
        const data = new Uint8Array(stride * rows).fill(128);
        for (let y = 0; y < height; y++) {
          for (let x = 0; x < width; x++) {
            const white = ((i + 5000) >> Math.floor((x * 16) / width)) & 1 ? 235 : 16;
            if (format === 'yuyv') data[y * stride + 2 * x] = white;
            else for (let c = 0; c < pixel; c++) data[y * stride + x * pixel + c] = white;
          }
        }
        const channels = pixel as 1 | 2 | 3 | 4;
        source.push({
          camera: 'gate',
          sequence: i,
          timestamp: T0 + i * 40,
          data,
          width,
          height,
          channels,
          format,
          stride,
        });
      }
      source.end();
      const path = join(folder, `${format}.mp4`);
      const clip = await recorder.record({ source, start: T0, end: T0 + 1000, path }).done;
      expect(clip.failure).toBeUndefined();
      expect((await readBack(path)).numbers, format).toEqual(Array.from({ length: 12 }, (_, i) => 5000 + i));
    }
  });

  it('end where the pictures change their size, and where the camera stalls', async () => {
    await using recorder = new ClipRecorder({ folder, idleSeconds: 0.2 });
    const source = sourceOf(steady(20));
    source.push(numbered(20, T0 + 800, 320, 192));
    const grown = await recorder.record({ source, start: T0, end: T0 + 5000, path: join(folder, 'a.mp4') }).done;
    expect(grown).toMatchObject({ ended: 'format', pictures: 20 });
    const still = sourceOf(steady(20));
    const stalled = await recorder.record({ source: still, start: T0, end: T0 + 5000, path: join(folder, 'b.mp4') })
      .done;
    expect(stalled).toMatchObject({ ended: 'stalled', pictures: 20 });
    expect(still.readers).toBe(0);
  });

  it('are given up when the signal fires, and ended by close', async () => {
    const recorder = new ClipRecorder({ folder });
    const source = sourceOf(steady(100));
    const abort = new AbortController();
    const request = { source, start: T0, end: T0 + 50_000 };
    const given = recorder.record({ ...request, path: join(folder, 'a.mp4'), signal: abort.signal });
    const kept = recorder.record({ ...request, path: join(folder, 'b.mp4') });
    await expect
      .poll(() => existsSync(join(folder, 'a.part.mp4')) && statSync(join(folder, 'a.part.mp4')).size, SLOW)
      .toBeTruthy();
    abort.abort(new Error('enough'));
    const error = await failure(given.done);
    expect([error.code, error.message]).toEqual(['ABORTED', 'Aborted: enough']);
    await recorder.close();
    expect((await kept.done).ended).toBe('stopped');
    expect(readdirSync(folder).sort()).toEqual(['b.jpg', 'b.json', 'b.mp4']);
    const late = await failure(
      new ClipRecorder({ folder }).record({ ...request, path: join(folder, 'c.mp4'), signal: abort.signal }).done,
    );
    expect(late.code).toBe('ABORTED');
  });

  it('never overwrite, and leave what was there', async () => {
    await using recorder = new ClipRecorder({ folder });
    const source = sourceOf(steady(20));
    source.end();
    for (const name of ['a.mp4', 'b.part.mp4']) writeFileSync(join(folder, name), 'mine');
    for (const name of ['a.mp4', 'b.mp4']) {
      const error = await failure(recorder.record({ source, start: T0, end: T0 + 500, path: join(folder, name) }).done);
      expect(code(error)).toBe('RECORDING_FAILED');
    }
    expect(readFileSync(join(folder, 'a.mp4'), 'utf8')).toBe('mine');
    expect(readFileSync(join(folder, 'b.part.mp4'), 'utf8')).toBe('mine');
    // A folder that cannot be made is a failure of this clip, and the next one is recorded.
    const bad = await failure(
      recorder.record({ source, start: T0, end: T0 + 500, path: join(folder, 'a.mp4', 'c.mp4') }).done,
    );
    expect([code(bad), bad.fix]).toEqual(['RECORDING_FAILED', 'Name a folder; there is a file of that name.']);
    expect(
      (await recorder.record({ source, start: T0, end: T0 + 500, path: join(folder, 'd.mp4') }).done).pictures,
    ).toBe(13);
  });
});
