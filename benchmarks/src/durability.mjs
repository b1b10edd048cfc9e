// kill -9 at random moments while a gallery enrols, merges, deletes and saves its index: is anything lost that was acknowledged? And
// the same one layer below, for the database alone. Runs the workers of tests/durability on the sources, with tsx.
import path from 'node:path';
import { tsImport } from 'tsx/esm/api';
import { ROOT } from './paths.mjs';
import { figure, finish } from './report.mjs';

const KILLS = Number(process.env.BENCH_KILLS ?? 200);
const folder = path.join(ROOT, 'tests', 'durability');
const load = (name) => tsImport(path.join(folder, name), import.meta.url);

const { killRepeatedly } = await load('kill.ts');
const { inspect } = await load('gallery-load.ts');

const lost = new Set();
const back = new Set();
const problems = [];
const indexes = { snapshot: 0, replayed: 0, rebuilt: 0 };
let repaired = 0;
let samples = 0;
let removals = 0;
let changes = 0;
const began = performance.now();
const report = await killRepeatedly({
  kills: KILLS,
  worker: path.join(folder, 'gallery-worker.ts'),
  seed: Number(process.env.BENCH_SEED ?? 1),
  async check(place, acknowledged, round) {
    const whole = round % 20 === 19 || round === KILLS - 1;
    const found = await inspect(place, acknowledged, whole);
    for (const person of found.lost) lost.add(person);
    for (const person of found.back) back.add(person);
    problems.push(...found.problems);
    indexes[found.index] += 1;
    repaired += found.repaired.length > 0 ? 1 : 0;
    samples = found.samples;
    changes = acknowledged.filter((line) => !line.startsWith('?')).length;
    removals = acknowledged.filter((line) => line.startsWith('-')).length;
    if (round % 10 === 9)
      console.log(`${round + 1} kills, ${acknowledged.length} acknowledged, ${samples} samples there`);
  },
});
const seconds = Math.round((performance.now() - began) / 1000);
for (const problem of [...problems, ...report.early]) console.log(problem);

const what = `${report.kills} kills (SIGKILL, every fourth while it starts) under four writers; ${changes} acknowledged changes; ${seconds} s`;
finish(
  'durability',
  [
    figure('durability.kills', report.kills, 'kills', { issue: 4, goal: 200, better: 'higher', note: what }),
    figure('durability.acknowledged', changes, 'changes', {
      issue: 4,
      better: 'higher',
      note: `${removals} of them deletions and merges; ${samples} samples at the end`,
    }),
    figure('durability.lost', lost.size, 'persons', {
      issue: 4,
      goal: 0,
      note: 'acknowledged, and not there or not found by their face',
    }),
    figure('durability.back', back.size, 'persons', {
      issue: 4,
      goal: 0,
      note: 'deleted or merged away, and there again',
    }),
    figure('durability.disagreements', problems.length, 'problems', {
      issue: 4,
      goal: 0,
      note: "index against store, SQLite's own check; every 20 kills",
    }),
    figure('durability.ended-early', report.early.length, 'children', {
      issue: 4,
      goal: 0,
      note: 'workers that failed by themselves, opening included',
    }),
    figure('durability.repaired', repaired, 'openings', {
      issue: 4,
      better: 'higher',
      note: `openings that had to put something right; index from its snapshot ${indexes.snapshot}×, brought up to date ${indexes.replayed}×, made anew ${indexes.rebuilt}×`,
    }),
  ],
  {},
);
