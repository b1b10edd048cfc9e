import type { Point, Pose } from '../types.js';
import { checkLandmarks } from './check.js';
import { apply, transpose } from './linear.js';
import { anglesOf, fitOrthographic } from './pose.js';

/** The 68 points as a camera straight ahead would see them. */
export interface FrontalLandmarks {
  /**
   * Centimetres on the scale of the mean head: x to the picture's right, y down, from the centre of the head's points. A
   * person's own centimetres are not known from one picture; only proportions mean something.
   */
  readonly points: readonly Point[];
  /** The orientation that was taken out. */
  readonly pose: Pose;
}

/**
 * Takes the head's orientation out of 68 landmarks. Scaled orthography gives the orientation; each landmark then keeps what
 * the picture says of it, takes the one thing that the picture does not say, its depth, from the mean head, and is turned
 * back. By how much a person differs from the mean head along the line of sight is thus not seen: with the head turned by θ, a
 * deviation across the face is kept by cos² θ, and one in depth (a longer nose) shows across the face by sin θ cos θ. Below 20°
 * that hardly matters; beyond 45° the result says more of the mean head than of the person.
 *
 * Turning, scaling or moving the landmarks in the picture changes nothing but rounding. Absent when the points do not span a
 * face; `INVALID_ARGUMENT` for other than 68 finite points. Pure function.
 */
export function frontalize(landmarks: readonly Point[]): FrontalLandmarks | undefined {
  const fit = fitOrthographic(checkLandmarks('landmarks', landmarks));
  if (fit === undefined) return undefined;
  const { rotation, scale, centre, model } = fit;
  const back = transpose(rotation);
  const points = landmarks.map(([x, y], i): Point => {
    const depth = apply(rotation, model[i]!)[2];
    const [u, v] = apply(back, [(x - centre[0]) / scale, (centre[1] - y) / scale, depth]);
    return [u, -v];
  });
  return { points, pose: anglesOf(rotation) };
}
