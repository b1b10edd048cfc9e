import { describe, expect, it } from 'vitest';
import { suppress } from '../../lib/detection/detect.js';
import type { Tiling } from '../../lib/detection/plan.js';
import { fixedLayout, freeLayout, longSideFor, tilesOf, touchesInnerEdge } from '../../lib/detection/regions.js';
import { applyRegion, intersectionOverSmaller } from '../../lib/image/geometry.js';

const whole = (width: number, height: number) => ({ x: 0, y: 0, width, height });
const tiling: Tiling = { columns: 2, rows: 2, overlap: 0.2, longSide: 512, margin: 0.02 };

describe('freeLayout', () => {
  it('gives 640×480 the input 512×384 without padding', () => {
    expect(freeLayout(whole(640, 480), 512, 32)).toEqual({ width: 512, height: 384, region: [1.25, 0, 0, 0, 1.25, 0] });
  });

  it('rounds the shorter side up and keeps the scale the same in both directions', () => {
    const { width, height, region } = freeLayout(whole(1000, 667), 512, 32);
    expect([width, height]).toEqual([512, 352]);
    expect(region[0]).toBe(region[4]);
    expect(applyRegion(region, 512, 0)[0]).toBeCloseTo(1000, 9);
    expect(applyRegion(region, 0, 352)[1]).toBeGreaterThanOrEqual(667);
  });

  it('takes a portrait, a line of pixels and a single pixel', () => {
    expect(freeLayout(whole(480, 640), 512, 32)).toMatchObject({ width: 384, height: 512 });
    expect(freeLayout(whole(20_000, 1), 512, 32)).toMatchObject({ width: 512, height: 32 });
    expect(freeLayout(whole(1, 1), 512, 32)).toMatchObject({ width: 512, height: 512 });
  });

  it('places a part of the picture', () => {
    const { region } = freeLayout({ x: 100, y: 50, width: 200, height: 100 }, 400, 32);
    expect(applyRegion(region, 0, 0)).toEqual([100, 50]);
    expect(applyRegion(region, 400, 200)).toEqual([300, 150]);
  });

  it('follows the size of the picture between limits, in steps of 32', () => {
    const plan = { scale: 0.5, least: 416, most: 640 };
    const sides = [100, 832, 833, 1000, 1280, 9000].map((side) => longSideFor(side, 50, plan));
    expect(sides).toEqual([416, 416, 448, 512, 640, 640]);
    expect(longSideFor(50, 1000, plan)).toBe(512);
    expect(longSideFor(9, 9, 416)).toBe(416);
  });
});

describe('tiles', () => {
  const tiles = tilesOf(1800, 900, tiling);

  it('cover the picture and overlap as asked', () => {
    expect(tiles).toHaveLength(4);
    const [first, second, , last] = tiles;
    expect((first!.x + first!.width - second!.x) / first!.width).toBeCloseTo(0.2, 9);
    expect(last!.x + last!.width).toBeCloseTo(1800, 9);
    expect(last!.y + last!.height).toBeCloseTo(900, 9);
  });

  it('drop what their inner edges cut, and keep what the edge of the picture cuts', () => {
    const picture = { width: 1800, height: 900 };
    const [first, second] = tiles;
    const edge = first!.x + first!.width;
    expect(touchesInnerEdge([edge - 60, 100, 55, 60], first!, picture, 0.02)).toBe(true);
    expect(touchesInnerEdge([edge - 200, 100, 55, 60], first!, picture, 0.02)).toBe(false);
    expect(touchesInnerEdge([-5, -5, 60, 60], first!, picture, 0.02)).toBe(false);
    expect(touchesInnerEdge([second!.x + 1, 100, 60, 60], second!, picture, 0.02)).toBe(true);
    expect(touchesInnerEdge([1790, 100, 60, 60], second!, picture, 0.02)).toBe(false);
    expect(touchesInnerEdge([100, first!.height - 30, 60, 60], first!, picture, 0.02)).toBe(true);
  });
});

describe('suppress', () => {
  const at = (x: number, score: number, size = 10) => ({ box: [x, 0, size, size] as const, score });
  const plan = { network: 'ssd', minScore: 0.3, iou: 0.5, max: 3, faceScale: 1 } as const;

  it('keeps the better of two boxes of one face, best first', () => {
    expect(suppress([at(1, 0.5), at(0, 0.9), at(100, 0.7)], plan)).toEqual([at(0, 0.9), at(100, 0.7)]);
  });

  it('drops a box within another only where the plan says so', () => {
    const found = [at(0, 0.9, 20), at(2, 0.8, 8)];
    expect(intersectionOverSmaller(found[0]!.box, found[1]!.box)).toBe(1);
    expect(suppress(found, plan)).toHaveLength(2);
    expect(suppress(found, { ...plan, contained: 0.4 })).toEqual([found[0]]);
  });

  it('keeps no more than the plan allows', () => {
    expect(
      suppress(
        [0, 20, 40, 60, 80].map((x) => at(x, 0.5 + x / 1000)),
        plan,
      ).map((d) => d.box[0]),
    ).toEqual([80, 60, 40]);
  });
});

describe('fixedLayout', () => {
  it('fits and centres the picture', () => {
    const { width, height, region } = fixedLayout(whole(640, 480), { width: 256, height: 256 });
    expect([width, height]).toEqual([256, 256]);
    expect(applyRegion(region, 128, 128)).toEqual([320, 240]);
    expect(applyRegion(region, 0, 32)).toEqual([0, 0]);
    expect(applyRegion(region, 256, 224)).toEqual([640, 480]);
  });
});
