import { describe, expect, it } from 'vitest';
import { fitMidline, HALF_SCORE, measureSymmetry, SYMMETRY_REGIONS } from '../../../lib/analysis/symmetry.js';
import { MEAN_HEAD } from '../../../lib/landmarks/head.js';
import { MIRROR, mirrorLandmarks } from '../../../lib/landmarks/mirror.js';
import type { Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { differences, moved, randomFace } from './geometry-faces.js';

const mean: readonly Point[] = MEAN_HEAD.map(([x, y]): Point => [100 + 10 * x, 100 - 10 * y]);
/** The mean head with some points moved by (dx, dy) in the picture, in percent of ex–ex. */
const shifted = (which: readonly number[], dx: number, dy: number): Point[] =>
  mean.map(([x, y], i): Point => (which.includes(i) ? [x + 0.892 * dx, y + 0.892 * dy] : [x, y]));
/** The mean head, its face turned to the picture's right by so many degrees. */
function turned(yaw: number): Point[] {
  const [c, s] = [Math.cos((yaw * Math.PI) / 180), Math.sin((yaw * Math.PI) / 180)];
  return MEAN_HEAD.map(([x, y, z]): Point => [100 + 10 * (c * x + s * z), 100 - 10 * y]);
}
const flat = { correctPose: false };
const SIGNED = new Set(['lateral', 'vertical', 'size', 'shift']);
const SIDES = { left: 'right', right: 'left', even: 'even' } as const;

describe('measureSymmetry', () => {
  it('finds nothing on the mean head, from wherever it is seen', () => {
    const next = random(1);
    for (const face of [mean, ...Array.from({ length: 10 }, () => randomFace(next, 0))]) {
      const symmetry = measureSymmetry(face)!;
      expect(symmetry.score).toBeCloseTo(100, 5);
      expect(symmetry.asymmetry).toBeLessThan(1e-6);
      for (const name of SYMMETRY_REGIONS) {
        expect(symmetry.regions[name]).toMatchObject({ wider: 'even', higher: 'even', larger: 'even' });
      }
    }
    // Uncorrected, a turned head is narrow on one side: the correction is what evens it out.
    expect(measureSymmetry(turned(25), flat)!.score).toBeLessThan(60);
    expect(measureSymmetry(turned(25))!.score).toBeCloseTo(100, 5);
  });

  it('says which side is higher, wider and larger, and by how much', () => {
    const brow = measureSymmetry(shifted([17, 18, 19, 20, 21], 0, -8), flat)!.regions.brows;
    expect(brow.higher).toBe('left');
    // A little of it tilts the midline.
    expect(brow.vertical).toBeGreaterThan(6.5);
    expect(brow.vertical).toBeLessThan(8);
    expect(measureSymmetry(shifted([22, 23, 24, 25, 26], 0, -8), flat)!.regions.brows.higher).toBe('right');

    const corner = measureSymmetry(shifted([54, 64], 0, -10), flat)!.regions.mouth;
    expect(corner.higher).toBe('right');

    const jaw = measureSymmetry(shifted([0, 1, 2, 3, 4, 5, 6], -6, 0), flat)!.regions.jaw;
    expect([jaw.wider, jaw.larger]).toEqual(['left', 'left']);

    const nose = measureSymmetry(shifted([27, 28, 29, 30, 33], 6, 0), flat)!.regions.nose;
    expect(nose.shift!).toBeLessThan(-4);

    const closed = mean.map(([x, y], i): Point => (i === 43 || i === 44 ? [x, y + 5] : [x, y]));
    const eyes = measureSymmetry(closed, flat)!.regions.eyes;
    expect(eyes.larger).toBe('left');
    expect(eyes.size).toBeGreaterThan(30);
    expect(eyes.shift).toBeUndefined();
  });

  it('lowers the score of the region that is uneven, the more the more it is', () => {
    for (const [name, which] of [
      ['brows', [17, 18, 19, 20, 21]],
      ['eyes', [36, 37, 38, 39, 40, 41]],
      ['nose', [31, 32]],
      ['mouth', [48, 49, 59, 60]],
      ['jaw', [2, 3, 4, 5, 6]],
    ] as const) {
      for (const options of [{}, flat]) {
        const scores = [0, 2, 5, 10, 20].map((dy) => measureSymmetry(shifted(which, 0, dy), options)!);
        for (let k = 1; k < scores.length; k++) {
          expect(scores[k]!.regions[name].score).toBeLessThan(scores[k - 1]!.regions[name].score);
          expect(scores[k]!.score).toBeLessThan(scores[k - 1]!.score);
        }
        const worst = [...SYMMETRY_REGIONS].sort(
          (a, b) => scores[4]!.regions[a].score - scores[4]!.regions[b].score,
        )[0];
        expect(worst).toBe(name);
      }
    }
  });

  it('halves the score as documented', () => {
    const { score, asymmetry } = measureSymmetry(shifted([17, 18, 19, 20, 21], 0, -9), flat)!;
    expect(score).toBeCloseTo(100 * 2 ** (-asymmetry / HALF_SCORE), 9);
  });

  it('measures every pair once, as its regions do', () => {
    const { pairs, asymmetry } = measureSymmetry(randomFace(random(2)), flat)!;
    expect(pairs.length).toBe(29);
    expect(new Set(pairs.flatMap(({ left, right }) => [left, right])).size).toBe(58);
    for (const { left, right, distance, lateral, vertical } of pairs) {
      expect(MIRROR[left]).toBe(right);
      expect(MEAN_HEAD[left]![0]).toBeLessThan(0);
      expect(distance).toBeCloseTo(Math.hypot(lateral, vertical), 9);
      expect(distance).toBeLessThan(asymmetry * 8);
    }
  });

  it('changes under no turn, scale or shift of the face, to 1e-6', () => {
    const next = random(3);
    for (const options of [{}, flat]) {
      for (let trial = 0; trial < 60; trial++) {
        const face = randomFace(next);
        const { pose: _, ...before } = measureSymmetry(face, options)!;
        const { pose: __, ...after } = measureSymmetry(moved(face, next), options)!;
        expect(differences(before, after, (a, b) => Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(a)))).toEqual([]);
      }
    }
  });

  it('swaps left and right of the mirror image exactly', () => {
    const next = random(4);
    for (const options of [{}, flat]) {
      for (let trial = 0; trial < 60; trial++) {
        const face = randomFace(next);
        const { pose: _, ...seen } = measureSymmetry(face, options)!;
        for (const [width, most] of [
          [0, 0],
          [640, 1e-9],
        ] as const) {
          const { pose: __, ...other } = measureSymmetry(mirrorLandmarks(face, width), options)!;
          const alike = (a: number, b: number, path: string): boolean =>
            Math.abs(b - (SIGNED.has(path.split('/').at(-1)!) ? -a : a)) <= most;
          expect(differences(seen, other, alike)).toEqual([]);
          for (const name of SYMMETRY_REGIONS) {
            for (const which of ['wider', 'higher', 'larger'] as const) {
              expect(other.regions[name][which]).toBe(SIDES[seen.regions[name][which]]);
            }
          }
        }
      }
    }
  });

  it('is absent for points that span nothing and refuses what is no face', () => {
    for (const options of [{}, flat]) {
      expect(
        measureSymmetry(
          mean.map(() => [3, 3]),
          options,
        ),
      ).toBeUndefined();
    }
    const refused: [unknown, unknown][] = [
      [mean.with(67, [0, Number.NaN]), {}],
      [[], {}],
      [mean, null],
      [mean, { corectPose: false }],
    ];
    for (const [landmarks, options] of refused) {
      expect(() => measureSymmetry(landmarks as Point[], options as object)).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('fitMidline', () => {
  it('is the axis of a symmetric face, turned with it', () => {
    const upright = fitMidline(mean)!;
    expect(upright.point[0]).toBeCloseTo(100, 9);
    expect(upright.direction[0]).toBeCloseTo(0, 9);
    expect(upright.direction[1]).toBeCloseTo(1, 9);
    for (let degrees = -180; degrees < 180; degrees += 15) {
      const turn = (degrees * Math.PI) / 180;
      const [c, s] = [Math.cos(turn), Math.sin(turn)];
      const { direction } = fitMidline(mean.map(([x, y]): Point => [c * x - s * y, s * x + c * y]))!;
      expect(direction[0]).toBeCloseTo(-s, 9);
      expect(direction[1]).toBeCloseTo(c, 9);
    }
  });

  it('is absent without a face', () => {
    expect(fitMidline(mean.map(() => [1, 2]))).toBeUndefined();
    expect(() => fitMidline(mean.slice(2))).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
  });
});
