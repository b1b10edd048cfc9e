import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { IrBuilder, type Value } from '../../models/import/graph/ir.js';
import { lower } from '../../models/import/graph/lower.js';
import { OnnxGraph } from '../../models/import/onnx.js';
import type { Weight } from '../../models/import/weights.js';
import { codeOf } from './import-support.js';

/** Weights in single precision. */
const float = (name: string, shape: number[], values: number[]): Weight => ({
  name,
  shape,
  storage: { kind: 'float32', data: Float32Array.from(values) },
});

describe('the ONNX writer', () => {
  it('refuses graphs that are not whole', () => {
    const graph = new OnnxGraph('g');
    expect(codeOf(() => graph.op('Relu', ['nothing']))).toBe('GRAPH_INVALID');
    expect(codeOf(() => graph.serialize())).toBe('GRAPH_INVALID');
    graph.initializer('w', 'float32', [1], Float32Array.of(1));
    expect(codeOf(() => graph.initializer('w', 'float32', [1], Float32Array.of(1)))).toBe('GRAPH_INVALID');
  });

  it('keeps 8-bit weights as they are, under the names that a loader may look for', async () => {
    const data = Uint8Array.from({ length: 2048 }, (_, i) => i & 255);
    const graph = new OnnxGraph('g');
    const weight: Weight = { name: 'w', shape: [2, 1024], storage: { kind: 'uint8', data, scale: 0.25, min: -3 } };
    const w = graph.weight(weight, 'w', Float64Array.of(1, 10));
    const x = graph.input('x', ['N', 2]);
    graph.output('y', graph.op('MatMul', [x, w]), ['N', 1024]);
    const model = graph.serialize();
    const text = Buffer.from(model).toString('latin1');
    for (const name of ['w.q', 'w.scale', 'w.min', 'w.cast', 'w.mul', 'w.add']) expect(text).toContain(name);
    const session = await InferenceSession.create(model);
    const { y } = await session.run({ x: new Tensor('float32', Float32Array.of(1, 1), [1, 2]) });
    for (let i = 0; i < 1024; i++) {
      const q = (i & 255) * 0.25 - 3;
      expect((y!.data as Float32Array)[i]).toBeCloseTo(q * 11, 3);
    }
    await session.release();
  });
});

/** Runs a small IR graph on one image [1,h,w,c] and returns its output. */
async function runIr(
  shape: readonly number[],
  build: (ir: IrBuilder, x: Value) => Value,
  data: Float32Array,
): Promise<number[]> {
  const ir = new IrBuilder('test');
  const x = ir.input('x', shape);
  const session = await InferenceSession.create(lower('g', x, { y: build(ir, x) }, true));
  const [, h = 1, w = 1, c = 1] = shape;
  const nchw = new Float32Array(data.length);
  data.forEach((v, i) => {
    nchw[(i % c) * h * w + Math.floor(i / c)] = v;
  });
  const { y } = await session.run({ input: new Tensor('float32', nchw, [1, c, h, w]) });
  await session.release();
  return Array.from(y!.data as Float32Array);
}

describe('the graph between origin and ONNX', () => {
  const ramp = (n: number): Float32Array =>
    Float32Array.from({ length: n }, (_, i) => Math.fround(((i * 37) % 23) / 7 - 1));
  const offset = { stride: [1, 1], dilation: [1, 1], padding: 'same' } as const;

  it('folds factors, offsets and clips without changing the result', async () => {
    const data = ramp(4 * 4 * 2);
    const weight = float('k', [2, 2, 1, 1], [1, 2, -1, 0.5]);
    const scale = [3, -2];
    const shift = [0.5, 1];
    const fused = await runIr(
      [1, 4, 4, 2],
      (ir, x) => {
        const y = ir.conv('c', x, { weight, depthwise: false, ...offset });
        const scaled = ir.binary('m', 'Mul', y, ir.constant(float('s', [2], scale)));
        const moved = ir.binary('a', 'Add', scaled, ir.constant(float('o', [2], shift)));
        return ir.clip('hi', ir.clip('lo', moved, 0, Number.POSITIVE_INFINITY), Number.NEGATIVE_INFINITY, 6);
      },
      data,
    );
    for (let p = 0; p < 16; p++) {
      const [a = 0, b = 0] = data.subarray(p * 2, p * 2 + 2);
      const raw = [a + 2 * b, -a + 0.5 * b];
      raw.forEach((v, c) => {
        expect(fused[p * 2 + c]).toBeCloseTo(Math.min(6, Math.max(0, v * scale[c]! + shift[c]!)), 5);
      });
    }
  });

  it('leaves a convolution alone that something else reads too', async () => {
    const data = ramp(2 * 2);
    const weight = float('k', [1, 1, 1, 1], [2]);
    const result = await runIr(
      [1, 2, 2, 1],
      (ir, x) => {
        const y = ir.conv('c', x, { weight, depthwise: false, ...offset });
        const plus = ir.binary('a', 'Add', y, ir.constant(float('o', [1], [10])));
        return ir.binary('both', 'Add', y, plus);
      },
      data,
    );
    result.forEach((v, i) => {
      expect(v).toBeCloseTo(4 * data[i]! + 10, 5);
    });
  });

  it('pads like TensorFlow: more at the end', async () => {
    const result = await runIr(
      [1, 4, 4, 1],
      (ir, x) =>
        ir.conv('c', x, {
          weight: float('k', [1, 1, 3, 3], new Array(9).fill(1)),
          depthwise: false,
          stride: [2, 2],
          dilation: [1, 1],
          padding: 'same',
        }),
      new Float32Array(16).fill(1),
    );
    expect(result).toEqual([9, 6, 6, 4]);
  });

  it('keeps the order of the origin through pads, pools, concatenations and reshapes', async () => {
    const data = ramp(2 * 2 * 3);
    const result = await runIr(
      [1, 2, 2, 3],
      (ir, x) => {
        const padded = ir.pad('p', x, [
          [0, 0],
          [1, 0],
          [0, 0],
          [0, 1],
        ]);
        return ir.reshape('r', ir.concat('cat', [padded, padded], 3), [1, -1, 8]);
      },
      data,
    );
    const pixel = (i: number): number[] => (i < 2 ? [0, 0, 0, 0] : [...data.subarray((i - 2) * 3, (i - 2) * 3 + 3), 0]);
    const expected = Array.from({ length: 6 }, (_, i) => [...pixel(i), ...pixel(i)]).flat();
    expect(result).toEqual(expected);
  });

  it('moves channels to pixels as depth_to_space does', async () => {
    const result = await runIr([1, 1, 1, 4], (ir, x) => ir.depthToSpace('d', x, 2), Float32Array.of(1, 2, 3, 4));
    expect(result).toEqual([1, 2, 3, 4]);
    const wide = await runIr(
      [1, 1, 2, 4],
      (ir, x) => ir.depthToSpace('d', x, 2),
      Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8),
    );
    expect(wide).toEqual([1, 2, 5, 6, 3, 4, 7, 8]);
  });

  it('refuses shapes that cannot be', () => {
    const ir = new IrBuilder('test');
    const x = ir.input('x', [1, 4, 4, 2]);
    const weight = float('k', [1, 3, 1, 1], [1, 1, 1]);
    expect(codeOf(() => ir.conv('c', x, { weight, depthwise: false, ...offset }))).toBe('OPERATOR_UNSUPPORTED');
    expect(codeOf(() => ir.reshape('r', x, [1, 5]))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => ir.reshape('r', x, [-1, 5]))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => ir.binary('a', 'Add', x, ir.input('z', [1, 4, 4, 3])))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => ir.pool('m', 'MaxPool', x, [9, 9], [1, 1], 'valid'))).toBe('SOURCE_CORRUPT');
  });
});
