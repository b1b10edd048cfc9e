import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Receipt, receiptCovers, verifyReceipt } from '../../lib/gallery/index.js';
import { type Finished, lineament, sample } from './run.js';

let folder = '';
const file = (...parts: string[]): string => path.join(folder, ...parts);
const run = (...args: string[]): Promise<Finished> => lineament(args, { env: { LINEAMENT_GALLERY: file('gallery') } });
/** Runs with --json and gives what it printed; anything on standard error fails the test. */
async function json<T>(code: number, ...args: string[]): Promise<T> {
  const finished = await run(...args, '--json', '--quiet');
  expect({ code: finished.code, stderr: finished.stderr }).toEqual({ code, stderr: '' });
  return JSON.parse(finished.stdout) as T;
}
const failure = async (...args: string[]): Promise<{ code: string; message: string; fix?: string }> => {
  const { code, stderr } = await run(...args, '--json', '--quiet');
  expect(code).toBe(2);
  return (JSON.parse(stderr) as { error: { code: string; message: string; fix?: string } }).error;
};

interface Found {
  readonly images: readonly {
    readonly width: number;
    readonly height: number;
    readonly faces: readonly { readonly box: number[] }[];
  }[];
}
const PERSONS = ['ada', 'grace', 'katherine'];

/** Three faces of a sample photograph as persons with two photographs each, and a third, changed one to look for. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-gallery-'));
  const { stdout } = await lineament(['detect', '--json', '--no-landmarks', sample(1), sample(2)]);
  const crops = [];
  for (const [i, { width, height, faces }] of (JSON.parse(stdout) as Found).images.entries()) {
    for (const { box } of faces) {
      const [x = 0, y = 0, w = 0, h = 0] = box;
      const left = Math.max(0, Math.floor(x - w / 2));
      const top = Math.max(0, Math.floor(y - h / 2));
      const size = {
        width: Math.min(width - left, Math.floor(2 * w)),
        height: Math.min(height - top, Math.floor(2 * h)),
      };
      crops.push(sharp(sample(i + 1)).extract({ left, top, ...size }));
    }
  }
  expect(crops.length).toBeGreaterThanOrEqual(4);
  for (const [i, name] of [...PERSONS, 'stranger'].entries()) {
    const crop = await crops[i]!.jpeg({ quality: 95 }).toBuffer();
    mkdirSync(file('people', name), { recursive: true });
    mkdirSync(file('probes'), { recursive: true });
    writeFileSync(file('people', name, '1.jpg'), crop);
    await sharp(crop)
      .modulate({ brightness: 0.85 })
      .jpeg({ quality: 80 })
      .toFile(file('people', name, '2.jpg'));
    await sharp(crop)
      .resize({ width: 200 })
      .modulate({ brightness: 1.1 })
      .jpeg({ quality: 75 })
      .toFile(file('probes', `${name}.jpg`));
  }
  rmSync(file('people', 'stranger'), { recursive: true });
}, 120_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Identified {
  readonly images: readonly {
    readonly faces: readonly {
      readonly match?: { readonly person: string };
      readonly candidates: readonly { readonly person: string; readonly similarity: number; readonly fpir?: number }[];
    }[];
  }[];
}

describe('galleries from the command line', { timeout: 120_000 }, () => {
  it('enrols persons from folders', async () => {
    const done = await json<{ enrolled: { person: string; created: boolean; samples: string[] }[]; failed: [] }>(
      0,
      'enroll',
      file('people'),
      '--consent',
      'form 7',
    );
    expect(done.failed).toEqual([]);
    expect(done.enrolled.map(({ person, created, samples }) => [person, created, samples.length])).toEqual(
      PERSONS.map((person) => [person, true, 2]),
    );
  });

  it('identifies them, and nobody who is not there', async () => {
    for (const person of PERSONS) {
      const { images } = await json<Identified>(0, 'identify', file('probes', `${person}.jpg`));
      expect(images[0]?.faces[0]?.match).toMatchObject({ person });
      expect(images[0]?.faces[0]?.candidates[0]?.fpir).toBeGreaterThan(0);
    }
    const { images } = await json<Identified>(1, 'identify', file('probes', 'stranger.jpg'), '--fmr', '0.001');
    expect(images[0]?.faces[0]?.match).toBeUndefined();
    expect(images[0]?.faces[0]?.candidates.length).toBeGreaterThan(0);
    const shown = await run('identify', file('probes', 'ada.jpg'));
    expect(shown.stdout).toMatch(/ada .*%/s);
  });

  it('lists, shows and counts', async () => {
    const { persons } = await json<{ persons: { id: string; samples: number }[] }>(0, 'gallery', 'list');
    expect(persons.map(({ id, samples }) => [id, samples])).toEqual(PERSONS.map((person) => [person, 2]));
    const ada = await json<{ samples: { consent: string; quality: number; source: string }[] }>(
      0,
      'gallery',
      'show',
      'ada',
    );
    expect(ada.samples[0]).toMatchObject({ consent: 'form 7', source: file('people', 'ada', '1.jpg') });
    expect(ada.samples[0]!.quality).toBeGreaterThan(0);
    expect(await json(0, 'gallery', 'stats')).toMatchObject({
      persons: 3,
      samples: 6,
      sealed: false,
      collections: [{ name: 'default', modelHash: expect.stringMatching(/^[0-9a-f]{64}$/) as string }],
    });
    expect((await run('gallery', 'list')).stdout).toContain('3 persons');
    expect(await json(0, 'gallery', 'check')).toMatchObject({ ok: true, samples: 6 });
  });

  it('exports, and imports what was exported', async () => {
    await json(0, 'gallery', 'export', '-o', file('all.jsonl'));
    expect(readFileSync(file('all.jsonl'), 'utf8').trim().split('\n').length).toBeGreaterThanOrEqual(
      PERSONS.length + 1,
    );
    const other = ['-g', file('copy')];
    expect(await json(0, 'gallery', 'import', file('all.jsonl'), ...other)).toMatchObject({ created: 3, samples: 6 });
    const { images } = await json<Identified>(0, 'identify', file('probes', 'grace.jpg'), ...other);
    expect(images[0]?.faces[0]?.match).toMatchObject({ person: 'grace' });
    expect((await failure('gallery', 'import', file('all.jsonl'), ...other)).code).toBe('DUPLICATE_ID');
  });

  it('merges and takes it back', async () => {
    const { operation } = await json<{ operation: number }>(0, 'gallery', 'merge', 'ada', 'grace');
    expect((await failure('gallery', 'show', 'grace')).code).toBe('NOT_FOUND');
    await json(0, 'gallery', 'undo', String(operation));
    expect(await json(0, 'gallery', 'show', 'grace')).toMatchObject({ samples: [{}, {}] });
    expect(await json<{ operations: object[] }>(0, 'gallery', 'history')).toMatchObject({
      operations: [{ kind: 'merge', undone: true }],
    });
  });

  it('deletes with a receipt that can be checked, and not without being told', async () => {
    expect((await failure('gallery', 'delete', 'katherine')).fix).toContain('--yes');
    await json(0, 'gallery', 'delete', 'katherine', '--yes', '-o', file('receipt.json'));
    const receipt = JSON.parse(readFileSync(file('receipt.json'), 'utf8')) as Receipt;
    expect(verifyReceipt(receipt)).toBe(true);
    expect(receiptCovers(receipt, 'katherine')).toBe(true);
    const { images } = await json<Identified>(1, 'identify', file('probes', 'katherine.jpg'), '--fmr', '0.001');
    expect(images[0]?.faces[0]?.candidates.map(({ person }) => person)).not.toContain('katherine');
  });

  it('keeps a sealed gallery sealed', async () => {
    const keys = file('keys');
    const own = ['-g', file('sealed'), '--key', keys];
    await json(0, 'gallery', 'new-key', keys);
    await json(
      0,
      'enroll',
      '--person',
      'ada',
      '--name',
      'Ada L.',
      '--thumbnails',
      file('people', 'ada', '1.jpg'),
      ...own,
    );
    expect(await json(0, 'gallery', 'stats', ...own)).toMatchObject({ sealed: true, samples: 1 });
    expect((await failure('gallery', 'list', '-g', file('sealed'))).code).toBe('KEY_NOT_FOUND');
    await json(0, 'gallery', 'new-key', file('others'));
    expect((await failure('gallery', 'list', '-g', file('sealed'), '--key', file('others'))).code).toBe('KEY_MISMATCH');
    expect(await json<{ renewed: number }>(0, 'gallery', 'rotate-key', keys, ...own)).toMatchObject({
      renewed: expect.any(Number) as number,
    });
    const { images } = await json<Identified>(0, 'identify', file('probes', 'ada.jpg'), ...own);
    expect(images[0]?.faces[0]?.match).toMatchObject({ person: 'ada', name: 'Ada L.' });
  });

  it('says what is wrong with a command, and writes nothing then', async () => {
    expect((await failure('enroll', file('people', 'ada', '1.jpg'))).fix).toContain('--person');
    const other = await failure('enroll', '--preset', 'fast', '--person', 'x', file('people', 'ada', '1.jpg'));
    expect(other).toMatchObject({
      code: 'EMBEDDING_MISMATCH',
      fix: expect.stringContaining('another collection') as string,
    });
    expect((await failure('gallery', 'lits')).fix).toContain('list');
    expect((await failure('gallery', 'show')).code).toBe('INVALID_ARGUMENT');
    expect((await failure('identify', file('probes'), '-g', file('nowhere'))).code).toBe('STORE_NOT_FOUND');
    expect((await failure('enroll', '--person', 'x', sample(1), '--expires', 'soon')).code).toBe('INVALID_ARGUMENT');
    const unnamed = await lineament(['gallery', 'list', '--json'], { env: { LINEAMENT_GALLERY: '' } });
    expect(unnamed.stderr).toContain('LINEAMENT_GALLERY');
    expect(existsSync(file('nowhere'))).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });
});
