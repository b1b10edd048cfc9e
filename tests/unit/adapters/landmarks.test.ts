import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readBoxAgeGender, readExpressions } from '../../../lib/attributes/index.js';
import { CATALOGUE_PRESETS } from '../../../lib/engine/index.js';
import { squareRegion } from '../../../lib/image/geometry.js';
import { FROM_106, from106, locateLandmarks, MIRROR } from '../../../lib/landmarks/index.js';
import type { Box, Point } from '../../../lib/types.js';
import { random } from '../../support/random.js';
import { linear, linearNetwork } from '../../support/small-networks.js';
import { type Bench, openBench, paint } from './bench.js';

let bench: Bench;
beforeAll(async () => {
  bench = await openBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const COLOUR = [200, 90, 40] as const;
const frame = paint(400, 300, () => COLOUR);
const BOXES: readonly Box[] = [
  [150, 80, 80, 100],
  [60, 120, 60, 50],
];

/** A network that answers with fixed numbers and a little of the colour that it sees. */
function answering(count: number, size: number, output: string) {
  const next = random(count);
  const bias = Float32Array.from({ length: count }, () => 1.6 * next() - 0.8);
  const weights = Float32Array.from({ length: 3 * count }, () => 1e-3 * (next() - 0.5));
  return { channels: 3, size, pool: size, output, bias, weights } as const;
}

describe("InsightFace's landmarks", () => {
  it('of 106 points become the 68, at the square of 1.5 × the box', async () => {
    const network = answering(212, 192, 'fc1');
    const networks = await bench.networks({ insightface_2d106: { bytes: linearNetwork(network) } });
    const plan = CATALOGUE_PRESETS.buffalo_s.landmarks;
    const faces = await locateLandmarks(networks, frame, BOXES, 1, plan);
    const values = linear(network, COLOUR);
    expect(faces).toHaveLength(2);
    for (const [n, [x, y, w, h]] of BOXES.entries()) {
      const half = (Math.max(w, h) * 1.5) / 2;
      const all = Array.from({ length: 106 }, (_, i): Point => [values[2 * i]!, values[2 * i + 1]!]);
      for (const [i, [u, v]] of from106(all).entries()) {
        expect(faces[n]![i]![0]).toBeCloseTo(x + w / 2 + half * u, 2);
        expect(faces[n]![i]![1]).toBeCloseTo(y + h / 2 + half * v, 2);
      }
    }
  });

  it('are those that stand for them, each of one half of the face from that half', () => {
    expect(FROM_106).toHaveLength(68);
    const single = FROM_106.filter((from) => typeof from === 'number');
    expect(new Set(single).size).toBe(60);
    expect(FROM_106.flat().every((index) => index >= 0 && index < 106)).toBe(true);
    // The jaw's halves are numbered alike (1–16 and 17–32, the chin 0).
    for (let i = 0; i < 8; i++) expect(FROM_106[MIRROR[i]!]).toBe((FROM_106[i] as number) + 16);
    expect(FROM_106[8]).toBe(0);
  });

  it('draw lids as open as they are', () => {
    // The eight points of an eye in their order around it (OpenVtuber, `eye_bound`), a quarter of its width apart; lids are parabolas.
    const rings = [
      [35, 41, 40, 42, 39, 37, 33, 36],
      [89, 95, 94, 96, 93, 91, 87, 90],
    ];
    const along = [0, 0.25, 0.5, 0.75, 1, 0.75, 0.5, 0.25];
    const lid = (t: number): number => 4 * t * (1 - t);
    const all = Array.from({ length: 106 }, (): Point => [Number.NaN, Number.NaN]);
    for (const ring of rings) {
      ring.forEach((index, i) => {
        all[index] = [along[i]!, i < 4 ? -lid(along[i]!) : lid(along[i]!)];
      });
    }
    const points = from106(all);
    for (const first of [36, 42]) {
      const [left, up1, up2, right, low2, low1] = points.slice(first, first + 6) as [
        Point,
        Point,
        Point,
        Point,
        Point,
        Point,
      ];
      expect([left, right]).toEqual([
        [0, -0],
        [1, 0],
      ]);
      expect([up1[0], up2[0]]).toEqual([low1[0], low2[0]]);
      const open = (low1[1] - up1[1] + low2[1] - up2[1]) / 2;
      // A third of the way along each lid, where the 68 have their points.
      expect(open / (2 * lid(1 / 3))).toBeGreaterThan(0.97);
      expect(open / (2 * lid(1 / 3))).toBeLessThan(1.03);
    }
  });

  it('of 1103 points in space are the last 68', async () => {
    const network = answering(3309, 192, '1103');
    const networks = await bench.networks({ insightface_3d68: { bytes: linearNetwork(network) } });
    const [points] = await locateLandmarks(networks, frame, BOXES, 1.1, CATALOGUE_PRESETS.buffalo_l.landmarks);
    const values = linear(network, COLOUR);
    const [x, y, w, h] = BOXES[0]!;
    const half = (Math.max(w, h) * 1.1 * 1.5) / 2;
    for (let i = 0; i < 68; i++) {
      const at = (1103 - 68 + i) * 3;
      expect(points![i]![0]).toBeCloseTo(x + w / 2 + half * values[at]!, 2);
      expect(points![i]![1]).toBeCloseTo(y + h / 2 + half * values[at + 1]!, 2);
    }
  });

  it('are refused where the file gives something else', async () => {
    const networks = await bench.networks({
      insightface_2d106: { bytes: linearNetwork(answering(136, 192, 'fc1')) },
      insightface_3d68: { bytes: linearNetwork(answering(3309, 128, 'fc1')) },
    });
    const { buffalo_s, buffalo_l } = CATALOGUE_PRESETS;
    await expect(locateLandmarks(networks, frame, BOXES, 1, buffalo_s.landmarks)).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringMatching(/needs one float32 output of 212 values.*fc1 \[\?, 136\]/),
    });
    await expect(locateLandmarks(networks, frame, BOXES, 1, buffalo_l.landmarks)).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringMatching(/needs one input \[N, 3, 192, 192\]/),
    });
  });
});

describe("InsightFace's age and gender", () => {
  it('are read from the square of 1.5 × the box', async () => {
    const weights = Float32Array.from([0.01, 0, 0.0005, 0, 0.02, 0, 0, 0, 0.001]);
    const network = { channels: 3, size: 96, pool: 96, output: 'fc1', bias: [0.5, 0.25, 0.1], weights } as const;
    const networks = await bench.networks({ insightface_genderage: { bytes: linearNetwork(network) } });
    const [female, male, age] = linear(network, COLOUR) as [number, number, number];
    const [one, two] = await readBoxAgeGender(networks, frame, BOXES);
    expect(one!.age).toBeCloseTo(100 * age, 3);
    expect(one!.gender.label).toBe(female > male ? 'female' : 'male');
    expect(one!.gender.probability).toBeCloseTo(1 / (1 + Math.exp(-Math.abs(female - male))), 4);
    expect(two!.age).toBeCloseTo(one!.age, 3);
    // A square that reaches over the edge of the picture sees black there: the box decides.
    const [cut] = await readBoxAgeGender(networks, frame, [[-40, 100, 80, 80]]);
    expect(cut!.age).toBeCloseTo(100 * (0.1 + (age - 0.1) / 2), 2);
  });
});

describe('FER+', () => {
  const labels = ['neutral', 'happy', 'surprised', 'sad', 'angry', 'disgusted', 'fearful'] as const;
  const squares = [squareRegion(200, 150, 100, 1), squareRegion(150, 150, 80, 1)];
  const grey = paint(400, 300, () => [100, 100, 100]);
  const network = (bias: readonly number[]) =>
    ({
      channels: 1,
      size: 64,
      pool: 64,
      batch: 1,
      output: 'Plus692_Output_0',
      bias,
      weights: Float32Array.from(bias, (_, i) => i * 1e-3),
    }) as const;

  it('gives our labels from its eight, on grey pixels of 0 to 255, one face at a time', async () => {
    const scores = network([1, 0.5, 2.5, -1, 0, 1.5, -0.5, -2]);
    const networks = await bench.networks({ ferplus_emotion: { bytes: linearNetwork(scores) } });
    const [first, second] = await readExpressions(networks, grey, squares, undefined, 'ferplus');
    const powers = linear(scores, [100]).map(Math.exp);
    const sum = powers.reduce((a, b) => a + b);
    for (const [i, label] of labels.entries()) expect(first!.probabilities[label]).toBeCloseTo(powers[i]! / sum, 4);
    expect(first!.label).toBe('surprised');
    expect(first!.probability).toBe(first!.probabilities.surprised);
    expect(second).toEqual(first);
  });

  it('leaves contempt out, and what it had of the probability with it', async () => {
    const networks = await bench.networks({
      ferplus_emotion: { bytes: linearNetwork(network([0, 0, 0, 0, 1, 0, 0, 5])) },
    });
    const [face] = await readExpressions(networks, grey, squares.slice(0, 1), undefined, 'ferplus');
    expect(face!.label).toBe('angry');
    const sum = Object.values(face!.probabilities).reduce((a, b) => a + b);
    expect(sum).toBeLessThan(0.1);
    expect(sum).toBeGreaterThan(0.01);
  });

  it('is refused where the file has another number of classes', async () => {
    const networks = await bench.networks({
      ferplus_emotion: { bytes: linearNetwork(network([0, 0, 0, 0, 0, 0, 0])) },
    });
    await expect(readExpressions(networks, grey, squares, undefined, 'ferplus')).rejects.toMatchObject({
      code: 'MODEL_CORRUPT',
      message: expect.stringMatching(/eight expressions.*\[1, 7\]/),
    });
  });
});
