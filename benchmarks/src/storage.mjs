// Storage backends: what the embedded one takes and answers, what HTTP adds to it, what pgvector's graphs find, bytes for each face.
// Random unit vectors: for graphs the hard case, for exact search of no matter. BENCH_STORAGE_FACES changes the number of faces.
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { median, random } from './metrics.mjs';
import { ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const FACES = Number(process.env.BENCH_STORAGE_FACES ?? 100_000);
const DIMS = 512;
const BATCH = 1000;
const QUERIES = 60;
const GRAPH = { faces: 4000, dims: 128, queries: 100, partitions: 4 };
const MODEL = 'random';

const entry = path.join(ROOT, 'dist', 'storage', 'index.js');
if (!fs.existsSync(entry)) {
  console.log('the product is not built (npm run build): nothing to measure');
  process.exit(0);
}
const { bearerToken, connectStorage, createStorageHandler, openEmbeddedStorage, openPostgresStorage } = await import(
  pathToFileURL(entry).href
);
const fig = (id, value, unit, more) => figure(`storage.${id}`, value, unit, { issue: 4, ...more });
const figures = [];

function vectors(count, dims, seed) {
  const rand = random(seed);
  return Array.from({ length: count }, () => {
    const v = Float32Array.from({ length: dims }, () => rand() + rand() + rand() - 1.5);
    const length = Math.sqrt(v.reduce((s, x) => s + x * x, 0));
    return v.map((x) => x / length);
  });
}
const template = (vector) => ({
  model: MODEL,
  dims: vector.length,
  vector,
  quality: 80,
  samples: 1,
  createdAt: 1_790_000_000_000,
  consent: 'consent/2026-0001',
});
const probe = (vector) => ({ model: MODEL, dims: vector.length, vector });
const seconds = async (work) => {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
};

async function embedded(folder) {
  const file = path.join(folder, 'faces.db');
  const open = () => openEmbeddedStorage({ path: file, model: MODEL, dims: DIMS });
  let storage = await open();
  let spent = 0;
  for (let at = 0; at < FACES; at += BATCH) {
    const items = vectors(Math.min(BATCH, FACES - at), DIMS, at + 1).map((vector, i) => ({
      id: `person ${at + i}`,
      template: template(vector),
    }));
    spent += await seconds(() => storage.storeTemplates(items));
  }
  const one = vectors(200, DIMS, 7);
  const single = [];
  for (const [i, vector] of one.entries())
    single.push(await seconds(() => storage.storeTemplate(`single ${i}`, template(vector))));
  await storage.close();
  const opening = await seconds(async () => {
    storage = await open();
  });
  const bytes = fs.statSync(file).size / FACES;
  figures.push(
    fig('embedded.store-rate', FACES / spent, '1/s', {
      better: 'higher',
      note: `${BATCH} at once, ${DIMS} numbers, on the disk`,
    }),
    fig('embedded.store-one', median(single) * 1000, 'ms', { note: 'one alone: one commit with its fsync' }),
    fig('embedded.open-rate', FACES / opening, '1/s', {
      better: 'higher',
      note: 'templates read, decoded and indexed when opened',
    }),
    fig('embedded.file-bytes', bytes, 'B', { note: `for each face of ${DIMS} numbers` }),
  );

  const server = http.createServer(createStorageHandler(storage, { authorize: bearerToken('token') }));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const remote = await connectStorage({ url: `http://127.0.0.1:${server.address().port}`, token: 'token' });
  const queries = vectors(QUERIES + 5, DIMS, 99).map(probe);
  const times = { local: [], http: [], batch: [], threshold: [] };
  for (const [i, query] of queries.entries()) {
    const round = {
      local: await seconds(() => storage.findMatches(query)),
      http: await seconds(() => remote.findMatches(query)),
      threshold: await seconds(() => storage.findMatches(query, { threshold: 0.4 })),
      batch: i % 10 === 0 ? (await seconds(() => storage.findMatchesBatch(queries.slice(0, 64)))) / 64 : undefined,
    };
    if (i >= 5) for (const [name, value] of Object.entries(round)) if (value !== undefined) times[name].push(value);
  }
  const ms = Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list) * 1000]));
  const batches = Array.from({ length: 5 }, (_, b) =>
    vectors(BATCH, DIMS, 1000 + b).map((vector, i) => ({ id: `remote ${b} ${i}`, template: template(vector) })),
  );
  const sent = await seconds(async () => {
    for (const items of batches) await remote.storeTemplates(items);
  });
  const of = `${FACES} × ${DIMS}, k = 10`;
  figures.push(
    fig('embedded.query', ms.local, 'ms', { note: of }),
    fig('embedded.query-threshold', ms.threshold, 'ms', { note: `${of}, threshold 0.4, nobody above it` }),
    fig('embedded.query-batched', ms.batch, 'ms', { note: `${of}, each of 64 together` }),
    fig('http.query', ms.http, 'ms', { note: `${of}, through the service on this machine` }),
    fig('http.overhead', ms.http - ms.local, 'ms', { note: 'medians, taken in turns' }),
    fig('http.store-rate', (5 * BATCH) / sent, '1/s', { better: 'higher', note: `${BATCH} at once` }),
  );
  await remote.close();
  await new Promise((resolve) => server.close(resolve));
  await storage.close();
}

/** PostgreSQL in WebAssembly: its times say nothing of a server's, what its graphs find and how many bytes they take does. */
async function graphs() {
  const { PGlite } = await import('@electric-sql/pglite');
  const { vector } = await import('@electric-sql/pglite-pgvector');
  const { PGLiteSocketServer } = await import('@electric-sql/pglite-socket');
  const { default: pg } = await import('pg');
  const db = await PGlite.create({ extensions: { vector } });
  const server = new PGLiteSocketServer({ db, port: 0, host: '127.0.0.1' });
  await server.start();
  const pool = new pg.Pool({
    connectionString: `postgres://postgres:postgres@${server.getServerConn()}/postgres`,
    max: 1,
  });
  const { faces, dims, queries: count, partitions } = GRAPH;
  const common = { pool, model: MODEL, dims, partitions };
  const all = vectors(faces, dims, 5);
  const items = all.map((v, i) => ({ id: `${i}`, template: template(v) }));
  const queries = vectors(count, dims, 6);
  const wanted = queries.map((query) => {
    const order = all.map((v, i) => [v.reduce((sum, x, d) => sum + x * query[d], 0), `${i}`]);
    return new Set(
      order
        .sort((a, b) => b[0] - a[0])
        .slice(0, 10)
        .map(([, id]) => id),
    );
  });
  const rows = [];
  const recall = async (name, storage) => {
    let found = 0;
    for (const [q, query] of queries.entries()) {
      for (const { id } of await storage.findMatches(probe(query))) if (wanted[q].has(id)) found++;
    }
    rows.push([name, (found / (10 * count)).toFixed(4)]);
    figures.push(
      fig(`pgvector.recall-${name}`, found / (10 * count), '', {
        better: 'higher',
        note: `at 10, ${faces} × ${dims} random, ${partitions} partitions`,
      }),
    );
  };
  const loading = await openPostgresStorage({ ...common, schema: 'graphs' });
  for (let at = 0; at < faces; at += BATCH) await loading.storeTemplates(items.slice(at, at + BATCH));
  await pool.query('ANALYZE graphs.templates');
  for (const candidates of [20, 50, 100, 200])
    await recall(`hnsw-${candidates}`, await openPostgresStorage({ ...common, schema: 'graphs', candidates }));
  const plain = await openPostgresStorage({ ...common, schema: 'plain', hnsw: false, candidates: 20 });
  for (let at = 0; at < faces; at += BATCH) await plain.storeTemplates(items.slice(at, at + BATCH));
  await recall('no-graph', plain);
  const { rows: sizes } = await pool.query(
    `SELECT sum(pg_relation_size(oid)) FILTER (WHERE relname LIKE '%vector%') AS graph, sum(pg_total_relation_size(oid)) FILTER
       (WHERE relkind = 'r') AS disk FROM pg_class WHERE relnamespace = 'graphs'::regnamespace AND relname LIKE 'templates%'`,
  );
  for (const name of ['graph', 'disk'])
    figures.push(
      fig(`pgvector.${name}-bytes`, Number(sizes[0][name]) / faces, 'B', { note: `for each face of ${dims} numbers` }),
    );
  printTable(['candidates', 'recall at 10'], rows);
  await pool.end();
  await server.stop();
  await db.close();
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-storage-bench-'));
try {
  await embedded(folder);
  await graphs();
} finally {
  fs.rmSync(folder, { recursive: true, force: true });
}
finish('storage', figures, { faces: FACES, dims: DIMS, graph: GRAPH });
