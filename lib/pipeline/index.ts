/**
 * The live pipeline: cameras in, events out. Tracks people from frame to frame, finds out who they are, tells what happens, keeps it.
 *
 * @module
 */
export type { EventListener, EventOf, SubscribeOptions } from './bus.js';
export * from './clips/index.js';
export type { ClipRule } from './event-clips.js';
export * from './events/index.js';
export { LatencyHistogram, type LatencySummary } from './histogram.js';
export * from './identity/index.js';
export { openPipeline } from './open.js';
export type { AnalyzeRule, Findings, InspectedFace, PipelineCamera, PipelineOptions } from './options.js';
export { Pipeline } from './pipeline.js';
export {
  type Look as PrivacyLook,
  PRIVACY_MODES,
  type PrivacyMode,
  type PrivacyPolicy,
  Redactor,
} from './privacy/index.js';
export * from './replay/index.js';
export { STAGES, type Stage } from './stages.js';
export type { ClosingReport, PipelineStats, TracksSnapshot, WatchedCamera, WatchedTrack } from './stats.js';
export { assign, type Looks as TrackerLooks, looksOf, Tracker, type TrackerOptions } from './tracking/index.js';
export type * from './types.js';
