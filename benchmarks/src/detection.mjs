// Faces found on the 13 group photographs (99 faces); with BENCH_RECALL=1 also recall against size, roll and quality.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, chosen, start, trial } from './child.mjs';
import { decode, fromFrame } from './frames.mjs';
import { apply, warp } from './image.mjs';
import { seedOf } from './metrics.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { BENCH, havePhotos, labels, PHOTOS } from './paths.mjs';
import { openFaceApi, openHuman } from './peers.mjs';
import { iou, match, photo } from './protocol.mjs';
import { balanced, crowd, fast } from './prototype/detect.mjs';
import { figure, finish, printTable } from './report.mjs';

const SELF = fileURLToPath(import.meta.url);
const PRESETS = ['balanced', 'fast', 'crowd', 'accurate'];
const METHODS = { balanced, crowd, fast };
/** Face height over the height of a 640x480 picture. */
const SIZES = [0.5, 0.3, 0.2, 0.12, 0.08, 0.06, 0.04];
const ROLLS = [0, 30, 45, 90, 180];
const CONDITIONS = {
  'jpeg-25': { quality: 25 },
  'dark-0.3': { gain: 0.3 },
  'height-24px': { height: 24 },
  'height-40px': { height: 40 },
  'height-40px-jpeg-25': { height: 40, quality: 25 },
};

async function open(system) {
  if (system === 'face-api') return openFaceApi();
  if (system === 'human') return openHuman();
  if (system.startsWith('method ')) return { detect: METHODS[system.slice(7)] };
  return openOurs({ preset: system });
}

/** Greedy matching by score: a box is right when it overlaps an unused label with IoU above 0.25. */
export function judge(found, truth) {
  const used = new Set();
  const wrong = [];
  for (const f of [...found].sort((a, b) => b.score - a.score)) {
    let best = -1;
    let most = 0.25;
    truth.forEach((t, i) => {
      const v = iou(f.box, t);
      if (!used.has(i) && v > most) {
        most = v;
        best = i;
      }
    });
    if (best >= 0) used.add(best);
    else wrong.push(f.box.map(Math.round));
  }
  return { found: used.size, wrong, missed: truth.filter((_, i) => !used.has(i)).map((b) => b.map(Math.round)) };
}

function groups() {
  const { images } = JSON.parse(fs.readFileSync(path.join(PHOTOS, 'groups.json'), 'utf8'));
  return Object.entries(images).map(([name, boxes]) => [name, boxes.map(([a, b, c, d]) => [a, b, c - a, d - b])]);
}

async function onGroups(system) {
  const s = await open(system);
  const total = { faces: 0, found: 0, wrong: 0, details: {} };
  for (const [name, truth] of groups()) {
    const r = judge(await s.detect(await photo(name)), truth);
    total.faces += truth.length;
    total.found += r.found;
    total.wrong += r.wrong.length;
    if (r.wrong.length || r.missed.length) total.details[name] = { wrong: r.wrong, missed: r.missed };
  }
  await s.close?.();
  return total;
}

/** Upright frontal close-ups, one face each, from the labels. */
const portraits = () => labels('sample-accuracy.json').photographs.filter((p) => p.portrait && p.faces.length === 1);

/** The turned and scaled photograph, kept between runs: every system sees the same pixels, and the plain warp is slow. */
async function placed(name, s) {
  const file = path.join(BENCH, '.cache', 'placed-1', `${seedOf(`${name}|${JSON.stringify(s)}`).toString(16)}.png`);
  if (fs.existsSync(file)) return (await decode(file)).data;
  const pixels = warp(await photo(name), s, 640, 480, 'area', 110);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  const frame = { data: Uint8Array.from(pixels, Math.round), width: 640, height: 480 };
  await fromFrame(frame).png().toFile(file);
  return frame.data;
}

/** The portrait's face with the given height and roll in the middle of a 640x480 picture on grey. */
async function place(p, { height, roll = 0, gain = 1, quality }) {
  const [x, y, w, h] = p.faces[0].box;
  const k = h / height;
  const angle = (roll * Math.PI) / 180;
  const s = { a: k * Math.cos(angle), b: k * Math.sin(angle), tx: 0, ty: 0 };
  const [ox, oy] = apply(s, [320, 240]);
  s.tx = x + w / 2 - ox;
  s.ty = y + h / 2 - oy;
  const pixels = await placed(p.photo, s);
  let out = {
    data: Uint8Array.from(pixels, (v) => Math.min(255, Math.round(v * gain))),
    width: 640,
    height: 480,
    channels: 3,
  };
  if (quality) out = await decode(await fromFrame(out).jpeg({ quality }).toBuffer());
  const c = Math.abs(Math.cos(angle));
  const n = Math.abs(Math.sin(angle));
  const bw = (w * c + h * n) / k;
  const bh = (w * n + h * c) / k;
  return { frame: out, box: [320 - bw / 2, 240 - bh / 2, bw, bh] };
}

async function recall(system) {
  const s = await open(system);
  const conditions = {
    ...Object.fromEntries(SIZES.map((z) => [`size-${z * 100}%`, { height: 480 * z }])),
    ...Object.fromEntries(ROLLS.map((r) => [`roll-${r}`, { height: 160, roll: r }])),
    ...Object.fromEntries(Object.entries(CONDITIONS).map(([k, v]) => [k, { height: 160, ...v }])),
  };
  const hits = Object.fromEntries(Object.keys(conditions).map((k) => [k, 0]));
  let wrong = 0;
  const list = portraits();
  for (const p of list)
    for (const [name, c] of Object.entries(conditions)) {
      const { frame, box } = await place(p, c);
      const found = await s.detect(frame);
      const hit = match(found, box);
      if (hit) hits[name]++;
      wrong += found.length - (hit ? 1 : 0);
    }
  await s.close?.();
  return { portraits: list.length, hits, wrong };
}

/** Recall against size, roll and quality: some 360 pictures for each system, so only on request (BENCH_RECALL=1). */
async function recallFigures(systems) {
  const figures = [];
  const recalls = {};
  for (const s of systems.filter((x) => !x.startsWith('method '))) {
    process.stderr.write(`recall: ${s}\n`);
    recalls[s] = await start(SELF, ['recall', s]);
    const n = recalls[s].portraits;
    for (const [k, v] of Object.entries(recalls[s].hits))
      figures.push(
        figure(`detection.recall.${k}.${s.replaceAll(' ', '-')}`, (100 * v) / n, '%', {
          better: 'higher',
          note: `${n} portraits in 640x480`,
        }),
      );
  }
  const names = Object.keys(recalls);
  const first = recalls[names[0]];
  printTable(
    ['recall %', ...names],
    [
      ...Object.keys(first.hits).map((k) => [
        k,
        ...names.map((s) => Math.round((100 * recalls[s].hits[k]) / recalls[s].portraits)),
      ]),
      ['false boxes', ...names.map((s) => recalls[s].wrong)],
    ],
  );
  return figures;
}

async function main() {
  if (!havePhotos()) return console.log('detection: skipped, the photographs outside the repository are absent');
  const systems = chosen([
    'face-api',
    'human',
    'method balanced',
    'method crowd',
    'method fast',
    ...(haveProduct() ? PRESETS : []),
  ]);
  const goals = { balanced: 97, crowd: 99 };
  const figures = [];
  const details = {};
  const rows = [];
  for (const s of systems) {
    process.stderr.write(`groups: ${s}\n`);
    const r = await start(SELF, ['groups', s]);
    details[s] = r.details;
    rows.push([s, `${r.found}/${r.faces}`, r.wrong]);
    const id = s.replaceAll(' ', '-');
    figures.push(
      figure(`detection.groups.found.${id}`, r.found, `of ${r.faces}`, {
        goal: goals[s] ?? null,
        better: 'higher',
        note: 'IoU > 0.25 with the labels of groups.json',
      }),
      figure(`detection.groups.false.${id}`, r.wrong, 'boxes', {
        goal: goals[s] ? 1 : null,
        better: 'lower',
        note: 'boxes on no labelled face',
      }),
    );
  }
  printTable(['system', 'found', 'false'], rows);
  if (process.env.BENCH_RECALL) figures.push(...(await recallFigures(systems)));
  finish('detection', figures, { details });
}

const job = trial();
if (!job) await main();
else answer(await (job[0] === 'groups' ? onGroups : recall)(job[1]));
