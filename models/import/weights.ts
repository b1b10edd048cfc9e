import { ImportError } from './error.js';

/** Bytes of a constant as the origin stores them, with the rule that turns them into numbers. */
export type WeightStorage =
  | { readonly kind: 'float32'; readonly data: Float32Array }
  | { readonly kind: 'float16'; readonly data: Uint16Array }
  | { readonly kind: 'int32'; readonly data: Int32Array }
  /** value = q × scale + min, computed in double precision and rounded to float32 (the origin's own rule). */
  | { readonly kind: 'uint8'; readonly data: Uint8Array; readonly scale: number; readonly min: number }
  | { readonly kind: 'uint16'; readonly data: Uint16Array; readonly scale: number; readonly min: number };

/** A named constant of a source network, in row-major order of `shape`. */
export interface Weight {
  readonly name: string;
  readonly shape: readonly number[];
  readonly storage: WeightStorage;
}

/** Number of elements of a shape; a scalar (`[]`) has one. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** IEEE 754 binary16 bits to a number. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The float32 values of a weight. */
export function weightValues(weight: Weight): Float32Array {
  const s = weight.storage;
  switch (s.kind) {
    case 'float32':
      return s.data;
    case 'float16':
      return Float32Array.from(s.data, halfToNumber);
    case 'int32':
      return Float32Array.from(s.data);
    default:
      return Float32Array.from(s.data as Uint8Array, (q) => q * s.scale + s.min);
  }
}

/**
 * Refuses constants that would poison every result: NaN or infinity, in the values or in scale and minimum.
 * Throws `WEIGHT_INVALID` naming the weight.
 */
export function checkFinite(weight: Weight, origin: string): void {
  const s = weight.storage;
  let bad = false;
  if (s.kind === 'float32') bad = s.data.some((v) => !Number.isFinite(v));
  else if (s.kind === 'float16') bad = s.data.some((v) => (v & 0x7c00) === 0x7c00);
  else if (s.kind !== 'int32') bad = !Number.isFinite(s.scale) || !Number.isFinite(s.min);
  if (bad) {
    throw new ImportError(
      'WEIGHT_INVALID',
      `${origin}: weight "${weight.name}" holds NaN or infinity; reinstall it with \`npm ci\``,
    );
  }
}

/** The same weight with its axes permuted (`perm[i]` is the source axis of target axis `i`), storage kept as it is. */
export function permuteWeight(weight: Weight, perm: readonly number[]): Weight {
  const rank = weight.shape.length;
  if (perm.length !== rank) {
    throw new ImportError(
      'WEIGHT_INVALID',
      `Weight "${weight.name}" has ${rank} axes but the permutation has ${perm.length}`,
    );
  }
  const shape = perm.map((axis) => weight.shape[axis] ?? 0);
  const sourceStrides: number[] = new Array<number>(rank).fill(1);
  for (let i = rank - 2; i >= 0; i--) sourceStrides[i] = (sourceStrides[i + 1] ?? 1) * (weight.shape[i + 1] ?? 1);
  const strides = perm.map((axis) => sourceStrides[axis] ?? 1);
  const total = elementCount(shape);
  const order = new Uint32Array(total);
  const index: number[] = new Array<number>(rank).fill(0);
  let source = 0;
  for (let i = 0; i < total; i++) {
    order[i] = source;
    for (let axis = rank - 1; axis >= 0; axis--) {
      const next = (index[axis] ?? 0) + 1;
      source += strides[axis] ?? 0;
      if (next < (shape[axis] ?? 0)) {
        index[axis] = next;
        break;
      }
      index[axis] = 0;
      source -= next * (strides[axis] ?? 0);
    }
  }
  return { name: weight.name, shape, storage: gatherStorage(weight.storage, order) };
}

/** A weight with other dimensions over the same elements. */
export function reshapeWeight(weight: Weight, shape: readonly number[]): Weight {
  if (elementCount(shape) !== elementCount(weight.shape)) {
    throw new ImportError('WEIGHT_INVALID', `Weight "${weight.name}" [${weight.shape}] cannot become [${shape}]`);
  }
  return { ...weight, shape };
}

function gatherStorage(storage: WeightStorage, order: Uint32Array): WeightStorage {
  const pick = <T extends Float32Array | Uint16Array | Int32Array | Uint8Array>(from: T, to: T): T => {
    for (let i = 0; i < order.length; i++) to[i] = from[order[i] ?? 0] ?? 0;
    return to;
  };
  const n = order.length;
  switch (storage.kind) {
    case 'float32':
      return { kind: 'float32', data: pick(storage.data, new Float32Array(n)) };
    case 'float16':
      return { kind: 'float16', data: pick(storage.data, new Uint16Array(n)) };
    case 'int32':
      return { kind: 'int32', data: pick(storage.data, new Int32Array(n)) };
    case 'uint8':
      return { ...storage, data: pick(storage.data, new Uint8Array(n)) };
    case 'uint16':
      return { ...storage, data: pick(storage.data, new Uint16Array(n)) };
  }
}
