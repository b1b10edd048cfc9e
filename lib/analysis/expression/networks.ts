/** Human's emotion network: seven classes from 64 × 64 grey pixels. */

import { fromUnit } from '../../image/geometry.js';
import { checkLandmarks } from '../../landmarks/check.js';
import { uprightRegion } from '../../landmarks/locate.js';
import type { Networks } from '../../models/network.js';
import { EXPRESSIONS, type ExpressionLabel, type Frame, type Point } from '../../types.js';
import { EMOTION_NETWORK } from './emotion-network.js';
import type { ExpressionProbabilities } from './emotions.js';

/** The network's classes in the order of its output, by the names that are used here. */
const CLASSES: readonly ExpressionLabel[] = ['angry', 'disgusted', 'fearful', 'happy', 'sad', 'surprised', 'neutral'];

/** Side of the crop over the longer extent of the 68 points along the turned axes: the network wants a tight square. */
const CROP = 1.05;

/**
 * Probabilities of seven expressions for each face, by human's emotion network (oarriaga/face_classification, trained on
 * FER-2013 according to its author). It names what a face shows, and is often wrong on faces that are not posed; fuse it with
 * face-api's network by `readExpression`. All faces run as batches; the picture is read in the addon.
 *
 * @param frame the upright picture
 * @param faces 68 points in pixels for each face
 * @returns one record for each face, in order
 * @throws LineamentError INVALID_ARGUMENT for anything but 68 finite points; rejects with `MODEL_NOT_FOUND` where the pack
 * lacks the network, `ABORTED`, `CLOSED`
 */
export async function readEmotions(
  networks: Networks,
  frame: Frame,
  faces: readonly (readonly Point[])[],
  signal?: AbortSignal,
): Promise<ExpressionProbabilities[]> {
  const points = faces.map((face, i) => checkLandmarks(`faces[${i}]`, face));
  if (points.length === 0) return [];
  const network = await networks.get(EMOTION_NETWORK);
  const { width, height } = network.card.input;
  const regions = points.map((face) => fromUnit(uprightRegion(face, CROP, 1), width, height));
  const values = await network.output(frame, regions, 'probabilities', { signal });
  return points.map((_, face) => {
    const all = {} as Record<ExpressionLabel, number>;
    for (const label of EXPRESSIONS) all[label] = values[face * CLASSES.length + CLASSES.indexOf(label)]!;
    return all;
  });
}
