import { invalid, positiveInteger } from '../errors/validate.js';
import type { CameraIntrinsics } from '../landmarks/camera.js';
import { MOST_DEPTH_PIXELS, MOST_DEPTH_SIDE, type NativeLens, type NativeSize } from '../native/depth.js';
import type { DepthMap } from './types.js';

/** A size that a depth map may have, or `INVALID_ARGUMENT`. */
export function checkDepthSize(value: { readonly width: unknown; readonly height: unknown }): NativeSize {
  const width = positiveInteger('width', value.width, MOST_DEPTH_SIDE);
  const height = positiveInteger('height', value.height, MOST_DEPTH_SIDE);
  if (width * height > MOST_DEPTH_PIXELS) {
    throw invalid('width × height', `at most ${MOST_DEPTH_PIXELS} pixels`, width * height);
  }
  return { width, height };
}

/** Focal lengths above zero, everything finite. */
export function checkIntrinsics(value: CameraIntrinsics): NativeLens {
  if (typeof value !== 'object' || value === null) throw invalid('camera', 'object', value);
  const { fx, fy, cx, cy } = value;
  for (const [name, focal] of Object.entries({ fx, fy })) {
    if (!Number.isFinite(focal) || !(focal > 0)) throw invalid(`camera.${name}`, 'positive number', focal);
  }
  for (const [name, centre] of Object.entries({ cx, cy })) {
    if (!Number.isFinite(centre)) throw invalid(`camera.${name}`, 'finite number', centre);
  }
  return { fx, fy, cx, cy };
}

/** The size and camera of a depth map whose arrays are as long as that says; what is in them native code looks at. */
export function checkDepth(map: DepthMap, name = 'map'): NativeSize & NativeLens {
  if (typeof map !== 'object' || map === null) throw invalid(name, 'depth map', map);
  const size = checkDepthSize(map);
  for (const array of ['depth', 'confidence'] as const) {
    if (!(map[array] instanceof Float32Array) || map[array].length !== size.width * size.height) {
      throw invalid(`${name}.${array}`, `Float32Array of ${size.width * size.height} numbers`, map[array]);
    }
  }
  return { ...size, ...checkIntrinsics(map.camera) };
}

/** A finite number above zero. */
export const positive = (name: string, value: unknown): number => {
  if (typeof value !== 'number' || !Number.isFinite(value) || !(value > 0))
    throw invalid(name, 'positive number', value);
  return value;
};
