// The shape predictor against dlib itself, on dlib's 68-point model: the same file, the same boxes, the same gray pixels.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShapePredictor } from '../../lib/landmarks/shape-predictor.js';
import type { NativeExecutor } from '../../lib/native/addon.js';
import { loadAddon } from '../../lib/native/index.js';
import type { Box, Frame } from '../../lib/types.js';
import { noise } from '../native/support.js';
import { root } from '../support/child.js';
import { command, wanted } from './support.js';

const MODEL = '/usr/share/dlib/shape_predictor_68_face_landmarks.dat';
const HEADER = '/usr/include/dlib/image_processing/shape_predictor.h';

interface LabelledFace {
  readonly photo: string;
  readonly box: Box;
}

interface Picture {
  readonly frame: Frame;
  readonly boxes: Box[];
}

/** Where a photograph of benchmarks/labels lies: in ../shared, which may be absent, or in an npm package. */
function photoPath(name: string): string {
  if (!name.startsWith('npm ')) return path.join(root, '..', 'shared', 'faces', name);
  return path.join(root, 'node_modules', ...name.split(' ').slice(1));
}

/** Gray pictures, and at least 200 boxes in whole pixels: those of the labels, moved and scaled. */
async function pictures(): Promise<Picture[]> {
  const labels = path.join(root, 'benchmarks', 'labels', 'identities.json');
  const { faces } = JSON.parse(readFileSync(labels, 'utf8')) as { faces: LabelledFace[] };
  const found = faces.filter((face) => existsSync(photoPath(face.photo)));
  const repeats = Math.ceil(200 / found.length);
  const jitter = noise(3 * repeats * found.length, -1, 1, 5);
  let next = 0;
  const byPhoto = new Map<string, Box[]>();
  for (const { photo, box } of found) {
    const boxes = byPhoto.get(photo) ?? [];
    byPhoto.set(photo, boxes);
    for (let i = 0; i < repeats; i++) {
      const side = ((box[2] + box[3]) / 2) * (1 + 0.15 * jitter[next++]!);
      const x = box[0] + box[2] / 2 + 0.1 * side * jitter[next++]! - side / 2;
      const y = box[1] + box[3] / 2 + 0.1 * side * jitter[next++]! - side / 2;
      boxes.push([Math.round(x), Math.round(y), Math.round(side), Math.round(side)]);
    }
  }
  const out: Picture[] = [];
  for (const [photo, boxes] of byPhoto) {
    const { data, info } = await sharp(photoPath(photo))
      .rotate()
      .greyscale()
      .raw()
      .toBuffer({ resolveWithObject: true });
    out.push({ frame: { data, width: info.width, height: info.height, channels: 1, format: 'gray' }, boxes });
  }
  return out;
}

/** The pictures as native/bench/landmarks_bench.cpp reads them. */
function facesFile(all: readonly Picture[]): Uint8Array {
  return Buffer.concat(
    all.flatMap(({ frame, boxes }) => [
      new Uint8Array(Uint32Array.of(frame.width, frame.height, boxes.length).buffer),
      new Uint8Array(Int32Array.from(boxes.flat()).buffer),
      Uint8Array.from({ length: 3 * frame.data.length }, (_, i) => frame.data[Math.floor(i / 3)]!),
    ]),
  );
}

describe.skipIf(!(wanted && existsSync(MODEL) && existsSync(HEADER)))("dlib's shape predictor", () => {
  let folder = '';
  let executor: NativeExecutor;
  let all: Picture[] = [];
  let expected: Float64Array;

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-dlib-'));
    executor = loadAddon().createExecutor(2);
    const build = path.join(root, 'out', 'native-bench');
    const flags = ['-DLINEAMENT_ADDON=OFF', '-DLINEAMENT_BENCH=ON', '-DCMAKE_BUILD_TYPE=Release'];
    await command('cmake', ['-S', root, '-B', build, ...flags]);
    await command('cmake', ['--build', build, '-j', '2', '--target', 'landmarks_bench'], { timeout: 1_200_000 });
    all = await pictures();
    const faces = path.join(folder, 'faces.bin');
    const points = path.join(folder, 'points.bin');
    writeFileSync(faces, facesFile(all));
    await command(path.join(build, 'landmarks_bench'), ['--points', faces, MODEL, points]);
    const bytes = readFileSync(points);
    expected = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  }, 1_500_000);
  afterAll(async () => {
    await executor?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('gives the same points within 0.01 pixels on at least 200 faces', async () => {
    const predictor = await ShapePredictor.open(executor, MODEL);
    expect(predictor.info).toMatchObject({ points: 68, cascades: 15, trees: 500, depth: 4, features: 500 });
    let worst = 0;
    let at = 0;
    for (const { frame, boxes } of all) {
      for (const points of await predictor.predict(frame, boxes)) {
        for (const [x, y] of points) {
          // The centre of a pixel is at .5 here and at whole numbers there.
          worst = Math.max(worst, Math.hypot(x - 0.5 - expected[at++]!, y - 0.5 - expected[at++]!));
        }
      }
    }
    await predictor.close();
    expect(at).toBe(expected.length);
    expect(at / 136).toBeGreaterThanOrEqual(200);
    expect(worst).toBeLessThan(0.01);
  });

  it('wrote the same bytes as we do', async () => {
    const predictor = await ShapePredictor.open(executor, MODEL);
    const copy = path.join(folder, 'copy.dat');
    await predictor.save(copy, 'dlib');
    await predictor.close();
    expect(readFileSync(copy).equals(readFileSync(MODEL))).toBe(true);
  });

  it('is a third of its size as a compact file, with nearly the same points', async () => {
    const compactFile = path.join(folder, 'model.lmsm');
    const info = await ShapePredictor.convert(executor, MODEL, compactFile, 'compact');
    expect(info.bytes).toBeLessThan(40 << 20);
    expect(info.leafError).toBeGreaterThan(0);
    expect(info.leafError).toBeLessThan(0.002);
    const compact = await ShapePredictor.open(executor, compactFile);
    const off: number[] = [];
    let at = 0;
    for (const { frame, boxes } of all) {
      for (const [face, points] of (await compact.predict(frame, boxes)).entries()) {
        for (const [x, y] of points)
          off.push(Math.hypot(x - 0.5 - expected[at++]!, y - 0.5 - expected[at++]!) / boxes[face]![2]);
      }
    }
    await compact.close();
    off.sort((a, b) => a - b);
    expect(off[Math.floor(off.length / 2)]).toBeLessThan(0.003);
  });
});
