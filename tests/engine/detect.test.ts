import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { intersectionOverUnion } from '../../lib/image/geometry.js';
import { type Engine, type Face, type Frame, openEngine, PRESETS, type PresetName } from '../../lib/index.js';
import { SAMPLE_FACES, sample } from '../support/samples.js';

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
});
afterAll(() => engine.close());

/** The faces of `b` in the order of `a`; fails where they are not the same faces. */
function matched(a: readonly Face[], b: readonly Face[], least: number): Face[] {
  expect(b).toHaveLength(a.length);
  return a.map((face) => {
    const best = b.reduce((x, y) =>
      intersectionOverUnion(face.box, y.box) > intersectionOverUnion(face.box, x.box) ? y : x,
    );
    expect(intersectionOverUnion(face.box, best.box)).toBeGreaterThan(least);
    return best;
  });
}

describe('detect', () => {
  it.each([1, 2, 3, 4, 5, 6])('finds every face of sample %i and no other', async (i) => {
    const faces = await engine.detect(sample(i));
    expect(faces).toHaveLength(SAMPLE_FACES[i]!);
    for (const face of faces) {
      expect(Object.keys(face).sort()).toEqual(['box', 'score']);
      expect(face.score).toBeGreaterThan(0.3);
      expect(face.score).toBeLessThanOrEqual(1);
    }
    expect(faces.map((f) => f.score)).toEqual(faces.map((f) => f.score).sort((a, b) => b - a));
  });

  it.each(Object.keys(PRESETS) as PresetName[])('with the preset %s agrees on a clear photograph', async (preset) => {
    await using other = await openEngine({ preset });
    matched(await engine.detect(sample(1)), await other.detect(sample(1)), 0.4);
  });

  it('places 68 points where a face has them', async () => {
    const faces = await engine.detect(sample(3), { landmarks: true });
    for (const { box, landmarks } of faces) {
      expect(landmarks).toHaveLength(68);
      const points = landmarks!;
      const mean = (from: number, to: number, axis: 0 | 1): number =>
        points.slice(from, to).reduce((sum, p) => sum + p[axis], 0) / (to - from);
      // These three heads are upright: brows above eyes above nose above mouth above chin, eyes left and right.
      const heights = [mean(17, 27, 1), mean(36, 48, 1), mean(31, 36, 1), mean(48, 68, 1), points[8]![1]];
      expect(heights).toEqual([...heights].sort((a, b) => a - b));
      expect(mean(36, 42, 0)).toBeLessThan(mean(42, 48, 0));
      const inside = points.filter(
        ([x, y]) => x > box[0] - box[2] * 0.2 && x < box[0] + box[2] * 1.2 && y > box[1] && y < box[1] + box[3] * 1.2,
      );
      expect(inside.length).toBeGreaterThan(60);
    }
  });

  it('follows a picture that is mirrored: left and right change places', async () => {
    const frame = await engine.decode(sample(3));
    const mirrored = await engine.decode(await sharp(sample(3)).flop().png().toBuffer());
    const faces = await engine.detect(frame, { landmarks: true });
    const others = (await engine.detect(mirrored, { landmarks: true })).map((face): Face => {
      const [x, y, w, h] = face.box;
      return { ...face, box: [frame.width - x - w, y, w, h] };
    });
    for (const [i, other] of matched(faces, others, 0.6).entries()) {
      const size = faces[i]!.box[3];
      const tip = faces[i]!.landmarks![30]!;
      const mirroredTip = other.landmarks![30]!;
      expect(Math.abs(frame.width - mirroredTip[0] - tip[0])).toBeLessThan(size * 0.05);
      expect(Math.abs(mirroredTip[1] - tip[1])).toBeLessThan(size * 0.05);
    }
  });

  it('keeps the largest faces, and those that are large enough', async () => {
    const all = await engine.detect(sample(5));
    const two = await engine.detect(sample(5), { maxFaces: 2 });
    expect(two).toHaveLength(2);
    const prominence = (f: Face): number => f.box[2] * f.box[3] * f.score;
    const best = [...all].sort((a, b) => prominence(b) - prominence(a)).slice(0, 2);
    expect(new Set(two.map((f) => f.box.join()))).toEqual(new Set(best.map((f) => f.box.join())));
    const sizes = all.map((f) => Math.min(f.box[2], f.box[3])).sort((a, b) => a - b);
    await expect(engine.detect(sample(5), { minFaceSize: sizes[2]! })).resolves.toHaveLength(all.length - 2);
  });

  it('gives an empty list where there is no face', async () => {
    const plain = (width: number, height: number): Frame => ({
      data: new Uint8Array(width * height * 3).fill(90),
      width,
      height,
      channels: 3,
      format: 'rgb',
    });
    for (const [w, h] of [
      [1, 1],
      [2, 3],
      [640, 480],
      [3000, 7],
      [5, 2000],
    ] as const) {
      await expect(engine.detect(plain(w, h), { landmarks: true })).resolves.toEqual([]);
    }
  });
});

describe('the same picture in other clothes', () => {
  let frame: Frame;
  let expected: Face[];
  beforeAll(async () => {
    frame = await engine.decode(sharp(sample(1)).resize(800, 534));
    expected = await engine.detect(frame);
  });

  const rearranged = (format: 'bgr' | 'rgba' | 'bgra', padding = 0): { data: Uint8Array; stride: number } => {
    const channels = format.length;
    const stride = frame.width * channels + padding;
    const data = new Uint8Array(stride * frame.height).fill(99);
    const order = format.startsWith('b') ? [2, 1, 0] : [0, 1, 2];
    for (let y = 0; y < frame.height; y++) {
      for (let x = 0; x < frame.width; x++) {
        for (let c = 0; c < 3; c++)
          data[y * stride + x * channels + c] = frame.data[(y * frame.width + x) * 3 + order[c]!]!;
      }
    }
    return { data, stride };
  };

  it.each(['bgr', 'rgba', 'bgra'] as const)('%s with padded rows gives the same boxes', async (format) => {
    const { data, stride } = rearranged(format, 5);
    const faces = await engine.detect({ data, stride, width: frame.width, height: frame.height, format });
    expect(faces).toEqual(expected);
  });

  it('an OpenCV matrix gives the same boxes', async () => {
    const { data } = rearranged('bgr');
    const mat = {
      rows: frame.height,
      cols: frame.width,
      channels: 3,
      getDataAsync: async () => Buffer.from(data.buffer),
    };
    expect(await engine.detect(mat as never)).toEqual(expected);
  });

  it('a sharp pipeline, a PNG and shared memory give the same boxes', async () => {
    const png = await sharp(frame.data, { raw: { width: frame.width, height: frame.height, channels: 3 } })
      .png()
      .toBuffer();
    const memory = new SharedArrayBuffer(frame.data.length);
    new Uint8Array(memory).set(frame.data);
    expect(await engine.detect(sharp(png) as never)).toEqual(expected);
    expect(await engine.detect(png)).toEqual(expected);
    expect(await engine.detect({ data: memory, width: frame.width, height: frame.height, channels: 3 })).toEqual(
      expected,
    );
  });

  it('in gray, as from an infrared camera, has the same faces', async () => {
    const { data } = await sharp(frame.data, { raw: { width: frame.width, height: frame.height, channels: 3 } })
      .grayscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const faces = await engine.detect({ data, width: frame.width, height: frame.height, format: 'gray' });
    matched(expected, faces, 0.7);
  });

  it('as a camera sends it (NV12) has the same faces', async () => {
    const { width, height } = frame;
    const data = new Uint8Array((width * height * 3) / 2);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [r, g, b] = frame.data.subarray((y * width + x) * 3, (y * width + x) * 3 + 3) as unknown as [
          number,
          number,
          number,
        ];
        data[y * width + x] = 16 + 0.257 * r + 0.504 * g + 0.098 * b;
        if (y % 2 === 0 && x % 2 === 0) {
          const at = width * height + (y / 2) * width + x;
          data[at] = 128 - 0.148 * r - 0.291 * g + 0.439 * b;
          data[at + 1] = 128 + 0.439 * r - 0.368 * g - 0.071 * b;
        }
      }
    }
    matched(expected, await engine.detect({ data, width, height, format: 'nv12' }), 0.9);
  });
});
