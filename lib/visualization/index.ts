/**
 * Drawings of what was found: overlays as SVG and PNG, contact sheets, and a self-contained HTML report.
 *
 * @module
 */
export { type CedOptions, type CedSeries, cedSvg } from './ced.js';
export { type DetPoint, type DetSeries, detSvg } from './det.js';
export { CONTOURS_68, type Contour, type DrawableFace, faceColour, PALETTE, type PoseAxes, poseAxes } from './face.js';
export {
  FACE_REGIONS,
  type FaceRegion,
  type LandmarkOverlayOptions,
  type LandmarkRenderOptions,
  landmarkOverlaySvg,
  poseInWords,
  renderLandmarkOverlay,
} from './landmark-overlay.js';
export { escapeMarkup } from './markup.js';
export { lineWidthFor, type OverlayOptions, type OverlaySize, overlaySvg } from './overlay.js';
export {
  type ActionUnitsView,
  type ExpressionView,
  expressionPanel,
  PANEL_STYLE,
  type QualityComponentView,
  type QualityView,
  qualityPanel,
} from './panels.js';
export { dataUri, faceCrop, type Picture, thumbnail } from './picture.js';
export {
  type ContactSheetItem,
  type ContactSheetOptions,
  contactSheet,
  type RenderOptions,
  renderOverlay,
} from './raster.js';
export {
  type MatchMatrix,
  type Report,
  type ReportFace,
  type ReportModel,
  type ReportPhoto,
  type ReportTiming,
  renderReport,
} from './report.js';
