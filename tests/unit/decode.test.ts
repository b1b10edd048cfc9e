import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decodeImage } from '../../lib/image/decode.js';
import { sniffFormat } from '../../lib/image/format.js';
import type { ImageInput } from '../../lib/image/input.js';
import { releaseFrame } from '../../lib/image/release.js';

/** A picture whose left half is red and whose right half is blue. */
const WIDTH = 64;
const HEIGHT = 32;
const pixels = Buffer.alloc(WIDTH * HEIGHT * 3);
for (let i = 0; i < WIDTH * HEIGHT; i++) pixels[i * 3 + (i % WIDTH < WIDTH / 2 ? 0 : 2)] = 255;
const picture = (): Sharp => sharp(pixels, { raw: { width: WIDTH, height: HEIGHT, channels: 3 } });

/** A valid PNG of one bit a pixel, all black: a few kilobytes for any size. */
function blankPng(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const framed = Buffer.alloc(body.length + 8);
    framed.writeUInt32BE(data.length, 0);
    body.copy(framed, 4);
    framed.writeUInt32BE(crc32(body), body.length + 4);
    return framed;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1;
  const rows = deflateSync(Buffer.alloc((Math.ceil(width / 8) + 1) * height));
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}

const codeOf = async (input: unknown, options?: Parameters<typeof decodeImage>[1]): Promise<string | undefined> =>
  decodeImage(input as ImageInput, options).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lineament-decode-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('image files', () => {
  const encoders: Record<string, () => Promise<Buffer>> = {
    jpeg: () => picture().jpeg({ quality: 95, chromaSubsampling: '4:4:4' }).toBuffer(),
    png: () => picture().png().toBuffer(),
    webp: () => picture().webp({ lossless: true }).toBuffer(),
    gif: () => picture().gif().toBuffer(),
    tiff: () => picture().tiff().toBuffer(),
    avif: () => picture().avif({ lossless: true }).toBuffer(),
    'CMYK jpeg': () => picture().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer(),
    '16-bit png': () => picture().toColourspace('rgb16').png().toBuffer(),
    'indexed png': () => picture().png({ palette: true }).toBuffer(),
    'png with alpha': () => picture().ensureAlpha().png().toBuffer(),
  };
  it.each(Object.keys(encoders))('%s becomes 8-bit sRGB', async (name) => {
    const frame = await decodeImage(await encoders[name]!());
    expect(frame).toMatchObject({ width: WIDTH, height: HEIGHT, channels: 3, format: 'rgb' });
    expect(frame.data).toHaveLength(WIDTH * HEIGHT * 3);
    const [left, right] = [8 * WIDTH + 8, 8 * WIDTH + 56];
    // CMYK without a profile is far from pure red: only the order of the channels is certain.
    expect(frame.data[left * 3]! - frame.data[left * 3 + 2]!).toBeGreaterThan(80);
    expect(frame.data[right * 3 + 2]! - frame.data[right * 3]!).toBeGreaterThan(80);
  });

  it('are gray, 16-bit gray and half transparent, and become three channels', async () => {
    const gray = await decodeImage(await picture().grayscale().jpeg().toBuffer());
    expect(gray).toMatchObject({ channels: 3, format: 'rgb' });
    expect(gray.data[0]).toBe(gray.data[1]);
    const deep = await decodeImage(await picture().toColourspace('grey16').png().toBuffer());
    expect(deep).toMatchObject({ channels: 3, format: 'rgb' });
    const clear = await sharp({
      create: { width: 4, height: 4, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
    })
      .png()
      .toBuffer();
    expect([...(await decodeImage(clear)).data.subarray(0, 3)]).toEqual([255, 255, 255]);
  });

  it('are turned as EXIF says', async () => {
    const turned = await decodeImage(await picture().withMetadata({ orientation: 6 }).png().toBuffer());
    expect(turned).toMatchObject({ width: HEIGHT, height: WIDTH });
    // Orientation 6 turns clockwise: the left half comes to the top.
    expect([turned.data[0], turned.data[2]]).toEqual([255, 0]);
  });

  it('are animated, and give their first frame', async () => {
    const frames = Buffer.concat([Buffer.alloc(16 * 16 * 3, 0), Buffer.alloc(16 * 16 * 3, 255)]);
    const gif = await sharp(frames, { raw: { width: 16, height: 32, channels: 3, pageHeight: 16 } })
      .gif()
      .toBuffer();
    expect((await sharp(gif).metadata()).pages).toBe(2);
    const frame = await decodeImage(gif);
    expect(frame).toMatchObject({ width: 16, height: 16 });
    expect(frame.data[0]).toBe(0);
  });

  it('are known by content, not by name', async () => {
    const path = join(folder, 'really-a-png.jpg');
    await writeFile(path, await picture().png().toBuffer());
    await expect(decodeImage(path)).resolves.toMatchObject({ width: WIDTH });
    await expect(decodeImage(pathToFileURL(path))).resolves.toMatchObject({ width: WIDTH });
    const text = join(folder, 'text.jpg');
    await writeFile(text, 'not a picture');
    expect(await codeOf(text)).toBe('IMAGE_UNSUPPORTED');
  });

  it('of one pixel are pictures', async () => {
    const one = await sharp({ create: { width: 1, height: 1, channels: 3, background: 'red' } })
      .png()
      .toBuffer();
    await expect(decodeImage(one)).resolves.toMatchObject({ width: 1, height: 1 });
  });

  it('that are cut or empty are refused', async () => {
    const noise = Buffer.from(Array.from({ length: 128 * 128 * 3 }, (_, i) => (i * 7919) % 251));
    const jpeg = await sharp(noise, { raw: { width: 128, height: 128, channels: 3 } })
      .jpeg()
      .toBuffer();
    const png = await sharp(noise, { raw: { width: 128, height: 128, channels: 3 } })
      .png()
      .toBuffer();
    for (const whole of [jpeg, png]) {
      for (const share of [0.02, 0.5, 0.9]) {
        expect(await codeOf(whole.subarray(0, Math.max(12, whole.length * share)))).toBe('IMAGE_CORRUPT');
      }
    }
    expect(await codeOf(Buffer.alloc(0))).toBe('IMAGE_CORRUPT');
    const empty = join(folder, 'empty.png');
    await writeFile(empty, '');
    expect(await codeOf(empty)).toBe('IMAGE_CORRUPT');
  });

  it('that are too large are refused before they are decoded', async () => {
    const bomb = blankPng(20_000, 20_000);
    expect(bomb.length).toBeLessThan(1 << 20);
    expect(await codeOf(bomb)).toBe('IMAGE_TOO_LARGE');
    await expect(decodeImage(blankPng(20_000, 50))).resolves.toMatchObject({ width: 20_000, height: 50 });
    const small = await picture().png().toBuffer();
    expect(await codeOf(small, { maxPixels: WIDTH * HEIGHT - 1 })).toBe('IMAGE_TOO_LARGE');
    expect(await codeOf(small, { maxPixels: WIDTH * HEIGHT })).toBeUndefined();
    const raw = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 };
    expect(await codeOf(raw, { maxPixels: 3 })).toBe('IMAGE_TOO_LARGE');
  });

  it('that are not ours are refused', async () => {
    expect(await codeOf(Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>'))).toBe(
      'IMAGE_UNSUPPORTED',
    );
    expect(await codeOf(Buffer.from('%PDF-1.7 and so on'))).toBe('IMAGE_UNSUPPORTED');
    expect(await codeOf(Buffer.from([1, 2, 3]))).toBe('IMAGE_UNSUPPORTED');
    expect(sniffFormat(new Uint8Array(0))).toBeUndefined();
  });

  it('that are no files are refused', async () => {
    expect(await codeOf(join(folder, 'nothing.jpg'))).toBe('IMAGE_NOT_FOUND');
    expect(await codeOf(folder)).toBe('IMAGE_UNSUPPORTED');
    expect(await codeOf('')).toBe('INVALID_ARGUMENT');
    expect(await codeOf('a\0b')).toBe('INVALID_ARGUMENT');
    expect(await codeOf(new URL('https://example.com/a.jpg'))).toBe('INVALID_ARGUMENT');
  });

  it('stop at an abort', async () => {
    const png = await picture().png().toBuffer();
    expect(await codeOf(png, { signal: AbortSignal.abort() })).toBe('ABORTED');
    const controller = new AbortController();
    const pending = codeOf(png, { signal: controller.signal });
    controller.abort();
    expect(await pending).toBe('ABORTED');
  });
});

describe('raw pixels', () => {
  it('are taken in place, with their offset', async () => {
    const shared = new Uint8Array(100).fill(7);
    const view = shared.subarray(10, 22);
    const frame = await decodeImage({ data: view, width: 2, height: 2, channels: 3 });
    expect(frame.data.buffer).toBe(shared.buffer);
    expect(frame.data.byteOffset).toBe(10);
    expect(frame.format).toBe('rgb');
  });

  it('come in every layout', async () => {
    const of = (format: string, bytes: number) =>
      decodeImage({ data: new Uint8Array(bytes), width: 4, height: 2, format } as ImageInput);
    await expect(of('gray', 8)).resolves.toMatchObject({ channels: 1 });
    await expect(of('bgra', 32)).resolves.toMatchObject({ channels: 4 });
    await expect(of('yuyv', 16)).resolves.toMatchObject({ channels: 2 });
    await expect(of('nv12', 12)).resolves.toMatchObject({ channels: 1 });
    await expect(of('nv12', 11)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(
      decodeImage({ data: new Uint8Array(9), width: 1, height: 3, channels: 1, stride: 4 }),
    ).resolves.toMatchObject({
      stride: 4,
    });
    await expect(
      decodeImage({ data: new Uint8Array(8), width: 1, height: 3, channels: 1, stride: 4 }),
    ).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('over shared memory are copied', async () => {
    const data = new SharedArrayBuffer(12);
    new Uint8Array(data).fill(9);
    const frame = await decodeImage({ data, width: 2, height: 2, channels: 3 });
    expect(frame.data.buffer).toBeInstanceOf(ArrayBuffer);
    expect([...frame.data]).toEqual(Array(12).fill(9));
  });

  it('that make no sense are refused', async () => {
    const data = new Uint8Array(12);
    for (const wrong of [
      { data, width: Number.NaN, height: 2, channels: 3 },
      { data, width: 2.5, height: 2, channels: 3 },
      { data, width: -2, height: 2, channels: 3 },
      { data, width: 3, height: 2, channels: 3 },
      { data, width: 2, height: 2, channels: 5 },
      { data, width: 2, height: 2 },
      { data, width: 2, height: 2, format: 'hsv' },
      { data, width: 2, height: 2, format: 'rgb', channels: 4 },
      { data, width: 2, height: 2, channels: 3, stride: 5 },
      { data: [1, 2, 3], width: 1, height: 1, channels: 3 },
      { data, width: 3, height: 2, format: 'nv12' },
      {},
      null,
      undefined,
      42,
    ]) {
      expect(await codeOf(wrong)).toBe('INVALID_ARGUMENT');
    }
  });

  it('in a detached buffer are refused', async () => {
    const data = new Uint8Array(12);
    structuredClone(data.buffer, { transfer: [data.buffer] });
    const error = await decodeImage({ data, width: 2, height: 2, channels: 3 }).catch((e: Error) => e);
    expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect((error as Error).message).toContain('detached');
    expect(await codeOf(data.buffer)).toBe('INVALID_ARGUMENT');
  });
});

describe('objects of other libraries', () => {
  it('a sharp pipeline gives what it would write, and stays usable', async () => {
    const pipeline = picture().resize(10, 5);
    await expect(decodeImage(pipeline as unknown as ImageInput)).resolves.toMatchObject({
      width: 10,
      height: 5,
      channels: 3,
    });
    await expect(pipeline.png().toBuffer()).resolves.toBeInstanceOf(Buffer);
    expect(await codeOf(sharp(Buffer.from('nonsense')))).toBe('IMAGE_CORRUPT');
  });

  it('an OpenCV matrix is BGR', async () => {
    const mat = { rows: 2, cols: 3, channels: 3, depth: 0, getData: () => Buffer.alloc(18, 5) };
    await expect(decodeImage(mat)).resolves.toMatchObject({ width: 3, height: 2, format: 'bgr' });
    const late = { ...mat, channels: 1, getDataAsync: async () => Buffer.alloc(6) };
    await expect(decodeImage(late)).resolves.toMatchObject({ format: 'gray' });
    expect(await codeOf({ ...mat, depth: 5 })).toBe('INVALID_ARGUMENT');
    expect(await codeOf({ ...mat, channels: 2 })).toBe('INVALID_ARGUMENT');
    expect(await codeOf({ ...mat, getData: () => Buffer.alloc(3) })).toBe('INVALID_ARGUMENT');
  });
});

describe('pixels that are done with', () => {
  it('are freed where they were decoded, once', async () => {
    const file = await picture().jpeg().toBuffer();
    for (const input of [file, picture()]) {
      const frame = await decodeImage(input);
      expect(frame.data).toHaveLength(WIDTH * HEIGHT * 3);
      releaseFrame(frame);
      expect(frame.data).toHaveLength(0);
      expect(frame.data.buffer.byteLength).toBe(0);
      releaseFrame(frame);
    }
    // The file's own bytes are the caller's.
    expect((await decodeImage(file)).width).toBe(WIDTH);
  });

  it('stay where a caller gave them', async () => {
    const data = new Uint8Array(pixels);
    const frame = await decodeImage({ data, width: WIDTH, height: HEIGHT, format: 'rgb' });
    releaseFrame(frame);
    expect(data).toEqual(new Uint8Array(pixels));
    const decoded = await decodeImage(await picture().png().toBuffer());
    releaseFrame(await decodeImage(decoded));
    expect(decoded.data).toHaveLength(data.length);
    expect(frame.data).toHaveLength(data.length);
  });
});
