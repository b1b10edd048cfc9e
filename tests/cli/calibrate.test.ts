import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCalibration } from '../../lib/models/index.js';
import type { MeasuredCalibration } from '../../lib/training/index.js';
import { parseXml } from '../../lib/training/xml.js';
import { lineament, sample } from './run.js';

let folder = '';
const file = (...parts: string[]): string => path.join(folder, ...parts);

interface Found {
  readonly images: readonly {
    readonly path: string;
    readonly width: number;
    readonly height: number;
    readonly faces: readonly { readonly box: number[] }[];
  }[];
}

/** Every large face of the sample photographs as a person of its own, with a second, darker and smaller photograph of some. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-calibrate-'));
  const { stdout } = await lineament(['detect', '--json', '--no-landmarks', ...[1, 2, 3, 4, 5, 6].map(sample)]);
  let person = 0;
  for (const { path: name, width, height, faces } of (JSON.parse(stdout) as Found).images) {
    for (const { box } of faces) {
      const [x = 0, y = 0, w = 0, h = 0] = box;
      if (w < 80 || person >= 16) continue;
      const left = Math.max(0, Math.floor(x - w / 2));
      const top = Math.max(0, Math.floor(y - h / 2));
      const area = {
        left,
        top,
        width: Math.min(width - left, Math.floor(2 * w)),
        height: Math.min(height - top, Math.floor(2 * h)),
      };
      const own = file('people', `person ${String(++person).padStart(2, '0')}`);
      mkdirSync(own, { recursive: true });
      const crop = await sharp(name).extract(area).jpeg({ quality: 95 }).toBuffer();
      writeFileSync(path.join(own, 'a.jpg'), crop);
      if (person % 2 === 0) {
        await sharp(crop)
          .resize({ width: 180 })
          .modulate({ brightness: 0.8 })
          .jpeg({ quality: 70 })
          .toFile(path.join(own, 'b.jpg'));
      }
    }
  }
  expect(person).toBeGreaterThanOrEqual(12);
  writeFileSync(file('people', 'person 01', 'broken.jpg'), 'no photograph');
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('lineament calibrate', () => {
  it('writes what the library reads, says what it left out, and draws the trade-off', async () => {
    const output = file('own.json');
    const svg = file('det.svg');
    const { code, stdout, stderr } = await lineament([
      ...['calibrate', file('people'), '--preset', 'fast', '-o', output, '--svg', svg, '--fmr', '0.1'],
      ...['--provenance', 'crops of the sample photographs'],
    ]);
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('broken.jpg: IMAGE_UNSUPPORTED');
    expect(stdout).toMatch(/rarer rates than .* cannot be stated/);
    const text = readFileSync(output, 'utf8');
    const measured = parseCalibration(text, output) as MeasuredCalibration;
    expect(measured).toMatchObject({ model: 'dlib128', provenance: 'crops of the sample photographs' });
    expect(measured.genuine).toBeGreaterThanOrEqual(6);
    expect(measured.independent).toBe(Math.floor(measured.identities / 2));
    // Ten of the comparisons must lie above the rarest rate.
    expect(measured.points.at(-1)!.fmr * measured.impostors).toBeGreaterThanOrEqual(10);
    const names = [...parseXml(readFileSync(svg, 'utf8'), svg)].flatMap((e) => (e.kind === 'open' ? [e.name] : []));
    expect(names[0]).toBe('svg');

    const pair = [file('people', 'person 02', 'a.jpg'), file('people', 'person 02', 'b.jpg')];
    const rate = String(measured.points.at(-1)!.fmr);
    const own = await lineament([
      'verify',
      ...pair,
      '--preset',
      'fast',
      '--calibration',
      output,
      '--fmr',
      rate,
      '--json',
    ]);
    expect(own.stderr).toBe('');
    expect(JSON.parse(own.stdout)).toMatchObject({ threshold: measured.points.at(-1)!.similarity });
    // Another preset makes other embeddings.
    const other = await lineament(['verify', ...pair, '--calibration', output, '--json']);
    expect(other.code).toBe(2);
    expect(JSON.parse(other.stderr)).toMatchObject({ error: { code: 'EMBEDDING_MISMATCH' } });
    // A rate rarer than what was measured is refused.
    const rare = await lineament([
      'verify',
      ...pair,
      '--preset',
      'fast',
      '--calibration',
      output,
      '--fmr',
      '0.00001',
      '--json',
    ]);
    expect(JSON.parse(rare.stderr)).toMatchObject({ error: { code: 'INVALID_ARGUMENT' } });
  }, 120_000);

  it('writes nothing where the photographs do not suffice', async () => {
    const few = file('few');
    for (const name of ['a', 'b']) {
      mkdirSync(path.join(few, name), { recursive: true });
      writeFileSync(path.join(few, name, '1.jpg'), readFileSync(file('people', 'person 01', 'a.jpg')));
    }
    const output = file('none.json');
    const { code, stderr } = await lineament(['calibrate', few, '--preset', 'fast', '-o', output, '--json']);
    expect(code).toBe(2);
    expect(
      JSON.parse(
        stderr
          .split('\n')
          .filter((line) => line.startsWith('{'))
          .at(-1)!,
      ),
    ).toMatchObject({
      error: { code: 'CALIBRATION_INSUFFICIENT' },
    });
    expect(existsSync(output)).toBe(false);
  }, 60_000);

  it('says what a folder must look like', async () => {
    const { code, stderr } = await lineament(['calibrate', file('people', 'person 01'), '-o', file('x.json')]);
    expect(code).toBe(2);
    expect(stderr).toContain('a folder of its own');
    const unnamed = await lineament(['calibrate', file('people')]);
    expect(unnamed.stderr).toContain('--output');
  });
});
