import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NativeSession, NetworkJob, OutputTensor, PixelInput, TensorSpec } from '../../lib/native/addon.js';
import { type Bench, codeOf, havePack, network, noise, openBench, picture } from './support.js';

const SIZE = 112;
const LANDMARK_SPEC: TensorSpec = {
  width: SIZE,
  height: SIZE,
  colour: 'rgb',
  layout: 'nchw',
  type: 'float32',
  scale: [1 / 255, 1 / 255, 1 / 255],
  offset: [-122.782 / 255, -117.001 / 255, -104.298 / 255],
};

function tensorJob(name: string, data: Float32Array, shape: readonly number[]): NetworkJob {
  return { input: { tensors: { [name]: { data, shape } } } };
}

function pixelInput(regions: readonly number[], more: Partial<PixelInput> = {}): PixelInput {
  return {
    source: { data: picture(320, 240), width: 320, height: 240, format: 'rgb' },
    regions: Float64Array.from(regions),
    tensor: LANDMARK_SPEC,
    sampling: { filter: 'area', border: 'zero' },
    ...more,
  };
}

const REGION_A = [1, 0, 40, 0, 1, 30];
const REGION_B = [1.5, 0.1, 60, -0.1, 1.5, 20];
const REGION_C = [2, 0, 0, 0, 2, 0];

function floats(outputs: readonly OutputTensor[] | undefined, name: string): Float32Array {
  const data = outputs?.find((o) => o.name === name)?.data;
  if (!(data instanceof Float32Array)) throw new Error(`no float output ${name}`);
  return data;
}

function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  expect(a.length).toBe(b.length);
  let most = 0;
  for (let i = 0; i < a.length; i++) most = Math.max(most, Math.abs((a[i] ?? Number.NaN) - (b[i] ?? Number.NaN)));
  return most;
}

describe.skipIf(!havePack)('sessions', () => {
  let bench: Bench;
  let landmarks: NativeSession;

  beforeAll(async () => {
    bench = await openBench();
    landmarks = await bench.session('faceapi_landmarks68');
  });
  afterAll(async () => {
    await bench?.[Symbol.asyncDispose]();
  });

  describe('give what onnxruntime-node gives', () => {
    const cases: readonly { id: string; shape: readonly number[]; low: number; high: number }[] = [
      { id: 'faceapi_landmarks68', shape: [1, 3, 112, 112], low: -0.5, high: 0.5 },
      { id: 'faceapi_landmarks68', shape: [3, 3, 112, 112], low: -0.5, high: 0.5 },
      { id: 'faceapi_recognition', shape: [1, 3, 150, 150], low: -0.5, high: 0.5 },
      { id: 'faceapi_ssd', shape: [1, 3, 384, 512], low: -1, high: 1 },
      { id: 'human_blazeface', shape: [1, 3, 256, 256], low: -1, high: 1 },
      { id: 'human_faceres', shape: [1, 3, 224, 224], low: -100, high: 150 },
    ];
    it.each(cases)('$id $shape', async ({ id, shape, low, high }) => {
      const { InferenceSession, Tensor } = await import('onnxruntime-node');
      const session = await bench.session(id);
      const input = session.inputs[0]?.name ?? '';
      const data = noise(
        shape.reduce((a, b) => a * b),
        low,
        high,
      );
      const ours = await session.run(tensorJob(input, data, shape));
      const peer = await InferenceSession.create(network(id), { intraOpNumThreads: 1, graphOptimizationLevel: 'all' });
      const theirs = await peer.run({ [input]: new Tensor('float32', data, shape) });
      expect(ours.outputs?.map((o) => o.name)).toEqual([...peer.outputNames]);
      for (const output of ours.outputs ?? []) {
        const expected = theirs[output.name];
        expect(output.shape).toEqual(expected?.dims);
        const reference = expected?.data as Float32Array;
        const scale = reference.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-9);
        expect(largestDifference(output.data as Float32Array, reference) / scale).toBeLessThan(2e-6);
      }
      await peer.release();
    });
  });

  it('describe their network', () => {
    expect(landmarks.inputs).toEqual([{ name: 'input', type: 'float32', shape: [-1, 3, 112, 112] }]);
    expect(landmarks.outputs[0]?.type).toBe('float32');
  });

  it('prepare pixels exactly as toTensor does', async () => {
    const input = pixelInput([...REGION_A, ...REGION_B, ...REGION_C]);
    const tensor = await bench.addon.toTensor(
      bench.executor,
      input.source,
      input.regions,
      input.tensor,
      input.sampling,
    );
    const fused = await landmarks.run({ input });
    const apart = await landmarks.run(tensorJob('input', tensor as Float32Array, [3, 3, SIZE, SIZE]));
    expect(floats(fused.outputs, 'landmarks')).toEqual(floats(apart.outputs, 'landmarks'));
    expect(fused.outputs?.[0]?.shape).toEqual([3, 68, 2]);
  });

  it('add the mirror image of each region', async () => {
    const plain = pixelInput(REGION_A);
    const both = await landmarks.run({ input: { ...plain, mirror: 'both' } });
    expect(both.outputs?.[0]?.shape).toEqual([2, 68, 2]);
    const tensor = (await bench.addon.toTensor(
      bench.executor,
      plain.source,
      plain.regions,
      plain.tensor,
      plain.sampling,
    )) as Float32Array;
    const flipped = tensor.map((_, i) => tensor[i - (i % SIZE) + (SIZE - 1 - (i % SIZE))] ?? Number.NaN);
    const expected = Float32Array.from([...tensor, ...flipped]);
    const apart = await landmarks.run(tensorJob('input', expected, [2, 3, SIZE, SIZE]));
    const difference = largestDifference(floats(both.outputs, 'landmarks'), floats(apart.outputs, 'landmarks'));
    expect(difference).toBeLessThan(1e-5);
  });

  it('take regions of several pictures as one batch', async () => {
    const other = { data: picture(200, 150).reverse(), width: 200, height: 150, format: 'bgr' as const };
    const gray = { data: picture(300, 50).subarray(7, 7 + 9000), width: 120, height: 75, format: 'gray' as const };
    const first = pixelInput([...REGION_A, ...REGION_B]);
    const more = [
      { source: other, regions: Float64Array.from(REGION_A) },
      { source: gray, regions: Float64Array.from([...REGION_B, ...REGION_C]) },
    ];
    const alone: number[] = [];
    for (const one of [first, ...more]) {
      const { outputs } = await landmarks.run({ input: { ...first, ...one, mirror: 'both' } });
      alone.push(...floats(outputs, 'landmarks'));
    }
    for (const maxBatch of [3, 64]) {
      const { outputs } = await landmarks.run({ input: { ...first, more, mirror: 'both' }, maxBatch });
      expect(outputs?.[0]?.shape).toEqual([10, 68, 2]);
      expect(largestDifference(floats(outputs, 'landmarks'), alone)).toBeLessThan(1e-5);
    }
  });

  it('keep the pixels of all pictures until they have read them', async () => {
    const { setFlagsFromString } = await import('node:v8');
    const { runInNewContext } = await import('node:vm');
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const view = (): PixelInput['source'] => ({ data: picture(320, 240), width: 320, height: 240, format: 'rgb' });
    const regions = Float64Array.from(REGION_A);
    const { outputs } = await landmarks.run({ input: pixelInput(REGION_A) });
    const one = floats(outputs, 'landmarks');
    const runs = Array.from({ length: 24 }, () =>
      landmarks.run({
        input: pixelInput(REGION_A, { more: Array.from({ length: 3 }, () => ({ source: view(), regions })) }),
      }),
    );
    collect();
    // What was freed too early would be written over by these.
    const noisy = Array.from({ length: 40 }, () => new Uint8Array(320 * 240 * 3).fill(255));
    for (const run of await Promise.all(runs)) {
      const values = floats(run.outputs, 'landmarks');
      for (let i = 0; i < 4; i++) {
        expect(largestDifference(values.subarray(i * 136, (i + 1) * 136), one)).toBeLessThan(1e-5);
      }
    }
    expect(noisy.every((bytes) => bytes[0] === 255)).toBe(true);
  });

  it('run large batches in turns with the same result', async () => {
    const regions = [REGION_A, REGION_B, REGION_C, REGION_A, REGION_C].flat();
    const whole = await landmarks.run({ input: pixelInput(regions) });
    const turns = await landmarks.run({ input: pixelInput(regions), maxBatch: 2 });
    expect(turns.outputs?.[0]?.shape).toEqual([5, 68, 2]);
    expect(largestDifference(floats(turns.outputs, 'landmarks'), floats(whole.outputs, 'landmarks'))).toBeLessThan(
      1e-5,
    );
    const data = noise(5 * 3 * SIZE * SIZE);
    const shape = [5, 3, SIZE, SIZE];
    const tensors = await landmarks.run({ ...tensorJob('input', data, shape), maxBatch: 3 });
    const once = await landmarks.run(tensorJob('input', data, shape));
    expect(largestDifference(floats(tensors.outputs, 'landmarks'), floats(once.outputs, 'landmarks'))).toBeLessThan(
      1e-5,
    );
  });

  it('give only the outputs that were asked for', async () => {
    const session = await bench.session('human_faceres');
    const data = noise(3 * 224 * 224, -100, 150);
    const name = session.inputs[0]?.name ?? '';
    const one = await session.run({ ...tensorJob(name, data, [1, 3, 224, 224]), outputs: ['descriptor'] });
    expect(one.outputs?.map((o) => o.name)).toEqual(['descriptor']);
    const all = await session.run(tensorJob(name, data, [1, 3, 224, 224]));
    expect(all.outputs?.length).toBe(session.outputs.length);
    expect(floats(one.outputs, 'descriptor')).toEqual(floats(all.outputs, 'descriptor'));
  });

  it('tell how long each part took', async () => {
    const { timings } = await landmarks.run({ input: pixelInput(REGION_A) });
    expect(timings.prepare).toBeGreaterThan(0);
    expect(timings.network).toBeGreaterThan(0);
    expect(timings.queue).toBeGreaterThanOrEqual(0);
  });

  it('respect the byteOffset of what they are given', async () => {
    const data = noise(3 * SIZE * SIZE);
    const shifted = new Float32Array(data.length + 5).subarray(5);
    shifted.set(data);
    const a = await landmarks.run(tensorJob('input', data, [1, 3, SIZE, SIZE]));
    const b = await landmarks.run(tensorJob('input', shifted, [1, 3, SIZE, SIZE]));
    expect(floats(b.outputs, 'landmarks')).toEqual(floats(a.outputs, 'landmarks'));
    const shared = new Float32Array(new SharedArrayBuffer(data.byteLength));
    shared.set(data);
    const c = await landmarks.run(tensorJob('input', shared, [1, 3, SIZE, SIZE]));
    expect(floats(c.outputs, 'landmarks')).toEqual(floats(a.outputs, 'landmarks'));
  });

  it('are safe to run many times at once', async () => {
    const regions = [REGION_A, REGION_B, REGION_C];
    const alone = await Promise.all(regions.map((r) => landmarks.run({ input: pixelInput(r) })));
    const many = await Promise.all(
      Array.from({ length: 60 }, (_, i) => landmarks.run({ input: pixelInput(regions[i % 3] ?? REGION_A) })),
    );
    for (const [i, result] of many.entries()) {
      expect(floats(result.outputs, 'landmarks')).toEqual(floats(alone[i % 3]?.outputs, 'landmarks'));
    }
  });

  describe('refuse with INVALID_ARGUMENT', () => {
    const data = (): Float32Array => noise(3 * SIZE * SIZE);
    const shape = [1, 3, SIZE, SIZE];
    const detached = (): Float32Array => {
      const array = data();
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      return array;
    };
    const detachedPixels = (): Uint8Array => {
      const array = picture(320, 240);
      structuredClone(array.buffer, { transfer: [array.buffer as ArrayBuffer] });
      return array;
    };
    const wrongArray = new Float64Array(3) as unknown as Float32Array;
    const cases: readonly (readonly [string, () => NetworkJob])[] = [
      ['an unknown input', () => tensorJob('nonsense', data(), shape)],
      [
        'one input too many',
        () => ({
          input: { tensors: { input: { data: data(), shape }, extra: { data: data(), shape } } },
        }),
      ],
      [
        'another type of number',
        () => ({ input: { tensors: { input: { data: new Int32Array(3 * SIZE * SIZE), shape } } } }),
      ],
      ['a Float64Array', () => tensorJob('input', wrongArray, [3])],
      ['a shape that does not fit the data', () => tensorJob('input', data(), [2, 3, SIZE, SIZE])],
      ['another rank', () => tensorJob('input', data(), [3, SIZE, SIZE])],
      ['another size', () => tensorJob('input', noise(3 * 110 * 112), [1, 3, 110, 112])],
      ['a negative dimension', () => tensorJob('input', data(), [1, -3, SIZE, SIZE])],
      ['an empty tensor', () => tensorJob('input', new Float32Array(0), [0, 3, SIZE, SIZE])],
      ['a detached tensor', () => tensorJob('input', detached(), shape)],
      ['an unknown output', () => ({ ...tensorJob('input', data(), shape), outputs: ['nonsense'] })],
      ['a NaN region', () => ({ input: pixelInput([Number.NaN, 0, 0, 0, 1, 0]) })],
      ['an infinite region', () => ({ input: pixelInput([1, 0, Number.POSITIVE_INFINITY, 0, 1, 0]) })],
      ['half a region', () => ({ input: pixelInput([1, 0, 0]) })],
      ['no region', () => ({ input: pixelInput([]) })],
      [
        'detached pixels',
        () => ({
          input: pixelInput(REGION_A, { source: { data: detachedPixels(), width: 320, height: 240, format: 'rgb' } }),
        }),
      ],
      [
        'too few pixels',
        () => ({
          input: pixelInput(REGION_A, { source: { data: picture(32, 24), width: 320, height: 240, format: 'rgb' } }),
        }),
      ],
      [
        'another picture with detached pixels',
        () => ({
          input: pixelInput(REGION_A, {
            more: [
              { source: pixelInput([]).source, regions: Float64Array.from(REGION_B) },
              { source: { ...pixelInput([]).source, data: detachedPixels() }, regions: Float64Array.from(REGION_B) },
            ],
          }),
        }),
      ],
      [
        'another picture with too few pixels',
        () => ({
          input: pixelInput(REGION_A, {
            more: [{ source: { ...pixelInput([]).source, width: 4000 }, regions: Float64Array.from(REGION_B) }],
          }),
        }),
      ],
      [
        'another picture with half a region',
        () => ({
          input: pixelInput(REGION_A, { more: [{ ...pixelInput([]), regions: Float64Array.from([1, 0]) }] }),
        }),
      ],
      ['no list of other pictures', () => ({ input: pixelInput(REGION_A, { more: 5 as never }) })],
      [
        'a list of other pictures with nothing in it',
        () => ({ input: pixelInput(REGION_A, { more: [null as never] }) }),
      ],
      [
        'a tensor of another size',
        () => ({ input: pixelInput(REGION_A, { tensor: { ...LANDMARK_SPEC, width: 100 } }) }),
      ],
      [
        'bytes where floats are wanted',
        () => ({ input: pixelInput(REGION_A, { tensor: { ...LANDMARK_SPEC, type: 'uint8' } }) }),
      ],
      [
        'a decoder that the network does not suit',
        () => ({
          input: pixelInput(REGION_A),
          decode: { kind: 'ssd', minScore: 0.5, iou: 0.5, max: 10 },
        }),
      ],
      [
        'a decoder out of range',
        () => ({
          input: pixelInput(REGION_A),
          decode: { kind: 'tiny', minScore: Number.NaN, iou: 0.5, max: 10 },
        }),
      ],
      ['a batch of nothing', () => ({ input: pixelInput(REGION_A), maxBatch: 0 })],
    ];
    it.each(cases)('%s', async (_, job) => {
      expect(await codeOf(async () => landmarks.run(job()))).toBe('INVALID_ARGUMENT');
      const after = await landmarks.run({ input: pixelInput(REGION_A) });
      expect(after.outputs?.length).toBe(landmarks.outputs.length);
    });
  });

  describe('refuse bad models with MODEL_CORRUPT', () => {
    const options = { threads: 1, providers: ['cpu'] } as const;
    const good = (): Uint8Array => Uint8Array.from(network('faceapi_landmarks68_tiny'));
    const cases: readonly (readonly [string, () => Uint8Array])[] = [
      ['nothing', () => new Uint8Array(0)],
      ['noise', () => Uint8Array.from(noise(5000, 0, 256))],
      ['text', () => new TextEncoder().encode('{"format": "graph-model"}')],
      ['half a model', () => good().subarray(0, good().length >> 1)],
      ['a model without its last byte', () => good().subarray(0, -1)],
      [
        'a model with its graph renamed to another operator',
        () => {
          const bytes = good();
          const text = Buffer.from(bytes.buffer);
          bytes.set(new TextEncoder().encode('Xonv'), text.indexOf('Conv'));
          return bytes;
        },
      ],
    ];
    it.each(cases)('%s', async (_, model) => {
      expect(await codeOf(() => bench.runtime.createSession(bench.executor, model(), options))).toBe('MODEL_CORRUPT');
    });

    it('and survive whatever is changed in them', async () => {
      const codes = new Set<string>();
      for (let seed = 0; seed < 60; seed++) {
        const bytes = good();
        for (const at of noise(3, 0, bytes.length, seed + 1)) bytes[Math.floor(at)] = seed * 37;
        codes.add(
          await codeOf(async () => {
            const session = await bench.runtime.createSession(bench.executor, bytes, options);
            await session.close();
          }),
        );
      }
      expect([...codes].filter((code) => code !== 'resolved' && code !== 'MODEL_CORRUPT')).toEqual([]);
    });
  });

  it('stop when aborted and stay usable', async () => {
    const ssd = await bench.session('faceapi_ssd');
    const data = noise(3 * 640 * 640, -1, 1);
    const job = tensorJob(ssd.inputs[0]?.name ?? '', data, [1, 3, 640, 640]);
    const cancelled = bench.addon.createToken();
    cancelled.cancel();
    expect(await codeOf(() => ssd.run(job, cancelled))).toBe('ABORTED');
    let aborted = 0;
    for (const delay of [1, 5, 10]) {
      const token = bench.addon.createToken();
      const run = codeOf(() => ssd.run(job, token));
      await new Promise((resolve) => setTimeout(resolve, delay));
      token.cancel();
      if ((await run) === 'ABORTED') aborted++;
    }
    expect(aborted).toBeGreaterThan(0);
    expect((await ssd.run(job)).outputs?.length).toBe(2);
  });

  it('let runs finish when closed, and refuse later ones', async () => {
    const session = await bench.session('faceapi_landmarks68');
    const runs = Array.from({ length: 8 }, () => session.run({ input: pixelInput(REGION_A) }));
    const closed = Promise.all([session.close(), session.close()]);
    expect(await codeOf(() => session.run({ input: pixelInput(REGION_A) }))).toBe('CLOSED');
    for (const result of await Promise.all(runs)) expect(result.outputs?.length).toBe(1);
    await closed;
    await session.close();
    expect(await codeOf(() => session.run({ input: pixelInput(REGION_A) }))).toBe('CLOSED');
  });

  it('refuse to run on a closed executor', async () => {
    const other = await openBench(1);
    const session = await other.session('faceapi_ssd');
    const job = tensorJob(session.inputs[0]?.name ?? '', noise(3 * 512 * 512, -1, 1), [1, 3, 512, 512]);
    // One thread and eight runs of tens of milliseconds: most are still waiting when it closes.
    const queued = Array.from({ length: 8 }, () => codeOf(() => session.run(job)));
    await other.executor.close();
    const codes = new Set(await Promise.all(queued));
    expect([...codes].filter((code) => code !== 'resolved' && code !== 'CLOSED')).toEqual([]);
    expect(codes.has('CLOSED')).toBe(true);
    expect(await codeOf(() => session.run(job))).toBe('CLOSED');
    await session.close();
  });
});
