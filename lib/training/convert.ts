import { stat } from 'node:fs/promises';
import { abortSignal, nonEmptyString, oneOf, plainObject } from '../errors/validate.js';
import { callSite, wrapError } from '../errors.js';
import { ShapePredictor } from '../landmarks/shape-predictor.js';
import { loadAddon } from '../native/index.js';
import { describeFile, type TrainedLandmarks } from './train.js';

export interface ConvertLandmarksOptions {
  /** The other one of the two when absent. */
  readonly format?: 'compact' | 'dlib';
  readonly signal?: AbortSignal;
}

/** A model file that was converted. */
export interface ConvertedLandmarks
  extends Pick<TrainedLandmarks, 'bytes' | 'points' | 'cascades' | 'trees' | 'depth' | 'features' | 'leafError'> {
  readonly from: 'compact' | 'dlib';
  readonly to: 'compact' | 'dlib';
  /** Size of the file that was read. */
  readonly sourceBytes: number;
}

/**
 * Turns a landmark model into the other format: dlib's serialised `shape_predictor` into our compact one, whose leaves have 16
 * bits, or back (the rounding stays). Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `INVALID_ARGUMENT`
 * (options, or the output cannot be written), `ABORTED`.
 */
export async function convertLandmarks(
  input: string,
  output: string,
  options: ConvertLandmarksOptions = {},
): Promise<ConvertedLandmarks> {
  const site = callSite(convertLandmarks);
  try {
    nonEmptyString('input', input);
    nonEmptyString('output', output);
    plainObject('options', options, ['format', 'signal']);
    const { format, signal } = options;
    if (format !== undefined) oneOf('format', format, ['compact', 'dlib']);
    if (signal !== undefined) abortSignal('signal', signal);
    const abort = signal === undefined ? {} : { signal };
    const executor = loadAddon().createExecutor(1);
    try {
      await using model = await ShapePredictor.open(executor, input, abort);
      const from = model.info.format === 'dlib' ? 'dlib' : 'compact';
      const to = format ?? (from === 'dlib' ? 'compact' : 'dlib');
      await model.save(output, to, abort);
      return { from, to, sourceBytes: (await stat(input)).size, ...(await describeFile(executor, output)) };
    } finally {
      await executor.close();
    }
  } catch (error) {
    throw wrapError(error, site);
  }
}
