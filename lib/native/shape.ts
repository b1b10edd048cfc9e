import type { NativeExecutor, NativeToken, PixelView } from './addon.js';

/**
 * A cascade of regression trees that moves a mean shape onto a face: V. Kazemi, J. Sullivan, "One Millisecond Face Alignment
 * with an Ensemble of Regression Trees", CVPR 2014, as dlib's `shape_predictor` holds it.
 */
export interface NativeShapeModel {
  /** Landmarks of a face. */
  readonly points: number;
  readonly cascades: number;
  /** Trees in a cascade. */
  readonly trees: number;
  /** Splits from the root of a tree to a leaf. */
  readonly depth: number;
  /** Pixels that a cascade looks at. */
  readonly features: number;
  /** `dlib` (its serialised `shape_predictor`), `compact` (ours, memory-mapped), `memory` (just trained). */
  readonly format: 'dlib' | 'compact' | 'memory';
  /** Bytes held in memory or mapped. */
  readonly bytes: number;
  /** Bound on what rounding the leaves moves a point by, as a fraction of the box's longer side; 0 for `dlib` and `memory`. */
  readonly leafError: number;
  /**
   * `boxes`: n × [x, y, w, h] in pixels. Gives n × `points` × [x, y]. Luma is used. Boxes may lie off the picture, whose outside
   * is black; a side that is not above zero, or a number that is not finite, is `INVALID_ARGUMENT`. Faces spread over the
   * executor's threads; the token is polled between cascades.
   */
  predict(executor: NativeExecutor, source: PixelView, boxes: Float64Array, token?: NativeToken): Promise<Float64Array>;
  /** Writes atomically (temporary file + rename). */
  save(executor: NativeExecutor, path: string, format: 'compact' | 'dlib', token?: NativeToken): Promise<void>;
  /** Later calls reject with `CLOSED`. Idempotent. */
  close(): Promise<void>;
}

/** Faces with known points. */
export interface ShapeTrainingSet {
  readonly images: readonly PixelView[];
  /** n: image of each face. */
  readonly imageOf: Uint32Array;
  /** n × [x, y, w, h] in pixels. */
  readonly boxes: Float64Array;
  /** n × P × [x, y]; NaN where a point is not annotated. */
  readonly points: Float64Array;
}

/** Names and defaults as in dlib's `shape_predictor_trainer`. */
export interface ShapeTrainingOptions {
  readonly cascadeDepth: number;
  readonly treeDepth: number;
  readonly treesPerCascade: number;
  readonly nu: number;
  readonly oversampling: number;
  readonly oversamplingTranslationJitter: number;
  readonly featurePoolSize: number;
  readonly lambda: number;
  readonly testSplits: number;
  readonly featurePoolRegionPadding: number;
  readonly paddingMode: 'landmark' | 'box';
  readonly seed: string;
  /** File that is written after each cascade and continued from when it fits the data and options. */
  readonly checkpoint?: string;
}

export interface ShapeTrainingProgress {
  readonly cascade: number;
  readonly cascades: number;
  readonly tree: number;
  readonly trees: number;
  /** Mean training error so far, as a fraction of the box. */
  readonly error: number;
  readonly resumed: boolean;
}

/** What the addon exports for shape models. */
export interface NativeShapes {
  /**
   * Opens a dlib or a compact file, told apart by their first bytes. `MODEL_CORRUPT` where it is neither, is damaged or
   * cannot be read.
   */
  openShapeModel(executor: NativeExecutor, path: string, token?: NativeToken): Promise<NativeShapeModel>;
  /**
   * Learns a model from faces with known points (see {@link NativeShapeModel} for the paper); its `format` is `memory`. Luma is
   * used, boxes may lie off their pictures but have sides above one pixel, coordinates that are NaN do not count. The arrays of
   * `set` are read while training runs: leave them alone until the promise settles.
   *
   * Training occupies one thread of `executor` and starts more of its own, until it has as many as the executor; the
   * executor's other threads stay free for other work. The model is the same, bit for bit, whatever the number of threads and
   * the SIMD level. Deterministic by `seed`.
   *
   * `onProgress` is called on the calling thread's event loop, in order, about ten times a second and once at the end
   * (`tree` = `trees` in the last cascade); where the loop is busy reports between are left out. The last comes before the
   * promise resolves, none after it has settled. What it throws ends training with `INVALID_ARGUMENT`, whose message holds it.
   *
   * With `checkpoint` the model so far is written there at once and after each cascade, atomically. A file that is there already
   * and fits data and options (all but `cascadeDepth`) is continued, to the model that an undisturbed run gives; it stays when
   * training ends or is stopped.
   *
   * Rejects with `INVALID_ARGUMENT` (data, options, a checkpoint of other data or options, one that cannot be written),
   * `MODEL_CORRUPT` (a damaged checkpoint; it is not overwritten), `ABORTED` (the token is polled for each tree),
   * `OUT_OF_MEMORY`, `CLOSED` (the executor). Throws `INVALID_ARGUMENT` where a type is wrong.
   */
  trainShapeModel(
    executor: NativeExecutor,
    set: ShapeTrainingSet,
    options: ShapeTrainingOptions,
    onProgress: (p: ShapeTrainingProgress) => void,
    token?: NativeToken,
  ): Promise<NativeShapeModel>;
}
