import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkPicture } from '../../../lib/service/images/index.js';
import { statedSize } from '../../../lib/service/images/size.js';
import { startService, type TestService } from '../../support/service.js';
import { answerOf, asBody, asForm, asJson, inAllForms, photo, postJson } from './pictures.js';

const LIMITS = { imageBytes: 400_000, bodyBytes: 1_000_000, pixels: 3_000_000, images: 3 };
let service: TestService;

beforeAll(async () => {
  service = await startService({ limits: LIMITS });
});
afterAll(() => service.close());

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly status: number;
}
/** A PNG that says it has this size, with pixel data of a few bytes. */
function bomb(width: number, height: number): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
    const out = Buffer.alloc(8 + body.length);
    out.writeUInt32BE(data.length, 0);
    body.copy(out, 4);
    out.writeUInt32BE(crc(body), 4 + body.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.alloc(100_000))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

function crc(bytes: Uint8Array): number {
  let value = 0xffffffff;
  for (const byte of bytes) {
    value ^= byte;
    for (let i = 0; i < 8; i++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  }
  return (value ^ 0xffffffff) >>> 0;
}

/** Ways to write a format that state the size in other places. */
const WAYS: Readonly<Record<string, readonly object[]>> = {
  webp: [{ lossless: true }, { lossless: false }],
  tiff: [{}, { bigtiff: true }],
};

describe('the stated size of a picture', () => {
  it.each(['jpeg', 'png', 'gif', 'webp', 'tiff', 'avif'] as const)('is read from a %s', async (format) => {
    const picture = sharp({ create: { width: 317, height: 203, channels: 3, background: '#456' } });
    for (const options of WAYS[format] ?? [{}]) {
      const bytes = await picture.clone().toFormat(format, options).toBuffer();
      expect(statedSize(bytes, format)).toEqual({ width: 317, height: 203 });
      for (let cut = 0; cut < 40; cut++) expect(() => statedSize(bytes.subarray(0, cut), format)).not.toThrow();
    }
    const alpha = await sharp({ create: { width: 5, height: 9, channels: 4, background: '#4568' } })
      .webp()
      .toBuffer();
    expect(statedSize(alpha, 'webp')).toEqual({ width: 5, height: 9 });
  });

  it('is found where a decoder finds it: behind what is no segment of a JPEG', async () => {
    const bytes = await sharp({ create: { width: 317, height: 203, channels: 3, background: '#456' } })
      .jpeg()
      .toBuffer();
    const second = 4 + bytes.readUInt16BE(4);
    const junk = Buffer.concat([bytes.subarray(0, second), Buffer.from([1, 2, 3, 0xff, 0]), bytes.subarray(second)]);
    const { info } = await sharp(junk, { failOn: 'error' }).raw().toBuffer({ resolveWithObject: true });
    expect(info).toMatchObject({ width: 317, height: 203 });
    expect(statedSize(junk, 'jpeg')).toEqual({ width: 317, height: 203 });
  });
});

describe('what a picture is counted with', () => {
  const limits = { imageBytes: 1_000_000, pixels: 5_000_000, images: 1 };
  const flat = sharp({ create: { width: 2000, height: 1500, channels: 3, background: '#456' } });

  it.each(['png', 'gif', 'webp', 'tiff', 'avif'] as const)('are its pixels, also of a small %s', async (format) => {
    const options = { tiff: { compression: 'deflate' }, avif: { effort: 0 }, png: {}, gif: {}, webp: {} }[format];
    const bytes = await flat.clone().toFormat(format, options).toBuffer();
    expect(bytes.length).toBeLessThan(100_000);
    expect(checkPicture({ name: 'image', bytes }, limits).weight).toBe(bytes.length + 2000 * 1500 * 3);
    const few = { ...limits, pixels: 1_000_000 };
    expect(() => checkPicture({ name: 'image', bytes }, few)).toThrow(
      expect.objectContaining({ code: 'IMAGE_TOO_LARGE' }),
    );
  });

  it('are as many pixels as may be, where a TIFF states its size in a way that is not read here', () => {
    const bytes = Buffer.alloc(64);
    bytes.write('II*\0', 'latin1');
    bytes.writeUInt32LE(8, 4);
    bytes.writeUInt16LE(1, 8);
    // ImageWidth as SLONG.
    bytes.writeUInt16LE(256, 10);
    bytes.writeUInt16LE(9, 12);
    expect(checkPicture({ name: 'image', bytes }, limits).weight).toBe(64 + limits.pixels * 3);
  });
});

describe('pictures that are none', () => {
  it.each([
    ['nothing', Buffer.alloc(0), 422, 'IMAGE_CORRUPT'],
    ['text', Buffer.from('hello'), 415, 'IMAGE_UNSUPPORTED'],
    ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>'), 415, 'IMAGE_UNSUPPORTED'],
    ['HTML', Buffer.from('<html><script>alert(1)</script>'), 415, 'IMAGE_UNSUPPORTED'],
    ['PDF', Buffer.from('%PDF-1.7\n'), 415, 'IMAGE_UNSUPPORTED'],
    ['a file of a program', Buffer.from('MZ\u0090\u0000\u0003'), 415, 'IMAGE_UNSUPPORTED'],
    ['half a JPEG', photo(2).subarray(0, 9000), 422, 'IMAGE_CORRUPT'],
    ['the start of a JPEG alone', Buffer.from([0xff, 0xd8, 0xff, 0xe0]), 422, 'IMAGE_CORRUPT'],
    [
      'a GIF header before HTML',
      Buffer.from('GIF89a\u0008\u0000\u0008\u0000<html><script>alert(1)</script>'),
      422,
      'IMAGE_CORRUPT',
    ],
    ['a PNG header before a program', Buffer.from('\x89PNG\r\n\x1a\nMZ', 'latin1'), 422, 'IMAGE_CORRUPT'],
    ['a bomb of pixels', bomb(60_000, 60_000), 413, 'IMAGE_TOO_LARGE'],
    ['a little more pixels than allowed', bomb(1733, 1733), 413, 'IMAGE_TOO_LARGE'],
    ['less data than pixels', bomb(1000, 1000), 422, 'IMAGE_CORRUPT'],
    ['too many bytes', Buffer.alloc(LIMITS.imageBytes + 1, 0xff), 413, 'IMAGE_TOO_LARGE'],
  ])('%s', async (name, bytes, status, code) => {
    const answers = [
      await asForm<Problem>(service, '/api/v1/detect', { image: bytes }),
      // A text without a character is refused as such, and a body without a byte is none.
      ...(name === 'nothing'
        ? []
        : [
            await asJson<Problem>(service, '/api/v1/detect', { image: bytes }),
            await asBody<Problem>(service, '/api/v1/detect', bytes, {}, 'image/png'),
          ]),
    ];
    for (const answer of answers) {
      expect(answer, JSON.stringify(answer)).toMatchObject({ status, body: { code } });
      expect(answer.type).toMatch(/^application\/problem\+json/);
    }
  });

  it('a picture is what its content says, whatever it is called', async () => {
    const png = await sharp(photo(2)).resize(400).png().toBuffer();
    for (const type of ['image/jpeg', 'image/x-none', 'application/octet-stream']) {
      const answer = await asBody<{ faces: unknown[] }>(service, '/api/v1/detect', png, {}, type);
      expect(answer.status, JSON.stringify(answer.body).slice(0, 300)).toBe(200);
    }
    // What follows the picture is not looked at and not kept.
    const tail = Buffer.concat([photo(2), Buffer.from('PK\u0003\u0004<?php system("id"); ?>')]);
    const [marked] = await inAllForms<{ faces: unknown[] }>(service, '/api/v1/detect', tail);
    const [plain] = await inAllForms<{ faces: unknown[] }>(service, '/api/v1/detect', photo(2));
    expect(marked?.body).toEqual(plain?.body);
  });

  it('no address and no path is read', async () => {
    for (const image of [
      '/etc/passwd',
      'file:///etc/passwd',
      'http://127.0.0.1:1/x.jpg',
      '../../secret.jpg',
      'data:text/html,<b>',
      'data:image/svg+xml;utf8,<svg/>',
      '&&&&',
      'AAAAA',
      'QUJ=D',
    ]) {
      const answer = await postJson<Problem>(service, '/api/v1/detect', { image });
      expect([400, 415], image).toContain(answer.status);
      expect(['INVALID_ARGUMENT', 'IMAGE_UNSUPPORTED'], image).toContain(answer.body.code);
      expect(answer.body.detail).not.toContain('root:');
    }
  });
});

describe('requests that are none', () => {
  it.each([{ image: '' }, {}, { image: 5 }, { image: null }, { image: ['a', 'b'] }, [], 'text', null, 7])(
    'JSON %j',
    async (body) => {
      expect(await postJson<Problem>(service, '/api/v1/detect', body)).toMatchObject({
        status: 400,
        body: { code: 'INVALID_ARGUMENT' },
      });
    },
  );

  const raw = async (type: string, body: string, path = '/api/v1/detect') =>
    answerOf<Problem>(await service.fetch(path, { method: 'POST', headers: { 'content-type': type }, body }));

  it('JSON that is cut, poisoned, or none at all', async () => {
    expect(await raw('application/json', '{"image":')).toMatchObject({
      status: 400,
      body: { code: 'INVALID_ARGUMENT' },
    });
    expect(await raw('application/json', '{"__proto__":{"a":1}}')).toMatchObject({ status: 400 });
    expect(await raw('application/json', '')).toMatchObject({ status: 400 });
    expect(await raw('text/plain', 'image')).toMatchObject({ status: 415, body: { code: 'MEDIA_UNSUPPORTED' } });
    expect(await raw('application/xml', '<a/>')).toMatchObject({ status: 415, body: { code: 'MEDIA_UNSUPPORTED' } });
    const none = await answerOf<Problem>(await service.fetch('/api/v1/detect', { method: 'POST' }));
    expect(none).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
  });

  it('forms without a file, with others, with too many, or cut short', async () => {
    const form = (text: string) => raw('multipart/form-data; boundary=b', text.replaceAll('\n', '\r\n'));
    const head = 'Content-Disposition: form-data; name=';
    expect(await asForm<Problem>(service, '/api/v1/detect', {}, { landmarks: true })).toMatchObject({
      status: 400,
      body: { code: 'INVALID_ARGUMENT', detail: expect.stringContaining("'image'") },
    });
    const twice = await asForm<Problem>(service, '/api/v1/detect', { image: [photo(2), photo(2)] });
    expect(twice).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
    const other = await asForm<Problem>(service, '/api/v1/detect', { photo: photo(2) });
    expect(other).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
    const many = await asForm<Problem>(service, '/api/v1/detect/batch', { images: Array(4).fill(Buffer.from('x')) });
    expect(many).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
    const coded = await postJson<Problem>(service, '/api/v1/detect/batch', { images: ['AA', 'AA', 'AA', 'AA'] });
    expect(coded.status).toBe(400);
    for (const text of [
      '',
      '--b',
      `--b\n${head}"image"; filename="a.jpg"\n\nno end`,
      `--b\n${head}"image"\n\ntext\n--b--\n`,
      `--b\n${head}"__proto__"\n\nx\n--b--\n`,
      `--b\n${head}"landmarks"\n\nperhaps\n--b\n${head}"image"; filename="a"\n\nx\n--b--\n`,
      `--b\n${head}"unknown"\n\n1\n--b\n${head}"image"; filename="a"\n\nx\n--b--\n`,
    ]) {
      const answer = await form(text);
      expect(answer.status, `${text} ${JSON.stringify(answer.body)}`).toBe(400);
      expect(answer.body.code, text).toBe('INVALID_ARGUMENT');
    }
    expect(await raw('multipart/form-data', 'no boundary')).toMatchObject({ body: { status: expect.any(Number) } });
  });

  it('bodies that are too large, stated or not', async () => {
    const much = Buffer.alloc(LIMITS.bodyBytes + 1, 0x41);
    for (const type of ['application/json', 'image/jpeg', 'multipart/form-data; boundary=b']) {
      const answer = await raw(type, much.toString());
      expect(answer, type).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
    }
    // Without a length it is counted as it comes.
    expect(await chunked('image/jpeg', much)).toMatch(/^HTTP\/1\.1 413 /);
    const part = Buffer.from('--b\r\nContent-Disposition: form-data; name="images"; filename="a"\r\n\r\n');
    const file = Buffer.alloc(390_000, 0x41);
    const body = Buffer.concat([part, file, Buffer.from('\r\n'), part, file, Buffer.from('\r\n'), part, file]);
    const end = Buffer.from('\r\n--b--\r\n');
    expect(
      await chunked('multipart/form-data; boundary=b', Buffer.concat([body, end]), '/api/v1/detect/batch'),
    ).toMatch(/^HTTP\/1\.1 413 /);
    const text = Buffer.from('--b\r\nContent-Disposition: form-data; name="metadata"\r\n\r\n');
    const fields = [1, 2].flatMap(() => [text, Buffer.alloc(600_000, 0x41), Buffer.from('\r\n')]);
    expect(await chunked('multipart/form-data; boundary=b', Buffer.concat([...fields, end]))).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    // One of them alone does not spoil the others.
    const large = await asForm(service, '/api/v1/detect/batch', { images: [Buffer.alloc(420_000, 1), photo(2)] });
    expect(large).toMatchObject({ status: 200, body: { results: [{ error: { code: 'IMAGE_TOO_LARGE' } }, {}] } });
  });

  it('an import is read as it comes, and may be longer than any other body', async () => {
    const statistics = await service.call('GET', '/api/v1/face-recognition/statistics');
    const { dims } = statistics.body as { dims: number };
    const embeddings = [Array.from({ length: dims }, (_, i) => Math.cos(i))];
    expect(await postJson(service, '/api/v1/enrol', { person: 'first', embeddings })).toMatchObject({ status: 201 });
    const lines = (await (await service.fetch('/api/v1/export')).text()).trim().split('\n');
    const [head, collection, person] = lines;
    const many = Array.from({ length: 2500 }, (_, i) => person?.replace('"first"', `"copy ${i}"`));
    const send = async (given: readonly (string | undefined)[]) =>
      answerOf<Problem & { created: number }>(
        await service.fetch('/api/v1/import', {
          method: 'POST',
          headers: { 'content-type': 'application/x-ndjson' },
          body: `${given.join('\n')}\n`,
        }),
      );
    const text = [head, collection, ...many, '{"end":{"persons":2500,"samples":2500,"damaged":0}}'];
    expect(text.join('\n').length).toBeGreaterThan(LIMITS.bodyBytes);
    expect(await send(text)).toMatchObject({ status: 200, body: { created: 2500 } });
    const line = await send([head, `{"person":"${'x'.repeat(LIMITS.bodyBytes)}"}`]);
    expect(line).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
  });

  it('leave nothing on the disk', async () => {
    const files = (await readdir(service.folder, { recursive: true })).sort();
    const sizes = await Promise.all(files.map(async (file) => (await stat(join(service.folder, file))).isDirectory()));
    const names = files.filter((_, i) => sizes[i] === false);
    for (const name of names) expect(name).toMatch(/\.(sqlite|db)|^gallery|key|audit|lock/);
    await asForm(service, '/api/v1/detect', { image: photo(2) });
    expect((await readdir(service.folder, { recursive: true })).sort()).toEqual(files);
  });
});

/** A body of unknown length; gives the head of the answer. */
function chunked(type: string, body: Buffer, path = '/api/v1/detect'): Promise<string> {
  const { hostname, port } = new URL(service.address);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname);
    let answer = '';
    socket.on('data', (data) => {
      answer += data.toString('latin1');
      if (answer.includes('\r\n')) socket.destroy();
    });
    socket.once('close', () => (answer === '' ? reject(new Error('no answer')) : resolve(answer)));
    // It may hang up before everything was sent.
    socket.on('error', () => undefined);
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${service.key}\r\nContent-Type: ${type}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    for (let at = 0; at < body.length; at += 65_536) {
      const piece = body.subarray(at, at + 65_536);
      socket.write(`${piece.length.toString(16)}\r\n`);
      socket.write(piece);
      socket.write('\r\n');
    }
    socket.write('0\r\n\r\n');
  });
}
