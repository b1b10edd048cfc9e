/** Faces in 3D: depth, point clouds, surfaces, textured meshes with levels of detail. */
export type { DepthMap, DepthScale, Mesh, PointCloud, Texture } from './types.js';
