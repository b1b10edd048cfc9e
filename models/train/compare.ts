/**
 * How good the starter pack's landmark trees are on faces that they did not learn from, beside the network that marked their
 * faces and, where its file is given, dlib's model. Prints JSON. `npm run bench -- starter-trees` calls it.
 *
 *   npx tsx models/train/compare.ts FOLDER [DLIB_MODEL]
 *
 * Faces of the folder's photographs are labelled as the recipe does (the mean of eighteen looks of the network, which favours the
 * network and the trees); persons whom the photographs of the build show as well are left out. dlib's model was made for other boxes:
 * it gets, of those tried, the place and size about the detector's box at which its median error is least.
 */
import { statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { squareBox } from '../../lib/image/geometry.js';
import { STARTER_TREES } from '../../lib/landmarks/starter-trees.js';
import { openPack } from '../../lib/models/pack.js';
import {
  evaluateLandmarks,
  type LandmarkEvaluation,
  type LandmarkPredictor,
  openNetworkPredictor,
  openShapePredictor,
} from '../../lib/training/index.js';
import type { Box } from '../../lib/types.js';
import { defaultPhotographs } from './photographs.js';
import { asDataset, labelAll, personsApart } from './steps.js';

/** Places of dlib's box that are tried: how far below the middle of the detector's, and how large, in its sides. */
const SHIFTS = [0, 0.06, 0.12, 0.18];
const SCALES = [0.8, 0.9, 1, 1.1];

function withBoxes(predictor: LandmarkPredictor, place: (box: Box) => Box): LandmarkPredictor {
  return {
    name: predictor.name,
    points: predictor.points,
    predict: (frame, boxes, signal) => predictor.predict(frame, boxes.map(place), signal),
    close: () => predictor.close(),
    [Symbol.asyncDispose]: () => predictor.close(),
  };
}

async function main([folder, dlib]: readonly string[]): Promise<void> {
  if (folder === undefined) throw new Error('npx tsx models/train/compare.ts FOLDER [DLIB_MODEL]');
  // What labelling says goes to the terminal; the result alone to standard output.
  console.log = console.error;
  const settings = { quick: false, identify: true, holdOut: 0, seed: '1', threads: availableParallelism() };
  const seen = await labelAll({ ...settings, ...defaultPhotographs(true) });
  const found = await labelAll({ ...settings, photographs: [folder], montages: [] });
  const strangers = await personsApart(found.train, seen.train);
  const data = asDataset(strangers);

  const results: Record<string, LandmarkEvaluation> = {};
  const measure = async (name: string, predictor: LandmarkPredictor): Promise<void> => {
    results[name] = await evaluateLandmarks({ predictor, data });
  };
  const trees = path.join((await openPack()).folder, STARTER_TREES);
  await using once = await openShapePredictor(trees, { square: true });
  await measure('trees', once);
  await using robust = await openShapePredictor(trees, { square: true, robust: true });
  await measure('trees-robust', robust);
  await using network = await openNetworkPredictor();
  await measure('network', network);
  if (dlib !== undefined) {
    await using theirs = await openShapePredictor(dlib);
    for (const shift of SHIFTS) {
      for (const scale of SCALES) {
        const place = (box: Box): Box => {
          const [x, y, side] = squareBox(box, scale);
          return [x, y + (shift * side) / scale, side, side];
        };
        const e = await evaluateLandmarks({ predictor: withBoxes(theirs, place), data });
        if (results['dlib'] === undefined || e.median < results['dlib'].median) results['dlib'] = e;
      }
    }
  }
  const measures = Object.fromEntries(
    Object.entries(results).map(([name, { faces, mean, median, auc, failureRate }]) => [
      name,
      { faces, mean, median, auc, failureRate },
    ]),
  );
  process.stdout.write(`${JSON.stringify({ bytes: statSync(trees).size, measures })}\n`);
}

await main(process.argv.slice(2));
