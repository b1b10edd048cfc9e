/** Sessions recorded picture by picture, and played again to the bit. */
export type { SegmentFacts, SessionCamera, SessionFacts, SessionStorage } from './format.js';
export { type RecordSessionOptions, recordSession, SessionRecording, type SessionSource } from './record.js';
export { openReplay, type ReplayOptions, type ReplaySession } from './session.js';
export type { ReplaySource } from './source.js';
