/** ONNX Runtime for TypeScript: a runtime with its threads, sessions, memory accounting, cancellation. */
export { Lifetime } from './lifetime.js';
export { type MemoryUse, type Mode, Runtime, type RuntimeOptions } from './runtime.js';
export { Session } from './session.js';
