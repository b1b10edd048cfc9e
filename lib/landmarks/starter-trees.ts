import { join } from 'node:path';
import { LineamentError } from '../errors.js';
import { openPack } from '../models/pack.js';
import { type Compute, ShapePredictor } from './shape-predictor.js';

/** File of the trees in a folder of models. */
export const STARTER_TREES = 'landmarks68.lmk';

/**
 * The regression trees of the starter pack: 68 points in a third of a millisecond and 7 MB, without ONNX Runtime. Trained, when
 * the pack is built, on faces of the npm packages' photographs that the landmark network marked: far less exact than the
 * network (median error 4 % of the distance of the outer eye corners, one face in five wholly wrong; the network 2 %, none), and lost
 * on profiles. For tracking between detections and for small machines; train your own on your own photographs for more.
 *
 * Boxes are the detector's made square: `predict(frame, boxes.map((box) => squareBox(box)))`. `models` is the folder of the
 * models; the starter pack when absent. Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`.
 */
export async function openStarterTrees(compute: Compute, models?: string): Promise<ShapePredictor> {
  const { folder } = await openPack(models);
  return ShapePredictor.open(compute, join(folder, STARTER_TREES)).catch((cause: unknown) => {
    if (!(cause instanceof LineamentError) || cause.code !== 'MODEL_NOT_FOUND') throw cause;
    throw new LineamentError('MODEL_NOT_FOUND', `there is no ${STARTER_TREES} in ${folder}`, {
      cause,
      fix: "Run 'npm run setup' in a checkout, or reinstall '@lineament/starter-pack'.",
    });
  });
}
