/** Lineament: face biometrics for Node.js, in process, offline, off the event loop. */
export * from './engine/index.js';
export { ERRORS, type ErrorCode, LineamentError } from './errors.js';
export type { Bytes, ImageInput, MatLike, RawImage, SharpLike } from './image/input.js';
export type { MemoryUse, Mode } from './inference/runtime.js';
export type { CpuInfo, SimdLevel } from './native/addon.js';
export type { Candidate, Match } from './recognition/compare.js';
export { similarity } from './recognition/compare.js';
export {
  type Box,
  type Embedding,
  EXPRESSIONS,
  type Exposure,
  type Expression,
  type ExpressionLabel,
  type Face,
  type Frame,
  type FrameFormat,
  type Gender,
  type Point,
  type Pose,
} from './types.js';
