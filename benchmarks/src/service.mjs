// The service. Throughput of /detect and /extract-embedding with 1, 8 and 32 clients beside the library's own in its own process, taken in turns
// on the same cores (the clients run there too, and their share is the service's loss). Then minutes beyond capacity: what is shed, how soon
// /health answers to a process of its own, what the memory does.
//
//   node benchmarks/src/service.mjs [--presets balanced,fast] [--rounds 5] [--seconds 3] [--minutes 10] [--over 3]
//   The first preset has the figures without a name (the service's own default), the last one the overload: the quicker the networks, the more
//   requests a second there are to refuse.
//   BENCH_MINUTES changes the minutes; 0 leaves the overload out, and no result file is written then.
import { fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { sharp } from './frames.mjs';
import { Connection, closedLoop, quantile, requestBytes } from './http-load.mjs';
import { median, random } from './metrics.mjs';
import { PRODUCT, ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const FILE = path.join(ROOT, 'benchmarks', 'src', 'service.mjs');
const SERVICE = path.join(path.dirname(PRODUCT), 'service', 'index.js');
const MIB = 2 ** 20;
const CLIENTS = [1, 8, 32];
const OPERATIONS = {
  detect: { path: '/api/v1/detect', run: (engine, image) => engine.detect(image) },
  'extract-embedding': {
    path: '/api/v1/face-recognition/extract-embedding',
    run: (engine, image) => engine.analyze(image, { embedding: true, maxFaces: 1 }),
  },
};

const { values } = parseArgs({
  options: {
    role: { type: 'string' },
    preset: { type: 'string' },
    presets: { type: 'string', default: 'balanced,fast' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    minutes: { type: 'string', default: process.env.BENCH_MINUTES ?? '10' },
    over: { type: 'string', default: '3' },
  },
});
const PRESETS = values.presets.split(',');
const [ROUNDS, SECONDS, MINUTES, OVER] = [values.rounds, values.seconds, values.minutes, values.over].map(Number);
const fig = (id, value, unit, more) => figure(`service.${id}`, value, unit, { issue: 7, ...more });

/** Photographs with faces, 640 wide, as a camera or a browser would send them. */
async function pictures() {
  const demo = path.join(ROOT, 'node_modules/@vladmandic/face-api/demo');
  return Promise.all(
    [1, 2, 3, 4, 5, 6].map((n) =>
      sharp(path.join(demo, `sample${n}.jpg`))
        .rotate()
        .resize(640)
        .jpeg({ quality: 90 })
        .toBuffer(),
    ),
  );
}

/** The process with the service: prints nothing, tells its parent where it listens. */
async function serve() {
  const { openService } = await import(pathToFileURL(SERVICE).href);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-service-'));
  const service = await openService({
    config: {
      server: { port: 0, docs: false },
      data: { folder },
      engine: { preset: values.preset, mode: 'throughput' },
      rate: { perKey: 0, perAddress: 0 },
      cache: { embeddings: 0 },
      limits: { deadlineMs: 5000 },
      log: { level: 'error' },
    },
  });
  process.on('message', async () => {
    await service.close();
    fs.rmSync(folder, { recursive: true, force: true });
    process.disconnect();
  });
  process.send({ address: service.address, key: service.firstKey });
}

/** The process with the library: works when it is told to. */
async function library() {
  const { openEngine } = await import(pathToFileURL(PRODUCT).href);
  const engine = await openEngine({ preset: values.preset, mode: 'throughput' });
  const images = await pictures();
  await engine.warm({ embedding: true });
  process.on('message', async (told) => {
    if (told.end) {
      await engine.close();
      process.disconnect();
      return;
    }
    const { run } = OPERATIONS[told.operation];
    const work = async (client, turn) => void (await run(engine, images[(client + turn) % images.length]));
    process.send(await closedLoop({ clients: told.clients, ms: told.ms, work }));
  });
  process.send({ ready: true });
}

/** The process that asks for /health all the time, as a supervisor would, and nothing else. */
async function watch() {
  process.once('message', async ({ host, port }) => {
    const connection = new Connection(host, port);
    const bytes = requestBytes({ host, path: '/health', method: 'GET' });
    const times = [];
    let failed = 0;
    let going = true;
    process.once('message', () => {
      going = false;
    });
    while (going) {
      const start = performance.now();
      const answer = await connection.send(bytes).catch(() => undefined);
      times.push(performance.now() - start);
      if (answer?.status !== 200) failed++;
      await wait(50);
    }
    connection.close();
    process.send({ times, failed });
    process.disconnect();
  });
}

const children = [];
function start(role, preset = PRESETS[0]) {
  const child = fork(FILE, ['--role', role, '--preset', preset], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  children.push(child);
  return child;
}

/** What a child says next. */
const answerOf = (child) =>
  new Promise((resolve, reject) => {
    const over = (code) => reject(new Error(`a process ended with ${code}`));
    child.once('exit', over);
    child.once('message', (said) => {
      child.off('exit', over);
      resolve(said);
    });
  });

/** Requests of an operation, one for each picture. */
function requestsFor({ host, key }, operation, images) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'image/jpeg' };
  return images.map((body) => requestBytes({ host, path: OPERATIONS[operation].path, headers, body }));
}

async function throughput(preset, target, lib, images) {
  const seen = new Map();
  const of = (name) => {
    if (!seen.has(name)) seen.set(name, { service: [], library: [], ratio: [], times: [] });
    return seen.get(name);
  };
  const connections = Array.from({ length: Math.max(...CLIENTS) }, () => new Connection(target.host, target.port));
  for (let round = -1; round < ROUNDS; round++) {
    for (const operation of Object.keys(OPERATIONS)) {
      const requests = requestsFor(target, operation, images);
      const work = async (client, turn) => {
        const { status, body } = await connections[client].send(requests[(client + turn) % requests.length]);
        if (status !== 200) throw new Error(`${operation} was answered with ${status}: ${body}`);
      };
      for (const clients of CLIENTS) {
        const ms = round < 0 ? 500 : SECONDS * 1000;
        const sides = {
          library: async () => {
            lib.send({ operation, clients, ms });
            return answerOf(lib);
          },
          service: () => closedLoop({ clients, ms, work }),
        };
        // Who is first changes from round to round.
        const order = round % 2 === 0 ? ['library', 'service'] : ['service', 'library'];
        const result = {};
        for (const side of order) result[side] = await sides[side]();
        if (round < 0) continue;
        const all = of(`${operation}.${clients}`);
        all.service.push(result.service.rate);
        all.library.push(result.library.rate);
        all.ratio.push(result.service.rate / result.library.rate);
        all.times.push(...result.service.times);
      }
    }
  }
  for (const one of connections) one.close();
  printTable(
    ['operation.clients', 'service 1/s', 'library 1/s', 'ratio', 'p50 ms', 'p99 ms'],
    [...seen].map(([name, all]) => [
      name,
      median(all.service).toFixed(1),
      median(all.library).toFixed(1),
      median(all.ratio).toFixed(3),
      quantile(all.times, 0.5).toFixed(1),
      quantile(all.times, 0.99).toFixed(1),
    ]),
  );
  const prefix = preset === PRESETS[0] ? '' : `${preset}.`;
  const how = `preset ${preset}, 640 wide; ${ROUNDS} rounds of ${SECONDS} s, medians`;
  const figures = [...seen].flatMap(([name, all]) => [
    fig(`${prefix}${name}.ratio`, median(all.ratio), '×', {
      goal: 0.9,
      better: 'higher',
      note: `of the library's own throughput; ${how}`,
    }),
    fig(`${prefix}${name}.rate`, median(all.service), '1/s', { better: 'higher', note: how }),
    fig(`${prefix}${name}.p50`, quantile(all.times, 0.5), 'ms'),
    fig(`${prefix}${name}.p99`, quantile(all.times, 0.99), 'ms'),
  ]);
  return { figures, capacity: median(seen.get('detect.8').service) };
}

const rss = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) * 1024;

/** Least squares: bytes a minute over [minutes, bytes]. */
function slope(samples) {
  const mean = (of) => samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  return (
    samples.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0) / samples.reduce((sum, [x]) => sum + (x - mx) ** 2, 0)
  );
}

/** Requests come at `OVER` times the capacity, whether they are answered or not. */
async function overload(preset, target, capacity, images) {
  const requests = requestsFor(target, 'detect', images);
  // Whoever watches a service was there before the crowd: it has begun when that comes.
  const watcher = start('watch');
  watcher.send({ host: target.host, port: target.port });
  await wait(2000);
  const next = random(1);
  const free = [];
  const seen = { sent: 0, answers: new Map(), times: [], shed: [], lost: 0 };
  const memory = [];
  const most = 1024;
  let made = 0;
  const one = async () => {
    const connection = free.pop() ?? (made < most ? new Connection(target.host, target.port) : undefined);
    if (connection === undefined) {
      seen.lost++;
      return;
    }
    if (free.length === 0) made++;
    seen.sent++;
    const at = performance.now();
    const status = await connection
      .send(requests[seen.sent % requests.length])
      .then((answer) => answer.status)
      .catch(() => 'broken');
    seen.answers.set(status, (seen.answers.get(status) ?? 0) + 1);
    if (status === 200) seen.times.push(performance.now() - at);
    else if (status === 429) seen.shed.push(performance.now() - at);
    free.push(connection);
  };
  const begin = performance.now();
  const warm = Math.min(1, MINUTES / 5);
  let due = begin;
  let looked = begin;
  while (performance.now() - begin < MINUTES * 60_000) {
    for (; due <= performance.now(); due += (-Math.log(1 - next()) / (capacity * OVER)) * 1000) void one();
    if (performance.now() - looked > 1000) {
      looked = performance.now();
      const minutes = (looked - begin) / 60_000;
      if (minutes >= warm) memory.push([minutes, rss(target.pid)]);
      if (memory.length % 60 === 1) {
        process.stderr.write(`${minutes.toFixed(1)} min: ${(rss(target.pid) / MIB).toFixed(0)} MiB\n`);
      }
    }
    await wait(2);
  }
  const minutes = (performance.now() - begin) / 60_000;
  watcher.send('end');
  const health = await answerOf(watcher);
  console.log(
    `\n${[...seen.answers].map(([status, count]) => `${status}: ${count}`).join(', ')}; not sent: ${seen.lost}`,
  );
  const answered = seen.answers.get(200) ?? 0;
  const others = [...seen.answers].filter(([status]) => ![200, 429, 504].includes(status));
  const note = `preset ${preset}, ${minutes.toFixed(1)} minutes of /detect at ${OVER} times the capacity, ${(capacity * OVER).toFixed(0)} a second`;
  return [
    fig('overload.done', answered / (minutes * 60) / capacity, '×', {
      better: 'higher',
      note: `answered, of the capacity; ${note}`,
    }),
    fig('overload.shed', (100 * (seen.answers.get(429) ?? 0)) / seen.sent, '%', {
      note: `told to come back (429); ${note}`,
    }),
    fig('overload.shed.p99', quantile(seen.shed, 0.99), 'ms', { note: 'until somebody is told so' }),
    fig(
      'overload.failed',
      others.reduce((sum, [, count]) => sum + count, 0),
      'requests',
      {
        goal: 0,
        note: `answered otherwise than 200, 429 and 504, or not at all; ${note}`,
      },
    ),
    fig('overload.p99', quantile(seen.times, 0.99), 'ms', { note: `of what was answered, deadline 5 s; ${note}` }),
    fig('overload.health.p99', quantile(health.times, 0.99), 'ms', { goal: 50, note: `/health, every 50 ms; ${note}` }),
    fig('overload.health.max', Math.max(...health.times), 'ms', {
      goal: 50,
      note: `of ${health.times.length}; ${note}`,
    }),
    fig('overload.health.failed', health.failed, 'requests', { goal: 0, note }),
    fig('overload.growth', slope(memory) / MIB, 'MiB/min', {
      goal: 1,
      note: `resident memory after warming up; ${note}`,
    }),
    fig('overload.rss', Math.max(...memory.map(([, bytes]) => bytes)) / MIB, 'MiB', { note: `most; ${note}` }),
  ];
}

/** Both processes with a preset, and what is measured of them. */
async function measure(preset, images) {
  const service = start('serve', preset);
  const lib = start('library', preset);
  const [{ address, key }] = await Promise.all([answerOf(service), answerOf(lib)]);
  const { hostname: host, port } = new URL(address);
  const target = { host, port: Number(port), key, pid: service.pid };
  const { figures, capacity } = await throughput(preset, target, lib, images);
  lib.send({ end: true });
  if (MINUTES > 0 && preset === PRESETS.at(-1)) figures.push(...(await overload(preset, target, capacity, images)));
  service.send('end');
  return figures;
}

async function main() {
  if (!fs.existsSync(SERVICE)) return console.log('service: skipped, the product is not built');
  const images = await pictures();
  const figures = [];
  for (const preset of PRESETS) figures.push(...(await measure(preset, images)));
  if (MINUTES > 0) finish('service', figures);
}

if (values.role === undefined) {
  try {
    await main();
  } catch (error) {
    for (const child of children) child.kill();
    throw error;
  }
} else {
  await { serve, library, watch }[values.role]();
}
