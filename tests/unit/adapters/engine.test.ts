import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CATALOGUE_PRESETS, type CataloguePresetName, type Engine, openEngine } from '../../../lib/engine/index.js';
import { openCatalogue } from '../../../lib/models/catalogue/index.js';
import { random } from '../../support/random.js';
import { SAMPLE_FACES, sample } from '../../support/samples.js';
import { linearNetwork, type SmallModel, type SmallPack, scrfdNetwork } from '../../support/small-networks.js';
import { type Bench, openBench, paint, waves } from './bench.js';

/** Networks of `buffalo_s`, AdaFace and FaceNet by their contracts. */
function models(): Record<string, SmallModel> {
  const next = random(9);
  const noise = (length: number, spread: number): Float32Array =>
    Float32Array.from({ length }, () => spread * (next() - 0.5));
  const embedding = (size: number, batch: 'N' | 1): SmallModel => ({
    bytes: linearNetwork({
      channels: 3,
      size,
      pool: size / 8,
      batch,
      output: '516',
      bias: new Float32Array(512),
      weights: noise(3 * 64 * 512, 1),
    }),
  });
  const values = (count: number, size: number): SmallModel => ({
    bytes: linearNetwork({
      channels: 3,
      size,
      pool: size,
      output: 'fc1',
      bias: noise(count, 1.2),
      weights: noise(3 * count, 1e-3),
    }),
  });
  return {
    insightface_scrfd_500m: { bytes: scrfdNetwork() },
    insightface_arcface_mbf: embedding(112, 'N'),
    insightface_2d106: values(212, 192),
    insightface_genderage: values(3, 96),
    adaface_ir101: embedding(112, 1),
    facenet_vggface2: embedding(160, 1),
  };
}

/** Two faces by the small detector, a blue and a green one, on black; patterns between them for the recogniser to see. */
const picture = paint(640, 480, (x, y) => {
  if (Math.floor(x / 32) === 5 && Math.floor(y / 32) === 6) return [0, 0, 255];
  if (Math.floor(x / 32) === 13 && Math.floor(y / 32) === 6) return [0, 0, 240];
  return waves(x, y).map((value) => value / 3);
});

let bench: Bench;
let pack: SmallPack;
let engine: Engine;
beforeAll(async () => {
  bench = await openBench();
  pack = await bench.pack(models());
  engine = await openEngine({ preset: 'buffalo_s', models: pack, threads: 1 });
});
afterAll(async () => {
  await engine?.close();
  await bench?.[Symbol.asyncDispose]();
});

describe('an engine with networks of the catalogue', () => {
  it('finds and embeds faces by the key points alone', async () => {
    const faces = await engine.detect(picture);
    expect(faces).toHaveLength(2);
    const embeddings = await engine.embed(picture, { all: true });
    expect(embeddings.map(({ model, dims }) => [model, dims])).toEqual([
      ['arcface_mbf', 512],
      ['arcface_mbf', 512],
    ]);
    expect(engine.compare(embeddings[0]!, embeddings[1]!)).toBeLessThan(0.999);
    expect(pack.reads.sort()).toEqual(['insightface_arcface_mbf', 'insightface_scrfd_500m']);
  });

  it('says what it is asked for, with attributes from the box and landmarks from the 106', async () => {
    const ask = { landmarks: true, pose: true, embedding: true, attributes: ['age', 'gender'] } as const;
    const [face] = await engine.analyze(picture, ask);
    expect(face!.landmarks).toHaveLength(68);
    expect(face!.age).toBeGreaterThanOrEqual(0);
    expect(face!.gender!.probability).toBeGreaterThanOrEqual(0.5);
    // The detector's key points align the face, whatever else is known.
    const [alone] = await engine.embed(picture, { all: true });
    expect(engine.compare(face!.embedding!, alone!)).toBeGreaterThan(0.999999);
    expect(pack.reads).not.toContain('faceapi_landmarks68');
  });

  it('looks at known faces again as at first', async () => {
    const faces = await engine.detect(picture);
    const [first] = await engine.embed(picture, { all: true });
    const [again] = await engine.analyzeFaces(picture, faces, { embedding: true });
    expect(engine.compare(again!.embedding!, first!)).toBeGreaterThan(0.999999);
    const [twice] = await engine.analyzeFaces(picture, [again!], { embedding: true });
    expect(engine.compare(twice!.embedding!, first!)).toBeGreaterThan(0.999999);
    // A face from elsewhere has no key points: they come from landmarks, which are looked for.
    const [foreign] = await engine.analyzeFaces(picture, [{ box: faces[0]!.box, score: 1 }], { embedding: true });
    expect(foreign!.embedding!.dims).toBe(512);
  });

  it('is pinned to the hashes of the cards', async () => {
    const { sha256 } = await pack.card('insightface_arcface_mbf');
    expect(await engine.recogniser()).toEqual({
      model: 'arcface_mbf',
      dims: 512,
      hash: createHash('sha256').update(sha256).digest('hex'),
    });
  });

  it('knows no threshold of its own, and says how to get one', async () => {
    for (const options of [{}, { fmr: 0.001 }]) {
      const error = await engine.verify(picture, picture, options).catch((e: unknown) => e);
      expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND' });
      expect((error as Error).message).toContain("no calibration for 'arcface_mbf'");
      expect((error as { fix: string }).fix).toContain('lineament calibrate');
    }
    const [embedding] = await engine.embed(picture, { all: true });
    await expect(engine.identify(embedding!, [])).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    const answer = await engine.verify(picture, picture, { threshold: 0.3 });
    expect(answer).toEqual({ similarity: expect.closeTo(1, 5), threshold: 0.3, match: true });
  });

  it('takes a calibration of its own for threshold and rate', async () => {
    const calibration = {
      model: 'arcface_mbf',
      metric: 'cosine',
      impostors: 5000,
      defaultFmr: 0.01,
      points: [
        { similarity: 0.1, fmr: 0.1 },
        { similarity: 0.4, fmr: 0.01 },
        { similarity: 0.999999, fmr: 0.001 },
      ],
    } as const;
    const own = await openEngine({ preset: 'buffalo_s', models: pack, threads: 1, calibration });
    try {
      expect(await own.verify(picture, picture)).toMatchObject({
        threshold: 0.4,
        fmr: expect.closeTo(0.01, 9),
        match: true,
      });
    } finally {
      await own.close();
    }
    const other = await openEngine({ preset: 'adaface', models: pack, threads: 1, calibration });
    try {
      await expect(other.verify(picture, picture)).rejects.toMatchObject({ code: 'EMBEDDING_MISMATCH' });
    } finally {
      await other.close();
    }
  });

  it('refuses presets of networks that it does not know, by name', async () => {
    const { buffalo_s } = CATALOGUE_PRESETS;
    const wrong = [
      { ...buffalo_s, detection: { ...buffalo_s.detection, network: 'scrfd_34g' } },
      { ...buffalo_s, landmarks: { ...buffalo_s.landmarks, network: '5' } },
      {
        ...buffalo_s,
        recognition: { ...buffalo_s.recognition, members: [{ network: 'sface', unit: true, scale: 1 }] },
      },
      { ...buffalo_s, attributes: { expression: 'fer' } },
      { ...buffalo_s, attributes: { ageGender: 'dex' } },
    ];
    for (const preset of wrong) {
      await expect(openEngine({ preset: preset as never })).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringMatching(/Expected one of .* for preset\./),
      });
    }
  });

  it('warms what a call will need', async () => {
    const fresh = await bench.pack(models());
    const warm = await openEngine({ preset: 'buffalo_s', models: fresh, threads: 1 });
    try {
      await warm.warm({ landmarks: true, embedding: true, attributes: ['age'] });
      expect(fresh.reads.sort()).toEqual([
        'insightface_2d106',
        'insightface_arcface_mbf',
        'insightface_genderage',
        'insightface_scrfd_500m',
      ]);
    } finally {
      await warm.close();
    }
  });

  it.each(['adaface', 'facenet'] as const)('needs one file besides the starter pack for %s', async (preset) => {
    const own = await openEngine({ preset, models: pack, threads: 2 });
    try {
      const embeddings = await own.embed(sample(1), { all: true });
      expect(embeddings).toHaveLength(SAMPLE_FACES[1]!);
      expect(embeddings[0]).toMatchObject({ model: CATALOGUE_PRESETS[preset].recognition.model, dims: 512 });
      expect((await own.recogniser()).hash).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      await own.close();
    }
  });

  it('says which model is missing where none was downloaded, and how to fetch it', async () => {
    vi.stubEnv('LINEAMENT_MODEL_CACHE', join(tmpdir(), 'lineament-adapters-none'));
    const bare = await openEngine({ preset: 'buffalo_l', threads: 1 });
    try {
      await expect(bare.detect(picture)).rejects.toMatchObject({
        code: 'MODEL_NOT_FOUND',
        message: expect.stringContaining('insightface_'),
        fix: expect.stringMatching(/lineament models download insightface_/),
      });
    } finally {
      await bare.close();
      vi.unstubAllEnvs();
    }
  });

  it('takes what lies in the cache of downloads, with the hash that it is trusted by', async () => {
    const cache = await mkdtemp(join(tmpdir(), 'lineament-adapters-cache-'));
    vi.stubEnv('LINEAMENT_MODEL_CACHE', cache);
    const { bytes } = models()['facenet_vggface2']!;
    await writeFile(join(cache, 'facenet_vggface2.onnx'), bytes);
    const own = await openEngine({ preset: 'facenet', threads: 2 });
    try {
      const embedding = await own.embed(sample(1));
      expect(embedding).toMatchObject({ model: 'facenet_vggface2', dims: 512 });
      const seen = createHash('sha256').update(bytes).digest('hex');
      expect((await own.recogniser()).hash).toBe(createHash('sha256').update(seen).digest('hex'));
    } finally {
      await own.close();
      vi.unstubAllEnvs();
      await rm(cache, { recursive: true, force: true });
    }
  });
});

/** Presets whose networks lie in the cache that `LINEAMENT_MODEL_CACHE` names. */
const NEEDED: Readonly<Record<CataloguePresetName, readonly string[]>> = {
  buffalo_l: ['insightface_scrfd_10g', 'insightface_3d68', 'insightface_arcface_r50', 'insightface_genderage'],
  buffalo_m: ['insightface_scrfd_2_5g', 'insightface_3d68', 'insightface_arcface_r50', 'insightface_genderage'],
  buffalo_s: ['insightface_scrfd_500m', 'insightface_2d106', 'insightface_arcface_mbf', 'insightface_genderage'],
  arcface_r100: ['insightface_scrfd_10g', 'insightface_arcface_r100'],
  adaface: ['adaface_ir101'],
  facenet: ['facenet_vggface2'],
};

describe('the published networks', async () => {
  const cache = process.env['LINEAMENT_MODEL_CACHE'];
  const catalogue = cache ? await openCatalogue({ cache, offline: true }) : undefined;
  const present = new Set(
    (await catalogue?.list())?.filter(({ state }) => state === 'present').map(({ id }) => id) ?? [],
  );
  for (const [preset, ids] of Object.entries(NEEDED) as [CataloguePresetName, readonly string[]][]) {
    const missing = ids.filter((id) => !present.has(id));
    const name = `of ${preset} know the persons of the samples${missing.length > 0 ? ` (LINEAMENT_MODEL_CACHE lacks ${missing.join(', ')})` : ''}`;
    it.skipIf(missing.length > 0)(name, async () => {
      const real = await openEngine({ preset, models: await catalogue!.pack(), threads: 2 });
      try {
        const ask = { landmarks: true, embedding: true, attributes: ['age', 'gender'] } as const;
        const faces = await real.analyze(sample(1), ask);
        expect(faces).toHaveLength(SAMPLE_FACES[1]!);
        for (const { age, landmarks, box } of faces) {
          expect(age).toBeGreaterThan(5);
          expect(age).toBeLessThan(90);
          const inside = landmarks!.filter(
            ([x, y]) => x > box[0] - box[2] / 2 && x < box[0] + 1.5 * box[2] && y > box[1] && y < box[1] + 1.5 * box[3],
          );
          expect(inside.length).toBeGreaterThan(60);
        }
        // Three different persons; each the same again in half the size.
        const { data, width, height } = await real.decode(sample(1));
        const [w, h] = [width >> 1, height >> 1];
        const half = paint(w, h, (x, y) => {
          const at = (2 * Math.floor(y) * width + 2 * Math.floor(x)) * 3;
          return [data[at]!, data[at + 1]!, data[at + 2]!];
        });
        const again = await real.analyze(half, { embedding: true });
        for (const face of faces) {
          const others = again.map((other) => real.compare(face.embedding!, other.embedding!)).sort((a, b) => b - a);
          expect(others[0]).toBeGreaterThan(0.5);
          expect(others[1]).toBeLessThan(others[0]! - 0.2);
        }
      } finally {
        await real.close();
      }
    });
  }
});
