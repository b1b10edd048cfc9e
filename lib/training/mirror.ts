import { invalid } from '../errors/validate.js';
import { MIRROR } from '../landmarks/mirror.js';
import type { Box, Point } from '../types.js';

/**
 * The permutation to mirror `count` points by: point i of a mirrored face is point order[i] of the face. The one given, or that
 * of the 68 points. Throws `INVALID_ARGUMENT` when there
 * is none, and when what is given does not exchange points in pairs.
 */
export function mirrorOrder(count: number, given?: readonly number[]): readonly number[] {
  const order = given ?? (count === MIRROR.length ? MIRROR : undefined);
  if (order === undefined) {
    throw invalid('mirrorOrder', `list of ${count} indices (only 68 points have one of their own)`, order);
  }
  if (order.length !== count || !order.every((to, i) => order[to] === i)) {
    throw invalid('mirrorOrder', `list of ${count} indices that exchanges points in pairs`, order);
  }
  return order;
}

/** A point in the mirror image of a picture of this width. */
export function mirrorPoint([x, y]: Point, width: number): Point {
  return [width - x, y];
}

export function mirrorBox([x, y, w, h]: Box, width: number): Box {
  return [width - x - w, y, w, h];
}

/** The rows of a gray picture turned round. */
export function mirrorGray(data: Uint8Array, width: number, height: number): Uint8Array {
  const mirrored = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    mirrored.set(data.subarray(y * width, (y + 1) * width), y * width);
    mirrored.subarray(y * width, (y + 1) * width).reverse();
  }
  return mirrored;
}
