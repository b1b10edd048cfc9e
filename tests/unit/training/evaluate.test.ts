import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../lib/engine/index.js';
import {
  evaluateLandmarks,
  type LandmarkDataset,
  type LandmarkPredictor,
  openNetworkPredictor,
  readDataset,
  writeImglab,
} from '../../../lib/training/index.js';
import type { Box, Point } from '../../../lib/types.js';
import { facesOn, labelledPhotographs } from './photographs.js';

const PICTURES = [1, 5];
const FACES = facesOn(PICTURES);

let folder = '';
let engine: Engine;
let network: LandmarkPredictor;
let data: LandmarkDataset;

/** What the engine itself finds on the sample photographs: the network must then agree with it. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-evaluate-'));
  engine = await openEngine();
  network = await openNetworkPredictor();
  data = await labelledPhotographs(engine, PICTURES);
});
afterAll(async () => {
  await network.close();
  await engine.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The marked points, changed: what a predictor with a known error answers. */
function known(change: (point: Point, face: readonly Point[]) => Point): LandmarkPredictor {
  const all = data.pictures.flatMap(({ faces }) => faces);
  const close = async (): Promise<void> => {};
  return {
    name: 'known',
    points: 68,
    predict: async (_frame, boxes) =>
      boxes.map((box) => {
        const points = all.find((face) => face.box === box)!.points as readonly Point[];
        return points.map((point) => change(point, points));
      }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

const eyes = (face: readonly Point[]): number => Math.hypot(face[45]![0] - face[36]![0], face[45]![1] - face[36]![1]);

describe('evaluateLandmarks', () => {
  it('finds no error where there is none, and the one that was made', async () => {
    const perfect = await evaluateLandmarks({ predictor: known((p) => p), data });
    expect(perfect).toMatchObject({
      faces: FACES,
      pictures: PICTURES.length,
      mean: 0,
      auc: 1,
      failureRate: 0,
      undetected: 0,
    });
    const moved = await evaluateLandmarks({ predictor: known(([x, y], face) => [x + 0.04 * eyes(face), y]), data });
    expect(moved.mean).toBeCloseTo(0.04, 9);
    expect(moved.auc).toBeCloseTo(0.5, 9);
    expect(moved.failureRate).toBe(0);
    expect(moved.parts['jaw']).toBeCloseTo(0.04, 9);
    const far = await evaluateLandmarks({ predictor: known(([x, y], face) => [x + 0.1 * eyes(face), y]), data });
    expect([far.auc, far.failureRate]).toEqual([0, 1]);
    expect(far.curve.find(({ error }) => error > 0.11)?.share).toBe(1);
  });

  it('measures the network of the starter pack, from a written data set as well', async () => {
    const exact = await evaluateLandmarks({ predictor: network, data });
    expect(exact.mean).toBeLessThan(1e-6);
    const file = path.join(folder, 'faces.xml');
    await writeImglab(file, data, { decimals: 3 });
    const seen: string[] = [];
    const read = await evaluateLandmarks({
      predictor: network,
      data: file,
      onProgress: (p) => seen.push(`${p.done}/${p.total}`),
    });
    expect(read.mean).toBeLessThan(1e-3);
    expect(read.errors.every(({ source }) => source === file)).toBe(true);
    expect(seen).toEqual(['1/2', '2/2']);
    // A detector of one's own, which finds the same boxes.
    const detected = await evaluateLandmarks({
      predictor: network,
      data: file,
      boxes: async (frame) => (await engine.detect(frame)).map(({ box }) => box),
    });
    expect(detected).toMatchObject({ undetected: 0, faces: FACES });
    expect(detected.mean).toBeLessThan(1e-3);
    const diagonal = await evaluateLandmarks({
      predictor: known(([x, y], face) => [x + 0.04 * eyes(face), y]),
      data,
      normalisation: 'diagonal',
    });
    expect(diagonal.mean).toBeLessThan(0.03);
  });

  it('counts faces that a detector misses as failures', async () => {
    const first = data.pictures[0]!.faces[0]!.box;
    const e = await evaluateLandmarks({ predictor: network, data, boxes: async (): Promise<Box[]> => [first] });
    expect(e.undetected).toBe(FACES - 1);
    expect(e.failureRate).toBeCloseTo((FACES - 1) / FACES, 12);
    expect(e.auc).toBeLessThan(1 / FACES + 1e-9);
    expect(e.errors.filter(({ error }) => error === undefined)).toHaveLength(FACES - 1);
    const none = await evaluateLandmarks({ predictor: network, data, boxes: async () => [] });
    expect([none.mean, none.auc, none.failureRate]).toEqual([Number.NaN, 0, 1]);
  });

  it('refuses what does not fit, naming file and line', async () => {
    const other = { ...data, names: data.names.slice(0, 5) };
    await expect(evaluateLandmarks({ predictor: network, data: other })).rejects.toThrow(
      'sample1: faces of 5 points, where faceapi_landmarks68 finds 68',
    );
    const missing = { ...data, pictures: [{ ...data.pictures[0]!, path: path.join(folder, 'none.jpg'), line: 7 }] };
    await expect(evaluateLandmarks({ predictor: network, data: missing })).rejects.toMatchObject({
      code: 'IMAGE_NOT_FOUND',
      message: expect.stringContaining('sample1:7: '),
    });
    const sized = { ...data, pictures: [{ ...data.pictures[0]!, size: { width: 10, height: 10 } }] };
    await expect(evaluateLandmarks({ predictor: network, data: sized })).rejects.toThrow('where 10×10 are stated');
    const bad = { predictor: network, data, normalisation: 'interpupil' as 'diagonal' };
    await expect(evaluateLandmarks(bad)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(evaluateLandmarks({ predictor: network, data: path.join(folder, 'none.xml') })).rejects.toThrow(
      'no such file',
    );
    const blind = {
      ...data,
      pictures: data.pictures.map((p) => ({
        ...p,
        faces: p.faces.map((f) => ({ ...f, points: f.points.map((q, i) => (i === 36 ? undefined : q)) })),
      })),
    };
    await expect(evaluateLandmarks({ predictor: network, data: blind })).rejects.toThrow(
      `no face to measure (${FACES}`,
    );
  });

  it('stops when it is told to', async () => {
    const controller = new AbortController();
    const running = evaluateLandmarks({
      predictor: network,
      data,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(running).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(evaluateLandmarks({ predictor: network, data })).resolves.toMatchObject({ faces: FACES });
  });

  it('reads no data set twice that was read already', async () => {
    const file = path.join(folder, 'again.xml');
    await writeImglab(file, data, { decimals: 3 });
    const read = await readDataset(file);
    rmSync(file);
    expect((await evaluateLandmarks({ predictor: network, data: read })).faces).toBe(FACES);
  });
});
