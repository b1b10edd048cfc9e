import type { FrameFormat } from '../types.js';

/** Bytes by any name. Over a `SharedArrayBuffer` they are copied at the call; otherwise they are read in place. */
export type Bytes = Uint8Array | Uint8ClampedArray | ArrayBuffer | SharedArrayBuffer;

/** Pixels that need no decoding. Either `format` or `channels` (1 gray, 3 rgb, 4 rgba) names their layout. */
export interface RawImage {
  readonly data: Bytes;
  readonly width: number;
  readonly height: number;
  readonly channels?: number;
  readonly format?: FrameFormat;
  /** Bytes from one row to the next (of the luma plane for planar formats); tight when absent. */
  readonly stride?: number;
}

/** What is needed of a `sharp` pipeline. It is cloned, so the caller's own stays usable. */
export interface SharpLike {
  clone(): SharpLike;
  metadata(): Promise<unknown>;
  toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: SharpInfo }>;
  toColourspace(name: string): SharpLike;
  flatten(options: { background: string }): SharpLike;
  raw(options?: { depth: 'uchar' }): SharpLike;
}

export interface SharpInfo {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

/** What is needed of an OpenCV matrix as opencv4nodejs shapes it: 8 bits, 1 (gray), 3 (BGR) or 4 (BGRA) channels. */
export interface MatLike {
  readonly rows: number;
  readonly cols: number;
  readonly channels: number;
  readonly depth?: number;
  getData(): Uint8Array;
  getDataAsync?(): Promise<Uint8Array>;
}

/**
 * What the engine takes as a picture: the path of a file, a `file:` URL, the bytes of an image file, raw pixels (also a
 * `Frame`), a `sharp` pipeline, an OpenCV matrix.
 */
export type ImageInput = string | URL | Bytes | RawImage | SharpLike | MatLike;

const has = (value: object, ...names: string[]): boolean => names.every((n) => n in value);
const isCallable = (value: object, name: string): boolean =>
  typeof (value as Record<string, unknown>)[name] === 'function';

export function isSharpLike(value: object): value is SharpLike {
  return ['clone', 'metadata', 'toBuffer', 'raw', 'toColourspace', 'flatten'].every((n) => isCallable(value, n));
}

export function isMatLike(value: object): value is MatLike {
  return has(value, 'rows', 'cols', 'channels') && (isCallable(value, 'getData') || isCallable(value, 'getDataAsync'));
}

export function isRawImage(value: object): value is RawImage {
  return has(value, 'data', 'width', 'height');
}

export function isBytes(value: unknown): value is Bytes {
  return (
    value instanceof Uint8Array ||
    value instanceof Uint8ClampedArray ||
    value instanceof ArrayBuffer ||
    isShared(value) ||
    // Made in another realm (a vm context, jest): the tag is the same where `instanceof` is not.
    ['[object Uint8Array]', '[object Uint8ClampedArray]', '[object ArrayBuffer]'].includes(
      Object.prototype.toString.call(value),
    )
  );
}

export function isShared(value: unknown): value is SharedArrayBuffer {
  return typeof SharedArrayBuffer !== 'undefined' && value instanceof SharedArrayBuffer;
}
