/**
 * The only door of third-party code into the service. `scripts/build-service.mjs` bundles this file with everything behind it, so that
 * the package has no dependency on any of it; whatever else in lib/service imports a package by name breaks in the published one.
 */
export { AjvCompiler } from '@fastify/ajv-compiler';
export { default as cors } from '@fastify/cors';
export { default as multipart, type Multipart, type MultipartFile } from '@fastify/multipart';
export { default as rateLimit } from '@fastify/rate-limit';
export { default as swagger } from '@fastify/swagger';
export { default as websocket, type WebSocket } from '@fastify/websocket';
export { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox';
export { default as dependentRequiredKeyword } from 'ajv/dist/vocabularies/validation/dependentRequired.js';
export {
  type FastifyBaseLogger,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyTypeProvider,
  fastify,
  type RawReplyDefaultExpression,
  type RawRequestDefaultExpression,
  type RawServerDefault,
  type RouteOptions,
} from 'fastify';
export { default as helmet } from 'helmet';
export * as jose from 'jose';
export { Counter, collectDefaultMetrics, Gauge, Histogram, Registry, Summary } from 'prom-client';
export {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parse as parseYaml,
  parseDocument,
  stringify as stringifyYaml,
} from 'yaml';
