import { checkPictureInput, contractError } from '../models/contract.js';
import type { Network } from '../models/network.js';

/** Numbers in a row of each kind of output: score, distances of the four sides, offsets of five points. */
const SCORE = 1;
const DISTANCES = 4;
const OFFSETS = 10;
const STRIDES = 3;

/**
 * Key points that a SCRFD network gives for each face: 5 (centres of the eyes, tip of the nose, corners of the mouth; image-left first), or 0
 * for files that were made without. The outputs are known by their shapes, since the published files name them by numbers. Throws
 * `MODEL_CORRUPT` for a network that is none.
 */
export function scrfdKeypoints(network: Network): 0 | 5 {
  checkPictureInput(network);
  const { outputs } = network.session;
  const keypoints = outputs.length === 3 * STRIDES ? 5 : 0;
  const lasts = keypoints === 5 ? [SCORE, DISTANCES, OFFSETS] : [SCORE, DISTANCES];
  const dimension = outputs.map(({ shape }) => shape.at(-1) ?? 0);
  // A free last dimension can be any of them: the decoder tells when the sizes are known.
  const free = dimension.filter((n) => n < 0).length;
  const lacking = lasts.reduce(
    (sum, last) => sum + Math.max(0, STRIDES - dimension.filter((n) => n === last).length),
    0,
  );
  const right =
    outputs.length === STRIDES * lasts.length && outputs.every(({ type }) => type === 'float32') && lacking === free;
  if (!right) {
    throw contractError(
      network,
      'nine float32 outputs: scores [n, 1], distances [n, 4] and key points [n, 10] for strides 8, 16 and 32 (or six, without key points)',
      outputs,
    );
  }
  return keypoints;
}
