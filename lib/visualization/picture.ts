/** Pictures in and out of the drawings. `sharp` is loaded on first use, so that importing the module costs nothing. */
import type { Sharp } from 'sharp';
import { LineamentError } from '../errors.js';
import type { Box, Frame } from '../types.js';

/**
 * A picture to draw on: a path, the bytes of an encoded picture (EXIF orientation is applied), or decoded pixels.
 * Coordinates of faces refer to the upright picture.
 */
export type Picture = string | Uint8Array | Frame;

const RAW_FORMATS = new Set(['rgb', 'rgba', 'gray']);

function isFrame(picture: Picture): picture is Frame {
  return typeof picture === 'object' && !(picture instanceof Uint8Array);
}

/** A sharp pipeline that starts with the upright picture. */
export async function open(picture: Picture): Promise<Sharp> {
  const { default: sharp } = await import('sharp');
  if (!isFrame(picture)) return sharp(picture, { failOn: 'error' }).autoOrient();
  if (!RAW_FORMATS.has(picture.format)) {
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `Expected a frame of format rgb, rgba or gray but received ${picture.format}`,
      {
        fix: 'Convert it with engine.decode first.',
      },
    );
  }
  const row = picture.width * picture.channels;
  const stride = picture.stride ?? row;
  let data = picture.data;
  if (stride !== row) {
    data = new Uint8Array(row * picture.height);
    for (let y = 0; y < picture.height; y++) data.set(picture.data.subarray(y * stride, y * stride + row), y * row);
  }
  return sharp(data, { raw: { width: picture.width, height: picture.height, channels: picture.channels } });
}

/** Pixels of the upright picture as sRGB without alpha, to be used more than once. */
export async function pixels(picture: Picture): Promise<Frame> {
  if (isFrame(picture) && picture.format === 'rgb' && picture.stride === undefined) return picture;
  const pipeline = (await open(picture)).flatten({ background: '#ffffff' }).toColourspace('srgb').removeAlpha();
  const { data, info } = await pipeline.raw().toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: 3, format: 'rgb' };
}

/** A JPEG that fits into `maxSide` × `maxSide` pixels; never enlarged. */
export async function thumbnail(picture: Picture, maxSide: number, quality = 82): Promise<Buffer> {
  const pipeline = await open(picture);
  return pipeline
    .flatten({ background: '#ffffff' })
    .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality, mozjpeg: false })
    .toBuffer();
}

/**
 * The square around a box, with a margin on each side as a share of the box, cut to the picture.
 *
 * @returns [left, top, side, side] in whole pixels, or undefined where the box does not touch the picture
 */
export function squareAround(
  box: Box,
  size: { readonly width: number; readonly height: number },
  margin: number,
): { left: number; top: number; width: number; height: number } | undefined {
  const [x, y, w, h] = box;
  if (![x, y, w, h].every(Number.isFinite) || w <= 0 || h <= 0) return undefined;
  if (x >= size.width || y >= size.height || x + w <= 0 || y + h <= 0) return undefined;
  const side = Math.max(1, Math.min(Math.round(Math.max(w, h) * (1 + 2 * margin)), size.width, size.height));
  const clamp = (value: number, most: number): number => Math.min(Math.max(0, Math.round(value)), most);
  return {
    left: clamp(x + w / 2 - side / 2, size.width - side),
    top: clamp(y + h / 2 - side / 2, size.height - side),
    width: side,
    height: side,
  };
}

/** A square JPEG of the face, `side` pixels wide, or undefined where the box lies outside the picture. */
export async function faceCrop(picture: Picture, box: Box, side: number, margin = 0.3): Promise<Buffer | undefined> {
  const frame = await pixels(picture);
  const region = squareAround(box, frame, margin);
  if (region === undefined) return undefined;
  return (await open(frame)).extract(region).resize(side, side, { fit: 'fill' }).jpeg({ quality: 84 }).toBuffer();
}

/** The bytes as a `data:` URI. */
export function dataUri(bytes: Uint8Array, type = 'image/jpeg'): string {
  return `data:${type};base64,${Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')}`;
}
