// Compares ways of turning a given face box into an embedding. Usage: node src/prototype/recognise.mjs [name...]
import { decode } from '../frames.mjs';
import { mirror, squareCrop, warp } from '../image.mjs';
import { bootstrap, eer, random, seedOf, tprAt, weightedEer } from '../metrics.mjs';
import { comparisons, faces, photo, samples } from '../protocol.mjs';
import { chipSimilarity, faceApiCrop, landmarksFromBox, refineLandmarks } from './align.mjs';
import { descriptor128 } from './nets.mjs';

export const unit = (v) => {
  const n = Math.hypot(...v);
  return Float32Array.from(v, (x) => x / n);
};
export const add = (a, b) => Float32Array.from(a, (x, i) => x + b[i]);
export const cosine = (a, b) => {
  let d = 0;
  let x = 0;
  let y = 0;
  for (let i = 0; i < a.length; i++) {
    d += a[i] * b[i];
    x += a[i] * a[i];
    y += b[i] * b[i];
  }
  return d / Math.sqrt(x * y);
};
export const euclid = (a, b) => {
  let d = 0;
  for (let i = 0; i < a.length; i++) d += (a[i] - b[i]) ** 2;
  return -Math.sqrt(d);
};

/** Loads all samples with frames; boxes get a seeded jitter of up to 4 % so that no variant profits from exact boxes. */
export async function load(condition) {
  const list = [];
  for await (const s of samples(condition)) {
    const frame = condition === 'clean' ? await photo(s.face.photo) : await decode(s.input);
    const r = random(seedOf(`jitter ${condition} ${s.id}`));
    const [x, y, w, h] = s.box;
    const j = () => (r() - 0.5) * 0.08;
    const k = 1 + j();
    const kw = w * k;
    const kh = h * k;
    const box = [x + w / 2 - kw / 2 + j() * w, y + h / 2 - kh / 2 + j() * h, kw, kh];
    list.push({ ...s, frame, box, input: undefined });
  }
  return list;
}

export function report(name, items, similarity, extra = true) {
  const { genuine, impostor } = comparisons(items, similarity);
  const g = genuine.map((x) => x.score);
  const i = impostor.map((x) => x.score);
  const e = eer(g, i);
  const ci = extra ? bootstrap(genuine, impostor, faces().persons.length, weightedEer, 200) : [NaN, NaN];
  const pct = (x) => (100 * x).toFixed(2).padStart(6);
  console.log(`${name.padEnd(44)} EER ${pct(e.eer)} [${pct(ci[0])} ${pct(ci[1])}]  TPR@1% ${pct(tprAt(g, i, 0.01))}  TPR@0.1% ${pct(tprAt(g, i, 0.001))}  thr ${e.threshold.toFixed(3)}  (${g.length}/${i.length})`);
  return e;
}
