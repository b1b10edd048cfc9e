import { describe, expect, it } from 'vitest';
import { type Calibration, fmrForFpir, fpirAt, impliedFmr } from '../../lib/models/index.js';

const calibration: Calibration = {
  model: 'm',
  metric: 'cosine',
  impostors: 1000,
  defaultFmr: 0.01,
  points: [
    { similarity: 0.2, fmr: 0.1 },
    { similarity: 0.4, fmr: 0.01 },
  ],
};

describe('rates of a gallery', () => {
  it('is the false match rate for a gallery of one', () => {
    expect(fpirAt(calibration, 0.4, 1)).toEqual({ rate: expect.closeTo(0.01, 12), atMost: false });
    expect(fpirAt(calibration, 0.3, 1).rate).toBeCloseTo(Math.sqrt(0.1 * 0.01), 12);
  });

  it('grows with the gallery as independent comparisons do', () => {
    expect(fpirAt(calibration, 0.4, 100).rate).toBeCloseTo(1 - 0.99 ** 100, 12);
    expect(fpirAt(calibration, 0.4, 0).rate).toBe(0);
    expect(fpirAt(calibration, 0.4, 1e9).rate).toBe(1);
  });

  it('gives bounds, and says so, outside what was measured', () => {
    expect(impliedFmr(calibration, 0.9)).toEqual({ rate: 0.01, atMost: true });
    expect(impliedFmr(calibration, 0.1)).toEqual({ rate: 1, atMost: true });
    expect(fpirAt(calibration, 0.9, 10)).toEqual({ rate: expect.closeTo(1 - 0.99 ** 10, 12), atMost: true });
  });

  it('turns back: the rate of a comparison from that of a gallery', () => {
    for (const size of [1, 1000, 1e8]) {
      const fmr = fmrForFpir(0.01, size);
      expect(-Math.expm1(size * Math.log1p(-fmr))).toBeCloseTo(0.01, 12);
    }
    expect(fmrForFpir(1, 10)).toBe(1);
  });

  it('refuses what is not a similarity or a size', () => {
    for (const call of [
      () => fpirAt(calibration, Number.NaN, 1),
      () => fpirAt(calibration, 0.4, -1),
      () => fmrForFpir(0, 1),
      () => fmrForFpir(0.1, 0),
    ]) {
      expect(call).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    }
  });
});
