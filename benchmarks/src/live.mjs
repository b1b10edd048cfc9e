// The live pipeline. Four cameras with 720p at 15 pictures a second and faces in them, for minutes: memory, what was dropped, how late events
// come, and that a listener that sleeps delays nobody. Then one camera, whose pictures come from a pipe as they were decoded before: what
// the pipeline adds to the networks.
//
//   node benchmarks/src/live.mjs [--minutes 10] [--cameras 4] [--preset fast]
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { haveProduct } from './ours.mjs';
import { PRODUCT, ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: process.env.BENCH_MINUTES ?? '10' },
    cameras: { type: 'string', default: '4' },
    preset: { type: 'string', default: 'fast' },
    seconds: { type: 'string', default: '30' },
  },
});
const MINUTES = Number(values.minutes);
const CAMERAS = Number(values.cameras);
const [WIDTH, HEIGHT, FPS, LOOP_SECONDS] = [1280, 720, 15, 16];
const SAMPLES = [1, 3, 4, 6];
const MIB = 2 ** 20;

const from = (file) => import(pathToFileURL(path.join(path.dirname(PRODUCT), file)).href);

/** A window of 720p that wanders over a photograph with three or four faces, and back to where it began. */
function makeVideo(sample, file) {
  const photo = path.join(ROOT, `node_modules/@vladmandic/face-api/demo/sample${sample}.jpg`);
  const turn = `2*PI*t/${LOOP_SECONDS}`;
  const window = `crop=${WIDTH}:${HEIGHT}:x='(iw-ow)/2*(1+sin(${turn}))':y='(ih-oh)/2*(1-cos(${turn}))'`;
  execFileSync('ffmpeg', [
    ...['-nostdin', '-loglevel', 'error', '-y', '-loop', '1', '-framerate', String(FPS), '-i', photo],
    ...['-vf', `scale=1600:-2,${window},noise=alls=4:allf=t,format=yuv420p`, '-t', String(LOOP_SECONDS)],
    ...['-c:v', 'libx264', '-preset', 'veryfast', '-g', '30', file],
  ]);
}

/** Least squares: bytes a minute. */
function slope(samples) {
  const n = samples.length;
  const mean = (of) => samples.reduce((sum, one) => sum + of(one), 0) / n;
  const [mx, my] = [mean(([x]) => x), mean(([, y]) => y)];
  const over = samples.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return over / samples.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/** Many cameras for minutes. */
async function many(openPipeline, folder) {
  const cameras = Array.from({ length: CAMERAS }, (_, i) => {
    const file = path.join(folder, `${i}.mp4`);
    makeVideo(SAMPLES[i % SAMPLES.length], file);
    return { id: `camera-${i + 1}`, source: { kind: 'file', path: file, loop: true } };
  });
  const pipeline = await openPipeline({ cameras, engine: { preset: values.preset }, data: path.join(folder, 'data') });
  const heard = { all: 0, slow: 0, gaps: 0 };
  pipeline.on('*', () => void heard.all++);
  pipeline.on(
    '*',
    async (event) => {
      heard.slow++;
      if (event.type === 'gap') heard.gaps += event.count;
      await wait(2000, undefined, { ref: false });
    },
    { capacity: 5 },
  );
  const memory = [];
  const begin = performance.now();
  const warm = Math.min(60, MINUTES * 20);
  let reset = false;
  while (performance.now() - begin < MINUTES * 60_000) {
    await wait(1000);
    const seconds = (performance.now() - begin) / 1000;
    if (!reset && seconds >= warm) {
      pipeline.resetTimes();
      reset = true;
    }
    const { memory: now } = pipeline.stats();
    if (seconds >= warm) memory.push([seconds / 60, now.rss]);
    if (memory.length % 60 === 1) process.stderr.write(`${seconds.toFixed(0)} s: ${(now.rss / MIB).toFixed(0)} MiB\n`);
  }
  const stats = pipeline.stats();
  const report = await pipeline.close();
  printTable(
    ['camera', 'received', 'looked at', 'dropped', 'overtaken', 'p50 ms', 'p95 ms'],
    stats.cameras.map((one) => [
      one.camera,
      one.source.received,
      one.detected,
      one.source.dropped,
      one.overtaken,
      one.latency.p50.toFixed(0),
      one.latency.p95.toFixed(0),
    ]),
  );
  stages(stats);
  return { stats, report, heard, memory };
}

function stages(stats) {
  console.log();
  printTable(
    ['stage', 'count', 'p50 ms', 'p95 ms', 'p99 ms'],
    Object.entries(stats.stages)
      .filter(([, { count }]) => count > 0)
      .map(([name, { count, p50, p95, p99 }]) => [name, count, p50.toFixed(2), p95.toFixed(2), p99.toFixed(2)]),
  );
  console.log();
}

/** One camera whose pictures arrive decoded: `ffmpeg -re` into a pipe. */
async function one(openPipeline, folder) {
  const file = path.join(folder, 'one.mp4');
  makeVideo(SAMPLES[0], file);
  const fifo = path.join(folder, 'one.yuv');
  execFileSync('mkfifo', [fifo]);
  const writer = spawn('ffmpeg', [
    ...['-nostdin', '-loglevel', 'error', '-y', '-re', '-stream_loop', '-1', '-i', file],
    ...['-f', 'rawvideo', '-pix_fmt', 'yuv420p', fifo],
  ]);
  const source = { kind: 'raw', path: fifo, width: WIDTH, height: HEIGHT, format: 'i420', fps: FPS };
  const pipeline = await openPipeline({
    cameras: [{ id: 'one', source }],
    engine: { preset: values.preset },
    data: path.join(folder, 'data-one'),
  });
  await wait(5000);
  pipeline.resetTimes();
  await wait(Number(values.seconds) * 1000);
  const stats = pipeline.stats();
  writer.kill();
  await pipeline.close();
  stages(stats);
  return stats;
}

async function main() {
  if (!haveProduct()) return console.log('live: skipped, the product is not built');
  if (spawnSync('ffmpeg', ['-version']).status !== 0) return console.log('live: skipped, there is no ffmpeg');
  const { openPipeline } = await from('pipeline/index.js');
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-live-'));
  try {
    const single = await one(openPipeline, folder);
    const { stats, report, heard, memory } = await many(openPipeline, folder);
    const sum = (of) => stats.cameras.reduce((all, camera) => all + of(camera), 0);
    const { event } = stats.stages;
    const note = `${CAMERAS} cameras, 720p at ${FPS}/s, ${MINUTES} minutes, preset ${values.preset}`;
    const received = sum(({ source }) => source.received);
    const dropped = sum(({ source, overtaken }) => source.dropped + overtaken);
    const { taken, own } = single.stages;
    finish('live', [
      figure('live.latency.p50', event.p50, 'ms', { issue: 6, note: `frame to event, ${note}` }),
      figure('live.latency.p95', event.p95, 'ms', { issue: 6, note: `frame to event, ${note}` }),
      figure('live.dropped', (100 * dropped) / received, '%', { issue: 6, note: `${dropped} of ${received}, ${note}` }),
      figure('live.growth', slope(memory) / MIB, 'MiB/min', { issue: 6, goal: 1, note: `after warming up, ${note}` }),
      figure('live.lost', report.events, 'events', { issue: 6, goal: 0, note: `of ${heard.all}, ${note}` }),
      figure('live.slow', heard.gaps + heard.slow, 'events', {
        issue: 6,
        note: `told or counted as lost to a listener that sleeps; others had ${heard.all}`,
      }),
      figure('live.own.p50', taken.p50 + own.p50, 'ms', {
        issue: 6,
        goal: 3,
        note: 'one camera: from the picture in the ring to the decision, without networks',
      }),
      figure('live.own.p95', taken.p95 + own.p95, 'ms', { issue: 6, note: 'the same, 95 of 100 frames' }),
    ]);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

await main();
