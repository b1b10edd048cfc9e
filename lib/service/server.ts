/** The HTTP server: plug-ins, limits, errors, and the groups of routes put together. */
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { createSecureContext } from 'node:tls';
import { ERRORS, LineamentError } from '../errors.js';
import { protect } from './auth/index.js';
import { addDocs } from './docs.js';
import { collectSchemas, serveOpenApi } from './openapi.js';
import { limitPatience } from './patience.js';
import { errorHandler, PROBLEM_TYPE, problem, problemOf, sendProblem, toLineamentError } from './problem.js';
import { securityHeaders } from './security-headers.js';
import type { Principal, Priority, Scope, ServiceConfig, ServiceParts } from './types.js';
import { answerUnmatched } from './unmatched.js';
import {
  AjvCompiler,
  cors,
  dependentRequiredKeyword,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyTypeProvider,
  fastify,
  multipart,
  type Static,
  type TSchema,
  websocket,
} from './vendor.js';

/** Types of requests and answers follow from the TypeBox schemas of a route. */
export interface TypeBoxProvider extends FastifyTypeProvider {
  readonly validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  readonly serializer: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
}

export type App = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxProvider>;

/**
 * Adds routes. Each states `schema` (with `operationId`, `summary`, `tags` and the answer of success; schemas with a `title` in PascalCase become named
 * components of the OpenAPI document) and `config: { scope }`. Problems (4xx, 5xx) are added to every route by the server.
 */
export type RouteGroup = (app: App, parts: ServiceParts) => void | Promise<void>;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call it; `public` asks for nothing. */
    scope?: Scope | 'public';
    /** Name of the operation in logs and metrics. */
    kind?: string;
    /** Set where each request is work on pictures, of this priority: what has no hope is refused before its body is read. */
    work?: Priority;
  }
  interface FastifyRequest {
    principal: Principal;
  }
}

/** Longest part of an address that is taken for an id. */
const MAX_PARAM_LENGTH = 512;
const MAX_HEADER_BYTES = 16 * 1024;
/** Longest message that a client may send over a WebSocket. */
const MAX_WS_MESSAGE = 64 * 1024;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

const replies = new WeakMap<FastifyRequest, ServerResponse>();
const signals = new WeakMap<FastifyRequest, AbortSignal>();

/** Fires when the client goes away before its answer was sent. */
export function clientSignal(request: FastifyRequest): AbortSignal {
  const known = signals.get(request);
  if (known !== undefined) return known;
  const controller = new AbortController();
  const response = replies.get(request);
  const gone = (): void => {
    if (response?.writableFinished !== true) controller.abort(new Error('the client has gone'));
  };
  if (response?.destroyed === true) gone();
  else response?.once('close', gone);
  signals.set(request, controller.signal);
  return controller.signal;
}

/** Builds the server with these routes, ready to listen or to be asked by `inject`. Closing it is the caller's. */
export async function buildServer(parts: ServiceParts, groups: readonly RouteGroup[]): Promise<App> {
  const { config } = parts;
  const app = await newApp(config, parts);
  app.decorateRequest('principal');
  app.addHook('onRequest', async (request, reply) => {
    replies.set(request, reply.raw);
    reply.header('x-request-id', request.id);
    // What comes over connections that are still busy. Whether it lives is told to the end.
    if (parts.closing.aborted && request.routeOptions.config?.scope !== 'public') {
      throw new LineamentError('CLOSED', 'the service stops');
    }
  });
  limitPatience(app, config.server.requestTimeoutMs, ({ raw: { socket } }, answered) => {
    if (answered) socket.destroy();
    else refuseConnection(Object.assign(new Error('too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  });
  limitBodies(app, config);
  dropRests(app, config);
  dropUnread(app, config);
  countRequests(app, parts);
  app.setErrorHandler(errorHandler(parts));
  const headers = securityHeaders(config);
  app.addHook('onRequest', async (_, reply) => {
    reply.headers(headers);
  });
  if (config.cors.origins.length > 0) {
    await app.register(cors, {
      origin: config.cors.origins.includes('*') ? '*' : [...config.cors.origins],
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
      allowedHeaders: ['authorization', 'content-type', 'x-api-key', 'x-request-id', 'idempotency-key'],
      exposedHeaders: ['x-request-id', 'retry-after', 'content-disposition'],
      maxAge: 600,
    });
  }
  await app.register(multipart, {
    limits: {
      fileSize: config.limits.imageBytes,
      files: config.limits.images,
      fieldSize: Math.min(config.limits.bodyBytes, 1024 * 1024),
      fields: 64,
      parts: config.limits.images + 64,
      headerPairs: 64,
    },
    throwFileSizeLimit: true,
  });
  app.addContentTypeParser(/^(?:image\/|application\/octet-stream(?:;|$))/i, { parseAs: 'buffer' }, (_, body, done) =>
    done(null, body),
  );
  await app.register(websocket, {
    options: { maxPayload: MAX_WS_MESSAGE },
    // What broke the rules of WebSockets is told so by `ws`, which is closing then; anything else is ours.
    errorHandler: (_, socket) => socket.close(1011),
  });
  await collectSchemas(app, config);
  await protect(app, parts);
  answerUnmatched(app);
  addProblems(app);
  serveOpenApi(app);
  if (config.server.docs) addDocs(app);
  for (const group of groups) await group(app, parts);
  await app.ready();
  return app;
}

async function newApp(config: ServiceConfig, parts: Pick<ServiceParts, 'log'>): Promise<App> {
  const { server, limits } = config;
  const tls = server.tls === undefined ? undefined : await readTls(server.tls);
  const connections = {
    headersTimeout: server.headersTimeoutMs,
    maxHeaderSize: MAX_HEADER_BYTES,
    // How often Node looks for connections that are over their time.
    connectionsCheckingInterval: Math.max(100, Math.min(5000, Math.floor(server.headersTimeoutMs / 2))),
  };
  const options = {
    loggerInstance: quietLogger(parts),
    bodyLimit: limits.bodyBytes,
    // Of Node's own limit no route could be exempt: limitPatience takes its place.
    requestTimeout: 0,
    keepAliveTimeout: server.keepAliveMs,
    forceCloseConnections: 'idle' as const,
    // Fastify's own answer is no problem document.
    return503OnClosing: false,
    trustProxy: server.trustProxy.length === 0 ? false : [...server.trustProxy],
    requestIdHeader: false as const,
    genReqId: (request: IncomingMessage) => {
      const given = request.headers['x-request-id'];
      return typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
    },
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
    exposeHeadRoutes: true,
    onProtoPoisoning: 'error' as const,
    onConstructorPoisoning: 'error' as const,
    schemaController: { compilersFactory: { buildValidator } },
    frameworkErrors: (thrown: unknown, request: FastifyRequest, reply: FastifyReply) => {
      void sendProblem(toLineamentError(thrown), request, reply);
    },
    clientErrorHandler: refuseConnection,
  };
  const app =
    tls === undefined
      ? fastify({ ...options, http: connections } as never)
      : fastify({ ...options, https: { ...connections, ...tls } } as never);
  return app as unknown as App;
}

async function readTls({ cert, key }: NonNullable<ServiceConfig['server']['tls']>) {
  const options = { cert: await readPem('cert', cert), key: await readPem('key', key), minVersion: 'TLSv1.2' as const };
  try {
    createSecureContext(options);
  } catch (cause) {
    throw new LineamentError('CONFIG_INVALID', `server.tls: ${(cause as Error).message}`, {
      cause,
      fix: 'Name PEM files of a certificate and of its own key.',
    });
  }
  return options;
}

async function readPem(name: string, file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new LineamentError('CONFIG_INVALID', `server.tls.${name} cannot be read: ${(cause as Error).message}`, {
      cause,
    });
  }
}

/**
 * Bodies are taken as they are: the text "5" is no number, and no null becomes 0. Parts of addresses are text, so those are converted.
 * Unknown fields are refused where a schema says so, never dropped.
 */
const buildValidator: typeof AjvCompiler = ((external: unknown, options: { customOptions?: object }) => {
  const build = AjvCompiler();
  const common = { removeAdditional: false, useDefaults: true, allErrors: false, strictTypes: false };
  // Of JSON Schema 2019-09, which OpenAPI 3.1 speaks.
  const onCreate = (ajv: { addKeyword(definition: unknown): void }): void =>
    ajv.addKeyword('default' in dependentRequiredKeyword ? dependentRequiredKeyword.default : dependentRequiredKeyword);
  const compile = (coerceTypes: false | 'array') =>
    build(
      external as never,
      { ...options, onCreate, customOptions: { ...options.customOptions, ...common, coerceTypes } } as never,
    );
  const strict = compile(false);
  const lenient = compile('array');
  return (route: { httpPart?: string }) => (route.httpPart === 'body' ? strict : lenient)(route as never);
}) as never;

/** Refuses a body by its stated length before a byte of it is read, whatever its type; parsers count what comes. */
function limitBodies(app: App, { limits }: ServiceConfig): void {
  app.addHook('onRequest', async (request) => {
    const length = Number(request.headers['content-length'] ?? 0);
    // A route that reads its body as it comes has a limit of its own.
    const most = request.routeOptions.bodyLimit ?? limits.bodyBytes;
    if (length > most) {
      throw new LineamentError('PAYLOAD_TOO_LARGE', `the body has ${length} bytes, and ${most} are allowed`);
    }
  });
}

/**
 * What is left of a body that nobody wants any more is read and dropped, so that the next request of the connection is not taken for its end. Where nobody said
 * how much is to come, or it is too much, the connection ends instead.
 */
function dropRests(app: App, { limits }: ServiceConfig): void {
  app.addHook('onSend', async ({ raw }, reply) => {
    if (raw.complete || reply.raw.headersSent) return;
    const stated = raw.headers['content-length'];
    if (stated === undefined || Number(stated) > limits.bodyBytes) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete || raw.destroyed) return;
    raw.unpipe();
    raw.resume();
  });
}

/**
 * Lets go of who takes nothing of its answer for so long: it would keep the connection, the rest of the answer, and the room that its body was given.
 * An answer that is silent because there is nothing to tell is left alone.
 */
function dropUnread(app: App, { server: { requestTimeoutMs } }: ServiceConfig): void {
  // WebSockets of tests come over streams that know no time.
  const isTimed = ({ socket }: ServerResponse): boolean => socket === null || socket instanceof Socket;
  app.addHook('onRequest', async (_, { raw }) => {
    // Work takes the time that it takes; an answer before this one may have left its limit on the connection.
    if (isTimed(raw)) raw.socket?.setTimeout(0);
  });
  app.addHook('onSend', async (_, { raw }) => {
    if (!isTimed(raw)) return;
    raw.setTimeout(requestTimeoutMs, () => {
      const { socket } = raw;
      if (socket !== null && socket.writableLength > 0) socket.destroy();
      else socket?.setTimeout(requestTimeoutMs);
    });
  });
}

/** One line of the log and one count for each request. Never the query, which may hold what is nobody's business. */
function countRequests(app: App, { log, metrics }: ServiceParts): void {
  const count = (request: FastifyRequest, reply: FastifyReply, status: number): void => {
    const route = request.routeOptions.url ?? 'unmatched';
    metrics.request(route, request.method, status, reply.elapsedTime / 1000);
    const ms = Math.round(reply.elapsedTime * 10) / 10;
    const who = request.principal?.id;
    log.info({ id: request.id, method: request.method, route, status, ms, ...(who && { who }) }, 'request');
  };
  app.addHook('onRequest', async (request, reply) => {
    const { raw } = reply;
    // Of those that were not answered to the end `onResponse` does not hear.
    raw.once('close', () => {
      if (raw.writableFinished || request.ws) return;
      count(request, reply, raw.headersSent ? reply.statusCode : ERRORS.ABORTED.status);
    });
  });
  app.addHook('onResponse', async (request, reply) => count(request, reply, reply.statusCode));
}

/** Every route may answer with a problem; it is said in one place. */
function addProblems(app: App): void {
  app.addHook('onRoute', (route) => {
    if (route.schema === undefined || route.schema.hide === true) return;
    const given = (route.schema.response ?? {}) as Record<string, unknown>;
    route.schema.response = {
      ...given,
      '4xx': given['4xx'] ?? problem('The request cannot be answered'),
      '5xx': given['5xx'] ?? problem('The service cannot answer now'),
    };
  });
}

/** Answers what is not even HTTP, or too slow or too long to become it. */
function refuseConnection(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  const late = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const [status, reason, code, detail] = late
    ? ([408, 'Request Timeout', 'DEADLINE_EXCEEDED', 'the request did not come in whole in time'] as const)
    : error.code === 'HPE_HEADER_OVERFLOW'
      ? ([431, 'Request Header Fields Too Large', 'PAYLOAD_TOO_LARGE', 'the headers are too long'] as const)
      : ([400, 'Bad Request', 'INVALID_ARGUMENT', 'this is not a request of HTTP'] as const);
  const fix = 'Send it faster, or raise server.request_timeout_ms (server.headers_timeout_ms for its headers).';
  const refused = new LineamentError(code, detail, late ? { fix } : {});
  const body = JSON.stringify({ ...problemOf(refused, randomUUID()), status });
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    `content-type: ${PROBLEM_TYPE}`,
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}

/** What Fastify itself has to say goes into our log; its lines about requests do not: there is one of ours for each. */
function quietLogger({ log }: Pick<ServiceParts, 'log'>): FastifyBaseLogger {
  const nothing = (): void => {};
  const tell = (level: 'error' | 'warn') => (given: unknown, message?: string) => {
    const error = (given as { err?: unknown })?.err ?? given;
    const text = error instanceof Error ? error.message : typeof given === 'string' ? given : undefined;
    log[level]({ ...(text === undefined ? {} : { error: text }) }, message ?? 'server');
  };
  const logger = {
    level: 'warn',
    fatal: tell('error'),
    error: nothing,
    warn: tell('warn'),
    info: nothing,
    debug: nothing,
    trace: nothing,
    silent: nothing,
    child: () => logger,
  };
  return logger as unknown as FastifyBaseLogger;
}
