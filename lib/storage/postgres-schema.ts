import { LineamentError } from '../errors.js';
import { checkPin } from './check.js';
import type { StorageModel } from './types.js';

/** What is used of a client of `pg`. */
export interface PostgresClient {
  query(
    text: string,
    values?: readonly unknown[],
  ): Promise<{ rows: Record<string, unknown>[]; rowCount: number | null }>;
  /** With an error the connection is thrown away. */
  release(error?: Error | boolean): void;
}

/** What is used of a pool of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresClient>;
  end(): Promise<void>;
}

/** How the HNSW graph is built: J. Johnson's terms in pgvector, Malkov & Yashunin 2018. */
export interface HnswOptions {
  /** Edges of a node in each layer, 2 to 100. Default 16. */
  readonly m?: number;
  /** Candidates looked at when a vector is put in, 4 to 1000. Default 64. */
  readonly efConstruction?: number;
}

export interface SchemaPlan {
  readonly schema: string;
  readonly model: StorageModel;
  readonly partitions: number;
  readonly hnsw: Required<HnswOptions> | undefined;
}

/** Version of the tables below. */
const VERSION = 1;
/** Advisory lock that those who create or migrate take: any number, the same for all. */
const LOCK = 7_234_110_958;

/**
 * Makes the tables where they are missing, brings older ones up, and checks that they hold the model. Templates are spread over
 * partitions by the hash of their name: each has its own HNSW graph, small enough to be built and kept in memory, and all are
 * asked.
 */
export async function prepareSchema(
  client: PostgresClient,
  { schema, model, partitions, hnsw }: SchemaPlan,
): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [LOCK]);
  const found = await client.query('SELECT to_regclass($1) IS NOT NULL AS there', [`${schema}.storage`]);
  if (found.rows[0]?.['there'] !== true) {
    await client.query('CREATE EXTENSION IF NOT EXISTS vector');
    for (const statement of tables(schema, model.dims, partitions, hnsw)) await client.query(statement);
    await client.query(`INSERT INTO ${schema}.storage (version, model, dims, model_hash) VALUES ($1, $2, $3, $4)`, [
      VERSION,
      model.model,
      model.dims,
      model.modelHash ?? null,
    ]);
    return;
  }
  const { rows } = await client.query(`SELECT version, model, dims, model_hash FROM ${schema}.storage`);
  const kept = rows[0];
  if (kept === undefined) throw new LineamentError('STORE_CORRUPT', `${schema}.storage is empty`);
  if (Number(kept['version']) !== VERSION) {
    throw new LineamentError(
      'STORE_VERSION',
      `the schema ${schema} is of version ${String(kept['version'])}, and this release knows version ${VERSION}`,
    );
  }
  const hash = kept['model_hash'];
  const held = {
    model: String(kept['model']),
    dims: Number(kept['dims']),
    ...(typeof hash === 'string' ? { modelHash: hash } : {}),
  };
  checkPin(held, model, `the schema ${schema}`);
}

function tables(schema: string, dims: number, partitions: number, hnsw: SchemaPlan['hnsw']): string[] {
  return [
    `CREATE SCHEMA IF NOT EXISTS ${schema}`,
    `CREATE TABLE ${schema}.storage (
       one boolean PRIMARY KEY DEFAULT true CHECK (one),
       version integer NOT NULL, model text NOT NULL, dims integer NOT NULL, model_hash text)`,
    `CREATE TABLE ${schema}.requests (
       key text COLLATE "C" PRIMARY KEY, digest text NOT NULL, replaced integer NOT NULL, at bigint NOT NULL)`,
    `CREATE INDEX requests_at ON ${schema}.requests (at)`,
    `CREATE TABLE ${schema}.templates (
       collection text COLLATE "C" NOT NULL,
       id text COLLATE "C" NOT NULL,
       protection text COLLATE "C" NOT NULL,
       stored_at bigint NOT NULL,
       expires_at bigint,
       revision integer NOT NULL DEFAULT 0,
       template bytea STORAGE EXTERNAL NOT NULL,
       vector halfvec(${dims}) NOT NULL,
       PRIMARY KEY (collection, id)) PARTITION BY HASH (collection, id)`,
    ...Array.from(
      { length: partitions },
      (_, i) =>
        `CREATE TABLE ${schema}.templates_${i} PARTITION OF ${schema}.templates
           FOR VALUES WITH (MODULUS ${partitions}, REMAINDER ${i})`,
    ),
    `CREATE INDEX templates_expires_at ON ${schema}.templates (expires_at) WHERE expires_at IS NOT NULL`,
    ...(hnsw === undefined
      ? []
      : [
          `CREATE INDEX templates_vector ON ${schema}.templates USING hnsw (vector halfvec_ip_ops)
             WITH (m = ${hnsw.m}, ef_construction = ${hnsw.efConstruction})`,
        ]),
  ];
}

/** What went wrong in PostgreSQL, or on the way there, in the library's codes (SQLSTATE: PostgreSQL manual, appendix A). */
export function postgresError(thrown: unknown): LineamentError {
  if (thrown instanceof LineamentError) return thrown;
  const { code = '', message = String(thrown) } = thrown as { code?: string; message?: string };
  const error = (kind: ConstructorParameters<typeof LineamentError>[0], fix?: string): LineamentError =>
    new LineamentError(kind, `PostgreSQL: ${message}`, { cause: thrown, ...(fix === undefined ? {} : { fix }) });
  if (code === '23505') return error('DUPLICATE_ID');
  if (code === '53100') return error('STORE_FULL');
  if (code === '28000' || code === '28P01' || code === '42501') return error('ACCESS_DENIED');
  if (/^(?:40001|40P01|55P03|53300|57P03|57014)$/.test(code)) return error('STORE_BUSY');
  if (code === 'XX001' || code === 'XX002') return error('STORE_CORRUPT');
  if (code === '58P01' || (code === '0A000' && /extension/.test(message))) {
    return error('STORE_UNAVAILABLE', 'Install pgvector 0.8 or newer on the PostgreSQL server.');
  }
  const away = /^(?:08|57P|E[A-Z]+$)/.test(code) || /connection|terminated|timeout/i.test(message);
  return error(away ? 'STORE_UNAVAILABLE' : 'STORE_FAILED');
}

/** Whether the connection itself is gone, so that it must not go back into the pool. */
export const isBroken = (error: LineamentError): boolean => error.code === 'STORE_UNAVAILABLE';
