import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { fromHalf, toHalf } from '../../../lib/templates/half.js';
import { decodeTemplate, encodeTemplate, templateFromJSON, templateToJSON } from '../../../lib/templates/index.js';
import { direction, FULL, failure, random, template } from './support.js';

/** FULL as FORMAT.md says, written down by hand: a change of these bytes is a new major version. */
const GOLDEN = [
  '4c4d5450 01 00 0700 3d010000 0400 00 00 03000000 00000000', // magic, 1.0, flags, length, dims, float32, samples
  '7b6c50c4a0010000 c8515c18a3010000 0000000000e05540', // created, expires, quality
  '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff', // model hash
  '0000003f 000000bf 0000003f 000000bf', // vector
];

/** The checksum set right again: what a forger would do. */
function seal(bytes: Uint8Array): Uint8Array {
  const end = bytes.length - 8;
  bytes.set(createHash('sha256').update(bytes.subarray(0, end)).digest().subarray(0, 8), end);
  return bytes;
}

/** FULL's bytes with one change, checksum right. */
function changed(edit: (view: DataView, bytes: Uint8Array) => void, from = encodeTemplate(FULL)): Uint8Array {
  edit(new DataView(from.buffer), from);
  return seal(from);
}

/** Bytes with a section put before the checksum. */
function withSection(from: Uint8Array, type: number, flags: number, data: readonly number[]): Uint8Array {
  const out = new Uint8Array(from.length + 8 + data.length);
  out.set(from.subarray(0, from.length - 8));
  const view = new DataView(out.buffer);
  view.setUint16(from.length - 8, type, true);
  view.setUint16(from.length - 6, flags, true);
  view.setUint32(from.length - 4, data.length, true);
  out.set(data, from.length);
  view.setUint32(8, out.length, true);
  return seal(out);
}

describe('binary templates', () => {
  it('are the bytes that FORMAT.md describes', () => {
    const hex = Buffer.from(encodeTemplate(FULL)).toString('hex');
    expect(hex.slice(0, 192)).toBe(GOLDEN.join('').replaceAll(' ', ''));
    const text = (s: string): string => Buffer.from(s).toString('hex');
    const section = (type: string, flags: string, content: string): string =>
      `${type}00${flags}00${(content.length / 2)
        .toString(16)
        .padStart(4, '0')
        .replace(/(..)(..)/, '$2$1')}0000${content}`;
    expect(hex.slice(192, -16)).toBe(
      [
        section('01', '01', text('dlib128+faceres1024')),
        section('02', '00', text('consent/42')),
        section('03', '01', `0a${text('rotation-1')}${text('k1')}`),
        section(
          '04',
          '00',
          '3f00000000000000 158b44709e010000 0000000000105e40 0000000000f06240 0000000000000ac0 000000000000f83f 000000000000c03f'.replaceAll(
            ' ',
            '',
          ),
        ),
        section('05', '00', text('camera 1')),
        section('06', '00', text('gäste/tür.jpg')),
        section('07', '00', text('{"operator":"ü"}')),
        section('09', '00', ''),
        section('c8', '00', '010203'),
      ].join(''),
    );
    expect(hex.slice(-16)).toBe(
      createHash('sha256')
        .update(Buffer.from(hex.slice(0, -16), 'hex'))
        .digest('hex')
        .slice(0, 16),
    );
  });

  it('come back as they were', () => {
    expect(decodeTemplate(encodeTemplate(FULL))).toEqual(FULL);
    const rand = random(1);
    for (const dims of [2, 3, 128, 512, 1153, 4096]) {
      const t = template(direction(rand, dims));
      const bytes = encodeTemplate(t);
      expect(bytes.length).toBe(80 + 4 * dims + 8 + 1 + 8);
      expect(decodeTemplate(bytes)).toEqual(t);
      expect(encodeTemplate(decodeTemplate(bytes))).toEqual(bytes);
    }
    for (const capture of [{}, { yaw: 0 }, { capturedAt: 5 }, { extension: 'x' }])
      expect(decodeTemplate(encodeTemplate({ ...FULL, capture })).capture).toEqual(capture);
  });

  it('are read from the middle of a buffer, and share no memory with it', () => {
    const bytes = encodeTemplate(FULL);
    const around = new Uint8Array(bytes.length + 7);
    around.set(bytes, 3);
    const read = decodeTemplate(around.subarray(3, 3 + bytes.length));
    around.fill(255);
    expect(read).toEqual(FULL);
  });

  it('are written in half precision where that is asked for', () => {
    const t = template(direction(random(2), 512));
    const bytes = encodeTemplate(t, { vector: 'float16' });
    expect(bytes.length).toBe(80 + 1024 + 8 + 1 + 8);
    const back = decodeTemplate(bytes);
    t.vector.forEach((v, i) => {
      expect(Math.abs(back.vector[i]! - v)).toBeLessThanOrEqual(Math.max(Math.abs(v) * 2 ** -11, 2 ** -25));
    });
    expect(encodeTemplate(back, { vector: 'float16' })).toEqual(bytes);
  });

  it('keep what a later minor version added, and refuse what it made critical', async () => {
    const plain = encodeTemplate(template(direction(random(3), 8)));
    const newer = withSection(plain, 77, 0, [5, 6]);
    newer[5] = 9;
    const read = decodeTemplate(seal(newer));
    expect(read.extensions).toEqual([{ type: 77, data: Uint8Array.of(5, 6) }]);
    expect(decodeTemplate(encodeTemplate(read))).toEqual(read);
    const critical = await failure(() => decodeTemplate(withSection(plain, 77, 1, [5, 6])));
    expect(critical).toMatchObject({ code: 'TEMPLATE_INVALID', fix: 'Update lineament.' });
  });

  it('of another major version are refused with what to do', async () => {
    const newer = await failure(() => decodeTemplate(changed((v) => v.setUint8(4, 2))));
    expect(newer).toMatchObject({ code: 'TEMPLATE_INVALID', fix: 'Update lineament.' });
    expect(newer.message).toContain('version 2.0');
    expect((await failure(() => decodeTemplate(changed((v) => v.setUint8(4, 0))))).code).toBe('TEMPLATE_INVALID');
  });

  it('with a right checksum and wrong content are refused', async () => {
    const wrong: Record<string, [(view: DataView, bytes: Uint8Array) => void, string]> = {
      'flag that nobody knows': [(v) => v.setUint16(6, 15, true), 'unknown flags'],
      'reserved byte': [(v) => v.setUint8(15, 1), 'reserved'],
      'reserved word': [(v) => v.setUint32(20, 1, true), 'reserved'],
      'unknown encoding': [(v) => v.setUint8(14, 2), 'encoding'],
      'no dims': [(v) => v.setUint16(12, 0, true), ''],
      'too many dims': [(v) => v.setUint16(12, 5000, true), 'do not fit'],
      'no samples': [(v) => v.setUint32(16, 0, true), 'samples'],
      'NaN in the vector': [(v) => v.setFloat32(80, Number.NaN, true), 'not finite'],
      'infinity in the vector': [(v) => v.setFloat32(80, Infinity, true), 'not finite'],
      'zero vector': [(_, b) => b.fill(0, 80, 96), 'length 0'],
      'vector that is too long': [(v) => v.setFloat32(80, 0.6, true), 'not 1'],
      'quality above 100': [(v) => v.setFloat64(40, 101, true), 'quality'],
      'quality that is no number': [(v) => v.setFloat64(40, Number.NaN, true), 'quality'],
      'quality that is absent and there': [(v) => v.setUint16(6, 6, true), 'quality is marked absent'],
      'expiry before creation': [(v) => v.setBigUint64(32, 5n, true), 'expires before'],
      'time beyond the calendar': [(v) => v.setBigUint64(24, 2n ** 63n, true), 'createdAt'],
      'section that is too long': [(v) => v.setUint32(100, 1e6, true), 'cut short'],
      'section out of order': [(v) => v.setUint16(96, 2, true), ''],
      'model that is not UTF-8': [(_, b) => b.fill(0xff, 104, 106), 'not UTF-8'],
      'model that is not critical': [(v) => v.setUint16(98, 0, true), 'wrong flags'],
    };
    for (const [name, [edit, says]] of Object.entries(wrong)) {
      const error = await failure(() => decodeTemplate(changed(edit)));
      expect(error.code, name).toBe('TEMPLATE_INVALID');
      expect(error.message, name).toContain(says);
    }
    const noModel = encodeTemplate(template(direction(random(4), 2)));
    const cut = noModel.slice(0, noModel.length - 9);
    new DataView(cut.buffer).setUint32(8, cut.length, true);
    expect((await failure(() => decodeTemplate(seal(cut)))).code).toBe('TEMPLATE_INVALID');
    expect((await failure(() => decodeTemplate(withSection(noModel, 5, 0, [65])))).message).toContain(
      'without a capture',
    );
    expect((await failure(() => decodeTemplate('x' as unknown as Uint8Array))).code).toBe('INVALID_ARGUMENT');
  });

  it('refuse every damaged byte and every cut', () => {
    const bytes = encodeTemplate(FULL);
    const refused = (b: Uint8Array): boolean => {
      try {
        decodeTemplate(b);
        return false;
      } catch (error) {
        return error instanceof LineamentError && error.code === 'TEMPLATE_INVALID';
      }
    };
    for (let at = 0; at < bytes.length; at++) {
      for (const bit of [1, 16, 128]) {
        const copy = Uint8Array.from(bytes);
        copy[at]! ^= bit;
        expect(refused(copy), `byte ${at} ^ ${bit}`).toBe(true);
      }
      expect(refused(bytes.subarray(0, at)), `cut at ${at}`).toBe(true);
    }
    expect(refused(Uint8Array.from([...bytes, 0]))).toBe(true);
  });

  it('never do anything but refuse or give a valid template when random bytes change and the checksum is right', () => {
    const rand = random(5);
    let read = 0;
    let refused = 0;
    for (let round = 0; round < 8000; round++) {
      let bytes = encodeTemplate(FULL);
      const cut = rand() < 0.3 ? Math.floor(rand() * bytes.length) : 0;
      if (cut > 16) {
        bytes = bytes.slice(0, cut);
        if (rand() < 0.9) new DataView(bytes.buffer).setUint32(8, cut, true);
      }
      for (let n = Math.floor(rand() * 4); n >= 0; n--) {
        // Mostly where the structure is: after the vector, and in the head.
        const at = Math.floor(rand() < 0.3 ? rand() * 24 : 80 + rand() * (bytes.length - 80));
        if (at < bytes.length) bytes[at] = rand() < 0.3 ? 255 * Math.floor(rand() * 2) : Math.floor(rand() * 256);
      }
      try {
        const t = decodeTemplate(seal(bytes));
        read++;
        // What is read is whole: it can be written and read again.
        expect(decodeTemplate(encodeTemplate(t))).toEqual(t);
      } catch (error) {
        expect((error as LineamentError).code).toBe('TEMPLATE_INVALID');
        refused++;
      }
    }
    expect(read).toBeGreaterThan(200);
    expect(refused).toBeGreaterThan(2000);
  });
});

describe('half precision', () => {
  it('is exact for every float16, and rounds to the nearest, ties to even', () => {
    const wrong: number[] = [];
    for (let bits = 0; bits < 65_536; bits++) {
      const value = fromHalf(bits);
      if (Number.isNaN(value) ? !Number.isNaN(fromHalf(toHalf(value))) : toHalf(value) !== bits) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
    expect(toHalf(1 + 2 ** -11)).toBe(0x3c00);
    expect(toHalf(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(toHalf(2 ** -25)).toBe(0);
    expect(toHalf(1.5 * 2 ** -25)).toBe(1);
    expect(toHalf(65_519)).toBe(0x7bff);
    expect(toHalf(65_520)).toBe(0x7c00);
    expect(toHalf(-1e9)).toBe(0xfc00);
  });
});

describe('templates as JSON', () => {
  it('come back as they were, in base64 and as numbers', () => {
    const rand = random(6);
    for (const t of [FULL, template(direction(rand, 512)), { ...FULL, capture: {} }]) {
      for (const vector of ['base64', 'numbers'] as const) {
        const text = JSON.stringify(templateToJSON(t, { vector }));
        expect(templateFromJSON(text)).toEqual(t);
        expect(templateFromJSON(JSON.parse(text))).toEqual(t);
        expect(encodeTemplate(templateFromJSON(text))).toEqual(encodeTemplate(t));
      }
    }
  });

  it('say first what they are', () => {
    expect(Object.keys(templateToJSON(FULL)).slice(0, 3)).toEqual(['format', 'version', 'model']);
    expect(templateToJSON(FULL).vector).toBe('AAAAPwAAAL8AAAA/AAAAvw==');
  });

  it('refuse what is not one', async () => {
    const good = templateToJSON(FULL);
    const wrong: Record<string, unknown> = {
      'not JSON': '{',
      null: null,
      array: [],
      'another format': { ...good, format: 'other' },
      'newer version': { ...good, version: 2 },
      'unknown name': { ...good, note: 1 },
      'unknown name in capture': { ...good, capture: { camera: 'x' } },
      'prototype in disguise': JSON.parse(JSON.stringify(good).replace('"model"', '"__proto__":{},"model"')),
      'no vector': { ...good, vector: undefined },
      'not base64': { ...good, vector: '!!!!' },
      'short vector': { ...good, vector: 'AAAAPw==' },
      'text among the numbers': { ...good, vector: [0.5, '0.5', 0.5, 0.5] },
      'too few numbers': { ...good, vector: [1] },
      'not of length 1': { ...good, vector: [1, 1, 0, 0] },
      'model that is a number': { ...good, model: 5 },
      'hash in capitals': { ...good, modelHash: good.modelHash?.toUpperCase() },
      'half a sample': { ...good, samples: 1.5 },
      'protection without key': { ...good, protection: { scheme: 'x' } },
      'extension without type': { ...good, extensions: [{ data: '' }] },
      'consent that is too long': { ...good, consent: 'x'.repeat(256) },
      'unpaired surrogate': { ...good, consent: '\ud800' },
    };
    for (const [name, value] of Object.entries(wrong))
      expect((await failure(() => templateFromJSON(value))).code, name).toBe('TEMPLATE_INVALID');
  });
});
