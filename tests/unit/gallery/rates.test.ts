import { describe, expect, it } from 'vitest';
import { Rates, ratesAt } from '../../../lib/gallery/rates.js';
import type { Calibration } from '../../../lib/models/index.js';

const calibration: Calibration = {
  model: 'net',
  metric: 'cosine',
  impostors: 100_000,
  defaultFmr: 1e-2,
  points: [
    { similarity: 0.2, fmr: 0.1 },
    { similarity: 0.5, fmr: 1e-4 },
  ],
};

describe('rates', () => {
  it('turn a wish into a threshold', async () => {
    const rates = new Rates(calibration);
    expect(await rates.threshold('net', {}, 10)).toMatchObject({ threshold: expect.closeTo(0.3, 9), fmr: 1e-2 });
    expect((await rates.threshold('net', { fmr: 1e-4 }, 10)).threshold).toBeCloseTo(0.5, 9);
    // 1 − (1 − FMR)^100 = 0.05
    const { fmr, threshold } = await rates.threshold('net', { fpir: 0.05 }, 100);
    expect(fmr).toBeCloseTo(1 - 0.95 ** 0.01, 12);
    expect(threshold).toBeGreaterThan(0.3);
    expect(await rates.threshold('net', { threshold: 0.35 }, 10)).toMatchObject({
      threshold: 0.35,
      fmr: expect.closeTo(10 ** -2.5, 9),
    });
    expect(await rates.threshold('net', { threshold: 0.9 }, 10)).not.toHaveProperty('fmr');
    expect(await rates.threshold('unknown', { threshold: 0.9 }, 10)).toEqual({ threshold: 0.9 });
    // A protected template is judged as the model beneath it.
    expect((await rates.threshold('net#rotation:key-1', {}, 10)).fmr).toBe(1e-2);
    await expect(rates.threshold('unknown', {}, 10)).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(rates.threshold('net', { fpir: 1e-9 }, 1000)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
  });

  it('say what a similarity implies, and when that is a bound only', () => {
    expect(ratesAt(undefined, 0.4, 10)).toEqual({});
    const within = ratesAt(calibration, 0.35, 1000);
    expect(within.fmr).toBeCloseTo(10 ** -2.5, 9);
    expect(within.fpir).toBeCloseTo(1 - (1 - 10 ** -2.5) ** 1000, 9);
    expect(within).not.toHaveProperty('ratesAtMost');
    expect(ratesAt(calibration, 1.0000001, 10)).toMatchObject({ fmr: 1e-4, ratesAtMost: true });
    expect(ratesAt(calibration, 0, 10)).toMatchObject({ fmr: 1, fpir: 1, ratesAtMost: true });
  });
});
