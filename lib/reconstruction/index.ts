/** Faces in 3D: depth, point clouds, surfaces, textured meshes with levels of detail. */

export type { MeshFormat } from '../native/mesh-files.js';
export { type AlignFacesOptions, alignFaces, type FaceAlignment } from './align-faces.js';
export {
  CANONICAL_VERTICES,
  type CanonicalFace,
  canonicalFace,
  FACE_REGIONS,
  type FaceRegion,
} from './canonical.js';
export { type FaceView, fitCanonicalFace } from './canonical-fit.js';
export {
  type CloudPicture,
  type DepthCloud,
  type DepthNormalOptions,
  depthNormals,
  type EstimateNormalsOptions,
  estimateNormals,
  type ProjectDepthOptions,
  projectDepth,
} from './cloud.js';
export { type CameraOptions, type CameraSource, cameraOf, type KnownCamera } from './cloud-camera.js';
export {
  downsampleVoxels,
  type KeptCloud,
  type PoissonDiskOptions,
  type RadiusOutlierOptions,
  removeRadiusOutliers,
  removeStatisticalOutliers,
  type StatisticalOutlierOptions,
  samplePoissonDisk,
} from './cloud-filters.js';
export {
  type ConfidenceOptions,
  depthFromLandmarks,
  type FaceDepth,
  type LandmarkDepthOptions,
  rateDepth,
} from './depth.js';
export {
  type AlignedDepth,
  alignDepth,
  type DepthFit,
  type DepthQuantity,
  estimateDepth,
  openDepthNetwork,
  type RelativeDepth,
} from './depth-network.js';
export { type FillDepthOptions, type FilterDepthOptions, fillDepth, filterDepth } from './depth-process.js';
export { type FaceScale, IRIS_DIAMETER, measureFaceScale, OUTER_EYE_CORNERS } from './depth-scale.js';
export { type DepthFrame, depthFromSensor, readDepth, type SensorDepthOptions, writeDepth } from './depth-sensor.js';
export type { ReconstructionDevice } from './device.js';
export { FACE_POINTS, facePoint } from './face-points.js';
export { type WriteMeshOptions, writeMesh } from './files.js';
export type { FileFrame, Geometry } from './files-check.js';
export { type EmbeddedImage, type MeshFile, type ReadMeshOptions, readMesh } from './files-read.js';
export {
  type FusedFrame,
  type FusedFrames,
  type FuseFramesOptions,
  type FusionFrame,
  fuseFrames,
  poseFromHead,
} from './fusion.js';
export {
  type Bounds,
  createVolume,
  type Integrated,
  type IntegrateOptions,
  type Volume,
  type VolumeOptions,
} from './fusion-volume.js';
export { encodeGlb, type GlbLevel, type GlbLevels, type GlbOptions } from './glb.js';
export { type DepthMesh, type MeshFromDepthOptions, meshFromDepth } from './grid-mesh.js';
export { ALIGNMENT_LEVELS, type AlignCloudsOptions, type Alignment, type AlignmentLevel, alignClouds } from './icp.js';
export { type LevelOfDetail, type LevelsOfDetailOptions, levelsOfDetail } from './lod.js';
export {
  type DistanceDefinition,
  FACE_DISTANCES,
  type FaceDistance,
  type FaceMeasures,
  faceDistances,
  faceMeasures,
  geodesicDistances,
  type SurfaceDistance,
} from './measures.js';
export { encodeObj, type NamedFile, type ObjFiles, type ObjOptions } from './obj.js';
export {
  type BallPivotingOptions,
  type Open3d,
  type Open3dOptions,
  type Open3dTopology,
  openOpen3d,
  type PoissonOptions,
} from './open3d.js';
export { encodePly, type PlyOptions } from './ply.js';
export { type FaceReconstruction, type ReconstructionStages, reconstructFace } from './reconstruct.js';
export type { ReconstructFaceOptions } from './reconstruct-options.js';
export {
  compareMeshes,
  computeNormals,
  type MeshComparison,
  type OptimisedMesh,
  optimiseMesh,
  type SimplifiedMesh,
  type SimplifyMeshOptions,
  type SurfaceDistances,
  simplifyMesh,
} from './simplify.js';
export type { SimplifyWeights } from './simplify-check.js';
export { encodeStl, type StlOptions } from './stl.js';
export {
  type FilledMesh,
  type FillHolesOptions,
  fillHoles,
  type RebuildSurfaceOptions,
  type RebuiltSurface,
  rebuildSurface,
  type SmoothMeshOptions,
  smoothMesh,
} from './surface.js';
export {
  type BakedTexture,
  type BakeTextureOptions,
  bakeTexture,
  MOST_PHOTOGRAPHS,
  MOST_TEXTURE_SIDE,
  type Photograph,
  type PhotoPart,
  photoTexture,
} from './texture.js';
export { type CleanedMesh, type CleanMeshOptions, cleanMesh, inspectMesh, type MeshReport } from './topology.js';
export type { DepthMap, DepthScale, Mesh, PointCloud, Texture } from './types.js';
export { type UnwrapMeshOptions, type UnwrappedMesh, unwrapMesh } from './unwrap.js';
export { encodeXyz, type XyzOptions } from './xyz.js';
