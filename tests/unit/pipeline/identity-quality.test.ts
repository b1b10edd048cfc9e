import { beforeAll, describe, expect, it } from 'vitest';
import { type Embedding, type Frame, openEngine } from '../../../lib/index.js';
import { lookWeight } from '../../../lib/pipeline/identity/index.js';
import { similarity } from '../../../lib/recognition/index.js';
import * as worse from '../../engine/quality-degradations.js';
import { sample } from '../../support/samples.js';
import { codeOf } from './identity-support.js';

interface Measured {
  readonly person: number;
  readonly step: string;
  readonly weight: number;
  /** Cosine with the face before it was made worse. */
  readonly genuine: number;
}

const STEPS: Readonly<Record<string, (frame: Frame, side: number) => Frame | Promise<Frame>>> = {
  'slight blur': (frame) => worse.blur(frame, 1),
  blur: (frame) => worse.blur(frame, 3),
  'strong blur': (frame) => worse.blur(frame, 7),
  '60 px': async (frame, side) => (await worse.shrink(frame, 60 / side, []))[0],
  '24 px': async (frame, side) => (await worse.shrink(frame, 24 / side, []))[0],
  grain: (frame) => worse.noise(frame, 10),
  'strong grain': (frame) => worse.noise(frame, 35),
  dim: (frame) => worse.gain(frame, 0.5),
  dark: (frame) => worse.gain(frame, 0.12),
  glare: (frame) => worse.gain(frame, 2.5),
  recompressed: (frame) => worse.jpeg(frame, 40),
  '40 px, blurred': async (frame, side) => worse.blur((await worse.shrink(frame, 40 / side, []))[0], 2),
};

const rank = (values: readonly number[]): readonly number[] => {
  const order = values.map((_, i) => i).sort((a, b) => values[a]! - values[b]!);
  const ranks: number[] = [];
  for (const [at, i] of order.entries()) ranks[i] = at;
  return ranks;
};

/** Rank correlation (Spearman). */
function correlation(a: readonly number[], b: readonly number[]): number {
  const [x, y] = [rank(a), rank(b)];
  const mean = (a.length - 1) / 2;
  const sum = (of: (i: number) => number): number => a.reduce((total, _, i) => total + of(i), 0);
  return (
    sum((i) => (x[i]! - mean) * (y[i]! - mean)) /
    Math.sqrt(sum((i) => (x[i]! - mean) ** 2) * sum((i) => (y[i]! - mean) ** 2))
  );
}

describe('the weight of a look', () => {
  const all: Measured[] = [];
  let clean: readonly number[] = [];

  beforeAll(async () => {
    await using engine = await openEngine({ preset: 'fast', threads: 1 });
    const ask = { embedding: true, quality: true, pose: true } as const;
    const weights: number[] = [];
    for (const i of [1, 5]) {
      const picture = await engine.decode(sample(i));
      for (const face of await engine.analyze(picture, ask)) {
        const [x, y, width, height] = face.box;
        if (width < 140 || face.embedding === undefined) continue;
        const person = weights.push(lookWeight(face).weight) - 1;
        const cut = [x - width, y - height].map((v) => Math.max(0, Math.floor(v))) as [number, number];
        const [frame] = worse.crop(picture, [...cut, x + 2 * width, y + 2 * height], []);
        for (const [step, make] of Object.entries(STEPS)) {
          const made = await make(frame, width);
          const [found] = await engine.analyze(made, { ...ask, maxFaces: 1 });
          if (found?.embedding === undefined) continue;
          const genuine = similarity(found.embedding, face.embedding as Embedding);
          // Another face of the photograph may be the most prominent one by now.
          if (genuine < 0.9) continue;
          all.push({ person, step, weight: lookWeight(found).weight, genuine });
        }
      }
    }
    clean = weights;
  });

  it('orders degraded photographs as their similarity to the good ones does', () => {
    expect(clean.length).toBeGreaterThanOrEqual(7);
    expect(all.length).toBeGreaterThan(70);
    const rho = correlation(
      all.map(({ weight }) => weight),
      all.map(({ genuine }) => genuine),
    );
    expect(rho).toBeGreaterThan(0.65);
  });

  it('falls with each of blur, size, grain, darkness and glare', () => {
    const mean = (step: string): number => {
      const own = all.filter((one) => one.step === step);
      return own.reduce((sum, { weight }) => sum + weight, 0) / own.length;
    };
    for (const [good, bad] of [
      ['slight blur', 'blur'],
      ['blur', 'strong blur'],
      ['60 px', '24 px'],
      ['60 px', '40 px, blurred'],
      ['grain', 'strong grain'],
      ['dim', 'dark'],
      ['recompressed', 'glare'],
    ] as const) {
      expect(mean(good), `${good} against ${bad}`).toBeGreaterThan(mean(bad));
    }
    for (const { weight } of all) {
      expect(weight).toBeGreaterThanOrEqual(0);
      expect(weight).toBeLessThanOrEqual(1);
    }
  });

  it('takes nothing away for what was not measured, and refuses what is no face', async () => {
    const bare = lookWeight({ box: [0, 0, 200, 200], score: 0.99 });
    expect(bare).toEqual({ weight: 1, factors: { size: 1, detection: 1 } });
    const turned = lookWeight({ box: [0, 0, 200, 200], score: 0.99, pose: { roll: 80, yaw: 60, pitch: 0 } });
    expect(turned.weight).toBeCloseTo(0.25, 12);
    const odd = lookWeight({
      box: [0, 0, 200, 200],
      score: 0.99,
      sharpness: Number.NaN,
      exposure: { mean: Number.NaN, contrast: Number.NaN, underexposed: 0, overexposed: 0 },
      pose: { roll: Number.NaN, yaw: Number.NaN, pitch: 0 },
    });
    expect(odd.weight).toBe(1);
    expect(lookWeight({ box: [0, 0, 8, 8], score: 0.99 }).weight).toBe(0);
    expect(await codeOf(async () => lookWeight({ box: [0, 0, Number.NaN, 8], score: 1 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(async () => lookWeight({ box: [0, 0, 9, 8], score: Number.NaN }))).toBe('INVALID_ARGUMENT');
  });
});
