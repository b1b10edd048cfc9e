/** Where faces are. */
export { type Detection, detectFaces } from './detect.js';
export { DETECTORS, type DetectionPlan, type DetectorName, type LongSide, type Tiling } from './plan.js';
