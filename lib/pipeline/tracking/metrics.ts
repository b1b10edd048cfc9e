import { numberIn } from '../../errors/validate.js';
import { intersectionOverUnion } from '../../image/geometry.js';
import type { Box } from '../../types.js';
import { assign } from './assignment.js';

/** One frame of a scene: who is there, and who was said to be there. */
export interface TrackedFrame {
  /** `ignore`: neither finding nor missing it counts (hidden, too small to be labelled). */
  readonly truth: readonly { readonly id: number; readonly box: Box; readonly ignore?: boolean }[];
  readonly found: readonly { readonly id: number; readonly box: Box }[];
}

/** How well tracks agree with the truth. */
export interface TrackingMetrics {
  readonly frames: number;
  /** Boxes of the truth, all frames together. */
  readonly boxes: number;
  /** 1 − (missed + false + switches) / boxes; may be negative. */
  readonly mota: number;
  /** Mean intersection over union of the matched boxes; NaN where none is. */
  readonly motp: number;
  /** Harmonic mean of `idp` and `idr`. */
  readonly idf1: number;
  /** Share of the found boxes, and of the true ones, under the right number when every number may stand for one person only. */
  readonly idp: number;
  readonly idr: number;
  readonly matched: number;
  readonly missed: number;
  readonly falsePositives: number;
  /** How often a person went on under another number. */
  readonly switches: number;
  /** How often a person was lost and found again. */
  readonly fragmentations: number;
}

/**
 * CLEAR MOT (K. Bernardin and R. Stiefelhagen, "Evaluating multiple object tracking performance: the CLEAR MOT metrics", EURASIP J. Image and
 * Video Processing, 2008) and IDF1 (E. Ristani et al., "Performance measures and a data set for multi-target, multi-camera tracking", ECCV
 * workshops 2016). Boxes agree where their intersection over union is `overlap` or more (default 0.5). As in MOT16, found boxes
 * that lie on ignored ones are left out first. Pure.
 */
export function trackingMetrics(frames: readonly TrackedFrame[], overlap = 0.5): TrackingMetrics {
  numberIn('overlap', overlap, Number.MIN_VALUE, 1);
  /** The number under which each person was found last, and whether it was in the last frame where it was to be seen. */
  const last = new Map<number, { found: number; tracked: boolean }>();
  const together = new Map<number, Map<number, number>>();
  let [boxes, told, matched, missed, falsePositives, switches, fragmentations, overlaps] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (const frame of frames) {
    const { truth, found } = withoutIgnored(frame, overlap);
    boxes += truth.length;
    told += found.length;
    const ious = truth.map((t) => found.map((f) => intersectionOverUnion(t.box, f.box)));
    for (const [i, t] of truth.entries()) {
      for (const [j, f] of found.entries()) {
        if (ious[i]![j]! < overlap) continue;
        const row = together.get(t.id) ?? new Map<number, number>();
        together.set(t.id, row.set(f.id, (row.get(f.id) ?? 0) + 1));
      }
    }
    // Who was found under a number goes on under it while the boxes agree; the others are matched as well as can be.
    const partner = new Int32Array(truth.length).fill(-1);
    const taken = new Set<number>();
    for (const [i, t] of truth.entries()) {
      const j = found.findIndex((f, k) => f.id === last.get(t.id)?.found && ious[i]![k]! >= overlap && !taken.has(k));
      if (j < 0) continue;
      partner[i] = j;
      taken.add(j);
    }
    const cost = new Float64Array(truth.length * found.length).fill(Infinity);
    for (let i = 0; i < truth.length; i++) {
      for (let j = 0; j < found.length; j++) {
        if (partner[i]! < 0 && !taken.has(j) && ious[i]![j]! >= overlap) cost[i * found.length + j] = 1 - ious[i]![j]!;
      }
    }
    const rest = assign(cost, truth.length, found.length);
    for (const [i, t] of truth.entries()) {
      const j = partner[i]! >= 0 ? partner[i]! : rest[i]!;
      const before = last.get(t.id);
      if (j < 0) {
        missed++;
        if (before !== undefined) before.tracked = false;
        continue;
      }
      const { id } = found[j]!;
      matched++;
      overlaps += ious[i]![j]!;
      if (before !== undefined && before.found !== id) switches++;
      if (before !== undefined && !before.tracked) fragmentations++;
      last.set(t.id, { found: id, tracked: true });
    }
    falsePositives += found.length - (truth.length - unpaired(partner, rest));
  }
  const right = identityMatches(together);
  return {
    frames: frames.length,
    boxes,
    mota: 1 - (missed + falsePositives + switches) / boxes,
    motp: overlaps / matched,
    idf1: (2 * right) / (boxes + told),
    idp: right / told,
    idr: right / boxes,
    matched,
    missed,
    falsePositives,
    switches,
    fragmentations,
  };
}

/** Rows without a partner. */
function unpaired(partner: Int32Array, rest: Int32Array): number {
  let without = 0;
  for (let i = 0; i < partner.length; i++) if (partner[i]! < 0 && rest[i]! < 0) without++;
  return without;
}

function withoutIgnored({ truth, found }: TrackedFrame, overlap: number): TrackedFrame {
  if (!truth.some((t) => t.ignore)) return { truth, found };
  const cost = new Float64Array(truth.length * found.length).fill(Infinity);
  for (const [i, t] of truth.entries()) {
    for (const [j, f] of found.entries()) {
      const iou = intersectionOverUnion(t.box, f.box);
      if (iou >= overlap) cost[i * found.length + j] = 1 - iou;
    }
  }
  const partner = assign(cost, truth.length, found.length);
  const out = new Set(truth.flatMap((t, i) => (t.ignore && partner[i]! >= 0 ? [partner[i]!] : [])));
  return { truth: truth.filter((t) => !t.ignore), found: found.filter((_, j) => !out.has(j)) };
}

/** Boxes under the right number in the best assignment of numbers to persons over the whole time. */
function identityMatches(together: ReadonlyMap<number, ReadonlyMap<number, number>>): number {
  const numbers = [...new Set([...together.values()].flatMap((row) => [...row.keys()]))];
  const rows = [...together.values()];
  const cost = new Float64Array(rows.length * numbers.length);
  for (const [i, row] of rows.entries()) {
    for (const [j, id] of numbers.entries()) cost[i * numbers.length + j] = -(row.get(id) ?? 0);
  }
  let right = 0;
  for (const [i, j] of assign(cost, rows.length, numbers.length, 0).entries()) {
    if (j >= 0) right += rows[i]!.get(numbers[j]!) ?? 0;
  }
  return right;
}
