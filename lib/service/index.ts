/** The service: everything that the library does, over HTTP and WebSocket. */
export {
  type ConfigSources,
  type DeepPartial,
  loadConfig,
  printConfig,
  type ServiceConfigInput,
} from './config/index.js';
export type { CameraConfig, Logger, Scope, ServiceConfig } from './config/types.js';
export { createLogger, type LogOptions } from './log.js';
export { openService, type Service, type ServiceOptions } from './open.js';
