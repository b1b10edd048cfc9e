import { describe, expect, it } from 'vitest';
import { faceContour, measureGeometry } from '../../../lib/analysis/geometry.js';
import { GEOMETRY_MEASURES, type GeometryMeasureId } from '../../../lib/analysis/geometry-measures.js';
import { CONTOURS, type ContourName, REFERENCE_POINT_IDS } from '../../../lib/analysis/geometry-points.js';
import { MEAN_HEAD } from '../../../lib/landmarks/head.js';
import { mirrorLandmarks } from '../../../lib/landmarks/mirror.js';
import type { Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { differences, moved, randomFace } from './geometry-faces.js';

const mean: readonly Point[] = MEAN_HEAD.map(([x, y]): Point => [100 + 10 * x, 100 - 10 * y]);
const ids = GEOMETRY_MEASURES.flatMap(({ id, paired }) => (paired ? [`${id}.left`, `${id}.right`] : [id]));
const otherSide = (id: string): GeometryMeasureId =>
  id.replace(/\.(left|right)$/, (_, side) => (side === 'left' ? '.right' : '.left')) as GeometryMeasureId;

const swapped = (measures: object): object =>
  Object.fromEntries(Object.entries(measures).map(([id, value]) => [otherSide(id), value]));

describe('measureGeometry', () => {
  it('takes every measure of its table once', () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const correctPose of [true, false]) {
      const { measures } = measureGeometry(randomFace(random(1)), { correctPose })!;
      expect(Object.keys(measures).sort()).toEqual([...ids].sort());
      expect(Object.values(measures).every(Number.isFinite)).toBe(true);
    }
  });

  it('measures what the definitions say, on a face with known coordinates', () => {
    const { measures: m, points } = measureGeometry(mean, { correctPose: false })!;
    // From the coordinates of the mean head, worked out by hand; the unit is ex–ex = 8.92.
    expect(m['face-width']).toBeCloseTo(14.9 / 8.92, 9);
    expect(m['intercanthal-index']).toBeCloseTo((100 * 3.88) / 8.92, 9);
    expect(m['facial-index']).toBeCloseTo((100 * (3.34 + 8.08)) / 14.9, 9);
    expect(m['nasal-index']).toBeCloseTo((100 * 2.46) / 4.67, 9);
    expect(m['eye-fissure-length.left']).toBeCloseTo(Math.hypot(2.52, 0.11) / 8.92, 9);
    expect(m['eye-inclination.left']).toBeCloseTo((Math.atan2(0.11, 2.52) * 180) / Math.PI, 9);
    expect(m['mouth-inclination.left']).toBeLessThan(0);
    expect(m['chin-angle']).toBeCloseTo((2 * Math.atan2(5.9, 8.08 - 4.46) * 180) / Math.PI, 9);
    expect(m['midface-angle']).toBeCloseTo((2 * Math.atan2(4.46, 3.35 + 1.33) * 180) / Math.PI, 9);
    expect(m['nose-bridge-line']).toBeCloseTo(3.49 / 8.92, 9);
    expect(m['interpupillary-distance']).toBeCloseTo((2 * 19.47) / 6 / 8.92, 9);
    expect(points['ex.left']).toEqual(mean[36]);
    expect(points['ex.right']).toEqual(mean[45]);
    expect(points.sto).toEqual([mean[62]![0], (mean[62]![1] + mean[66]![1]) / 2]);
    expect(Object.keys(points).sort()).toEqual([...REFERENCE_POINT_IDS].sort());
  });

  it('changes under no turn, scale or shift of the face, to 1e-6', () => {
    const next = random(2);
    for (const correctPose of [true, false]) {
      for (let trial = 0; trial < 60; trial++) {
        const face = randomFace(next);
        const before = measureGeometry(face, { correctPose })!.measures;
        const after = measureGeometry(moved(face, next), { correctPose })!.measures;
        expect(differences(before, after, (a, b) => Math.abs(a - b) < 1e-6 * Math.max(1, Math.abs(a)))).toEqual([]);
      }
    }
  });

  it('says of the mirror image what it says of the other side, in every digit', () => {
    const next = random(3);
    for (const correctPose of [true, false]) {
      for (let trial = 0; trial < 40; trial++) {
        const face = randomFace(next);
        const measures = measureGeometry(face, { correctPose })!.measures;
        const mirrored = measureGeometry(mirrorLandmarks(face, 0), { correctPose })!.measures;
        const inPicture = measureGeometry(mirrorLandmarks(face, 640), { correctPose })!.measures;
        expect(differences(measures, swapped(mirrored), Object.is)).toEqual([]);
        const near = (a: number, b: number): boolean => Math.abs(a - b) < 1e-9 * Math.max(1, Math.abs(a));
        expect(differences(measures, swapped(inPicture), near)).toEqual([]);
      }
    }
  });

  it('takes the turn of the head out of the mean head altogether, and most of it out of another', () => {
    const straight = measureGeometry(mean)!.measures;
    const flat = measureGeometry(mean, { correctPose: false })!.measures;
    for (const [id, value] of Object.entries(straight)) {
      expect(value, id).toBeCloseTo(flat[id as GeometryMeasureId]!, 6);
    }
    const next = random(4);
    for (let trial = 0; trial < 20; trial++) {
      const turned = randomFace(next, 0);
      const corrected = measureGeometry(turned)!;
      for (const [id, value] of Object.entries(corrected.measures)) {
        expect(value, id).toBeCloseTo(straight[id as GeometryMeasureId]!, 6);
      }
      expect(corrected.pose).toBeDefined();
    }
    expect(measureGeometry(mean, { correctPose: false })!.pose).toBeUndefined();
  });

  it('is absent for points that span nothing and refuses what is no face', () => {
    for (const correctPose of [true, false]) {
      expect(
        measureGeometry(
          mean.map(() => [3, 3]),
          { correctPose },
        ),
      ).toBeUndefined();
    }
    // A face drawn on a line has widths, but no picture of a head.
    expect(measureGeometry(mean.map(([x]) => [x, 0]))).toBeUndefined();
    // What is divided by nothing is left out: nasion and gnathion in one place.
    const broken = mean.with(8, mean[27]!);
    const { measures } = measureGeometry(broken, { correctPose: false })!;
    expect(measures['face-height']).toBe(0);
    expect(measures['nose-face-height']).toBeUndefined();
    expect(Object.keys(measures)).not.toContain('nose-face-height');
    const refused: [unknown, unknown][] = [
      [mean.with(5, [Number.NaN, 0]), {}],
      [mean.slice(1), {}],
      [undefined, {}],
      [mean, { correctPose: 1 }],
      [mean, { pose: true }],
    ];
    for (const [landmarks, options] of refused) {
      expect(() => measureGeometry(landmarks as Point[], options as object)).toThrowError(
        expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
      );
    }
  });
});

describe('faceContour', () => {
  it('measures length, area and curvature of a line', () => {
    // Eyes as regular hexagons of side 2, 20 between their outer corners.
    const side = 2;
    const hexagon = (cx: number, from: number): Point[] =>
      Array.from({ length: 6 }, (_, k): Point => {
        const turn = from + (k * Math.PI) / 3;
        return [cx + side * Math.cos(turn), side * Math.sin(turn)];
      });
    const face = mean.map((p): Point => p) as Point[];
    face.splice(36, 6, ...hexagon(-8, Math.PI));
    face.splice(42, 6, ...hexagon(8, Math.PI));
    const eye = faceContour(face, 'eye', 'left')!;
    expect(eye.line).toEqual(face.slice(36, 42));
    expect(eye.length).toBeCloseTo((6 * side) / 20, 9);
    expect(eye.area).toBeCloseTo((1.5 * Math.sqrt(3) * side ** 2) / 20 ** 2, 9);
    expect(eye.turning).toBeCloseTo(360, 9);
    expect(eye.curvature).toBeCloseTo((2 * Math.PI) / 0.6, 9);
    expect(faceContour(mean, 'jaw')!.area).toBeUndefined();
    expect(faceContour(mean, 'nose bridge')!.turning).toBeCloseTo(0, 6);
  });

  it('gives the line of either side in the picture, and is the same however the face lies', () => {
    const next = random(5);
    const face = randomFace(next);
    const other = moved(face, next);
    expect(faceContour(face, 'brow', 'right')!.line).toEqual([26, 25, 24, 23, 22].map((i) => face[i]));
    for (const name of Object.keys(CONTOURS) as ContourName[]) {
      for (const side of ['left', 'right'] as const) {
        const [a, b] = [faceContour(face, name, side)!, faceContour(other, name, side)!];
        expect(Math.abs(b.length / a.length - 1)).toBeLessThan(1e-6);
        expect(Math.abs(b.turning - a.turning)).toBeLessThan(1e-4);
        if (a.area !== undefined) expect(Math.abs(b.area! / a.area - 1)).toBeLessThan(1e-6);
      }
    }
  });

  it('refuses unknown lines and sides', () => {
    expect(() => faceContour(mean, 'ear' as 'jaw')).toThrowError(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => faceContour(mean, 'eye', 'top' as 'left')).toThrowError(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
    expect(
      faceContour(
        mean.map(() => [1, 1]),
        'eye',
      ),
    ).toBeUndefined();
  });
});
