import { invalid } from '../errors/validate.js';
import type { CameraIntrinsics } from '../landmarks/camera.js';
import { FACE_MESH_IRISES, FACE_MESH_POINTS } from '../landmarks/dense-mesh.js';
import { MEAN_HEAD } from '../landmarks/head.js';
import type { Vector } from '../landmarks/linear.js';
import { checkIntrinsics } from './depth-check.js';
import type { DepthScale } from './types.js';

/**
 * Millimetres across the visible iris of an adult: F. Rüfer, A. Schröder, C. Erb, "White-to-white corneal diameter", Cornea 24(3),
 * 2005 (11.71 ± 0.42 mm); children reach it in their second year.
 */
export const IRIS_DIAMETER = 11.7;

/** Millimetres between the outer corners of the eyes of the mean head (`MEAN_HEAD`, points 36 and 45). */
export const OUTER_EYE_CORNERS = 10 * (MEAN_HEAD[45]![0] - MEAN_HEAD[36]![0]);

/** How large a face is, and what says so. */
export interface FaceScale extends DepthScale {
  readonly source: 'iris' | 'inter-ocular';
  /** Millimetres for a pixel where the mesh's z is 0. */
  readonly millimetresPerPixel: number;
  /** What each iris says, of the eye on the picture's left and on its right; absent where it does not count. */
  readonly irises: { readonly left?: number; readonly right?: number };
  /** What the distance of the outer corners of the eyes says. */
  readonly interOcular: number;
  /** Millimetres between the middles of the irises, by `millimetresPerPixel`. */
  readonly interPupillary: number;
}

/** Across, in pixels: with less, the network's rounding is a tenth of it. */
const LEAST_IRIS = 6;
/** Opening of the lids over the iris: with less, too much of the iris is guessed. */
const LEAST_OPENING = 0.45;
/** The smaller iris over the larger one: those of a person hardly differ. */
const LEAST_AGREEMENT = 0.8;
/** Iris over inter-ocular scale: the pupils of adults are 54 to 75 mm apart (N. Dodgson, Proc. SPIE 5291, 2004: 63 ± 3.6 mm). */
const PLAUSIBLE = [0.86, 1.2] as const;
/** Sine of the angle that the eyes are turned by, some 37°, beyond which the nearer iris counts alone. */
const TURNED = 0.6;

/** Corners, upper and lower lid of the eye, and its iris, by points of the mesh. */
const EYES = {
  left: { outer: 33, upper: 159, lower: 145, iris: FACE_MESH_IRISES.left },
  right: { outer: 263, upper: 386, lower: 374, iris: FACE_MESH_IRISES.right },
} as const;

/**
 * The scale of a dense face mesh under a pinhole camera.
 *
 * A point of the mesh with z pixels stands at Z = (f + z) · s on the ray through its pixel, s being the millimetres for a pixel where
 * z is 0; lengths in millimetres are thus proportional to s, and a known length gives it. The iris of an adult is 11.7 mm across; the mean of
 * its width and height counts, and the mean of both irises. An iris does not count where it is less than 6 pixels across or
 * the lids are open by less than 0.45 of it; of two that differ by more than a fifth, and where the head is turned by more than some
 * 37°, the nearer one counts alone. A scale that puts the outer corners of the eyes at 0.86 to 1.2 times their usual distance is
 * taken; otherwise, and where no iris counts, they lie as far apart as those of the mean head, 89 mm. On 89 faces of photographs whose
 * irises are 8 pixels across or more the pupils came out 63.1 ± 6.4 mm apart (the nearer iris alone: 62.4 ± 6.6, width alone:
 * 59.5 ± 7.2); people's are 63 ± 3.6 mm, so an iris is good to some 8 %, and the prior to some 6 % for adults.
 *
 * @param points 478 × (x, y, z), as `locateFaceMesh` gives them
 * @returns Absent where the eyes' corners coincide.
 * @throws LineamentError `INVALID_ARGUMENT`. Pure function.
 */
export function measureFaceScale(points: Float32Array, camera: CameraIntrinsics): FaceScale | undefined {
  checkMeshPoints(points);
  checkIntrinsics(camera);
  const focal = Math.sqrt(camera.fx * camera.fy);
  // In units of s.
  const place = (i: number): Vector => {
    const [x, y, z] = [points[3 * i]!, points[3 * i + 1]!, points[3 * i + 2]!];
    const depth = focal + z;
    return [((x - camera.cx) / camera.fx) * depth, ((y - camera.cy) / camera.fy) * depth, depth];
  };
  const between = (i: number, j: number): number => {
    const [a, b] = [place(i), place(j)];
    return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  };
  const corners = between(EYES.left.outer, EYES.right.outer);
  if (!(corners > 0)) return undefined;
  const interOcular = OUTER_EYE_CORNERS / corners;

  const irisOf = ({ upper, lower, iris }: (typeof EYES)['left' | 'right']): number | undefined => {
    const across = (between(iris + 1, iris + 3) + between(iris + 2, iris + 4)) / 2;
    const seen = (focal * across) / place(iris)[2];
    return seen >= LEAST_IRIS && between(upper, lower) >= LEAST_OPENING * across ? IRIS_DIAMETER / across : undefined;
  };
  const left = irisOf(EYES.left);
  const right = irisOf(EYES.right);
  const deeper = place(EYES.right.outer)[2] - place(EYES.left.outer)[2];
  const joined = joinIrises(left, right, deeper / corners);
  const ratio = (joined ?? Number.NaN) / interOcular;
  const iris = ratio >= PLAUSIBLE[0] && ratio <= PLAUSIBLE[1] ? joined : undefined;
  const millimetresPerPixel = iris ?? interOcular;
  return {
    source: iris === undefined ? 'inter-ocular' : 'iris',
    millimetresPerPixel,
    irises: { ...(left !== undefined && { left }), ...(right !== undefined && { right }) },
    interOcular,
    interPupillary: millimetresPerPixel * between(EYES.left.iris, EYES.right.iris),
  };
}

/** `turn`: how much deeper the right eye lies than the left one, over their distance. */
function joinIrises(left: number | undefined, right: number | undefined, turn: number): number | undefined {
  if (left === undefined || right === undefined) return left ?? right;
  const alike = Math.min(left, right) / Math.max(left, right) >= LEAST_AGREEMENT;
  if (alike && Math.abs(turn) <= TURNED) return 2 / (1 / left + 1 / right);
  return turn > 0 ? left : right;
}

export function checkMeshPoints(points: unknown, count: number = FACE_MESH_POINTS): Float32Array {
  if (!(points instanceof Float32Array) || points.length !== 3 * count) {
    throw invalid('points', `Float32Array of ${3 * count} numbers`, points);
  }
  const bad = points.findIndex((v) => !Number.isFinite(v));
  if (bad >= 0) throw invalid(`points[${bad}]`, 'finite number', points[bad]);
  return points;
}
