import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lineament, root, sample, start } from './run.js';

interface FaceJson {
  readonly box: readonly number[];
  readonly score: number;
  readonly landmarks?: readonly (readonly number[])[];
  readonly [more: string]: unknown;
}
interface ImageJson {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  readonly faces: readonly FaceJson[];
  readonly error?: { readonly code: string; readonly message: string; readonly fix?: string };
}
interface Document {
  readonly images: readonly ImageJson[];
  readonly [more: string]: unknown;
}
const parse = (text: string): Document => JSON.parse(text) as Document;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-cli-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('lineament detect', () => {
  it('keeps the JSON contract: path, size, box, score, 68 points', async () => {
    const { code, stdout, stderr } = await lineament(['detect', '--json', sample(1)]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const document = parse(stdout);
    expect(Object.keys(document)).toEqual(['images']);
    const [image] = document.images;
    expect(Object.keys(image ?? {})).toEqual(['path', 'width', 'height', 'faces']);
    expect([image?.path, image?.width, image?.height]).toEqual([sample(1), 1920, 1280]);
    expect(image?.faces).toHaveLength(3);
    for (const face of image?.faces ?? []) {
      expect(Object.keys(face)).toEqual(['box', 'score', 'landmarks']);
      expect(face.box).toHaveLength(4);
      const [x = 0, y = 0, w = 0, h = 0] = face.box;
      expect(Math.min(w, h)).toBeGreaterThan(100);
      expect(face.score).toBeGreaterThanOrEqual(0.3); // the least that the preset asks for
      expect(face.landmarks).toHaveLength(68);
      // The nose lies inside the box.
      const [nx = -1, ny = -1] = face.landmarks?.[30] ?? [];
      expect(nx > x && nx < x + w && ny > y && ny < y + h).toBe(true);
    }
  });

  it('leaves landmarks out on request, and keeps only the best faces', async () => {
    const { stdout } = await lineament(['detect', '--json', '--no-landmarks', '--max-faces', '1', sample(2)]);
    const faces = parse(stdout).images[0]?.faces ?? [];
    expect(faces).toHaveLength(1);
    expect(Object.keys(faces[0] ?? {})).toEqual(['box', 'score']);
  });

  it('writes the same document whatever the number of threads, in the order of the arguments', async () => {
    const files = [6, 2, 4, 1].map(sample);
    const [one, many] = await Promise.all([
      lineament(['detect', '--json', '-q', '--threads', '1', ...files]),
      lineament(['detect', '--json', '-q', ...files]),
    ]);
    expect(parse(many.stdout).images.map((image) => image.path)).toEqual(files);
    const counts = (text: string): number[] => parse(text).images.map((image) => image.faces.length);
    expect(counts(many.stdout)).toEqual(counts(one.stdout));
  });

  it('reports what cannot be read in its place, goes on, and ends with 2', async () => {
    const bytes = readFileSync(sample(3));
    const bad: [string, Buffer, RegExp][] = [
      ['a-truncated.jpg', bytes.subarray(0, bytes.length / 3), /^IMAGE_CORRUPT$/],
      ['b-empty.jpg', Buffer.alloc(0), /^IMAGE_CORRUPT$/],
      ['c-text.jpg', Buffer.from('this is no picture, whatever its name says'), /^IMAGE_UNSUPPORTED$/],
    ];
    const mixed = mkdtempSync(path.join(folder, 'mixed-'));
    for (const [name, data] of bad) writeFileSync(path.join(mixed, name), data);
    copyFileSync(sample(3), path.join(mixed, 'd-good.jpg'));
    const missing = path.join(mixed, 'e-missing.jpg');
    const { code, stdout, stderr } = await lineament(['detect', '--json', mixed, missing]);
    expect(code).toBe(2);
    const { images } = parse(stdout);
    expect(images.map((image) => path.basename(image.path))).toEqual([
      ...bad.map(([name]) => name),
      'd-good.jpg',
      'e-missing.jpg',
    ]);
    for (const [index, [, , expected]] of bad.entries()) expect(images[index]?.error?.code).toMatch(expected);
    expect(images[3]?.faces).toHaveLength(3);
    expect(images[4]?.error?.code).toBe('IMAGE_NOT_FOUND');
    expect(stderr).toContain('[5/5] ');
  });

  it('prints a table without escapes into a pipe, coloured where it is forced, and progress lines unless quiet', async () => {
    const plain = await lineament(['detect', sample(1), sample(2)]);
    expect(plain.code).toBe(0);
    expect(plain.stdout).not.toContain('\u001b');
    expect(plain.stdout).toContain('1920 × 1280, 3 faces');
    expect(plain.stdout).toMatch(/2 photographs, 6 faces, [\d.]+ photographs a second/);
    expect(plain.stderr).toMatch(/^\[1\/2\] .*sample1\.jpg: 3 faces \(\d+ ms\)\n\[2\/2\] .*sample2\.jpg/);
    const coloured = await lineament(['detect', '-q', sample(1), sample(2)], { env: { FORCE_COLOR: '1' } });
    expect(coloured.stdout).toContain('\u001b[1m');
    expect(coloured.stderr).toBe('');
  });

  it('draws overlays, one file for each photograph even where names are the same', async () => {
    const drawn = path.join(folder, 'drawn');
    const again = path.join(mkdtempSync(path.join(folder, 'twin-')), 'sample1.jpg');
    copyFileSync(sample(1), again);
    const { code } = await lineament(['detect', '-q', '--overlay', drawn, sample(1), again]);
    expect(code).toBe(0);
    for (const name of ['sample1.png', 'sample1-2.png']) {
      const { width, height, format } = await sharp(path.join(drawn, name)).metadata();
      expect([width, height, format]).toEqual([1920, 1280, 'png']);
    }
  });

  it('finds no face where there is none, which is no error', async () => {
    const file = path.join(folder, 'grey.png');
    await sharp({ create: { width: 200, height: 150, channels: 3, background: '#808080' } })
      .png()
      .toFile(file);
    const { code, stdout } = await lineament(['detect', '--json', file]);
    expect(code).toBe(0);
    expect(parse(stdout).images).toEqual([{ path: file, width: 200, height: 150, faces: [] }]);
  });

  it('stops at SIGINT with a valid document and exit code 130', async () => {
    const many = mkdtempSync(path.join(folder, 'many-'));
    for (let index = 0; index < 120; index++) copyFileSync(sample(1), path.join(many, `${index}.jpg`));
    const { child, end } = start(['detect', '--json', many]);
    let seen = '';
    child.stderr?.on('data', (text: string) => {
      seen += text;
      if (seen.includes('[  3/120]') && !child.killed) child.kill('SIGINT');
    });
    const { code, stdout } = await end;
    expect(code).toBe(130);
    const { images } = parse(stdout);
    expect(images.length).toBeGreaterThanOrEqual(3);
    expect(images.length).toBeLessThan(120);
    expect(images.map((image) => path.basename(image.path))).toEqual(images.map((_, index) => `${index}.jpg`));
  });

  it('ends quietly when the reader goes away', async () => {
    const { child, end } = start(['detect', '--json', '-q', sample(1), sample(2), sample(3)]);
    child.stdout?.destroy();
    const { code, stderr } = await end;
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});

describe('lineament landmarks', () => {
  it('adds the pose, and prints every point on request', async () => {
    const { stdout } = await lineament(['landmarks', '--json', sample(3)]);
    for (const face of parse(stdout).images[0]?.faces ?? []) {
      const pose = face['pose'] as Record<string, number>;
      for (const angle of ['roll', 'yaw', 'pitch'])
        expect(Math.abs(pose[angle] ?? Number.NaN)).toBeLessThanOrEqual(180);
    }
    const human = await lineament(['landmarks', '--points', '--max-faces', '1', sample(3)]);
    expect(human.stdout).toContain('eye distance');
    expect(human.stdout.match(/\d+\.\d,\d+\.\d/g)).toHaveLength(68);
  });
});

describe('lineament embed', () => {
  it('gives vectors of length 1', async () => {
    const { code, stdout } = await lineament(['embed', '--json', sample(1)]);
    expect(code).toBe(0);
    const faces = parse(stdout).images[0]?.faces ?? [];
    expect(faces).toHaveLength(3);
    for (const face of faces) {
      const { model, dims, vector } = face['embedding'] as { model: string; dims: number; vector: number[] };
      expect(model).not.toBe('');
      expect(vector).toHaveLength(dims);
      expect(Math.hypot(...vector)).toBeCloseTo(1, 4);
    }
    expect((await lineament(['embed', sample(1)])).stdout).toContain('dimensions');
  });
});

describe('lineament verify', () => {
  /** Cut out of sample 1: the face on the left and the one on the right. */
  async function faceOf(name: string, left: number, top: number): Promise<string> {
    const file = path.join(folder, name);
    await sharp(sample(1)).extract({ left, top, width: 420, height: 440 }).jpeg({ quality: 92 }).toFile(file);
    return file;
  }

  it('says match with 0, no match with 1, and gives exactly similarity, threshold, fmr, match', async () => {
    const [left, right] = await Promise.all([faceOf('left.jpg', 300, 250), faceOf('right.jpg', 1370, 100)]);
    const [same, different] = await Promise.all([
      lineament(['verify', '--json', left, left]),
      lineament(['verify', '--json', left, right]),
    ]);
    expect([same.code, same.stderr]).toEqual([0, '']);
    const answer = JSON.parse(same.stdout) as Record<string, unknown>;
    expect(Object.keys(answer)).toEqual(['similarity', 'threshold', 'fmr', 'match']);
    expect(answer['similarity']).toBeCloseTo(1, 3);
    expect(answer['match']).toBe(true);
    expect(answer['fmr']).toBeGreaterThan(0);
    expect([different.code, different.stderr]).toEqual([1, '']);
    expect(JSON.parse(different.stdout)).toMatchObject({ match: false, threshold: answer['threshold'] });
    const human = await lineament(['verify', left, right]);
    expect(human.code).toBe(1);
    expect(human.stdout).toMatch(/^no match .*\n {2}similarity -?\d\.\d{3}, threshold \d\.\d{3}, false match rate /);
  });

  it('takes a threshold, and is stricter for a lower false match rate', async () => {
    const left = await faceOf('left2.jpg', 300, 250);
    const { code, stdout } = await lineament(['verify', '--json', '--threshold', '1', left, sample(3)]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ threshold: 1, match: false });
    const [loose, strict] = await Promise.all(
      ['0.1', '0.01'].map(async (fmr) => {
        const done = await lineament(['verify', '--json', '--fmr', fmr, left, left]);
        return (JSON.parse(done.stdout) as { threshold: number }).threshold;
      }),
    );
    expect(strict).toBeGreaterThan(loose ?? 1);
  });

  it('ends with 2 where a photograph shows no face or is not there', async () => {
    const grey = path.join(folder, 'grey2.png');
    await sharp({ create: { width: 200, height: 150, channels: 3, background: '#808080' } })
      .png()
      .toFile(grey);
    const none = await lineament(['verify', '--json', '--threshold', '0.5', sample(1), grey]);
    expect(none.code).toBe(2);
    expect(none.stdout).toBe('');
    expect(JSON.parse(none.stderr)).toMatchObject({ error: { code: 'NO_FACE' } });
    const missing = await lineament(['verify', '--threshold', '0.5', sample(1), path.join(folder, 'nobody.jpg')]);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain('IMAGE_NOT_FOUND');
  });
});

describe('lineament analyze', () => {
  it('measures everything, compares all faces, and writes report and contact sheet', async () => {
    const report = path.join(folder, 'out', 'report.html');
    const sheet = path.join(folder, 'out', 'sheet.png');
    const again = path.join(folder, 'again.jpg');
    await sharp(sample(1)).resize(1200).jpeg({ quality: 80 }).toFile(again);
    const broken = path.join(folder, 'broken.jpg');
    writeFileSync(broken, 'no picture');
    const files = [sample(1), again, broken];
    const { code, stdout } = await lineament([
      'analyze',
      '--json',
      '-q',
      '--report',
      report,
      '--sheet',
      sheet,
      ...files,
    ]);
    expect(code).toBe(2); // one of them is broken
    const document = parse(stdout);
    for (const face of document.images[0]?.faces ?? []) {
      expect(face).toMatchObject({ pose: {}, expression: {}, gender: {} });
      for (const name of ['age', 'size', 'sharpness']) expect(face[name]).toBeGreaterThan(0);
      expect(face['embedding']).toBeUndefined();
    }
    const matching = document['matching'] as {
      threshold: number;
      pairs: { a: { path: string; face: number }; b: { path: string; face: number } }[];
    };
    // Each of the three people is found again on the smaller copy, and is nobody else.
    expect(matching.pairs.map(({ a, b }) => [a.path, b.path])).toEqual(
      Array.from({ length: 3 }, () => [sample(1), again]),
    );
    expect(new Set(matching.pairs.map(({ a }) => a.face)).size).toBe(3);
    const html = readFileSync(report, 'utf8');
    expect(html).toContain('again.jpg');
    expect(html).toContain('IMAGE_UNSUPPORTED');
    expect(html).toContain('<h2>Who is who</h2>');
    expect(html).toContain('<h2>Networks</h2>');
    expect(html).not.toContain(root);
    expect((await sharp(sheet).metadata()).format).toBe('png');
  });

  it('puts vectors into the JSON only on request, and says where a file cannot be written', async () => {
    const { stdout } = await lineament([
      'analyze',
      '--json',
      '--no-match',
      '--embedding',
      '--max-faces',
      '1',
      sample(5),
    ]);
    expect(parse(stdout).images[0]?.faces[0]?.['embedding']).toBeDefined();
    expect(parse(stdout)['matching']).toBeUndefined();
    const failed = await lineament([
      'analyze',
      '--no-match',
      '--report',
      path.join(sample(5), 'report.html'),
      sample(5),
    ]);
    expect(failed.code).toBe(2);
    expect(failed.stderr).toContain('cannot write');
  });
});
