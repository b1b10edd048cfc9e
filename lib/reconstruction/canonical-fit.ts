import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { CameraIntrinsics } from '../landmarks/camera.js';
import { FACE_MESH_POINTS } from '../landmarks/dense-mesh.js';
import type { Point } from '../types.js';
import { CANONICAL_VERTICES, canonicalFace } from './canonical.js';
import { checkIntrinsics, positive } from './depth-check.js';
import type { DepthScale, Mesh } from './types.js';

/** The camera that saw a face, and how large the face is; a `FaceDepth` is one. */
export interface FaceView {
  readonly camera: CameraIntrinsics;
  readonly scale: DepthScale;
  /** The pixel of the picture that the camera's pixels are counted from; the picture's own first one when absent. */
  readonly origin?: Point;
}

/**
 * The face of a picture as a mesh of fixed topology: vertex i is landmark i, the same place on everybody, so that meshes of two people
 * correspond vertex by vertex. Triangles and UVs are those of `canonicalFace` (shared arrays: copy before you change them). Camera
 * frame, millimetres; every vertex is seen at its landmark, z pixels behind the plane of the face as `depthFromLandmarks` has it. Depth
 * is the network's prior on heads, not a measurement.
 *
 * @param points 468 or 478 × (x, y, z) in pixels of the picture, as `locateFaceMesh` gives them; irises are passed over
 * @param view its `scale` has `millimetresPerPixel`
 * @param models folder of the models; the starter pack when absent
 * @throws LineamentError rejects with `INVALID_ARGUMENT`, `NO_SURFACE` (a point behind the camera), and as `canonicalFace`
 */
export async function fitCanonicalFace(points: Float32Array, view: FaceView, models?: string): Promise<Mesh> {
  const positions = placeLandmarks(points, view);
  const { indices, uvs } = await canonicalFace(models);
  return { positions, indices, uvs };
}

function placeLandmarks(points: Float32Array, view: FaceView): Float32Array {
  const known = points instanceof Float32Array && [CANONICAL_VERTICES, FACE_MESH_POINTS].includes(points.length / 3);
  if (!known)
    throw invalid('points', `Float32Array of ${CANONICAL_VERTICES} or ${FACE_MESH_POINTS} × 3 numbers`, points);
  if (typeof view !== 'object' || view === null) throw invalid('view', 'object with camera and scale', view);
  const { fx, fy, cx, cy } = checkIntrinsics(view.camera);
  const scale = positive('view.scale.millimetresPerPixel', view.scale?.millimetresPerPixel);
  const [left, top] = view.origin ?? [0, 0];
  if (!Number.isFinite(left) || !Number.isFinite(top)) throw invalid('view.origin', 'two finite numbers', view.origin);
  const focal = Math.sqrt(fx * fy);
  const positions = new Float32Array(3 * CANONICAL_VERTICES);
  for (let i = 0; i < positions.length; i += 3) {
    const depth = (focal + points[i + 2]!) * scale;
    positions[i] = ((points[i]! - left - cx) / fx) * depth;
    positions[i + 1] = ((points[i + 1]! - top - cy) / fy) * depth;
    positions[i + 2] = depth;
    if (!(depth > 0) && !Number.isNaN(depth)) {
      throw new LineamentError('NO_SURFACE', `landmark ${i / 3} lies behind the camera`);
    }
  }
  if (!positions.every(Number.isFinite)) throw invalid('points', 'finite numbers', points);
  return positions;
}
