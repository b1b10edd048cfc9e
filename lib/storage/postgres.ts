import { boolean, invalid, nonEmptyString, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { TemplateCipher } from '../templates/index.js';
import { storageModel } from './check.js';
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
  type HnswOptions,
  isBroken,
  type PostgresClient,
  type PostgresPool,
  postgresError,
  prepareSchema,
} from './postgres-schema.js';
import { rerank } from './rerank.js';
import { Storage } from './storage.js';
import type { StorageModel, TemplateMatch, TemplateRef, TemplateStorage } from './types.js';

export interface PostgresStorageOptions extends StorageModel {
  /** A pool of `pg`, which stays the caller's; or what makes one: `postgres://…`, or the options of `pg.Pool`. */
  readonly pool?: PostgresPool;
  readonly connection?: string | Readonly<Record<string, unknown>>;
  /** PostgreSQL schema that everything lies in; one for each model. Lower-case letters, digits, `_`. Default `lineament`. */
  readonly schema?: string;
  /** Hash partitions, 1 to 256; fixed when the schema is made. Default 8. */
  readonly partitions?: number;
  /** HNSW graph, fixed when the schema is made; false: none, every search reads all vectors and is exact. */
  readonly hnsw?: HnswOptions | false;
  /** Nearest vectors by half precision that are compared again, 1 to 10 000; at least twice `k` are. Default 200. */
  readonly candidates?: number;
  /** Longest time for one statement, in milliseconds. Default 30 000. */
  readonly statementTimeoutMs?: number;
  /** Seals the templates; the vectors that the database searches stay readable to it. */
  readonly cipher?: TemplateCipher;
  /** With a cipher: also take templates that are not protected, although their vectors lie beside them in the clear. Default false. */
  readonly allowPlainVectors?: boolean;
}

const OPTIONS = [
  'model',
  'dims',
  'modelHash',
  'pool',
  'connection',
  'schema',
  'partitions',
  'hnsw',
  'candidates',
  'statementTimeoutMs',
  'cipher',
  'allowPlainVectors',
] as const satisfies readonly (keyof PostgresStorageOptions)[];

/** pgvector's HNSW takes halfvec of at most this many numbers. */
const MOST_DIMS = 4000;
/** Rows in one INSERT. */
const CHUNK = 500;
/** How long idempotency keys are remembered. */
const REQUESTS_MS = 7 * 86_400_000;

/**
 * Templates in PostgreSQL (14 or newer) with pgvector (0.8 or newer), for galleries that several machines share or that outgrow
 * one. Makes its schema where it is missing. Needs the package `pg` unless a pool is given.
 *
 * Searching: pgvector's HNSW over half-precision vectors finds `candidates` in each of the partitions, filtered while it walks
 * (iterative scan); they are then compared by the 32-bit vectors in the templates. Similarities are exact; which templates are
 * among the candidates is not certain (`matching` is `approximate`): SIZING.md states the recall measured. `hnsw: false` reads all
 * vectors and misses only what half precision puts behind `candidates`.
 *
 * Rejects with `STORE_UNAVAILABLE` (no server, no `pg`, no pgvector), `ACCESS_DENIED`, `EMBEDDING_MISMATCH` (the schema holds
 * another model), `STORE_VERSION`, `INVALID_ARGUMENT` (also: more than 4000 numbers).
 */
export async function openPostgresStorage(options: PostgresStorageOptions): Promise<TemplateStorage> {
  plainObject('options', options, OPTIONS);
  const model = storageModel(options, MOST_DIMS);
  const schema = options.schema ?? 'lineament';
  if (typeof schema !== 'string' || !/^[a-z_][a-z0-9_]{0,47}$/.test(schema)) {
    throw invalid('options.schema', 'name of 1 to 48 lower-case letters, digits and _', schema);
  }
  const { hnsw = {}, cipher } = options;
  if (hnsw !== false) plainObject('options.hnsw', hnsw, ['m', 'efConstruction']);
  const plan = {
    schema,
    model,
    partitions: positiveInteger('options.partitions', options.partitions ?? 8, 256),
    hnsw:
      hnsw === false
        ? undefined
        : {
            m: Math.max(2, positiveInteger('options.hnsw.m', hnsw.m ?? 16, 100)),
            efConstruction: positiveInteger('options.hnsw.efConstruction', hnsw.efConstruction ?? 64, 1000),
          },
  };
  if (plan.hnsw !== undefined && plan.hnsw.efConstruction < 2 * plan.hnsw.m) {
    throw invalid('options.hnsw.efConstruction', 'at least twice m', plan.hnsw.efConstruction);
  }
  const limits = {
    candidates: positiveInteger('options.candidates', options.candidates ?? 200, 10_000),
    timeout: positiveInteger('options.statementTimeoutMs', options.statementTimeoutMs ?? 30_000, 2 ** 31 - 1),
  };
  const allowPlainVectors = boolean('options.allowPlainVectors', options.allowPlainVectors ?? false);
  const { pool, own } = await poolOf(options);
  const driver = new PostgresDriver(pool, own, model, schema, limits, cipher);
  try {
    await driver.transaction((client) => prepareSchema(client, plan));
  } catch (error) {
    await driver.close();
    throw error;
  }
  return new Storage(driver, cipher, allowPlainVectors);
}

async function poolOf({ pool, connection }: PostgresStorageOptions): Promise<{ pool: PostgresPool; own: boolean }> {
  if ((pool === undefined) === (connection === undefined)) {
    throw invalid('options', 'either pool or connection', { pool, connection });
  }
  if (pool !== undefined) {
    if (typeof pool?.connect !== 'function') throw invalid('options.pool', 'pool of pg', pool);
    return { pool, own: false };
  }
  const config =
    typeof connection === 'string'
      ? { connectionString: nonEmptyString('options.connection', connection) }
      : connection;
  let pg: typeof import('pg');
  try {
    pg = await import('pg');
  } catch (cause) {
    throw new LineamentError('STORE_UNAVAILABLE', 'the package pg is not installed', {
      cause,
      fix: 'Run: npm install pg',
    });
  }
  const made = new pg.Pool({ max: 8, connectionTimeoutMillis: 10_000, ...config });
  // A connection that breaks while nobody uses it: the pool makes another.
  made.on('error', () => undefined);
  return { pool: made as unknown as PostgresPool, own: true };
}

class PostgresDriver implements StorageDriver {
  readonly matching = 'approximate';
  readonly name: string;

  constructor(
    readonly pool: PostgresPool,
    readonly own: boolean,
    readonly model: StorageModel,
    readonly schema: string,
    readonly limits: { readonly candidates: number; readonly timeout: number },
    readonly cipher: TemplateCipher | undefined,
  ) {
    this.name = `the schema ${schema}`;
  }

  async transaction<T>(work: (client: PostgresClient) => Promise<T>): Promise<T> {
    let client: PostgresClient;
    try {
      client = await this.pool.connect();
    } catch (error) {
      throw postgresError(error);
    }
    let failure: LineamentError | undefined;
    try {
      await client.query('BEGIN');
      await client.query("SELECT set_config('statement_timeout', $1, true)", [String(this.limits.timeout)]);
      const result = await work(client);
      await client.query('COMMIT');
      return result;
    } catch (error) {
      failure = postgresError(error);
      await client.query('ROLLBACK').catch((cause: unknown) => {
        failure = new LineamentError('STORE_UNAVAILABLE', failure!.message, { cause });
      });
      throw failure;
    } finally {
      client.release(failure !== undefined && isBroken(failure));
    }
  }

  put(collection: string, rows: readonly NewRow[], { replace, key }: PutRequest): Promise<PutResult> {
    // In one order everywhere: two requests for the same templates wait for each other instead of locking each other out.
    const ordered = [...rows].sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.transaction(async (client) => {
      if (key !== undefined) {
        const now = Date.now();
        await client.query(`DELETE FROM ${this.schema}.requests WHERE at < $1`, [now - REQUESTS_MS]);
        const { rowCount } = await client.query(
          `INSERT INTO ${this.schema}.requests (key, digest, replaced, at) VALUES ($1, $2, 0, $3) ON CONFLICT DO NOTHING`,
          [key.id, key.digest, now],
        );
        if (rowCount === 0) return this.#replay(client, key);
      }
      let replaced = 0;
      for (let i = 0; i < ordered.length; i += CHUNK) {
        replaced += await this.#insert(client, collection, ordered.slice(i, i + CHUNK), replace);
      }
      if (key !== undefined && replaced > 0) {
        await client.query(`UPDATE ${this.schema}.requests SET replaced = $2 WHERE key = $1`, [key.id, replaced]);
      }
      return { replaced, replayed: false };
    });
  }

  async #replay(client: PostgresClient, key: { readonly id: string; readonly digest: string }): Promise<PutResult> {
    const { rows } = await client.query(`SELECT digest, replaced FROM ${this.schema}.requests WHERE key = $1`, [
      key.id,
    ]);
    if (rows[0]?.['digest'] !== key.digest) throw keyConflict(key.id);
    return { replaced: Number(rows[0]['replaced']), replayed: true };
  }

  async #insert(
    client: PostgresClient,
    collection: string,
    rows: readonly NewRow[],
    replace: boolean,
  ): Promise<number> {
    const { rows: done } = await client.query(
      `INSERT INTO ${this.schema}.templates AS templates (collection, id, protection, stored_at, expires_at, template, vector)
       SELECT $1, id, protection, stored_at, expires_at, template, vector::halfvec
         FROM unnest($2::text[], $3::text[], $4::bigint[], $5::bigint[], $6::bytea[], $7::text[])
           AS new (id, protection, stored_at, expires_at, template, vector)
       ${
         replace
           ? `ON CONFLICT (collection, id) DO UPDATE SET revision = templates.revision + 1, protection = excluded.protection, stored_at = excluded.stored_at,
                expires_at = excluded.expires_at, template = excluded.template, vector = excluded.vector`
           : ''
       }
       RETURNING revision > 0 AS replaced`,
      [
        collection,
        rows.map((row) => row.id),
        rows.map((row) => row.protection),
        rows.map((row) => row.storedAt),
        rows.map((row) => row.expiresAt ?? null),
        rows.map((row) => Buffer.from(row.bytes.buffer, row.bytes.byteOffset, row.bytes.byteLength)),
        rows.map((row) => vectorText(row.vector)),
      ],
    );
    return done.filter((row) => row['replaced'] === true).length;
  }

  async get({ collection, id }: TemplateRef): Promise<Row | undefined> {
    const { rows } = await this.#read(
      `SELECT protection, stored_at, expires_at, template FROM ${this.schema}.templates WHERE collection = $1 AND id = $2`,
      [collection, id],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    return {
      collection,
      id,
      storedAt: Number(row['stored_at']),
      protection: String(row['protection']),
      bytes: row['template'] as Uint8Array,
      ...expiry(row),
    };
  }

  remove(collection: string, ids: readonly string[]): Promise<number> {
    return this.#delete('collection = $1 AND id = ANY($2)', [collection, ids]);
  }

  removeExpired(now: number, collection: string | undefined): Promise<number> {
    return collection === undefined
      ? this.#delete('expires_at <= $1', [now])
      : this.#delete('expires_at <= $1 AND collection = $2', [now, collection]);
  }

  #delete(which: string, values: readonly unknown[]): Promise<number> {
    return this.transaction(async (client) => {
      const { rowCount } = await client.query(`DELETE FROM ${this.schema}.templates WHERE ${which}`, values);
      return rowCount ?? 0;
    });
  }

  async list(collection: string | undefined, after: TemplateRef | undefined, limit: number): Promise<Entries> {
    const { rows } = await this.#read(
      `SELECT collection, id, stored_at, expires_at FROM ${this.schema}.templates
        WHERE ($1::text IS NULL OR collection = $1) AND (collection, id) > ($2, $3)
        ORDER BY collection, id LIMIT $4`,
      [collection ?? null, after?.collection ?? '', after?.id ?? '', limit + 1],
    );
    const entries = rows.map((row) => ({
      collection: String(row['collection']),
      id: String(row['id']),
      storedAt: Number(row['stored_at']),
      ...expiry(row),
    }));
    return pageOf(entries, limit);
  }

  async count(collection: string | undefined): Promise<number> {
    const { rows } = await this.#read(
      `SELECT count(*) AS count FROM ${this.schema}.templates WHERE $1::text IS NULL OR collection = $1`,
      [collection ?? null],
    );
    return Number(rows[0]!['count']);
  }

  async search(request: SearchRequest, signal?: AbortSignal): Promise<TemplateMatch[][]> {
    const { probes, k, collections, now } = request;
    const wanted = Math.max(this.limits.candidates, 2 * k);
    const found = await this.transaction(async (client) => {
      await client.query(
        `SELECT set_config('hnsw.ef_search', $1, true), set_config('hnsw.iterative_scan', 'relaxed_order', true)`,
        [String(Math.min(1000, wanted))],
      );
      const lists: Record<string, unknown>[][] = [];
      for (const { vector, protection } of probes) {
        const { rows } = await client.query(
          `SELECT collection, id, template FROM ${this.schema}.templates
            WHERE protection = $2 AND ($3::text[] IS NULL OR collection = ANY($3))
              AND (expires_at IS NULL OR expires_at > $4)
            ORDER BY vector <#> $1::halfvec LIMIT $5`,
          [vectorText(vector), protectionName(protection), collections ?? null, now, wanted],
        );
        lists.push(rows);
      }
      return lists;
    });
    return Promise.all(
      found.map((rows, i) => {
        const candidates = rows.map((row) => ({
          collection: String(row['collection']),
          id: String(row['id']),
          bytes: row['template'] as Uint8Array,
        }));
        return rerank(probes[i]!.vector, candidates, request, this.cipher, signal);
      }),
    );
  }

  #read(text: string, values: readonly unknown[]): ReturnType<PostgresClient['query']> {
    return this.transaction((client) => client.query(text, values));
  }

  async close(): Promise<void> {
    if (this.own) await this.pool.end();
  }
}

function expiry(row: Record<string, unknown>): { expiresAt?: number } {
  return row['expires_at'] == null ? {} : { expiresAt: Number(row['expires_at']) };
}

/** pgvector's text form. Half precision has 3 to 4 digits, and no number in a unit vector is larger than 1. */
function vectorText(vector: Float32Array): string {
  return `[${Array.from(vector, (x) => x.toFixed(7)).join(',')}]`;
}
