import { randomUUID } from 'node:crypto';
import { invalid, nonEmptyString, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkPin, cursorOf, storageModel } from './check.js';
import type { Entries, NewRow, PutRequest, PutResult, Row, SearchRequest, StorageDriver } from './driver.js';
import { type Answer, type TlsOptions, Transport } from './http-request.js';
import {
  bytesFromBase64,
  errorFromWire,
  floatsToBase64,
  IDEMPOTENCY_HEADER,
  SERVICE_NAME,
  type StorageOperation,
  WIRE_VERSION,
  type WireCount,
  type WireDeleted,
  type WireMatch,
  type WireMatches,
  type WireService,
  type WireStore,
  type WireTemplate,
} from './http-wire.js';
import { Storage } from './storage.js';
import type { StorageModel, StoreResult, TemplateMatch, TemplatePage, TemplateRef, TemplateStorage } from './types.js';

export interface RemoteStorageOptions {
  /** Where the service is: `https://host[:port][/path]`. `http:` is for this machine only, unless `insecure` says otherwise. */
  readonly url: string;
  /** Bearer token, or what gives one before each request (for tokens that are renewed). */
  readonly token?: string | (() => string | Promise<string>);
  readonly tls?: TlsOptions;
  /** Allow `http:` to another machine: templates then travel in the clear. Default false. */
  readonly insecure?: boolean;
  /** Refuse a service that holds another model. Absent: take what it holds. */
  readonly model?: StorageModel;
  /** Longest wait for one answer, in milliseconds. Default 10 000. */
  readonly timeoutMs?: number;
  /** How often a request is repeated when the service is away or busy. Default 3. */
  readonly retries?: number;
  /** Longest wait before the first repetition, in milliseconds; doubles with each. Default 100. */
  readonly retryDelayMs?: number;
  /** No wait between tries is longer. Default 5000. */
  readonly maxRetryDelayMs?: number;
  /** Longest answer that is read. Default 64 MiB. */
  readonly maxResponseBytes?: number;
  /** Connections kept open at most. Default 16. */
  readonly maxConnections?: number;
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  'url',
  'token',
  'tls',
  'insecure',
  'model',
  'timeoutMs',
  'retries',
  'retryDelayMs',
  'maxRetryDelayMs',
  'maxResponseBytes',
  'maxConnections',
  'signal',
] as const satisfies readonly (keyof RemoteStorageOptions)[];

/**
 * Connects to a storage service ({@link createStorageHandler}, or whatever else speaks the format of SERVICE.md).
 *
 * Every request may be repeated and is: reading and deleting change nothing the second time, and storing carries an idempotency
 * key, the caller's or one made here. Requests carry an `x-request-id`, which messages of errors name.
 *
 * The service sees the vectors, as it has to compare them: use TLS, let it seal what it stores, and give it protected templates
 * (`protectTemplate`) where it must not learn more than it needs.
 *
 * Rejects with `STORE_UNAVAILABLE` (also: certificate not trusted, not a storage service), `STORE_VERSION` (it speaks a later
 * version of the format), `ACCESS_DENIED`, `EMBEDDING_MISMATCH`, `INVALID_ARGUMENT`, `ABORTED`.
 */
export async function connectStorage(options: RemoteStorageOptions): Promise<TemplateStorage> {
  plainObject('options', options, OPTIONS);
  const origin = serviceUrl(options);
  const { token, tls = {}, signal } = options;
  if (token !== undefined && typeof token !== 'function') nonEmptyString('options.token', token);
  plainObject('options.tls', tls, ['ca', 'cert', 'key', 'servername']);
  const asked = options.model === undefined ? undefined : storageModel(options.model);
  const number = (name: 'timeoutMs' | 'retryDelayMs' | 'maxRetryDelayMs' | 'maxResponseBytes' | 'maxConnections') =>
    positiveInteger(`options.${name}`, options[name] ?? DEFAULTS[name], 2 ** 31 - 1);
  const retries = options.retries === 0 ? 0 : positiveInteger('options.retries', options.retries ?? 3, 100);
  const transport = new Transport({
    origin,
    token,
    tls,
    retries,
    timeoutMs: number('timeoutMs'),
    retryDelayMs: number('retryDelayMs'),
    maxRetryDelayMs: number('maxRetryDelayMs'),
    maxResponseBytes: number('maxResponseBytes'),
    maxConnections: number('maxConnections'),
  });
  try {
    const body = await transport.send({ method: 'GET', path: '/v1', signal }, randomUUID(), (answer) =>
      errorOf(answer, origin.host),
    );
    const { service, version, model, matching } = body as WireService;
    if (service !== SERVICE_NAME) {
      throw new LineamentError('STORE_UNAVAILABLE', `${origin.host} is not a storage service`, { fix: URL_FIX });
    }
    if (version !== WIRE_VERSION) {
      throw new LineamentError('STORE_VERSION', `${origin.host} speaks version ${String(version)} of the format`);
    }
    const held = storageModel(model);
    if (asked !== undefined) checkPin(held, asked, origin.host);
    return new Storage(new HttpDriver(transport, origin, held, matching === 'exact' ? 'exact' : 'approximate'));
  } catch (error) {
    transport.close();
    throw error;
  }
}

const DEFAULTS = {
  timeoutMs: 10_000,
  retryDelayMs: 100,
  maxRetryDelayMs: 5000,
  maxResponseBytes: 64 * 2 ** 20,
  maxConnections: 16,
};
const URL_FIX = 'Check that the URL names a Lineament storage service.';

function serviceUrl({ url, insecure }: RemoteStorageOptions): URL {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.username !== '') {
    throw invalid('options.url', 'URL of a service (https://host[:port][/path])', url);
  }
  const local = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/.test(parsed.hostname);
  if (parsed.protocol === 'http:' && !local && insecure !== true) {
    throw invalid(
      'options.url',
      'https URL',
      url,
      'Templates are personal data: use TLS, or set insecure on a network that is safe.',
    );
  }
  return parsed;
}

function errorOf({ status, body }: Answer, origin: string): LineamentError | undefined {
  if (status >= 200 && status < 300) return undefined;
  const said = errorFromWire(body, origin);
  if (said !== undefined) return said;
  if (status === 401 || status === 403) return new LineamentError('ACCESS_DENIED', `${origin} answered ${status}`);
  return new LineamentError(
    'STORE_UNAVAILABLE',
    `${origin} answered ${status}`,
    status === 404 ? { fix: URL_FIX } : {},
  );
}

class HttpDriver implements StorageDriver {
  readonly name: string;

  constructor(
    readonly transport: Transport,
    readonly origin: URL,
    readonly model: StorageModel,
    readonly matching: 'exact' | 'approximate',
  ) {
    this.name = `the storage at ${origin.host}`;
  }

  async put(
    collection: string,
    rows: readonly NewRow[],
    { replace, key }: PutRequest,
    signal?: AbortSignal,
  ): Promise<PutResult> {
    const templates = rows.map(({ id, bytes }) => ({ id, template: base64(bytes) }));
    const body: WireStore = { collection, replace, templates };
    const headers = { [IDEMPOTENCY_HEADER]: encodeURIComponent(key?.id ?? randomUUID()) };
    const { replaced, replayed } = await this.#post<StoreResult>('store', body, signal, headers);
    // A key made here and known there: the first try arrived, only its answer did not.
    return { replaced, replayed: key !== undefined && replayed };
  }

  async get(ref: TemplateRef, signal?: AbortSignal): Promise<Row | undefined> {
    try {
      const found = await this.#post<WireTemplate>('get', ref, signal);
      return { ...ref, storedAt: found.storedAt, protection: '', bytes: bytesFromBase64('template', found.template) };
    } catch (error) {
      if (error instanceof LineamentError && error.code === 'NOT_FOUND') return undefined;
      throw error;
    }
  }

  async remove(collection: string, ids: readonly string[], signal?: AbortSignal): Promise<number> {
    return (await this.#post<WireDeleted>('delete', { collection, ids }, signal)).deleted;
  }

  async removeExpired(_now: number, collection: string | undefined, signal?: AbortSignal): Promise<number> {
    return (await this.#post<WireDeleted>('delete-expired', scope(collection), signal)).deleted;
  }

  async list(
    collection: string | undefined,
    after: TemplateRef | undefined,
    limit: number,
    signal?: AbortSignal,
  ): Promise<Entries> {
    const from = after === undefined ? {} : { after: cursorOf(after) };
    const page = await this.#post<TemplatePage>('list', { ...scope(collection), ...from, limit }, signal);
    if (!Array.isArray(page.entries)) throw this.#nonsense('list');
    return { entries: page.entries, more: page.next !== undefined };
  }

  async count(collection: string | undefined, signal?: AbortSignal): Promise<number> {
    return (await this.#post<WireCount>('count', scope(collection), signal)).count;
  }

  async search(request: SearchRequest, signal?: AbortSignal): Promise<TemplateMatch[][]> {
    const { k, threshold, collections } = request;
    const { model, modelHash } = this.model;
    const body: WireMatch = {
      model,
      ...(modelHash === undefined ? {} : { modelHash }),
      probes: request.probes.map(({ vector, protection }) => ({
        vector: floatsToBase64(vector),
        ...(protection === undefined ? {} : { protection }),
      })),
      k,
      ...(threshold === undefined ? {} : { threshold }),
      ...(collections === undefined ? {} : { collections }),
    };
    const { matches } = await this.#post<WireMatches>('match', body, signal);
    if (!Array.isArray(matches) || matches.length !== request.probes.length) throw this.#nonsense('matches');
    return (matches as WireMatches['matches']).map((list) =>
      list.map(({ id, collection, similarity }) => ({ id, collection, similarity })),
    );
  }

  async close(): Promise<void> {
    this.transport.close();
  }

  async #post<T>(
    operation: StorageOperation,
    body: object,
    signal: AbortSignal | undefined,
    headers: Record<string, string> = {},
  ): Promise<T> {
    const call = { method: 'POST', path: `/v1/${operation}`, body: JSON.stringify(body), headers, signal } as const;
    const answer = await this.transport.send(call, randomUUID(), (got) => errorOf(got, this.origin.host));
    if (typeof answer !== 'object' || answer === null) throw this.#nonsense(operation);
    return answer as T;
  }

  #nonsense(what: string): LineamentError {
    return new LineamentError('STORE_FAILED', `${this.name} answered ${what} in a form that is not known`);
  }
}

const scope = (collection: string | undefined): { collection?: string } =>
  collection === undefined ? {} : { collection };

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
