import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PRESETS } from '../../lib/engine/presets.js';
import { fmrAt, parseCalibration, readCalibration, similarityAt } from '../../lib/models/calibration.js';
import { parseCard, tensorSpec } from '../../lib/models/card.js';
import { openPack } from '../../lib/models/pack.js';
import { packageRoot } from '../../lib/native/package.js';

const cards = join(packageRoot, 'models', 'cards');

describe('cards', () => {
  it('of this package are all valid', async () => {
    const names = (await readdir(cards)).filter((n) => n.endsWith('.json'));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const card = parseCard(await readFile(join(cards, name), 'utf8'), name);
      expect(`${card.id}.json`).toBe(name);
    }
  });

  it('describe the tensor that a network is given', async () => {
    const card = parseCard(await readFile(join(cards, 'faceapi_recognition.json'), 'utf8'), 'x');
    const spec = tensorSpec(card);
    expect(spec).toMatchObject({ width: 150, height: 150, colour: 'rgb', layout: 'nchw', type: 'float32' });
    expect(spec.offset[0]).toBeCloseTo(-122.782 / 255, 6);
  });

  it('are refused when they are no JSON, miss a field or name a path', () => {
    const good = JSON.stringify({ id: 'a', task: 't', licence: 'l', file: '../a.onnx' });
    for (const text of ['{', 'null', '{}', good]) {
      expect(() => parseCard(text, 'a.json')).toThrow(/the model card a\.json/);
    }
    expect(() => parseCard(good, 'a.json')).toThrow("'file'");
  });
});

describe('packs', () => {
  let folder: string;
  const id = 'faceapi_landmarks68_tiny';
  const bytes = Buffer.alloc(1);
  let original: Buffer | undefined;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lineament-pack-'));
    original = await readFile(join(packageRoot, 'models', 'pack', `${id}.onnx`)).catch(() => undefined);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const put = async (data: Uint8Array): Promise<void> => writeFile(join(folder, `${id}.onnx`), data);

  it('read a file that is the one of its card', async (context) => {
    if (original === undefined) return context.skip('models/pack is not built');
    await put(original);
    const data = await (await openPack(folder)).read(id);
    const card = await (await openPack(folder)).card(id);
    expect(createHash('sha256').update(data).digest('hex')).toBe(card.sha256);
  });

  it('refuse a tampered file by name, with the fix', async (context) => {
    if (original === undefined) return context.skip('models/pack is not built');
    const tampered = Buffer.from(original);
    tampered[tampered.length >> 1]! ^= 1;
    await put(tampered);
    const error = await (await openPack(folder)).read(id).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'MODEL_HASH_MISMATCH' });
    expect((error as Error).message).toContain(join(folder, `${id}.onnx`));
    expect((error as { fix: string }).fix).toContain('npm run models');
  });

  it('refuse a truncated and a missing file, and recover when the file is put right', async (context) => {
    if (original === undefined) return context.skip('models/pack is not built');
    const pack = await openPack(folder);
    await put(original);
    await truncate(join(folder, `${id}.onnx`), 1000);
    await expect(pack.read(id)).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    await put(Buffer.concat([original, bytes]));
    await expect(pack.read(id)).rejects.toMatchObject({ code: 'MODEL_HASH_MISMATCH' });
    await rm(join(folder, `${id}.onnx`));
    await expect(pack.read(id)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await put(original);
    await expect(pack.read(id)).resolves.toHaveLength(original.length);
  });

  it('refuse an unknown model, a path for an id and a folder that is not there', async () => {
    const pack = await openPack(folder);
    await expect(pack.read('no_such_model')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(pack.read('../cards/x')).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(openPack(join(folder, 'nowhere'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await mkdir(join(folder, 'copy'), { recursive: true });
    await cp(join(cards, `${id}.json`), join(folder, 'copy', 'not-a-folder'));
    await expect(openPack(join(folder, 'copy', 'not-a-folder'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
  });
});

describe('calibration', () => {
  const text = JSON.stringify({
    model: 'm',
    metric: 'cosine',
    impostors: 10_000,
    defaultFmr: 0.001,
    points: [
      { similarity: 0.1, fmr: 0.1 },
      { similarity: 0.3, fmr: 0.01 },
      { similarity: 0.6, fmr: 0.0001 },
    ],
  });
  const calibration = parseCalibration(text, 'm.json');

  it('goes through its points and is straight in the logarithm between them', () => {
    expect(similarityAt(calibration, 0.01)).toBeCloseTo(0.3, 12);
    expect(similarityAt(calibration, 0.001)).toBeCloseTo(0.45, 12);
    expect(fmrAt(calibration, 0.45)).toBeCloseTo(0.001, 12);
    expect(fmrAt(calibration, 0.6)).toBeCloseTo(0.0001, 12);
  });

  it('does not extrapolate', () => {
    expect(() => similarityAt(calibration, 1e-6)).toThrow('Expected number from 0.0001 to 0.1');
    expect(() => similarityAt(calibration, 0.5)).toThrow('Expected number');
    expect(fmrAt(calibration, 0.7)).toBeUndefined();
    expect(fmrAt(calibration, 0)).toBeUndefined();
  });

  it.each(Object.values(PRESETS))('is there for the preset $name', async ({ recognition }) => {
    const measured = await readCalibration(recognition.model);
    expect(measured?.impostors).toBeGreaterThan(1000);
    expect(() => similarityAt(measured!, measured!.defaultFmr)).not.toThrow();
  });

  it('is refused when the curve is none, and absent where there is none', async () => {
    for (const points of [
      [],
      [{ similarity: 0, fmr: 0.1 }],
      [
        { similarity: 1, fmr: 0.1 },
        { similarity: 0, fmr: 0.2 },
      ],
    ]) {
      expect(() => parseCalibration(JSON.stringify({ ...JSON.parse(text), points }), 'm.json')).toThrow('m.json');
    }
    await expect(readCalibration('no-such-recogniser')).resolves.toBeUndefined();
  });
});
