import { PRESETS } from '../engine/presets.js';
import { positiveInteger } from '../errors/validate.js';
import { wrapError } from '../errors.js';
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
}

/** A square about the middle of a box, as long as its longer side times `scale`. */
export function squareBox([x, y, w, h]: Box, scale = 1): Box {
  const side = Math.max(w, h) * scale;
  return [x + (w - side) / 2, y + (h - side) / 2, side, side];
}

/** A model file, dlib's or compact. Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`, `INVALID_ARGUMENT`. */
export async function openShapePredictor(file: string, options: PredictorOptions = {}): Promise<LandmarkPredictor> {
  const { threads, square = false } = options;
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
      predict: (frame, boxes, signal) =>
        model.predict(
          frame,
          square ? boxes.map((box) => squareBox(box)) : boxes,
          signal === undefined ? {} : { signal },
        ),
      close,
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await executor.close();
    throw wrapError(error);
  }
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
