/** Faces in 3D: depth, point clouds, surfaces, textured meshes with levels of detail. */
export {
  CANONICAL_VERTICES,
  type CanonicalFace,
  canonicalFace,
  FACE_REGIONS,
  type FaceRegion,
} from './canonical.js';
export { encodeGlb, type GlbLevel, type GlbLevels, type GlbOptions } from './glb.js';
export {
  type BallPivotingOptions,
  type Open3d,
  type Open3dOptions,
  type Open3dTopology,
  openOpen3d,
  type PoissonOptions,
} from './open3d.js';
export type { DepthMap, DepthScale, Mesh, PointCloud, Texture } from './types.js';
