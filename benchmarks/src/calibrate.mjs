// Calibration: what a similarity means as a false match rate, per embedding of the product. Impostor comparisons of the
// protocol, clean photographs, product embeddings through the public API. Writes models/calibration/<model>.json, which the
// product reads.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, start, trial } from './child.mjs';
import { decode } from './frames.mjs';
import { random } from './metrics.mjs';
import { openOurs } from './ours.mjs';
import { CALIBRATIONS, havePhotos } from './paths.mjs';
import { faces, isImpostor, match, photo, samples } from './protocol.mjs';

const SELF = fileURLToPath(import.meta.url);
const PRESETS = ['fast', 'balanced', 'accurate'];
/** A rate is stated only where at least this many impostor comparisons lie above its threshold. */
const LEAST = 10;
const RATES = [0.3, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001];

/** One embedding per labelled face and condition. */
async function collect(preset) {
  const ours = await openOurs({ preset });
  const items = [];
  let model;
  let dims;
  for (const condition of ['clean', 'degraded']) {
    const found = new Map();
    for await (const s of samples(condition)) {
      if (s.variant > 0) continue;
      const key = condition === 'clean' ? s.face.photo : s.id;
      if (!found.has(key))
        found.set(key, await ours.analyze(condition === 'clean' ? await photo(s.face.photo) : await decode(s.input)));
      const face = match(found.get(key), s.box);
      if (!face?.embedding) continue;
      ({ model, dims } = face.embedding);
      items.push({ index: s.index, condition, embedding: face.embedding });
    }
  }
  const { list, personOf } = faces();
  const pairs = [];
  for (let i = 0; i < items.length; i++)
    for (let j = i + 1; j < items.length; j++) {
      const a = list[items[i].index];
      const b = list[items[j].index];
      if (!isImpostor(a, b)) continue;
      pairs.push([
        Number(ours.similarity(items[i].embedding, items[j].embedding).toFixed(7)),
        personOf.get(a.person),
        personOf.get(b.person),
        items[i].condition === 'clean' && items[j].condition === 'clean' ? 1 : 0,
      ]);
    }
  await ours.close();
  return { model, dims, pairs };
}

/** Threshold that a share `fmr` of the weighted scores exceeds; scores sorted from high to low. */
function threshold(scores, weights, total, fmr) {
  let above = 0;
  for (let i = 0; i < scores.length; i++) {
    above += weights[i];
    if (above > fmr * total) return scores[i];
  }
  return scores[scores.length - 1];
}

function calibrate({ model, dims, pairs }) {
  const sorted = [...pairs].sort((a, b) => b[0] - a[0]);
  const scores = sorted.map((p) => p[0]);
  const persons = [...new Set(sorted.flatMap((p) => [p[1], p[2]]))];
  const ones = scores.map(() => 1);
  const rates = RATES.filter((r) => r * scores.length >= LEAST);
  const rounds = 200;
  const rand = random(7);
  const drawn = rates.map(() => []);
  for (let r = 0; r < rounds; r++) {
    const count = new Map();
    for (let k = 0; k < persons.length; k++) {
      const p = persons[Math.floor(rand() * persons.length)];
      count.set(p, (count.get(p) ?? 0) + 1);
    }
    const weights = sorted.map((p) => (count.get(p[1]) ?? 0) * (count.get(p[2]) ?? 0));
    const total = weights.reduce((s, w) => s + w, 0);
    for (const [k, rate] of rates.entries()) drawn[k].push(threshold(scores, weights, total, rate));
  }
  const points = rates.map((fmr, k) => {
    const d = drawn[k].sort((a, b) => a - b);
    return {
      fmr,
      similarity: threshold(scores, ones, scores.length, fmr),
      ci95: [d[Math.floor(rounds * 0.025)], d[Math.ceil(rounds * 0.975) - 1]],
    };
  });
  const provenance =
    'Impostor comparisons of benchmarks/PROTOCOL.md over photographs of vladmandic/human samples, @vladmandic/face-api demo and ' +
    'dlib examples/faces, half of the pictures degraded; comparisons share persons, so the number of independent ones is nearer to the ' +
    'number of persons; intervals draw persons again. Small and not representative: calibrate on your own photographs.';
  return {
    embedding: model,
    dims,
    metric: 'cosine',
    points,
    comparisons: scores.length,
    identities: persons.length,
    provenance,
  };
}

const job = trial();
if (job) answer(await collect(job[0]));
else if (!havePhotos()) console.log('calibrate: skipped, the photographs outside the repository are absent');
else {
  fs.mkdirSync(CALIBRATIONS, { recursive: true });
  for (const preset of PRESETS) {
    const result = calibrate(await start(SELF, [preset]));
    const points = [];
    for (const { fmr, similarity } of result.points) {
      const last = points[points.length - 1];
      if (!last || similarity > last.similarity) points.push({ similarity, fmr });
    }
    const file = {
      model: result.embedding,
      metric: 'cosine',
      impostors: result.comparisons,
      defaultFmr: 0.01,
      points,
      identities: result.identities,
      intervals: result.points,
      provenance: result.provenance,
    };
    fs.writeFileSync(
      path.join(CALIBRATIONS, `${result.embedding.replace(/[^\w.+-]/g, '_')}.json`),
      `${JSON.stringify(file, null, 1)}\n`,
    );
    console.log(result.embedding, result.comparisons, 'comparisons of', result.identities, 'persons');
    for (const p of result.points)
      console.log(`  FMR ${p.fmr}: ${p.similarity.toFixed(5)}  [${p.ci95.map((v) => v.toFixed(5)).join(', ')}]`);
  }
}
