import { plainObject } from '../errors/validate.js';
import { type CameraTags, readCameraTags } from '../image/exif.js';
import { type CameraIntrinsics, checkCamera } from '../landmarks/camera.js';

/**
 * How a camera is known. `given`: by its intrinsics; `field-of-view`: by the angle that was named; `exif-35mm`: by
 * EXIF's focal
 * length in terms of 35 mm film; `exif-sensor`: by EXIF's focal length and the pixels of its sensor; `assumed`: not
 * at all, as many pixels as the
 * longer side.
 */
export type CameraSource = 'given' | 'field-of-view' | 'exif-35mm' | 'exif-sensor' | 'assumed';

export interface KnownCamera {
  readonly camera: CameraIntrinsics;
  readonly source: CameraSource;
}

export interface CameraOptions {
  readonly intrinsics?: CameraIntrinsics;
  /** Degrees across the longer side, 1 to 170. */
  readonly fieldOfView?: number;
}

/** Millimetres of 35 mm film from corner to corner, which equivalent focal lengths go by (CIPA DCG-001). */
const FILM_DIAGONAL = Math.hypot(36, 24);

/**
 * The pinhole camera of a picture of `width` × `height` pixels: what options say, else what EXIF says, else an
 * assumed field of view.
 * EXIF's focal length holds for the whole picture as it was taken, turned or scaled; of one that was cut since, it
 * sees too
 * wide an angle. Values that give an angle outside of 1° to 170° are passed over.
 *
 * @param metadata `exif` as `readExif` or `sharp`'s metadata give it; damaged data counts as none
 * @throws LineamentError `INVALID_ARGUMENT`. Pure function.
 */
export function cameraOf(
  metadata: { readonly exif?: Uint8Array | undefined },
  width: number,
  height: number,
  options: CameraOptions = {},
): KnownCamera {
  const { intrinsics, fieldOfView } = plainObject('options', options, ['intrinsics', 'fieldOfView']);
  const camera = checkCamera({ width, height, intrinsics, fieldOfView });
  if (intrinsics !== undefined) return { camera, source: 'given' };
  if (fieldOfView !== undefined) return { camera, source: 'field-of-view' };
  const tags = metadata.exif === undefined ? {} : readCameraTags(metadata.exif);
  for (const [source, focal] of focalLengths(tags, width, height)) {
    const angle = (2 * Math.atan(Math.max(width, height) / 2 / focal) * 180) / Math.PI;
    if (angle >= 1 && angle <= 170) return { camera: { ...camera, fx: focal, fy: focal }, source };
  }
  return { camera, source: 'assumed' };
}

/** What EXIF gives, in pixels, the better first. */
function focalLengths(tags: CameraTags, width: number, height: number): [CameraSource, number][] {
  const found: [CameraSource, number][] = [];
  const { focalLength, focalLengthIn35mm, pixelsPerMillimetre, longerSide } = tags;
  if (focalLengthIn35mm !== undefined) {
    found.push(['exif-35mm', (focalLengthIn35mm * Math.hypot(width, height)) / FILM_DIAGONAL]);
  }
  if (focalLength !== undefined && pixelsPerMillimetre !== undefined) {
    const scale = longerSide === undefined ? 1 : Math.max(width, height) / longerSide;
    found.push(['exif-sensor', focalLength * pixelsPerMillimetre * scale]);
  }
  return found;
}
