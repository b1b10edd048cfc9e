// Our trainer of shape models against dlib's: same faces, split, options and number of threads, in turns in one native
// program. Faces are labelled by the product's own landmark network, so that the errors compare trainers and say nothing
// about the truth. Builds native/bench with cmake; needs dlib (Debian: libdlib-dev) and the photographs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decode, fromFrame } from './frames.mjs';
import { buildBench, runBench } from './native.mjs';
import { haveProduct, openOurs } from './ours.mjs';
import { havePhotos, labels, photoPath } from './paths.mjs';
import { iou } from './protocol.mjs';
import { figure, finish, printTable } from './report.mjs';

/** With so few faces the test error scatters by 7 % from seed to seed: the figure is a mean over many. */
const SEEDS = Number(process.env.BENCH_SEEDS ?? 20);
/** Fewer trees than the default 500, so that many seeds fit in a few minutes. */
const CASCADES = 10;
const TREES = 100;
const OVERSAMPLING = 20;
/** Sides of a face's box in the picture that is learnt from, in pixels; how much of the box is kept around it. */
const SIDE = 160;
const MARGIN = 0.5;
/** Outer corners of the eyes nearer to each other than this share of the box: the network has failed. */
const EYES = 0.2;
/** One photograph in so many is kept for the test. */
const TEST_EVERY = 3;

/** A grey picture of one face, box and points in it as whole pixels (pixel centres at whole numbers, as dlib has it). */
async function portrait(frame, box, points) {
  const side = Math.max(box[2], box[3]);
  const centre = [box[0] + box[2] / 2, box[1] + box[3] / 2];
  const left = Math.max(0, Math.floor(centre[0] - side * (0.5 + MARGIN)));
  const top = Math.max(0, Math.floor(centre[1] - side * (0.5 + MARGIN)));
  const width = Math.min(frame.width - left, Math.ceil(side * (1 + 2 * MARGIN)));
  const height = Math.min(frame.height - top, Math.ceil(side * (1 + 2 * MARGIN)));
  const scale = SIDE / side;
  const size = [Math.round(width * scale), Math.round(height * scale)];
  const pixels = await fromFrame(frame)
    .extract({ left, top, width, height })
    .resize(size[0], size[1], { fit: 'fill' })
    .greyscale()
    .raw()
    .toBuffer();
  const x = (value) => ((value - left) * size[0]) / width;
  const y = (value) => ((value - top) * size[1]) / height;
  const square = [x(centre[0]) - SIDE / 2, y(centre[1]) - SIDE / 2].map(Math.round);
  return {
    size,
    pixels,
    box: [...square, SIDE, SIDE],
    points: points.flatMap((p) => [Math.round(x(p[0]) - 0.5), Math.round(y(p[1]) - 0.5)]),
  };
}

function plausible({ box, landmarks }) {
  const [a, b] = [landmarks[36], landmarks[45]];
  return Math.hypot(a[0] - b[0], a[1] - b[1]) > EYES * Math.max(box[2], box[3]);
}

/** Every labelled face that the product finds too, photograph after photograph. */
async function portraits() {
  const ours = await openOurs();
  const byPhoto = new Map();
  for (const face of labels('identities.json').faces)
    byPhoto.set(face.photo, [...(byPhoto.get(face.photo) ?? []), face]);
  const train = [];
  const test = [];
  let count = 0;
  for (const [name, known] of [...byPhoto].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (!fs.existsSync(photoPath(name))) continue;
    const frame = await decode(photoPath(name));
    const faces = await ours.engine.detect(photoPath(name), { landmarks: true });
    const to = count++ % TEST_EVERY === 0 ? test : train;
    for (const face of faces) {
      if (!face.landmarks || !plausible(face) || !known.some((k) => iou(k.box, face.box) > 0.25)) continue;
      to.push(await portrait(frame, face.box, face.landmarks));
    }
  }
  await ours.close();
  return { train, test };
}

function write(file, faces) {
  const parts = faces.flatMap((f) => [
    new Uint8Array(Uint32Array.from(f.size).buffer),
    f.pixels,
    new Uint8Array(Int32Array.from([...f.box, ...f.points]).buffer),
  ]);
  fs.writeFileSync(file, Buffer.concat(parts));
}

const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
/** Standard error of the mean, as a share of it. */
const uncertainty = (values) => {
  const middle = mean(values);
  const variance = values.reduce((sum, v) => sum + (v - middle) ** 2, 0) / (values.length - 1);
  return Math.sqrt(variance / values.length) / middle;
};

async function main() {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-training-'));
  try {
    buildBench('trainer_bench');
    const { train, test } = await portraits();
    const file = path.join(temporary, 'faces.bin');
    write(file, [...train, ...test]);
    if (process.env.BENCH_KEEP) fs.copyFileSync(file, process.env.BENCH_KEEP);
    const args = [file, train.length, SEEDS, temporary, CASCADES, TREES, OVERSAMPLING].map(String);
    const { runs, ...about } = runBench('trainer_bench', args);
    const percent = (value) => (100 * value).toFixed(2);
    printTable(
      ['seed', 'ours s', 'dlib s', 'ours test %', 'dlib test %', 'ours train %', 'dlib train %'],
      runs.map((r, i) => [
        i,
        r.seconds.toFixed(2),
        r.dlibSeconds.toFixed(2),
        percent(r.error),
        percent(r.dlibError),
        percent(r.trainError),
        percent(r.dlibTrainError),
      ]),
    );
    const by = `${about.train} faces to learn from, ${about.test} to test on, labelled by the landmark network; ${CASCADES} cascades of ${TREES} trees, all other options as dlib has them by default; ${about.threads} threads, ${SEEDS} seeds`;
    const options = { issue: 3, peer: 'dlib 19.24', goal: 1.05 };
    const [ours, dlib] = [runs.map((r) => r.error), runs.map((r) => r.dlibError)];
    const ratio = mean(ours) / mean(dlib);
    const sure = ratio * Math.hypot(uncertainty(ours), uncertainty(dlib));
    const faster = median(runs.map((r) => r.dlibSeconds / r.seconds));
    finish(
      'landmark-training',
      [
        figure('landmarks.training.error', ratio, 'ratio', {
          ...options,
          note: `test error, ours / dlib, standard error ${sure.toFixed(3)}; ${by}`,
        }),
        figure('landmarks.training.time', faster, 'ratio', {
          ...options,
          goal: 1,
          better: 'higher',
          note: `training time, dlib / ours; ${by}`,
        }),
      ],
      { ...about, runs },
    );
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}

if (!havePhotos() || !haveProduct())
  console.log('landmark-training: skipped, no photographs or the product is not built');
else await main();
