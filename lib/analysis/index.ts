/** What landmarks and pixels say of a face: proportions, symmetry, quality, expression. Pure functions of plain data. */
export * from './expression/index.js';
export { type FaceContour, type FaceGeometry, faceContour, measureGeometry } from './geometry.js';
export type { MeasureOptions } from './geometry-frame.js';
export {
  GEOMETRY_MEASURES,
  type GeometryMeasure,
  type GeometryMeasureId,
  type MeasureDefinition,
  UNITS as GEOMETRY_UNITS,
} from './geometry-measures.js';
export {
  CONTOURS,
  type ContourName,
  REFERENCE_POINT_IDS,
  REFERENCE_POINTS,
  type ReferencePoint,
  type ReferencePointId,
  referencePoint,
} from './geometry-points.js';
export * from './quality/index.js';
export {
  EVEN_WITHIN,
  type FaceSymmetry,
  fitMidline,
  HALF_SCORE,
  type Midline,
  measureSymmetry,
  type RegionSymmetry,
  SYMMETRY_REGIONS,
  type SymmetryPair,
  type SymmetryRegion,
  type SymmetrySide,
} from './symmetry.js';
