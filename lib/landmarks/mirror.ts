import type { Point } from '../types.js';

/**
 * The partner of each of the 68 points on the other half of the face; points on the midline are their own. `MIRROR[MIRROR[i]]`
 * is `i`. Order of the points: Sagonas et al., "300 Faces in-the-Wild Challenge", ICCV workshops 2013.
 */
export const MIRROR: readonly number[] = [
  // jaw
  16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0,
  // brows
  26, 25, 24, 23, 22, 21, 20, 19, 18, 17,
  // bridge of the nose, nostrils
  27, 28, 29, 30, 35, 34, 33, 32, 31,
  // eyes
  45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40,
  // outer lips
  54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55,
  // inner lips
  64, 63, 62, 61, 60, 67, 66, 65,
];

/**
 * The 68 landmarks of the mirrored picture: x becomes `width` − x, and each point goes to its partner's place, so that the
 * order stays that of the 300-W annotation. `width` is that of the picture in pixels; 0 mirrors about the line x = 0, without
 * rounding. Pure function.
 */
export function mirrorLandmarks(landmarks: readonly Point[], width: number): Point[] {
  return landmarks.map((_, i): Point => {
    const [x, y] = landmarks[MIRROR[i]!]!;
    return [width - x, y];
  });
}
