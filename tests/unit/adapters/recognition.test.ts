import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE_PRESETS } from '../../../lib/engine/index.js';
import { ARCFACE_CHIP, embedFaces, fivePointsOf, type RecognitionPlan } from '../../../lib/recognition/index.js';
import type { Box, Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { type LinearNetwork, linear, linearNetwork } from '../../support/small-networks.js';
import { type Bench, chipMeans, furthest, openBench, paint, similarity, unit, waves } from './bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const frame = paint(420, 330, waves);
const place = similarity(1.7, 0.3, 120, 40);
const fivePoints = ARCFACE_CHIP.five.map(place);
/** One pixel of the chip beside it: what comes out must tell. */
const beside = ([u, v]: Point): Point => place([u + 1, v]);

function projection(size: number, pool: number, output: string, batch: 'N' | 1 = 'N'): LinearNetwork {
  const next = random(size + pool);
  const rows = 3 * (size / pool) ** 2;
  const weights = Float32Array.from({ length: rows * 512 }, () => next() - 0.5);
  const bias = Float32Array.from({ length: 512 }, () => 0.2 * (next() - 0.5));
  return { channels: 3, size, pool, batch, output, weights, bias };
}

const arcface = projection(112, 16, '683');
const TOLERANCE = 4e-4;

/** The embedding of the chip that `map` carries onto the picture, its pixels turned into `(value − 127.5) / divisor`. */
function expected(
  network: LinearNetwork,
  map: (p: Point) => Point,
  divisor: number,
  order: readonly number[],
): number[] {
  const means = chipMeans(network.size, network.pool, map, (x, y) => {
    const colour = waves(x, y);
    return order.map((channel) => (colour[channel]! - 127.5) / divisor);
  });
  return linear(network, means);
}

const RGB = [0, 1, 2];
const BGR = [2, 1, 0];

describe('ArcFace', () => {
  const plan = CATALOGUE_PRESETS.buffalo_l.recognition;
  const model = { insightface_arcface_r50: { bytes: linearNetwork(arcface) } };

  it('sees the face aligned by five points, red first, from −1 to 1', async () => {
    const networks = await bench.networks(model);
    const [embedding] = await embedFaces(networks, frame, [{ fivePoints }], plan);
    expect(embedding).toMatchObject({ model: 'arcface_r50', dims: 512 });
    expect(Math.hypot(...embedding!.vector)).toBeCloseTo(1, 6);
    expect(furthest(embedding!.vector, unit(expected(arcface, place, 127.5, RGB)))).toBeLessThan(TOLERANCE);
    expect(furthest(embedding!.vector, unit(expected(arcface, beside, 127.5, RGB)))).toBeGreaterThan(3 * TOLERANCE);
    expect(furthest(embedding!.vector, unit(expected(arcface, place, 127.5, BGR)))).toBeGreaterThan(3 * TOLERANCE);
    expect(furthest(embedding!.vector, unit(expected(arcface, place, 255, RGB)))).toBeGreaterThan(3 * TOLERANCE);
  });

  it('finds the five points among the 68', async () => {
    const landmarks: Point[] = Array.from({ length: 68 }, () => [0, 0]);
    const around = (first: number, [cx, cy]: Point): void => {
      for (let i = 0; i < 6; i++) {
        landmarks[first + i] = place([cx + 5 * Math.cos((i * Math.PI) / 3), cy + 2 * Math.sin((i * Math.PI) / 3)]);
      }
    };
    around(36, ARCFACE_CHIP.five[0]!);
    around(42, ARCFACE_CHIP.five[1]!);
    for (const [i, index] of [30, 48, 54].entries()) landmarks[index] = place(ARCFACE_CHIP.five[2 + i]!);
    for (const [i, point] of fivePointsOf(landmarks).entries()) {
      expect(Math.hypot(point[0] - fivePoints[i]![0], point[1] - fivePoints[i]![1])).toBeLessThan(1e-9);
    }
    const networks = await bench.networks(model);
    const [one, other] = await embedFaces(networks, frame, [landmarks, { fivePoints }], plan);
    expect(furthest(one!.vector, other!.vector)).toBeLessThan(1e-6);
  });

  it('averages with the mirror image where the plan says so', async () => {
    const networks = await bench.networks(model);
    const mirror: RecognitionPlan = { ...plan, model: 'arcface_r50+mirror', mirror: true };
    const [embedding] = await embedFaces(networks, frame, [{ fivePoints }], mirror);
    const flipped = expected(arcface, ([u, v]) => place([112 - u, v]), 127.5, RGB);
    const both = expected(arcface, place, 127.5, RGB).map((value, i) => (value + flipped[i]!) / 2);
    expect(furthest(embedding!.vector, unit(both))).toBeLessThan(TOLERANCE);
    expect(embedding!.model).toBe('arcface_r50+mirror');
  });

  it('has no embedding for a face whose points coincide, are no numbers, or are not known', async () => {
    const networks = await bench.networks(model);
    const nowhere = fivePoints.map((): Point => [5, Number.NaN]);
    const [a, b, c] = await embedFaces(
      networks,
      frame,
      [{ fivePoints: nowhere }, { box: [0, 0, 9, 9] }, { fivePoints }],
      plan,
    );
    expect([a, b]).toEqual([undefined, undefined]);
    expect(c).toBeDefined();
  });

  it('refuses a file of another length, or for another picture', async () => {
    const short = linearNetwork({ ...arcface, bias: new Float32Array(256), weights: new Float32Array(147 * 256) });
    const networks = await bench.networks({ insightface_arcface_r50: { bytes: short } });
    const error = await embedFaces(networks, frame, [{ fivePoints }], plan).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'MODEL_CORRUPT' });
    expect((error as Error).message).toMatch(
      /insightface_arcface_r50 needs one float32 output of 512 values.*683 \[\?, 256\]/,
    );
    const large = await bench.networks({
      insightface_arcface_r50: { bytes: linearNetwork(projection(128, 16, '683')) },
    });
    await expect(embedFaces(large, frame, [{ fivePoints }], plan)).rejects.toThrow(
      /needs one input \[N, 3, 112, 112\]/,
    );
  });
});

describe('AdaFace', () => {
  it('sees the same chip, blue first, also one face at a time', async () => {
    const network = projection(112, 16, 'feature', 1);
    const networks = await bench.networks({ adaface_ir101: { bytes: linearNetwork(network) } });
    const other = similarity(1.2, -0.2, 60, 90);
    const faces = [{ fivePoints }, { fivePoints: ARCFACE_CHIP.five.map(other) }];
    const embeddings = await embedFaces(networks, frame, faces, CATALOGUE_PRESETS.adaface.recognition);
    for (const [i, map] of [place, other].entries()) {
      expect(embeddings[i]!.model).toBe('adaface_ir101');
      expect(furthest(embeddings[i]!.vector, unit(expected(network, map, 127.5, BGR)))).toBeLessThan(TOLERANCE);
      expect(furthest(embeddings[i]!.vector, unit(expected(network, map, 127.5, RGB)))).toBeGreaterThan(3 * TOLERANCE);
    }
  });
});

describe('FaceNet', () => {
  it('sees the box with a margin of 14 of 160 pixels, stretched to a square', async () => {
    const network = projection(160, 20, 'output', 1);
    const networks = await bench.networks({ facenet_vggface2: { bytes: linearNetwork(network) } });
    const box: Box = [100, 60, 146, 219];
    const [embedding] = await embedFaces(networks, frame, [{ box }], CATALOGUE_PRESETS.facenet.recognition);
    // 146 pixels of the chip for the box in either direction, 7 on each side.
    const map = ([u, v]: Point): Point => [100 + (u - 7), 60 + (v - 7) * 1.5];
    expect(embedding).toMatchObject({ model: 'facenet_vggface2', dims: 512 });
    expect(furthest(embedding!.vector, unit(expected(network, map, 128, RGB)))).toBeLessThan(TOLERANCE);
    const tight = ([u, v]: Point): Point => [100 + (u * 146) / 160, 60 + (v * 219) / 160];
    expect(furthest(embedding!.vector, unit(expected(network, tight, 128, RGB)))).toBeGreaterThan(3 * TOLERANCE);
  });
});
