import { abortSignal, boolean, invalid, plainObject } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import { boundsOf } from '../image/geometry.js';
import { cancellable } from '../inference/cancel.js';
import type { Runtime } from '../inference/runtime.js';
import { type CameraIntrinsics, checkCamera } from '../landmarks/camera.js';
import { FACE_MESH_POINTS } from '../landmarks/dense-mesh.js';
import type { NativeConfidenceOptions } from '../native/depth.js';
import type { Box, Point } from '../types.js';
import { canonicalFace } from './canonical.js';
import { checkDepth, checkDepthSize, positive } from './depth-check.js';
import { checkMeshPoints, measureFaceScale } from './depth-scale.js';
import type { DepthMap, DepthScale } from './types.js';

/**
 * How confidence is judged: visibility × angle × agreement, each from 0 to 1.
 * visibility = min(1, (d + ½) / margin), d the pixels to the nearest silhouette (a pixel with a neighbour that has no depth or
 * lies on another surface; the map's border is none). angle = the cosine between the surface's normal and the ray to the camera.
 * agreement = 1 / (1 + (difference / tolerance)²) with a second depth, where there is one.
 */
export interface ConfidenceOptions {
  /** Pixels from a silhouette over which confidence rises; default 4. */
  readonly margin?: number;
  /** Millimetres (and three pixels' width) by which neighbours on one surface differ at most; default 10. */
  readonly step?: number;
  /** Millimetres of difference from a second depth that halve the confidence; default 5. */
  readonly tolerance?: number;
}

export interface LandmarkDepthOptions extends ConfidenceOptions {
  /** The camera, where it was calibrated. */
  readonly intrinsics?: CameraIntrinsics;
  /** Degrees across the longer side of the picture where only that is known; default `DEFAULT_FIELD_OF_VIEW`. */
  readonly fieldOfView?: number;
  /** Millimetres for a pixel where z is 0, and how they are known; measured by `measureFaceScale` when absent. */
  readonly scale?: DepthScale & { readonly millimetresPerPixel: number };
  /**
   * What the map covers: the `picture`, pixel for pixel (default); the `face`, the smallest box of whole pixels about its points
   * that lies in the picture; or a box of whole pixels. The map's camera is the picture's, moved by the box's corner.
   */
  readonly region?: 'picture' | 'face' | Box;
  /** Curved patches through the points (PN triangles), or flat triangles; default true. */
  readonly curved?: boolean;
  /** m × 3 points, counterclockwise seen from in front of the face; default: those of the canonical face, 898 triangles. */
  readonly triangles?: Uint32Array;
  readonly signal?: AbortSignal;
}

/** A depth map of a part of a picture. */
export interface FaceDepth extends DepthMap {
  /** The pixel of the picture that the map's first one is. */
  readonly origin: Point;
}

const CONFIDENCE = ['margin', 'step', 'tolerance'];
const OPTIONS = [...CONFIDENCE, 'intrinsics', 'fieldOfView', 'scale', 'region', 'curved', 'triangles', 'signal'];

/**
 * The depth of a face for each pixel, from the points of its dense mesh: a surface of curved patches through the points (A. Vlachos et
 * al., "Curved PN Triangles", I3D 2001), seen by a pinhole camera with hidden parts and back faces left out. Where the face is
 * not seen depth is NaN. The points are a prior on the shape of heads, fitted to the picture: proportions of the face are the
 * person's, fine relief is not.
 *
 * The mesh's z is 0 at the distance f · scale from the camera; a point z pixels behind that plane stands at (f + z) · scale on the ray
 * through its pixel. The distance from the camera is thus as good as the focal length; the face's own size does not depend on it.
 *
 * @param points 478 × (x, y, z) in pixels, as `locateFaceMesh` gives them
 * @param picture size of the picture in pixels
 * @returns Rejects with `NO_SURFACE` where no pixel sees the face (outside of the picture, turned away, eyes that coincide),
 * `INVALID_ARGUMENT`, `MODEL_NOT_FOUND` (the canonical face), `ABORTED`, `CLOSED`. Thread-safe; the same bytes for any number of
 * threads.
 */
export async function depthFromLandmarks(
  runtime: Runtime,
  points: Float32Array,
  picture: { readonly width: number; readonly height: number },
  options: LandmarkDepthOptions = {},
): Promise<FaceDepth> {
  const known = plainObject('options', options, OPTIONS);
  const size = checkPicture(picture);
  const camera = checkCamera({ ...size, intrinsics: known['intrinsics'], fieldOfView: known['fieldOfView'] });
  checkMeshPoints(points);
  const signal = options.signal && abortSignal('signal', options.signal);
  const curved = boolean('curved', options.curved ?? true);
  const confidence = confidenceOptions(options);
  const scale = options.scale ?? measureFaceScale(points, camera);
  if (scale === undefined) throw new LineamentError('NO_SURFACE', 'the corners of the eyes coincide');
  const millimetresPerPixel = positive('scale.millimetresPerPixel', scale.millimetresPerPixel);
  const [x, y, width, height] = regionOf(options.region ?? 'picture', points, size);
  checkDepthSize({ width, height });
  throwIfAborted(signal);
  const triangles = options.triangles ?? (await canonicalFace()).indices;
  if (!(triangles instanceof Uint32Array) || triangles.length % 3 !== 0) {
    throw invalid('triangles', 'Uint32Array of three points for each', triangles);
  }
  const made = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.depthFromLandmarks(
      runtime.executor,
      points,
      triangles,
      { ...camera, ...confidence, x, y, width, height, millimetresPerPixel, curved },
      token,
    ),
  );
  return {
    width,
    height,
    ...made,
    camera: { ...camera, cx: camera.cx - x, cy: camera.cy - y },
    scale: { source: scale.source, millimetresPerPixel },
    origin: [x, y],
  };
}

/**
 * The same depth with its confidence judged anew, with a second depth for the same pixels or without; see {@link ConfidenceOptions}.
 * Rejects with `INVALID_ARGUMENT`, `ABORTED`, `CLOSED`. Thread-safe.
 */
export async function rateDepth<T extends DepthMap>(
  runtime: Runtime,
  map: T,
  options: ConfidenceOptions & { readonly other?: DepthMap; readonly signal?: AbortSignal } = {},
): Promise<T> {
  plainObject('options', options, [...CONFIDENCE, 'other', 'signal']);
  const shape = checkDepth(map);
  const { other } = options;
  if (other !== undefined) {
    checkDepth(other, 'other');
    if (other.width !== map.width || other.height !== map.height) {
      throw invalid('other', `depth map of ${map.width} × ${map.height} pixels`, other);
    }
  }
  const signal = options.signal && abortSignal('signal', options.signal);
  const asked = { ...shape, ...confidenceOptions(options) };
  const confidence = await cancellable(runtime.addon, signal, (token) =>
    runtime.addon.rateDepth(runtime.executor, map.depth, other?.depth, asked, token),
  );
  return { ...map, confidence };
}

/** @internal */
export function confidenceOptions({
  margin = 4,
  step = 10,
  tolerance = 5,
}: ConfidenceOptions): NativeConfidenceOptions {
  if (!(margin <= 1000)) throw invalid('margin', 'positive number up to 1000', margin);
  return {
    margin: positive('margin', margin),
    step: positive('step', step),
    tolerance: positive('tolerance', tolerance),
  };
}

/** A picture may be larger than a depth map, which then covers a part of it. */
function checkPicture(picture: { readonly width: number; readonly height: number }) {
  for (const side of ['width', 'height'] as const) {
    const pixels: unknown = picture?.[side];
    if (typeof pixels !== 'number' || !Number.isInteger(pixels) || pixels < 1 || pixels > 1 << 20) {
      throw invalid(`picture.${side}`, `positive integer up to ${1 << 20}`, pixels);
    }
  }
  return { width: picture.width, height: picture.height };
}

function regionOf(
  region: unknown,
  points: Float32Array,
  picture: { readonly width: number; readonly height: number },
): Box {
  if (region === 'picture') return [0, 0, picture.width, picture.height];
  if (region === 'face') {
    const face = Array.from({ length: FACE_MESH_POINTS }, (_, i): Point => [points[3 * i]!, points[3 * i + 1]!]);
    const [x, y, width, height] = boundsOf(face);
    const [x0, y0] = [Math.max(0, Math.floor(x)), Math.max(0, Math.floor(y))];
    const x1 = Math.min(picture.width, Math.ceil(x + width));
    const y1 = Math.min(picture.height, Math.ceil(y + height));
    if (x1 <= x0 || y1 <= y0) throw new LineamentError('NO_SURFACE', 'the face lies outside of the picture');
    return [x0, y0, x1 - x0, y1 - y0];
  }
  if (
    !Array.isArray(region) ||
    region.length !== 4 ||
    !region.every((v) => Number.isInteger(v) && Math.abs(v) < 1 << 20)
  ) {
    throw invalid('region', "'picture', 'face' or a box of whole pixels", region);
  }
  return region as unknown as Box;
}
