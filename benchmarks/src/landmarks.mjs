// Our shape predictor against dlib's: same model file, same boxes, one thread each, in turns in one native program. Builds
// native/bench with cmake; needs dlib and its 68-point model (Debian: libdlib-dev, libdlib-data) and the photographs.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { decode } from './frames.mjs';
import { random, seedOf } from './metrics.mjs';
import { buildBench, runBench } from './native.mjs';
import { havePhotos, labels, photoPath } from './paths.mjs';
import { finish } from './report.mjs';

const ROUNDS = process.env.BENCH_ROUNDS ?? '21';
const MODEL = process.env.DLIB_MODEL ?? '/usr/share/dlib/shape_predictor_68_face_landmarks.dat';
/** Boxes for each labelled face: one as it is, the others moved and scaled. */
const JITTERED = 3;

/**
 * A box as dlib's face detector draws it, in whole pixels: square, as wide as the face from brows to chin is high; moved by up
 * to a tenth and scaled by up to a sixth either way.
 */
function dlibBox([x, y, w, h], rand, spread) {
  const side = ((w + h) / 2) * (1 + spread * (2 * rand() - 1) * 0.16);
  const cx = x + w / 2 + spread * (2 * rand() - 1) * 0.1 * side;
  const cy = y + h / 2 + spread * (2 * rand() - 1) * 0.1 * side;
  return [cx - side / 2, cy - side / 2, side, side].map(Math.round);
}

/** Writes pictures and boxes as native/bench/landmarks_bench.cpp reads them; gives the number of boxes. */
async function writeFaces(file) {
  const byPhoto = Map.groupBy
    ? Map.groupBy(labels('identities.json').faces, (f) => f.photo)
    : labels('identities.json').faces.reduce((m, f) => m.set(f.photo, [...(m.get(f.photo) ?? []), f]), new Map());
  const out = fs.openSync(file, 'w');
  let count = 0;
  try {
    for (const [name, faces] of byPhoto) {
      if (!fs.existsSync(photoPath(name))) continue;
      const { data, width, height } = await decode(photoPath(name));
      const rand = random(seedOf(name));
      const boxes = faces.flatMap((f) =>
        Array.from({ length: JITTERED }, (_, i) => dlibBox(f.box, rand, i === 0 ? 0 : 1)),
      );
      fs.writeSync(out, new Uint8Array(Uint32Array.of(width, height, boxes.length).buffer));
      fs.writeSync(out, new Uint8Array(Int32Array.from(boxes.flat()).buffer));
      fs.writeSync(out, data);
      count += boxes.length;
    }
  } finally {
    fs.closeSync(out);
  }
  return count;
}

if (!havePhotos() || !fs.existsSync(MODEL)) {
  console.log(`landmarks: skipped, ${havePhotos() ? `${MODEL} is missing (Debian: libdlib-data)` : 'no photographs'}`);
} else {
  const temporary = fs.mkdtempSync(path.join(os.tmpdir(), 'lineament-landmarks-'));
  try {
    const faces = path.join(temporary, 'faces.bin');
    await writeFaces(faces);
    buildBench('landmarks_bench');
    const result = runBench('landmarks_bench', [faces, MODEL, path.join(temporary, 'model.lmsm'), ROUNDS]);
    const { figures, simd, threads, rounds, faces: count } = result;
    finish('landmarks', figures, { simd, kernelThreads: threads, rounds, faces: count });
  } finally {
    fs.rmSync(temporary, { recursive: true, force: true });
  }
}
