/** The engine: every stage behind one object. */
export type { AnalyzedFace, FaceAnalysis } from './analysis.js';
export { Engine, openEngine, type RecogniserIdentity, type Verification } from './engine.js';
export type {
  AnalyzeFacesOptions,
  AnalyzeOptions,
  Attribute,
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
