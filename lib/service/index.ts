/** The service: everything that the library does, over HTTP and WebSocket. */
export { type KeyDesk, openKeyDesk } from './auth/desk.js';
export type { ApiKey, CreatedKey, NewKey } from './auth/types.js';
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
