import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  NativeAddon,
  NativeExecutor,
  NativeShapeModel,
  PixelView,
  ShapeTrainingOptions,
  ShapeTrainingProgress,
  ShapeTrainingSet,
} from '../../lib/native/addon.js';
import { loadAddon } from '../../lib/native/index.js';
import { runChild } from '../support/child.js';
import { codeOf, noise } from './support.js';

const SIDE = 80;
const LAYOUT = [
  [0.3, 0.35],
  [0.7, 0.35],
  [0.5, 0.6],
  [0.5, 0.85],
] as const;
const POINTS = LAYOUT.length;

const OPTIONS: ShapeTrainingOptions = {
  cascadeDepth: 4,
  treeDepth: 3,
  treesPerCascade: 50,
  nu: 0.2,
  oversampling: 10,
  oversamplingTranslationJitter: 0,
  featurePoolSize: 100,
  lambda: 0.2,
  testSplits: 20,
  featurePoolRegionPadding: 0.1,
  paddingMode: 'landmark',
  seed: 'seed',
};

/** Pictures of bright and dark blobs, moved and turned as one; their centres are the points. */
function blobs(faces: number, seed: number): ShapeTrainingSet {
  const random = noise(faces * 3, -1, 1, seed);
  const points = new Float64Array(faces * POINTS * 2);
  const images: PixelView[] = [];
  for (let face = 0; face < faces; face++) {
    const [r0 = 0, r1 = 0, r2 = 0] = random.subarray(face * 3);
    const [cos, sin] = [Math.cos(0.35 * r0), Math.sin(0.35 * r0)];
    const centres = LAYOUT.map(([x, y]) => [
      8 + 64 * (0.5 + 0.08 * r1 + cos * (x - 0.5) - sin * (y - 0.5)),
      8 + 64 * (0.5 + 0.08 * r2 + sin * (x - 0.5) + cos * (y - 0.5)),
    ]);
    points.set(centres.flat(), face * POINTS * 2);
    const data = new Uint8Array(SIDE * SIDE);
    for (let i = 0; i < data.length; i++) {
      let value = 128;
      centres.forEach(([x = 0, y = 0], k) => {
        const square = ((i % SIDE) + 0.5 - x) ** 2 + (Math.floor(i / SIDE) + 0.5 - y) ** 2;
        value += (k % 2 === 0 ? 110 : -110) * Math.exp(-square / 50);
      });
      data[i] = Math.min(255, Math.max(0, value));
    }
    images.push({ data, width: SIDE, height: SIDE, format: 'gray' });
  }
  return {
    images,
    imageOf: Uint32Array.from({ length: faces }, (_, i) => i),
    boxes: Float64Array.from({ length: faces * 4 }, (_, i) => (i % 4 < 2 ? 8 : 65)),
    points,
  };
}

describe('training of shape models', () => {
  let addon: NativeAddon;
  let executor: NativeExecutor;
  let folder: string;
  const set = blobs(60, 1);
  const others = blobs(25, 2);
  const quiet = (): void => {};

  beforeAll(() => {
    addon = loadAddon();
    executor = addon.createExecutor(2);
    folder = mkdtempSync(join(tmpdir(), 'lineament-training-'));
  });
  afterAll(async () => {
    await executor.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const train = (more: Partial<ShapeTrainingOptions> = {}, on: ShapeTrainingSet = set): Promise<NativeShapeModel> =>
    addon.trainShapeModel(executor, on, { ...OPTIONS, ...more }, quiet);

  /** Mean distance in pixels on the faces of `others`. */
  async function errorOf(model: NativeShapeModel): Promise<number> {
    let sum = 0;
    for (const [face, image] of others.images.entries()) {
      const found = await model.predict(executor, image, others.boxes.slice(face * 4, face * 4 + 4));
      for (let i = 0; i < POINTS; i++) {
        const at = (face * POINTS + i) * 2;
        const [x = Number.NaN, y = Number.NaN] = found.subarray(i * 2);
        sum += Math.hypot(x - (others.points[at] ?? 0), y - (others.points[at + 1] ?? 0));
      }
    }
    return sum / (others.images.length * POINTS);
  }

  /** The bytes of the model as dlib would write them. */
  async function bytesOf(model: NativeShapeModel): Promise<Buffer> {
    const file = join(folder, 'model.dat');
    await model.save(executor, file, 'dlib');
    return readFileSync(file);
  }

  it('learns, and the model survives both formats', async () => {
    const model = await train();
    expect(model).toMatchObject({ points: 4, cascades: 4, trees: 50, depth: 3, features: 100, format: 'memory' });
    expect(model.leafError).toBe(0);
    const weak = await train({ cascadeDepth: 1, treesPerCascade: 1, nu: 1e-6 });
    const [learnt, mean] = [await errorOf(model), await errorOf(weak)];
    expect(mean).toBeGreaterThan(4);
    expect(learnt).toBeLessThan(mean / 3);
    for (const format of ['dlib', 'compact'] as const) {
      const file = join(folder, `model.${format}`);
      await model.save(executor, file, format);
      const read = await addon.openShapeModel(executor, file);
      expect(read.format).toBe(format);
      expect(await errorOf(read)).toBeCloseTo(learnt, format === 'dlib' ? 6 : 1);
      await read.close();
    }
    await model.close();
    expect(await codeOf(() => errorOf(model))).toBe('CLOSED');
  });

  it('gives the same bytes for a seed, whatever the number of threads', async () => {
    const first = await bytesOf(await train());
    const five = addon.createExecutor(5);
    const second = await bytesOf(await addon.trainShapeModel(five, set, OPTIONS, quiet));
    await five.close();
    expect(second.equals(first)).toBe(true);
    expect((await bytesOf(await train({ seed: 'another' }))).equals(first)).toBe(false);
  });

  it('works on a pool of one thread that has other work waiting', async () => {
    const one = addon.createExecutor(1);
    const training = addon.trainShapeModel(one, set, OPTIONS, quiet);
    const waiting = addon.convert(one, set.images[0] as PixelView, 'rgb');
    await Promise.all([training, waiting]);
    await one.close();
  });

  it('reports progress, and nothing after the promise has settled', async () => {
    const seen: ShapeTrainingProgress[] = [];
    await addon.trainShapeModel(executor, set, { ...OPTIONS, treesPerCascade: 400 }, (p) => seen.push(p));
    const reported = seen.length;
    expect(reported).toBeGreaterThan(0);
    expect(seen[0]).toMatchObject({ cascades: 4, trees: 400, resumed: false });
    expect(seen.at(-1)?.error).toBeLessThan(seen[0]?.error ?? 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen.length).toBe(reported);
  });

  it('delivers the last report before the promise settles, however busy the caller is', async () => {
    const brief = { ...OPTIONS, cascadeDepth: 2, treesPerCascade: 3 };
    const end = { cascade: 2, cascades: 2, tree: 3, trees: 3 };
    const checkpoint = join(folder, 'ended');
    for (let round = 0; round < 20; round++) {
      const seen: ShapeTrainingProgress[] = [];
      const report = (p: ShapeTrainingProgress): void => {
        seen.push(p);
        for (const until = performance.now() + 5; performance.now() < until; );
      };
      // Once the checkpoint holds the whole model the end is all that there is to report.
      await addon.trainShapeModel(executor, set, { ...brief, ...(round < 10 ? {} : { checkpoint }) }, report);
      expect(seen.at(-1)).toMatchObject({ ...end, resumed: round > 10 });
    }
    // What is thrown at the very end counts as well.
    const thrower = (p: ShapeTrainingProgress): void => {
      if (p.cascade === 2 && p.tree === 3) throw new Error('too late?');
    };
    await expect(addon.trainShapeModel(executor, set, brief, thrower)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: /too late\?/,
    });
  });

  it('stops when onProgress throws, and says what it threw', async () => {
    const long = { ...OPTIONS, treesPerCascade: 60_000 };
    const failing = addon.trainShapeModel(executor, set, long, () => {
      throw new Error('my mistake');
    });
    await expect(failing).rejects.toMatchObject({ code: 'INVALID_ARGUMENT', message: /my mistake/ });
  });

  it('is aborted by its token', async () => {
    const token = addon.createToken();
    const long = { ...OPTIONS, treesPerCascade: 60_000 };
    expect(await codeOf(() => addon.trainShapeModel(executor, set, long, () => token.cancel(), token))).toBe('ABORTED');
    expect(await codeOf(() => addon.trainShapeModel(executor, set, long, quiet, token))).toBe('ABORTED');
  });

  it('goes on from a checkpoint to the same bytes', async () => {
    const checkpoint = join(folder, 'é checkpoint');
    const whole = await bytesOf(await train());
    await train({ checkpoint, cascadeDepth: 2 });
    expect(existsSync(checkpoint)).toBe(true);
    const seen: ShapeTrainingProgress[] = [];
    const options = { ...OPTIONS, checkpoint };
    const resumed = await addon.trainShapeModel(executor, set, options, (p) => seen.push(p));
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.every((p) => p.resumed)).toBe(true);
    expect((await bytesOf(resumed)).equals(whole)).toBe(true);
    expect((await bytesOf(await train({ checkpoint }))).equals(whole)).toBe(true);
    await expect(train({ checkpoint, nu: 0.3 })).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: /other data or options.*delete it/,
    });
    writeFileSync(checkpoint, readFileSync(checkpoint).subarray(0, 1000));
    await expect(train({ checkpoint })).rejects.toMatchObject({ code: 'MODEL_CORRUPT', message: /delete it/ });
  });

  it('leaves points out that are not annotated', async () => {
    const points = set.points.map((value, i) => (Math.floor(i / 2) % 5 === 0 ? Number.NaN : value));
    const [model, weak] = [await train({}, { ...set, points }), await train({ cascadeDepth: 1, nu: 1e-6 })];
    expect(await errorOf(model)).toBeLessThan((await errorOf(weak)) / 2.5);
  });

  const one = (array: Float64Array, at: number, value: number): Float64Array =>
    array.map((old, i) => (i === at ? value : old));
  it.each<[string, Partial<ShapeTrainingSet>, Partial<ShapeTrainingOptions>]>([
    ['no face', { imageOf: new Uint32Array(), boxes: new Float64Array(), points: new Float64Array() }, {}],
    ['no points', { points: new Float64Array() }, {}],
    ['points that do not divide', { points: set.points.subarray(1) }, {}],
    ['a box of NaN', { boxes: one(set.boxes, 5, Number.NaN) }, {}],
    ['a box without size', { boxes: one(set.boxes, 6, 0) }, {}],
    ['an endless box', { boxes: one(set.boxes, 2, Number.POSITIVE_INFINITY) }, {}],
    ['an image that is not there', { imageOf: set.imageOf.map((i) => i + 1) }, {}],
    ['a face without points', { points: set.points.map((v, i) => (i < 2 * POINTS ? Number.NaN : v)) }, {}],
    ['a point far away', { points: one(set.points, 3, 1e8) }, {}],
    ['an image shorter than it says', { images: set.images.map((i) => ({ ...i, height: SIDE + 1 })) }, {}],
    ['no cascades', {}, { cascadeDepth: 0 }],
    ['half a tree', {}, { treesPerCascade: 0.5 }],
    ['a depth beyond all measure', {}, { treeDepth: 40 }],
    ['a negative count', {}, { oversampling: -1 }],
    ['nu above one', {}, { nu: 1.5 }],
    ['lambda NaN', {}, { lambda: Number.NaN }],
    ['one feature', {}, { featurePoolSize: 1 }],
    ['a model larger than memory', {}, { treesPerCascade: 65_535, treeDepth: 12, cascadeDepth: 4096 }],
    ['a checkpoint in no folder', {}, { checkpoint: join('no', 'such', 'folder'), treesPerCascade: 60_000 }],
  ])('refuses %s', async (_, badSet, badOptions) => {
    expect(await codeOf(() => train(badOptions, { ...set, ...badSet }))).toBe('INVALID_ARGUMENT');
  });

  it.each([
    ['process.exit', `setTimeout(() => process.exit(7), 150);`],
    [
      'the end of a worker',
      `const worker = new Worker(code, { eval: true });
       worker.once('message', async () => { await worker.terminate(); process.exitCode = 7; });`,
    ],
  ])('may be cut off by %s', async (_, end) => {
    const body = `
      import { createRequire } from 'node:module';
      import { Worker, parentPort } from 'node:worker_threads';
      const addon = createRequire(process.cwd() + '/')('./build/Release/lineament.node');
      const executor = addon.createExecutor(2);
      const side = 64, data = new Uint8Array(side * side).map((_, i) => (i * 37) % 251);
      const points = Float64Array.from({ length: 16 }, (_, i) => 20 + ((i * 13) % 30));
      const set = { images: [{ data, width: side, height: side, format: 'gray' }], imageOf: new Uint32Array(2),
        boxes: Float64Array.of(8, 8, 48, 48, 9, 9, 48, 48), points };
      const options = { ...${JSON.stringify(OPTIONS)}, treesPerCascade: 60000 };
      addon.trainShapeModel(executor, set, options, () => parentPort?.postMessage(1)).catch((e) => console.error(e));
    `;
    const worker = end.includes('Worker');
    const script = worker
      ? `import { Worker } from 'node:worker_threads'; const code = ${JSON.stringify(body)};`
      : body;
    const result = await runChild(`${script}\n${end}`);
    expect({ code: result.code, signal: result.signal, stderr: result.stderr }).toEqual({
      code: 7,
      signal: null,
      stderr: '',
    });
  });
});
