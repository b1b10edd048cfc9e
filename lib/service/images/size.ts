/** How large a picture says it is, read from its first bytes: no decoder runs, so that a bomb is refused before it costs anything. */
import type { ImageFormat } from '../../image/index.js';

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** Pixels as the header states them, before any rotation; absent where the header does not say (TIFF, AVIF, damaged files). */
export function statedSize(bytes: Uint8Array, format: ImageFormat): PictureSize | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  try {
    const size = READERS[format]?.(view);
    return size !== undefined && size.width > 0 && size.height > 0 ? size : undefined;
  } catch (error) {
    // It ends within its header.
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

const READERS: Partial<Record<ImageFormat, (view: DataView) => PictureSize | undefined>> = {
  jpeg: readJpeg,
  png: (view) => ({ width: view.getUint32(16), height: view.getUint32(20) }),
  gif: readGif,
  webp: readWebp,
};

/** Segments up to the start of a frame (ITU-T T.81, B.2.2). */
function readJpeg(view: DataView): PictureSize | undefined {
  for (let at = 2; at < view.byteLength; ) {
    if (view.getUint8(at) !== 0xff) return undefined;
    const marker = view.getUint8(at + 1);
    if (marker === 0xff) {
      at++;
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
