// Exact search beside its peers over the same vectors and queries: our kernels and FAISS in native/bench/search_bench.cpp,
// usearch in a process of its own. The programs stay and take turns, round by round; a figure is the median over rounds of
// a ratio within one round. FAISS is Debian's libfaiss-dev with the BLAS that Debian's alternatives name.
//   BENCH_ROUNDS, BENCH_SEARCH_ROWS (1000000), BENCH_SEARCH_MAPPED_ROWS (10000000; 0 leaves it out), BENCH_TMP: a folder with
//   room for the vectors
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { benchProgram, buildBench, runBench } from './native.mjs';
import { figure, finish } from './report.mjs';

const ISSUE = 4;
const DIMS = 512;
const BATCH = 256;
const TAU = 0.4;
const ORACLE = Number(process.env.BENCH_ORACLE_QUERIES ?? 1000);
const THREADS = 2;
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const ROWS = Number(process.env.BENCH_SEARCH_ROWS ?? 1_000_000);
const MAPPED_ROWS = Number(process.env.BENCH_SEARCH_MAPPED_ROWS ?? 10_000_000);

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const ms = (value) => `${value.toPrecision(3)} ms`;

/** A program that answers each line with a line of JSON. */
class Program {
  #child;
  #lines;
  #ended;

  constructor(command, args) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    this.#ended = new Promise((resolve) => {
      this.#child.on('error', resolve);
      this.#child.on('close', resolve);
    });
  }

  async answer() {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`${this.#child.spawnfile} ended (${await this.#ended})`);
    return JSON.parse(value);
  }

  ask(line) {
    this.#child.stdin.write(`${line}\n`);
    return this.answer();
  }

  async end() {
    this.#child.stdin.end();
    await this.#ended;
  }
}

function readFloats(file) {
  const bytes = new Uint8Array(fs.statSync(file).size);
  const input = fs.openSync(file, 'r');
  for (let at = 0; at < bytes.length; ) at += fs.readSync(input, bytes, at, Math.min(1 << 30, bytes.length - at));
  fs.closeSync(input);
  return new Float32Array(bytes.buffer);
}

/** The usearch process: a line with a number of queries is answered with the median time of one. */
function serveUsearch(file) {
  const { exactSearch } = createRequire(import.meta.url)('usearch');
  const vectors = readFloats(file);
  const queries = readFloats(`${file}.queries`);
  console.log('{}');
  createInterface({ input: process.stdin }).on('line', (line) => {
    const times = [];
    for (let q = 0; q < Number(line); q++) {
      const began = performance.now();
      exactSearch(vectors, queries.subarray(q * DIMS, (q + 1) * DIMS), DIMS, 10, 'ip', THREADS);
      times.push(performance.now() - began);
    }
    console.log(JSON.stringify({ ms: median(times) }));
  });
}

/** Speed over one random gallery, in turns with the peers. */
async function speed(rows, folder, rounds) {
  const file = path.join(folder, 'vectors.f32');
  const ours = new Program(benchProgram('search_bench'), ['random', rows, DIMS, ORACLE, THREADS, file].map(String));
  const start = await ours.answer();
  const usearch = new Program(process.execPath, [fileURLToPath(import.meta.url), '--usearch', file]);
  await usearch.answer();
  fs.rmSync(file);
  const seen = [];
  for (let round = 0; round < rounds; round++) {
    const one = { stream: (await ours.ask('stream')).ms };
    one.topk = await ours.ask('topk 25');
    one.stream = Math.min(one.stream, (await ours.ask('stream')).ms);
    one.usearch = (await usearch.ask('2')).ms;
    one.peak = await ours.ask('peak');
    // As often as FAISS, at each number of threads: the better one counts.
    const batches = [await ours.ask(`batch ${BATCH}`), await ours.ask(`batch ${BATCH}`)];
    one.batch = batches[batches[0].ms <= batches[1].ms ? 0 : 1];
    if (start.faiss) {
      one.faiss = (await ours.ask(`faiss 2 0 ${THREADS}`)).ms;
      // Its batches take long: three rounds, at each number of threads.
      if (round < 3) {
        const teams = [];
        for (let team = 1; team <= THREADS; team++) teams.push((await ours.ask(`faiss ${BATCH} 1 ${team}`)).ms);
        one.faissBatch = Math.min(...teams);
      }
    }
    seen.push(one);
  }
  await usearch.end();
  const oracle = await ours.ask(`oracle ${ORACLE}`);
  await ours.end();
  return { start, seen, oracle };
}

async function galleryOf(kind, rows, commands) {
  const program = new Program(benchProgram('search_bench'), [kind, rows, DIMS, ORACLE, THREADS].map(String));
  await program.answer();
  const result = await commands(program);
  await program.end();
  return result;
}

function speedFigures(name, { start, seen, oracle }, goals) {
  const of = (pick) => seen.map(pick).filter((v) => Number.isFinite(v));
  const ratio = (pick) => median(of(pick));
  const topk = median(of((r) => r.topk.ms));
  const batch = median(of((r) => r.batch.ms));
  const work = `${Math.round(median(of((r) => r.topk.refined)))} rows refined, ${Math.round(median(of((r) => r.topk.scored)))} scored`;
  const common = { issue: ISSUE, better: 'higher' };
  const against = (id, pick, goal, peer, note) =>
    figure(`search.${name}.${id}`, ratio(pick), 'x', { ...common, goal: goals ? goal : null, peer, note });
  const stream = median(of((r) => r.stream));
  const figures = [
    figure(`search.${name}.single`, topk, 'ms', { issue: ISSUE, note: `${work}; ${THREADS} threads, 10 best` }),
    against(
      'single.stream',
      (r) => r.stream / r.topk.ms,
      3,
      'reading the floats',
      `ours ${ms(topk)}, once through the floats ${ms(stream)}`,
    ),
    against(
      'single.usearch',
      (r) => r.usearch / r.topk.ms,
      6,
      'usearch 2.26.2 exactSearch',
      `ours ${ms(topk)}, usearch ${ms(median(of((r) => r.usearch)))}, ${THREADS} threads`,
    ),
    against(
      'single.faiss',
      (r) => r.faiss / r.topk.ms,
      10,
      'FAISS 1.7.3 IndexFlatIP (Debian)',
      `ours ${ms(topk)}, FAISS ${ms(median(of((r) => r.faiss)))}`,
    ),
    figure(`search.${name}.batch`, batch, 'ms', { issue: ISSUE, note: `for each of ${BATCH} queries at once` }),
    against(
      'batch.faiss',
      (r) => r.faissBatch / r.batch.ms,
      6,
      'FAISS 1.7.3 + OpenBLAS (Debian)',
      `${BATCH} queries: ours ${ms(batch)}, FAISS ${ms(median(of((r) => r.faissBatch)))} each, at its best number of threads`,
    ),
    figure(
      `search.${name}.batch.peak`,
      ratio((r) => r.batch.gmacs / r.peak.gmacs),
      'of peak',
      {
        ...common,
        goal: goals ? 0.5 : null,
        note: `${median(of((r) => r.batch.gmacs)).toFixed(0)} of ${median(of((r) => r.peak.gmacs)).toFixed(0)} Gmac/s (${seen[0].peak.instruction} on registers alone)`,
      },
    ),
    oracleFigure(`search.${name}.oracle.random`, oracle),
    figure(`search.${name}.encode`, (start.encodeMs * 1000 * THREADS) / Number(goals ? ROWS : 100_000), 'us', {
      issue: ISSUE,
      note: 'to code one vector, one thread',
    }),
  ];
  return figures;
}

const oracleFigure = (id, { queries, identical }) =>
  figure(id, identical / queries, 'of queries', {
    issue: ISSUE,
    better: 'higher',
    goal: 1,
    note: `${identical} of ${queries} top-10 lists identical to sums in double over all vectors; half asked one by one, half in a batch`,
  });

async function thresholdFigures(rows) {
  const seen = await galleryOf('impostors', rows, async (program) => {
    const rounds = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        topk: await program.ask('topk 15'),
        above: await program.ask(`above 15 ${TAU}`),
        top1: await program.ask(`top1 15 ${TAU}`),
      });
    }
    return rounds;
  });
  const common = { issue: ISSUE, better: 'higher', goal: 10, peer: 'our own exact top-10' };
  const note = (pick) =>
    `impostor cosines 0.0 ± 0.06, threshold ${TAU}: ${ms(median(seen.map((r) => pick(r).ms)))} and ${ms(median(seen.map((r) => r.topk.ms)))}`;
  return [
    figure('search.threshold.all', median(seen.map((r) => r.topk.ms / r.above.ms)), 'x', {
      ...common,
      note: note((r) => r.above),
    }),
    figure('search.threshold.top1', median(seen.map((r) => r.topk.ms / r.top1.ms)), 'x', {
      ...common,
      note: note((r) => r.top1),
    }),
  ];
}

function mappedFigures(folder) {
  const file = path.join(folder, 'codes.bin');
  const r = runBench('search_bench', ['--mapped', file, MAPPED_ROWS, DIMS, 8, THREADS].map(String));
  fs.rmSync(file);
  const name = `search.mapped-${Math.round(r.rows / 1e6)}m`;
  return [
    figure(`${name}.open`, r.openMs, 'ms', {
      issue: ISSUE,
      note: `to map a file of ${r.fileMib} MiB (int8, no floats)`,
    }),
    figure(`${name}.first`, r.firstMs, 'ms', { issue: ISSUE, note: 'first query, the file not in memory' }),
    figure(`${name}.single`, r.ms, 'ms', { issue: ISSUE, note: '10 best, further queries' }),
    figure(`${name}.batch`, r.batchMs, 'ms', { issue: ISSUE, note: 'for each of 8 queries asked at once' }),
    figure(`${name}.memory`, r.residentMib, 'MiB', {
      issue: ISSUE,
      note: `resident after the queries, the mapped file included; ${r.privateMib} MiB of it before the file was mapped`,
    }),
  ];
}

async function main() {
  buildBench('search_bench');
  const folder = fs.mkdtempSync(path.join(process.env.BENCH_TMP ?? os.tmpdir(), 'lineament-search-'));
  try {
    const small = await speed(100_000, folder, ROUNDS);
    const large = await speed(ROWS, folder, ROUNDS);
    const figures = [
      ...speedFigures(ROWS === 1_000_000 ? '1m' : `${ROWS}`, large, true),
      oracleFigure('search.1m.oracle.clustered', await galleryOf('clustered', ROWS, (p) => p.ask(`oracle ${ORACLE}`))),
      ...(await thresholdFigures(ROWS)),
      ...speedFigures('100k', small, false),
    ];
    if (MAPPED_ROWS > 0) figures.push(...mappedFigures(folder));
    finish('search', figures, {
      simd: large.start.simd,
      kernelThreads: THREADS,
      rounds: ROUNDS,
      rows: ROWS,
      dims: DIMS,
    });
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === '--usearch') serveUsearch(process.argv[3]);
else await main();
