import { describe, expect, it } from 'vitest';
import { fixedLayout, freeLayout } from '../../lib/detection/regions.js';
import { applyRegion } from '../../lib/image/geometry.js';

describe('freeLayout', () => {
  it('gives 640×480 the input 512×384 without padding', () => {
    const { width, height, regions } = freeLayout(640, 480, 512, 32, undefined);
    expect([width, height]).toEqual([512, 384]);
    expect(regions).toEqual([[1.25, 0, 0, 0, 1.25, 0]]);
  });

  it('rounds the shorter side up and keeps the scale the same in both directions', () => {
    const { width, height, regions } = freeLayout(1000, 667, 512, 32, undefined);
    expect([width, height]).toEqual([512, 352]);
    const [region] = regions;
    expect(region![0]).toBe(region![4]);
    expect(applyRegion(region!, 512, 0)[0]).toBeCloseTo(1000, 9);
    expect(applyRegion(region!, 0, 352)[1]).toBeGreaterThanOrEqual(667);
  });

  it('takes a portrait, a line of pixels and a single pixel', () => {
    expect(freeLayout(480, 640, 512, 32, undefined)).toMatchObject({ width: 384, height: 512 });
    expect(freeLayout(20_000, 1, 512, 32, undefined)).toMatchObject({ width: 512, height: 32 });
    expect(freeLayout(1, 1, 512, 32, undefined)).toMatchObject({ width: 512, height: 512 });
  });

  it('cuts tiles that cover the picture and overlap as asked', () => {
    const tiles = { columns: 2, rows: 2, overlap: 0.2, whole: true };
    const { width, height, regions } = freeLayout(1800, 900, 640, 32, tiles);
    expect([width, height]).toEqual([640, 320]);
    expect(regions).toHaveLength(5);
    const [whole, first, second, , last] = regions;
    expect(applyRegion(whole!, 640, 320)).toEqual([1800, 900]);
    const [right] = applyRegion(first!, 640, 320);
    const [left] = applyRegion(second!, 0, 0);
    expect((right - left) / right).toBeCloseTo(0.2, 9);
    const end = applyRegion(last!, 640, 320);
    expect(end[0]).toBeCloseTo(1800, 9);
    expect(end[1]).toBeCloseTo(900, 9);
  });
});

describe('fixedLayout', () => {
  it('fits and centres the picture', () => {
    const { width, height, regions } = fixedLayout(640, 480, { width: 256, height: 256 }, undefined);
    expect([width, height]).toEqual([256, 256]);
    expect(applyRegion(regions[0]!, 128, 128)).toEqual([320, 240]);
    expect(applyRegion(regions[0]!, 0, 32)).toEqual([0, 0]);
    expect(applyRegion(regions[0]!, 256, 224)).toEqual([640, 480]);
  });
});
