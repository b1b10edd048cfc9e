import type { CameraIntrinsics } from '../landmarks/camera.js';

/**
 * Plain data of reconstruction. Lengths are in millimetres.
 *
 * Camera frame (depth maps, clouds and meshes made of them): right-handed, origin at the camera, X to the picture's right, Y down,
 * Z away from the camera. A point is seen at pixel (fx·X/Z + cx, fy·Y/Z + cy). Files that ask for another frame or unit (glTF: metres,
 * Y up, Z towards the viewer) are written in theirs.
 */

/** How a depth map came by its unit. */
export interface DepthScale {
  /**
   * `iris`: the irises of an adult measure 11.7 mm across; `inter-ocular`: the outer corners of the eyes lie as far apart as those of
   * the mean head; `sensor`: the camera measured; `landmarks`: fitted to a depth map of the landmarks.
   */
  readonly source: 'iris' | 'inter-ocular' | 'sensor' | 'landmarks';
  /** Millimetres for a pixel at the middle of the face; absent where a sensor measured. */
  readonly millimetresPerPixel?: number;
}

/** Distance along the optical axis for each pixel, row by row. */
export interface DepthMap {
  readonly width: number;
  readonly height: number;
  /** width × height millimetres; NaN where nothing is known. */
  readonly depth: Float32Array;
  /** width × height, from 0 (a guess) to 1; NaN depth has 0. */
  readonly confidence: Float32Array;
  readonly camera: CameraIntrinsics;
  readonly scale: DepthScale;
}

/** Points in space. */
export interface PointCloud {
  /** n × 3 millimetres, finite. */
  readonly positions: Float32Array;
  /** n × 3 of length 1, towards the viewer; 0 0 0 where there is none. Absent: not computed. */
  readonly normals?: Float32Array;
  /** n × 3, red, green, blue. */
  readonly colours?: Uint8Array;
}

/** A picture that is laid over a mesh; 8 bits each of red, green, blue, tight rows from the top. */
export interface Texture {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A surface of triangles. */
export interface Mesh {
  /** n × 3 millimetres, finite. */
  readonly positions: Float32Array;
  /** m × 3 vertices below n; counterclockwise seen from in front of the surface. */
  readonly indices: Uint32Array;
  /** n × 3 of length 1. */
  readonly normals?: Float32Array;
  /** n × 2; (0, 0) is the top-left corner of the texture, (1, 1) its bottom-right one. */
  readonly uvs?: Float32Array;
  /** n × 3, red, green, blue. */
  readonly colours?: Uint8Array;
  /** What `uvs` refer to. */
  readonly texture?: Texture;
}
