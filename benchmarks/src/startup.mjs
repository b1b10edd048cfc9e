// From process start to the first result, memory, and the longest time that the event loop is held.
import fs from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { answer, chosen, start, trial } from './child.mjs';
import { decode } from './frames.mjs';
import { median } from './metrics.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos, photoPath } from './paths.mjs';
import { openFaceApi, openHuman } from './peers.mjs';
import { figure, finish, printTable } from './report.mjs';
import { ONE_FACE, oneFace640 } from './workload.mjs';

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5);
const PRESETS = ['balanced', 'fast', 'crowd', 'accurate'];
const MIB = 2 ** 20;

const open = (system) =>
  system === 'face-api' ? openFaceApi() : system === 'human' ? openHuman() : openOurs({ preset: system });
const isPeer = (system) => system === 'face-api' || system === 'human';

/** Peak resident memory of this process in MiB, as the kernel counts it (Linux), or Node's maximum. */
function peak() {
  const line =
    fs.existsSync('/proc/self/status') && /VmHWM:\s+(\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  return line ? Number(line[1]) / 1024 : process.resourceUsage().maxRSS / 1024;
}

/** Fresh process: modules, models, decoding, one detection with embedding; then ten warm calls and the memory. */
async function fresh(system) {
  const file = photoPath(ONE_FACE);
  const s = await open(system);
  const faces = await s.analyze(isPeer(system) ? await decode(file) : file);
  const first = Date.now() - Number(process.env.BENCH_BEGAN);
  const { frame } = await oneFace640();
  for (let i = 0; i < 10; i++) await s.analyze(frame);
  globalThis.gc?.();
  const rss = process.memoryUsage().rss / MIB;
  const value = { first, rss, peak: peak(), faces: faces.length };
  await s.close?.();
  return value;
}

/** Longest gap of the event loop over 50 warm calls: a histogram and an immediate that looks at the clock at every turn. */
async function gaps(system) {
  const { frame } = await oneFace640();
  const s = await open(system);
  const calls = isPeer(system) ? 10 : 50;
  for (let i = 0; i < 5; i++) await s.analyze(frame);
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  let last = performance.now();
  let longest = 0;
  let running = true;
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
    if (running) setTimeout(look, 1);
  };
  histogram.enable();
  look();
  for (let i = 0; i < calls; i++) {
    await s.analyze(frame);
    // A turn for the timers: a call that never lets go would otherwise hide its own gap.
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  running = false;
  histogram.disable();
  await s.close?.();
  return { longest, histogram: histogram.max / 1e6, calls };
}

async function main() {
  if (!havePhotos()) return console.log('startup: skipped, the photographs outside the repository are absent');
  const systems = chosen(['face-api', 'human', ...(haveProduct() ? PRESETS : [])]);
  const runs = Object.fromEntries(systems.map((s) => [s, { first: [], rss: [], peak: [], gap: [], histogram: [] }]));
  for (let round = 0; round < ROUNDS; round++)
    for (const system of systems) {
      process.stderr.write(`round ${round + 1}/${ROUNDS}: ${system}\n`);
      const f = await start(SELF, ['fresh', system]);
      runs[system].first.push(f.first);
      runs[system].rss.push(f.rss);
      runs[system].peak.push(f.peak);
      if (round < 3) {
        const g = await start(SELF, ['gaps', system]);
        runs[system].gap.push(g.longest);
        runs[system].histogram.push(g.histogram);
      }
    }
  const m = (s, k) => (runs[s] ? median(runs[s][k]) : null);
  printTable(
    ['system', 'first result ms', 'resident MiB', 'peak MiB', 'longest gap ms', 'by histogram ms'],
    systems.map((s) => [
      s,
      m(s, 'first').toFixed(0),
      m(s, 'rss').toFixed(0),
      m(s, 'peak').toFixed(0),
      Math.max(...runs[s].gap).toFixed(1),
      Math.max(...runs[s].histogram).toFixed(1),
    ]),
  );
  const figures = [];
  for (const s of systems) {
    const ours = !isPeer(s);
    figures.push(
      figure(`startup.first-result.${s}`, m(s, 'first'), 'ms', {
        note: `process start to detection and embedding of one photograph from its file, median of ${runs[s].first.length} processes`,
      }),
      figure(`startup.resident.${s}`, m(s, 'rss'), 'MiB', { note: 'resident after 10 warm calls' }),
      figure(`startup.peak.${s}`, m(s, 'peak'), 'MiB', { note: 'peak resident' }),
      figure(`startup.longest-gap.${s}`, Math.max(...runs[s].gap), 'ms', {
        goal: ours ? 10 : null,
        note: `event loop, ${ours ? 50 : 10} warm calls, worst of ${runs[s].gap.length} processes; histogram ${Math.max(...runs[s].histogram).toFixed(1)} ms`,
      }),
    );
    if (!ours || !runs.human) continue;
    figures.push(
      figure(`startup.first-result-ratio.${s}`, m(s, 'first') / m('human', 'first'), "of human's", {
        goal: 0.5,
        peer: '@vladmandic/human 3.3.6, wasm',
        note: 'medians',
      }),
      figure(`startup.resident-ratio.${s}`, m(s, 'rss') / m('human', 'rss'), "of human's", {
        goal: 2 / 3,
        peer: '@vladmandic/human 3.3.6, wasm',
        note: 'medians',
      }),
    );
  }
  finish('startup', figures);
}

const job = trial();
if (!job) await main();
else answer(await (job[0] === 'fresh' ? fresh : gaps)(job[1]));
