import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type Sharp from 'sharp';
import { abortable } from '../errors/abort.js';
import { invalid } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import type { Frame } from '../types.js';
import { describeUnknown, sniffFormat } from './format.js';
import { type ImageInput, isBytes, isMatLike, isRawImage, isSharpLike, type SharpLike } from './input.js';
import { matFrame, ownBytes, rawFrame, tooLarge } from './raw.js';
import { markDecoded } from './release.js';

/** Pictures of more pixels are refused unless `maxPixels` says otherwise. */
export const DEFAULT_MAX_PIXELS = 100_000_000;
/** No file larger than this is read. */
const MAX_FILE_BYTES = 1 << 30;

export interface DecodeOptions {
  /** Most pixels that a picture may have (guards against decompression bombs); 100 million when absent. */
  readonly maxPixels?: number;
  readonly signal?: AbortSignal;
}

/**
 * Turns any {@link ImageInput} into a `Frame`.
 *
 * Files and their bytes are recognised by content, not by name, and become 8-bit sRGB of three channels: EXIF orientation
 * is applied, CMYK, 16-bit, gray and indexed pictures are converted, an embedded profile is honoured, transparency is laid
 * over white, and of an animation the first frame is taken. The whole picture is decoded (no shrinking on load), off the
 * event loop. Raw pixels are taken as they are, without a copy: leave them alone until the call that uses them has
 * settled. A `sharp` pipeline gives what it would write; call `.autoOrient()` on it where EXIF orientation matters.
 *
 * Rejects with `IMAGE_NOT_FOUND`, `IMAGE_UNSUPPORTED`, `IMAGE_CORRUPT` (also truncated or empty), `IMAGE_TOO_LARGE`,
 * `INVALID_ARGUMENT`, `ABORTED`. After `ABORTED` the decoder may still finish in the background; nothing else remains.
 */
export async function decodeImage(input: ImageInput, options: DecodeOptions = {}): Promise<Frame> {
  const { maxPixels = DEFAULT_MAX_PIXELS, signal } = options;
  throwIfAborted(signal);
  if (typeof input === 'string') return decodeFile(input, maxPixels, signal);
  if (input instanceof URL) {
    if (input.protocol !== 'file:') {
      throw invalid('input', 'file: URL', input.href, 'Fetch it first and pass the bytes.');
    }
    return decodeFile(fileURLToPath(input), maxPixels, signal);
  }
  if (isBytes(input)) return decodeBytes(await ownBytes('input', input), 'the bytes given', maxPixels, signal);
  if (typeof input === 'object' && input !== null) {
    if (isSharpLike(input)) return decodePipeline(input, maxPixels, signal);
    if (isMatLike(input)) return matFrame(input, maxPixels);
    if (isRawImage(input)) return rawFrame(input, maxPixels);
  }
  throw invalid('input', 'path, file: URL, image bytes, raw pixels, sharp pipeline or OpenCV matrix', input);
}

const require = createRequire(import.meta.url);
let loaded: typeof Sharp | undefined;

/**
 * Loads `sharp` on first use: a program that only looks at raw pixels never pays for it. By `require`, which takes half
 * the time of `import` here (50 of 105 ms), and start-up is what one waits for.
 */
export async function loadSharp(): Promise<typeof Sharp> {
  try {
    // Kept here: looking a package up takes a quarter of a millisecond, also when it is loaded already.
    loaded ??= require('sharp') as typeof Sharp;
    return loaded;
  } catch (cause) {
    throw new LineamentError('IMAGE_UNSUPPORTED', 'the decoder (sharp) could not be loaded', {
      cause,
      fix: "Run 'npm install sharp' for this platform, or pass raw pixels.",
    });
  }
}

async function decodeFile(path: string, maxPixels: number, signal: AbortSignal | undefined): Promise<Frame> {
  if (path.length === 0 || path.includes('\0')) throw invalid('input', 'path of a file', path);
  return decodeBytes(await readImageFile(path), path, maxPixels, signal);
}

async function readImageFile(path: string): Promise<Uint8Array> {
  let file: FileHandle;
  try {
    // Non-blocking, so that a pipe or device that is named by mistake cannot hang the call.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const known = code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES' || code === 'EPERM' || code === 'ELOOP';
    const why = code === 'EACCES' || code === 'EPERM' ? 'may not be read' : 'does not exist';
    throw new LineamentError('IMAGE_NOT_FOUND', known ? `${path} ${why}` : `${path}: ${(cause as Error).message}`, {
      cause,
    });
  }
  try {
    const stat = await file.stat();
    if (!stat.isFile()) throw new LineamentError('IMAGE_UNSUPPORTED', `${path} is not a regular file`);
    if (stat.size > MAX_FILE_BYTES) {
      throw new LineamentError('IMAGE_TOO_LARGE', `${path} has ${stat.size} bytes, the limit is ${MAX_FILE_BYTES}`);
    }
    return await file.readFile();
  } catch (cause) {
    if (cause instanceof LineamentError) throw cause;
    throw new LineamentError('IMAGE_CORRUPT', `${path} could not be read: ${(cause as Error).message}`, { cause });
  } finally {
    await file.close();
  }
}

async function decodeBytes(
  bytes: Uint8Array,
  name: string,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<Frame> {
  if (bytes.length === 0) throw new LineamentError('IMAGE_CORRUPT', `${name}: 0 bytes`);
  if (sniffFormat(bytes) === undefined) {
    throw new LineamentError('IMAGE_UNSUPPORTED', `${name}: ${describeUnknown(bytes)}`, {
      fix: 'Convert it to one of JPEG, PNG, WebP, GIF, TIFF or AVIF.',
    });
  }
  const sharp = await loadSharp();
  throwIfAborted(signal);
  // 'error' refuses cut and broken pixel data, but not a picture whose metadata only draws a warning.
  const pipeline = sharp(bytes, { limitInputPixels: maxPixels, failOn: 'error', autoOrient: true });
  return run(pipeline as unknown as SharpLike, name, maxPixels, signal);
}

async function decodePipeline(input: SharpLike, maxPixels: number, signal: AbortSignal | undefined): Promise<Frame> {
  return run(input.clone(), 'the sharp pipeline', maxPixels, signal);
}

async function run(
  pipeline: SharpLike,
  name: string,
  maxPixels: number,
  signal: AbortSignal | undefined,
): Promise<Frame> {
  const work = pipeline
    .flatten({ background: 'white' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  let result: Awaited<typeof work>;
  try {
    result = await abortable(work, signal);
  } catch (cause) {
    if (cause instanceof LineamentError) throw cause;
    throw decoderError(cause, name, maxPixels);
  }
  const { data, info } = result;
  if (info.width * info.height > maxPixels) throw tooLarge(info.width, info.height, maxPixels);
  if (info.channels !== 3 && info.channels !== 1) {
    throw new LineamentError('IMAGE_UNSUPPORTED', `${name}: ${info.channels} channels after conversion to sRGB`);
  }
  return markDecoded({
    data,
    width: info.width,
    height: info.height,
    channels: info.channels,
    format: info.channels === 3 ? 'rgb' : 'gray',
  });
}

function decoderError(cause: unknown, name: string, maxPixels: number): LineamentError {
  const said = cause instanceof Error ? cause.message : String(cause);
  const line = said.split('\n')[0] ?? '';
  if (/exceeds (?:the )?pixel limit|too large|exceeds limit/i.test(said)) {
    return new LineamentError('IMAGE_TOO_LARGE', `${name} has more than ${maxPixels} pixels`, {
      cause,
      fix: 'Scale the picture down, or raise maxPixels if you trust its origin.',
    });
  }
  if (/out of memory|failed to allocate/i.test(said))
    return new LineamentError('OUT_OF_MEMORY', `${name}: ${line}`, { cause });
  if (/missing|ENOENT/.test(said)) return new LineamentError('IMAGE_NOT_FOUND', `${name}: ${line}`, { cause });
  return new LineamentError('IMAGE_CORRUPT', `${name}: ${line}`, { cause });
}
