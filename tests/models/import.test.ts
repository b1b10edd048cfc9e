import { describe, expect, it } from 'vitest';
import type { IrBuilder, Value } from '../../models/import/graph/ir.js';
import { readManifest } from '../../models/import/manifest.js';
import { packedRange, tfliteBytes } from '../../models/import/mediapipe.js';
import { networks } from '../../models/import/networks.js';
import { readSourceTable } from '../../models/import/pack.js';
import { ProtoWriter, readProto } from '../../models/import/protobuf.js';
import { packageRoot, SourceReader, verifySource } from '../../models/import/source.js';
import { convertGraphModel } from '../../models/import/tfjs/convert.js';
import { parseGraphModel } from '../../models/import/tfjs/graph-model.js';
import { readFlexMap } from '../../models/import/tflite/flexbuffer.js';
import { parseTflite } from '../../models/import/tflite/model.js';
import { halfToNumber, permuteWeight, type Weight, weightValues } from '../../models/import/weights.js';
import { codeOf } from './import-support.js';

describe('protocol buffers', () => {
  it('writes the bytes of the specification', () => {
    // Examples of https://protobuf.dev/programming-guides/encoding/.
    expect([...new ProtoWriter().int(1, 150).finish()]).toEqual([0x08, 0x96, 0x01]);
    expect([...new ProtoWriter().string(2, 'testing').finish()]).toEqual([0x12, 7, ...Buffer.from('testing')]);
    expect([...new ProtoWriter().packedInts(6, [3, 270, 86942]).finish()]).toEqual([
      0x32, 6, 3, 0x8e, 2, 0x9e, 0xa7, 5,
    ]);
    expect([...new ProtoWriter().int(1, -2).finish()]).toEqual([8, 0xfe, ...new Array(8).fill(0xff), 1]);
  });

  it('reads back what it writes', () => {
    const bytes = new ProtoWriter()
      .int(1, 2n ** 62n)
      .float(2, 0.5)
      .string(16, 'é')
      .finish();
    const [a, b, c] = readProto(bytes);
    expect(a).toEqual({ field: 1, value: 2n ** 62n });
    expect(Buffer.from(b!.value as Uint8Array).readFloatLE()).toBe(0.5);
    expect(c!.field).toBe(16);
    expect(Buffer.from(c!.value as Uint8Array).toString()).toBe('é');
  });

  it('refuses a message that ends early', () => {
    const bytes = new ProtoWriter().string(1, 'abc').finish();
    expect(codeOf(() => readProto(bytes.subarray(0, 3)))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => readProto(Uint8Array.of(0x80)))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => readProto(Uint8Array.of(0x0b)))).toBe('SOURCE_CORRUPT');
  });
});

describe('weights', () => {
  it('reads half precision, with subnormals, zeros and infinities', () => {
    expect([0x3c00, 0xc000, 0x0001, 0x8000, 0x7c00, 0x3555].map(halfToNumber)).toEqual([
      1,
      -2,
      2 ** -24,
      -0,
      Number.POSITIVE_INFINITY,
      0.333251953125,
    ]);
    expect(halfToNumber(0x7e00)).toBeNaN();
  });

  it('permutes axes in every storage', () => {
    const data = Uint8Array.from({ length: 24 }, (_, i) => i);
    const weight: Weight = { name: 'w', shape: [2, 3, 4], storage: { kind: 'uint8', data, scale: 0.5, min: -1 } };
    const turned = permuteWeight(weight, [2, 0, 1]);
    expect(turned.shape).toEqual([4, 2, 3]);
    const values = weightValues(turned);
    for (let a = 0; a < 4; a++) {
      for (let b = 0; b < 2; b++) {
        for (let c = 0; c < 3; c++) expect(values[(a * 2 + b) * 3 + c]).toBe((b * 12 + c * 4 + a) * 0.5 - 1);
      }
    }
    expect(codeOf(() => permuteWeight(weight, [0, 1]))).toBe('WEIGHT_INVALID');
  });
});

describe('weight manifests', () => {
  const entry = { name: 'a', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 2, min: -1 } };
  const manifest = [{ paths: ['x'], weights: [entry, { name: 'b', shape: [1], dtype: 'float32' }] }];
  const data = new Uint8Array(8);
  data.set([0, 1, 2, 255, 0, 0, 128, 63]);

  it('reads quantised and plain weights', () => {
    const weights = readManifest(manifest, data, 'file');
    expect([...weightValues(weights.get('a')!)]).toEqual([-1, 1, 3, 509]);
    expect([...weightValues(weights.get('b')!)]).toEqual([1]);
  });

  it('names what is wrong with a bad file', () => {
    expect(codeOf(() => readManifest(manifest, data.subarray(0, 7), 'file'))).toBe('SOURCE_TRUNCATED');
    expect(codeOf(() => readManifest(manifest, new Uint8Array(9), 'file'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => readManifest('x', data, 'file'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => readManifest([{ weights: [{ name: 'a', shape: [-1], dtype: 'float32' }] }], data, 'f'))).toBe(
      'SOURCE_CORRUPT',
    );
    expect(codeOf(() => readManifest([{ weights: [{ name: 'a', shape: [1], dtype: 'complex' }] }], data, 'f'))).toBe(
      'SOURCE_CORRUPT',
    );
    const nan = new Uint8Array(data);
    nan.set([0, 0, 192, 127], 4);
    expect(codeOf(() => readManifest(manifest, nan, 'file'))).toBe('WEIGHT_INVALID');
    expect(() => readManifest(manifest, data.subarray(0, 7), 'some/file.bin')).toThrow(/some\/file\.bin.*npm ci/);
  });
});

describe('source files', () => {
  const ref = { package: '@vladmandic/face-api', path: 'model/tiny_face_detector_model.bin' };
  const table = readSourceTable();

  it('are those that the importer was written for', () => {
    const reader = new SourceReader(table);
    for (const source of networks.flatMap((n) => n.sources)) reader.read(source);
  });

  it('are refused when cut, longer, changed, unknown or missing, with the way out', () => {
    const data = new SourceReader(table).read(ref);
    const expected = table[ref.package]!.files[ref.path]!;
    const check = (bytes: Uint8Array) => codeOf(() => verifySource('the/file', bytes, expected, '1.2.3'));
    const changed = new Uint8Array(data);
    changed[5] = (changed[5] ?? 0) ^ 1;
    expect(check(data)).toBe('none');
    expect(check(data.subarray(1))).toBe('SOURCE_TRUNCATED');
    expect(check(new Uint8Array(data.byteLength + 1))).toBe('SOURCE_CHANGED');
    expect(check(changed)).toBe('SOURCE_CHANGED');
    expect(() => verifySource('the/file', changed, expected, '1.2.3')).toThrow(/the\/file.*npm ci/s);
    expect(codeOf(() => new SourceReader({}).read(ref))).toBe('SOURCE_CHANGED');
    expect(codeOf(() => new SourceReader(table).read({ ...ref, path: 'model/none.bin' }))).toBe('SOURCE_MISSING');
    expect(codeOf(() => packageRoot('@vladmandic/not-there'))).toBe('SOURCE_MISSING');
  });
});

describe('TFLite files', () => {
  const reader = new SourceReader(undefined);

  it('give a typed error wherever they are cut', { timeout: 60_000 }, () => {
    const data = tfliteBytes(reader, 'mediapipe_face_short');
    parseTflite(data, 'whole');
    for (let i = 0; i < 200; i++) {
      const length = Math.floor((i / 200) * data.byteLength);
      const code = codeOf(() => parseTflite(data.subarray(0, length), 'cut'));
      expect(['SOURCE_TRUNCATED', 'SOURCE_CORRUPT'], `${length} bytes`).toContain(code);
    }
  });

  it('give a typed error or a model, never anything else, with bytes overwritten', { timeout: 120_000 }, () => {
    const data = tfliteBytes(reader, 'mediapipe_face_short');
    let failed = 0;
    let seed = 7;
    for (let i = 0; i < 300; i++) {
      const copy = new Uint8Array(data);
      for (let k = 0; k < 8; k++) {
        seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
        // Most of the file is weights; the structure lies in its last sixth and its first bytes.
        const at = seed % 3 === 0 ? seed % 400 : data.byteLength - 1 - (seed % (data.byteLength / 6));
        copy[Math.floor(at)] = (seed >>> 24) & 255;
      }
      if (codeOf(() => parseTflite(copy, 'damaged')) !== 'none') failed++;
    }
    expect(failed).toBeGreaterThan(0);
  });

  it('are recognised by their mark', () => {
    expect(codeOf(() => parseTflite(new Uint8Array(100), 'zeros'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => parseTflite(new Uint8Array(), 'empty'))).toBe('SOURCE_CORRUPT');
  });

  it('are found in packed assets through the loader', () => {
    const script = 'x; loadPackage({"files": [{"filename": "/a/b.tflite", "start": 3, "end": 9}]}); y';
    expect(packedRange(script, 'b.tflite', 'loader')).toEqual([3, 9]);
    expect(codeOf(() => packedRange(script, 'c.tflite', 'loader'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => packedRange('', 'b.tflite', 'loader'))).toBe('SOURCE_CORRUPT');
  });
});

describe('FlexBuffers', () => {
  it('reads a map of numbers', () => {
    // {"a": 5, "b": 300} as flexbuffers writes it: keys, key vector, value vector, types, root.
    const bytes = Uint8Array.of(
      ...[0x61, 0, 0x62, 0], // "a", "b"
      ...[2, 5, 3], // two keys: offsets back to them (vector size first)
      0, // padding to the two-byte values
      ...[3, 0, 1, 0, 2, 0], // offset to the keys, their width, number of values
      ...[5, 0, 0x2c, 1], // 5, 300
      ...[0x05, 0x05], // types: int16, int16
      ...[6, 0x25, 1], // root: offset, map of 16-bit values, width
    );
    bytes[5] = 5; // offset from position 5 to "a" at 0
    bytes[6] = 4; // offset from position 6 to "b" at 2
    bytes[8] = 3; // the keys begin at 5, counted back from 8
    const map = readFlexMap(bytes, 'test');
    expect([...map]).toEqual([
      ['a', 5],
      ['b', 300],
    ]);
  });

  it('refuses anything else', () => {
    expect(codeOf(() => readFlexMap(new Uint8Array(), 'test'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => readFlexMap(Uint8Array.of(1, 4, 1), 'test'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => readFlexMap(new Uint8Array(40).fill(255), 'test'))).toBe('SOURCE_CORRUPT');
  });
});

describe('TensorFlow.js graph models', () => {
  const plan = {
    id: 'g',
    input: 'x',
    shape: [1, 2, 2, 1],
    outputs: ['y'],
    finish: (_: IrBuilder, [y]: readonly Value[]) => ({ y: y! }),
    batched: true,
  };
  const model = (node: unknown[]) => parseGraphModel({ modelTopology: { node } }, new Map(), 'test');

  it('name the node that has no conversion', () => {
    const nodes = [{ name: 'y', op: 'Where', input: ['x'] }];
    expect(() => convertGraphModel(model(nodes), plan)).toThrow(/"y" is a Where/);
    expect(codeOf(() => convertGraphModel(model(nodes), plan))).toBe('OPERATOR_UNSUPPORTED');
  });

  it('name what is missing or circular', () => {
    expect(codeOf(() => convertGraphModel(model([]), plan))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => convertGraphModel(model([{ name: 'y', op: 'Const' }]), plan))).toBe('WEIGHT_MISSING');
    const loop = [
      { name: 'y', op: 'Relu', input: ['z'] },
      { name: 'z', op: 'Relu', input: ['y'] },
    ];
    expect(codeOf(() => convertGraphModel(model(loop), plan))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => parseGraphModel({}, new Map(), 'test'))).toBe('SOURCE_CORRUPT');
    expect(codeOf(() => parseGraphModel(null, new Map(), 'test'))).toBe('SOURCE_CORRUPT');
  });
});
