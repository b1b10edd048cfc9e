import { access } from 'node:fs/promises';
import { invalid, nonEmptyString, oneOf } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import { Lifetime } from '../inference/lifetime.js';
import type { NativeAddon, NativeExecutor, NativeShapeModel } from '../native/addon.js';
import { loadAddon } from '../native/index.js';
import type { Box, Frame, Point } from '../types.js';

/** Threads to compute on: a `Runtime`, or an executor of the addon. */
export type Compute = NativeExecutor | { readonly addon: NativeAddon; readonly executor: NativeExecutor };

/** `dlib`: its serialised `shape_predictor`. `compact`: ours, memory-mapped, leaves rounded to 16 bits. */
export const SHAPE_FORMATS = ['compact', 'dlib'] as const;
export type ShapeFormat = (typeof SHAPE_FORMATS)[number];

/** Facts about a shape model. */
export interface ShapeModelInfo {
  /** Landmarks of a face. */
  readonly points: number;
  readonly cascades: number;
  /** Trees in a cascade. */
  readonly trees: number;
  /** Splits from the root of a tree to a leaf. */
  readonly depth: number;
  /** Pixels that a cascade looks at. */
  readonly features: number;
  /** `memory`: just trained. */
  readonly format: ShapeFormat | 'memory';
  /** Bytes held in memory or mapped. */
  readonly bytes: number;
  /**
   * What rounding the leaves moves a point by at most, as a fraction of the box's longer side, for the same leaves (a point on
   * the edge of a pixel may then see another pixel); 0 for `dlib` and `memory`.
   */
  readonly leafError: number;
}

interface Abortable {
  readonly signal?: AbortSignal;
}

/** No box may reach further than this, in pixels. */
const MOST = 1e9;

/**
 * Landmarks by an ensemble of regression trees: V. Kazemi, J. Sullivan, "One Millisecond Face Alignment with an Ensemble of
 * Regression Trees", CVPR 2014. Reads dlib's `shape_predictor` files unchanged and gives dlib's points, before dlib rounds
 * them to whole pixels, in our frame (where the centre of a pixel is at .5). Calls may overlap; usable from worker threads, not
 * to be passed between them.
 */
export class ShapePredictor implements AsyncDisposable {
  readonly info: ShapeModelInfo;
  readonly #addon: NativeAddon;
  readonly #executor: NativeExecutor;
  readonly #native: NativeShapeModel;
  readonly #lifetime = new Lifetime('shape predictor');

  /** Takes a native model over: what was just trained. Files are opened with {@link ShapePredictor.open}. */
  constructor(compute: Compute, native: NativeShapeModel) {
    const { points, cascades, trees, depth, features, format, bytes, leafError } = native;
    this.info = { points, cascades, trees, depth, features, format, bytes, leafError };
    ({ addon: this.#addon, executor: this.#executor } = computeOf(compute));
    this.#native = native;
  }

  /**
   * Opens a file of either format, told apart by its first bytes. A compact file stays mapped and opens in milliseconds; a dlib
   * file is read into memory. The file may be replaced by renaming while it is open, but not be cut short. Rejects with
   * `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `ABORTED`, `OUT_OF_MEMORY`.
   */
  static async open(compute: Compute, path: string, { signal }: Abortable = {}): Promise<ShapePredictor> {
    nonEmptyString('path', path);
    if (path.includes('\0')) throw invalid('path', 'path of a file', path);
    const { addon, executor } = computeOf(compute);
    await access(path).catch((cause: unknown) => {
      throw new LineamentError('MODEL_NOT_FOUND', `${path} does not exist or may not be read`, { cause });
    });
    const native = await cancellable(addon, signal, (token) => addon.openShapeModel(executor, path, token));
    return new ShapePredictor({ addon, executor }, native);
  }

  /** Reads one file and writes another, atomically. Gives facts about what was written. Rejects as `open` and `save` do. */
  static async convert(
    compute: Compute,
    from: string,
    to: string,
    format: ShapeFormat,
    options: Abortable = {},
  ): Promise<ShapeModelInfo> {
    oneOf('format', format, SHAPE_FORMATS);
    const source = await ShapePredictor.open(compute, from, options);
    await source.save(to, format, options).finally(() => source.close());
    const written = await ShapePredictor.open(compute, to, options);
    await written.close();
    return written.info;
  }

  /**
   * `info.points` points for each box, in pixels of the frame, in the order of the boxes. The luma of the frame is looked at
   * (Rec. 601; dlib takes the mean of red, green and blue instead: give it and this a gray frame to compare them). The box is
   * what the model was trained with: for dlib's 68 points that of dlib's face detector, brows to chin. Boxes may reach beyond
   * the frame, whose outside is black. Faces spread over the threads; between cascades the signal is looked at.
   *
   * Rejects with `INVALID_ARGUMENT` (a number that is not finite, a side that is not above zero), `ABORTED`, `CLOSED`.
   */
  predict(frame: Frame, boxes: readonly Box[], { signal }: Abortable = {}): Promise<Point[][]> {
    return this.#lifetime.use(async () => {
      const packed = packBoxes(boxes);
      if (boxes.length === 0) return [];
      const values = await cancellable(this.#addon, signal, (token) =>
        this.#native.predict(this.#executor, frame, packed, token),
      );
      const { points } = this.info;
      return boxes.map((_, face) =>
        Array.from({ length: points }, (_point, i): Point => {
          const at = 2 * (face * points + i);
          return [values[at]!, values[at + 1]!];
        }),
      );
    });
  }

  /**
   * Writes the model, atomically: a temporary file beside `path` is renamed when it is whole. `compact` rounds the leaves
   * (see `ShapeModelInfo.leafError` of the written file). Rejects with `INVALID_ARGUMENT` (the path cannot be written),
   * `ABORTED`, `CLOSED`.
   */
  save(path: string, format: ShapeFormat, { signal }: Abortable = {}): Promise<void> {
    return this.#lifetime.use(async () => {
      nonEmptyString('path', path);
      if (path.includes('\0')) throw invalid('path', 'path of a file', path);
      oneOf('format', format, SHAPE_FORMATS);
      await cancellable(this.#addon, signal, (token) => this.#native.save(this.#executor, path, format, token));
    });
  }

  /** Waits for calls that run, then frees the model. Idempotent. */
  close(): Promise<void> {
    return this.#lifetime.close(() => this.#native.close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function computeOf(compute: Compute): { addon: NativeAddon; executor: NativeExecutor } {
  if (typeof compute !== 'object' || compute === null) throw invalid('compute', 'Runtime or executor', compute);
  return 'executor' in compute
    ? { addon: compute.addon, executor: compute.executor }
    : { addon: loadAddon(), executor: compute };
}

function packBoxes(boxes: readonly Box[]): Float64Array {
  if (!Array.isArray(boxes)) throw invalid('boxes', 'array of boxes', boxes);
  const packed = new Float64Array(boxes.length * 4);
  for (const [i, box] of boxes.entries()) {
    const good = Array.isArray(box) && box.length === 4 && box.every((v) => Math.abs(v as number) <= MOST);
    if (!good) throw invalid(`boxes[${i}]`, 'four finite numbers [x, y, width, height]', box);
    if (!(box[2] > 0 && box[3] > 0)) throw invalid(`boxes[${i}]`, 'width and height above zero', box);
    packed.set(box, 4 * i);
  }
  return packed;
}
