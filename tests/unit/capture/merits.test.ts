import { describe, expect, it } from 'vitest';
import { backoffOf, delayBefore } from '../../../lib/capture/backoff.js';
import { MERIT_WEIGHTS, rateFace } from '../../../lib/capture/merits.js';
import type { AnalyzedFace } from '../../../lib/engine/index.js';

const good: AnalyzedFace = {
  box: [100, 100, 200, 220],
  score: 0.98,
  pose: { roll: 0, yaw: 2, pitch: 1 },
  sharpness: 600,
  exposure: { mean: 125, contrast: 50, underexposed: 0, overexposed: 0 },
  quality: {
    score: 80,
    guidance: [],
    components: {
      sharpness: { value: 1.1, unit: 'px', score: 96 },
      eyesOpen: { value: 0.3, unit: 'ratio', score: 95 },
    },
  },
};

const quality = (sharpness: number, eyes: number): NonNullable<AnalyzedFace['quality']> => ({
  score: 50,
  guidance: [],
  components: {
    sharpness: { value: 2, unit: 'px', score: sharpness },
    eyesOpen: { value: 0.2, unit: 'ratio', score: eyes },
  },
});

describe('merits of a face', () => {
  it('name everything that was measured, each from 0 to 1', () => {
    const { score, merits } = rateFace(good);
    expect(merits.map(({ name }) => name).sort()).toEqual(Object.keys(MERIT_WEIGHTS).sort());
    for (const merit of merits) {
      expect(merit.score).toBeGreaterThanOrEqual(0);
      expect(merit.score).toBeLessThanOrEqual(1);
    }
    expect(score).toBeGreaterThan(0.9);
    expect(score).toBeLessThanOrEqual(1);
  });

  it.each<[string, Partial<AnalyzedFace>]>([
    ['blurred', { quality: quality(20, 95) }],
    ['with closed eyes', { quality: quality(96, 10) }],
    ['small', { box: [100, 100, 60, 66] }],
    ['turned away', { pose: { roll: 0, yaw: 40, pitch: 0 } }],
    ['tilted', { pose: { roll: 50, yaw: 0, pitch: 0 } }],
    ['dark', { exposure: { mean: 45, contrast: 20, underexposed: 0.1, overexposed: 0 } }],
    ['overexposed', { exposure: { mean: 200, contrast: 60, underexposed: 0, overexposed: 0.3 } }],
    ['uncertain', { score: 0.4 }],
  ])('are fewer where it is %s', (_, change) => {
    expect(rateFace({ ...good, ...change }).score).toBeLessThan(rateFace(good).score - 0.03);
  });

  it('are worse where nothing is known than where all is well, and better than where all is bad', () => {
    const unknown = rateFace({ box: good.box, score: good.score });
    const bad = rateFace({ ...good, pose: { roll: 0, yaw: 80, pitch: 0 }, quality: quality(0, 0) });
    expect(unknown.merits.map(({ name }) => name)).toEqual(['size', 'detection']);
    expect(unknown.score).toBeLessThan(rateFace(good).score);
    expect(unknown.score).toBeGreaterThan(bad.score);
    expect(bad.score).toBeGreaterThan(0);
  });

  it('take the variance of the Laplacian where the face is too small for the blur', () => {
    const { merits } = rateFace({ ...good, quality: { score: 1, guidance: [], components: {} } });
    expect(merits.find(({ name }) => name === 'sharpness')?.value).toBe(600);
  });
});

describe('waiting before another try', () => {
  it('doubles up to its limit', () => {
    const backoff = backoffOf({ firstDelayMs: 100, mostDelayMs: 1000 });
    expect([1, 2, 3, 4, 5, 100].map((n) => delayBefore(n, backoff))).toEqual([100, 200, 400, 800, 1000, 1000]);
    expect(backoff.attempts).toBe(Infinity);
    expect(backoffOf(false).attempts).toBe(0);
    expect(backoffOf({ attempts: 3 }).attempts).toBe(3);
  });
});
