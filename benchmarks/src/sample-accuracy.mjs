// Every visible frontal face of at least 40 px found on the sample photographs, and no false one.
import { fileURLToPath } from 'node:url';
import { answer, chosen, start, trial } from './child.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos, labels } from './paths.mjs';
import { openFaceApi, openHuman } from './peers.mjs';
import { iou, photo } from './protocol.mjs';
import { balanced, crowd, fast } from './prototype/detect.mjs';
import { figure, finish, printTable } from './report.mjs';

const SELF = fileURLToPath(import.meta.url);
const METHODS = { balanced, crowd, fast };
const PRESETS = ['balanced', 'fast', 'crowd', 'accurate'];

async function open(system) {
  if (system === 'face-api') return openFaceApi();
  if (system === 'human') return openHuman();
  if (system.startsWith('method ')) return { detect: METHODS[system.slice(7)] };
  return openOurs({ preset: system });
}

async function runSystem(system) {
  const s = await open(system);
  const total = { required: 0, found: 0, wrong: 0, details: {} };
  for (const { photo: name, faces } of labels('sample-accuracy.json').photographs) {
    const found = [...(await s.detect(await photo(name)))].sort((a, b) => b.score - a.score);
    const used = new Set();
    const wrong = [];
    for (const f of found) {
      let best = -1;
      let most = 0.25;
      faces.forEach((t, i) => {
        const v = iou(f.box, t.box);
        if (!used.has(i) && v > most) {
          most = v;
          best = i;
        }
      });
      if (best >= 0) used.add(best);
      else wrong.push(f.box.map(Math.round));
    }
    const required = faces.filter((f) => f.required);
    const missed = faces.filter((f, i) => f.required && !used.has(i)).map((f) => f.box.map(Math.round));
    total.required += required.length;
    total.found += required.length - missed.length;
    total.wrong += wrong.length;
    if (missed.length || wrong.length) total.details[name] = { missed, wrong };
  }
  await s.close?.();
  return total;
}

async function main() {
  if (!havePhotos()) return console.log('sample-accuracy: skipped, the photographs outside the repository are absent');
  const systems = chosen(['face-api', 'human', 'method balanced', ...(haveProduct() ? PRESETS : [])]);
  const figures = [];
  const details = {};
  const rows = [];
  for (const s of systems) {
    process.stderr.write(`${s}\n`);
    const r = await start(SELF, [s]);
    details[s] = r.details;
    rows.push([s, `${r.found}/${r.required}`, r.wrong]);
    const id = s.replaceAll(' ', '-');
    const goal = s === 'balanced' || s === 'crowd' || s === 'accurate';
    figures.push(
      figure(`sample-accuracy.found.${id}`, r.found, `of ${r.required}`, {
        goal: goal ? r.required : null,
        better: 'higher',
        note: 'visible frontal faces of at least 40 px, labels/sample-accuracy.json',
      }),
      figure(`sample-accuracy.false.${id}`, r.wrong, 'boxes', {
        goal: goal ? 0 : null,
        better: 'lower',
        note: 'boxes on no labelled face, smaller and turned faces labelled as well',
      }),
    );
  }
  printTable(['system', 'required found', 'false'], rows);
  finish('sample-accuracy', figures, { details });
}

const job = trial();
if (!job) await main();
else answer(await runSystem(job[0]));
