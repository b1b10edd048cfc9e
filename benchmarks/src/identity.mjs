// Who tracks are: recognitions for each track, wrong and undecided identities, ids of strangers beyond one for each, and what a decision
// costs. First on the faces of the sample photographs with seeded noise, then on photographs of the same persons made worse as a camera
// would (where the photographs outside the repository are). Runs the sources, with tsx.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { tsImport } from 'tsx/esm/api';
import { median, random } from './metrics.mjs';
import { havePhotos, photoPath, ROOT } from './paths.mjs';
import { faces as labelled } from './protocol.mjs';
import { figure, finish, printTable } from './report.mjs';

const load = (file) => tsImport(path.join(ROOT, file), import.meta.url);
const { openGallery } = await load('lib/gallery/index.ts');
const { openEngine } = await load('lib/index.ts');
const { Identities, Strangers, lookWeight } = await load('lib/pipeline/identity/index.ts');
const { noisy, samplePersons, walkBy } = await load('tests/unit/pipeline/identity-simulation.ts');
const worse = await load('tests/engine/quality-degradations.ts');

const TRACKS = Number(process.env.BENCH_TRACKS ?? 400);
const SCENES = {
  near: { session: 0.004, poor: 0.03 },
  usual: { session: 0.007, poor: 0.04 },
  far: { session: 0.011, poor: 0.05 },
};
const figures = [];
const fig = (id, value, unit, more = {}) => figures.push(figure(`identity.${id}`, value, unit, { issue: 6, ...more }));
const share = (list, test) => (100 * list.filter(test).length) / Math.max(1, list.length);

async function withFolder(work) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-identity-'));
  const gallery = await openGallery({ folder: path.join(folder, 'gallery'), threads: 1 });
  const strangers = await Strangers.open({ gallery, path: path.join(folder, 'strangers.db') });
  const identities = new Identities({ gallery, strangers });
  try {
    return await work({ gallery, strangers, identities });
  } finally {
    await identities.close();
    await strangers.close();
    await gallery.close();
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

/** Half of the persons are known; what became of the tracks. */
async function simulate(persons, scene) {
  return withFolder(async ({ gallery, strangers, identities }) => {
    const half = Math.floor(persons.length / 2);
    for (let i = 0; i < half; i++) await gallery.enrol(`known-${i}`, { embedding: persons[i] });
    const walks = await walkBy(identities, { seed: 7, persons, tracks: TRACKS, ...scene });
    const known = walks.filter(({ person }) => person < half);
    const unknown = walks.filter(({ person }) => person >= half);
    const sum = (of) => walks.reduce((total, walk) => total + of(walk), 0);
    return {
      'looks per track': sum(({ looks }) => looks) / walks.length,
      'frames per track': sum(({ frames }) => frames) / walks.length,
      'known right %': share(known, ({ id, person }) => id === `known-${person}`),
      'taken for another %': share(walks, ({ kind, id, person }) => kind === 'known' && id !== `known-${person}`),
      'known taken for strangers %': share(known, ({ kind }) => kind === 'stranger'),
      'undecided %': share(walks, ({ kind }) => kind === 'undecided'),
      'false ids per 100 tracks':
        (100 * (strangers.size - new Set(unknown.map(({ person }) => person)).size)) / walks.length,
      'flips per 100 tracks': (100 * sum(({ ids }) => Math.max(0, ids.length - 1))) / walks.length,
      'frames until decided': median(walks.map(({ decidedAfter, frames }) => decidedAfter ?? frames)),
    };
  });
}

const overlap = (a, b) => {
  const side = (i) => Math.max(0, Math.min(a[i] + a[i + 2], b[i] + b[i + 2]) - Math.max(a[i], b[i]));
  const both = side(0) * side(1);
  return both / (a[2] * a[3] + b[2] * b[3] - both);
};

/** Each labelled face as it is, and five times as a camera of poor quality shows it (50 to 160 px, blurred, dim, grainy, compressed). */
async function photographs() {
  const next = random(5);
  const engine = await openEngine({ preset: 'fast' });
  const all = [];
  for (const { photo, box, person, set } of labelled().list) {
    const picture = await engine.decode(photoPath(photo));
    const [x, y, w, h] = box;
    const m = 0.9 * Math.max(w, h);
    const [left, top] = [x - m, y - m].map((v) => Math.max(0, Math.floor(v)));
    const [cut] = worse.crop(picture, [left, top, x + w + m, y + h + m], []);
    const looks = [];
    for (let variant = 0; variant < 6; variant++) {
      let frame = cut;
      if (variant > 0) {
        frame = (await worse.shrink(frame, Math.min(1, (50 + 110 * next()) / h), []))[0];
        const blur = 1.8 * next();
        if (blur > 0.35) frame = await worse.blur(frame, blur);
        frame = worse.noise(worse.gain(frame, 0.5 + 0.8 * next()), 2 + 8 * next());
        frame = await worse.jpeg(frame, Math.round(35 + 50 * next()));
      }
      const scale = frame.width / cut.width;
      const wanted = [(x - left) * scale, (y - top) * scale, w * scale, h * scale];
      const found = (await engine.analyze(frame, { pose: true, quality: true, embedding: true }))
        .filter((face) => face.embedding !== undefined && overlap(face.box, wanted) > 0.3)
        .sort((a, b) => overlap(b.box, wanted) - overlap(a.box, wanted))[0];
      if (found !== undefined) looks.push({ variant, embedding: found.embedding, weight: lookWeight(found).weight });
    }
    all.push({ photo, person, set, looks });
  }
  await engine.close();
  return all;
}

/** Tracks of five poor looks at persons of whom another, good photograph is enrolled; and of persons who are not. */
async function realTracks() {
  const all = await photographs();
  const photosOf = (person) => all.filter((one) => one.person === person);
  const mated = [...new Set(all.map(({ person }) => person))].filter((person) => photosOf(person).length > 1);
  return withFolder(async ({ gallery, identities }) => {
    for (const person of mated) {
      const good = photosOf(person)
        .flatMap(({ photo, looks }) => looks.map((look) => ({ photo, ...look })))
        .filter(({ variant }) => variant === 0)
        .sort((a, b) => b.weight - a.weight)[0];
      if (good !== undefined) await gallery.enrol({ id: person, name: good.photo }, { embedding: good.embedding });
    }
    const sets = new Set(all.filter(({ person }) => mated.includes(person)).map(({ set }) => set));
    const joined = [];
    const single = [];
    let number = 0;
    for (const { photo, person, set, looks } of all) {
      const known = mated.includes(person);
      // Of a set with somebody who is known, others may be that person under another name.
      if (!known && sets.has(set)) continue;
      if (known && (await gallery.get(person))?.name === photo) continue;
      const poor = looks.filter(({ variant, weight }) => variant > 0 && weight >= 0.12);
      if (poor.length < 3) continue;
      const track = identities.track(number++, 'camera');
      for (const [i, { embedding, weight }] of poor.entries())
        await track.add({ embedding, weight, timestamp: 1e12 + number * 1e5 + i * 500 });
      joined.push({ known, person, kind: track.identity.kind, id: track.identity.id });
      // What one look at the threshold would have said.
      const { match } = await gallery.identify(poor[0].embedding, { collection: 'default' });
      single.push({ known, person, kind: match === undefined ? 'stranger' : 'known', id: match?.person });
    }
    return { joined, single };
  });
}

/** What a decision costs, beside the bare search, in turns. */
async function costs(persons) {
  return withFolder(async ({ gallery, identities }) => {
    const next = random(3);
    const crowd = Array.from({ length: 1000 }, (_, i) => ({
      person: `p${i}`,
      samples: { embedding: noisy(persons[i % persons.length], 0.02 + 0.03 * next(), next) },
    }));
    await gallery.enrolMany(crowd);
    const times = { decision: [], search: [] };
    let asked = 0;
    for (let i = 0; i < 300; i++) {
      const face = crowd[i % crowd.length].samples.embedding;
      const looks = [0, 1].map(() => noisy(face, 0.003, next));
      const track = identities.track(i, 'camera');
      for (const [j, embedding] of looks.entries()) {
        let start = performance.now();
        await track.add({ embedding, weight: 0.8, timestamp: 1e12 + i * 1000 + j * 500 });
        times.decision.push(performance.now() - start);
        start = performance.now();
        await gallery.identify(embedding, { collection: 'default' });
        times.search.push(performance.now() - start);
      }
      const start = performance.now();
      for (let k = 0; k < 1000; k++) track.needsLook(0.5, 1e12 + i * 1000 + 600);
      asked += performance.now() - start;
    }
    return { decision: median(times.decision), search: median(times.search), asked: asked / 300 };
  });
}

const persons = await samplePersons();
const rows = {};
for (const [name, scene] of Object.entries(SCENES)) rows[name] = await simulate(persons, scene);
const head = Object.keys(rows.near);
printTable(
  ['', ...Object.keys(rows)],
  head.map((what) => [what, ...Object.values(rows).map((row) => row[what].toFixed(2))]),
);
const scene = `${persons.length} faces of the sample photographs, half of them enrolled, ${TRACKS} tracks of 2 to 6 s at 15 fps with seeded noise`;
const usual = rows.usual;
fig('looks', usual['looks per track'], 'recognitions per track', {
  note: `${scene}; ${Math.round(usual['frames per track'])} frames per track`,
});
fig('wrong', usual['taken for another %'], '%', { note: `${scene}: tracks taken for another person` });
fig('right', usual['known right %'], '%', {
  better: 'higher',
  note: `${scene}: tracks of known persons that end as them`,
});
fig('undecided', usual['undecided %'], '%', { note: scene });
fig('false-ids', usual['false ids per 100 tracks'], 'ids per 100 tracks', {
  note: `${scene}: ids of strangers beyond one for each`,
});
fig('false-ids-near', rows.near['false ids per 100 tracks'], 'ids per 100 tracks', {
  note: 'the same, light and pose as before',
});
fig('flips', usual['flips per 100 tracks'], 'per 100 tracks', { note: `${scene}: changes from one id to another` });
const { decision, search, asked } = await costs(persons);
console.log(
  `\na decision ${decision.toFixed(2)} ms, a bare search ${search.toFixed(2)} ms, a question ${asked.toFixed(2)} µs`,
);
fig('decision', decision, 'ms', { note: '1000 known persons, search of joined and single look' });
fig('decision-ratio', decision / search, 'times', { note: 'a decision beside one bare search of the gallery' });
fig('question', asked, 'µs', { note: 'needsLook' });
if (havePhotos()) {
  const { joined, single } = await realTracks();
  const line = (name, list) => {
    const known = list.filter((one) => one.known);
    const unknown = list.filter((one) => !one.known);
    return [
      name,
      known.length,
      share(known, ({ id, person }) => id === person).toFixed(1),
      share(known, ({ kind, id, person }) => kind === 'known' && id !== person).toFixed(1),
      share(known, ({ kind }) => kind === 'stranger').toFixed(1),
      share(known, ({ kind }) => kind === 'undecided').toFixed(1),
      unknown.length,
      share(unknown, ({ kind }) => kind === 'known').toFixed(1),
    ];
  };
  console.log();
  printTable(
    ['poor looks', 'known', 'right %', 'another %', 'stranger %', 'undecided %', 'unknown', 'taken for known %'],
    [line('joined', joined), line('one look', single)],
  );
  const of = (list, known) => list.filter((one) => one.known === known);
  const note = 'five poor looks (50 to 160 px) at a photograph, another photograph of the person enrolled';
  fig(
    'photographs-right',
    share(of(joined, true), ({ id, person }) => id === person),
    '%',
    {
      better: 'higher',
      note: `${note}; one look: ${share(of(single, true), ({ id, person }) => id === person).toFixed(1)} %`,
    },
  );
  fig(
    'photographs-wrong',
    share(joined, ({ kind, id, person }) => kind === 'known' && id !== person),
    '%',
    {
      note: `taken for another; one look: ${share(single, ({ kind, id, person }) => kind === 'known' && id !== person).toFixed(1)} %`,
    },
  );
}
finish('identity', figures);
