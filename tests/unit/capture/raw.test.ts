import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from 'vitest';
import { Camera, type CameraFrame, type CameraNotice, openCamera } from '../../../lib/capture/index.js';
import { openRaw } from '../../../lib/capture/raw-feed.js';
import { walk } from '../../../lib/pipeline/clips/source.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-raw-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const width = 32;
const height = 16;
/** Grey pictures, each all of its own number. */
const pictures = (first: number, count: number): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(width * height, first + i)));
const gray = { kind: 'raw', width, height, format: 'gray' } as const;

async function numbers(frames: AsyncIterable<CameraFrame>, count = Infinity): Promise<number[]> {
  const seen: number[] = [];
  for await (const { data, format } of frames) {
    expect(format).toBe('gray');
    expect(new Set(data).size).toBe(1);
    seen.push(data[0]!);
    if (seen.length >= count) break;
  }
  return seen;
}

function file(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

describe('a file of bare pictures', () => {
  it('gives every one of them and ends', async () => {
    const path = file('all.raw', pictures(0, 200));
    await using camera = await openCamera({ source: { ...gray, path } });
    expect(await numbers(camera.frames())).toEqual([...Array(200).keys()]);
    expect(camera.state).toBe('ended');
    expect(camera.stats()).toMatchObject({ received: 200, delivered: 200, dropped: 0, damaged: 0, width, height });
  });

  it('at a rate has times, and gives the newest', async () => {
    const path = file('rate.raw', pictures(0, 20));
    await using camera = await openCamera({ source: { ...gray, path, fps: 50 } });
    const frames: CameraFrame[] = [];
    for await (const frame of camera.frames({ order: 'all' })) frames.push(frame);
    expect(frames.map(({ sequence }) => sequence)).toEqual([...Array(20).keys()]);
    for (const [i, { position, timestamp }] of frames.entries()) {
      expect(position).toBeCloseTo(i * 20, 2);
      expect(timestamp - frames[0]!.timestamp).toBeCloseTo(i * 20, 2);
    }
  });

  it('that ends within a picture fails after the whole ones', async () => {
    const path = file('cut.raw', pictures(0, 5).subarray(0, 5 * width * height - 7));
    await using camera = await openCamera({ source: { ...gray, path } });
    const seen: number[] = [];
    const read = (async () => {
      for await (const frame of camera.frames()) seen.push(frame.data[0]!);
    })();
    await expect(read).rejects.toMatchObject({ code: 'VIDEO_CORRUPT' });
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(camera.state).toBe('failed');
  });

  it('may be handed over as an open descriptor, which stays open', async () => {
    const fd = openSync(file('fd.raw', pictures(3, 4)), 'r');
    await using camera = await openCamera({ source: { ...gray, fd } });
    expect(await numbers(camera.frames())).toEqual([3, 4, 5, 6]);
    closeSync(fd);
    await expect(openCamera({ source: { ...gray, fd: 1_000_000 } })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('of packed 4:2:2 becomes rgb, and stays what it is when asked', async () => {
    const bytes = Buffer.alloc(width * height * 2);
    for (let i = 0; i < bytes.length; i += 2) bytes.set([235, 128], i);
    const source = { kind: 'raw', path: file('yuyv.raw', bytes), width, height, format: 'yuyv' } as const;
    const one = async (options: object): Promise<CameraFrame> => {
      await using camera = await openCamera({ source, ...options });
      for await (const frame of camera.frames()) return frame;
      throw new Error('no frame');
    };
    const rgb = await one({});
    expect(rgb).toMatchObject({ format: 'rgb', channels: 3, width, height });
    expect(Math.min(...rgb.data)).toBeGreaterThanOrEqual(253);
    expect(await one({ format: 'native' })).toMatchObject({ format: 'yuyv', channels: 2 });
    const i420 = await one({ format: 'i420' });
    expect([i420.data[0], i420.data.at(-1), i420.data.length]).toEqual([235, 128, width * height * 1.5]);
  });

  it('of depth is read as depth', async () => {
    const steps = Uint16Array.from({ length: width * height * 2 }, (_, i) => i * 7);
    const path = file('depth.raw', new Uint8Array(steps.buffer));
    await using camera = await openCamera({ source: { kind: 'raw', path, width, height, format: 'z16' } });
    const read: Uint16Array[] = [];
    for await (const frame of camera.depthFrames()) {
      expect(frame).toMatchObject({ width, height });
      read.push(frame.steps);
    }
    expect(Buffer.concat(read.map((part) => Buffer.from(part.buffer)))).toEqual(Buffer.from(steps.buffer));
  });

  it('that is not there, or a folder, is refused', async () => {
    await expect(openCamera({ source: { ...gray, path: join(folder, 'none') } })).rejects.toMatchObject({
      code: 'CAMERA_NOT_FOUND',
    });
    await expect(openCamera({ source: { ...gray, path: folder } })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });
});

describe('a file of which nothing is left out', () => {
  it('goes on for its other readers when a walk through it ends', async () => {
    const path = file('walked.raw', pictures(0, 250));
    await using camera = await openCamera({ source: { ...gray, path } });
    const over = new AbortController();
    const other = numbers(camera.frames());
    let walked = 0;
    for await (const _ of walk(camera, { start: 0, end: () => 8e15, signal: over.signal, idleMs: 30_000 })) {
      if (++walked === 3) break;
    }
    // Far more than the ring holds: it would stand still for a picture that is lent for ever.
    expect(await other).toEqual([...Array(250).keys()]);
    expect(camera.newestSequence).toBe(249);
  });

  it('gives as many pictures to the ring with a reader that sleeps as without', async () => {
    const received = async (asleep: boolean): Promise<number> => {
      const path = file('sleeper.raw', pictures(0, 120));
      await using camera = await openCamera({ source: { ...gray, path, fps: 500 } });
      const sleeper = camera.frames({ borrow: true })[Symbol.asyncIterator]();
      if (asleep) await sleeper.next();
      await expect.poll(() => camera.state, { timeout: 30_000 }).toBe('ended');
      const { received: count } = camera.stats();
      await sleeper.return?.();
      return count;
    };
    expect(await received(true)).toBe(120);
    expect(await received(false)).toBe(120);
  });
});

describe.skipIf(process.platform === 'win32')('a pipe', () => {
  const fifo = (name: string): string => {
    const path = join(folder, name);
    execFileSync('mkfifo', [path]);
    return path;
  };
  const until = async (done: () => boolean): Promise<void> => {
    for (let i = 0; !done(); i++) {
      if (i > 3000) throw new Error('it did not come to it');
      await sleep(10);
    }
  };
  /** Waits for a reader, as an encoder would. */
  const writer = (path: string): Promise<FileHandle> => open(path, 'w');

  it('is waited for, and read as it comes', async () => {
    const path = fifo('one.fifo');
    await using camera = await openCamera({ source: { ...gray, path } });
    expect(camera.state).toBe('opening');
    const pipe = await writer(path);
    const frames = camera.frames({ order: 'all', borrow: true });
    for (let i = 0; i < 20; i++) {
      await pipe.write(pictures(i, 1));
      const { value } = await frames.next();
      expect(value?.data[0]).toBe(i);
      expect(value?.sequence).toBe(i);
    }
    expect(camera.state).toBe('running');
    await pipe.close();
    await frames.return?.();
  });

  it('never waits for a slow reader: what is missed is counted', async () => {
    const path = fifo('slow.fifo');
    await using camera = await openCamera({ source: { ...gray, path } });
    const pipe = await writer(path);
    await pipe.write(pictures(0, 1));
    const frames = camera.frames();
    expect((await frames.next()).value?.data[0]).toBe(0);
    for (let i = 1; i <= 100; i++) await pipe.write(pictures(i, 1));
    await until(() => camera.stats().received === 101);
    expect((await frames.next()).value?.data[0]).toBe(100);
    expect(camera.stats()).toMatchObject({ received: 101, delivered: 2, dropped: 99 });
    await pipe.close();
    await frames.return?.();
  });

  it('keeps the last seconds', async () => {
    const path = fifo('kept.fifo');
    await using camera = await openCamera({ source: { ...gray, path }, bufferSeconds: 60 });
    const pipe = await writer(path);
    await pipe.write(pictures(0, 50));
    await until(() => camera.stats().received === 50);
    expect(await numbers(camera.history(0, Infinity))).toEqual([...Array(50).keys()]);
    const newest = await camera.newest();
    expect(await numbers(camera.history(newest!.timestamp, newest!.timestamp))).toContain(49);
    expect(camera.stats()).toMatchObject({ buffered: 50, bufferedBytes: 50 * width * height });
    await pipe.close();
  });

  it('keeps no more bytes than it may', async () => {
    const path = fifo('bytes.fifo');
    await using camera = await openCamera({
      source: { ...gray, path },
      bufferSeconds: 60,
      bufferBytes: 10 * width * height,
    });
    const pipe = await writer(path);
    await pipe.write(pictures(0, 50));
    await until(() => camera.stats().received === 50);
    const { bufferedBytes } = camera.stats();
    expect(bufferedBytes).toBeLessThanOrEqual(10 * width * height);
    expect(bufferedBytes).toBeGreaterThan(5 * width * height);
    await pipe.close();
  });

  it('that is closed is waited for again; numbers go on', async () => {
    const path = fifo('again.fifo');
    await using camera = await openCamera({ source: { ...gray, path }, reconnect: { firstDelayMs: 10 } });
    const notices: CameraNotice[] = [];
    camera.onNotice((notice) => notices.push(notice));
    const frames = camera.frames({ order: 'all' });
    const first = await writer(path);
    await first.write(pictures(0, 3));
    for (let i = 0; i < 3; i++) expect((await frames.next()).value?.sequence).toBe(i);
    await first.close();
    await until(() => camera.state === 'lost');
    const second = await writer(path);
    await second.write(pictures(100, 2));
    const next = (await frames.next()).value;
    expect(next?.data[0]).toBe(100);
    expect(next?.sequence).toBeGreaterThanOrEqual(3);
    expect((await frames.next()).value?.sequence).toBe(next!.sequence + 1);
    await until(() => camera.state === 'running');
    expect(notices.map(({ state }) => state)).toEqual(['running', 'lost', 'running']);
    expect(notices[1]).toMatchObject({ code: 'CAMERA_LOST', attempt: 1 });
    expect(camera.stats().reconnects).toBe(1);
    await second.close();
    await frames.return?.();
  });

  it('that is gone for good fails when the tries are used up', async () => {
    const path = fifo('gone.fifo');
    await using camera = await openCamera({
      source: { ...gray, path },
      reconnect: { attempts: 2, firstDelayMs: 5, mostDelayMs: 5 },
    });
    const notices: CameraNotice[] = [];
    camera.onNotice((notice) => notices.push(notice));
    const pipe = await writer(path);
    await pipe.write(pictures(0, 1));
    await until(() => camera.state === 'running');
    rmSync(path);
    await pipe.close();
    await expect(numbers(camera.frames())).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    expect(notices.map(({ state, attempt }) => [state, attempt])).toEqual([
      ['running', undefined],
      ['lost', 1],
      ['lost', 2],
      ['failed', undefined],
    ]);
  });

  it('without reconnecting fails at once', async () => {
    const path = fifo('once.fifo');
    await using camera = await openCamera({ source: { ...gray, path }, reconnect: false });
    const pipe = await writer(path);
    await pipe.write(pictures(7, 1));
    await until(() => camera.state === 'running');
    await pipe.close();
    const seen: number[] = [];
    const read = (async () => {
      for await (const { data } of camera.frames()) seen.push(data[0]!);
    })();
    await expect(read).rejects.toMatchObject({ code: 'CAMERA_LOST' });
    expect(seen).toEqual([7]);
  });

  it('that nobody writes to does not hold up closing', async () => {
    const path = fifo('silent.fifo');
    const camera = await openCamera({ source: { ...gray, path } });
    const read = numbers(camera.frames());
    await camera.close();
    expect(await read).toEqual([]);
  });

  it('goes on with its numbers in a fresh ring where the old one was lost', async () => {
    const source = { ...gray, path: fifo('fresh.fifo') };
    const room = { slots: 8 };
    const first = await openRaw(source, room, () => undefined, undefined);
    const one = await writer(source.path);
    await one.write(pictures(0, 3));
    await one.close();
    expect(await first.done).toEqual({});
    await first.stop();
    const second = await openRaw(source, room, () => undefined, first);
    const two = await writer(source.path);
    await two.write(pictures(50, 2));
    await second.ready;
    await two.close();
    await second.done;
    const seen = second.next(2);
    expect(seen?.sequence).toBe(3);
    expect((await seen?.bytes()) as Uint8Array).toEqual(new Uint8Array(width * height).fill(50));
    seen?.release();
    expect(second.counts().received).toBe(5);
    expect(second.between(0, Infinity).map(({ sequence }) => sequence)).toEqual([3, 4]);
    await second.stop();
  });

  it('lets go of earlier connections', async () => {
    const source = { ...gray, path: fifo('many.fifo') };
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const earlier: WeakRef<object>[] = [];
    let feed: Awaited<ReturnType<typeof openRaw>> | undefined;
    for (let i = 0; i < 6; i++) {
      const one: typeof feed = await openRaw(source, { slots: 8 }, () => undefined, feed);
      if (feed !== undefined) earlier.push(new WeakRef(feed));
      feed = one;
      const end = await writer(source.path);
      await end.write(pictures(i, 1));
      await end.close();
      await feed.done;
    }
    for (let i = 0; i < 400 && earlier.some((one) => one.deref() !== undefined); i++) {
      await sleep(5);
      collect();
    }
    expect(earlier.filter((one) => one.deref() !== undefined)).toEqual([]);
    expect(feed?.counts().received).toBe(6);
    await feed?.stop();
  });

  it('is tried before its time when there is reason to', async () => {
    const source = { ...gray, path: fifo('sooner.fifo') };
    let plug: () => void = () => undefined;
    await using camera = new Camera({
      id: 'plugged',
      live: true,
      waits: false,
      format: undefined,
      reconnect: { firstDelayMs: 3_600_000, mostDelayMs: 3_600_000 },
      open: (wake, before) => openRaw(source, { slots: 8 }, wake, before),
      sooner: () => new Promise((resolve) => (plug = resolve)),
    });
    await camera.start(undefined);
    const one = await writer(source.path);
    await one.write(pictures(0, 1));
    await until(() => camera.state === 'running');
    await one.close();
    await until(() => camera.state === 'lost');
    plug();
    const two = await writer(source.path);
    await two.write(pictures(1, 1));
    await until(() => camera.state === 'running');
    expect(camera.stats().reconnects).toBe(1);
    await two.close();
  });
});
