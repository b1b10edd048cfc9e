/** Clips of what happened: video with the moments before, thumbnail and facts. */
export type { Clip, ClipPicture } from './clip.js';
export { H264_ENCODERS, type H264Encoder } from './encoders.js';
export { bufferSecondsFor, type ClipEvent, type ClipOptions, ClipRecorder } from './recorder.js';
export type { Recording, RecordRequest } from './recording.js';
export type { ClipRecovery, RecoveredClip } from './recover.js';
export type { FrameSource } from './source.js';
