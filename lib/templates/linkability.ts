import { invalid, positiveInteger } from '../errors/validate.js';

/** How far scores tell pairs of one person from pairs of two. */
export interface Linkability {
  /** Chance that a pair of one person scores higher than a pair of two, ties half; 0.5: scores say nothing. */
  readonly auc: number;
  /** D↔sys, 0 (nothing links them) to 1 (every pair of one person is known as such). */
  readonly system: number;
  /**
   * What the same estimate gives where there is nothing to find: all scores shuffled and dealt out again. A `system` of about
   * this means 0; it falls with the number of pairs.
   */
  readonly chance: number;
}

/**
 * Unlinkability of protected templates: M. Gomez-Barrero, J. Galbally, C. Rathgeb, C. Busch, "General framework to evaluate
 * unlinkability in biometric template protection systems", IEEE TIFS 13(6), 2018. `mated` are scores of pairs of one
 * person under two keys, `nonMated` of pairs of two persons under two keys. Densities are histograms of `bins` (default 50)
 * equal bins; both kinds are equally likely a priori (ω = 1). Throws `INVALID_ARGUMENT` for fewer than two scores of a
 * kind, or scores that are not finite. Pure.
 */
export function measureLinkability(
  mated: ArrayLike<number>,
  nonMated: ArrayLike<number>,
  options: { readonly bins?: number } = {},
): Linkability {
  const bins = positiveInteger('bins', options.bins ?? 50, 10_000);
  const a = scores('mated', mated);
  const b = scores('nonMated', nonMated);
  const pooled = new Float64Array(a.length + b.length);
  pooled.set(a);
  pooled.set(b, a.length);
  shuffle(pooled);
  return {
    auc: areaUnderCurve(a, b),
    system: dSystem(a, b, bins),
    chance: dSystem(pooled.subarray(0, a.length), pooled.subarray(a.length), bins),
  };
}

function scores(name: string, values: ArrayLike<number>): Float64Array {
  const list = Float64Array.from(values);
  if (list.length < 2 || !list.every(Number.isFinite)) throw invalid(name, 'at least two finite scores', values);
  return list;
}

/** Fisher–Yates with fixed numbers (xorshift32): the same scores always give the same answer. */
function shuffle(values: Float64Array): void {
  let state = 0x9e3779b9;
  for (let i = values.length - 1; i > 0; i--) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const j = (state >>> 0) % (i + 1);
    [values[i], values[j]] = [values[j]!, values[i]!];
  }
}

/** Mann–Whitney: over all pairs of a score of `a` and one of `b`. */
function areaUnderCurve(a: Float64Array, b: Float64Array): number {
  const sorted = b.toSorted();
  let below = 0;
  let at = 0;
  let upTo = 0;
  for (const value of a.toSorted()) {
    while (at < sorted.length && sorted[at]! < value) at++;
    upTo = Math.max(upTo, at);
    while (upTo < sorted.length && sorted[upTo]! <= value) upTo++;
    below += (at + upTo) / 2;
  }
  return below / (a.length * b.length);
}

function dSystem(mated: Float64Array, nonMated: Float64Array, bins: number): number {
  let low = Infinity;
  let high = -Infinity;
  for (const list of [mated, nonMated]) {
    for (const v of list) {
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  const shares = (list: Float64Array): Float64Array => {
    const share = new Float64Array(bins);
    for (const v of list)
      share[Math.min(bins - 1, Math.floor(((v - low) / (high - low || 1)) * bins))]! += 1 / list.length;
    return share;
  };
  const m = shares(mated);
  const n = shares(nonMated);
  // D(s) = P(mated | s) − P(not mated | s) where that is positive, weighted by how often mated pairs score s.
  let sum = 0;
  for (let i = 0; i < bins; i++) if (m[i]! > n[i]!) sum += (m[i]! * (m[i]! - n[i]!)) / (m[i]! + n[i]!);
  return sum;
}
