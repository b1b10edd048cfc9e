/**
 * Drawings of what was found: overlays as SVG and PNG, contact sheets, a self-contained HTML report, and faces in 3D.
 *
 * @module
 */
export { type CedOptions, type CedSeries, cedSvg } from './ced.js';
export { COLOUR_MAPS, type ColourMap } from './colour-map.js';
export { type DepthPictureOptions, depthPicture } from './depth-map.js';
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
export { type MeshReportFace, type MeshReportOptions, type MeshReportView, meshReport } from './mesh-report.js';
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
export { type RenderMeshOptions, renderMesh } from './render-mesh.js';
export {
  type MatchMatrix,
  type Report,
  type ReportFace,
  type ReportModel,
  type ReportPhoto,
  type ReportTiming,
  renderReport,
} from './report.js';
export type { View } from './view.js';
export { createViewer, SURFACE_MODES, type SurfaceMode, type ViewerOptions } from './viewer.js';
