import { ImportError } from '../error.js';
import { checkFinite, elementCount, type Weight, type WeightStorage } from '../weights.js';
import { FlatBuffer, type FlatTable } from './flatbuffer.js';

/** A tensor of a TFLite graph; `weight` is set for constants. */
export interface TfliteTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly weight?: Weight;
}

/** An operation: its code, or the name of a custom one. */
export interface TfliteOperator {
  readonly code: number;
  readonly custom: string;
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
  readonly options: FlatTable | undefined;
  readonly customOptions: Uint8Array;
}

/** The one subgraph of a TFLite file. */
export interface TfliteModel {
  readonly origin: string;
  readonly tensors: readonly TfliteTensor[];
  readonly operators: readonly TfliteOperator[];
  readonly inputs: readonly number[];
  readonly outputs: readonly number[];
}

const TYPE_SIZE: Readonly<Record<number, number>> = { 0: 4, 1: 2, 2: 4, 3: 1 };

/**
 * Parses a TFLite file (schema v3, tensorflow/lite/schema/schema.fbs). Sparse constants are made dense.
 * Throws `SOURCE_CORRUPT` or `SOURCE_TRUNCATED` naming `origin`.
 */
export function parseTflite(data: Uint8Array, origin: string): TfliteModel {
  if (Buffer.from(data.subarray(4, 8)).toString('latin1') !== 'TFL3') {
    throw new ImportError(
      'SOURCE_CORRUPT',
      `${origin}: not a TFLite file (no TFL3 mark); reinstall it with \`npm ci\``,
    );
  }
  const root = new FlatBuffer(data, origin).root();
  const codes = root.tables(1).map((t) => ({ code: Math.max(t.byte(0), t.int(3)), custom: t.string(1) }));
  const graphs = root.tables(2);
  const graph = graphs[0];
  if (!graph || graphs.length !== 1) {
    throw new ImportError('SOURCE_CORRUPT', `${origin}: ${graphs.length} subgraphs instead of one`);
  }
  const buffers = root.tables(4);
  const tensors = graph.tables(0).map((table, i) => readTensor(table, i, buffers, origin));
  const index = (list: readonly number[]): readonly number[] => {
    for (const i of list) {
      if (i >= tensors.length) throw new ImportError('SOURCE_CORRUPT', `${origin}: tensor ${i} does not exist`);
    }
    return list;
  };
  const operators = graph.tables(3).map((table): TfliteOperator => {
    const code = codes[table.uint(0)];
    if (!code) throw new ImportError('SOURCE_CORRUPT', `${origin}: operator code ${table.uint(0)} does not exist`);
    return {
      ...code,
      inputs: index(table.ints(1)),
      outputs: index(table.ints(2)),
      options: table.table(4),
      customOptions: table.bytes(5),
    };
  });
  return { origin, tensors, operators, inputs: index(graph.ints(1)), outputs: index(graph.ints(2)) };
}

function readTensor(table: FlatTable, i: number, buffers: readonly FlatTable[], origin: string): TfliteTensor {
  const name = table.string(3) || `tensor_${i}`;
  const shape = table.ints(0);
  const bytes = buffers[table.uint(2)]?.bytes(0);
  if (!bytes || bytes.byteLength === 0) return { name, shape };
  const type = table.byte(1);
  const size = TYPE_SIZE[type];
  if (size === undefined) throw new ImportError('OPERATOR_UNSUPPORTED', `${origin}: "${name}" has the type ${type}`);
  const sparsity = table.table(6);
  let copy = new Uint8Array(bytes);
  if (sparsity) copy = densify(copy, shape, size, sparsity, `${origin}: "${name}"`);
  if (copy.byteLength !== elementCount(shape) * size) {
    throw new ImportError('SOURCE_CORRUPT', `${origin}: "${name}" [${shape}] has ${copy.byteLength} bytes`);
  }
  const weight: Weight = { name, shape, storage: storageOf(type, copy.buffer) };
  checkFinite(weight, origin);
  return { name, shape, weight };
}

function storageOf(type: number, buffer: ArrayBuffer): WeightStorage {
  switch (type) {
    case 0:
      return { kind: 'float32', data: new Float32Array(buffer) };
    case 1:
      return { kind: 'float16', data: new Uint16Array(buffer) };
    case 2:
      return { kind: 'int32', data: new Int32Array(buffer) };
    default:
      return { kind: 'uint8', data: new Uint8Array(buffer), scale: 1, min: 0 };
  }
}

interface SparseLevel {
  readonly sparse: boolean;
  readonly size: number;
  readonly segments: readonly number[];
  readonly indices: readonly number[];
}

function indexVector(kind: number, table: FlatTable | undefined): number[] {
  if (!table) return [];
  if (kind === 1) return table.ints(0);
  return kind === 2 ? table.shorts(0) : Array.from(table.bytes(0));
}

/**
 * Expands TFLite's sparse storage: levels in traversal order, each dense or compressed (segments and indices); levels
 * beyond the tensor's rank run inside blocks of the dimension that `block_map` names.
 */
function densify(
  values: Uint8Array,
  shape: readonly number[],
  size: number,
  table: FlatTable,
  where: string,
): Uint8Array<ArrayBuffer> {
  const order = table.ints(0);
  const blockMap = table.ints(1);
  const levels = table.tables(2).map((t): SparseLevel => {
    const [segments, indices] = [indexVector(t.byte(2), t.table(3)), indexVector(t.byte(4), t.table(5))];
    return { sparse: t.byte(0) === 1, size: t.int(1), segments, indices };
  });
  if (levels.length !== order.length || order.length !== shape.length + blockMap.length) {
    throw new ImportError('SOURCE_CORRUPT', `${where}: sparse storage of ${order.length} levels for [${shape}]`);
  }
  const blockSize = new Array<number>(shape.length).fill(1);
  order.forEach((dim, level) => {
    const target = blockMap[dim - shape.length];
    if (dim >= shape.length && target !== undefined) blockSize[target] = levels[level]?.size ?? 1;
  });
  const out = new Uint8Array(elementCount(shape) * size);
  const index = new Array<number>(order.length).fill(0);
  const walk = (level: number, at: number): void => {
    const info = levels[level];
    if (!info) {
      if ((at + 1) * size > values.byteLength)
        throw new ImportError('SOURCE_TRUNCATED', `${where}: sparse values end early`);
      const position = new Array<number>(shape.length).fill(0);
      order.forEach((dim, l) => {
        const block = dim >= shape.length;
        const target = block ? (blockMap[dim - shape.length] ?? 0) : dim;
        position[target] = (position[target] ?? 0) + (index[l] ?? 0) * (block ? 1 : (blockSize[target] ?? 1));
      });
      const flat = position.reduce((sum, p, axis) => sum * (shape[axis] ?? 1) + p, 0);
      out.set(values.subarray(at * size, (at + 1) * size), flat * size);
      return;
    }
    const dim = order[level] ?? 0;
    const [from, to] = info.sparse ? [info.segments[at] ?? 0, info.segments[at + 1] ?? 0] : [0, info.size];
    for (let i = from; i < to; i++) {
      index[level] = info.sparse ? (info.indices[i] ?? 0) : i;
      if (dim < shape.length && (index[level] ?? 0) * (blockSize[dim] ?? 1) >= (shape[dim] ?? 0)) {
        throw new ImportError('SOURCE_CORRUPT', `${where}: sparse index ${index[level]} is out of range`);
      }
      walk(level + 1, info.sparse ? i : at * info.size + i);
    }
  };
  walk(0, 0);
  return out;
}
