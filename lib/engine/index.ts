/** The engine: every stage behind one object. */
export type { AnalyzedFace, FaceAnalysis } from './analysis.js';
export type { RecogniserIdentity, Verification } from './answers.js';
export { CATALOGUE_PRESETS, type CataloguePresetName } from './catalogue-presets.js';
export { Engine, openEngine } from './engine.js';
export {
  type DeviceMemory,
  type EngineHost,
  type EngineHostOptions,
  type HostedEngine,
  type HostedPreset,
  type HostMemory,
  openEngineHost,
  type Requirement,
  type UseOptions,
} from './host/index.js';
export type {
  AnalyzeFacesOptions,
  AnalyzeOptions,
  Attribute,
  BatchingOptions,
  CallOptions,
  DetectOptions,
  EmbedOptions,
  EngineOptions,
  IdentifyOptions,
  MatchOptions,
  ReconstructOptions,
  SelectOptions,
} from './options.js';
export { PRESETS, type Preset, type PresetName } from './presets.js';
export type { ReconstructedFace } from './reconstruction.js';
