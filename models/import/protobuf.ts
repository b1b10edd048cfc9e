import { ImportError } from './error.js';

/**
 * Writes the protocol buffer wire format (https://protobuf.dev/programming-guides/encoding/): varints, 32-bit floats
 * and length-delimited fields, which is all that an ONNX file needs. Nothing is written for an absent field.
 */
export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];
  private length = 0;

  private push(chunk: Uint8Array): void {
    this.chunks.push(chunk);
    this.length += chunk.byteLength;
  }

  private varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    while (rest > 127n) {
      bytes.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.push(Uint8Array.from(bytes));
  }

  private tag(field: number, wireType: number): void {
    this.varint(BigInt(field * 8 + wireType));
  }

  /** A signed 64-bit integer field (negative values take ten bytes, as the format asks). */
  int(field: number, value: number | bigint): this {
    if (typeof value === 'number' && !Number.isSafeInteger(value)) {
      throw new ImportError('GRAPH_INVALID', `Field ${field} needs an integer but received ${value}`);
    }
    this.tag(field, 0);
    this.varint(BigInt(value));
    return this;
  }

  /** A 32-bit float field. */
  float(field: number, value: number): this {
    this.tag(field, 5);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.push(bytes);
    return this;
  }

  /** A length-delimited field; the bytes are referenced, not copied, until `finish()`. */
  bytes(field: number, value: Uint8Array): this {
    this.tag(field, 2);
    this.varint(BigInt(value.byteLength));
    this.push(value);
    return this;
  }

  /** A UTF-8 string field. */
  string(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  /** A nested message. */
  message(field: number, value: ProtoWriter): this {
    return this.bytes(field, value.finish());
  }

  /** The packed form of a repeated integer field. */
  packedInts(field: number, values: readonly number[]): this {
    const inner = new ProtoWriter();
    for (const value of values) inner.varint(BigInt(value));
    return this.bytes(field, inner.finish());
  }

  /** The packed form of a repeated float field. */
  packedFloats(field: number, values: readonly number[]): this {
    const bytes = new Uint8Array(values.length * 4);
    const view = new DataView(bytes.buffer);
    values.forEach((value, i) => {
      view.setFloat32(i * 4, value, true);
    });
    return this.bytes(field, bytes);
  }

  /** All bytes written so far, in one array. */
  finish(): Uint8Array {
    const out = new Uint8Array(this.length);
    let offset = 0;
    for (const chunk of this.chunks) {
      out.set(chunk, offset);
      offset += chunk.byteLength;
    }
    return out;
  }
}

/** One field of a decoded message: a varint, or the bytes of a fixed or length-delimited value. */
export interface ProtoField {
  readonly field: number;
  readonly value: bigint | Uint8Array;
}

/** Splits a message into its fields, in order. Throws `SOURCE_CORRUPT` where the bytes end early. */
export function readProto(data: Uint8Array): ProtoField[] {
  const fields: ProtoField[] = [];
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = data[at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return BigInt.asUintN(64, value);
    }
    throw new ImportError('SOURCE_CORRUPT', `Protocol buffer ends or is malformed at byte ${at}`);
  };
  const take = (length: number): Uint8Array => {
    if (at + length > data.byteLength) {
      throw new ImportError('SOURCE_CORRUPT', `Protocol buffer field of ${length} bytes at ${at} exceeds the message`);
    }
    at += length;
    return data.subarray(at - length, at);
  };
  while (at < data.byteLength) {
    const tag = Number(varint());
    const field = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0:
        fields.push({ field, value: varint() });
        break;
      case 1:
        fields.push({ field, value: take(8) });
        break;
      case 2:
        fields.push({ field, value: take(Number(varint())) });
        break;
      case 5:
        fields.push({ field, value: take(4) });
        break;
      default:
        throw new ImportError('SOURCE_CORRUPT', `Protocol buffer wire type ${tag % 8} at byte ${at} is not defined`);
    }
  }
  return fields;
}
