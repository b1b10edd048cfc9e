/** The 68 points of a face, and the orientation of the head that follows from them. */
export { LANDMARKERS, type LandmarkPlan, locateLandmarks, uprightRegion } from './locate.js';
export { eyeAngle, PARTS, POINT_COUNT } from './points.js';
export { estimatePose } from './pose.js';
