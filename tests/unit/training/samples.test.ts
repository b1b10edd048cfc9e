import { describe, expect, it } from 'vitest';
import { mirrorGray, mirrorOrder } from '../../../lib/training/mirror.js';
import { matchBoxes } from '../../../lib/training/pictures.js';
import { cropToFaces, SampleSet } from '../../../lib/training/samples.js';
import type { Point } from '../../../lib/types.js';
import { head } from '../../support/head.js';

describe('the mirror', () => {
  it('exchanges the points of a symmetric head', () => {
    const order = mirrorOrder(68);
    order.forEach((from, i) => {
      expect(head[i]![0]).toBeCloseTo(-head[from]![0], 9);
      expect(head[i]![1]).toBeCloseTo(head[from]![1], 9);
      expect(order[from]).toBe(i);
    });
    expect(order).toHaveLength(68);
  });

  it('is refused for schemes that nobody described, and for what is no exchange', () => {
    expect(() => mirrorOrder(5)).toThrow('only 68 points');
    expect(mirrorOrder(3, [1, 0, 2])).toEqual([1, 0, 2]);
    for (const order of [
      [1, 2, 0],
      [0, 1],
      [0, 0, 2],
      [3, 1, 0],
    ])
      expect(() => mirrorOrder(3, order)).toThrow('in pairs');
  });

  it('turns the rows of a picture round', () => {
    expect([...mirrorGray(Uint8Array.of(1, 2, 3, 4, 5, 6), 3, 2)]).toEqual([3, 2, 1, 6, 5, 4]);
  });
});

/** A picture in which a pixel tells its own place. */
function picture(width: number, height: number): { data: Uint8Array; width: number; height: number } {
  return {
    width,
    height,
    data: Uint8Array.from({ length: width * height }, (_, i) => ((i % width) * 7 + Math.floor(i / width) * 31) & 255),
  };
}

describe('samples', () => {
  const order = [1, 0];
  const face = { box: [10, 5, 8, 12] as const, points: [[11.5, 7.5] as Point, undefined] };

  it('become arrays, with NaN where a point is not marked', () => {
    const set = new SampleSet(2);
    const gray = picture(40, 30);
    set.add(gray, [
      face,
      {
        box: [0, 0, 4, 4],
        points: [
          [1, 2],
          [3, 4],
        ],
      },
    ]);
    set.add(picture(5, 5), []);
    const { images, imageOf, boxes, points } = set.pack();
    expect([set.pictures, set.faces]).toEqual([1, 2]);
    expect(images).toEqual([{ data: gray.data, width: 40, height: 30, format: 'gray' }]);
    expect([...imageOf]).toEqual([0, 0]);
    expect([...boxes]).toEqual([10, 5, 8, 12, 0, 0, 4, 4]);
    expect([...points]).toEqual([11.5, 7.5, Number.NaN, Number.NaN, 1, 2, 3, 4]);
  });

  it('have mirror images whose points lie on the same pixels', () => {
    const set = new SampleSet(2);
    const gray = picture(40, 30);
    set.add(gray, [face], order);
    const { images, imageOf, boxes, points } = set.pack();
    expect([...imageOf]).toEqual([0, 1]);
    expect([...boxes.subarray(4)]).toEqual([22, 5, 8, 12]);
    expect([...points.subarray(4)]).toEqual([Number.NaN, Number.NaN, 28.5, 7.5]);
    const at = (image: number, x: number, y: number): number | undefined =>
      images[image]?.data[Math.floor(y) * 40 + Math.floor(x)];
    expect(at(1, 28.5, 7.5)).toBe(at(0, 11.5, 7.5));
    expect(at(1, 28.5, 7.5)).not.toBe(at(0, 28.5, 7.5));
  });

  it('keep only what lies around the faces, with points on the same pixels', () => {
    const gray = picture(400, 300);
    const faces = [{ box: [300, 200, 20, 24] as const, points: [[305.5, 210.5] as Point, undefined] }];
    const cropped = cropToFaces(gray, faces);
    expect(cropped.picture.width).toBeLessThan(100);
    const [x, y] = cropped.faces[0]!.points[0]!;
    expect(cropped.picture.data[Math.floor(y) * cropped.picture.width + Math.floor(x)]).toBe(
      gray.data[210 * 400 + 305],
    );
    expect(cropped.faces[0]!.box[0] - x).toBe(300 - 305.5);
    // A face that fills the picture, and one that lies off it, leave it as it is.
    expect(cropToFaces(gray, [{ box: [10, 10, 380, 280], points: [] }]).picture).toBe(gray);
    expect(cropToFaces(gray, [{ box: [900, 900, 20, 20], points: [] }]).picture).toBe(gray);
  });
});

describe('boxes of a detector', () => {
  it('go to the faces that they overlap best, each to one', () => {
    const faces = [
      [0, 0, 10, 10],
      [8, 0, 10, 10],
      [50, 50, 10, 10],
    ] as const;
    const found = [
      [7, 0, 11, 10],
      [1, 1, 10, 10],
      [80, 80, 10, 10],
    ] as const;
    expect(matchBoxes(faces, found)).toEqual([found[1], found[0], undefined]);
    expect(matchBoxes(faces, [])).toEqual([undefined, undefined, undefined]);
    expect(matchBoxes([faces[0], faces[0]], [faces[0]])).toEqual([faces[0], undefined]);
  });
});
