/** Displacements of a shape against the neutral one: what the intensities of action units are made from. */
import { lipGap, shapeEar } from './ratios.js';
import type { Shape } from './shape.js';
import type { ActionUnitId } from './units.js';

/** Measures of the picture's left and right side. */
export type Pair = readonly [left: number, right: number];
/** Measures before they become intensities; a unit without sides has two equal ones. */
export type Evidence = Record<ActionUnitId, Pair>;

export const clamp = (v: number, low = 0, high = 1): number => Math.min(high, Math.max(low, v));

/**
 * Displacements of a shape against the neutral one, signed, in the unit of the table. `shut` is the share of each eye's opening
 * that is lost, where lids tell it; otherwise the shape's own eyes do.
 */
export function evidenceOf(x: Shape, neutral: Shape, shut?: Pair): Evidence {
  const dx = (...indices: number[]): number => mean(x, neutral, indices, 0);
  const dy = (...indices: number[]): number => mean(x, neutral, indices, 1);
  const noseX = dx(31, 32, 33, 34, 35);
  const noseY = dy(31, 32, 33, 34, 35);
  const eye: Pair = [dy(36, 39), dy(42, 45)];
  const narrowing = (width(neutral, 21, 22) - width(x, 21, 22)) / 2;
  const closure = shut ?? lossOf(x, [shapeEar(neutral, 'left'), shapeEar(neutral, 'right')]);
  const brow: Pair = [dy(19, 20, 21) - eye[0], dy(22, 23, 24) - eye[1]];
  const drawn: Pair = [dy(37, 38) - eye[0], dy(43, 44) - eye[1]];
  // Where lids tell that an eye is shut, what the shape draws there is not seen.
  const seen = pairOf((s) => (shut ? 1 - clamp((shut[s] - 0.4) / 0.4) : 1));
  const upper = pairOf((s) => drawn[s] * seen[s]);
  // An eye that closes takes the lower lid along: what is left of its rise fades with the fall of the upper lid.
  const lower: Pair = [
    (dy(40, 41) - eye[0]) * seen[0] * (1 - clamp(-drawn[0] / 0.4)),
    (dy(46, 47) - eye[1]) * seen[1] * (1 - clamp(-drawn[1] / 0.4)),
  ];
  const middle = dy(51, 57);
  const rise: Pair = [dy(48) - middle, dy(54) - middle];
  const outward: Pair = [noseX - dx(48), dx(54) - noseX];
  const jaw = (noseY - dy(7, 8, 9) + noseY - dy(56, 57, 58)) / 2;
  const puller = pairOf((s) => rise[s] + 0.5 * outward[s] * clamp(rise[s] / 0.15));
  const smile = pairOf((s) => clamp(puller[s] / 0.4));
  const gap = lipGap(x) - lipGap(neutral);
  return {
    AU1: [dy(20, 21) - eye[0], dy(22, 23) - eye[1]],
    AU2: [dy(17, 18) - eye[0], dy(25, 26) - eye[1]],
    AU4: pairOf((s) => Math.max(0, -brow[s]) + Math.max(0, narrowing)),
    AU5: upper,
    AU6: pairOf((s) => lower[s] * smile[s]),
    AU7: pairOf((s) => lower[s] * (1 - smile[s])),
    AU9: pairOf((s) => (s === 0 ? dy(31, 32) : dy(34, 35)) - (eye[0] + eye[1]) / 2),
    AU10: pairOf((s) => (s === 0 ? dy(50, 51) : dy(51, 52)) - noseY - 0.35 * Math.max(0, puller[s])),
    AU12: puller,
    AU15: pairOf((s) => -rise[s]),
    AU17: both(-jaw),
    AU18: pairOf((s) => -outward[s] - 0.25 * Math.max(0, jaw)),
    AU20: pairOf((s) => outward[s] - 1.5 * Math.max(0, rise[s])),
    AU24: both(gap < 0.2 ? thinning(x, neutral) : 0),
    AU25: both(gap),
    AU26: both(jaw),
    AU27: both(jaw - 1.8),
    AU43: closure,
  };
}

const both = (v: number): Pair => [v, v];
const pairOf = (of: (side: 0 | 1) => number): Pair => [of(0), of(1)];

function mean(x: Shape, neutral: Shape, indices: readonly number[], axis: 0 | 1): number {
  let sum = 0;
  for (const i of indices) sum += x[2 * i + axis]! - neutral[2 * i + axis]!;
  return sum / indices.length;
}

const width = (s: Shape, a: number, b: number): number =>
  Math.hypot(s[2 * a]! - s[2 * b]!, s[2 * a + 1]! - s[2 * b + 1]!);

/** Share of each eye's opening that is lost, against the aspect ratios that the eyes have when open. */
export function lossOf(x: Shape, open: Pair): Pair {
  return [1 - shapeEar(x, 'left') / Math.max(1e-6, open[0]), 1 - shapeEar(x, 'right') / Math.max(1e-6, open[1])];
}

/** Share of the lips' thickness that is gone, less what stretching them takes. */
function thinning(x: Shape, neutral: Shape): number {
  const thickness = (s: Shape): number =>
    width(s, 50, 61) + width(s, 51, 62) + width(s, 52, 63) + width(s, 58, 67) + width(s, 57, 66) + width(s, 56, 65);
  const stretch = clamp(width(neutral, 48, 54) / Math.max(1e-6, width(x, 48, 54)), 0.7, 1);
  return 1 - thickness(x) / Math.max(1e-6, thickness(neutral) * stretch);
}
