/** The points of InsightFace's landmark networks, and which of them the 68 are. */
import { meanOf } from '../image/geometry.js';
import type { Point } from '../types.js';

/** Points of `2d106det`. */
export const POINTS_106 = 106;

/** Values of `1k3d68` for a face: x, y and z of 1035 points of the surface and then of the 68 (jaw as the contour in space, like 300W-LP). */
export const VALUES_3D68 = 3 * (1035 + 68);

/**
 * Which of the 106 points of InsightFace's `2d106det` make each of the 68: the one that stands there, or the two that it lies between. InsightFace
 * publishes the markup as a picture only (`2d106markup.jpg`); the numbers are those of https://stackoverflow.com/a/67174339, which most projects
 * take that draw 68 points with this network. Each half of the face is the other one's mirror image. Not checked against the network itself here.
 *
 * Around an eye there are eight points where the 68 have six: three on each lid, a quarter of the way along it from each other. The two of the 68
 * are the middles between them, as in DeepFaceLive (`lmrks_106_to_68_mean_pairs` in `FLandmarks2D.py`), so that eyes look as open as they are; the
 * outer ones alone, as in the list above, would make them look a sixth less open.
 */
// biome-ignore format: by parts of the face
export const FROM_106: readonly (number | readonly [number, number])[] = [
  // jaw: every other point of the 33
  1, 10, 12, 14, 16, 3, 5, 7, 0, 23, 21, 19, 32, 30, 28, 26, 17,
  // upper edges of the brows
  43, 48, 49, 51, 50, 102, 103, 104, 105, 101,
  // bridge and tip of the nose, nostrils
  72, 73, 74, 86, 78, 79, 80, 85, 84,
  // eyes: corner, upper lid, corner, lower lid
  35, [41, 40], [40, 42], 39, [37, 33], [33, 36], 89, [95, 94], [94, 96], 93, [91, 87], [87, 90],
  // outer lips
  52, 64, 63, 71, 67, 68, 61, 58, 59, 53, 56, 55,
  // inner lips
  65, 66, 62, 70, 69, 57, 60, 54,
];

/** The 68 points out of the 106. */
export function from106(points: readonly Point[]): Point[] {
  return FROM_106.map((from) => (typeof from === 'number' ? points[from]! : meanOf(points, from)));
}
