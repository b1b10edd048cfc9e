// A real PostgreSQL with pgvector (PGlite: PostgreSQL in WebAssembly), spoken to over TCP by the ordinary client.
import { PGlite } from '@electric-sql/pglite';
import { vector } from '@electric-sql/pglite-pgvector';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';
import pg from 'pg';
import { afterAll, beforeAll } from 'vitest';
import { openPostgresStorage, type PostgresStorageOptions, type TemplateStorage } from '../../lib/storage/index.js';
import { type Backend, contract } from './contract.js';
import { MODEL } from './support.js';

let database: PGlite;
let server: PGLiteSocketServer;
let pool: pg.Pool;
let connection: string;

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
  open: ({ model, cipher, place } = {}) =>
    open({ ...model, ...(cipher === undefined ? {} : { cipher }), ...(place === undefined ? {} : { schema: place }) }),
};

contract('PostgreSQL with pgvector', () => backend);
