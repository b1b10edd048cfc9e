/** One picture of a request: its bytes, and what can be said of them before they are decoded. */
import { createHash } from 'node:crypto';
import { LineamentError } from '../../errors.js';
import { describeUnknown } from '../../image/format.js';
import { type ImageFormat, sniffFormat } from '../../image/index.js';
import type { ServiceConfig } from '../types.js';
import { statedSize } from './size.js';

/** An encoded picture as a client sent it, checked but not decoded. Its bytes are never written anywhere. */
export interface Picture {
  /** Field that it came in. */
  readonly name: string;
  readonly bytes: Uint8Array;
  /** By its content; what the client calls it is not looked at. */
  readonly format: ImageFormat;
  /** Bytes that the request holds while the picture is worked on, decoded pixels included; an upper estimate. */
  readonly weight: number;
}

/** A file, a base64 text or a body, as it came in. */
export interface Upload {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** Why it could not be taken: others of the same request may still be good. */
  readonly error?: LineamentError;
}

export type PictureLimits = Pick<ServiceConfig['limits'], 'imageBytes' | 'pixels' | 'images'>;

/** Of decoded pixels. */
const BYTES_PER_PIXEL = 3;
/** Where the header does not tell the size: such files are damaged, or have few pixels. */
const PIXELS_PER_BYTE = 10;
/** Formats whose headers have more forms than are read here: where the size is not found it may be any. */
const MANY_FORMS: ReadonlySet<ImageFormat> = new Set(['tiff', 'avif']);

/**
 * Checks size, content and stated pixels. Throws `IMAGE_CORRUPT` (no bytes), `IMAGE_TOO_LARGE` (bytes or pixels), `IMAGE_UNSUPPORTED`
 * (the content is none of the formats that are read, whatever its name or type says).
 */
export function checkPicture({ name, bytes, error }: Upload, limits: PictureLimits): Picture {
  if (error !== undefined) throw error;
  if (bytes.length === 0) throw new LineamentError('IMAGE_CORRUPT', `'${name}' has 0 bytes`);
  if (bytes.length > limits.imageBytes) throw tooManyBytes(name, limits);
  const format = sniffFormat(bytes);
  if (format === undefined) {
    throw new LineamentError('IMAGE_UNSUPPORTED', `'${name}': ${describeUnknown(bytes)}`, {
      fix: 'Send JPEG, PNG, WebP, GIF, TIFF or AVIF.',
    });
  }
  const size = statedSize(bytes, format);
  const guess = MANY_FORMS.has(format) ? limits.pixels : Math.min(limits.pixels, bytes.length * PIXELS_PER_BYTE);
  const pixels = size === undefined ? guess : size.width * size.height;
  if (pixels > limits.pixels) {
    throw new LineamentError(
      'IMAGE_TOO_LARGE',
      `'${name}' has ${size?.width} × ${size?.height} pixels, and ${limits.pixels} are allowed`,
      { fix: 'Scale the picture down.' },
    );
  }
  return { name, bytes, format, weight: bytes.length + pixels * BYTES_PER_PIXEL };
}

export function tooManyBytes(name: string, { imageBytes }: PictureLimits): LineamentError {
  return new LineamentError('IMAGE_TOO_LARGE', `'${name}' has more than the ${imageBytes} bytes that are allowed`, {
    fix: 'Compress the picture more, or scale it down.',
  });
}

/** SHA-256 of the picture's bytes, hex: what embeddings are kept under, and what samples say they were taken from. */
export function pictureHash({ bytes }: Pick<Picture, 'bytes'>): string {
  return createHash('sha256').update(bytes).digest('hex');
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;
const BASE64_URL = /^[A-Za-z0-9_-]*={0,2}$/;
const DATA_URL = /^data:[^,]{0,200},/i;

/** Bytes of a base64 text (RFC 4648, either alphabet, line breaks allowed), or of a `data:` URL that holds one. */
export function fromBase64(name: string, text: string, limits: PictureLimits): Upload {
  const failed = (error: LineamentError): Upload => ({ name, bytes: new Uint8Array(), error });
  const head = DATA_URL.exec(text.slice(0, 256))?.[0];
  if (head !== undefined && !/;base64,$/i.test(head)) {
    return failed(new LineamentError('INVALID_ARGUMENT', `'${name}' is a data: URL without base64`));
  }
  const coded = head === undefined ? text : text.slice(head.length);
  // Four characters are three bytes; breaks of lines add a little.
  if (coded.length > Math.ceil(limits.imageBytes / 3) * 4 * 1.05 + 4) return failed(tooManyBytes(name, limits));
  const packed = /\s/.test(coded) ? coded.replace(/\s+/g, '') : coded;
  const isUrl = !BASE64.test(packed) && BASE64_URL.test(packed);
  if ((!isUrl && !BASE64.test(packed)) || packed.replace(/=+$/, '').length % 4 === 1) {
    return failed(
      new LineamentError('INVALID_ARGUMENT', `'${name}' is not base64`, {
        fix: 'Send the bytes of the picture as base64: neither an address nor a path is read.',
      }),
    );
  }
  return { name, bytes: Buffer.from(packed, isUrl ? 'base64url' : 'base64') };
}
