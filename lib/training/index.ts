/** Landmark models: marked faces to read and write, training, conversion and evaluation. Calibrations of recognisers. */
export { type CalibrateOptions, calibrate, type LabelledEmbedding } from './calibration/calibrate.js';
export type { CalibrationInterval, MeasuredCalibration, MeasureOptions } from './calibration/measure.js';
export { type ConvertedLandmarks, type ConvertLandmarksOptions, convertLandmarks } from './convert.js';
export { type AnnotatedFace, type AnnotatedPicture, countFaces, type LandmarkDataset, readDataset } from './dataset.js';
export {
  type EvaluateLandmarksOptions,
  evaluateLandmarks,
  type FaceError,
  type LandmarkEvaluation,
} from './evaluate.js';
export { readImglab, type WriteImglabOptions, writeImglab } from './imglab.js';
export type { Normalisation } from './measures.js';
export type { ShapeOptions } from './options.js';
export type { BoxSource, FaceFinder } from './pictures.js';
export {
  type LandmarkPredictor,
  openNetworkPredictor,
  openShapePredictor,
  type PredictorOptions,
} from './predictor.js';
export {
  type GrayPicture,
  SampleSet,
  type TrainingFace,
} from './samples.js';
export {
  type TrainedLandmarks,
  type TrainingProgress,
  type TrainingRun,
  type TrainLandmarksOptions,
  trainLandmarks,
  trainSamples,
} from './train.js';
