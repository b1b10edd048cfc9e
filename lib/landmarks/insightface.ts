/** The points of InsightFace's landmark networks, and which of them the 68 are. */
import type { Point } from '../types.js';

/** Points of `2d106det`. */
export const POINTS_106 = 106;

/** Values of `1k3d68` for a face: x, y and z of 1035 points of the surface and then of the 68 (jaw as the contour in space, like 300W-LP). */
export const VALUES_3D68 = 3 * (1035 + 68);

/**
 * Which of the 106 points of InsightFace's `2d106det` stands at each of the 68. InsightFace publishes the markup as a picture only; these are the
 * indices that projects which draw 68 points with this network agree on (DeepFaceLive, Rope, and others after them), and they are consistent
 * within themselves: each half of the face is the other one's mirror image. Not checked against the network itself here. Of its eight points
 * around an eye, those beside the corners stand for the four of the lids: they lie a quarter of the way along the lid where those of the 68 lie a
 * third, so that eye aspect ratios come out somewhat smaller.
 */
// biome-ignore format: by parts of the face
export const FROM_106: readonly number[] = [
  // jaw: every other point of the 33
  1, 10, 12, 14, 16, 3, 5, 7, 0, 23, 21, 19, 32, 30, 28, 26, 17,
  // upper edges of the brows
  43, 48, 49, 51, 50, 102, 103, 104, 105, 101,
  // bridge and tip of the nose, nostrils
  72, 73, 74, 86, 78, 79, 80, 85, 84,
  // eyes
  35, 41, 42, 39, 37, 36, 89, 95, 96, 93, 91, 90,
  // outer lips
  52, 64, 63, 71, 67, 68, 61, 58, 59, 53, 56, 55,
  // inner lips
  65, 66, 62, 70, 69, 57, 60, 54,
];

/** The 68 points out of the 106. */
export function from106(points: readonly Point[]): Point[] {
  return FROM_106.map((i) => points[i]!);
}
