// Detection, 68 landmarks and descriptor of one face at 640x480, warm: ours against the peers, interleaved, one process
// per trial; the bare networks on prepared tensors; a folder, decode included.
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { answer, chosen, start, trial } from './child.mjs';
import { decode } from './frames.mjs';
import { median, random } from './metrics.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos, photoPath, ROOT } from './paths.mjs';
import { openFaceApi, openHuman } from './peers.mjs';
import { figure, finish, printTable } from './report.mjs';
import { FOLDER, oneFace640 } from './workload.mjs';

const SELF = fileURLToPath(import.meta.url);
const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 3);
const PRESETS = ['balanced', 'fast', 'crowd', 'accurate'];

async function open(system, threads) {
  if (system === 'face-api') return openFaceApi();
  if (system === 'human') return openHuman();
  return openOurs({ preset: system, threads });
}

async function timed(count, job) {
  const times = [];
  for (let i = 0; i < count; i++) {
    const began = performance.now();
    await job();
    times.push(performance.now() - began);
  }
  return times;
}

/** One trial: warm calls on the same picture, from raw pixels and from JPEG bytes. */
async function single(system, threads) {
  const { jpeg, frame } = await oneFace640();
  const s = await open(system, threads);
  const peer = system === 'face-api' || system === 'human';
  const raw = peer ? frame : { data: frame.data, width: frame.width, height: frame.height, channels: 3 };
  const faces = await s.analyze(raw);
  if (faces.length !== 1) throw new Error(`${system} found ${faces.length} faces where there is one`);
  const count = peer ? 12 : 40;
  await timed(peer ? 3 : 8, () => s.analyze(raw));
  const pixels = await timed(count, () => s.analyze(raw));
  const encoded = await timed(peer ? 6 : 20, peer ? async () => s.analyze(await decode(jpeg)) : () => s.analyze(jpeg));
  await s.close?.();
  return { pixels, encoded };
}

/**
 * The networks alone: our own sessions, tensors prepared beforehand, the very inputs that one call of the preset runs on
 * this picture with one face (the members of an embedding side by side, as in the call; all else one after another).
 */
async function bare(preset, threads) {
  const {
    Networks,
    openPack,
    PRESETS: presets,
    Runtime,
    DETECTORS,
    LANDMARKERS,
    RECOGNISERS,
    longSideFor,
  } = await internals();
  const runtime = await Runtime.open(threads ? { threads } : {});
  const networks = new Networks(runtime, await openPack());
  const plan = presets[preset];
  const noise = random(1);
  const make = async (id, n, width, height) => {
    const { session } = await networks.get(id);
    const shape = [n, 3, height, width];
    const data = Float32Array.from({ length: n * 3 * height * width }, () => noise() * 2 - 1);
    const job = { input: { tensors: { [session.inputs[0].name]: { data, shape } } } };
    return () => session.run(job);
  };
  const long = plan.detection.longSide === undefined ? 0 : longSideFor(640, 480, plan.detection.longSide);
  const detector = DETECTORS[plan.detection.network];
  const stages = [];
  if (plan.detection.network === 'ssd') {
    stages.push([await make(detector, 1, long, Math.ceil((long * 3) / 4 / 32) * 32)]);
    const t = plan.detection.tiles;
    if (t)
      for (let i = 0; i < t.columns * t.rows; i++)
        stages.push([await make(detector, 1, t.longSide, (t.longSide * 3) / 4)]);
  } else stages.push([await make(detector, 1, 256, 256)]);
  for (let i = 0; i <= plan.landmarks.refine; i++)
    stages.push([await make(LANDMARKERS[plan.landmarks.network], 1, 112, 112)]);
  const members = [];
  for (const { network } of plan.recognition.members) {
    const { card, chip } = RECOGNISERS[network];
    members.push(await make(card, plan.recognition.mirror ? 2 : 1, chip.size, chip.size));
  }
  stages.push(members);
  const all = async () => {
    for (const stage of stages) await Promise.all(stage.map((job) => job()));
  };
  await timed(8, all);
  const times = await timed(40, all);
  await runtime.close?.();
  return { times };
}

/** A folder with all cores: calls overlap as a user would let them; decode included. */
async function folder(system) {
  const s = await open(system);
  const files = FOLDER.map((n) => photoPath(n));
  const peer = system === 'face-api' || system === 'human';
  const one = async (file) => s.analyze(peer ? await decode(file) : file);
  await one(files[0]);
  const began = performance.now();
  const times = [];
  const queue = [...files];
  const lane = async () => {
    for (let file = queue.shift(); file; file = queue.shift()) {
      const t = performance.now();
      await one(file);
      times.push(performance.now() - t);
    }
  };
  await Promise.all(Array.from({ length: peer ? 1 : 3 }, lane));
  const seconds = (performance.now() - began) / 1000;
  const alone = await timed(peer ? 3 : 10, () => one(files[0]));
  await s.close?.();
  return { perSecond: files.length / seconds, photographs: files.length, alone: median(alone) };
}

async function main() {
  if (!havePhotos()) return console.log('pipeline: skipped, the photographs outside the repository are absent');
  const ours = haveProduct() ? chosen(PRESETS) : [];
  const peers = chosen(['face-api', 'human']);
  const systems = [...peers, ...ours.flatMap((p) => [p, `${p} 1-thread`])];
  const runs = Object.fromEntries(systems.map((s) => [s, { pixels: [], encoded: [] }]));
  const nets = {};
  for (let round = 0; round < ROUNDS; round++)
    for (const system of systems) {
      process.stderr.write(`round ${round + 1}/${ROUNDS}: ${system}\n`);
      const [name, one] = system.split(' ');
      const r = await start(SELF, ['single', name, one ? '1' : '']);
      runs[system].pixels.push(...r.pixels);
      runs[system].encoded.push(...r.encoded);
      if (!ours.includes(name)) continue;
      const b = await start(SELF, ['bare', name, one ? '1' : '']);
      nets[system] ??= { times: [] };
      nets[system].times.push(...b.times);
    }
  const folders = {};
  for (const system of [...peers, ...ours]) folders[system] = await start(SELF, ['folder', system]);

  const mid = (s, k = 'pixels') => (runs[s] ? median(runs[s][k]) : null);
  const figures = [];
  const rows = systems.map((s) => {
    const net = nets[s]?.times ? median(nets[s].times) : null;
    return [
      s,
      mid(s).toFixed(1),
      Math.min(...runs[s].pixels).toFixed(1),
      mid(s, 'encoded').toFixed(1),
      net?.toFixed(1) ?? '',
      net ? `${((mid(s) / net - 1) * 100).toFixed(1)} %` : '',
      folders[s]?.perSecond.toFixed(2) ?? '',
    ];
  });
  printTable(
    ['system', 'median ms', 'best ms', 'from JPEG ms', 'bare networks ms', 'overhead', 'folder photos/s'],
    rows,
  );
  for (const s of systems) {
    const id = s.replaceAll(' ', '-');
    figures.push(
      figure(`pipeline.640x480.${id}`, mid(s), 'ms', {
        note: `one face, warm, raw pixels, median of ${runs[s].pixels.length}`,
      }),
    );
    figures.push(
      figure(`pipeline.640x480-jpeg.${id}`, mid(s, 'encoded'), 'ms', { note: 'one face, warm, from JPEG bytes' }),
    );
  }
  const ratio = (mine, peer, goal, pkg) => {
    if (!runs[mine] || !runs[peer]) return;
    figures.push(
      figure(`pipeline.speedup.${mine.replaceAll(' ', '-')}`, mid(peer) / mid(mine), 'times', {
        goal,
        better: 'higher',
        peer: pkg,
        note: 'median over median, raw pixels, same run',
      }),
    );
    figures.push(
      figure(
        `pipeline.speedup-jpeg.${mine.replaceAll(' ', '-')}`,
        mid(peer, 'encoded') / mid(mine, 'encoded'),
        'times',
        { better: 'higher', peer: pkg, note: 'decode included on both sides' },
      ),
    );
  };
  ratio('balanced', 'face-api', 10, '@vladmandic/face-api 1.7.15, tfjs-wasm, SSD');
  ratio('fast', 'human', 12, '@vladmandic/human 3.3.6, wasm, blazeface + mesh + description');
  ratio('balanced 1-thread', 'face-api', null, '@vladmandic/face-api 1.7.15, tfjs-wasm, SSD');
  ratio('fast 1-thread', 'human', null, '@vladmandic/human 3.3.6, wasm');
  for (const s of Object.keys(nets)) {
    const net = nets[s].times ? median(nets[s].times) : null;
    const id = s.replaceAll(' ', '-');
    figures.push(
      figure(`pipeline.bare-networks.${id}`, net, 'ms', {
        note: 'the same networks through our own sessions on prepared tensors, one after another',
      }),
    );
    figures.push(
      figure(`pipeline.overhead.${id}`, net ? (mid(s) / net - 1) * 100 : null, '%', {
        goal: s === 'balanced' || s === 'fast' ? 15 : null,
        note: 'whole call over bare networks',
      }),
    );
  }
  for (const s of Object.keys(folders)) {
    figures.push(
      figure(`pipeline.folder.${s}`, folders[s].perSecond, 'photographs/s', {
        better: 'higher',
        note: `${folders[s].photographs} photographs, decode included; one photograph alone ${folders[s].alone.toFixed(1)} ms`,
      }),
    );
  }
  finish('pipeline', figures);
}

/** Modules of the build that are no subpath export: the bare networks run in our own sessions. */
async function internals() {
  const load = (file) => import(pathToFileURL(path.join(ROOT, 'dist', file)).href);
  const files = [
    'models/network.js',
    'models/pack.js',
    'engine/presets.js',
    'inference/runtime.js',
    'detection/plan.js',
    'detection/regions.js',
    'landmarks/locate.js',
    'recognition/plan.js',
  ];
  return Object.assign({}, ...(await Promise.all(files.map(load))));
}

const job = trial();
if (!job) await main();
else if (job[0] === 'single') answer(await single(job[1], job[2] ? Number(job[2]) : undefined));
else if (job[0] === 'bare') answer(await bare(job[1], job[2] ? Number(job[2]) : undefined));
else answer(await folder(job[1]));
