// Single methods on a given face box, the same box for every method: what each ingredient is worth. No detector runs.
import { mirror, squareCrop, warp } from '../image.mjs';
import { random, seedOf } from '../metrics.mjs';
import { chipSimilarity, faceApiCrop, landmarksFromBox, refineLandmarks } from './align.mjs';
import { descriptor128, descriptor1024 } from './nets.mjs';

const unit = (v) => {
  const n = Math.hypot(...v);
  return Float32Array.from(v, (x) => x / n);
};
const cosine = (a, b) => {
  let d = 0;
  let p = 0;
  let q = 0;
  for (let i = 0; i < a.length; i++) {
    d += a[i] * b[i];
    p += a[i] * a[i];
    q += b[i] * b[i];
  }
  return d / Math.sqrt(p * q);
};
const euclid = (a, b) => {
  let d = 0;
  for (let i = 0; i < a.length; i++) d += (a[i] - b[i]) ** 2;
  return -Math.sqrt(d);
};
const average = (list) => Float32Array.from(list[0], (_, i) => list.reduce((s, v) => s + v[i] / list.length, 0));

/** Constants that the evidence led to. */
export const CHIP128 = { size: 150, padding: 0.22, dy: -0.015 };
export const CHIP1024 = { size: 224, padding: 0.5, dy: 0.06 };
export const FUSION = { weight128: 2, weight1024: 1, lift: 16 };
export const REFINE = { factor: 1.45 };

/** One unit vector whose cosine orders pairs like a weighted sum of squared distances. */
export function fuse(d, f, { weight128, weight1024, lift } = FUSION) {
  const g = unit(f);
  return unit([...d.map((x) => x * Math.sqrt(weight128)), ...g.map((x) => x * Math.sqrt(weight1024)), Math.sqrt(lift)]);
}

/** Up to 4 % of jitter, seeded by the sample, so that no method profits from the exact box of the labels. */
export function jittered(sample, condition) {
  const r = random(seedOf(`jitter ${condition} ${sample.id}`));
  const j = () => (r() - 0.5) * 0.08;
  const [x, y, w, h] = sample.box;
  const k = 1 + j();
  return [x + (w - w * k) / 2 + j() * w, y + (h - h * k) / 2 + j() * h, w * k, h * k];
}

async function points(frame, box, refine) {
  const first = await landmarksFromBox(frame, box);
  return refine ? refineLandmarks(frame, first, REFINE) : first;
}
const chips = (frame, p, chip, flip) => {
  const c = warp(frame, chipSimilarity(p, chip), chip.size);
  return flip ? [c, mirror(c, chip.size)] : [c];
};
const d128 = async (frame, p, flip, chip = CHIP128) => average(await descriptor128(chips(frame, p, chip, flip)));
const d1024 = async (frame, p, flip, options) =>
  average(await descriptor1024(chips(frame, p, CHIP1024, flip), options));

/** @type {Record<string, {embed: (frame: object, box: number[]) => Promise<Float32Array>, similarity: Function}>} */
export const METHODS = {
  'face-api-crop': {
    similarity: euclid,
    async embed(frame, box) {
      const c = faceApiCrop(await points(frame, box, false));
      const s = squareCrop(c.x + c.size / 2, c.y + c.size / 2, c.size, 150);
      return (await descriptor128([warp(frame, s, 150, 150, 'point-bilinear')]))[0];
    },
  },
  'dlib-chip-128': {
    similarity: euclid,
    embed: async (f, box) => d128(f, await points(f, box, false), false, { size: 150, padding: 0.25, dy: 0 }),
  },
  128: { similarity: euclid, embed: async (f, box) => d128(f, await points(f, box, true), false) },
  '128-flip': { similarity: euclid, embed: async (f, box) => d128(f, await points(f, box, true), true) },
  '1024-rgb': { similarity: cosine, embed: async (f, box) => d1024(f, await points(f, box, true), false, {}) },
  1024: { similarity: cosine, embed: async (f, box) => d1024(f, await points(f, box, true), false) },
  fusion: {
    similarity: cosine,
    async embed(f, box) {
      const p = await points(f, box, true);
      return fuse(await d128(f, p, false), await d1024(f, p, false));
    },
  },
  'fusion-flip': {
    similarity: cosine,
    async embed(f, box) {
      const p = await points(f, box, true);
      return fuse(await d128(f, p, true), await d1024(f, p, true));
    },
  },
};

/** A method in the shape of a system. */
export function openMethod(name) {
  const m = METHODS[name];
  if (!m) throw new Error(`unknown method ${name}`);
  return {
    name,
    similarity: m.similarity,
    embed: (frame, sample) => m.embed(frame, jittered(sample, sample.id.includes('.') ? 'degraded' : 'clean')),
  };
}
