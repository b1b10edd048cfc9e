import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { readCameraTags, readExif } from '../../lib/image/exif.js';
import { DEFAULT_FIELD_OF_VIEW } from '../../lib/landmarks/index.js';
import { cameraOf } from '../../lib/reconstruction/cloud-camera.js';
import { noise } from '../native/support.js';

type Value =
  | { readonly type: 3 | 4; readonly value: number }
  | { readonly type: 5; readonly above: number; readonly below: number };
const short = (value: number): Value => ({ type: 3, value });
const long = (value: number): Value => ({ type: 4, value });
const rational = (above: number, below: number): Value => ({ type: 5, above, below });

/** A TIFF with one directory, which points at the EXIF directory with these tags. */
function exif(tags: Readonly<Record<number, Value>>, little = true, prefix = true): Uint8Array {
  const entries = Object.entries(tags).map(([tag, value]) => ({ tag: Number(tag), value }));
  const data = new DataView(new ArrayBuffer(64 + 20 * entries.length));
  const u16 = (at: number, v: number) => data.setUint16(at, v, little);
  const u32 = (at: number, v: number) => data.setUint32(at, v, little);
  u16(0, little ? 0x4949 : 0x4d4d);
  u16(2, 42);
  u32(4, 8);
  u16(8, 1);
  u16(10, 0x8769);
  u16(12, 4);
  u32(14, 1);
  u32(18, 26);
  u16(26, entries.length);
  let rest = 28 + 12 * entries.length + 4;
  for (const [i, { tag, value }] of entries.entries()) {
    const at = 28 + 12 * i;
    u16(at, tag);
    u16(at + 2, value.type);
    u32(at + 4, 1);
    if (value.type === 5) {
      u32(at + 8, rest);
      u32(rest, value.above);
      u32(rest + 4, value.below);
      rest += 8;
    } else if (value.type === 4) u32(at + 8, value.value);
    else u16(at + 8, value.value);
  }
  const tiff = new Uint8Array(data.buffer);
  return prefix ? Buffer.concat([Buffer.from('Exif\0\0', 'latin1'), tiff]) : tiff;
}

const PHONE = { 37386: rational(570, 100), 41989: short(26), 40962: long(4032), 40963: long(3024) };
const REFLEX = {
  37386: rational(50, 1),
  41486: rational(5_184_000, 894),
  41488: short(2),
  40962: short(5184),
  40963: short(3456),
};

describe('readCameraTags', () => {
  it('reads both byte orders, with and without the prefix', () => {
    for (const little of [true, false]) {
      for (const prefix of [true, false]) {
        expect(readCameraTags(exif(PHONE, little, prefix))).toEqual({
          focalLength: 5.7,
          focalLengthIn35mm: 26,
          longerSide: 4032,
        });
      }
    }
    const tags = readCameraTags(exif(REFLEX));
    expect(tags.focalLength).toBe(50);
    expect(tags.pixelsPerMillimetre).toBeCloseTo(5_184_000 / 894 / 25.4, 9);
  });

  it('takes centimetres, and passes values over that cannot be', () => {
    const inUnit = (unit: number) => readCameraTags(exif({ 41486: rational(2000, 1), 41488: short(unit) }));
    expect(inUnit(3).pixelsPerMillimetre).toBe(200);
    expect(inUnit(9).pixelsPerMillimetre).toBeUndefined();
    expect(readCameraTags(exif({ 37386: rational(5, 0), 41989: short(0) }))).toEqual({});
    expect(readCameraTags(exif({ 37386: { type: 3, value: 28 } }))).toEqual({ focalLength: 28 });
  });

  it('finds nothing in garbage, and never reads beyond its end', () => {
    for (const bytes of [new Uint8Array(), Buffer.from('Exif\0\0'), Buffer.from('II'), Buffer.from('no exif at all')]) {
      expect(readCameraTags(bytes)).toEqual({});
    }
    expect(readCameraTags('text' as unknown as Uint8Array)).toEqual({});
    const good = exif({ ...PHONE, ...REFLEX });
    for (let length = 0; length < good.length; length++) {
      const cut = readCameraTags(good.subarray(0, length));
      for (const value of Object.values(cut)) expect(value).toBeGreaterThan(0);
    }
    const random = noise(20_000, 0, 256, 7);
    for (let round = 0; round < 2000; round++) {
      const bytes = Uint8Array.from(good);
      for (let k = 0; k < 10; k++) {
        bytes[6 + Math.floor((random[10 * round + k]! / 256) * (bytes.length - 6))] = random[10 * round + 9 - k]!;
      }
      for (const value of Object.values(readCameraTags(bytes))) {
        expect(value).toBeGreaterThan(0);
        expect(Number.isFinite(value)).toBe(true);
      }
    }
  });
});

describe('cameraOf', () => {
  it('says how the camera is known', () => {
    const given = { fx: 800, fy: 810, cx: 320, cy: 240 };
    expect(cameraOf({ exif: exif(PHONE) }, 640, 480, { intrinsics: given })).toEqual({
      camera: given,
      source: 'given',
    });
    expect(cameraOf({ exif: exif(PHONE) }, 640, 480, { fieldOfView: 90 })).toMatchObject({ source: 'field-of-view' });
    const assumed = cameraOf({}, 640, 480);
    expect(assumed.source).toBe('assumed');
    expect(assumed.camera.fx).toBeCloseTo(320 / Math.tan((DEFAULT_FIELD_OF_VIEW * Math.PI) / 360), 9);
    expect(cameraOf({ exif: Buffer.from('garbage') }, 640, 480)).toEqual(assumed);
  });

  it('takes equivalent focal lengths by the diagonal, whatever the scale and orientation', () => {
    const { camera, source } = cameraOf({ exif: exif(PHONE) }, 4032, 3024);
    expect(source).toBe('exif-35mm');
    expect(camera.fx).toBeCloseTo((26 * 5040) / Math.hypot(36, 24), 6);
    expect(camera).toMatchObject({ fy: camera.fx, cx: 2016, cy: 1512 });
    expect(cameraOf({ exif: exif(PHONE) }, 756, 1008).camera.fx).toBeCloseTo(camera.fx / 4, 6);
  });

  it('takes the focal length by the pixels of the sensor', () => {
    const { camera, source } = cameraOf({ exif: exif(REFLEX) }, 1728, 2592);
    expect(source).toBe('exif-sensor');
    // An APS-C sensor is 22.7 mm wide here.
    expect(camera.fx).toBeCloseTo((50 * 2592) / (894 / 1000) / 25.4, 3);
  });

  it('passes angles over that no camera sees, and refuses bad options', () => {
    expect(cameraOf({ exif: exif({ 41989: short(60_000) }) }, 640, 480).source).toBe('assumed');
    const bad = { fx: Number.NaN, fy: 1, cx: 0, cy: 0 };
    for (const options of [{ intrinsics: bad }, { fieldOfView: 0 }, { fov: 3 } as object]) {
      expect(() => cameraOf({}, 640, 480, options)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
    expect(() => cameraOf({}, 0, 480)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});

describe('readExif', () => {
  it('reads what sharp writes, from every kind of input', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-exif-'));
    try {
      const blank = sharp({ create: { width: 40, height: 30, channels: 3, background: 'gray' } });
      const jpeg = await blank
        .clone()
        .withExif({ IFD2: { FocalLength: '425/100', FocalLengthIn35mmFilm: '28' } })
        .jpeg()
        .toBuffer();
      const file = path.join(folder, 'a photograph.jpg');
      writeFileSync(file, jpeg);
      for (const input of [jpeg, new Uint8Array(jpeg), file, pathToFileURL(file), sharp(jpeg)]) {
        const tags = readCameraTags((await readExif(input))!);
        expect(tags).toMatchObject({ focalLength: 4.25, focalLengthIn35mm: 28 });
      }
      const bare = await blank.clone().jpeg().toBuffer();
      const raw = { data: new Uint8Array(12), width: 2, height: 2, channels: 3 };
      for (const input of [bare, raw, Buffer.from('no picture'), path.join(folder, 'missing.jpg'), folder]) {
        expect(await readExif(input)).toBeUndefined();
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
