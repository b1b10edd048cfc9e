// The imported networks through onnxruntime-node, on tensors prepared in plain JavaScript.
import { createRequire } from 'node:module';
import path from 'node:path';
import { BENCH, PACK } from '../paths.mjs';

const require = createRequire(path.join(BENCH, 'package.json'));
const ort = require('onnxruntime-node');
export const THREADS = Number(process.env.BENCH_THREADS ?? 1);
const open = new Map();

/** Opens a network of the pack by file name without extension, once. */
export function session(name) {
  if (!open.has(name))
    open.set(
      name,
      ort.InferenceSession.create(path.join(PACK, `${name}.onnx`), {
        intraOpNumThreads: THREADS,
        interOpNumThreads: 1,
        graphOptimizationLevel: 'all',
      }),
    );
  return open.get(name);
}

/** Runs a network on one float tensor; returns outputs by name, as typed arrays. */
export async function run(name, data, dims) {
  const s = await session(name);
  const out = await s.run({ [s.inputNames[0]]: new ort.Tensor('float32', data, dims) });
  return Object.fromEntries(s.outputNames.map((k) => [k, out[k].data]));
}

/**
 * RGB chips (HWC floats 0..255) to a tensor.
 * @param {Float32Array[]} chips @param {number} size
 * @param {{mean?: number[], scale?: number, bgr?: boolean, layout?: 'nchw'|'nhwc'}} options value = (x - mean) * scale,
 * mean in the order of the written channels
 */
export function tensor(chips, size, { mean = [0, 0, 0], scale = 1, bgr = false, layout = 'nchw' } = {}) {
  const area = size * size;
  const data = new Float32Array(chips.length * area * 3);
  chips.forEach((chip, k) => {
    for (let p = 0; p < area; p++)
      for (let c = 0; c < 3; c++) {
        const v = (chip[p * 3 + (bgr ? 2 - c : c)] - mean[c]) * scale;
        data[k * area * 3 + (layout === 'nchw' ? c * area + p : p * 3 + c)] = v;
      }
  });
  return { data, dims: layout === 'nchw' ? [chips.length, 3, size, size] : [chips.length, size, size, 3] };
}

const FACE_API = { mean: [122.782, 117.001, 104.298], scale: 1 / 255 };

/** 68 landmarks in 0..1 of each 112x112 chip. */
export async function landmarks68(chips) {
  const t = tensor(chips, 112, FACE_API);
  const { landmarks } = await run('faceapi_landmarks68', t.data, t.dims);
  return chips.map((_, k) =>
    Array.from({ length: 68 }, (_, i) => [landmarks[k * 136 + 2 * i], landmarks[k * 136 + 2 * i + 1]]),
  );
}

/** 128-d descriptors of 150x150 chips. */
export async function descriptor128(chips) {
  const t = tensor(chips, 150, FACE_API);
  const { descriptor } = await run('faceapi_recognition', t.data, t.dims);
  return chips.map((_, k) => descriptor.slice(k * 128, k * 128 + 128));
}

/** 1024-d descriptors of 224x224 chips; the default input is BGR minus the mean, `{}` is what Human feeds. */
export async function descriptor1024(chips, options = { bgr: true, mean: [103.939, 116.779, 123.68] }) {
  const t = tensor(chips, 224, options);
  const { descriptor } = await run('human_faceres', t.data, t.dims);
  return chips.map((_, k) => descriptor.slice(k * 1024, k * 1024 + 1024));
}
