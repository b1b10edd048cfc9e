import { createHash, randomUUID, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { invalid, nonEmptyString, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError, wrapError } from '../errors.js';
import { decodeTemplate, encodeTemplate } from '../templates/index.js';
import { collectionName, DEFAULT_COLLECTION, MAX_PROBES } from './check.js';
import {
  bytesFromBase64,
  errorToWire,
  floatsFromBase64,
  IDEMPOTENCY_HEADER,
  OPERATIONS,
  REQUEST_ID_HEADER,
  SERVICE_NAME,
  type StorageOperation,
  WIRE_VERSION,
  type WireDelete,
  type WireGet,
  type WireList,
  type WireMatch,
  type WireScope,
  type WireService,
  type WireStore,
} from './http-wire.js';
import type { Probe, TemplateItem, TemplateStorage } from './types.js';

/** What is known of a request before its body is read. */
export interface StorageRequest {
  /** `describe`: which model the storage holds, and nothing else. */
  readonly operation: StorageOperation | 'describe';
  /** Bearer token; absent where there is none. */
  readonly token?: string;
  readonly requestId: string;
  readonly headers: IncomingHttpHeaders;
}

/** Whether a request may go on, in all collections or only in these. */
export type StorageGrant = boolean | { readonly collections: readonly string[] };

export interface StorageHandlerOptions {
  /** Decides before the body is read. False: 401 without a token, 403 with one. */
  readonly authorize: (request: StorageRequest) => StorageGrant | Promise<StorageGrant>;
  /** Longest body that is read. Default 16 MiB, some 2500 templates of 1153 numbers. */
  readonly maxBodyBytes?: number;
  /** Is told of every answer that says of a fault of the server (500, 503, 507): the caller learns only its kind. */
  readonly onError?: (error: LineamentError, requestId: string) => void;
}

/** A refusal of HTTP's own kind: its status is not that of its code. */
class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly error: LineamentError,
    readonly headers: Record<string, string> = {},
  ) {
    super(error.message);
  }
}

/** An `authorize` that asks for one bearer token, compared in constant time. */
export function bearerToken(expected: string): StorageHandlerOptions['authorize'] {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  const wanted = digest(nonEmptyString('expected', expected));
  return ({ token }) => token !== undefined && timingSafeEqual(digest(token), wanted);
}

/**
 * The storage service as a handler for `node:http` or `node:https` (or anything that speaks their types): answers paths that end in
 * `/v1` or `/v1/<operation>`, as SERVICE.md says. Limits on connections, header sizes and slow senders are the server's
 * (`requestTimeout`, `headersTimeout`, `maxConnections`). It never rejects, and does not close the storage.
 */
export function createStorageHandler(
  storage: TemplateStorage,
  options: StorageHandlerOptions,
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  plainObject('options', options, ['authorize', 'maxBodyBytes', 'onError']);
  const { authorize, onError } = options;
  if (typeof authorize !== 'function') {
    throw new LineamentError('INVALID_ARGUMENT', 'Expected function for options.authorize', {
      fix: 'bearerToken() makes one.',
    });
  }
  const most = positiveInteger('options.maxBodyBytes', options.maxBodyBytes ?? 16 * 2 ** 20);
  return async (request, response) => {
    const requestId = requestIdOf(request);
    response.setHeader(REQUEST_ID_HEADER, requestId);
    try {
      const operation = operationOf(request);
      const token = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      const headers = request.headers;
      const grant = await authorize({ operation, requestId, headers, ...(token === undefined ? {} : { token }) });
      if (grant === false) {
        const denied = new LineamentError(
          'ACCESS_DENIED',
          token === undefined ? 'no token' : 'the token does not allow this',
        );
        throw token === undefined
          ? new Refusal(401, denied, { 'www-authenticate': 'Bearer' })
          : new Refusal(403, denied);
      }
      const allowed = grant === true ? undefined : grant.collections;
      const body = operation === 'describe' ? undefined : await bodyOf(request, most);
      reply(response, 200, await answer(storage, operation, body, allowed, request, response));
    } catch (thrown) {
      const error = thrown instanceof Refusal ? thrown.error : wrapError(thrown);
      const status = thrown instanceof Refusal ? thrown.status : error.status;
      if (status >= 500) onError?.(error, requestId);
      if (thrown instanceof Refusal) {
        for (const [name, value] of Object.entries(thrown.headers)) response.setHeader(name, value);
      }
      if (status === 503) response.setHeader('retry-after', '1');
      reply(response, status, errorToWire(error));
    }
  };
}

/** The caller's id where it is one, else a new one. */
function requestIdOf(request: IncomingMessage): string {
  const given = request.headers[REQUEST_ID_HEADER];
  return typeof given === 'string' && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

function operationOf(request: IncomingMessage): StorageOperation | 'describe' {
  const path = (request.url ?? '').split('?', 1)[0]!;
  const found = /\/v1(?:\/([a-z-]+))?$/.exec(path);
  const operation = found?.[1] ?? 'describe';
  if (found === null || (operation !== 'describe' && !(OPERATIONS as readonly string[]).includes(operation))) {
    throw new LineamentError('NOT_FOUND', `there is nothing at ${path.slice(0, 100)}`);
  }
  const method = operation === 'describe' ? 'GET' : 'POST';
  if (request.method !== method) {
    throw new Refusal(405, new LineamentError('INVALID_ARGUMENT', `Expected ${method} for ${path}`), { allow: method });
  }
  return operation as StorageOperation | 'describe';
}

async function bodyOf(request: IncomingMessage, most: number): Promise<Record<string, unknown>> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new Refusal(415, new LineamentError('INVALID_ARGUMENT', 'Expected application/json for content-type'));
  }
  const tooLong = (): Refusal =>
    new Refusal(
      413,
      new LineamentError('INVALID_ARGUMENT', `Expected body of at most ${most} bytes`, { fix: 'Send less at once.' }),
      { connection: 'close' },
    );
  if (Number(request.headers['content-length'] ?? 0) > most) throw tooLong();
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > most) throw tooLong();
    chunks.push(chunk);
  }
  let body: unknown;
  try {
    body = JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch (cause) {
    throw new LineamentError('INVALID_ARGUMENT', 'the body is not JSON', { cause });
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw invalid('the body', 'object', body);
  return body as Record<string, unknown>;
}

async function answer(
  storage: TemplateStorage,
  operation: StorageOperation | 'describe',
  body: unknown,
  allowed: readonly string[] | undefined,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<object> {
  const inside = (collection: string | undefined): { collection?: string } => {
    if (allowed !== undefined && (collection === undefined || !allowed.includes(collection))) {
      throw new LineamentError('ACCESS_DENIED', 'the token is for other collections');
    }
    return collection === undefined ? {} : { collection: collectionName(collection) };
  };
  switch (operation) {
    case 'describe':
      return {
        service: SERVICE_NAME,
        version: WIRE_VERSION,
        model: storage.model,
        matching: storage.matching,
      } satisfies WireService;
    case 'store': {
      const { collection = DEFAULT_COLLECTION, replace, templates } = body as WireStore;
      const where = inside(collection);
      const items: readonly TemplateItem[] = Array.isArray(templates)
        ? templates.map((item: Partial<WireStore['templates'][number]> | null, i) => ({
            id: item?.id as string,
            template: decodeTemplate(bytesFromBase64(`templates[${i}].template`, item?.template)),
          }))
        : []; // Refused where an empty list is.
      const key = request.headers[IDEMPOTENCY_HEADER];
      return storage.storeTemplates(items, {
        ...where,
        ...(replace === undefined ? {} : { replace }),
        ...(typeof key === 'string' ? { idempotencyKey: decodeKey(key) } : {}),
      });
    }
    case 'get': {
      const { collection = DEFAULT_COLLECTION, id } = body as WireGet;
      const found = await storage.getTemplate(id, inside(collection));
      if (found === undefined) throw new LineamentError('NOT_FOUND', `'${id}'`);
      return { ...found, template: Buffer.from(encodeTemplate(found.template)).toString('base64') };
    }
    case 'delete': {
      const { collection = DEFAULT_COLLECTION, ids } = body as WireDelete;
      return { deleted: await storage.deleteTemplates(ids, inside(collection)) };
    }
    case 'delete-expired':
      return { deleted: await storage.deleteExpired(inside((body as WireScope).collection)) };
    case 'count':
      return { count: await storage.count(inside((body as WireScope).collection)) };
    case 'list': {
      const { collection, after, limit } = body as WireList;
      return storage.listTemplates({
        ...inside(collection),
        ...(after === undefined ? {} : { after }),
        ...(limit === undefined ? {} : { limit }),
      });
    }
    case 'match':
      return { matches: await match(storage, body as WireMatch, allowed, whileWaited(response)) };
  }
}

async function match(
  storage: TemplateStorage,
  { model, modelHash, probes, k, threshold, collections }: WireMatch,
  allowed: readonly string[] | undefined,
  signal: AbortSignal,
): Promise<object> {
  if (!Array.isArray(probes) || probes.length > MAX_PROBES) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected array of 1 to ${MAX_PROBES} probes`);
  }
  const all = probes.map((probe: Partial<WireMatch['probes'][number]> | null, i): Probe => {
    const vector = floatsFromBase64(`probes[${i}].vector`, probe?.vector);
    const { protection } = probe ?? {};
    return {
      model,
      dims: vector.length,
      vector,
      ...(modelHash === undefined ? {} : { modelHash }),
      ...(protection === undefined ? {} : { protection }),
    };
  });
  if (allowed !== undefined && Array.isArray(collections) && !collections.every((one) => allowed.includes(one))) {
    throw new LineamentError('ACCESS_DENIED', 'the token is for other collections');
  }
  const where = collections ?? allowed;
  return storage.findMatchesBatch(all, {
    signal,
    ...(k === undefined ? {} : { k }),
    ...(threshold === undefined ? {} : { threshold }),
    ...(where === undefined ? {} : { collection: where }),
  });
}

/** Fires when the caller has gone before he was answered. */
function whileWaited(response: ServerResponse): AbortSignal {
  const gone = new AbortController();
  response.once('close', () => {
    if (!response.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** Keys travel percent-encoded: a header holds no more than Latin-1. */
function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch (cause) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected percent-encoded text for ${IDEMPOTENCY_HEADER}`, { cause });
  }
}

function reply(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed || response.headersSent) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  });
  response.end(text);
}
