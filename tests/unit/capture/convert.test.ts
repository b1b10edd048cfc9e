import { afterAll, describe, expect, it } from 'vitest';
import { toPlanar } from '../../../lib/capture/convert.js';
import { loadAddon } from '../../../lib/native/index.js';
import type { Frame, FrameFormat } from '../../../lib/types.js';

const addon = loadAddon();
const executor = addon.createExecutor(1);
afterAll(() => executor.close());

const width = 96;
const height = 64;
/** Colours that change slowly, so that chroma of four pixels is theirs. */
const rgb = new Uint8Array(width * height * 3);
for (let y = 0; y < height; y++) {
  for (let x = 0; x < width; x++) {
    rgb.set([40 + x * 2, 200 - y * 2, 60 + x + y], (y * width + x) * 3);
  }
}

const frame = (format: FrameFormat, data: Uint8Array, channels: Frame['channels']): Frame => ({
  data,
  width,
  height,
  format,
  channels,
});

async function worst(planar: Uint8Array, format: 'i420' | 'nv12'): Promise<number> {
  const back = await addon.convert(executor, { data: planar, width, height, format }, 'rgb');
  return back.reduce((most, value, i) => Math.max(most, Math.abs(value - rgb[i]!)), 0);
}

describe('planar pictures', () => {
  it.each(['i420', 'nv12'] as const)('hold what the picture held: rgb → %s → rgb', async (format) => {
    const planar = await toPlanar(frame('rgb', rgb, 3), format);
    expect(planar.length).toBe((width * height * 3) / 2);
    expect(await worst(planar, format)).toBeLessThanOrEqual(5);
  });

  it('are the same bytes in another order', async () => {
    const i420 = await toPlanar(frame('rgb', rgb, 3), 'i420');
    const nv12 = await toPlanar(frame('i420', i420, 1), 'nv12');
    expect(nv12).toEqual(await toPlanar(frame('rgb', rgb, 3), 'nv12'));
    expect(await toPlanar(frame('nv12', nv12, 1), 'i420')).toEqual(i420);
  });

  it('are made of packed 4:2:2', async () => {
    const i420 = await toPlanar(frame('rgb', rgb, 3), 'i420');
    const luma = width * height;
    const yuyv = new Uint8Array(luma * 2);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const chroma = luma + (x % 2) * (luma / 4) + (y >> 1) * (width / 2) + (x >> 1);
        yuyv.set([i420[y * width + x]!, i420[chroma]!], (y * width + x) * 2);
      }
    }
    expect(await toPlanar(frame('yuyv', yuyv, 2), 'i420')).toEqual(i420);
  });

  it('of a grey picture have no colour', async () => {
    const gray = Uint8Array.from({ length: width * height }, (_, i) => i % 256);
    const planar = await toPlanar(frame('gray', gray, 1), 'i420');
    const back = await addon.convert(executor, { data: planar, width, height, format: 'i420' }, 'gray');
    expect(back.reduce((most, value, i) => Math.max(most, Math.abs(value - gray[i]!)), 0)).toBeLessThanOrEqual(2);
    expect(new Set(planar.subarray(width * height))).toEqual(new Set([128]));
  });
});
