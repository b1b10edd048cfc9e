import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Runtime } from '../../../lib/inference/index.js';
import { alignDepth, estimateDepth, openDepthNetwork } from '../../../lib/reconstruction/depth-network.js';
import { fillDepth, filterDepth } from '../../../lib/reconstruction/depth-process.js';
import { depthFromSensor, readDepth, writeDepth } from '../../../lib/reconstruction/depth-sensor.js';
import type { DepthMap } from '../../../lib/reconstruction/types.js';
import type { Frame } from '../../../lib/types.js';
import { OnnxGraph } from '../../../models/import/onnx.js';

let runtime: Runtime;
let folder: string;
beforeAll(async () => {
  runtime = await Runtime.open({ threads: 2 });
  folder = await mkdtemp(join(tmpdir(), 'lineament-depth-'));
});
afterAll(async () => {
  await runtime.close();
  await rm(folder, { recursive: true });
});

const WIDTH = 120;
const HEIGHT = 90;
const camera = { fx: 100, fy: 100, cx: 60, cy: 45 };
const truth = (x: number, y: number): number => 500 + 60 * Math.sin(x / 15) + y;

function mapOf(depth: (x: number, y: number) => number): DepthMap {
  const values = Float32Array.from({ length: WIDTH * HEIGHT }, (_, i) => depth(i % WIDTH, Math.floor(i / WIDTH)));
  return {
    width: WIDTH,
    height: HEIGHT,
    depth: values,
    confidence: values.map((z) => (Number.isNaN(z) ? 0 : 1)),
    camera,
    scale: { source: 'sensor' },
  };
}
const steps = (at: (x: number, y: number) => number): { width: number; height: number; data: Uint16Array } => ({
  width: WIDTH,
  height: HEIGHT,
  data: Uint16Array.from({ length: WIDTH * HEIGHT }, (_, i) => at(i % WIDTH, Math.floor(i / WIDTH))),
});

describe('depth of sensors', () => {
  it('turns steps into millimetres, 0 into nothing, and clips', async () => {
    const map = await depthFromSensor(
      runtime,
      steps((x) => x * 10),
      { unit: 0.5, near: 100, far: 400 },
    );
    for (let x = 0; x < WIDTH; x++) {
      expect(map.depth[x]).toEqual(x >= 20 && x <= 80 ? x * 5 : Number.NaN);
      expect(map.confidence[x]! > 0).toBe(x >= 20 && x <= 80);
    }
    expect(map.scale).toEqual({ source: 'sensor' });
    expect(map.camera).toMatchObject({ cx: 60, cy: 45 });
  });

  it('an empty frame and a constant one are answered', async () => {
    const empty = await depthFromSensor(
      runtime,
      steps(() => 0),
    );
    expect(empty.depth.every(Number.isNaN)).toBe(true);
    expect(empty.confidence.every((c) => c === 0)).toBe(true);
    const constant = await depthFromSensor(
      runtime,
      steps(() => 700),
      { intrinsics: camera },
    );
    expect(constant.depth.every((z) => z === 700)).toBe(true);
    // A wall: the ray in the corner meets it at the angle of its slope.
    expect(constant.confidence[45 * WIDTH + 60]).toBeGreaterThan(0.999);
    expect(constant.confidence[0]).toBeCloseTo(1 / Math.hypot(1, 0.595, 0.445), 3);
  });

  it('refuses what is no frame', async () => {
    const good = steps(() => 700);
    const refused = { code: 'INVALID_ARGUMENT' };
    const bad: unknown[] = [
      undefined,
      { ...good, width: 0 },
      { ...good, width: 1.5 },
      { ...good, height: HEIGHT - 1 },
      { ...good, data: [...good.data] },
      { ...good, data: new Uint8Array(good.data.length) },
      { width: 10_000, height: 10_000, data: new Uint16Array(1) },
      { width: 20_000, height: 1, data: new Uint16Array(20_000) },
    ];
    for (const frame of bad) await expect(depthFromSensor(runtime, frame as never)).rejects.toMatchObject(refused);
    for (const options of [
      { unit: 0 },
      { unit: Number.NaN },
      { near: 5, far: 5 },
      { near: -1 },
      { intrinsics: { ...camera, fx: Number.POSITIVE_INFINITY } },
      { margin: 0 },
      { units: 1 },
    ]) {
      await expect(depthFromSensor(runtime, good, options as never)).rejects.toMatchObject(refused);
    }
    await expect(depthFromSensor(runtime, good, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'ABORTED',
    });
  });
});

describe('depth in PNG files', () => {
  it('keeps all 16 bits, both ways', async () => {
    const frame = steps((x, y) => (x * 541 + y * 7919) % 65536);
    const png = await sharp(frame.data, { raw: { width: WIDTH, height: HEIGHT, channels: 1 } })
      .toColourspace('grey16')
      .png()
      .toBuffer();
    const read = await readDepth(runtime, png);
    expect(read.depth.map((z) => (Number.isNaN(z) ? 0 : z))).toEqual(Float32Array.from(frame.data));
    const path = join(folder, 'depth.png');
    const written = await writeDepth(runtime, read, { path, unit: 1 });
    expect((await readDepth(runtime, path)).depth).toEqual(read.depth);
    const { format, depth, channels } = await sharp(written).metadata();
    expect({ format, depth, channels }).toEqual({ format: 'png', depth: 'ushort', channels: 1 });
  });

  it('rounds to the unit', async () => {
    const map = mapOf(truth);
    const back = await readDepth(runtime, await writeDepth(runtime, map), { unit: 0.1 });
    for (const [i, z] of back.depth.entries()) expect(Math.abs(z - map.depth[i]!)).toBeLessThan(0.0502);
  });

  it('refuses other files by name', async () => {
    const grey8 = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'white' } })
      .toColourspace('b-w')
      .png()
      .toBuffer();
    const colour = await sharp({ create: { width: 4, height: 4, channels: 3, background: 'white' } })
      .png()
      .toBuffer();
    const good = await writeDepth(runtime, mapOf(truth));
    for (const [input, code] of [
      [grey8, 'IMAGE_UNSUPPORTED'],
      [colour, 'IMAGE_UNSUPPORTED'],
      [new Uint8Array(0), 'IMAGE_CORRUPT'],
      [Buffer.from('no picture'), 'IMAGE_UNSUPPORTED'],
      [good.subarray(0, good.length >> 1), 'IMAGE_CORRUPT'],
      [join(folder, 'none.png'), 'IMAGE_NOT_FOUND'],
      ['', 'INVALID_ARGUMENT'],
    ] as const) {
      await expect(readDepth(runtime, input)).rejects.toMatchObject({ code });
    }
  });

  it('refuses a hundred megapixels without decoding them', async () => {
    // The header of a PNG that says 10000 × 10000, 16 bits of grey, and next to nothing after it.
    const png = Buffer.from(await writeDepth(runtime, mapOf(truth)));
    png.writeUInt32BE(10_000, 16);
    png.writeUInt32BE(10_000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    await expect(readDepth(runtime, png)).rejects.toMatchObject({ code: 'IMAGE_TOO_LARGE' });
  });
});

describe('filterDepth and fillDepth', () => {
  it('smooth, close holes, leave the input alone', async () => {
    let seed = 1;
    const noise = (): number => {
      seed = (seed * 16807) % 2147483647;
      return seed / 2147483647 - 0.5;
    };
    const map = mapOf((x, y) => (Math.hypot(x - 40, y - 40) < 5 ? Number.NaN : 600 + 0.2 * x + 6 * noise()));
    const before = map.depth.slice();
    const smooth = await filterDepth(runtime, map, { spatial: 2, range: 12 });
    const full = await fillDepth(runtime, smooth);
    expect(map.depth).toEqual(before);
    expect(smooth.depth.filter(Number.isNaN).length).toBe(before.filter(Number.isNaN).length);
    expect(full.depth.some(Number.isNaN)).toBe(false);
    const rms = (depth: Float32Array): number =>
      Math.sqrt(
        depth.reduce((sum, z, i) => sum + (Number.isNaN(z) ? 0 : (z - 600 - 0.2 * (i % WIDTH)) ** 2), 0) / depth.length,
      );
    expect(rms(full.depth)).toBeLessThan(rms(before) / 4);
    expect(full.confidence[40 * WIDTH + 40]).toBe(0.5);
  });

  it('refuse what is no depth', async () => {
    const good = mapOf(truth);
    for (const bad of [
      { ...good, width: WIDTH + 1 },
      { ...good, depth: [] },
      { ...good, camera: { ...camera, fy: Number.NaN } },
    ]) {
      await expect(filterDepth(runtime, bad as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
      await expect(fillDepth(runtime, bad as never)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    const negative = { ...good, depth: good.depth.map(() => -1) };
    await expect(fillDepth(runtime, negative)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(filterDepth(runtime, good, { radius: 17 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(fillDepth(runtime, good, { mostPixels: 0 })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const signal = AbortSignal.abort();
    await expect(filterDepth(runtime, good, { signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

/** A network that says 255 × the mean of red as inverse depth, on half its input's size; written with its card. */
async function writeNetwork(name: string, change: Record<string, unknown> = {}): Promise<string> {
  const graph = new OnnxGraph(name);
  const input = graph.input('input', [1, 3, 'H', 'W']);
  const pooled = graph.op('AveragePool', [input], { kernel_shape: [2, 2], strides: [2, 2] });
  const red = graph.op('Slice', [pooled, graph.int64([0]), graph.int64([1]), graph.int64([1])]);
  graph.output('depth', graph.op('Mul', [red, graph.float(255)]), [1, 1, 'h', 'w']);
  const model = graph.serialize();
  await writeFile(join(folder, `${name}.onnx`), model);
  const card = {
    id: name,
    title: 'Red is near',
    task: 'depth',
    published: false,
    file: `${name}.onnx`,
    sha256: createHash('sha256').update(model).digest('hex'),
    bytes: model.length,
    licence: 'none',
    trainingData: 'none',
    input: {
      name: 'input',
      shape: [1, 3, 'H', 'W'],
      layout: 'NCHW',
      type: 'float32',
      colour: 'RGB',
      scale: [1 / 255, 1 / 255, 1 / 255],
      offset: [0, 0, 0],
      width: 64,
      height: 64,
      dynamic: ['H', 'W'],
      multiple: 16,
    },
    outputs: [{ name: 'depth', shape: [1, 1, 'h', 'w'], meaning: 'inverse depth up to scale and shift' }],
    postprocess: { depth: 'inverse' },
    ...change,
  };
  const path = join(folder, `${name}.json`);
  await writeFile(path, JSON.stringify(card));
  return path;
}

/** Red is as bright as it is near: 255 at 400 mm, 0 at 800 mm, linear in 1/Z. */
const painted = (at: (x: number, y: number) => number): Frame => {
  const data = new Uint8Array(3 * WIDTH * HEIGHT);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    data[3 * i] = Math.round((255 * (1 / at(i % WIDTH, Math.floor(i / WIDTH)) - 1 / 800)) / (1 / 400 - 1 / 800));
  }
  return { data, width: WIDTH, height: HEIGHT, channels: 3, format: 'rgb' };
};

describe('depth networks', () => {
  it('gives relative depth, and millimetres after alignment', async () => {
    const network = await openDepthNetwork(runtime, await writeNetwork('red'));
    const relative = await estimateDepth(network, painted(truth));
    // The shorter side becomes 64 pixels, the longer one the multiple of 16 next to it; the network halves both.
    expect([relative.width, relative.height, relative.quantity]).toEqual([40, 32, 'inverse']);
    const face = mapOf((x, y) => (Math.hypot(x - 60, y - 45) < 30 ? truth(x, y) : Number.NaN));
    const map = await alignDepth(runtime, relative, face);
    expect(map.scale.source).toBe('landmarks');
    expect(map.fit.inliers).toBeGreaterThan(0.9);
    expect(map.fit.rms).toBeLessThan(2);
    expect(map.fit.scale / ((1 / 400 - 1 / 800) / 255)).toBeCloseTo(1, 1);
    const off = map.depth.map((z, i) => z - truth(i % WIDTH, Math.floor(i / WIDTH)));
    const rms = Math.sqrt(off.reduce((sum, d) => sum + d * d, 0) / off.length);
    expect(rms).toBeLessThan(3);
    expect(map.confidence[45 * WIDTH + 60]).toBeGreaterThan(0.9);
    expect(map.confidence[0]).toBeGreaterThan(0.4);
    expect(map.confidence[0]).toBeLessThanOrEqual(0.5);
    await network.session.close();
    await expect(estimateDepth(network, painted(truth))).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('says what cannot be aligned', async () => {
    const relative = { width: 4, height: 3, values: new Float32Array(12).fill(3), quantity: 'inverse' as const };
    await expect(alignDepth(runtime, relative, mapOf(truth))).rejects.toMatchObject({ code: 'NO_SURFACE' });
    const nothing = mapOf(() => Number.NaN);
    await expect(alignDepth(runtime, relative, nothing)).rejects.toMatchObject({ code: 'NO_SURFACE' });
    for (const bad of [{ ...relative, width: 5 }, { ...relative, quantity: 'metres' }, undefined]) {
      await expect(alignDepth(runtime, bad as never, mapOf(truth))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
  });

  it('refuses cards and files that are not what they say', async () => {
    const open = async (path: Promise<string> | string) => openDepthNetwork(runtime, await path);
    await expect(open(join(folder, 'none.json'))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    await expect(open(writeNetwork('a', { task: 'face-mesh' }))).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    await expect(open(writeNetwork('b', { postprocess: {} }))).rejects.toMatchObject({ code: 'MODEL_CORRUPT' });
    await expect(open(writeNetwork('c', { sha256: '0'.repeat(64) }))).rejects.toMatchObject({
      code: 'MODEL_HASH_MISMATCH',
    });
    await expect(open(writeNetwork('d', { file: 'e.onnx' }))).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' });
    const wrong = await open(writeNetwork('f', { outputs: [{ name: 'other', shape: [1], meaning: '' }] }));
    await expect(estimateDepth(wrong, painted(truth))).rejects.toMatchObject({
      code: expect.stringMatching(/^(MODEL_CORRUPT|INVALID_ARGUMENT|INFERENCE_FAILED)$/),
    });
  });
});
