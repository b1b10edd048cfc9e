import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Embedding, type Engine, openEngine } from '../../lib/index.js';
import { sample } from '../support/samples.js';

let engine: Engine;
let people: { id: string; embedding: Embedding }[];

beforeAll(async () => {
  engine = await openEngine();
  people = [];
  for (const i of [1, 3, 5]) {
    for (const [k, embedding] of (await engine.embed(sample(i), { all: true })).entries()) {
      people.push({ id: `${i}/${k}`, embedding });
    }
  }
});
afterAll(() => engine.close());

const blank = { data: new Uint8Array(64 * 64 * 3).fill(128), width: 64, height: 64, channels: 3 };

describe('embeddings', () => {
  it('lie on the unit sphere and say what made them', () => {
    expect(people).toHaveLength(11);
    for (const { embedding } of people) {
      expect(embedding.model).toBe(engine.preset.recognition.model);
      expect(embedding.vector).toHaveLength(embedding.dims);
      expect(embedding.vector.reduce((sum, v) => sum + v * v, 0)).toBeCloseTo(1, 5);
    }
  });

  it('name the recogniser that made them, with a hash of its networks', async () => {
    const { model, dims, hash } = await engine.recogniser();
    expect(people[0]!.embedding).toMatchObject({ model, dims });
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    await using fast = await openEngine({ preset: 'fast' });
    expect((await fast.recogniser()).hash).not.toBe(hash);
  });

  it('are the same for the same pixels', async () => {
    const again = await engine.embed(sample(3), { all: true });
    const first = people.filter((p) => p.id.startsWith('3/'));
    again.forEach((e, i) => {
      expect([...e.vector]).toEqual([...first[i]!.embedding.vector]);
    });
  });

  it('know everybody again in a turned, smaller, recompressed picture, and nobody for somebody else', async () => {
    for (const i of [1, 3, 5]) {
      const changed = await sharp(sample(i))
        .rotate(12)
        .resize(900)
        .modulate({ brightness: 0.85 })
        .jpeg({ quality: 60 })
        .toBuffer();
      const seen = await engine.embed(changed, { all: true });
      const here = people.filter((p) => p.id.startsWith(`${i}/`));
      expect(seen).toHaveLength(here.length);
      const named = new Set<string>();
      for (const embedding of seen) {
        const [best, second] = await engine.identify(embedding, people, { limit: 2, threshold: -1 });
        expect(best!.similarity).toBeGreaterThan(second!.similarity);
        named.add(best!.id);
      }
      expect(named).toEqual(new Set(here.map((p) => p.id)));
    }
  });

  it('of one face are of the most prominent, and absent where there is none', async () => {
    const [largest] = await engine.analyze(sample(5), { embedding: true, maxFaces: 1 });
    const one = await engine.embed(sample(5));
    expect([...one!.vector]).toEqual([...largest!.embedding!.vector]);
    await expect(engine.embed(blank)).resolves.toBeUndefined();
    await expect(engine.embed(blank, { all: true })).resolves.toEqual([]);
  });

  it('of two recognisers are not compared', async () => {
    await using other = await openEngine({ preset: 'accurate' });
    if (other.preset.recognition.model === engine.preset.recognition.model) return;
    const foreign = await other.embed(sample(3));
    expect(() => engine.compare(people[0]!.embedding, foreign!)).toThrow(
      expect.objectContaining({ code: 'EMBEDDING_MISMATCH' }),
    );
    await expect(engine.verify(people[0]!.embedding, foreign!, { threshold: 0.5 })).rejects.toMatchObject({
      code: 'EMBEDDING_MISMATCH',
    });
    await expect(engine.identify(foreign!, people, { threshold: 0.5 })).rejects.toMatchObject({
      code: 'EMBEDDING_MISMATCH',
    });
  });
});

describe('verify', () => {
  it('takes pictures and embeddings, and a threshold', async () => {
    const face = await sharp(sample(3)).extract({ left: 500, top: 250, width: 400, height: 450 }).jpeg().toBuffer();
    const self = await engine.verify(face, face, { threshold: 0.9 });
    expect(self.similarity).toBeCloseTo(1, 5);
    expect(self).toMatchObject({ threshold: 0.9, match: true });
    const [a, b] = people;
    const other = await engine.verify(a!.embedding, b!.embedding, { threshold: 0.999 });
    expect(other.match).toBe(false);
    expect(other.similarity).toBe(engine.compare(a!.embedding, b!.embedding));
  });

  it('keeps to a false match rate by the calibration', async () => {
    const [a, b] = people;
    const strict = await engine.verify(a!.embedding, b!.embedding, { fmr: 0.001 });
    const loose = await engine.verify(a!.embedding, b!.embedding, { fmr: 0.1 });
    expect(strict.fmr).toBe(0.001);
    expect(strict.threshold).toBeGreaterThan(loose.threshold);
    expect(strict.match).toBe(false);
    const byDefault = await engine.verify(a!.embedding, a!.embedding);
    expect(byDefault.match).toBe(true);
    expect(byDefault.fmr).toBeGreaterThan(0);
    const given = await engine.verify(a!.embedding, b!.embedding, { threshold: strict.threshold });
    expect(given.fmr).toBeCloseTo(0.001, 6);
    await expect(engine.verify(a!.embedding, b!.embedding, { fmr: 1e-9 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
  });

  it('tells the people of a photograph apart', async () => {
    for (const { id, embedding } of people) {
      // Friends of one photograph are certainly different persons; across photographs the same one may come back.
      const here = people.filter((p) => p.id.split('/')[0] === id.split('/')[0]);
      const matches = await engine.identify(embedding, here, { limit: here.length, fmr: 0.001 });
      expect(matches.map((m) => m.id)).toEqual([id]);
    }
  });

  it('says which picture has no face', async () => {
    const error = await engine.verify(sample(3), blank, { threshold: 0.5 }).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'NO_FACE', message: expect.stringContaining('second') });
  });

  it('refuses a rate together with a threshold, and rates that are none', async () => {
    const [a, b] = people.map((p) => p.embedding) as [Embedding, Embedding];
    for (const options of [
      { fmr: 0.01, threshold: 0.5 },
      { fmr: 0 },
      { fmr: 2 },
      { threshold: Number.NaN },
      { rate: 1 },
    ]) {
      await expect(engine.verify(a, b, options as object)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });
});

describe('analyze', () => {
  it('gives what is asked and nothing else', async () => {
    const everything = await engine.analyze(sample(3), {
      landmarks: true,
      pose: true,
      quality: true,
      embedding: true,
      attributes: ['expression', 'age', 'gender'],
    });
    expect(everything).toHaveLength(3);
    for (const face of everything) {
      expect(Object.keys(face).sort()).toEqual(
        [
          'age',
          'box',
          'embedding',
          'exposure',
          'expression',
          'gender',
          'landmarks',
          'lids',
          'pose',
          'quality',
          'score',
          'sharpness',
          'size',
        ].sort(),
      );
      expect(face.expression!.probability).toBe(Math.max(...Object.values(face.expression!.probabilities)));
      expect(Object.values(face.expression!.probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
      expect(face.gender!.label).toBe('female');
      expect(face.age).toBeGreaterThan(10);
      expect(face.age).toBeLessThan(60);
      expect(face.size).toBe(Math.min(face.box[2], face.box[3]));
      expect(face.sharpness).toBeGreaterThan(0);
      expect(Math.abs(face.pose!.roll)).toBeLessThan(30);
    }
    const pose = await engine.analyze(sample(3), { pose: true });
    expect(Object.keys(pose[0]!).sort()).toEqual(['box', 'pose', 'score']);
  });

  it('finds a blurred picture less sharp', async () => {
    const blurred = await sharp(sample(3)).blur(4).png().toBuffer();
    const [sharpFace] = await engine.analyze(sample(3), { quality: true, maxFaces: 1 });
    const [soft] = await engine.analyze(blurred, { quality: true, maxFaces: 1 });
    expect(soft!.sharpness).toBeLessThan(sharpFace!.sharpness! / 4);
  });

  it('turns with the head', async () => {
    const ask = { pose: true, embedding: true };
    const upright = await engine.analyze(sample(3), ask);
    const turned = await engine.analyze(await sharp(sample(3)).rotate(12).png().toBuffer(), ask);
    expect(turned).toHaveLength(upright.length);
    for (const face of upright) {
      const candidates = turned.map((f, i) => ({ id: String(i), embedding: f.embedding! }));
      const [best] = await engine.identify(face.embedding!, candidates, { threshold: -1 });
      const turn = turned[Number(best!.id)]!.pose!.roll - face.pose!.roll;
      expect(Math.abs(turn - 12)).toBeLessThan(8);
    }
  });
});
