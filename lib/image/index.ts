/** Pictures: every kind of input to plain 8-bit pixels, and the geometry that cuts regions out of them. */
export { DEFAULT_MAX_PIXELS, type DecodeOptions, decodeImage } from './decode.js';
export { type CameraTags, readCameraTags, readExif } from './exif.js';
export { type ImageFormat, sniffFormat } from './format.js';
export {
  applyRegion,
  boundsOf,
  fitSimilarity,
  fromUnit,
  intersectionOverUnion,
  packRegions,
  type Region,
  scaledRegion,
  squareRegion,
} from './geometry.js';
export type { Bytes, ImageInput, MatLike, RawImage, SharpLike } from './input.js';
export { releaseFrame } from './release.js';
