// Templates: what writing, sealing and protecting them costs; what several samples bring; what a revocable transform costs in
// accuracy, and whether two keys give templates that nobody can link. Photographs and identities as in PROTOCOL.md.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { decode } from './frames.mjs';
import { eer, median, random, thresholdAt, tprAt } from './metrics.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos, ROOT } from './paths.mjs';
import { faces, isGenuine, isImpostor, match, photo, samples } from './protocol.mjs';
import { figure, finish, printTable } from './report.mjs';

const ISSUE = 4;
const DIMS = 512;
/** Templates in one timed batch, and batches; the kinds of work take turns. */
const BATCH = 500;
const ROUNDS = 15;
const KEY_PAIRS = 100;
const DRAWS = 40;
const CONDITIONS = ['clean', 'degraded'];

const product = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);
const percent = (x) => Math.round(x * 1e4) / 100;
const fig = (id, value, unit, more) => figure(`templates.${id}`, value, unit, { issue: ISSUE, ...more });

const dot = (a, b) => {
  let s = 0;
  for (let i = 0; i < a.length; i++) s += a[i] * b[i];
  return s;
};
const gauss = (rand) => Math.sqrt(-2 * Math.log(1 - rand())) * Math.cos(2 * Math.PI * rand());
const unit = (v) => {
  const length = Math.sqrt(dot(v, v));
  return Float32Array.from(v, (x) => x / length);
};
const direction = (rand, dims) => unit(Float64Array.from({ length: dims }, () => gauss(rand)));
/** Another picture of a person: a direction with about this cosine. */
const near = (rand, centre, cosine) => {
  const other = direction(rand, centre.length);
  const along = dot(centre, other);
  const across = unit(other.map((v, i) => v - along * centre[i]));
  return unit(centre.map((v, i) => cosine * v + Math.sqrt(1 - cosine * cosine) * across[i]));
};
const secret = (rand) => Uint8Array.from({ length: 32 }, () => Math.floor(rand() * 256));
const plainTemplate = (vector, model = 'm') => ({
  model,
  dims: vector.length,
  vector,
  samples: 1,
  createdAt: 1_790_000_000_000,
  quality: 80,
  consent: 'consent/1',
});

/** Median microseconds for one template of each kind of work, in turns. */
async function timed(work) {
  const times = Object.fromEntries(Object.keys(work).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, once] of Object.entries(work)) {
      const start = performance.now();
      for (let i = 0; i < BATCH; i++) await once(i);
      if (round > 1) times[name].push(((performance.now() - start) * 1000) / BATCH);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, median(list)]));
}

async function costs(t) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-templates-'));
  try {
    const file = path.join(folder, 'keys');
    await t.createKeyringFile(file);
    const old = await t.TemplateCipher.open({ file });
    const rand = random(1);
    const template = plainTemplate(direction(rand, DIMS));
    const bytes = t.encodeTemplate(template);
    const json = JSON.stringify(t.templateToJSON(template));
    const stale = await old.seal(bytes, 'c');
    await t.rotateKeyringFile(file);
    const cipher = await t.TemplateCipher.open({ file });
    const shared = await t.TemplateCipher.open({ file }, { templatesPerKey: 1024 });
    const sealed = await cipher.seal(bytes, 'c');
    const keys = ['rotation-1', 'projection-1'].map((scheme) =>
      t.ProtectionKey.fromSecret('k', secret(rand), { scheme }),
    );
    const other = [1024, 2048].map((dims) => plainTemplate(direction(rand, dims)));
    // What the same encryption costs through the asynchronous interface, which runs on libuv's threads.
    const subtle = globalThis.crypto.subtle;
    const webKey = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, true, ['encrypt']);
    const webOnce = async () => {
      const dataKey = await subtle.importKey('raw', crypto.getRandomValues(new Uint8Array(32)), 'AES-GCM', true, [
        'encrypt',
      ]);
      const iv = () => crypto.getRandomValues(new Uint8Array(12));
      await subtle.encrypt({ name: 'AES-GCM', iv: iv() }, dataKey, bytes);
      await subtle.encrypt({ name: 'AES-GCM', iv: iv() }, webKey, new Uint8Array(32));
    };
    const us = await timed({
      encode: () => t.encodeTemplate(template),
      decode: () => t.decodeTemplate(bytes),
      'to-json': () => JSON.stringify(t.templateToJSON(template)),
      'from-json': () => t.templateFromJSON(json),
      seal: () => cipher.seal(bytes, 'c'),
      'seal-shared-key': () => shared.seal(bytes, 'c'),
      open: () => cipher.open(sealed, 'c'),
      rewrap: () => cipher.rewrap(stale),
      'webcrypto-seal': webOnce,
      'protect-rotation': () => t.protectTemplate(template, keys[0]),
      'protect-projection': () => t.protectTemplate(template, keys[1]),
      'protect-rotation-1024': () => t.protectTemplate(other[0], keys[0]),
      'protect-rotation-2048': () => t.protectTemplate(other[1], keys[0]),
    });
    printTable(
      ['one template of 512 numbers', 'µs', '1/s'],
      Object.entries(us).map(([name, v]) => [name, v.toFixed(1), Math.round(1e6 / v)]),
    );
    const figures = Object.entries(us)
      .filter(([name]) => name !== 'webcrypto-seal')
      .map(([name, v]) =>
        fig(`rate.${name}`, 1e6 / v, 'templates/s', {
          better: 'higher',
          note: `${name.match(/\d{4}$/)?.[0] ?? DIMS} numbers, one thread, one after another`,
        }),
      );
    figures.push(
      fig('seal.of-webcrypto', us.seal / us['webcrypto-seal'], 'of its time', {
        peer: 'crypto.subtle',
        note: 'data key and content each encrypted once; ours on the calling thread, the peer on four threads of libuv, one after another',
      }),
    );
    return { figures, sealing: us.seal };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** What sealing adds to the enrolment of one photograph: analysis, template, bytes, sealed bytes. */
async function overhead(t) {
  const photographs = [1, 2, 3, 4, 5, 6]
    .map((i) => path.join(ROOT, 'node_modules', '@vladmandic', 'face-api', 'demo', `sample${i}.jpg`))
    .filter((file) => fs.existsSync(file));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-templates-'));
  const figures = [];
  try {
    const file = path.join(folder, 'keys');
    await t.createKeyringFile(file);
    const cipher = await t.TemplateCipher.open({ file });
    for (const preset of ['fast', 'balanced']) {
      const { engine } = await openOurs({ preset });
      const enrol = [];
      const seal = [];
      for (let round = 0; round < 6; round++) {
        for (const name of photographs) {
          const start = performance.now();
          const found = await engine.analyze(name, { embedding: true, maxFaces: 1 });
          const embedding = found[0]?.embedding;
          if (embedding === undefined) continue;
          const bytes = t.encodeTemplate(t.enrolTemplate([{ embedding }]).template);
          const between = performance.now();
          await cipher.seal(bytes, 'c');
          if (round === 0) continue;
          enrol.push(between - start);
          seal.push(performance.now() - between);
        }
      }
      await engine.close();
      figures.push(
        fig(`seal.overhead.${preset}`, (100 * median(seal)) / median(enrol), '% of enrolment', {
          goal: 5,
          note: `one photograph with its largest face: ${median(enrol).toFixed(1)} ms without, sealing ${(1000 * median(seal)).toFixed(0)} µs more`,
        }),
      );
    }
    return figures;
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

/** Embedding and quality of every labelled face. */
async function gather(condition, ours, measureQuality, runtime) {
  const list = [];
  const found = new Map();
  for await (const sample of samples(condition)) {
    const key = condition === 'clean' ? sample.face.photo : sample.id;
    if (!found.has(key)) {
      const raw = condition === 'clean' ? await photo(sample.face.photo) : await decode(sample.input);
      const frame = { ...raw, format: 'rgb' };
      const all = await ours.engine.analyze(frame, { embedding: true, landmarks: true, pose: true });
      const quality = await measureQuality(runtime, frame, all);
      found.set(
        key,
        all.map((face, i) => ({ ...face, quality: quality[i].score })),
      );
    }
    const face = match(found.get(key), sample.box);
    if (face?.embedding !== undefined)
      list.push({ face: sample.face, variant: sample.variant, embedding: face.embedding, quality: face.quality });
  }
  return list;
}

/** Cosines of all genuine and impostor comparisons of a condition. */
function compare(list, vectorOf) {
  const vectors = list.map(vectorOf);
  const genuine = [];
  const impostor = [];
  for (let i = 0; i < list.length; i++)
    for (let j = i + 1; j < list.length; j++) {
      if (isGenuine(list[i].face, list[j].face)) genuine.push(dot(vectors[i], vectors[j]));
      else if (isImpostor(list[i].face, list[j].face)) impostor.push(dot(vectors[i], vectors[j]));
    }
  return { genuine, impostor };
}

/** EER and TPR of protected beside plain templates, over several keys. */
function accuracyCost(t, condition, list) {
  const rates = ({ genuine, impostor }) => [eer(genuine, impostor).eer, tprAt(genuine, impostor, 0.01)];
  const plain = compare(list, (s) => s.embedding.vector);
  const [plainEer, plainTpr] = rates(plain);
  const threshold = thresholdAt(plain.impostor, 0.01);
  const figures = [
    fig(`protect.${condition}.eer.plain`, percent(plainEer), '%', {
      note: `${plain.genuine.length} genuine and ${plain.impostor.length} impostor comparisons, PROTOCOL.md`,
    }),
  ];
  for (const scheme of ['rotation-1', 'projection-1']) {
    const rand = random(2);
    const runs = Array.from({ length: 10 }, () => {
      const key = t.ProtectionKey.fromSecret('k', secret(rand), { scheme });
      const scores = compare(list, (s) => t.protectEmbedding(s.embedding, key).vector);
      const fmr = scores.impostor.filter((s) => s > threshold).length / scores.impostor.length;
      return [...rates(scores), fmr];
    });
    const of = (k) => median(runs.map((r) => r[k]));
    const range = (k) =>
      `${percent(Math.min(...runs.map((r) => r[k])))}..${percent(Math.max(...runs.map((r) => r[k])))}`;
    figures.push(
      fig(`protect.${condition}.eer.${scheme}`, percent(of(0)), '%', {
        note: `median of 10 keys (${range(0)}); TPR at FPR 1 % ${percent(of(1))} % (plain ${percent(plainTpr)} %); FMR at the plain threshold for 1 %: ${percent(of(2))} % (${range(2)})`,
      }),
    );
  }
  return figures;
}

/**
 * Templates of the same persons under two keys: do their cosines tell who is who? Whole galleries are compared, key pair by
 * key pair, as somebody with two stolen galleries would.
 */
function linkability(t, name, groups, scheme) {
  const rand = random(3);
  const mated = [];
  const nonMated = [];
  const areas = [];
  for (let pair = 0; pair < KEY_PAIRS; pair++) {
    const keys = [0, 1].map((i) => t.ProtectionKey.fromSecret(`k${i}`, secret(rand), { scheme }));
    // One template of each person under each key; of another picture where there is one, else of the same (harder to hide).
    const [first, second] = keys.map((key, k) => groups(rand, k).map((e) => t.protectEmbedding(e, key).vector));
    const same = [];
    const differ = [];
    first.forEach((a, i) => {
      second.forEach((b, j) => {
        if (i === j) same.push(dot(a, b));
        else if ((i + j) % 4 === 0) differ.push(dot(a, b));
      });
    });
    areas.push(t.measureLinkability(same, differ).auc);
    mated.push(...same);
    nonMated.push(...differ);
  }
  const all = t.measureLinkability(mated, nonMated);
  const within = areas.reduce((a, b) => a + b, 0) / areas.length;
  const note = `${mated.length} mated and ${nonMated.length} other pairs over ${KEY_PAIRS} key pairs, ${name}`;
  return [
    fig(`link.auc-off.${scheme}.${name}`, Math.abs(within - 0.5), 'from 0.5', {
      goal: 0.02,
      note: `${note}; AUC within a key pair ${within.toFixed(4)} on average, over all ${all.auc.toFixed(4)}`,
    }),
    fig(`link.system.${scheme}.${name}`, all.system, 'D↔sys', {
      note: `${note}; where there is nothing to link the same estimate gives ${all.chance.toFixed(4)}`,
    }),
  ];
}

/** Templates of one to three samples against probes of other photographs; persons with enough photographs for all three. */
function severalSamples(t, condition, list, persons) {
  const rows = [];
  const figures = [];
  let threshold;
  let single;
  for (const count of [1, 2, 3]) {
    for (const keepThresholds of [true, false]) {
      if (count === 1 && !keepThresholds) continue;
      const rand = random(4);
      const genuine = [];
      const impostor = [];
      for (const own of persons) {
        const photos = [...new Set(own.map((s) => s.face.photo))];
        if (photos.length < 4) continue;
        for (let draw = 0; draw < DRAWS; draw++) {
          const chosen = shuffled(photos, rand).slice(0, count);
          const picked = chosen.map((name) =>
            pick(
              own.filter((s) => s.face.photo === name),
              rand,
            ),
          );
          const { template } = t.enrolTemplate(picked.map(sampleOf), { keepThresholds, outlierRatio: 1e9 });
          for (const s of list) {
            if (s.face.person === own[0].face.person) {
              if (!chosen.includes(s.face.photo)) genuine.push(dot(template.vector, s.embedding.vector));
            } else if (s.face.set !== own[0].face.set) impostor.push(dot(template.vector, s.embedding.vector));
          }
        }
      }
      threshold ??= thresholdAt(impostor, 0.01);
      const rate = eer(genuine, impostor).eer;
      single ??= rate;
      const fmr = impostor.filter((s) => s > threshold).length / impostor.length;
      const fnmr = genuine.filter((s) => s <= threshold).length / genuine.length;
      const name = keepThresholds ? 'kept' : 'scaled';
      rows.push([condition, count, name, percent(rate), percent(fmr), percent(fnmr)]);
      figures.push(
        fig(`samples.${condition}.eer.${count}.${name}`, percent(rate), '%', {
          ...(count === 3 && keepThresholds ? { goal: percent(single) } : {}),
          note: `${count} sample${count > 1 ? 's' : ''}, ${genuine.length} genuine and ${impostor.length} impostor comparisons; at the single samples' threshold for FMR 1 %: FMR ${percent(fmr)} %, FNMR ${percent(fnmr)} %`,
        }),
      );
    }
  }
  printTable(['condition', 'samples', 'mean', 'EER %', 'FMR % at 1 %', 'FNMR %'], rows);
  return figures;
}

/** Several samples of a person and one of somebody else: is it found, and is anybody else thrown out? */
function wrongFace(t, condition, list, persons, floor) {
  const figures = [];
  for (const [name, options] of [
    ['ratio', {}],
    ['floor', { genuineFloor: floor }],
  ]) {
    const rand = random(5);
    const count = { trials: 0, found: 0, refused: 0, kept: 0, samples: 0, lost: 0 };
    for (const own of persons) {
      const photos = [...new Set(own.map((s) => s.face.photo))];
      if (photos.length < 3) continue;
      const others = list.filter((s) => s.face.person !== own[0].face.person && s.face.set !== own[0].face.set);
      for (let draw = 0; draw < 2 * DRAWS; draw++) {
        const size = Math.min(photos.length, 3 + (draw % 3));
        const picked = shuffled(photos, rand)
          .slice(0, size)
          .map((photoName) =>
            pick(
              own.filter((s) => s.face.photo === photoName),
              rand,
            ),
          );
        picked.splice(Math.floor(rand() * (size + 1)), 0, pick(others, rand));
        const at = picked.findIndex((s) => s.face.person !== own[0].face.person);
        count.trials++;
        try {
          const { rejected } = t.enrolTemplate(picked.map(sampleOf), options);
          if (rejected.some((r) => r.index === at)) count.found++;
          else count.kept++;
          count.samples += size;
          count.lost += rejected.filter((r) => r.index !== at).length;
        } catch (error) {
          if (error.code !== 'TEMPLATE_REJECTED') throw error;
          count.refused++;
        }
      }
    }
    figures.push(
      fig(`samples.${condition}.wrong-face-kept.${name}`, percent(count.kept / count.trials), '%', {
        note: `${count.trials} enrolments of 3 to 5 samples and one of somebody else: found in ${count.found}, refused as a whole ${count.refused}, kept ${count.kept}; ${count.lost} of ${count.samples} right samples left out`,
      }),
    );
  }
  return figures;
}

const sampleOf = ({ embedding, quality }) => ({ embedding, quality });
const pick = (list, rand) => list[Math.floor(rand() * list.length)];
function shuffled(list, rand) {
  const copy = [...list];
  for (let i = copy.length - 1; i > 0; i--) {
    const j = Math.floor(rand() * (i + 1));
    [copy[i], copy[j]] = [copy[j], copy[i]];
  }
  return copy;
}

async function main() {
  if (!haveProduct()) return console.log('templates: skipped, the product is not built');
  const t = await product('templates/index.js');
  const { figures } = await costs(t);
  figures.push(...(await overhead(t)));
  // Recognisers whose strangers' cosines lie around 0: 200 persons, pictures with cosine 0.7 to the person.
  const start = random(6);
  const centres = Array.from({ length: 200 }, () => direction(start, DIMS));
  const synthetic = (rand) => centres.map((c) => ({ model: 'synthetic', dims: DIMS, vector: near(rand, c, 0.7) }));
  for (const scheme of ['rotation-1', 'projection-1']) figures.push(...linkability(t, 'synthetic', synthetic, scheme));
  if (!havePhotos()) console.log('templates: no photographs, their part is skipped');
  else {
    const { measureQuality } = await product('analysis/index.js');
    const { Runtime } = await product('inference/index.js');
    const { readCalibration, similarityAt } = await product('models/index.js');
    const ours = await openOurs();
    const runtime = await Runtime.open();
    for (const condition of CONDITIONS) {
      process.stderr.write(`${condition} ...\n`);
      const list = await gather(condition, ours, measureQuality, runtime);
      const persons = faces()
        .persons.map((p) => list.filter((s) => s.face.person === p))
        .filter((own) => own.length > 0);
      const calibration = await readCalibration(list[0].embedding.model);
      figures.push(
        ...accuracyCost(t, condition, list),
        ...severalSamples(t, condition, list, persons),
        ...wrongFace(t, condition, list, persons, similarityAt(calibration, 0.02)),
      );
      const one = (rand) => persons.map((own) => pick(own, rand).embedding);
      for (const scheme of ['rotation-1', 'projection-1']) figures.push(...linkability(t, condition, one, scheme));
    }
    await ours.close();
  }
  finish('templates', figures, {});
}

await main();
