/** Quality of face pictures: components named after ISO/IEC 29794-5, a unified score, hints for the person. No conformance is claimed. */
export {
  assessQuality,
  type FaceQuality,
  type QualityChip,
  type QualityInput,
  type QualityOptions,
} from './assess.js';
export {
  componentScore,
  QUALITY_COMPONENTS,
  QUALITY_NAMES,
  type QualityComponent,
  type QualityComponents,
  type QualityName,
  type QualityPurpose,
  unifiedScore,
} from './components.js';
export { GUIDANCE, type Guidance, type GuidanceCode } from './guidance.js';
export { DETAIL_CHIP, detailRegion, FACE_CHIP, faceRegion, layoutOf, nativeRegion } from './layout.js';
export { type MeasureQualityOptions, measureQuality, type QualityFace } from './measure.js';
