// Plain reference image operations on RGB frames, for protocols and prototypes. Slow on purpose: every pixel by the
// book, no shortcuts, so that what is measured is the method and not an implementation detail.

/** @typedef {{data: Uint8Array, width: number, height: number, channels: 3}} Frame */
/**
 * A similarity from output to source pixels: x = a*u - b*v + tx, y = b*u + a*v + ty, pixel centres at integer + 0.5.
 * @typedef {{a: number, b: number, tx: number, ty: number}} Similarity
 */

/**
 * Least-squares similarity that maps `from` onto `to` (Umeyama 1991 without reflection).
 * @param {number[][]} from @param {number[][]} to @returns {Similarity}
 */
export function fitSimilarity(from, to) {
  const n = from.length;
  let mx = 0;
  let my = 0;
  let nx = 0;
  let ny = 0;
  for (let i = 0; i < n; i++) {
    mx += from[i][0] / n;
    my += from[i][1] / n;
    nx += to[i][0] / n;
    ny += to[i][1] / n;
  }
  let dot = 0;
  let cross = 0;
  let norm = 0;
  for (let i = 0; i < n; i++) {
    const x = from[i][0] - mx;
    const y = from[i][1] - my;
    const u = to[i][0] - nx;
    const v = to[i][1] - ny;
    dot += x * u + y * v;
    cross += x * v - y * u;
    norm += x * x + y * y;
  }
  const a = dot / norm;
  const b = cross / norm;
  return { a, b, tx: nx - (a * mx - b * my), ty: ny - (b * mx + a * my) };
}

/** Applies a similarity to one point. @param {Similarity} s */
export const apply = (s, [x, y]) => [s.a * x - s.b * y + s.tx, s.b * x + s.a * y + s.ty];

const cubic = (t, a = -0.5) => {
  const x = Math.abs(t);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
};
const sinc = (x) => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));
const lanczos3 = (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0);
const triangle = (x) => Math.max(0, 1 - Math.abs(x));
const KERNELS = { bilinear: [triangle, 1], cubic: [cubic, 2], lanczos: [lanczos3, 3] };

/**
 * Warps to an out-by-out (or width-by-height) RGB float chip (0..255), outside is `border`.
 * filter: 'point-bilinear' (2x2 taps whatever the scale), 'area' (n x n supersampled bilinear, n = ceil(scale)),
 * 'bilinear' | 'cubic' | 'lanczos' (kernel widened by the scale when shrinking, i.e. anti-aliased).
 * @param {Frame} frame @param {Similarity} s @param {number} width @param {number} [height] @param {string} [filter]
 * @param {number} [border]
 */
export function warp(frame, s, width, height = width, filter = 'area', border = 0) {
  const out = new Float32Array(width * height * 3);
  const scale = Math.hypot(s.a, s.b);
  const supersampled = filter === 'area' || filter === 'point-bilinear';
  const n = filter === 'area' ? Math.max(1, Math.ceil(scale - 1e-9)) : 1;
  const [kernel, radius] = supersampled ? KERNELS.bilinear : KERNELS[filter];
  const widen = supersampled ? 1 : Math.max(1, scale);
  const r = radius * widen;
  const { data, width: w, height: h } = frame;
  const weightsX = new Float64Array(64);
  for (let v = 0; v < height; v++) {
    for (let u = 0; u < width; u++) {
      let c0 = 0;
      let c1 = 0;
      let c2 = 0;
      for (let k = 0; k < n * n; k++) {
        const uu = u + ((k % n) + 0.5) / n;
        const vv = v + (Math.floor(k / n) + 0.5) / n;
        const x = s.a * uu - s.b * vv + s.tx - 0.5;
        const y = s.b * uu + s.a * vv + s.ty - 0.5;
        const x0 = Math.floor(x - r) + 1;
        const x1 = Math.ceil(x + r) - 1;
        const y0 = Math.floor(y - r) + 1;
        const y1 = Math.ceil(y + r) - 1;
        let sum = 0;
        let s0 = 0;
        let s1 = 0;
        let s2 = 0;
        for (let i = x0; i <= x1; i++) weightsX[i - x0] = kernel((i - x) / widen);
        for (let j = y0; j <= y1; j++) {
          const wy = kernel((j - y) / widen);
          if (wy === 0) continue;
          for (let i = x0; i <= x1; i++) {
            const weight = wy * weightsX[i - x0];
            sum += weight;
            if (i < 0 || j < 0 || i >= w || j >= h) {
              s0 += weight * border;
              s1 += weight * border;
              s2 += weight * border;
              continue;
            }
            const p = (j * w + i) * 3;
            s0 += weight * data[p];
            s1 += weight * data[p + 1];
            s2 += weight * data[p + 2];
          }
        }
        c0 += s0 / sum;
        c1 += s1 / sum;
        c2 += s2 / sum;
      }
      const o = (v * width + u) * 3;
      const clamp = (c) => Math.min(255, Math.max(0, c / (n * n)));
      out[o] = clamp(c0);
      out[o + 1] = clamp(c1);
      out[o + 2] = clamp(c2);
    }
  }
  return out;
}

/** Mirrors a chip left to right. @param {Float32Array} chip */
export function mirror(chip, width, height = width) {
  const out = new Float32Array(chip.length);
  for (let v = 0; v < height; v++)
    for (let u = 0; u < width; u++)
      for (let c = 0; c < 3; c++) out[(v * width + u) * 3 + c] = chip[(v * width + width - 1 - u) * 3 + c];
  return out;
}

/** Similarity from an upright square crop (centre, side, roll in radians) of output size n to source pixels. */
export function squareCrop(cx, cy, side, n, roll = 0) {
  const k = side / n;
  const a = k * Math.cos(roll);
  const b = k * Math.sin(roll);
  return { a, b, tx: cx - (a * n) / 2 + (b * n) / 2, ty: cy - (b * n) / 2 - (a * n) / 2 };
}
