/** Where templates lie and who is looked up among them: in this process, behind a service, in PostgreSQL, in Milvus. */
export { type EmbeddedStorageOptions, openEmbeddedStorage } from './embedded.js';
export { connectStorage, type RemoteStorageOptions } from './http-client.js';
export {
  bearerToken,
  createStorageHandler,
  type StorageGrant,
  type StorageHandlerOptions,
  type StorageRequest,
} from './http-handler.js';
export type { TlsOptions } from './http-request.js';
export type { StorageOperation } from './http-wire.js';
export { type MilvusStorageOptions, openMilvusStorage } from './milvus.js';
export type { MilvusConnection } from './milvus-client.js';
export { openPostgresStorage, type PostgresStorageOptions } from './postgres.js';
export type { HnswOptions, PostgresClient, PostgresPool } from './postgres-schema.js';
export type {
  CallOptions,
  CollectionOptions,
  CountOptions,
  ListOptions,
  MatchOptions,
  Probe,
  StorageModel,
  StoredTemplate,
  StoreResult,
  StoreTemplateOptions,
  TemplateEntry,
  TemplateItem,
  TemplateMatch,
  TemplateMatcher,
  TemplatePage,
  TemplateRef,
  TemplateStorage,
  TemplateStore,
} from './types.js';
