/** The 68 points of a face, by networks or regression trees, and the orientation of the head that follows from them. */
export { squareBox } from '../image/geometry.js';
export { assumedCamera, type CameraIntrinsics, DEFAULT_FIELD_OF_VIEW } from './camera.js';
export {
  FACE_MESH_IRISES,
  FACE_MESH_NETWORK,
  FACE_MESH_POINTS,
  type FaceMesh,
  locateFaceMesh,
} from './dense-mesh.js';
export { type FrontalLandmarks, frontalize } from './frontal.js';
export { MEAN_HEAD } from './head.js';
export { type HeadPose, type HeadPoseOptions, headRotation, projectHead, solveHeadPose } from './head-pose.js';
export { FROM_106, from106 } from './insightface.js';
export { LID_COUNT, LID_NETWORK, locateLids } from './lids.js';
export type { Matrix3, Vector } from './linear.js';
export { LANDMARKERS, type LandmarkerName, type LandmarkPlan, locateLandmarks, uprightRegion } from './locate.js';
export { MIRROR, mirrorLandmarks } from './mirror.js';
export { eyeAngle, PARTS, POINT_COUNT } from './points.js';
export { estimatePose } from './pose.js';
export {
  type Compute,
  SHAPE_FORMATS,
  type ShapeFormat,
  type ShapeModelInfo,
  ShapePredictor,
} from './shape-predictor.js';
export { openStarterTrees, STARTER_TREES } from './starter-trees.js';
