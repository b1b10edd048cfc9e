import { ImportError } from '../error.js';

/**
 * Reads FlatBuffers (https://flatbuffers.dev/internals/) with every offset checked: a table is a position in the file,
 * its fields are found through the vtable. Throws `SOURCE_TRUNCATED` where an offset leads out of the file.
 */
export class FlatBuffer {
  private readonly view: DataView;

  constructor(
    readonly data: Uint8Array,
    readonly origin: string,
  ) {
    this.view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  }

  private check(at: number, size: number): number {
    if (!(at >= 0 && at + size <= this.data.byteLength)) {
      throw new ImportError(
        'SOURCE_TRUNCATED',
        `${this.origin}: offset ${at} lies outside its ${this.data.byteLength} bytes; reinstall it with \`npm ci\``,
      );
    }
    return at;
  }

  u32(at: number): number {
    return this.view.getUint32(this.check(at, 4), true);
  }

  i32(at: number): number {
    return this.view.getInt32(this.check(at, 4), true);
  }

  u16(at: number): number {
    return this.view.getUint16(this.check(at, 2), true);
  }

  u8(at: number): number {
    return this.view.getUint8(this.check(at, 1));
  }

  bytes(at: number, length: number): Uint8Array {
    return this.data.subarray(this.check(at, length), at + length);
  }

  /** The table that the file starts with. */
  root(): FlatTable {
    return new FlatTable(this, this.u32(0));
  }
}

/** A table of a FlatBuffer; an absent field reads as its default. */
export class FlatTable {
  constructor(
    private readonly buffer: FlatBuffer,
    private readonly at: number,
  ) {}

  /** Position of a field, or 0 where it is absent. */
  private field(id: number): number {
    const vtable = this.at - this.buffer.i32(this.at);
    const entry = 4 + id * 2;
    if (entry + 2 > this.buffer.u16(vtable)) return 0;
    const offset = this.buffer.u16(vtable + entry);
    return offset === 0 ? 0 : this.at + offset;
  }

  int(id: number, fallback = 0): number {
    const at = this.field(id);
    return at === 0 ? fallback : this.buffer.i32(at);
  }

  uint(id: number, fallback = 0): number {
    const at = this.field(id);
    return at === 0 ? fallback : this.buffer.u32(at);
  }

  byte(id: number, fallback = 0): number {
    const at = this.field(id);
    return at === 0 ? fallback : this.buffer.u8(at);
  }

  table(id: number): FlatTable | undefined {
    const at = this.field(id);
    return at === 0 ? undefined : new FlatTable(this.buffer, at + this.buffer.u32(at));
  }

  /** Position of a vector's first element and its length. */
  private vector(id: number): readonly [number, number] {
    const at = this.field(id);
    if (at === 0) return [0, 0];
    const start = at + this.buffer.u32(at);
    return [start + 4, this.buffer.u32(start)];
  }

  tables(id: number): FlatTable[] {
    const [start, length] = this.vector(id);
    this.buffer.bytes(start, length * 4);
    return Array.from({ length }, (_, i) => {
      const at = start + i * 4;
      return new FlatTable(this.buffer, at + this.buffer.u32(at));
    });
  }

  bytes(id: number): Uint8Array {
    const [start, length] = this.vector(id);
    return this.buffer.bytes(start, length);
  }

  ints(id: number): number[] {
    const [start, length] = this.vector(id);
    this.buffer.bytes(start, length * 4);
    return Array.from({ length }, (_, i) => this.buffer.i32(start + i * 4));
  }

  shorts(id: number): number[] {
    const [start, length] = this.vector(id);
    this.buffer.bytes(start, length * 2);
    return Array.from({ length }, (_, i) => this.buffer.u16(start + i * 2));
  }

  string(id: number): string {
    return Buffer.from(this.bytes(id)).toString('utf8');
  }
}
