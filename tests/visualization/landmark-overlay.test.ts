import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { estimatePose } from '../../lib/landmarks/pose.js';
import type { Face, Point } from '../../lib/types.js';
import {
  FACE_REGIONS,
  landmarkOverlaySvg,
  type OverlaySize,
  poseAxes,
  poseInWords,
  renderLandmarkOverlay,
} from '../../lib/visualization/index.js';
import { head, project } from '../support/head.js';
import { handMadeFace, openElements, sample } from './faces.js';

const size: OverlaySize = { width: 400, height: 300 };
const pose = { roll: 10, yaw: 25, pitch: -8 };
const points = project(pose, 9, [200, 140]);
const face: Face = { box: [120, 60, 160, 170], score: 0.9, landmarks: points, pose };

const count = (text: string, part: string): number => text.split(part).length - 1;

/** Colour of a pixel of an SVG drawn on grey. */
async function pixel(svg: string, [x, y]: Point): Promise<readonly number[]> {
  const { data, info } = await sharp(Buffer.from(svg))
    .flatten({ background: '#808080' })
    .raw()
    .toBuffer({ resolveWithObject: true });
  const at = (Math.round(y) * info.width + Math.round(x)) * info.channels;
  return [...data.subarray(at, at + 3)];
}

describe('poseAxes', () => {
  const poses = [
    { roll: 0, yaw: 30, pitch: 0 },
    { roll: 0, yaw: 0, pitch: -20 },
    { roll: 40, yaw: 0, pitch: 0 },
    { roll: 35, yaw: -30, pitch: 15 },
    { roll: 170, yaw: 20, pitch: -25 },
  ];
  it.each(poses)('lie where the head itself has them: roll $roll, yaw $yaw, pitch $pitch', (turned) => {
    // Points of the mean head on its axes: ends of lines that are parallel to x, y and z.
    const at = (i: number): Point => project(turned, 1, [0, 0])[i]!;
    const axes = poseAxes(turned);
    const across: Point = [at(45)[0] - at(36)[0], at(45)[1] - at(36)[1]];
    const span = head[45]![0] - head[36]![0];
    expect(across[0]).toBeCloseTo(axes.x[0] * span, 9);
    expect(across[1]).toBeCloseTo(axes.x[1] * span, 9);
    // From the root of the nose to its tip: down and out of the face.
    const [down, out] = [head[27]![1] - head[30]![1], head[30]![2] - head[27]![2]];
    expect(at(30)[0] - at(27)[0]).toBeCloseTo(axes.y[0] * down + axes.z[0] * out, 9);
    expect(at(30)[1] - at(27)[1]).toBeCloseTo(axes.y[1] * down + axes.z[1] * out, 9);
  });

  it('agree with the estimate: axes of an estimated pose are those of the head', () => {
    const estimated = estimatePose(points)!;
    for (const axis of ['x', 'y', 'z'] as const) {
      expect(poseAxes(estimated)[axis][0]).toBeCloseTo(poseAxes(pose)[axis][0], 3);
      expect(poseAxes(estimated)[axis][1]).toBeCloseTo(poseAxes(pose)[axis][1], 3);
    }
  });
});

describe('poseInWords', () => {
  it('says what each sign means', () => {
    const texts = (p: typeof pose): string[] => poseInWords(p).map(([text]) => text);
    expect(texts({ roll: 12.4, yaw: -20, pitch: 5 })).toEqual(['yaw −20° ←', 'pitch +5° ↑', 'roll +12° ↻']);
    expect(texts({ roll: -1, yaw: 20, pitch: -5 })).toEqual(['yaw +20° →', 'pitch −5° ↓', 'roll −1° ↺']);
    expect(texts({ roll: 0.2, yaw: -0.3, pitch: 0 })).toEqual(['yaw 0°', 'pitch 0°', 'roll 0°']);
  });
});

describe('landmarkOverlaySvg', () => {
  it('draws everything but the numbers, each switched off by its option', () => {
    const all = landmarkOverlaySvg(size, [face]);
    expect(count(all, '<circle')).toBe(68);
    expect(count(all, '<title>')).toBe(FACE_REGIONS.length);
    expect(all).toContain('class="contours"');
    expect(all).toContain('class="pose"');
    expect(all).toContain('yaw +25° →');
    expect(all).not.toContain('class="numbers"');
    for (const [option, part] of [
      ['regions', 'class="regions"'],
      ['contours', 'class="contours"'],
      ['points', 'class="points"'],
      ['axes', 'class="pose"'],
    ] as const) {
      expect(landmarkOverlaySvg(size, [face], { [option]: false })).not.toContain(part);
    }
    const numbered = landmarkOverlaySvg(size, [face], { numbers: true });
    for (let i = 0; i < 68; i++) expect(numbered).toContain(`>${i}</text>`);
    expect(openElements(numbered)).toEqual([]);
  });

  it('fills each region in its colour where it lies', async () => {
    const svg = landmarkOverlaySvg(size, [face], { contours: false, points: false, axes: false });
    const middle = (indices: readonly number[]): Point => [
      indices.reduce((sum, i) => sum + points[i]![0], 0) / indices.length,
      indices.reduce((sum, i) => sum + points[i]![1], 0) / indices.length,
    ];
    for (const { name, colour, outline, band } of FACE_REGIONS) {
      if (name === 'jaw') continue; // its middle may lie in the mouth
      const wanted = [1, 3, 5].map((i) => Number.parseInt(colour.slice(i, i + 2), 16));
      const found = await pixel(svg, band === undefined ? middle(outline) : points[outline[2]!]!);
      const share = band === undefined ? 0.3 : 0.4;
      found.forEach((value, k) => {
        expect(Math.abs(value - (128 + share * (wanted[k]! - 128)))).toBeLessThan(12);
      });
    }
    const [x, y] = points[8]!;
    expect(await pixel(svg, [x, y + 12])).toEqual([128, 128, 128]);
  });

  it('draws the axes with the signs of the pose', async () => {
    const svg = landmarkOverlaySvg(size, [face], { regions: false, contours: false, points: false });
    const [ox, oy] = points[30]!;
    const along = (axis: 'x' | 'y' | 'z'): Point => {
      const [dx, dy] = poseAxes(pose)[axis];
      const length = 160 * 0.45 * 0.6;
      return [ox + dx * length - 0.5, oy + dy * length - 0.5];
    };
    const [red, green, blue] = [
      await pixel(svg, along('x')),
      await pixel(svg, along('y')),
      await pixel(svg, along('z')),
    ];
    expect(red[0]).toBeGreaterThan(red[1]! + 60);
    expect(green[1]).toBeGreaterThan(green[0]! + 60);
    expect(blue[2]).toBeGreaterThan(blue[0]! + 60);
  });

  it('draws what a face carries and no more, and stays valid for odd numbers', async () => {
    const bare = landmarkOverlaySvg(size, [{ box: [10, 10, 50, 50] }]);
    expect(bare).not.toMatch(/<path|<circle|<text/);
    const five = landmarkOverlaySvg(size, [{ box: [10, 10, 50, 50], landmarks: points.slice(0, 5), pose }]);
    expect(five).not.toContain('<circle cx="120');
    expect(five).toContain('class="pose"');
    const broken = points.map((_, i): Point => (i % 2 ? [Number.NaN, Number.POSITIVE_INFINITY] : [5, 5]));
    const odd = landmarkOverlaySvg(size, [{ ...face, landmarks: broken, box: [0, 0, 0, 0] }], { numbers: true });
    expect(odd).not.toMatch(/NaN|Infinity|undefined/);
    await sharp(Buffer.from(odd)).raw().toBuffer();
    const evil = landmarkOverlaySvg(size, [face], { colour: () => '"/><script>' });
    expect(evil).not.toContain('<script');
    expect(openElements(evil)).toEqual([]);
  });
});

describe('renderLandmarkOverlay', () => {
  it('changes the photograph only around the face', async () => {
    const large = handMadeFace([300, 250, 200, 260]);
    const png = await renderLandmarkOverlay(sample(1), [large], { numbers: true });
    const drawn = await sharp(png).raw().toBuffer({ resolveWithObject: true });
    const plain = await sharp(sample(1)).raw().toBuffer({ resolveWithObject: true });
    expect([drawn.info.width, drawn.info.height]).toEqual([plain.info.width, plain.info.height]);
    let [near, far] = [0, 0];
    for (let y = 0; y < plain.info.height; y += 2) {
      for (let x = 0; x < plain.info.width; x += 2) {
        const at = (y * plain.info.width + x) * 3;
        if (Math.abs(drawn.data[at]! - plain.data[at]!) <= 8) continue;
        if (x > 250 && x < 760 && y > 180 && y < 560) near++;
        else far++;
      }
    }
    expect(near).toBeGreaterThan(2000);
    expect(far).toBe(0);
    const small = await sharp(await renderLandmarkOverlay(sample(1), [large], { maxSide: 300 })).metadata();
    expect(Math.max(small.width, small.height)).toBe(300);
  });
});
