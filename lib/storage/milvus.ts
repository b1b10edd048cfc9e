import { boolean, invalid, nonEmptyString, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { TemplateCipher } from '../templates/index.js';
import { checkPin, storageModel } from './check.js';
import {
  type Entries,
  keyConflict,
  type NewRow,
  type PutRequest,
  type PutResult,
  pageOf,
  protectionName,
  type Row,
  type SearchRequest,
  type StorageDriver,
} from './driver.js';
import {
  anyOf,
  BOOL,
  FLOAT_VECTOR,
  INT64,
  literal,
  Milvus,
  type MilvusConnection,
  milvusError,
  VARCHAR,
} from './milvus-client.js';
import { rerank } from './rerank.js';
import { Storage } from './storage.js';
import type { StorageModel, TemplateMatch, TemplateRef, TemplateStorage } from './types.js';

export interface MilvusStorageOptions extends StorageModel {
  /** A `MilvusClient`, which stays the caller's; or what makes one: `host:port`, or its options. */
  readonly client?: MilvusConnection;
  readonly connection?: string | Readonly<Record<string, unknown>>;
  /** Milvus collection that everything lies in; one for each model. Letters, digits, `_`. Default `lineament_templates`. */
  readonly name?: string;
  /** Partitions that collections are spread over, 1 to 1024; fixed when it is made. Default 16. */
  readonly partitions?: number;
  /** Kind and parameters of Milvus's index, fixed when it is made. Default `HNSW` with M 16 and efConstruction 200. */
  readonly index?: { readonly type: string; readonly params?: Readonly<Record<string, number>> };
  /** Nearest vectors of the index that are compared again, 1 to 10 000; at least twice `k` are. Default 200. */
  readonly candidates?: number;
  /** Longest wait for one answer, in milliseconds. Default 30 000. */
  readonly timeoutMs?: number;
  /** Seals the templates; the vectors that Milvus searches stay readable to it. */
  readonly cipher?: TemplateCipher;
  /** With a cipher: also take templates that are not protected, although their vectors lie beside them in the clear. Default false. */
  readonly allowPlainVectors?: boolean;
}

const OPTIONS = [
  'model',
  'dims',
  'modelHash',
  'client',
  'connection',
  'name',
  'partitions',
  'index',
  'candidates',
  'timeoutMs',
  'cipher',
  'allowPlainVectors',
] as const satisfies readonly (keyof MilvusStorageOptions)[];

/** Rows in one request, and names in one filter. */
const CHUNK = 1000;
/** Most rows that Milvus gives at once. */
const WINDOW = 16_384;
/** Base64 in a field of text of 65 535 bytes. */
const MOST_BYTES = 49_149;
/** Stands between collection and id in the key: smaller than every character of a name, so that keys sort as both do. */
const BETWEEN = '\u001f';
/** The row that says which model the collection holds: of no collection, before all others. */
const PIN = BETWEEN;

/**
 * Templates in Milvus (2.4 or newer), for galleries that one machine does not hold. Makes its collection where it is missing.
 * Needs the package `@zilliz/milvus2-sdk-node` unless a client is given.
 *
 * Milvus finds `candidates`, which are then compared by the 32-bit vectors in the templates: similarities are exact, which
 * templates are among the candidates is not certain (`matching` is `approximate`).
 *
 * Milvus has no transactions and no unique keys. Whether an id is taken is asked before it is written, so of two that store the
 * same new id at once the later one wins; a request of more than 1000 templates that fails half-way leaves what it has written,
 * and completes when repeated under its idempotency key; a key is remembered for as long as a template stored with it is there.
 *
 * Rejects with `STORE_UNAVAILABLE` (no server, no client package), `ACCESS_DENIED`, `EMBEDDING_MISMATCH` (it holds another
 * model), `STORE_CORRUPT` (the collection is not one of ours), `STORE_VERSION`, `INVALID_ARGUMENT`.
 */
export async function openMilvusStorage(options: MilvusStorageOptions): Promise<TemplateStorage> {
  plainObject('options', options, OPTIONS);
  const model = storageModel(options);
  const { name = 'lineament_templates', cipher } = options;
  if (typeof name !== 'string' || !/^[A-Za-z_]\w{0,200}$/.test(name)) {
    throw invalid('options.name', 'name of letters, digits and _', name);
  }
  const partitions = positiveInteger('options.partitions', options.partitions ?? 16, 1024);
  const candidates = positiveInteger('options.candidates', options.candidates ?? 200, 10_000);
  const timeout = positiveInteger('options.timeoutMs', options.timeoutMs ?? 30_000, 2 ** 31 - 1);
  const { type = 'HNSW', params } = options.index ?? {};
  const index = {
    type: nonEmptyString('options.index.type', type),
    params: params ?? (type === 'HNSW' ? { M: 16, efConstruction: 200 } : {}),
  };
  const allowPlainVectors = boolean('options.allowPlainVectors', options.allowPlainVectors ?? false);
  const { client, own } = await clientOf(options, timeout);
  const milvus = new Milvus(client, name);
  try {
    await client.connectPromise.catch((error: unknown) => {
      throw milvusError(error);
    });
    const { version } = await milvus.call<{ version: string }>('getVersion');
    await prepare(milvus, model, partitions, index);
    // Milvus gives the rows of a query in the order of their keys; Milvus Lite, made for tests, in that of their arrival.
    const ordered = !version.startsWith('milvus_lite');
    const driver = new MilvusDriver(milvus, own, model, candidates, ordered, cipher);
    return new Storage(driver, cipher, allowPlainVectors);
  } catch (error) {
    if (own) await client.closeConnection();
    throw error;
  }
}

async function clientOf(
  { client, connection }: MilvusStorageOptions,
  timeout: number,
): Promise<{ client: MilvusConnection; own: boolean }> {
  if ((client === undefined) === (connection === undefined)) {
    throw invalid('options', 'either client or connection', { client, connection });
  }
  if (client !== undefined) {
    if (typeof client?.search !== 'function') throw invalid('options.client', 'MilvusClient', client);
    return { client, own: false };
  }
  const config =
    typeof connection === 'string' ? { address: nonEmptyString('options.connection', connection) } : connection;
  let sdk: typeof import('@zilliz/milvus2-sdk-node');
  try {
    sdk = await import('@zilliz/milvus2-sdk-node');
  } catch (cause) {
    throw new LineamentError('STORE_UNAVAILABLE', 'the package @zilliz/milvus2-sdk-node is not installed', {
      cause,
      fix: 'Run: npm install @zilliz/milvus2-sdk-node',
    });
  }
  const made = new sdk.MilvusClient({ timeout, logLevel: 'error', ...config } as never);
  return { client: made as unknown as MilvusConnection, own: true };
}

interface Pin extends StorageModel {
  readonly version: number;
}

/** Makes the collection where it is missing, and checks that it holds the model. */
async function prepare(
  milvus: Milvus,
  model: StorageModel,
  partitions: number,
  index: { readonly type: string; readonly params: Readonly<Record<string, number>> },
): Promise<void> {
  const { value: there } = await milvus.call<{ value: boolean }>('hasCollection');
  if (!there) {
    await milvus.call('createCollection', {
      fields: [
        { name: 'key', data_type: VARCHAR, is_primary_key: true, max_length: 1600 },
        { name: 'collection', data_type: VARCHAR, is_partition_key: true, max_length: 512 },
        { name: 'protection', data_type: VARCHAR, max_length: 1024 },
        { name: 'stored_at', data_type: INT64 },
        { name: 'expires_at', data_type: INT64 },
        { name: 'request_key', data_type: VARCHAR, max_length: 1024 },
        { name: 'request_digest', data_type: VARCHAR, max_length: 64 },
        { name: 'replaced', data_type: BOOL },
        { name: 'template', data_type: VARCHAR, max_length: 65_535 },
        { name: 'vector', data_type: FLOAT_VECTOR, dim: model.dims },
      ],
      num_partitions: partitions,
      consistency_level: 'Strong',
      enable_dynamic_field: false,
    });
    const { type, params } = index;
    await milvus.call('createIndex', { field_name: 'vector', index_type: type, metric_type: 'IP', params });
  }
  await milvus.call('loadCollection');
  const pin = await readPin(milvus);
  if (pin !== undefined) return checkPin(pin, model, `the Milvus collection ${milvus.collection}`);
  const vector = Array.from({ length: model.dims }, (_, i) => (i === 0 ? 1 : 0));
  const template = JSON.stringify({ version: VERSION, ...model } satisfies Pin);
  await milvus.call('upsert', {
    data: [{ ...NO_REQUEST, key: PIN, collection: '', protection: '', stored_at: 0, expires_at: 0, template, vector }],
  });
}

const VERSION = 1;
const NO_REQUEST = { request_key: '', request_digest: '', replaced: false };

async function readPin(milvus: Milvus): Promise<Pin | undefined> {
  const where = `the Milvus collection ${milvus.collection}`;
  let text: unknown;
  try {
    text = (await milvus.query(anyOf('key', [PIN]), ['template']))[0]?.['template'];
  } catch (cause) {
    if (cause instanceof LineamentError && cause.code !== 'STORE_FAILED') throw cause;
    throw new LineamentError('STORE_CORRUPT', `${where} is not one of ours`, { cause, fix: 'Choose another name.' });
  }
  if (text === undefined) return undefined;
  const pin = JSON.parse(String(text)) as Pin;
  if (pin.version !== VERSION) throw new LineamentError('STORE_VERSION', `${where} is of version ${pin.version}`);
  return pin;
}

class MilvusDriver implements StorageDriver {
  readonly matching = 'approximate';
  readonly name: string;

  constructor(
    readonly milvus: Milvus,
    readonly own: boolean,
    readonly model: StorageModel,
    readonly candidates: number,
    readonly ordered: boolean,
    readonly cipher: TemplateCipher | undefined,
  ) {
    this.name = `the Milvus collection ${milvus.collection}`;
  }

  async put(collection: string, rows: readonly NewRow[], { replace, key }: PutRequest): Promise<PutResult> {
    for (const { id, bytes } of rows) {
      if (bytes.length > MOST_BYTES) throw invalid(`the template '${id}'`, `at most ${MOST_BYTES} bytes`, bytes);
    }
    const request = key === undefined ? NO_REQUEST : { request_key: key.id, request_digest: key.digest };
    const before = key === undefined ? [] : await this.#written(key);
    if (before.length >= rows.length) return { replaced: before.filter((row) => row.replaced).length, replayed: true };
    const mine = new Map(before.map((row) => [row.key, row.replaced]));
    const taken = new Set(await this.#existing(rows.map(keyOf).filter((one) => !mine.has(one))));
    if (taken.size > 0 && !replace) {
      throw new LineamentError('DUPLICATE_ID', `'${refOf([...taken][0]!).id}' in collection '${collection}'`);
    }
    const data = rows.map((row) => ({
      ...request,
      key: keyOf(row),
      replaced: mine.get(keyOf(row)) ?? taken.has(keyOf(row)),
      collection,
      protection: row.protection,
      stored_at: row.storedAt,
      expires_at: row.expiresAt ?? 0,
      template: base64(row.bytes),
      vector: Array.from(row.vector),
    }));
    for (const part of chunks(data)) await this.milvus.call('upsert', { data: part });
    return { replaced: data.filter((row) => row.replaced).length, replayed: false };
  }

  /** What an earlier try of a request has written. */
  async #written(key: { readonly id: string; readonly digest: string }): Promise<{ key: string; replaced: boolean }[]> {
    const rows = await this.milvus.query(
      `request_key == ${literal(key.id)}`,
      ['key', 'request_digest', 'replaced'],
      WINDOW,
    );
    if (rows.some((row) => row['request_digest'] !== key.digest)) throw keyConflict(key.id);
    return rows.map((row) => ({ key: String(row['key']), replaced: row['replaced'] === true }));
  }

  async #existing(keys: readonly string[]): Promise<string[]> {
    const found: string[] = [];
    for (const part of chunks(keys)) {
      found.push(...(await this.milvus.query(anyOf('key', part), ['key'])).map((row) => String(row['key'])));
    }
    return found;
  }

  async get(ref: TemplateRef): Promise<Row | undefined> {
    const fields = ['protection', 'stored_at', 'expires_at', 'template'];
    const [row] = await this.milvus.query(anyOf('key', [keyOf(ref)]), fields);
    if (row === undefined) return undefined;
    return {
      ...ref,
      storedAt: Number(row['stored_at']),
      protection: String(row['protection']),
      bytes: Buffer.from(String(row['template']), 'base64'),
      ...expiry(row),
    };
  }

  async remove(collection: string, ids: readonly string[]): Promise<number> {
    // Milvus counts what it was asked to delete, not what was there.
    const keys = await this.#existing(ids.map((id) => keyOf({ collection, id })));
    for (const part of chunks(keys)) await this.milvus.call('delete', { filter: anyOf('key', part) });
    return keys.length;
  }

  async removeExpired(now: number, collection: string | undefined): Promise<number> {
    const filter = `expires_at > 0 and expires_at <= ${now}${and(collection)}`;
    for (let removed = 0; ; ) {
      const keys = (await this.milvus.query(filter, ['key'], WINDOW)).map((row) => String(row['key']));
      for (const part of chunks(keys)) await this.milvus.call('delete', { filter: anyOf('key', part) });
      removed += keys.length;
      if (keys.length < WINDOW) return removed;
    }
  }

  async list(collection: string | undefined, after: TemplateRef | undefined, limit: number): Promise<Entries> {
    const from = after === undefined ? PIN : keyOf(after);
    const rows = await this.milvus.query(
      `key > ${literal(from)}${and(collection)}`,
      ['key', 'stored_at', 'expires_at'],
      this.ordered ? limit + 1 : WINDOW,
    );
    const entries = rows
      .map((row) => ({ ...refOf(String(row['key'])), storedAt: Number(row['stored_at']), ...expiry(row) }))
      .sort((a, b) => Buffer.compare(Buffer.from(keyOf(a)), Buffer.from(keyOf(b))));
    return pageOf(entries, limit);
  }

  count(collection: string | undefined): Promise<number> {
    return this.milvus.count(`key > ${literal(PIN)}${and(collection)}`);
  }

  async search(request: SearchRequest, signal?: AbortSignal): Promise<TemplateMatch[][]> {
    const { probes, k, collections, now } = request;
    const limit = Math.max(this.candidates, 2 * k);
    const found: TemplateMatch[][] = new Array(probes.length);
    // Probes of one protection key go together: the filter holds for a whole request.
    for (const protection of new Set(probes.map((probe) => protectionName(probe.protection)))) {
      const which = probes.flatMap((probe, i) => (protectionName(probe.protection) === protection ? [i] : []));
      const where = collections === undefined ? `key > ${literal(PIN)}` : anyOf('collection', collections);
      const lists = await this.milvus.search(
        which.map((i) => probes[i]!.vector),
        {
          filter: `${where} and protection == ${literal(protection)} and (expires_at == 0 or expires_at > ${now})`,
          limit,
          metric_type: 'IP',
          params: { ef: Math.max(64, limit) },
          output_fields: ['key', 'template'],
        },
      );
      await Promise.all(
        which.map(async (i, at) => {
          const rows = (lists[at] ?? []).map((row) => ({
            ...refOf(String(row['key'])),
            bytes: Buffer.from(String(row['template']), 'base64'),
          }));
          found[i] = await rerank(probes[i]!.vector, rows, request, this.cipher, signal);
        }),
      );
    }
    return found;
  }

  async close(): Promise<void> {
    if (this.own) await this.milvus.client.closeConnection();
  }
}

const keyOf = ({ collection, id }: TemplateRef): string => `${collection}${BETWEEN}${id}`;

function refOf(key: string): TemplateRef {
  const [collection = '', id = ''] = key.split(BETWEEN);
  return { collection, id };
}

const and = (collection: string | undefined): string =>
  collection === undefined ? '' : ` and collection == ${literal(collection)}`;

function expiry(row: Readonly<Record<string, unknown>>): { expiresAt?: number } {
  const at = Number(row['expires_at']);
  return at > 0 ? { expiresAt: at } : {};
}

function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < all.length; i += CHUNK) yield all.slice(i, i + CHUNK);
}

const base64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
