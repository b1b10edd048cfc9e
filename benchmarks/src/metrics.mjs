// Verification metrics: equal error rate, TPR at a false positive rate, bootstrap over identities.

/**
 * Error rates over all thresholds. Scores: larger is more alike.
 * @param {ArrayLike<number>} genuine @param {ArrayLike<number>} impostor
 * @returns {{eer: number, threshold: number}} EER interpolated linearly where FNMR and FMR cross
 */
export function eer(genuine, impostor) {
  const g = Float64Array.from(genuine).sort();
  const im = Float64Array.from(impostor).sort();
  if (!g.length || !im.length) return { eer: Number.NaN, threshold: Number.NaN };
  let i = 0;
  let j = 0;
  let before = { fnmr: 0, fmr: 1, t: Math.min(g[0], im[0]) };
  const all = [...new Set([...g, ...im])].sort((x, y) => x - y);
  for (const t of all) {
    while (i < g.length && g[i] < t) i++;
    while (j < im.length && im[j] < t) j++;
    const now = { fnmr: i / g.length, fmr: 1 - j / im.length, t };
    if (now.fnmr >= now.fmr) {
      const d0 = before.fmr - before.fnmr;
      const d1 = now.fnmr - now.fmr;
      const k = d0 + d1 === 0 ? 0 : d0 / (d0 + d1);
      return { eer: before.fnmr + k * (now.fnmr - before.fnmr), threshold: before.t + k * (t - before.t) };
    }
    before = now;
  }
  return { eer: (i / g.length + 0) / 2, threshold: all[all.length - 1] };
}

/**
 * Share of genuine scores at or above the smallest threshold whose false positive rate is at most `fpr`.
 * @param {ArrayLike<number>} genuine @param {ArrayLike<number>} impostor
 */
export function tprAt(genuine, impostor, fpr = 0.01) {
  const threshold = thresholdAt(impostor, fpr);
  let n = 0;
  for (const s of genuine) if (s > threshold) n++;
  return n / genuine.length;
}

/** The threshold T such that at most `fmr` of the impostor scores are greater than T. */
export function thresholdAt(impostor, fmr) {
  const im = Float64Array.from(impostor).sort();
  const allowed = Math.floor(fmr * im.length);
  return im[Math.max(0, im.length - 1 - allowed)];
}

/** Deterministic generator (mulberry32). @param {number} seed */
export function random(seed) {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = s;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** FNV-1a of a text, as a seed that does not depend on order. */
export function seedOf(text) {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/**
 * 95 % interval of a statistic when persons (not comparisons) are drawn again: a person drawn k times brings its genuine
 * comparisons k times; an impostor comparison counts with the product of its two persons' counts.
 * @param {{score: number, a: number, b: number}[]} genuine a === b: index of the person
 * @param {{score: number, a: number, b: number}[]} impostor
 * @param {(g: Float64Array, gw: Float64Array, i: Float64Array, iw: Float64Array) => number} statistic over sorted scores
 */
export function bootstrap(genuine, impostor, persons, statistic, rounds = 400, seed = 1) {
  const rand = random(seed);
  const g = [...genuine].sort((x, y) => x.score - y.score);
  const im = [...impostor].sort((x, y) => x.score - y.score);
  const gs = Float64Array.from(g, (x) => x.score);
  const is = Float64Array.from(im, (x) => x.score);
  const withPairs = [...new Set(genuine.map((x) => x.a))];
  const others = [...Array(persons).keys()].filter((p) => !withPairs.includes(p));
  const values = [];
  for (let r = 0; r < rounds; r++) {
    const count = new Float64Array(persons);
    for (let k = 0; k < withPairs.length; k++) count[withPairs[Math.floor(rand() * withPairs.length)]]++;
    for (let k = 0; k < others.length; k++) count[others[Math.floor(rand() * others.length)]]++;
    const gw = Float64Array.from(g, (x) => count[x.a]);
    const iw = Float64Array.from(im, (x) => count[x.a] * count[x.b]);
    const value = statistic(gs, gw, is, iw);
    if (Number.isFinite(value)) values.push(value);
  }
  values.sort((x, y) => x - y);
  return [values[Math.floor(values.length * 0.025)], values[Math.ceil(values.length * 0.975) - 1]];
}

/** Weighted EER over sorted scores. */
export function weightedEer(gs, gw, is, iw) {
  const G = gw.reduce((s, x) => s + x, 0);
  const I = iw.reduce((s, x) => s + x, 0);
  if (!G || !I) return Number.NaN;
  let i = 0;
  let below = 0; // weight of genuine below t
  let above = I; // weight of impostors at or above t
  let prev = [0, 1];
  for (let j = 0; j < gs.length; j++) {
    const t = gs[j];
    while (i < is.length && is[i] < t) above -= iw[i++];
    const now = [below / G, above / I];
    if (now[0] >= now[1]) return between(prev, now);
    prev = now;
    below += gw[j];
    const after = [below / G, above / I];
    if (after[0] >= after[1]) return between(prev, after);
    prev = after;
  }
  return prev[1];
}

function between([f0, m0], [f1, m1]) {
  const d0 = m0 - f0;
  const d1 = f1 - m1;
  const k = d0 + d1 === 0 ? 0 : d0 / (d0 + d1);
  return f0 + k * (f1 - f0);
}

/** Weighted TPR at an FPR over sorted scores. */
export const weightedTprAt = (fpr) => (gs, gw, is, iw) => {
  const I = iw.reduce((s, x) => s + x, 0);
  const G = gw.reduce((s, x) => s + x, 0);
  if (!G || !I) return Number.NaN;
  let above = 0;
  let i = is.length - 1;
  while (i >= 0 && above + iw[i] <= fpr * I) above += iw[i--];
  const threshold = i >= 0 ? is[i] : Number.NEGATIVE_INFINITY;
  let n = 0;
  for (let j = gs.length - 1; j >= 0 && gs[j] > threshold; j--) n += gw[j];
  return n / G;
};

/** Median of numbers. */
export function median(values) {
  const s = [...values].sort((a, b) => a - b);
  const m = s.length >> 1;
  return s.length % 2 ? s[m] : (s[m - 1] + s[m]) / 2;
}
