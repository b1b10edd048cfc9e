import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CameraFrame, type CameraNotice, openCamera } from '../../../lib/capture/index.js';

const folder = mkdtempSync(join(tmpdir(), 'lineament-folder-'));
const COUNT = 12;

/** Every picture has its own grey: 10 steps apart. */
beforeAll(async () => {
  for (let i = 0; i < COUNT; i++) {
    const level = 20 + i * 10;
    const picture = sharp({
      create: { width: 64, height: 48, channels: 3, background: { r: level, g: level, b: level } },
    });
    writeFileSync(
      join(folder, `photo ${i}.${i % 2 ? 'png' : 'jpg'}`),
      await picture[i % 2 ? 'png' : 'jpeg']().toBuffer(),
    );
  }
  writeFileSync(join(folder, 'photo 3 notes.txt'), 'not a picture');
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const number = (frame: CameraFrame): number => Math.round((frame.data[0]! - 20) / 10);

describe('a folder of photographs', () => {
  it('gives all of them in the order of their numbers, with their times', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: folder, fps: 25, pace: 'fast' } });
    const frames: CameraFrame[] = [];
    for await (const frame of camera.frames()) frames.push(frame);
    expect(frames.map(number)).toEqual([...Array(COUNT).keys()]);
    expect(frames.map(({ sequence }) => sequence)).toEqual([...Array(COUNT).keys()]);
    expect(frames.map(({ position }) => position)).toEqual([...Array(COUNT).keys()].map((i) => i * 40));
    expect(frames.map(({ timestamp }) => timestamp - frames[0]!.timestamp)).toEqual(frames.map((f) => f.position));
    expect(frames[0]).toMatchObject({ width: 64, height: 48, format: 'rgb' });
    expect(camera.state).toBe('ended');
    expect(camera.stats()).toMatchObject({ received: COUNT, delivered: COUNT, dropped: 0, damaged: 0 });
    expect(camera.id).toBe(folder.split('/').at(-1));
  });

  it('at its own pace gives the newest to whoever is slow, and counts the others', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: folder, fps: 50 } });
    const notices: CameraNotice[] = [];
    camera.onNotice((notice) => notices.push(notice));
    const seen: number[] = [];
    for await (const frame of camera.frames()) {
      seen.push(number(frame));
      await new Promise((resolve) => setTimeout(resolve, 70));
    }
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.length).toBeLessThan(COUNT);
    const { delivered, dropped } = camera.stats();
    expect(delivered).toBe(seen.length);
    expect(dropped).toBe(seen.at(-1)! - seen[0]! + 1 - seen.length);
    expect(notices.map(({ state }) => state)).toEqual(['ended']);
  });

  it('is thinned to the rate and scaled to the size that are asked for', async () => {
    await using camera = await openCamera({
      source: { kind: 'folder', path: folder, fps: 30, pace: 'fast' },
      fps: 10,
      width: 32,
      height: 1000,
      format: 'i420',
    });
    const frames: CameraFrame[] = [];
    for await (const frame of camera.frames()) frames.push(frame);
    expect(frames).toHaveLength(4);
    expect(frames[1]).toMatchObject({ width: 32, height: 24, format: 'i420', position: 100 });
    expect(frames[1]!.data).toHaveLength(32 * 24 * 1.5);
  });

  it('keeps what was for history', async () => {
    await using camera = await openCamera({ source: { kind: 'folder', path: folder, fps: 10, pace: 'fast' } });
    let start = 0;
    for await (const frame of camera.frames()) if (frame.sequence === 0) start = frame.timestamp;
    const past: number[] = [];
    for await (const frame of camera.history(start + 300, start + 600)) past.push(number(frame));
    expect(past).toEqual([3, 4, 5, 6]);
  });

  it('counts what is damaged and goes on', async () => {
    const broken = mkdtempSync(join(tmpdir(), 'lineament-broken-'));
    try {
      const good = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#fff' } })
        .jpeg()
        .toBuffer();
      writeFileSync(join(broken, '1.jpg'), good);
      writeFileSync(join(broken, '2.jpg'), good.subarray(0, 100));
      writeFileSync(join(broken, '3.png'), 'nothing');
      writeFileSync(join(broken, '4.jpg'), good);
      await using camera = await openCamera({ source: { kind: 'folder', path: broken, pace: 'fast' } });
      const seen: number[] = [];
      for await (const { sequence } of camera.frames()) seen.push(sequence);
      expect(seen).toEqual([0, 3]);
      expect(camera.stats().damaged).toBe(2);
    } finally {
      rmSync(broken, { recursive: true, force: true });
    }
  });

  it('without photographs is refused', async () => {
    const empty = mkdtempSync(join(tmpdir(), 'lineament-empty-'));
    try {
      await expect(openCamera({ source: empty })).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    } finally {
      rmSync(empty, { recursive: true, force: true });
    }
  });
});

describe('reading a camera', () => {
  const source = { kind: 'folder', path: folder, fps: 100 } as const;

  it('ends with ABORTED when its signal fires, and the camera stays', async () => {
    await using camera = await openCamera({ source: { ...source, fps: 1 } });
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 20);
    const read = (async () => {
      for await (const _ of camera.frames({ signal: abort.signal }));
    })();
    await expect(read).rejects.toMatchObject({ code: 'ABORTED' });
    expect(camera.state).toBe('running');
    expect(await camera.newest()).toMatchObject({ sequence: 0 });
  });

  it('ends cleanly when the camera is closed, which may be done twice', async () => {
    const camera = await openCamera({ source: { ...source, fps: 1 } });
    const notices = camera.notices();
    const seen: number[] = [];
    const read = (async () => {
      for await (const { sequence } of camera.frames()) seen.push(sequence);
    })();
    await expect.poll(() => seen.length).toBe(1);
    await camera.close();
    await read;
    await camera.close();
    expect(seen).toEqual([0]);
    expect(camera.state).toBe('ended');
    expect(await notices.next()).toMatchObject({ value: { state: 'ended' } });
    expect(await notices.next()).toMatchObject({ done: true });
    expect(await camera.newest()).toBeUndefined();
  });

  it('is done by the signal that it was opened with', async () => {
    const abort = new AbortController();
    const camera = await openCamera({ source: { ...source, fps: 1 }, signal: abort.signal });
    abort.abort();
    for await (const _ of camera.frames());
    expect(camera.state).toBe('ended');
    await expect(openCamera({ source, signal: abort.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('is refused with options that make no sense', async () => {
    for (const wrong of [{ width: 0 }, { fps: -1 }, { format: 'png' }, { colour: 1 }, { hardware: '-y' }, { id: '' }]) {
      await expect(openCamera({ source, ...wrong } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    await expect(openCamera({} as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await using camera = await openCamera({ source });
    expect(() => camera.frames({ order: 'random' } as never)).toThrow(/order/);
    await expect(camera.bestFrame({ within: 10 } as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(camera.depthFrames().next()).rejects.toMatchObject({ code: 'CAMERA_UNSUPPORTED' });
  });

  it.skipIf(process.platform !== 'linux')('of a device that is not there is refused', async () => {
    for (const name of ['/dev/video250', 250, { kind: 'device', device: 'No such camera' } as const]) {
      await expect(openCamera({ source: name })).rejects.toMatchObject({ code: 'CAMERA_NOT_FOUND' });
    }
  });
});
