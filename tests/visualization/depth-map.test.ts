// Depth in colours: in the order of the depth, transparent where nothing is known.
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import type { DepthMap } from '../../lib/reconstruction/index.js';
import { colourTable } from '../../lib/visualization/colour-map.js';
import { depthPicture } from '../../lib/visualization/index.js';

function depthMap(width: number, height: number, at: (x: number, y: number) => number): DepthMap {
  const depth = Float32Array.from({ length: width * height }, (_, i) => at(i % width, Math.floor(i / width)));
  const confidence = depth.map((value) => (Number.isNaN(value) ? 0 : 1));
  const camera = { fx: 500, fy: 500, cx: width / 2, cy: height / 2 };
  return { width, height, depth, confidence, camera, scale: { source: 'iris', millimetresPerPixel: 0.6 } };
}

const ramp = depthMap(64, 8, (x, y) => (y < 2 ? Number.NaN : 500 + x));

async function pixels(png: Buffer): Promise<{ data: Buffer; width: number; height: number }> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height };
}

/** Lightness L* of CIELAB under D65. */
function lightness(r: number, g: number, b: number): number {
  const [lr, lg, lb] = [r, g, b].map((v) =>
    v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4,
  );
  const y = 0.2126 * lr! + 0.7152 * lg! + 0.0722 * lb!;
  return y > 0.008856 ? 116 * Math.cbrt(y) - 16 : 903.3 * y;
}

describe('colour maps', () => {
  it('viridis has the colours that matplotlib publishes, within what the polynomial leaves', () => {
    const table = colourTable('viridis', 5);
    const published = [
      [68, 1, 84],
      [59, 82, 139],
      [33, 145, 140],
      [94, 201, 98],
      [253, 231, 37],
    ];
    for (const [i, colour] of published.entries()) {
      for (const [k, value] of colour.entries()) expect(Math.abs(table[i * 3 + k]! - value)).toBeLessThanOrEqual(5);
    }
  });

  it('viridis grows lighter all the way, in even steps', () => {
    const table = colourTable('viridis');
    const light = Array.from({ length: 256 }, (_, i) => lightness(table[i * 3]!, table[i * 3 + 1]!, table[i * 3 + 2]!));
    for (let i = 8; i < 256; i += 8) expect(light[i]!).toBeGreaterThan(light[i - 8]!);
    expect(light[128]! - light[0]!).toBeGreaterThan(25);
    expect(light[255]! - light[128]!).toBeGreaterThan(25);
  });

  it('turbo goes from blue over green to red', () => {
    const table = colourTable('turbo', 5);
    const [blue, green, red] = [1, 2, 3].map((i) => [...table.subarray(i * 3, i * 3 + 3)]);
    expect(Math.max(...blue!)).toBe(blue![2]);
    expect(Math.max(...green!)).toBe(green![1]);
    expect(Math.max(...red!)).toBe(red![0]);
  });
});

describe('depthPicture', () => {
  it('gives one pixel for each, near bright and far dark, unknown transparent', async () => {
    const { data, width, height } = await pixels(await depthPicture(ramp));
    expect([width, height]).toEqual([64, 8]);
    for (let x = 0; x < 64; x++) expect(data[x * 4 + 3]).toBe(0);
    const row = (y: number, x: number): number => {
      const at = (y * 64 + x) * 4;
      expect(data[at + 3]).toBe(255);
      return lightness(data[at]!, data[at + 1]!, data[at + 2]!);
    };
    for (let x = 4; x < 64; x += 4) expect(row(5, x)).toBeLessThan(row(5, x - 4));
  });

  it('takes a range: what lies beyond has the colours of the ends', async () => {
    const { data } = await pixels(await depthPicture(ramp, { range: [520, 540] }));
    const at = (x: number): number[] => [...data.subarray((4 * 64 + x) * 4, (4 * 64 + x) * 4 + 3)];
    expect(at(0)).toEqual(at(20));
    expect(at(63)).toEqual(at(40));
    expect(at(30)).not.toEqual(at(20));
  });

  it('writes a legend beside it, with the colours from near to far', async () => {
    const plain = await pixels(await depthPicture(depthMap(40, 120, (_, y) => 400 + y)));
    const { data, width, height } = await pixels(
      await depthPicture(
        depthMap(40, 120, (_, y) => 400 + y),
        { legend: true },
      ),
    );
    expect([width, height]).toEqual([152, 120]);
    // The map itself is as it was.
    for (const y of [0, 60, 119]) {
      expect([...data.subarray(y * 152 * 4, y * 152 * 4 + 160)]).toEqual([
        ...plain.data.subarray(y * 160, y * 160 + 160),
      ]);
    }
    const strip = (y: number): number => {
      const at = (y * 152 + 40 + 19) * 4;
      return lightness(data[at]!, data[at + 1]!, data[at + 2]!);
    };
    expect(strip(20)).toBeGreaterThan(strip(60));
    expect(strip(60)).toBeGreaterThan(strip(100));
  });

  it('gives a map of one depth one colour', async () => {
    const { data } = await pixels(await depthPicture(depthMap(3, 3, () => 512)));
    expect(new Set(Array.from({ length: 9 }, (_, i) => data.subarray(i * 4, i * 4 + 4).toString('hex'))).size).toBe(1);
  });

  it.each([
    ['no depth at all', depthMap(4, 4, () => Number.NaN), {}, 'NO_SURFACE'],
    ['arrays of another length', { ...ramp, depth: new Float32Array(3) }, {}, 'INVALID_ARGUMENT'],
    ['no width', { ...ramp, width: 0, depth: new Float32Array(0) }, {}, 'INVALID_ARGUMENT'],
    ['nothing', null as unknown as DepthMap, {}, 'INVALID_ARGUMENT'],
    ['a range that is not one', ramp, { range: [Number.NaN, 1] as [number, number] }, 'INVALID_ARGUMENT'],
    ['an unknown colour map', ramp, { colours: 'jet' as never }, 'INVALID_ARGUMENT'],
    ['an aborted signal', ramp, { signal: AbortSignal.abort() }, 'ABORTED'],
  ])('refuses %s', async (_, depth, options, code) => {
    await expect(depthPicture(depth, options)).rejects.toMatchObject({ code });
  });
});
