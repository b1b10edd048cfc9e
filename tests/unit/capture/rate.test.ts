import { describe, expect, it } from 'vitest';
import { Rate } from '../../../lib/capture/rate.js';

describe('a rate', () => {
  it('is right from the second picture on', () => {
    const rate = new Rate();
    expect(rate.at(0)).toBe(0);
    rate.note(1000, 1);
    expect(rate.at(1010)).toBe(0);
    rate.note(1067, 2);
    expect(rate.at(1070)).toBeCloseTo(15, 0);
    for (let i = 2; i < 40; i++) rate.note(1000 + i * (1000 / 15), i + 1);
    expect(rate.at(3600)).toBeCloseTo(15, 3);
  });

  it('does not count what a stream had gathered, nor the time without a connection', () => {
    const rate = new Rate();
    for (let i = 0; i < 30; i++) rate.note(500 + i, i + 1);
    for (let i = 1; i <= 4; i++) rate.note(529 + i * 100, 30 + i);
    expect(rate.at(930)).toBeGreaterThan(8);
    expect(rate.at(930)).toBeLessThan(12);
    rate.reset();
    expect(rate.at(930)).toBe(0);
    rate.note(60_000, 40);
    rate.note(60_100, 41);
    expect(rate.at(60_100)).toBeCloseTo(10);
    expect(rate.at(70_000)).toBe(0);
  });
});
