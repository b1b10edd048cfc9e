// A real PostgreSQL with pgvector (PGlite: PostgreSQL in WebAssembly), spoken to over TCP by the ordinary client.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { LineamentError } from '../../lib/errors.js';
import { openPostgresStorage, type PostgresStorageOptions, type TemplateStorage } from '../../lib/storage/index.js';
import { createKeyringFile, TemplateCipher } from '../../lib/templates/index.js';
import { type Backend, contract } from './contract.js';
import { codeOf, MODEL, nearest, probe, template, unitVectors } from './support.js';

let database: PGlite;
let server: PGLiteSocketServer;
let connection: string;
let pool: pg.Pool;

beforeAll(async () => {
  database = await PGlite.create({ extensions: { vector } });
  server = new PGLiteSocketServer({ db: database, port: 0, host: '127.0.0.1', maxConnections: 20 });
  await server.start();
  connection = `postgres://postgres:postgres@${server.getServerConn()}/postgres`;
  pool = new pg.Pool({ connectionString: connection, max: 4 });
});

afterAll(async () => {
  await pool?.end();
  await server?.stop();
  await database?.close();
});

/** As many candidates as there are templates: then nothing can be missed. */
const open = (options: Partial<PostgresStorageOptions> = {}): Promise<TemplateStorage> =>
  openPostgresStorage({
    ...MODEL,
    pool,
    partitions: 4,
    candidates: 400,
    hnsw: { m: 8, efConstruction: 32 },
    ...options,
  });

const backend: Backend = {
  matching: 'approximate',
  transactions: true,
  open: ({ model } = {}) => open(model),
};
contract('PostgreSQL with pgvector', () => backend);

describe('the storage in PostgreSQL', () => {
  it('finds candidates by the HNSW graphs and compares them exactly', async () => {
    const options = { schema: 'graphs', candidates: 40, partitions: 2 };
    const storage = await open(options);
    const vectors = unitVectors(1000, 41);
    await storage.storeTemplates(vectors.map((one, i) => ({ id: `p${i}`, template: template(one) })));
    // What autovacuum does on a server: without it the planner takes a table for small.
    await pool.query('ANALYZE graphs.templates');
    const queries = unitVectors(40, 42);
    const lists = await storage.findMatchesBatch(queries.map((query) => probe(query)));
    let found = 0;
    for (const [q, query] of queries.entries()) {
      const wanted = new Map(nearest(vectors, query, 10).map(({ at, cosine }) => [`p${at}`, cosine]));
      for (const { id, similarity } of lists[q]!) {
        if (wanted.has(id)) found++;
        expect(similarity).toBeCloseTo(wanted.get(id) ?? similarity, 6);
      }
    }
    expect(found / (10 * queries.length)).toBeGreaterThan(0.95);
    await pool.query('SELECT pg_stat_force_next_flush()');
    const { rows } = await pool.query(
      `SELECT sum(idx_scan)::int AS scans FROM pg_stat_user_indexes WHERE schemaname = 'graphs' AND indexrelname LIKE '%vector%'`,
    );
    expect(rows[0].scans).toBeGreaterThanOrEqual(queries.length);
    await storage.close();
  });

  it('reads every vector where there is no graph', async () => {
    const storage = await open({ schema: 'plain', hnsw: false, candidates: 20 });
    const vectors = unitVectors(500, 43);
    await storage.storeTemplates(vectors.map((one, i) => ({ id: `p${i}`, template: template(one) })));
    for (const query of unitVectors(5, 44)) {
      const ids = (await storage.findMatches(probe(query))).map((match) => match.id);
      expect(ids).toEqual(nearest(vectors, query, 10).map(({ at }) => `p${at}`));
    }
    await storage.close();
  });

  it('holds the vectors of the balanced preset, and refuses longer ones than pgvector indexes', async () => {
    const model = { model: 'long', dims: 1153 };
    const storage = await open({ ...model, schema: 'long', partitions: 1 });
    const [one, two] = unitVectors(2, 45, model.dims) as [Float32Array, Float32Array];
    const long = (numbers: Float32Array) => template(numbers, { model: model.model });
    await storage.storeTemplates([
      { id: 'one', template: long(one) },
      { id: 'two', template: long(two) },
    ]);
    const matches = await storage.findMatches(long(two));
    expect(matches.map((match) => match.id)).toEqual(['two', 'one']);
    expect(matches[0]?.similarity).toBeCloseTo(1, 6);
    await storage.close();
    expect(await codeOf(open({ ...model, dims: 4001, schema: 'longer' }))).toBe('INVALID_ARGUMENT');
  });

  it('seals templates, and refuses to leave plain vectors beside them unless told to', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-postgres-'));
    const file = path.join(folder, 'keys');
    await createKeyringFile(file);
    const cipher = await TemplateCipher.open({ file });
    const [one] = unitVectors(1, 46) as [Float32Array];
    const storage = await open({ schema: 'sealed', cipher });
    expect(await codeOf(storage.storeTemplate('p', template(one)))).toBe('INVALID_ARGUMENT');
    const protection = { scheme: 'rotation', keyId: 'k' };
    await storage.storeTemplate('p', template(one, { protection, consent: 'form 17' }));
    expect((await storage.findMatches(probe(one, protection)))[0]?.id).toBe('p');
    expect((await storage.getTemplate('p'))?.template.consent).toBe('form 17');
    const { rows } = await pool.query('SELECT template FROM sealed.templates');
    expect(rows[0].template.includes('form 17')).toBe(false);
    // A row that was moved does not open.
    await pool.query(`UPDATE sealed.templates SET id = 'q'`);
    expect(await codeOf(storage.getTemplate('q'))).toBe('KEY_MISMATCH');
    expect(await codeOf(storage.findMatches(probe(one, protection)))).toBe('KEY_MISMATCH');
    const plain = await open({ schema: 'sealed', cipher, allowPlainVectors: true });
    expect(await plain.storeTemplate('plain', template(one))).toMatchObject({ stored: 1 });
    await cipher.close();
    rmSync(folder, { recursive: true });
  });

  it('makes its schema once, whoever comes first', async () => {
    const all = await Promise.all([1, 2, 3].map(() => open({ schema: 'race' })));
    const [one] = unitVectors(1, 47) as [Float32Array];
    await all[0]!.storeTemplate('p', template(one));
    expect(await all[2]!.count()).toBe(1);
    await pool.query('UPDATE race.storage SET version = 2');
    expect(await codeOf(open({ schema: 'race' }))).toBe('STORE_VERSION');
    await pool.query('DELETE FROM race.storage');
    expect(await codeOf(open({ schema: 'race' }))).toBe('STORE_CORRUPT');
  });

  it('makes a pool of its own where it is told how', async () => {
    const { pool: _, ...rest } = { pool, ...MODEL };
    const storage = await openPostgresStorage({
      ...rest,
      connection: { connectionString: connection, max: 1 },
      schema: 'own',
    });
    expect(await storage.count()).toBe(0);
    await storage.close();
    expect(await codeOf(openPostgresStorage({ ...rest, connection: 'postgres://127.0.0.1:1/none' }))).toBe(
      'STORE_UNAVAILABLE',
    );
  });

  it('refuses bad options', async () => {
    const bad: Partial<PostgresStorageOptions>[] = [
      { connection },
      { pool: {} as never },
      { schema: 'a b' },
      { schema: 'Upper' },
      { partitions: 0 },
      { partitions: 257 },
      { hnsw: { m: 101 } },
      { hnsw: { m: 16, efConstruction: 20 } },
      { candidates: 0 },
      { table: 'x' } as never,
    ];
    for (const options of bad) expect(await codeOf(open({ schema: 'bad', ...options }))).toBe('INVALID_ARGUMENT');
  });

  it('says what to install where a part is missing', async () => {
    const bare = await PGlite.create();
    const other = new PGLiteSocketServer({ db: bare, port: 0, host: '127.0.0.1' });
    await other.start();
    const without = { ...MODEL, connection: `postgres://postgres:postgres@${other.getServerConn()}/postgres` };
    const failure = (await openPostgresStorage(without).catch((e: unknown) => e)) as LineamentError;
    await other.stop();
    await bare.close();
    expect([failure.code, failure.fix]).toEqual([
      'STORE_UNAVAILABLE',
      'Install pgvector 0.8 or newer on the PostgreSQL server.',
    ]);
    vi.doMock('pg', () => {
      throw new Error("Cannot find package 'pg'");
    });
    const missing = (await openPostgresStorage(without).catch((e: unknown) => e)) as LineamentError;
    vi.doUnmock('pg');
    expect([missing.code, missing.fix]).toEqual(['STORE_UNAVAILABLE', 'Run: npm install pg']);
  });
});
