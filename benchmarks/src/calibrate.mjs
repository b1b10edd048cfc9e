// Calibration: what a similarity means as a false match rate, per embedding of the product. Comparisons of the protocol, clean and
// degraded photographs, product embeddings through the public API. Writes models/calibration/<model>.json, which the
// product reads.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { answer, start, trial } from './child.mjs';
import { decode } from './frames.mjs';
import { openOurs } from './ours.mjs';
import { CALIBRATIONS, havePhotos, PRODUCT } from './paths.mjs';
import { faces, isGenuine, isImpostor, match, photo, samples } from './protocol.mjs';

const SELF = fileURLToPath(import.meta.url);
const PRESETS = ['fast', 'balanced', 'accurate'];
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
      if (!isImpostor(a, b) && !isGenuine(a, b)) continue;
      pairs.push([
        Number(ours.similarity(items[i].embedding, items[j].embedding).toFixed(7)),
        personOf.get(a.person),
        personOf.get(b.person),
      ]);
    }
  await ours.close();
  return { model, dims, pairs };
}

/** Similarities with the indices of the persons, as the product takes them. */
function comparisons(pairs, persons) {
  return {
    scores: Float64Array.from(pairs, (p) => p[0]),
    a: Int32Array.from(pairs, (p) => persons.indexOf(p[1])),
    b: Int32Array.from(pairs, (p) => persons.indexOf(p[2])),
  };
}

async function measured({ model, dims, pairs }) {
  const { measureCurve } = await import(path.join(path.dirname(PRODUCT), 'training', 'calibration', 'measure.js'));
  const persons = [...new Set(pairs.flatMap((p) => [p[1], p[2]]))];
  const impostor = pairs.filter((p) => p[1] !== p[2]);
  const genuine = pairs.filter((p) => p[1] === p[2]);
  const curve = await measureCurve(comparisons(impostor, persons), comparisons(genuine, persons), persons.length);
  return {
    model,
    metric: 'cosine',
    impostors: impostor.length,
    defaultFmr: 0.01,
    points: curve.points,
    dims,
    date: new Date().toISOString(),
    identities: persons.length,
    genuine: genuine.length,
    independent: Math.floor(persons.length / 2),
    intervals: curve.intervals,
    provenance:
      'Comparisons of benchmarks/PROTOCOL.md over photographs of vladmandic/human samples, @vladmandic/face-api demo and dlib ' +
      'examples/faces, half of the pictures degraded; seven persons stand behind the genuine comparisons. Comparisons share persons, ' +
      'so intervals draw persons again. Small and not representative: calibrate on your own photographs.',
  };
}

const job = trial();
if (job) answer(await collect(job[0]));
else if (!havePhotos()) console.log('calibrate: skipped, the photographs outside the repository are absent');
else {
  fs.mkdirSync(CALIBRATIONS, { recursive: true });
  for (const preset of PRESETS) {
    const file = await measured(await start(SELF, [preset]));
    fs.writeFileSync(
      path.join(CALIBRATIONS, `${file.model.replace(/[^\w.+-]/g, '_')}.json`),
      `${JSON.stringify(file, null, 1)}\n`,
    );
    console.log(file.model, file.impostors, 'comparisons of', file.identities, 'persons');
    const range = (values) => (values ?? []).map((v) => v.toFixed(5)).join(', ');
    for (const { fmr, similarity, fmr95, fnmr, fnmr95 } of file.intervals)
      console.log(
        `  FMR ${fmr} [${range(fmr95)}]: ${similarity.toFixed(5)}, FNMR ${fnmr?.toFixed(4)} [${range(fnmr95)}]`,
      );
  }
}
