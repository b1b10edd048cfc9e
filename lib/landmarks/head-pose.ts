import { invalid, plainObject } from '../errors/validate.js';
import type { Point, Pose } from '../types.js';
import { type CameraIntrinsics, checkCamera, projectPoint } from './camera.js';
import { checkLandmarks } from './check.js';
import { MEAN_HEAD } from './head.js';
import { add, apply, fromForward, invert, type Matrix3, multiply, transpose, unit, type Vector } from './linear.js';
import { fitPerspective, type PerspectiveFit } from './perspective.js';
import { anglesOf, fitOrthographic, rotationOf } from './pose.js';

export interface HeadPoseOptions {
  /** Width of the picture that the landmarks belong to, in pixels. */
  readonly width: number;
  /** Height of that picture, in pixels. */
  readonly height: number;
  /** The camera, where it was calibrated. */
  readonly intrinsics?: CameraIntrinsics;
  /** Degrees across the longer side of the picture, 1 to 170, where only that is known; default `DEFAULT_FIELD_OF_VIEW`. */
  readonly fieldOfView?: number;
  /**
   * Where the landmarks lie on the head, in centimetres: x to the picture's right, y up, z towards the camera for a head that
   * looks into it. One for each landmark, four or more, not in a plane. Default `MEAN_HEAD`, for the 68 points.
   */
  readonly model?: readonly (readonly [x: number, y: number, z: number])[];
}

/**
 * Where a head is and where it looks: six degrees of freedom, in degrees and centimetres. `roll`, `yaw` and `pitch` are against the
 * line of sight from the camera to the head, as in `Pose` and `estimatePose`: all 0 for somebody who looks into the lens, also at the
 * picture's edge. Yaw and pitch say where the face looks, roll how it is turned about that direction.
 * ```text
 *    roll > 0: clockwise        yaw > 0: towards the         pitch > 0: the face
 *    as the picture shows it    picture's right edge         looks up
 *
 *          .-'''-.                   .-''''-.                     .-'''-.
 *        .'  o    '.                /     o o\                   /  o o  \
 *       /   / '  o  \              |        > |                 |    ^    |
 *       \  ( \  '   /              |       -- |                 |   ---   |
 *        '. '-    .'                \        /                   \       /
 *          '-...-'                   '-....-'                     '-...-'
 *
 *    The camera's axes, and the head's when it looks straight into the camera:
 *
 *       +----------------------+              z (away from the camera)
 *       | picture              |            /
 *       |                      |          /
 *       |       (head)         |        o-------- x (to the picture's right)
 *       |                      |        |
 *       +----------------------+        |
 *                                       y (down)
 * ```
 */
export interface HeadPose extends Pose {
  /**
   * From the head's axes to the camera's, as rows; both have x to the picture's right, y down and z away from the camera, and
   * agree (identity) when the head looks along the camera's axis towards it. A point p of the head is at rotation · p + translation.
   */
  readonly rotation: Matrix3;
  /**
   * The origin of the head from the camera, in centimetres along the camera's axes: the third number is the distance from the
   * camera's plane. The origin of the mean head is 3 cm behind the tip of the nose. As large as the mean head is for the person:
   * a head 5 % smaller is said to be 5 % further away, and an assumed field of view scales the distance too.
   */
  readonly translation: Vector;
  /**
   * The angles of `rotation`: against the camera's axis instead of the line of sight. They need to know where that axis meets the
   * picture and how wide it is; both are lost when a picture was cropped.
   */
  readonly cameraAngles: Pose;
  /**
   * Root mean square distance between the landmarks and the projected model, over the landmarks that count: pixels, and over the
   * head's inter-ocular distance.
   */
  readonly reprojectionError: {
    readonly pixels: number;
    /**
     * `pixels` over the distance of the outer corners of the eyes at this head's distance, if it were seen from the front; for
     * another model than 68 points, over its root mean square extent. 0.05 is common: nobody's head is the mean head.
     */
    readonly relative: number;
  };
  /** Share of the landmarks that count, 0–1: the robust loss puts aside what is more than six standard deviations off. */
  readonly inliers: number;
  /**
   * 0–1, from the reprojection error: inliers / (1 + (relative / 0.12)⁴). On a hundred faces of photographs landmarks that were in
   * place stayed below a relative error of 0.11 (half of them below 0.035), and those of profiles, which the landmark network does
   * not know, had 0.18 and more: a confidence below one half means that the landmarks are no face seen from here.
   */
  readonly confidence: number;
  /**
   * Standard errors: degrees, and centimetres along the camera's axes. What the scatter of the landmarks about the model makes
   * of the estimate when they err independently; that the person's head is not the mean head is seen only as scatter.
   */
  readonly standardErrors: Pose & { readonly translation: Vector };
  /** Covariance, 6 × 6, of a small turn about the camera's axes in radians and of the translation in centimetres. */
  readonly covariance: readonly (readonly number[])[];
  /** The camera that was used: as given, or assumed. */
  readonly intrinsics: CameraIntrinsics;
}

const OPTIONS = ['width', 'height', 'intrinsics', 'fieldOfView', 'model'];
const DEGREES = 180 / Math.PI;

/**
 * Head pose in six degrees of freedom from the landmarks of one picture (perspective-n-point under a pinhole camera).
 *
 * Starts from scaled orthography (see `estimatePose`), then minimises the reprojection error over rotation and translation by
 * Levenberg-Marquardt with analytic derivatives (K. Levenberg 1944; D. Marquardt, SIAM J. Appl. Math. 11, 1963), first under Huber's
 * loss, then under Tukey's biweight, the scale from the median residual (P. Huber, "Robust Statistics", 1981; A. Beaton & J. Tukey,
 * Technometrics 16, 1974), so that points which are wrong or hidden lose their say. No random numbers: the same landmarks give the
 * same answer. With an error of 0.5 px in each coordinate, on faces of 100 to 320 px, 95 % of the angles are right within a third of a
 * degree, also with one point in eight far off (benchmarks/src/pose.mjs); on real faces the difference between the person and the mean
 * head decides, some 3°, and profiles are beyond what the landmark network knows.
 *
 * @param landmarks 68 points in pixels (as many as `model` has, where one is given).
 * @returns Absent where the points do not span a face or nothing in front of the camera explains them.
 * @throws LineamentError `INVALID_ARGUMENT`: landmarks that are not finite or not as many as the model's, a bad camera or size.
 * Pure function.
 */
export function solveHeadPose(landmarks: readonly Point[], options: HeadPoseOptions): HeadPose | undefined {
  const known = plainObject('options', options, OPTIONS);
  const camera = checkCamera({
    width: known['width'],
    height: known['height'],
    intrinsics: known['intrinsics'],
    fieldOfView: known['fieldOfView'],
  });
  const upward = known['model'] === undefined ? MEAN_HEAD : checkModel(known['model']);
  checkLandmarks('landmarks', landmarks, upward.length);

  const start = startingPoint(landmarks, upward, camera);
  if (start === undefined) return undefined;
  const model = upward.map(flip);
  const fit = fitPerspective(landmarks, model, camera, start.rotation, start.translation);
  return fit === undefined ? undefined : describe(fit, model, camera);
}

/**
 * Where the camera sees points of the head, in pixels; absent entries are behind the camera. `points` are in centimetres in the
 * frame of `MEAN_HEAD` (x to the picture's right, y up, z out of the face), by default those of the mean head. Pure function.
 */
export function projectHead(
  pose: Pick<HeadPose, 'rotation' | 'translation' | 'intrinsics'>,
  points: readonly (readonly [x: number, y: number, z: number])[] = MEAN_HEAD,
): (Point | undefined)[] {
  return points.map((p) => projectPoint(pose.intrinsics, add(apply(pose.rotation, flip(p)), pose.translation)));
}

/** Between frames with y up and z to the viewer and frames with y down and z away: half a turn about x, its own inverse. */
const flip = ([x, y, z]: Vector): Vector => [x, -y, -z];
const flipRotation = ([a, b, c]: Matrix3): Matrix3 => [
  flip(a),
  flip([-b[0], -b[1], -b[2]]),
  flip([-c[0], -c[1], -c[2]]),
];

/** `rotation` of a {@link HeadPose} for given angles. Pure function. */
export function headRotation(angles: Pose): Matrix3 {
  return flipRotation(rotationOf(angles));
}

function checkModel(value: unknown): readonly Vector[] {
  if (!Array.isArray(value) || value.length < 4) throw invalid('model', 'array of four or more points', value);
  value.forEach((point: unknown, i) => {
    for (const k of [0, 1, 2]) {
      const coordinate = (point as readonly unknown[] | null | undefined)?.[k];
      if (!Number.isFinite(coordinate)) throw invalid(`model[${i}][${k}]`, 'finite number', coordinate);
    }
  });
  return value as readonly Vector[];
}

/** Scaled orthography along the line of sight through the middle of the points, put at the distance that its scale says. */
function startingPoint(
  landmarks: readonly Point[],
  model: readonly Vector[],
  { fx, fy, cx, cy }: CameraIntrinsics,
): { rotation: Matrix3; translation: Vector } | undefined {
  // Square pixels first: the fit knows one scale.
  const square = landmarks.map(([x, y]): Point => [x, y * (fx / fy)]);
  const fit = fitOrthographic(square, model);
  if (fit === undefined) return undefined;
  const middle: Vector = [(fit.centre[0] - cx) / fx, (fit.centre[1] - cy * (fx / fy)) / fx, 1];
  const range = fx / fit.scale;
  const rotation = multiply(fromForward(unit(middle)), flipRotation(fit.rotation));
  // The model's centre is that far along the line of sight; its origin is elsewhere.
  const [x, y, z] = apply(rotation, flip(centreOf(model)));
  const [dx, dy, dz] = unit(middle);
  return { rotation, translation: [dx * range - x, dy * range - y, dz * range - z] };
}

function describe(fit: PerspectiveFit, model: readonly Vector[], camera: CameraIntrinsics): HeadPose | undefined {
  const { rotation, translation, residuals, weights, covariance } = fit;
  const kept = residuals.filter((_, i) => weights[i]! > 0);
  const pixels = Math.sqrt(kept.reduce((sum, r) => sum + r * r, 0) / kept.length);
  const depth = add(apply(rotation, centreOf(model)), translation)[2];
  const relative = (pixels * depth) / (Math.sqrt(camera.fx * camera.fy) * extentOf(model));
  const inliers = kept.length / residuals.length;
  // Straight towards the head instead of straight ahead. Where the head is, is known far better than how it is turned.
  const sight = transpose(fromForward(unit(translation)));
  const angles = anglesOf(flipRotation(multiply(sight, rotation)));
  const error = (k: number): number => Math.sqrt(covariance[k]![k]!);
  const pose: HeadPose = {
    ...angles,
    rotation,
    translation,
    cameraAngles: anglesOf(flipRotation(rotation)),
    reprojectionError: { pixels, relative },
    inliers,
    confidence: inliers / (1 + (relative / 0.12) ** 4),
    standardErrors: {
      ...angleErrors(angles, turnedCovariance(sight, covariance)),
      translation: [error(3), error(4), error(5)],
    },
    covariance,
    intrinsics: camera,
  };
  return Number.isFinite(pixels + relative + angles.yaw + angles.pitch + angles.roll) ? pose : undefined;
}

/** Distance of the outer corners of the eyes for the 68 points; root mean square distance from the centre for others. */
function extentOf(model: readonly Vector[]): number {
  const apart = (a: Vector, b: Vector): number => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
  if (model.length === 68) return apart(model[36]!, model[45]!);
  const centre = centreOf(model);
  return Math.sqrt(model.reduce((sum, p) => sum + apart(p, centre) ** 2, 0) / model.length);
}

function centreOf(model: readonly Vector[]): Vector {
  const [x, y, z] = model.reduce(add, [0, 0, 0]);
  return [x / model.length, y / model.length, z / model.length];
}

/** R·C·Rᵀ of the covariance of a small turn. */
function turnedCovariance(r: Matrix3, covariance: readonly (readonly number[])[]): Matrix3 {
  const turn = covariance.slice(0, 3).map((row) => row.slice(0, 3)) as unknown as Matrix3;
  return multiply(multiply(r, turn), transpose(r));
}

/** Standard errors of the angles in degrees; infinite where the face looks straight up or down and roll has no meaning. */
function angleErrors({ yaw, pitch, roll }: Pose, covariance: Matrix3): Pose {
  // A change of the angles turns the head by yaw'·e_y − pitch'·Ry·e_x − roll'·R·e_z in the frame with y up (see anglesOf).
  const direction = rotationOf({ yaw, pitch, roll });
  const side = rotationOf({ yaw, pitch: 0, roll: 0 });
  const aboutYaw = flip([0, 1, 0]);
  const aboutPitch = flip([-side[0][0], -side[1][0], -side[2][0]]);
  const aboutRoll = flip([-direction[0][2], -direction[1][2], -direction[2][2]]);
  const fromTurn = invert([0, 1, 2].map((k) => [aboutYaw[k]!, aboutPitch[k]!, aboutRoll[k]!]));
  const errors = [0, 1, 2].map((a) => {
    if (fromTurn === undefined) return Infinity;
    let variance = 0;
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) variance += fromTurn[a]![i]! * covariance[i]![j]! * fromTurn[a]![j]!;
    }
    return Math.sqrt(variance) * DEGREES;
  });
  return { yaw: errors[0]!, pitch: errors[1]!, roll: errors[2]! };
}
