import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../../../lib/engine/index.js';
import { decodeImage } from '../../../lib/image/decode.js';
import { squareBox } from '../../../lib/image/geometry.js';
import {
  convertLandmarks,
  evaluateLandmarks,
  type LandmarkDataset,
  openShapePredictor,
  type TrainingProgress,
  type TrainLandmarksOptions,
  trainLandmarks,
  writeImglab,
} from '../../../lib/training/index.js';
import type { Box } from '../../../lib/types.js';
import { sample } from '../../support/samples.js';
import { facesOn, labelledPhotographs } from './photographs.js';

const PICTURES = [1, 2, 3, 4, 5, 6];
const FACES = facesOn(PICTURES);

let folder = '';
let data: LandmarkDataset;
const file = (name: string): string => path.join(folder, name);

/** The sample photographs with what the starter pack's network finds on them. */
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'lineament-train-'));
  await using engine = await openEngine();
  data = await labelledPhotographs(engine, PICTURES);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SMALL = {
  cascadeDepth: 4,
  treesPerCascade: 12,
  treeDepth: 3,
  oversampling: 6,
  featurePoolSize: 80,
  nu: 0.3,
  seed: 'a',
};
const small = (output: string, more: Partial<TrainLandmarksOptions> = {}): TrainLandmarksOptions => ({
  data,
  output: file(output),
  mirror: true,
  ...SMALL,
  ...more,
});

describe('trainLandmarks', () => {
  it('learns: points come much nearer than those of the mean shape, and the file is what was asked for', async () => {
    const seen: TrainingProgress[] = [];
    const trained = await trainLandmarks(small('a.lmk', { onProgress: (p) => seen.push(p) }));
    expect(trained).toMatchObject({
      points: 68,
      cascades: 4,
      trees: 12,
      depth: 3,
      features: 80,
      format: 'compact',
      faces: 2 * FACES,
      pictures: 2 * PICTURES.length,
      undetected: 0,
      resumed: false,
    });
    expect(trained.leafError).toBeGreaterThan(0);
    expect(trained.leafError).toBeLessThan(0.001);
    // 48 trees of 8 leaves with 136 numbers of 16 bits, and little else.
    expect(trained.bytes).toBe(readFileSync(file('a.lmk')).length);
    expect(trained.bytes).toBeGreaterThan(48 * 8 * 136 * 2);
    expect(trained.bytes).toBeLessThan(48 * 8 * 136 * 2 * 1.3);
    await using one = await openShapePredictor(file('a.lmk'));
    const learned = await evaluateLandmarks({ predictor: one, data });
    const start = await trainLandmarks(
      small('mean.lmk', { cascadeDepth: 1, treesPerCascade: 1, treeDepth: 1, nu: 1e-6 }),
    );
    expect(start.trainingError).toBeGreaterThan(2 * trained.trainingError);
    await using mean = await openShapePredictor(file('mean.lmk'));
    const unlearned = await evaluateLandmarks({ predictor: mean, data });
    expect(learned.mean).toBeLessThan(unlearned.mean / 2);
    // Progress: the pictures, then the trees, to the end.
    expect(seen.filter(({ stage }) => stage === 'pictures').map(({ done }) => done)).toEqual([1, 2, 3, 4, 5, 6]);
    const trees = seen.filter(({ stage }) => stage === 'trees');
    expect(trees.at(-1)).toMatchObject({ done: 48, total: 48, cascades: { done: 4, total: 4 } });
    expect(trees.map(({ done }) => done)).toEqual(trees.map(({ done }) => done).toSorted((a, b) => a - b));
  });

  it('gives the same model for the same seed on any number of threads, and another for another seed', async () => {
    await trainLandmarks(small('one.lmk', { threads: 1 }));
    await trainLandmarks(small('two.lmk', { threads: 2 }));
    await trainLandmarks(small('other.lmk', { seed: 'b' }));
    expect(readFileSync(file('one.lmk')).equals(readFileSync(file('two.lmk')))).toBe(true);
    expect(readFileSync(file('one.lmk')).equals(readFileSync(file('other.lmk')))).toBe(false);
  });

  it('goes on from a checkpoint to the very same model', async () => {
    const checkpoint = file('part');
    const controller = new AbortController();
    const long = { cascadeDepth: 6, treesPerCascade: 200, oversampling: 20, threads: 1 };
    const stopped = trainLandmarks(
      small('resumed.lmk', {
        ...long,
        checkpoint,
        signal: controller.signal,
        onProgress: ({ cascades }) => {
          if ((cascades?.done ?? 0) >= 1) controller.abort(new Error('enough'));
        },
      }),
    );
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    expect([existsSync(checkpoint), existsSync(file('resumed.lmk'))]).toEqual([true, false]);
    const seen: TrainingProgress[] = [];
    const resumed = await trainLandmarks(
      small('resumed.lmk', { ...long, checkpoint, onProgress: (p) => seen.push(p) }),
    );
    expect(resumed.resumed).toBe(true);
    const trees = seen.filter(({ stage }) => stage === 'trees');
    expect(trees[0]!.done).toBeGreaterThanOrEqual(200);
    expect(trees.every((p) => p.resumed)).toBe(true);
    await trainLandmarks(small('straight.lmk', long));
    expect(readFileSync(file('resumed.lmk')).equals(readFileSync(file('straight.lmk')))).toBe(true);
    // Other faces do not fit the checkpoint, which stays as it is.
    const before = readFileSync(checkpoint);
    const other = trainLandmarks(small('other.lmk', { ...long, checkpoint, mirror: false }));
    await expect(other).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    expect(readFileSync(checkpoint).equals(before)).toBe(true);
  });

  it('ends with what a callback throws, and stays usable', async () => {
    const thrown = new Error('from the callback');
    const running = trainLandmarks(
      small('never.lmk', {
        onProgress: ({ stage }) => {
          if (stage === 'trees') throw thrown;
        },
      }),
    );
    await expect(running).rejects.toMatchObject({
      message: expect.stringContaining('from the callback'),
      cause: thrown,
    });
    expect(existsSync(file('never.lmk'))).toBe(false);
  });

  it('refuses what it cannot use before any work', async () => {
    const refused = async (more: object, said: string): Promise<void> => {
      const error = await trainLandmarks({ ...small('x.lmk'), ...more } as TrainLandmarksOptions).catch(
        (e: unknown) => e,
      );
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(said) });
    };
    await refused({ nu: 0 }, 'for nu');
    await refused({ nu: Number.NaN }, 'for nu');
    await refused({ cascadeDepth: 0 }, 'for cascadeDepth');
    await refused({ treeDepth: 40 }, 'for treeDepth');
    await refused({ featurePoolSize: 1 }, 'for featurePoolSize');
    await refused({ featurePoolSize: 70_000 }, 'for featurePoolSize');
    await refused({ paddingMode: 'face' }, 'for paddingMode');
    await refused({ boxes: 'ssd' }, 'for boxes');
    await refused({ trees: 5 }, "Unknown option 'trees'");
    await refused({ output: '' }, 'for output');
    await refused({ output: path.join(folder, 'no', 'such', 'x.lmk') }, 'nothing can be written');
    await refused({ data: file('none.xml') }, 'no such file');
    await refused({ boxes: async () => [] }, 'no face to learn from');
    await refused({ mirrorOrder: [1, 0] }, 'for mirrorOrder');
    const aborted = trainLandmarks(small('x.lmk', { signal: AbortSignal.abort() }));
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('names the line of a picture that cannot be read', async () => {
    const broken = file('broken.jpg');
    writeFileSync(broken, readFileSync(sample(1)).subarray(0, 20_000));
    const [first] = data.pictures;
    const set = file('broken.xml');
    await writeImglab(set, { ...data, pictures: [first!, { ...first!, path: broken }] });
    const line =
      readFileSync(set, 'utf8')
        .split('\n')
        .findIndex((text) => text.includes('broken.jpg')) + 1;
    await expect(trainLandmarks(small('x.lmk', { data: set }))).rejects.toMatchObject({
      code: 'IMAGE_CORRUPT',
      message: expect.stringContaining(`${set}:${line}: `),
    });
  });
});

describe('a robust prediction', () => {
  it('is the median of seven, whatever order the faces come in', async () => {
    await trainLandmarks(small('r.lmk'));
    await using plain = await openShapePredictor(file('r.lmk'));
    await using robust = await openShapePredictor(file('r.lmk'), { robust: true, square: true });
    const frame = await decodeImage(sample(1));
    const boxes = data.pictures[0]!.faces.map(({ box }) => squareBox(box));
    const found = await robust.predict(frame, boxes);
    for (const [n, [x, y, side]] of boxes.entries()) {
      const aside: Box[] = [
        [0, 0],
        [0.04, 0],
        [-0.04, 0],
        [0, 0.04],
        [0, -0.04],
      ].map(([dx = 0, dy = 0]) => [x + dx * side, y + dy * side, side, side]);
      const sized: Box[] = [1.07, 0.93].map((s) => [
        x + (side - side * s) / 2,
        y + (side - side * s) / 2,
        side * s,
        side * s,
      ]);
      const looks = await plain.predict(frame, [...aside, ...sized]);
      for (const [i, point] of found[n]!.entries()) {
        for (const k of [0, 1] as const) {
          expect(point[k]).toBeCloseTo(looks.map((p) => p[i]![k]).toSorted((a, b) => a - b)[3]!, 6);
        }
      }
    }
    const turned = await robust.predict(frame, boxes.toReversed());
    expect(turned.toReversed()).toEqual(found);
    expect(await robust.predict(frame, [])).toEqual([]);
  });
});

describe('convertLandmarks', () => {
  it("goes to dlib's format and back without a change", async () => {
    await trainLandmarks(small('c.lmk'));
    const there = await convertLandmarks(file('c.lmk'), file('c.dat'));
    expect(there).toMatchObject({
      from: 'compact',
      to: 'dlib',
      points: 68,
      cascades: 4,
      trees: 12,
      depth: 3,
      leafError: 0,
    });
    const back = await convertLandmarks(file('c.dat'), file('d.lmk'));
    expect(back).toMatchObject({ from: 'dlib', to: 'compact' });
    await using first = await openShapePredictor(file('c.lmk'));
    for (const other of ['c.dat', 'd.lmk']) {
      await using second = await openShapePredictor(file(other));
      const [a, b] = await Promise.all([first, second].map((predictor) => evaluateLandmarks({ predictor, data })));
      expect(b!.mean).toBeCloseTo(a!.mean, 4);
    }
  });

  it('refuses what is no model', async () => {
    writeFileSync(file('bad.dat'), 'no model');
    await expect(convertLandmarks(file('bad.dat'), file('x.lmk'))).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    await expect(convertLandmarks(file('a.lmk'), file('x.lmk'), { format: 'onnx' as 'dlib' })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
    });
    expect(existsSync(file('x.lmk'))).toBe(false);
  });
});
