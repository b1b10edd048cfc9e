/** How large a picture says it is, read from its first bytes: no decoder runs, so that a bomb is refused before it costs anything. */
import type { ImageFormat } from '../../image/index.js';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Pixels as the header states them, before any rotation; absent where the header does not say (most such files are damaged). */
export function statedSize(bytes: Uint8Array, format: ImageFormat): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const size = READERS[format](view);
    return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
  } catch (error) {
    // It ends within its header.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const READERS: Readonly<Record<ImageFormat, (view: DataView) => PictureSize | undefined>> = {
  jpeg: readJpeg,
  png: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  gif: readGif,
  webp: readWebp,
  tiff: readTiff,
  avif: readAvif,
};

/** Segments up to the start of a frame (ITU-T T.81, B.2.2). What lies between segments is passed over, as decoders do. */
function readJpeg(view: DataView): PictureSize | undefined {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  for (let at = bytes.indexOf(0xff, 2); at >= 0; at = bytes.indexOf(0xff, at)) {
    const marker = view.getUint8(at + 1);
    if (marker === 0xff || marker === 0) {
      at += marker === 0 ? 2 : 1;
      continue;
    }
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) return { height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    const alone = marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7);
    if (marker === 0xd9 || marker === 0xda) return undefined;
    at += 2 + (alone ? 0 : Math.max(2, view.getUint16(at + 2)));
  }
  return undefined;
}

/** The first frame may be larger than the screen that it is drawn on. */
function readGif(view: DataView): PictureSize {
  return { width: view.getUint16(6, true), height: view.getUint16(8, true) };
}

/** VP8X, VP8 and VP8L chunks (RFC 9649). */
function readWebp(view: DataView): PictureSize | undefined {
  const chunk = String.fromCharCode(...[12, 13, 14, 15].map((at) => view.getUint8(at)));
  if (chunk === 'VP8 ') return { width: view.getUint16(26, true) & 0x3fff, height: view.getUint16(28, true) & 0x3fff };
  if (chunk === 'VP8L') {
    const bits = view.getUint32(21, true);
    return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
  }
  if (chunk !== 'VP8X') return undefined;
  const three = (at: number): number => view.getUint16(at, true) + (view.getUint8(at + 2) << 16) + 1;
  return { width: three(24), height: three(27) };
}

/** Tags ImageWidth and ImageLength of the first directory (TIFF 6.0, section 2), and of BigTIFF. */
function readTiff(view: DataView): PictureSize | undefined {
  const little = view.getUint8(0) === 0x49;
  const big = view.getUint16(2, little) === 43;
  const long = (at: number): number => Number(view.getBigUint64(at, little));
  const start = big ? long(8) : view.getUint32(4, little);
  const [entries, first, step] = big ? [long(start), start + 8, 20] : [view.getUint16(start, little), start + 2, 12];
  const found = new Map<number, number>();
  for (let i = 0, at = first; i < entries && found.size < 2; i++, at += step) {
    const tag = view.getUint16(at, little);
    if (tag !== 256 && tag !== 257) continue;
    const type = view.getUint16(at + 2, little);
    const value = at + (big ? 12 : 8);
    // SHORT, LONG, LONG8.
    if (type === 3) found.set(tag, view.getUint16(value, little));
    else if (type === 4) found.set(tag, view.getUint32(value, little));
    else if (type === 16 && big) found.set(tag, long(value));
    else return undefined;
  }
  const [width, height] = [found.get(256), found.get(257)];
  return width === undefined || height === undefined ? undefined : { width, height };
}

/** Types of boxes that lead to sizes (ISO/IEC 23008-12, 6.5.3), as numbers. */
const [META, ISPE, ...BETWEEN] = ['meta', 'ispe', 'iprp', 'ipco'].map((type) => Buffer.from(type).readUInt32BE());
const SIZES = [META, ...BETWEEN, ISPE];

/** The largest size that an AVIF file states: its thumbnails and planes of alpha have sizes, too. */
function readAvif(view: DataView, from = 0, to = view.byteLength, depth = 0): PictureSize | undefined {
  let largest: PictureSize | undefined;
  for (let at = from; at + 8 <= to; ) {
    const stated = view.getUint32(at);
    const head = stated === 1 ? 16 : 8;
    const length = stated === 0 ? to - at : stated === 1 ? Number(view.getBigUint64(at + 8)) : stated;
    if (length < head) break;
    const type = view.getUint32(at + 4);
    if (type === SIZES[depth]) {
      // These two begin with a version and flags.
      const inner = at + head + (type === META || type === ISPE ? 4 : 0);
      const size =
        type === ISPE
          ? { width: view.getUint32(inner), height: view.getUint32(inner + 4) }
          : readAvif(view, inner, Math.min(to, at + length), depth + 1);
      if (pixelsOf(size) > pixelsOf(largest)) largest = size;
    }
    at += length;
  }
  return largest;
}

const pixelsOf = (size: PictureSize | undefined): number => (size === undefined ? 0 : size.width * size.height);
