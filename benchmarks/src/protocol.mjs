// The recognition protocol (PROTOCOL.md): which faces are compared, and the deterministic degradation.
import fs from 'node:fs';
import path from 'node:path';
import { decode, fromFrame, sharp } from './frames.mjs';
import { apply, warp } from './image.mjs';
import { random, seedOf } from './metrics.mjs';
import { BENCH, labels, photoPath } from './paths.mjs';

const CACHE = path.join(BENCH, '.cache', 'degraded-2');
const FRAME = { width: 640, height: 480 };
/** Degraded variants of a face whose person has several photographs, and of the others. */
const VARIANTS = { mated: 3, single: 1 };

/**
 * @typedef {{photo: string, box: number[], person: string, set: string}} LabelledFace
 * @typedef {{id: string, face: LabelledFace, variant: number, input: Buffer, box: number[], roll: number}} Sample
 * `box` is the label's box carried into the sample's picture (axis aligned, [x, y, w, h]); `roll` in degrees.
 */

/** All labelled faces and the index of each one's person. */
export function faces() {
  /** @type {LabelledFace[]} */
  const list = labels('identities.json').faces;
  const persons = [...new Set(list.map((f) => f.person))];
  return { list, persons, personOf: new Map(persons.map((p, i) => [p, i])) };
}

/** Same person, different photographs. */
export const isGenuine = (a, b) => a.person === b.person && a.photo !== b.photo;
/** Certainly different persons (see the note in labels/identities.json). */
export const isImpostor = (a, b) => a.person !== b.person && (a.set !== b.set || a.photo === b.photo);

const decoded = new Map();
/** Decodes a photograph once; keeps the last few. */
export async function photo(name) {
  if (!decoded.has(name)) {
    if (decoded.size > 4) decoded.delete(decoded.keys().next().value);
    decoded.set(name, await decode(photoPath(name)));
  }
  return decoded.get(name);
}

function halve(frame) {
  const width = frame.width >> 1;
  const height = frame.height >> 1;
  const data = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let c = 0; c < 3; c++) {
        const p = (2 * y * frame.width + 2 * x) * 3 + c;
        const q = p + frame.width * 3;
        data[(y * width + x) * 3 + c] =
          (frame.data[p] + frame.data[p + 3] + frame.data[q] + frame.data[q + 3] + 2) >> 2;
      }
  return { data, width, height, channels: 3 };
}

/**
 * The face as a poor camera would see it: 640x480, face 44–84 px high (never enlarged), rolled by up to 30 degrees,
 * off centre, brightness x0.5–1.5, grey for one in three, JPEG quality 20–45.
 * @param {LabelledFace} face @param {number} variant
 */
export async function degrade(face, variant) {
  const rand = random(seedOf(`${face.photo}|${face.person}|${variant}`));
  const range = (lo, hi) => lo + (hi - lo) * rand();
  const roll = range(-30, 30);
  const target = (Math.min(range(44, 84), face.box[2]) * face.box[3]) / face.box[2];
  const gain = range(0.5, 1.5);
  const grey = rand() < 1 / 3;
  const quality = Math.round(range(20, 45));
  const dx = range(-60, 60);
  const dy = range(-40, 40);
  const scale = face.box[3] / target;
  const box = [
    FRAME.width / 2 + dx - face.box[2] / scale / 2,
    FRAME.height / 2 + dy - target / 2,
    face.box[2] / scale,
    target,
  ];
  const file = path.join(CACHE, `${seedOf(`${face.photo}|${face.person}|${variant}|${face.box}`).toString(16)}.jpg`);
  const facts = { box: box.map((v) => Math.round(v * 100) / 100), roll, target, gain, grey, quality };
  if (fs.existsSync(file)) return { input: fs.readFileSync(file), ...facts };
  let frame = await photo(face.photo);
  let step = 1;
  while (scale / step >= 2) {
    frame = halve(frame);
    step *= 2;
  }
  const k = scale / step;
  const angle = (roll * Math.PI) / 180;
  const a = k * Math.cos(angle);
  const b = k * Math.sin(angle);
  const cx = (face.box[0] + face.box[2] / 2) / step;
  const cy = (face.box[1] + face.box[3] / 2) / step;
  const s = { a, b, tx: 0, ty: 0 };
  const [ox, oy] = apply(s, [FRAME.width / 2 + dx, FRAME.height / 2 + dy]);
  s.tx = cx - ox;
  s.ty = cy - oy;
  const pixels = warp(frame, s, FRAME.width, FRAME.height, 'bilinear', 110);
  const data = Uint8Array.from(pixels, (v) => Math.min(255, Math.round(v * gain)));
  let pipeline = fromFrame({ ...FRAME, data });
  if (grey) pipeline = sharp(await pipeline.greyscale().toColourspace('srgb').png().toBuffer()).toColourspace('srgb');
  const input = await pipeline.jpeg({ quality, chromaSubsampling: '4:2:0', mozjpeg: false }).toBuffer();
  fs.mkdirSync(CACHE, { recursive: true });
  fs.writeFileSync(file, input);
  return { input, ...facts };
}

/**
 * Every sample of a condition, photograph by photograph.
 * @param {'clean'|'degraded'} condition @returns {AsyncGenerator<Sample>}
 */
export async function* samples(condition) {
  const { list } = faces();
  const count = new Map();
  for (const f of list) count.set(f.person, (count.get(f.person) ?? 0) + 1);
  for (const [index, face] of list.entries()) {
    if (condition === 'clean') {
      yield {
        id: `${index}`,
        index,
        face,
        variant: 0,
        input: fs.readFileSync(photoPath(face.photo)),
        box: face.box,
        roll: 0,
      };
      continue;
    }
    const variants = count.get(face.person) > 1 ? VARIANTS.mated : VARIANTS.single;
    for (let v = 0; v < variants; v++) {
      const d = await degrade(face, v);
      yield { id: `${index}.${v}`, index, face, variant: v, input: d.input, box: d.box, roll: d.roll };
    }
  }
}

/**
 * The face of a result list that is the labelled one: highest IoU, at least 0.2, with the centre inside the label box.
 * @param {{box: number[]}[]} found @param {number[]} box
 */
export function match(found, box) {
  let best;
  let most = 0.2;
  for (const f of found) {
    const value = iou(f.box, box);
    if (value >= most) {
      most = value;
      best = f;
    }
  }
  return best;
}

/** Intersection over union of [x, y, w, h] boxes. */
export function iou(a, b) {
  const w = Math.min(a[0] + a[2], b[0] + b[2]) - Math.max(a[0], b[0]);
  const h = Math.min(a[1] + a[3], b[1] + b[3]) - Math.max(a[1], b[1]);
  if (w <= 0 || h <= 0) return 0;
  const both = w * h;
  return both / (a[2] * a[3] + b[2] * b[3] - both);
}

/**
 * All comparisons between samples with an embedding.
 * @param {{face: LabelledFace, embedding?: Float32Array}[]} items
 * @param {(a: Float32Array, b: Float32Array) => number} similarity
 */
export function comparisons(items, similarity) {
  const { personOf } = faces();
  const genuine = [];
  const impostor = [];
  const have = items.filter((x) => x.embedding);
  for (let i = 0; i < have.length; i++)
    for (let j = i + 1; j < have.length; j++) {
      const a = have[i].face;
      const b = have[j].face;
      const same = isGenuine(a, b);
      if (!same && !isImpostor(a, b)) continue;
      const c = {
        score: similarity(have[i].embedding, have[j].embedding),
        a: personOf.get(a.person),
        b: personOf.get(b.person),
      };
      (same ? genuine : impostor).push(c);
    }
  return { genuine, impostor, acquired: have.length, samples: items.length };
}
