// Recognition error rates of the peers and of our presets; with BENCH_METHODS=1 also of the single methods that the presets
// were chosen from (slow: their pixels are handled in JavaScript). See PROTOCOL.md.
import { fileURLToPath } from 'node:url';
import { answer, chosen, start, trial } from './child.mjs';
import { decode } from './frames.mjs';
import { bootstrap, eer, tprAt, weightedEer, weightedTprAt } from './metrics.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos } from './paths.mjs';
import { openFaceApi, openHuman } from './peers.mjs';
import { faces, isGenuine, isImpostor, match, photo, samples } from './protocol.mjs';
import { METHODS, openMethod } from './prototype/methods.mjs';
import { figure, finish, printTable } from './report.mjs';

const SELF = fileURLToPath(import.meta.url);
const CONDITIONS = ['degraded', 'clean'];
const PRESETS = ['balanced', 'fast', 'crowd', 'accurate'];

const euclid = (a, b) => {
  let d = 0;
  for (let i = 0; i < a.length; i++) d += (a[i] - b[i]) ** 2;
  return -Math.sqrt(d);
};

async function open(system) {
  if (system === 'face-api') return { ...(await openFaceApi()), similarity: euclid };
  // Human's similarity falls with the Euclidean distance; the distance itself has no ties at its clamped ends.
  if (system === 'human') return { ...(await openHuman()), similarity: euclid };
  if (system.startsWith('method ')) return openMethod(system.slice(7));
  return openOurs({ preset: system });
}

/** All scores of one system: upper triangle of the sample matrix, null where a face was not acquired. */
async function runSystem(system, condition) {
  const s = await open(system);
  const items = [];
  const found = new Map();
  for await (const sample of samples(condition)) {
    const frame = condition === 'clean' ? await photo(sample.face.photo) : await decode(sample.input);
    let face;
    if (s.embed) face = { embedding: await s.embed(frame, sample) };
    else {
      const key = condition === 'clean' ? sample.face.photo : sample.id;
      if (!found.has(key)) found.set(key, await s.analyze(frame));
      face = match(found.get(key), sample.box);
    }
    items.push({ face: sample.face, embedding: face?.embedding });
  }
  const scores = [];
  for (let i = 0; i < items.length; i++)
    for (let j = i + 1; j < items.length; j++) {
      const a = items[i];
      const b = items[j];
      if (!isGenuine(a.face, b.face) && !isImpostor(a.face, b.face)) continue;
      scores.push(
        a.embedding && b.embedding ? Number((await s.similarity(a.embedding, b.embedding)).toPrecision(8)) : null,
      );
    }
  await s.close?.();
  return { scores, samples: items.length, acquired: items.filter((x) => x.embedding).length };
}

async function pairsOf(condition) {
  const { personOf } = faces();
  const list = [];
  for await (const s of samples(condition)) list.push(s.face);
  const pairs = [];
  for (let i = 0; i < list.length; i++)
    for (let j = i + 1; j < list.length; j++) {
      const genuine = isGenuine(list[i], list[j]);
      if (!genuine && !isImpostor(list[i], list[j])) continue;
      pairs.push({ genuine, a: personOf.get(list[i].person), b: personOf.get(list[j].person) });
    }
  return pairs;
}

/** Error rates over the pairs that `keep` admits; a missing score is left out, or counts as no match. */
function rates(pairs, scores, keep, missingIsNoMatch = false) {
  const g = [];
  const im = [];
  pairs.forEach((p, k) => {
    if (!keep(k)) return;
    let score = scores[k];
    if (score === null) {
      if (!missingIsNoMatch) return;
      score = -1e9;
    }
    (p.genuine ? g : im).push({ score, a: p.a, b: p.b });
  });
  const gs = g.map((x) => x.score);
  const is = im.map((x) => x.score);
  return { g, im, eer: eer(gs, is), tpr: tprAt(gs, is, 0.01) };
}

async function main() {
  if (!havePhotos()) return console.log('recognition: skipped, the photographs outside the repository are absent');
  const systems = chosen([
    'face-api',
    'human',
    ...(process.env.BENCH_METHODS ? Object.keys(METHODS).map((m) => `method ${m}`) : []),
    ...(haveProduct() ? PRESETS : []),
  ]);
  const persons = faces().persons.length;
  const figures = [];
  const details = {};
  for (const condition of CONDITIONS) {
    const pairs = await pairsOf(condition);
    const results = {};
    for (const system of systems) {
      process.stderr.write(`${condition}: ${system} ...\n`);
      results[system] = await start(SELF, ['run', system, condition]);
      if (results[system].scores.length !== pairs.length) throw new Error(`${system}: wrong number of scores`);
    }
    const detecting = systems.filter((s) => !s.startsWith('method '));
    const common = pairs.map((_, k) => detecting.every((s) => results[s].scores[k] !== null));
    const rows = [];
    for (const system of systems) {
      const { scores, acquired, samples: total } = results[system];
      const own = rates(pairs, scores, () => true);
      const shared = rates(pairs, scores, (k) => common[k]);
      const strict = rates(pairs, scores, () => true, true);
      const ci = bootstrap(own.g, own.im, persons, weightedEer);
      const ciT = bootstrap(own.g, own.im, persons, weightedTprAt(0.01));
      const percent = (x) => Math.round(x * 1e4) / 100;
      rows.push([
        system,
        `${acquired}/${total}`,
        `${own.g.length}/${own.im.length}`,
        percent(own.eer.eer),
        `${percent(ci[0])}..${percent(ci[1])}`,
        percent(own.tpr),
        `${percent(ciT[0])}..${percent(ciT[1])}`,
        percent(shared.eer.eer),
        percent(shared.tpr),
        percent(strict.eer.eer),
      ]);
      details[`${condition} ${system}`] = {
        samples: total,
        acquired,
        genuine: own.g.length,
        impostor: own.im.length,
        eer: percent(own.eer.eer),
        eer95: ci.map(percent),
        tprAtFpr1: percent(own.tpr),
        tprAtFpr1_95: ciT.map(percent),
        eerThreshold: own.eer.threshold,
        common: {
          genuine: shared.g.length,
          impostor: shared.im.length,
          eer: percent(shared.eer.eer),
          tprAtFpr1: percent(shared.tpr),
        },
        failuresCounted: { eer: percent(strict.eer.eer), tprAtFpr1: percent(strict.tpr) },
      };
      const id = system.replaceAll(' ', '-');
      const note = `${own.g.length} genuine and ${own.im.length} impostor comparisons, ${acquired} of ${total} faces acquired, 95 % by person`;
      figures.push(
        figure(`recognition.${condition}.eer.${id}`, percent(own.eer.eer), '%', {
          better: 'lower',
          note: `${note}: ${ci.map(percent).join('..')}`,
        }),
        figure(`recognition.${condition}.tpr-at-fpr1.${id}`, percent(own.tpr), '%', {
          better: 'higher',
          note: `${note}: ${ciT.map(percent).join('..')}`,
        }),
      );
    }
    console.log(`\n${condition}`);
    printTable(
      [
        'system',
        'acquired',
        'genuine/impostor',
        'EER %',
        '95 %',
        'TPR@FPR1 %',
        '95 %',
        'common EER',
        'common TPR',
        'EER, failures counted',
      ],
      rows,
    );
    if (condition === 'degraded' && systems.includes('face-api')) {
      const base = rates(pairs, results['face-api'].scores, (k) => common[k]).eer.eer;
      for (const preset of systems.filter((s) => PRESETS.includes(s))) {
        const value = rates(pairs, results[preset].scores, (k) => common[k]).eer.eer / base;
        figures.push(
          figure(`recognition.degraded.eer-ratio.${preset}`, value, 'of face-api', {
            goal: 0.25,
            better: 'lower',
            peer: '@vladmandic/face-api 1.7.15',
            note: 'on the comparisons that every system acquired',
          }),
        );
      }
    }
  }
  finish('recognition', figures, { details });
}

const job = trial();
if (job) answer(await runSystem(job[1], job[2]));
else await main();
