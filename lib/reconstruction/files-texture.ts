import { oneOf, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { loadSharp } from '../image/decode.js';
import type { Texture } from './types.js';

/** How a texture is compressed. */
export interface TextureOptions {
  /** `jpeg` when absent; `png` keeps every bit. */
  readonly texture?: 'jpeg' | 'png';
  /** Of JPEG, from 1 to 100; 90 when absent. */
  readonly textureQuality?: number;
}

export interface EncodedTexture {
  readonly mimeType: 'image/jpeg' | 'image/png';
  /** Of its file name. */
  readonly extension: 'jpg' | 'png';
  readonly data: Uint8Array;
}

export const TEXTURE_OPTIONS = ['texture', 'textureQuality'] as const;

/** Compresses off the event loop. Rejects with `INVALID_ARGUMENT`, `IMAGE_UNSUPPORTED` (sharp is not there). */
export async function encodeTexture(texture: Texture, options: TextureOptions): Promise<EncodedTexture> {
  const kind = oneOf('options.texture', options.texture ?? 'jpeg', ['jpeg', 'png']);
  const quality = positiveInteger('options.textureQuality', options.textureQuality ?? 90, 100);
  const sharp = await loadSharp();
  const { data, width, height } = texture;
  const picture = sharp(data, { raw: { width, height, channels: 3 }, limitInputPixels: false });
  try {
    return kind === 'png'
      ? { mimeType: 'image/png', extension: 'png', data: await picture.png({ compressionLevel: 6 }).toBuffer() }
      : { mimeType: 'image/jpeg', extension: 'jpg', data: await picture.jpeg({ quality }).toBuffer() };
  } catch (cause) {
    throw new LineamentError('INVALID_ARGUMENT', `the texture cannot be compressed: ${(cause as Error).message}`, {
      cause,
    });
  }
}
