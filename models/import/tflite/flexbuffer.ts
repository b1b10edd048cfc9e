import { ImportError } from '../error.js';

/** A value of a FlexBuffer map, as far as custom operations use them. */
export type FlexValue = number | readonly number[];

const TYPE = {
  INT: 1,
  UINT: 2,
  FLOAT: 3,
  MAP: 9,
  VECTOR: 10,
  VECTOR_INT: 11,
  VECTOR_UINT: 12,
  VECTOR_FLOAT: 13,
} as const;

/**
 * Reads a FlexBuffer whose root is a map of numbers and lists of numbers (https://flatbuffers.dev/flexbuffers/).
 * Throws `SOURCE_CORRUPT` for anything else.
 */
export function readFlexMap(data: Uint8Array, origin: string): Map<string, FlexValue> {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const fail = (): ImportError =>
    new ImportError('SOURCE_CORRUPT', `${origin}: operation options are not a map of numbers`);
  const guard = (at: number, width: number): number => {
    if (!(at >= 0 && at + width <= data.byteLength) || ![1, 2, 4, 8].includes(width)) throw fail();
    return at;
  };
  const unsigned = (at: number, width: number): number => {
    guard(at, width);
    if (width === 1) return view.getUint8(at);
    if (width === 2) return view.getUint16(at, true);
    return width === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
  };
  const number = (at: number, width: number, type: number): number => {
    guard(at, width);
    if (type === TYPE.UINT || type === TYPE.VECTOR_UINT) return unsigned(at, width);
    if (type === TYPE.FLOAT || type === TYPE.VECTOR_FLOAT) {
      if (width === 8) return view.getFloat64(at, true);
      if (width === 4) return view.getFloat32(at, true);
      throw fail();
    }
    if (width === 1) return view.getInt8(at);
    if (width === 2) return view.getInt16(at, true);
    return width === 4 ? view.getInt32(at, true) : Number(view.getBigInt64(at, true));
  };
  const end = data.byteLength;
  if (end < 3) throw fail();
  const rootWidth = view.getUint8(end - 1);
  const rootType = view.getUint8(end - 2);
  const rootAt = end - 2 - rootWidth;
  if (rootType >> 2 !== TYPE.MAP) throw fail();
  const width = 1 << (rootType & 3);
  const values = rootAt - unsigned(rootAt, rootWidth);
  const count = unsigned(values - width, width);
  const keys = values - 3 * width - unsigned(values - 3 * width, width);
  const keyWidth = unsigned(values - 2 * width, width);
  const map = new Map<string, FlexValue>();
  for (let i = 0; i < count; i++) {
    const keyAt = keys + i * keyWidth;
    const start = keyAt - unsigned(keyAt, keyWidth);
    const stop = data.indexOf(0, guard(start, 1));
    const key = Buffer.from(data.subarray(start, stop)).toString('latin1');
    const packed = unsigned(values + count * width + i, 1);
    const type = packed >> 2;
    const at = values + i * width;
    if (type >= TYPE.INT && type <= TYPE.FLOAT) {
      map.set(key, number(at, width, type));
    } else if (type >= TYPE.VECTOR && type <= TYPE.VECTOR_FLOAT) {
      const inner = 1 << (packed & 3);
      const list = at - unsigned(at, width);
      const length = unsigned(list - inner, inner);
      // An untyped vector carries a type per element after its values.
      const typeOf = (j: number): number => (type === TYPE.VECTOR ? unsigned(list + length * inner + j, 1) >> 2 : type);
      map.set(
        key,
        Array.from({ length }, (_, j) => number(list + j * inner, inner, typeOf(j))),
      );
    } else throw fail();
  }
  return map;
}
