import { setImmediate as nextTurn } from 'node:timers/promises';
import { invalid, oneOf, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { Frame, FrameFormat } from '../types.js';
import { type Bytes, isBytes, isShared, type MatLike, type RawImage } from './input.js';

/** Interleaved samples in a pixel of each layout: `Frame.channels`. */
export const CHANNELS: Readonly<Record<FrameFormat, 1 | 2 | 3 | 4>> = {
  rgb: 3,
  bgr: 3,
  rgba: 4,
  bgra: 4,
  gray: 1,
  yuyv: 2,
  nv12: 1,
  i420: 1,
};
const FORMATS = Object.keys(CHANNELS) as FrameFormat[];
const BY_CHANNELS: Readonly<Record<number, FrameFormat>> = { 1: 'gray', 3: 'rgb', 4: 'rgba' };

/** Shared memory is copied in slices of this many bytes, a millisecond or two each, with the event loop free between. */
const SLICE = 4 << 20;

/**
 * The bytes as one `Uint8Array`, in place. Memory that is shared between threads is copied instead (in slices, so that the
 * event loop stays free): native code may not rely on bytes that another thread changes. Writers should hold still until
 * then. Throws `INVALID_ARGUMENT` for a detached buffer.
 */
export async function ownBytes(name: string, value: Bytes): Promise<Uint8Array> {
  if (!isBytes(value)) throw invalid(name, 'Uint8Array, ArrayBuffer or SharedArrayBuffer', value);
  const view = ArrayBuffer.isView(value);
  const buffer: ArrayBufferLike = view ? value.buffer : value;
  if (isDetached(buffer))
    throw invalid(name, 'bytes', value, 'Its buffer is detached: do not transfer it before the call.');
  const bytes = view ? new Uint8Array(buffer, value.byteOffset, value.byteLength) : new Uint8Array(buffer);
  if (!isShared(buffer)) return bytes;
  const copy = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += SLICE) {
    if (at > 0) await nextTurn();
    copy.set(bytes.subarray(at, at + SLICE), at);
  }
  return copy;
}

function isDetached(buffer: ArrayBufferLike): boolean {
  if (isShared(buffer) || buffer.byteLength > 0) return false;
  const { detached } = buffer as { detached?: boolean };
  if (detached !== undefined) return detached;
  try {
    new Uint8Array(buffer);
    return false;
  } catch {
    return true;
  }
}

/** Checks raw pixels and gives them a `Frame`. Throws `INVALID_ARGUMENT`, `IMAGE_TOO_LARGE`. */
export async function rawFrame(raw: RawImage, maxPixels: number): Promise<Frame> {
  const width = positiveInteger('width', raw.width);
  const height = positiveInteger('height', raw.height);
  const format = formatOf(raw);
  if (width * height > maxPixels) throw tooLarge(width, height, maxPixels);
  const planar = format === 'nv12' || format === 'i420';
  if ((planar || format === 'yuyv') && width % 2 !== 0)
    throw invalid('width', `even number (format '${format}')`, width);
  if (planar && height % 2 !== 0) throw invalid('height', `even number (format '${format}')`, height);
  const channels = CHANNELS[format];
  const tight = width * channels;
  const stride = raw.stride === undefined ? tight : positiveInteger('stride', raw.stride);
  if (stride < tight) throw invalid('stride', `at least ${tight} (width × bytes per pixel)`, stride);
  if (format === 'i420' && stride % 2 !== 0) throw invalid('stride', `even number (format 'i420')`, stride);
  const data = await ownBytes('data', raw.data);
  const needed = planar ? stride * (height + height / 2) - (stride - width) : stride * (height - 1) + tight;
  if (data.length < needed) {
    throw invalid('data', `at least ${needed} bytes (${width}×${height} ${format})`, data);
  }
  return { data, width, height, channels, format, ...(stride === tight ? {} : { stride }) };
}

function formatOf(raw: RawImage): FrameFormat {
  if (raw.format !== undefined) {
    const format = oneOf('format', raw.format, FORMATS);
    if (raw.channels !== undefined && raw.channels !== CHANNELS[format]) {
      throw invalid('channels', `${CHANNELS[format]} (format '${format}')`, raw.channels);
    }
    return format;
  }
  const format = BY_CHANNELS[raw.channels as number];
  if (format === undefined) throw invalid('channels', '1, 3 or 4 (or a format)', raw.channels);
  return format;
}

/** An OpenCV matrix as a `Frame`: channels in the order of OpenCV (BGR, BGRA). */
export async function matFrame(mat: MatLike, maxPixels: number): Promise<Frame> {
  if (mat.depth !== undefined && mat.depth !== 0) throw invalid('depth', '0 (CV_8U)', mat.depth);
  const format: FrameFormat | undefined = ({ 1: 'gray', 3: 'bgr', 4: 'bgra' } as const)[mat.channels as 1 | 3 | 4];
  if (format === undefined) throw invalid('channels', '1, 3 or 4', mat.channels);
  const width = positiveInteger('cols', mat.cols);
  const height = positiveInteger('rows', mat.rows);
  if (width * height > maxPixels) throw tooLarge(width, height, maxPixels);
  let data: Uint8Array;
  try {
    data = mat.getDataAsync === undefined ? mat.getData() : await mat.getDataAsync();
  } catch (cause) {
    throw new LineamentError('IMAGE_CORRUPT', 'the matrix gave no data', { cause });
  }
  return rawFrame({ data, width, height, format }, maxPixels);
}

export function tooLarge(width: number, height: number, maxPixels: number): LineamentError {
  return new LineamentError('IMAGE_TOO_LARGE', `${width}×${height} pixels, the limit is ${maxPixels}`, {
    fix: 'Scale the picture down, or raise maxPixels if you trust its origin.',
  });
}
