import {
  abortSignal,
  boolean,
  invalid,
  nonEmptyString,
  numberIn,
  oneOf,
  plainObject,
  positiveInteger,
} from '../errors/validate.js';
import { MAX_SIDE } from './source.js';
import type { BestFrameOptions, CameraOptions, FramesOptions } from './types.js';

const CAMERA = [
  'source',
  'id',
  'width',
  'height',
  'fps',
  'format',
  'bufferSeconds',
  'bufferBytes',
  'reconnect',
  'ffmpeg',
  'hardware',
  'signal',
];

/** Throws `INVALID_ARGUMENT`; the source is checked by `resolveSource`. */
export function checkCameraOptions(options: CameraOptions): void {
  plainObject('options', options, CAMERA);
  const { source, id, width, height, fps, format, bufferSeconds, bufferBytes, reconnect, ffmpeg, hardware, signal } =
    options;
  if (source === undefined) throw invalid('source', 'name, number or source', source);
  if (id !== undefined) nonEmptyString('id', id);
  if (width !== undefined) positiveInteger('width', width, MAX_SIDE);
  if (height !== undefined) positiveInteger('height', height, MAX_SIDE);
  if (fps !== undefined) numberIn('fps', fps, 0.001, 1000);
  if (format !== undefined) oneOf('format', format, ['rgb', 'i420', 'nv12', 'gray', 'native']);
  if (bufferSeconds !== undefined) numberIn('bufferSeconds', bufferSeconds, 0, 3600);
  if (bufferBytes !== undefined) positiveInteger('bufferBytes', bufferBytes);
  if (reconnect !== undefined && reconnect !== false) {
    plainObject('reconnect', reconnect, ['attempts', 'firstDelayMs', 'mostDelayMs']);
    const { attempts, firstDelayMs, mostDelayMs } = reconnect;
    if (attempts !== undefined && attempts !== Infinity) positiveInteger('reconnect.attempts', attempts);
    if (firstDelayMs !== undefined) numberIn('reconnect.firstDelayMs', firstDelayMs, 0, 86_400_000);
    if (mostDelayMs !== undefined) numberIn('reconnect.mostDelayMs', mostDelayMs, 0, 86_400_000);
  }
  if (ffmpeg !== undefined) nonEmptyString('ffmpeg', ffmpeg);
  // It becomes an argument of a program.
  if (hardware !== undefined && !/^[a-z0-9_]+$/i.test(nonEmptyString('hardware', hardware))) {
    throw invalid('hardware', "name of a decoder that 'ffmpeg -hwaccels' lists", hardware);
  }
  if (signal !== undefined) abortSignal('signal', signal);
}

export function checkFramesOptions(options: FramesOptions): FramesOptions {
  plainObject('options', options, ['signal', 'order', 'borrow']);
  const { signal, order, borrow } = options;
  if (signal !== undefined) abortSignal('signal', signal);
  if (order !== undefined) oneOf('order', order, ['newest', 'all']);
  if (borrow !== undefined) boolean('borrow', borrow);
  return options;
}

export function checkBestFrameOptions(options: BestFrameOptions): BestFrameOptions {
  plainObject('options', options, ['within', 'engine', 'signal']);
  numberIn('within', options.within, 0, 3_600_000);
  const { engine, signal } = options;
  if (typeof engine !== 'object' || engine === null || typeof engine.analyze !== 'function') {
    throw invalid('engine', 'engine', engine, "Open one with 'openEngine' and pass it.");
  }
  if (signal !== undefined) abortSignal('signal', signal);
  return options;
}
