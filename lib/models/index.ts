/** Models as data: cards, packs of ONNX files, verified reading, calibration. */
export {
  type Calibration,
  type CalibrationPoint,
  fmrAt,
  openCalibration,
  parseCalibration,
  readCalibration,
  similarityAt,
} from './calibration.js';
export { type CardInput, type CardOutput, type ModelCard, parseCard, takesBatches, tensorSpec } from './card.js';
export {
  type CatalogueCard,
  type CatalogueDownloadOptions,
  type CatalogueEntry,
  type CatalogueNetwork,
  type CatalogueOptions,
  type DownloadProgress,
  defaultCacheFolder,
  type ModelCatalogue,
  type ModelSource,
  openCatalogue,
  parseCatalogueCard,
} from './catalogue/index.js';
export { fmrForFpir, fpirAt, type ImpliedRate, impliedFmr } from './identification.js';
export { Network, type NetworkRun, Networks } from './network.js';
export { type ModelPack, openPack } from './pack.js';
