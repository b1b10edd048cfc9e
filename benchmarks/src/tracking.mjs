// Who is who from frame to frame: on moving scenes with known truth, on pedestrians, beside a tracker that goes by overlap alone,
// and what an update costs.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { tsImport } from 'tsx/esm/api';
import { random } from './metrics.mjs';
import { haveProduct } from './ours.mjs';
import { labels, PRODUCT, ROOT } from './paths.mjs';
import { figure, finish, printTable } from './report.mjs';

const EVERY = [1, 2, 3, 5];
const SCENES = [
  { kind: 'crossing', heads: 6 },
  { kind: 'pillars', heads: 6 },
  { kind: 'doorway', heads: 6 },
  { kind: 'crowd', heads: 8 },
];
const SCENE = { seconds: 20, shutter: 0.3, noise: 3 };
/** Less of a face than this is hidden: neither finding nor missing it counts. */
const VISIBLE = 0.4;
/** Faces are embedded in every so manieth frame. */
const EMBED_EVERY = 5;
/** In Debian's package opencv-doc: `apt-get download opencv-doc && dpkg-deb -x opencv-doc_*.deb out/oracles/opencv-doc`. */
const PEDESTRIANS = path.join(ROOT, 'out/oracles/opencv-doc/usr/share/doc/opencv-doc/examples/data/vtest.avi');

const from = (file) => import(pathToFileURL(path.join(path.dirname(PRODUCT), file)).href);

/** The base line: boxes that overlap by 0.3 go on, the best overlap first; 1 s of memory. What is missed is told of for 200 ms, as with ours. */
class Greedy {
  #tracks = [];
  #count = 0;

  constructor(overlap, confident) {
    this.overlap = overlap;
    this.confident = confident;
  }

  update(timestamp, detections) {
    if (detections !== undefined) {
      const pairs = this.#tracks
        .flatMap((track) =>
          detections.map((detection) => ({ track, detection, iou: this.overlap(track.box, detection.box) })),
        )
        .filter(({ iou }) => iou >= 0.3)
        .sort((a, b) => b.iou - a.iou);
      const taken = new Set();
      for (const { track, detection } of pairs) {
        if (taken.has(track) || taken.has(detection)) continue;
        taken.add(track).add(detection);
        track.box = detection.box;
        track.last = timestamp;
      }
      for (const { box } of detections.filter((d) => !taken.has(d) && d.score >= this.confident)) {
        this.#tracks.push({ id: ++this.#count, box, last: timestamp });
      }
    }
    if (detections !== undefined) for (const track of this.#tracks) track.missed = track.last < timestamp;
    this.#tracks = this.#tracks.filter(({ last }) => timestamp - last <= 1000);
    return this.#tracks
      .filter(({ last, missed }) => !missed || timestamp - last <= 200)
      .map(({ id, box }) => ({ id, box }));
  }
}

const sum = (all, key) => all.reduce((total, m) => total + m[key], 0);

/** Figures of several scenes together. */
function together(all) {
  const boxes = sum(all, 'boxes');
  const mean = (key) => sum(all, key) / all.length;
  return {
    mota: 1 - (sum(all, 'missed') + sum(all, 'falsePositives') + sum(all, 'switches')) / boxes,
    idf1: mean('idf1'),
    switches: sum(all, 'switches'),
    fragmentations: sum(all, 'fragmentations'),
    boxes,
  };
}

/** What the detector of a preset sees in each scene. */
async function look(product, openScene, preset) {
  const engine = await product.openEngine({ preset });
  const calibration = await product.readCalibration(engine.preset.recognition.model);
  const scenes = [];
  for (const options of SCENES) {
    const scene = await openScene({ ...SCENE, ...options });
    const seen = [];
    for (let i = 0; i < scene.frames; i++) {
      const faces = await engine.analyze(scene.render(i), { embedding: i % EMBED_EVERY === 0 });
      seen.push(
        faces.map(({ box, score, embedding }) => ({ kind: 'face', box, score, ...(embedding && { embedding }) })),
      );
    }
    scenes.push({ scene, seen });
  }
  await engine.close();
  return { scenes, looks: calibration && product.looksOf(calibration) };
}

function follow({ Tracker, trackingMetrics, intersectionOverUnion }, { scene, seen }, every, method, looks) {
  const greedy = new Greedy(intersectionOverUnion, 0.4);
  const tracker = new Tracker('scene', method === 'embeddings' ? { looks } : {});
  const frames = seen.map((all, i) => {
    const timestamp = (1000 * i) / scene.fps;
    const detections = i % every === 0 ? all : undefined;
    const found =
      method === 'greedy'
        ? greedy.update(timestamp, detections)
        : tracker
            .update(timestamp, detections, scene)
            .filter(({ state }) => state === 'confirmed')
            .map(({ id, face }) => ({ id, box: face }));
    const truth = scene.truth(i).map(({ id, box, visible }) => ({ id, box, ignore: visible < VISIBLE }));
    return { truth, found };
  });
  return trackingMetrics(frames);
}

/** Labels of a frame: on the straight way between the keys. */
function labelled(persons, frame) {
  return persons.flatMap(({ id, keys }) =>
    keys.flatMap((key, k) => {
      const next = keys[k + 1];
      if (key.frame === frame) return [{ id, box: key.box, ignore: key.ignore === 'here' }];
      if (next === undefined || frame < key.frame || frame >= next.frame) return [];
      const share = (frame - key.frame) / (next.frame - key.frame);
      const box = key.box.map((v, i) => v + share * (next.box[i] - v));
      return [{ id, box, ignore: key.ignore !== undefined || next.ignore === 'here' }];
    }),
  );
}

async function pedestrians(product, figures) {
  const { persons } = labels('pedestrians.json');
  const size = { width: 768, height: 576 };
  const count = 1 + Math.max(...persons.flatMap(({ keys }) => keys.map(({ frame }) => frame)));
  const bytes = size.width * size.height * 3;
  const decoder = [
    '-loglevel',
    'error',
    '-i',
    PEDESTRIANS,
    '-frames:v',
    `${count}`,
    '-f',
    'rawvideo',
    '-pix_fmt',
    'rgb24',
    '-',
  ];
  const video = fs.existsSync(PEDESTRIANS) ? spawnSync('ffmpeg', decoder, { maxBuffer: 2 * count * bytes }) : undefined;
  if (video?.status !== 0)
    return console.log("pedestrians: skipped, vtest.avi of Debian's opencv-doc or ffmpeg is not there");
  const runtime = await product.Runtime.open();
  const detector = await product.openPersonDetector(new product.Networks(runtime, await product.openPack()));
  if (detector === undefined) {
    await runtime.close();
    return console.log('pedestrians: skipped, the model pack has no object detector');
  }
  const seen = [];
  const times = [];
  for (let i = 0; i < count; i++) {
    const data = new Uint8Array(video.stdout.subarray(i * bytes, (i + 1) * bytes));
    const start = performance.now();
    seen.push(await detector.detect({ data, ...size, channels: 3, format: 'rgb' }));
    times.push(performance.now() - start);
  }
  await runtime.close();
  const truths = seen.map((_, i) => labelled(persons, i));
  // What the detector alone gives with every box under the right number.
  const ideal = product.trackingMetrics(
    truths.map((truth, i) => ({
      truth,
      found: seen[i].filter(({ score }) => score >= 0.45).map(({ box }, id) => ({ id, box })),
    })),
  );
  const bound = 1 - (ideal.missed + ideal.falsePositives) / ideal.boxes;
  const rows = [];
  for (const every of EVERY) {
    for (const method of ['greedy', 'tracker']) {
      const greedy = new Greedy(product.intersectionOverUnion, 0.45);
      const tracker = new product.Tracker('pedestrians');
      const frames = truths.map((truth, i) => {
        const detections = i % every === 0 ? seen[i] : undefined;
        const found =
          method === 'greedy'
            ? greedy.update(100 * i, detections)
            : tracker
                .update(100 * i, detections, size, ['person'])
                .filter(({ state }) => state === 'confirmed')
                .map(({ id, person }) => ({ id, box: person }));
        return { truth, found };
      });
      const m = product.trackingMetrics(frames);
      rows.push([`1/${every}`, method, m.mota.toFixed(3), m.idf1.toFixed(3), m.switches, m.fragmentations]);
      const note = `first ${count} frames of vtest.avi (10 fps), ${m.boxes} boxes drawn by eye (benchmarks/labels/pedestrians.json), detector every ${every}`;
      const peer = method === 'greedy' ? 'greedy overlap' : null;
      const id = `tracking.pedestrians.every-${every}.${method}`;
      const options = { issue: 6, better: 'higher', peer, note };
      figures.push(figure(`${id}.mota`, m.mota, '', options), figure(`${id}.idf1`, m.idf1, '', options));
      figures.push(figure(`${id}.switches`, m.switches, '', { ...options, better: 'lower' }));
    }
  }
  times.sort((a, b) => a - b);
  console.log(
    `\npedestrians: ${ideal.boxes} boxes; detections alone under perfect numbers give MOTA ${bound.toFixed(3)}`,
  );
  printTable(['detector', 'tracker', 'MOTA', 'IDF1', 'switches', 'fragmentations'], rows);
  figures.push(
    figure('tracking.pedestrians.detections', bound, '', {
      issue: 6,
      better: 'higher',
      note: 'MOTA of the detections of 0.45 and more under perfect numbers',
    }),
  );
  figures.push(
    figure('tracking.persons.detect', times[count >> 1], 'ms', {
      issue: 6,
      note: `median of ${count}, 768 × 576, ${runtime.threads} threads`,
    }),
  );
}

/** Milliseconds of an update with as many detections as tracks. */
function updateCost({ Tracker }, count) {
  const next = random(count);
  const size = { width: 3840, height: 2160 };
  const tracker = new Tracker('cost');
  const walkers = Array.from({ length: count }, () => ({
    x: next() * 3700,
    y: next() * 2000,
    vx: 200 * next() - 100,
    vy: 60 * next() - 30,
  }));
  const times = [];
  for (let i = 0; i < 260; i++) {
    const t = i / 15;
    const detections = walkers.map(({ x, y, vx, vy }) => ({
      kind: 'face',
      box: [x + vx * t + 2 * next(), y + vy * t + 2 * next(), 60, 75],
      score: 0.3 + 0.7 * next(),
    }));
    const start = performance.now();
    tracker.update(1000 * t, detections, size);
    if (i >= 60) times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  return { median: times[100], p95: times[190] };
}

async function main() {
  if (!haveProduct()) return console.log('tracking: skipped, the product is not built');
  const modules = ['index.js', 'image/index.js', 'inference/index.js', 'models/index.js', 'pipeline/tracking/index.js'];
  const product = Object.assign({}, ...(await Promise.all(modules.map(from))));
  const { openScene } = await tsImport('../../tests/support/scene.ts', import.meta.url);
  const figures = [];
  const rows = [];
  const presets = process.env.TRACKING_PRESETS?.split(',') ?? ['fast', 'balanced'];
  for (const preset of presets) {
    const { scenes, looks } = await look(product, openScene, preset);
    for (const every of EVERY) {
      for (const method of ['greedy', 'tracker', ...(looks === undefined ? [] : ['embeddings'])]) {
        const m = together(scenes.map((s) => follow(product, s, every, method, looks)));
        rows.push([preset, `1/${every}`, method, m.mota.toFixed(3), m.idf1.toFixed(3), m.switches, m.fragmentations]);
        const note = `${SCENES.map(({ kind }) => kind).join(', ')}: ${m.boxes} faces in ${SCENES.length} × ${SCENE.seconds} s of 720p at 15 fps, IDF1 is the mean of the scenes; detector of preset ${preset} every ${every}${method === 'embeddings' ? `, embeddings every ${EMBED_EVERY}` : ''}`;
        const options = { issue: 6, better: 'higher', peer: method === 'greedy' ? 'greedy overlap' : null, note };
        const id = `tracking.scenes.${preset}.every-${every}.${method}`;
        figures.push(figure(`${id}.mota`, m.mota, '', options), figure(`${id}.idf1`, m.idf1, '', options));
        figures.push(figure(`${id}.switches`, m.switches, '', { ...options, better: 'lower' }));
      }
    }
  }
  printTable(['preset', 'detector', 'tracker', 'MOTA', 'IDF1', 'switches', 'fragmentations'], rows);
  await pedestrians(product, figures);
  for (const count of [10, 50, 200]) {
    const { median, p95 } = updateCost(product, count);
    const note = `one update with ${count} tracks and as many detections, p95 ${p95.toFixed(2)} ms, one core`;
    figures.push(figure(`tracking.update.${count}`, median, 'ms', { issue: 6, note }));
  }
  finish('tracking', figures);
}

await main();
