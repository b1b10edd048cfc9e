import { invalid, numberIn, plainObject } from '../errors/validate.js';
import type { Point } from '../types.js';
import type { Vector } from './linear.js';

/**
 * A pinhole camera without distortion, in pixels of the picture: a point (X, Y, Z) in front of it (X to the picture's right,
 * Y down, Z away from the camera) is seen at (fx·X/Z + cx, fy·Y/Z + cy). In the library's pixel frame the middle of the picture
 * is (width / 2, height / 2); calibrations that put the centre of the first pixel at 0 (OpenCV) give a cx and cy half a pixel less.
 */
export interface CameraIntrinsics {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/**
 * Angle across the longer side of the picture, in degrees, where nothing is known of the camera: a focal length of as many
 * pixels as the longer side, which is a 36 mm lens on 35 mm film. Telephones' main cameras see some 65° to 70°, webcams 55° to
 * 75°, portrait lenses 25°; cropping a picture narrows it.
 */
export const DEFAULT_FIELD_OF_VIEW = (2 * Math.atan(0.5) * 180) / Math.PI;

/** A camera that looks at the middle of a picture with square pixels and sees `fieldOfView` degrees across its longer side. */
export function assumedCamera(width: number, height: number, fieldOfView = DEFAULT_FIELD_OF_VIEW): CameraIntrinsics {
  const focal = Math.max(width, height) / 2 / Math.tan((fieldOfView * Math.PI) / 360);
  return { fx: focal, fy: focal, cx: width / 2, cy: height / 2 };
}

/** Where the camera sees a point, in pixels; absent for a point that is not in front of it. */
export function projectPoint({ fx, fy, cx, cy }: CameraIntrinsics, [x, y, z]: Vector): Point | undefined {
  return z > 0 ? [(fx * x) / z + cx, (fy * y) / z + cy] : undefined;
}

/** The camera that options describe: given, or assumed from the picture's size. */
export function checkCamera(options: {
  readonly width: unknown;
  readonly height: unknown;
  readonly intrinsics: unknown;
  readonly fieldOfView: unknown;
}): CameraIntrinsics {
  const width = positive('width', options.width);
  const height = positive('height', options.height);
  if (options.intrinsics !== undefined) {
    if (options.fieldOfView !== undefined) {
      throw invalid('fieldOfView', 'nothing where intrinsics are given', options.fieldOfView);
    }
    const given = plainObject('intrinsics', options.intrinsics, ['fx', 'fy', 'cx', 'cy']);
    const centre = (name: 'cx' | 'cy'): number => numberIn(`intrinsics.${name}`, given[name], -1e9, 1e9);
    return {
      fx: positive('intrinsics.fx', given['fx']),
      fy: positive('intrinsics.fy', given['fy']),
      cx: centre('cx'),
      cy: centre('cy'),
    };
  }
  const angle = options.fieldOfView;
  return assumedCamera(width, height, angle === undefined ? undefined : numberIn('fieldOfView', angle, 1, 170));
}

function positive(name: string, value: unknown): number {
  if (typeof value !== 'number' || !(value > 0) || !(value < 1e9)) throw invalid(name, 'positive number', value);
  return value;
}
