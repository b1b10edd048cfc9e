import type { LandmarkDepthOptions } from './depth.js';

/** How a face is rebuilt; see `reconstructFace`. */
export interface ReconstructFaceOptions extends Pick<LandmarkDepthOptions, 'intrinsics' | 'fieldOfView' | 'scale'> {
  /** EXIF data of the picture: tells of the camera where neither `intrinsics` nor `fieldOfView` is given. */
  readonly exif?: Uint8Array;
  /** Levels of detail, 1 to 8; default 4. Each has a quarter of the triangles of the one before. */
  readonly levels?: number;
  /** Most triangles of the finest level; default 20 000. */
  readonly triangles?: number;
  /** The part of the photograph that shows the face, laid over the mesh; default true. */
  readonly texture?: boolean;
  readonly signal?: AbortSignal;
}

/** @internal Names of the options. */
export const RECONSTRUCT_OPTIONS = [
  'intrinsics',
  'fieldOfView',
  'exif',
  'scale',
  'levels',
  'triangles',
  'texture',
  'signal',
];
