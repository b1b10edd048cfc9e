// Enrolling 100 000 templates into a gallery, beside plain inserts of the same bytes into SQLite (through our binding, and through
// Python's sqlite3 where there is one), and with and without encryption. All in turns, the same commits: 256 templates each, on the disk.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';
import { median, random } from './metrics.mjs';
import { haveProduct } from './ours.mjs';
import { PRODUCT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const TOTAL = Number(process.env.BENCH_TEMPLATES ?? 100_000);
const ROUND = 4000;
const BATCH = 256;
const SINGLES = Number(process.env.BENCH_SINGLES ?? 1000);
const DIMS = 512;

const product = (file) => import(pathToFileURL(path.join(path.dirname(PRODUCT), file)).href);

/** Unit vectors of random directions, made outside of what is timed. */
function faces(count, next) {
  return Array.from({ length: count }, () => {
    const vector = Float32Array.from({ length: DIMS }, () => next() + next() + next() - 1.5);
    const length = Math.hypot(...vector);
    return { model: 'bench@1', dims: DIMS, vector: vector.map((v) => v / length) };
  });
}

const PYTHON = `
import os, sqlite3, sys, time
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('PRAGMA journal_mode=WAL'); c.execute('PRAGMA synchronous=FULL'); c.execute('PRAGMA secure_delete=ON')
c.execute('PRAGMA wal_autocheckpoint=2000')
c.execute('CREATE TABLE templates (sample INTEGER PRIMARY KEY, data BLOB NOT NULL)')
key = 0
print(sqlite3.sqlite_version, flush=True)
for line in sys.stdin:
    count, size, batch = map(int, line.split())
    data = [os.urandom(size) for _ in range(count)]
    began = time.perf_counter()
    for at in range(0, count, batch):
        part = [(key + at + i + 1, d) for i, d in enumerate(data[at:at + batch])]
        c.execute('BEGIN IMMEDIATE'); c.executemany('INSERT INTO templates VALUES (?, ?)', part); c.execute('COMMIT')
    print(time.perf_counter() - began, flush=True)
    key += count
`;

/** Python's sqlite3 in a process of its own, or undefined where there is none. */
async function openPython(folder) {
  const child = spawn('python3', ['-c', PYTHON, path.join(folder, 'python.db')], { stdio: ['pipe', 'pipe', 'ignore'] });
  child.on('error', () => undefined);
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { value: version, done } = await lines.next();
  if (done) return undefined;
  return {
    version,
    async insert(count, size) {
      child.stdin.write(`${count} ${size} ${BATCH}\n`);
      return Number((await lines.next()).value);
    },
    close: () => child.stdin.end(),
  };
}

async function timed(work) {
  const from = performance.now();
  await work();
  return (performance.now() - from) / 1000;
}

async function main() {
  if (!haveProduct()) return console.log('enrolment: skipped, the product is not built');
  const { openGallery } = await product('gallery/index.js');
  const { Database } = await product('gallery/database.js');
  const { encodeTemplate } = await product('templates/index.js');
  const folder = fs.mkdtempSync(path.join(process.env.BENCH_FOLDER ?? os.tmpdir(), 'lineament-enrolment-'));
  process.env.LINEAMENT_BENCH_KEYS = `bench:${randomBytes(32).toString('base64')}`;
  const keys = { env: 'LINEAMENT_BENCH_KEYS' };
  const python = await openPython(folder);
  const database = await Database.open({
    path: path.join(folder, 'raw.db'),
    migrations: [['CREATE TABLE templates (sample INTEGER PRIMARY KEY, data BLOB NOT NULL)']],
  });
  const open = (name, more) => openGallery({ folder: path.join(folder, name), snapshots: false, ...more });
  const galleries = { plain: await open('plain', {}), sealed: await open('sealed', { keys }) };
  const rates = { plain: [], sealed: [], binding: [], python: [] };
  try {
    const next = random(4);
    let size = 0;
    for (let done = 0; done < TOTAL; done += ROUND) {
      const all = faces(ROUND, next);
      const items = all.map((embedding, i) => ({ person: `person ${done + i}`, samples: { embedding, quality: 80 } }));
      const bytes = all.map((face) => encodeTemplate({ ...face, quality: 80, samples: 1, createdAt: Date.now() }));
      size = bytes[0].length;
      const insert = async () => {
        for (let at = 0; at < ROUND; at += BATCH) {
          const rows = bytes.slice(at, at + BATCH).map((data, i) => [done + at + i + 1, data]);
          await database.write([{ sql: 'INSERT INTO templates VALUES (?, ?)', rows }]);
        }
      };
      const enrol = (name) => galleries[name].enrolMany(items, { batch: BATCH });
      // Who comes first changes from round to round.
      const order = (done / ROUND) % 2 === 0 ? ['plain', 'sealed'] : ['sealed', 'plain'];
      for (const name of order) rates[name].push(ROUND / (await timed(() => enrol(name))));
      rates.binding.push(ROUND / (await timed(insert)));
      if (python) rates.python.push(ROUND / (await python.insert(ROUND, size)));
      process.stderr.write(`${done + ROUND} of ${TOTAL}\n`);
    }
    const single = { plain: [], sealed: [] };
    for (const [i, embedding] of faces(SINGLES, next).entries()) {
      for (const name of i % 2 === 0 ? ['plain', 'sealed'] : ['sealed', 'plain']) {
        single[name].push(1000 * (await timed(() => galleries[name].enrol(`single ${i}`, { embedding, quality: 80 }))));
      }
    }
    report(rates, single, size, python?.version);
  } finally {
    await Promise.all([galleries.plain.close(), galleries.sealed.close(), database.close()]);
    python?.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

function report(rates, single, size, python) {
  const ratio = (a, b) => median(a.map((v, i) => v / b[i]));
  const overhead = (ratio(rates.plain, rates.sealed) - 1) * 100;
  const alone = (median(single.sealed.map((v, i) => v / single.plain[i])) - 1) * 100;
  printTable(
    ['what', 'templates/s'],
    Object.entries(rates)
      .filter(([, all]) => all.length > 0)
      .map(([name, all]) => [name, Math.round(median(all))]),
  );
  const rounds = `median of ${rates.plain.length} rounds of ${ROUND} in turns, ${DIMS} dims (${size} bytes), commits of ${BATCH}, each on the disk`;
  const figures = [
    figure('enrolment.rate', median(rates.plain), 'templates/s', {
      issue: 4,
      better: 'higher',
      note: `persons, samples, templates, log of changes and index, searchable when acknowledged; ${rounds}`,
    }),
    figure('enrolment.rate.sealed', median(rates.sealed), 'templates/s', { issue: 4, better: 'higher', note: rounds }),
    figure('enrolment.raw.binding', median(rates.binding), 'templates/s', {
      issue: 4,
      better: 'higher',
      note: `the same bytes into one table, through our SQLite; ${rounds}`,
    }),
    figure('enrolment.encryption', overhead, '%', {
      issue: 4,
      goal: 5,
      note: `more time than without encryption; ${rounds}`,
    }),
    figure('enrolment.encryption.single', alone, '%', {
      issue: 4,
      goal: 5,
      note: `one at a time: ${median(single.sealed).toFixed(2)} ms sealed, ${median(single.plain).toFixed(2)} ms plain, median of ${single.plain.length} pairs in turns`,
    }),
    figure('enrolment.single', median(single.plain), 'ms', {
      issue: 4,
      note: 'one person at a time, to the disk and into the index',
    }),
    figure('enrolment.of-raw', ratio(rates.plain, rates.binding), "of raw SQLite's", {
      issue: 4,
      better: 'higher',
      note: `rate of enrolment beside inserts of the same bytes; ${rounds}`,
    }),
  ];
  if (python) {
    figures.push(
      figure('enrolment.raw.python', median(rates.python), 'templates/s', {
        issue: 4,
        better: 'higher',
        peer: `Python's sqlite3 ${python}`,
        note: rounds,
      }),
      figure('enrolment.binding-speed', ratio(rates.binding, rates.python), 'x', {
        issue: 4,
        better: 'higher',
        peer: `Python's sqlite3 ${python}`,
        note: 'inserts through our binding',
      }),
    );
  }
  finish('enrolment', figures);
}

await main();
