import { PRESETS } from '../engine/presets.js';
import { positiveInteger } from '../errors/validate.js';
import { wrapError } from '../errors.js';
import { squareBox } from '../image/geometry.js';
import { Runtime } from '../inference/runtime.js';
import { LANDMARKERS, locateLandmarks } from '../landmarks/locate.js';
import { POINT_COUNT } from '../landmarks/points.js';
import { ShapePredictor } from '../landmarks/shape-predictor.js';
import { Networks } from '../models/network.js';
import { openPack } from '../models/pack.js';
import { loadAddon } from '../native/index.js';
import type { Box, Frame, Point } from '../types.js';

/** Whatever finds the points of faces whose boxes are known. */
export interface LandmarkPredictor extends AsyncDisposable {
  readonly name: string;
  /** Points of a face. */
  readonly points: number;
  /** One list of points for each box, in pixels of the picture. */
  predict(frame: Frame, boxes: readonly Box[], signal?: AbortSignal): Promise<Point[][]>;
  close(): Promise<void>;
}

export interface PredictorOptions {
  /** Compute threads; all that the process may use when absent. */
  readonly threads?: number;
  /**
   * Boxes are made square about their middle, with the longer side as theirs, before the model sees them; false. For models that
   * were trained on such boxes, as the recipe for the package's own does.
   */
  readonly square?: boolean;
  /**
   * Take, coordinate by coordinate, the median of seven predictions, from the box itself and from boxes a little aside, larger and
   * smaller: fewer faces go wholly wrong, for seven times the work; false. Shape models only.
   */
  readonly robust?: boolean;
}

/** The boxes that a robust prediction starts from: shifts in sides, and sizes. */
const LOOKS: readonly (readonly [dx: number, dy: number, scale: number])[] = [
  [0, 0, 1],
  [0.04, 0, 1],
  [-0.04, 0, 1],
  [0, 0.04, 1],
  [0, -0.04, 1],
  [0, 0, 1.07],
  [0, 0, 0.93],
];

/** A model file, dlib's or compact. Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `INVALID_ARGUMENT`. */
export async function openShapePredictor(file: string, options: PredictorOptions = {}): Promise<LandmarkPredictor> {
  const { threads, square = false, robust = false } = options;
  const addon = loadAddon();
  const executor = addon.createExecutor(threadCount(threads, addon.cpu().cores));
  try {
    const model = await ShapePredictor.open(executor, file);
    const close = async (): Promise<void> => {
      await model.close();
      await executor.close();
    };
    return {
      name: file,
      points: model.info.points,
      async predict(frame, boxes, signal) {
        const used = square ? boxes.map((box) => squareBox(box)) : boxes;
        const looked = robust ? used.flatMap(looksOf) : used;
        const found = await model.predict(frame, looked, signal === undefined ? {} : { signal });
        return robust ? boxes.map((_, n) => medianOf(found.slice(n * LOOKS.length, (n + 1) * LOOKS.length))) : found;
      },
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await executor.close();
    throw wrapError(error);
  }
}

const looksOf = ([x, y, w, h]: Box): Box[] =>
  LOOKS.map(
    ([dx, dy, scale]): Box => [x + (dx + (1 - scale) / 2) * w, y + (dy + (1 - scale) / 2) * h, w * scale, h * scale],
  );

function medianOf(looks: readonly (readonly Point[])[]): Point[] {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1]!;
  const [first = []] = looks;
  return first.map((_, i): Point => [median(looks.map((p) => p[i]![0])), median(looks.map((p) => p[i]![1]))]);
}

/** The landmark network of the starter pack with its refinement, as the presets use it. Rejects as `openEngine` does. */
export async function openNetworkPredictor(options: PredictorOptions = {}): Promise<LandmarkPredictor> {
  const plan = PRESETS.balanced.landmarks;
  const cores = loadAddon().cpu().cores;
  const runtime = await Runtime.open({ threads: threadCount(options.threads, cores) });
  try {
    const networks = new Networks(runtime, await openPack());
    await networks.get(LANDMARKERS[plan.network]);
    const close = (): Promise<void> => runtime.close();
    return {
      name: LANDMARKERS[plan.network],
      points: POINT_COUNT,
      predict: (frame, boxes, signal) =>
        locateLandmarks(networks, frame, boxes, PRESETS.balanced.detection.faceScale, plan, signal),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await runtime.close();
    throw wrapError(error);
  }
}

const threadCount = (threads: number | undefined, cores: number): number =>
  threads === undefined ? Math.max(1, cores) : positiveInteger('threads', threads, 1024);
