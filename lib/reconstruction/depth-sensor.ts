import { abortable } from '../errors/abort.js';
import { abortSignal, invalid, nonEmptyString, numberIn, plainObject } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import { loadSharp } from '../image/decode.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { type CameraIntrinsics, checkCamera } from '../landmarks/camera.js';
import { MOST_DEPTH_PIXELS, MOST_DEPTH_SIDE, type NativeSize } from '../native/depth.js';
import { type ConfidenceOptions, confidenceOptions } from './depth.js';
import { checkDepth, checkDepthSize, positive } from './depth-check.js';
import { replaceFile } from './files.js';
import type { DepthMap } from './types.js';

/** A frame of a depth camera. */
export interface DepthFrame {
  readonly width: number;
  readonly height: number;
  /** width × height steps, row by row; 0 where the camera measured nothing. */
  readonly data: Uint16Array;
}

export interface SensorDepthOptions extends ConfidenceOptions {
  /** Millimetres for a step; default 1, as most depth cameras have it. */
  readonly unit?: number;
  /** Millimetres; nearer is taken for nothing. Default 0. */
  readonly near?: number;
  /** Millimetres; farther is taken for nothing. Default 100 m. */
  readonly far?: number;
  /** The depth camera, where it was calibrated (depth aligned to a colour picture: that picture's). */
  readonly intrinsics?: CameraIntrinsics;
  /** Degrees across the longer side where only that is known; default `DEFAULT_FIELD_OF_VIEW`. */
  readonly fieldOfView?: number;
  readonly signal?: AbortSignal;
}

const OPTIONS = ['unit', 'near', 'far', 'intrinsics', 'fieldOfView', 'margin', 'step', 'tolerance', 'signal'];

/**
 * The depth map of a 16-bit frame. A frame in which nothing was measured gives a map without depth, not an error; confidence is
 * visibility × angle (see {@link ConfidenceOptions}), noise of the sensor is not known to it: filter first, or `rateDepth` again
 * afterwards.
 *
 * Rejects with `INVALID_ARGUMENT` (also where a side is beyond 16384 or the frame beyond 64 Mi pixels), `ABORTED`, `CLOSED`. Thread-safe.
 */
export async function depthFromSensor(
  runtime: Runtime,
  frame: DepthFrame,
  options: SensorDepthOptions = {},
): Promise<DepthMap> {
  const known = plainObject('options', options, OPTIONS);
  const { data, ...rest } = frame ?? {};
  const size = checkDepthSize(rest);
  if (!(data instanceof Uint16Array) || data.length !== size.width * size.height) {
    throw invalid('data', `Uint16Array of ${size.width * size.height} steps`, data);
  }
  const camera = checkCamera({ ...size, intrinsics: known['intrinsics'], fieldOfView: known['fieldOfView'] });
  const unit = numberIn('unit', options.unit ?? 1, 1e-6, 1e6);
  const near = numberIn('near', options.near ?? 0, 0, 1e9);
  const far = numberIn('far', options.far ?? 100_000, near, 1e9);
  if (far === near) throw invalid('far', `number above ${near}`, far);
  const signal = options.signal && abortSignal('signal', options.signal);
  const asked = { ...size, ...camera, ...confidenceOptions(options), unit, near, far };
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.depthFromSteps(runtime.executor, data, asked, token),
  );
  return { ...size, ...made, camera, scale: { source: 'sensor' } };
}

/**
 * The depth map of a grey 16-bit PNG, the form in which depth cameras and data sets keep depth (unit: TUM RGB-D 0.2 mm, most others
 * 1 mm). All 16 bits count; a PNG of 8 bits or with colours is refused rather than read wrongly.
 *
 * @param input path or bytes
 * @returns Rejects with `IMAGE_NOT_FOUND`, `IMAGE_UNSUPPORTED` (no grey 16-bit PNG), `IMAGE_CORRUPT`, `IMAGE_TOO_LARGE` (a side beyond
 * 16384 or more than 64 Mi pixels; nothing of them is decoded), and as `depthFromSensor` does.
 */
export async function readDepth(
  runtime: Runtime,
  input: string | Uint8Array,
  options: SensorDepthOptions = {},
): Promise<DepthMap> {
  if (!(input instanceof Uint8Array)) nonEmptyString('input', input);
  const signal = options.signal && abortSignal('signal', options.signal);
  throwIfAborted(signal);
  return depthFromSensor(runtime, await abortable(decodeSteps(input), signal), options);
}

/**
 * Writes a depth map as a grey 16-bit PNG of `unit` millimetres for a step (default 0.1: 6.5 m at most), rounded; what has no depth,
 * or is too far, is 0. Camera, confidence and unit are not in the file. Gives the file's bytes, and writes them where a path
 * is given. Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`, and the file system's error as it is.
 */
export async function writeDepth(
  runtime: Runtime,
  map: DepthMap,
  options: { readonly path?: string; readonly unit?: number; readonly signal?: AbortSignal } = {},
): Promise<Uint8Array> {
  plainObject('options', options, ['path', 'unit', 'signal']);
  const { width, height } = checkDepth(map);
  const unit = positive('unit', options.unit ?? 0.1);
  if (options.path !== undefined) nonEmptyString('path', options.path);
  const signal = options.signal && abortSignal('signal', options.signal);
  const steps = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.stepsFromDepth(runtime.executor, map.depth, unit, token),
  );
  const sharp = await loadSharp();
  const png = sharp(steps, { raw: { width, height, channels: 1 }, limitInputPixels: MOST_DEPTH_PIXELS });
  const file = await abortable(png.toColourspace('grey16').png().toBuffer(), signal);
  if (options.path !== undefined) await replaceFile(options.path, file);
  return file;
}

async function decodeSteps(input: string | Uint8Array): Promise<DepthFrame> {
  const sharp = await loadSharp();
  const name = typeof input === 'string' ? input : 'the bytes given';
  if (input.length === 0) throw new LineamentError('IMAGE_CORRUPT', `${name}: 0 bytes`);
  const image = sharp(input, { limitInputPixels: MOST_DEPTH_PIXELS, failOn: 'error' });
  const said = (cause: unknown): string => (cause instanceof Error ? cause.message.split('\n')[0]! : String(cause));
  const header = await image.metadata().catch((cause: unknown) => {
    const text = said(cause);
    const missing = typeof input === 'string' && /missing|ENOENT/i.test(text);
    const code = missing ? 'IMAGE_NOT_FOUND' : /limit/i.test(text) ? 'IMAGE_TOO_LARGE' : 'IMAGE_UNSUPPORTED';
    throw new LineamentError(code, `${name}: ${text}`, { cause });
  });
  const { format, depth, channels, width = 0, height = 0 } = header;
  if (format !== 'png' || depth !== 'ushort' || channels !== 1) {
    const what = `${format} with ${channels} channels of type ${depth}`;
    throw new LineamentError('IMAGE_UNSUPPORTED', `${name} is ${what}, not a grey PNG of 16 bits`);
  }
  const size: NativeSize = { width, height };
  if (Math.max(width, height) > MOST_DEPTH_SIDE || width * height > MOST_DEPTH_PIXELS) {
    throw new LineamentError('IMAGE_TOO_LARGE', `${name} has ${width} × ${height} pixels`, {
      fix: `Depth maps have at most ${MOST_DEPTH_PIXELS} pixels.`,
    });
  }
  const { data } = await image
    .toColourspace('grey16')
    .raw({ depth: 'ushort' })
    .toBuffer({ resolveWithObject: true })
    .catch((cause: unknown) => {
      throw new LineamentError('IMAGE_CORRUPT', `${name}: ${said(cause)}`, { cause });
    });
  const whole = data.byteOffset % 2 === 0 ? data : Uint8Array.from(data);
  return { ...size, data: new Uint16Array(whole.buffer, whole.byteOffset, whole.length / 2) };
}
