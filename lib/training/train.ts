import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { abortSignal, boolean, nonEmptyString, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { callSite, LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import { ShapePredictor } from '../landmarks/shape-predictor.js';
import type {
  NativeAddon,
  NativeExecutor,
  NativeShapeModel,
  ShapeTrainingProgress,
  ShapeTrainingSet,
} from '../native/addon.js';
import { loadAddon } from '../native/index.js';
import { countFaces, type LandmarkDataset, readDataset } from './dataset.js';
import { mirrorOrder } from './mirror.js';
import { checkShapeOptions, SHAPE_DEFAULTS, type ShapeOptions } from './options.js';
import { type BoxSource, loadPictures } from './pictures.js';
import { cropToFaces, grayPicture, SampleSet } from './samples.js';

export interface TrainingProgress {
  /** `pictures` are being read, then `trees` grown. */
  readonly stage: 'pictures' | 'trees';
  readonly done: number;
  readonly total: number;
  /** Mean distance of the points of the training faces so far, as a fraction of the box; once trees grow. */
  readonly error?: number;
  /** Cascades that are finished, and all of them; once trees grow. */
  readonly cascades?: { readonly done: number; readonly total: number };
  /** Seconds until the stage ends, as far as can be said. */
  readonly secondsLeft?: number;
  /** Cascades were taken from the checkpoint. */
  readonly resumed: boolean;
}

/** Where a model goes and how the work is done. */
export interface TrainingRun {
  /** File of the model. Written at the end, atomically. */
  readonly output: string;
  /** `compact` (default): memory-mapped, leaves in 16 bits. `dlib`: as dlib's `shape_predictor` reads it. */
  readonly format?: 'compact' | 'dlib';
  /**
   * File that is written after each cascade. Where it is there already and fits data and options, training continues from it,
   * to the very model that an undisturbed run gives.
   */
  readonly checkpoint?: string;
  /** Compute threads; all that the process may use when absent. The model does not depend on it. */
  readonly threads?: number;
  /** Stops training, which then rejects with `ABORTED`; the checkpoint stays. */
  readonly signal?: AbortSignal;
  /** What it throws ends training. */
  readonly onProgress?: (progress: TrainingProgress) => void;
}

export interface TrainLandmarksOptions extends ShapeOptions, TrainingRun {
  /** What {@link readDataset} reads, or what it gave. */
  readonly data: string | readonly string[] | LandmarkDataset;
  /** Learn from the mirror images as well; false. */
  readonly mirror?: boolean;
  /** Permutation that mirrors points by; 68 points have one of their own. */
  readonly mirrorOrder?: readonly number[];
  /** Where boxes come from; `given`. */
  readonly boxes?: BoxSource;
}

/** What training gave. */
export interface TrainedLandmarks {
  readonly output: string;
  readonly format: 'compact' | 'dlib';
  /** Size of the file. */
  readonly bytes: number;
  readonly points: number;
  readonly cascades: number;
  readonly trees: number;
  readonly depth: number;
  readonly features: number;
  /** Bound on what the format's rounding moves a point by, as a fraction of the box's longer side; 0 for `dlib`. */
  readonly leafError: number;
  /** Mean distance between the points that the model gives for the training faces and those marked, as a fraction of the box. */
  readonly trainingError: number;
  /** Pictures and faces that were learned from, mirror images included. */
  readonly pictures: number;
  readonly faces: number;
  /** Faces that the detector did not find. */
  readonly undetected: number;
  /** Training alone, without reading the pictures. */
  readonly seconds: number;
  readonly resumed: boolean;
}

const SHAPE_OPTIONS = Object.keys(SHAPE_DEFAULTS);
const RUN_OPTIONS = ['output', 'format', 'checkpoint', 'threads', 'signal', 'onProgress'];
const DATA_OPTIONS = ['data', 'mirror', 'mirrorOrder', 'boxes'];

/**
 * Trains a landmark model on marked faces: V. Kazemi, J. Sullivan, "One Millisecond Face Alignment with an Ensemble of
 * Regression Trees", CVPR 2014, natively, on threads of its own. Deterministic by seed. All pictures are held in memory as
 * luma, cut to what their faces need.
 *
 * Rejects with `INVALID_ARGUMENT` (options; data, naming file and line; a checkpoint of other data), `IMAGE_…` (a picture cannot
 * be read; names the annotation's line), `ABORTED`, `OUT_OF_MEMORY`.
 */
export async function trainLandmarks(options: TrainLandmarksOptions): Promise<TrainedLandmarks> {
  const site = callSite(trainLandmarks);
  try {
    plainObject('options', options, [...DATA_OPTIONS, ...SHAPE_OPTIONS, ...RUN_OPTIONS]);
    const { data, mirror = false, mirrorOrder: given, boxes = 'given' } = options;
    if (typeof boxes !== 'function') oneOf('boxes', boxes, ['given', 'points']);
    boolean('mirror', mirror);
    checkShapeOptions(options);
    await checkRun(options);
    const dataset = typeof data === 'string' || isList(data) ? await readDataset(data) : data;
    const order = mirror ? mirrorOrder(dataset.names.length, given) : undefined;
    const addon = loadAddon();
    const executor = addon.createExecutor(options.threads ?? Math.max(1, addon.cpu().cores));
    try {
      const { set, undetected } = await gather(addon, executor, dataset, boxes, order, options);
      return { ...(await train(addon, executor, set, options)), undetected };
    } finally {
      await executor.close();
    }
  } catch (error) {
    throw wrapError(error, site);
  }
}

/** As {@link trainLandmarks}, on faces that are in memory already. */
export async function trainSamples(set: SampleSet, options: ShapeOptions & TrainingRun): Promise<TrainedLandmarks> {
  const site = callSite(trainSamples);
  try {
    plainObject('options', options, [...SHAPE_OPTIONS, ...RUN_OPTIONS]);
    await checkRun(options);
    const addon = loadAddon();
    const executor = addon.createExecutor(options.threads ?? Math.max(1, addon.cpu().cores));
    try {
      return { ...(await train(addon, executor, set, options)), undetected: 0 };
    } finally {
      await executor.close();
    }
  } catch (error) {
    throw wrapError(error, site);
  }
}

const isList = (data: readonly string[] | LandmarkDataset): data is readonly string[] => Array.isArray(data);

async function checkRun({ output, format, threads, signal }: TrainingRun): Promise<void> {
  nonEmptyString('output', output);
  if (format !== undefined) oneOf('format', format, ['compact', 'dlib']);
  if (threads !== undefined) positiveInteger('threads', threads, 1024);
  if (signal !== undefined) throwIfAborted(abortSignal('signal', signal));
  // Better said now than after an hour of training.
  const folder = path.dirname(path.resolve(output));
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw new LineamentError('INVALID_ARGUMENT', `nothing can be written to the folder ${folder}`, { cause });
  });
}

async function gather(
  addon: NativeAddon,
  executor: NativeExecutor,
  dataset: LandmarkDataset,
  boxes: BoxSource,
  order: readonly number[] | undefined,
  { signal, onProgress }: TrainingRun,
): Promise<{ set: SampleSet; undetected: number }> {
  const set = new SampleSet(dataset.names.length);
  const total = dataset.pictures.filter(({ faces }) => faces.length > 0).length;
  const begin = performance.now();
  let undetected = 0;
  let done = 0;
  for await (const { frame, faces } of loadPictures(dataset, boxes, signal)) {
    const kept = faces.flatMap(({ face, box }) => (box === undefined ? [] : [{ box, points: face.points }]));
    undetected += faces.length - kept.length;
    if (kept.length > 0) {
      const gray = await grayPicture(addon, executor, frame, signal);
      const cropped = cropToFaces(gray, kept);
      set.add(cropped.picture, cropped.faces, order);
    }
    done++;
    onProgress?.({ stage: 'pictures', done, total, resumed: false, ...left(done, total, begin) });
  }
  if (set.faces === 0) {
    const why = `${countFaces(dataset)} are marked, ${undetected} of them were not detected`;
    throw new LineamentError('INVALID_ARGUMENT', `there is no face to learn from: ${why}`);
  }
  return { set, undetected };
}

function left(done: number, total: number, begin: number): { secondsLeft?: number } {
  const seconds = (performance.now() - begin) / 1000;
  return done > 0 && seconds > 0.2 ? { secondsLeft: ((total - done) * seconds) / done } : {};
}

async function train(
  addon: NativeAddon,
  executor: NativeExecutor,
  set: SampleSet,
  options: ShapeOptions & TrainingRun,
): Promise<Omit<TrainedLandmarks, 'undetected'>> {
  const { output, format = 'compact', checkpoint, onProgress } = options;
  const shape = checkShapeOptions(options, checkpoint);
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  let failure: { readonly error: unknown } | undefined;
  const tell = (progress: TrainingProgress): void => {
    try {
      onProgress?.(progress);
    } catch (error) {
      // Thrown into native code it would lose its stack and its kind.
      failure ??= { error };
      stop.abort();
    }
  };
  // A checkpoint that does not fit is refused: where there is one, it is continued.
  const resumed = checkpoint !== undefined && (await isFile(checkpoint));
  const begin = performance.now();
  const report = progressReport(begin, resumed, tell);
  const packed = set.pack();
  let model: NativeShapeModel | undefined;
  try {
    model = await cancellable(addon, signal, (token) => addon.trainShapeModel(executor, packed, shape, report, token));
    const seconds = (performance.now() - begin) / 1000;
    const trained = model;
    const trainingError = await meanError(addon, executor, trained, packed, signal);
    await cancellable(addon, signal, (token) => trained.save(executor, output, format, token));
    return {
      output,
      format,
      ...(await describeFile(executor, output)),
      trainingError,
      pictures: set.pictures,
      faces: set.faces,
      seconds,
      resumed,
    };
  } catch (error) {
    throw failure === undefined ? error : failure.error;
  } finally {
    await model?.close();
  }
}

const isFile = (file: string): Promise<boolean> =>
  stat(file).then(
    (info) => info.isFile(),
    () => false,
  );

/** Native reports, which come about ten times a second and at the end, as progress with the time left. */
function progressReport(
  begin: number,
  resumed: boolean,
  tell: (progress: TrainingProgress) => void,
): (report: ShapeTrainingProgress) => void {
  let start: { readonly at: number; readonly done: number } | undefined;
  return ({ cascade, cascades, tree, trees, error }) => {
    const total = cascades * trees;
    const done = (cascade - 1) * trees + tree;
    const now = performance.now();
    // What came from a checkpoint took no time: the rate is that of what was grown since.
    start ??= resumed ? { at: now, done } : { at: begin, done: 0 };
    const grown = done - start.done;
    tell({
      stage: 'trees',
      done,
      total,
      cascades: { done: Math.floor(done / trees), total: cascades },
      error,
      resumed,
      ...(grown > 0 ? { secondsLeft: ((total - done) * (now - start.at)) / grown / 1000 } : {}),
    });
  };
}

/** Mean distance between the points that a model gives for the faces of a set and those marked, as a fraction of the box. */
async function meanError(
  addon: NativeAddon,
  executor: NativeExecutor,
  model: NativeShapeModel,
  { images, imageOf, boxes, points }: ShapeTrainingSet,
  signal: AbortSignal,
): Promise<number> {
  const facesOf = images.map((): number[] => []);
  for (const [face, image] of imageOf.entries()) facesOf[image]!.push(face);
  const values = model.points * 2;
  let sum = 0;
  let count = 0;
  for (const [i, faces] of facesOf.entries()) {
    const own = Float64Array.from(faces.flatMap((face) => [...boxes.subarray(face * 4, face * 4 + 4)]));
    const found = await cancellable(addon, signal, (token) => model.predict(executor, images[i]!, own, token));
    for (const [n, face] of faces.entries()) {
      const [width, height] = [own[n * 4 + 2]!, own[n * 4 + 3]!];
      for (let k = 0; k < values; k += 2) {
        const dx = (found[n * values + k]! - points[face * values + k]!) / width;
        const dy = (found[n * values + k + 1]! - points[face * values + k + 1]!) / height;
        if (Number.isNaN(dx + dy)) continue;
        sum += Math.hypot(dx, dy);
        count++;
      }
    }
  }
  return sum / count;
}

/** What a model file holds, as it is read back. */
export async function describeFile(
  executor: NativeExecutor,
  file: string,
): Promise<Pick<TrainedLandmarks, 'bytes' | 'points' | 'cascades' | 'trees' | 'depth' | 'features' | 'leafError'>> {
  await using model = await ShapePredictor.open(executor, file);
  const { points, cascades, trees, depth, features, leafError } = model.info;
  return { bytes: (await stat(file)).size, points, cascades, trees, depth, features, leafError };
}
