// Decoding for the benchmarks: always the same pixels for every contender.
import { createRequire } from 'node:module';
import path from 'node:path';
import { BENCH } from './paths.mjs';

const require = createRequire(path.join(BENCH, 'package.json'));
export const sharp = require('sharp');

/**
 * Decodes to RGB, EXIF orientation applied.
 * @param {string|Buffer} input
 * @returns {Promise<{data: Uint8Array, width: number, height: number, channels: 3}>}
 */
export async function decode(input) {
  const { data, info } = await sharp(input).rotate().removeAlpha().toColourspace('srgb').raw().toBuffer({
    resolveWithObject: true,
  });
  if (info.channels !== 3) throw new Error(`expected 3 channels but received ${info.channels}`);
  return {
    data: new Uint8Array(data.buffer, data.byteOffset, data.length),
    width: info.width,
    height: info.height,
    channels: 3,
  };
}

/** A sharp pipeline over raw pixels. */
export const fromFrame = (f) => sharp(f.data, { raw: { width: f.width, height: f.height, channels: 3 } });
