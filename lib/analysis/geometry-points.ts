import { MIRROR } from '../landmarks/mirror.js';
import type { Point } from '../types.js';

/** A point of the face that anthropometry names, found from the 68 landmarks. */
export interface ReferencePoint {
  /** Anthropometry's symbol; those in pairs have `.left` and `.right`, which are the picture's sides. */
  readonly symbol: string;
  readonly name: string;
  /** In pairs, one on each half of the face. */
  readonly paired: boolean;
  /** Landmarks whose mean it is, counted from 0; of a pair, those of the picture's left. */
  readonly landmarks: readonly number[];
  /** The landmark is annotated at that very point of the outline; otherwise it stands near it, as the note says. */
  readonly exact: boolean;
  readonly note: string;
}

/**
 * Reference points after L. G. Farkas (ed.), "Anthropometry of the Head and Face", 2nd ed., Raven Press 1994, as far as the 68
 * points of iBUG 300-W have them. Farkas palpates bone and measures along the skin in three dimensions; landmarks show outlines
 * in a picture. Points that the 68 do not have are left out: trichion and vertex (above the brows), orale, sublabiale, pogonion
 * and the ears.
 */
export const REFERENCE_POINTS = [
  point('g', 'glabella', [21, 22], 'middle between the inner ends of the brows'),
  point('n', 'nasion', [27], 'top of the drawn nose bridge, between the eyes; the bony nasion is a little higher'),
  point('prn', 'pronasale', [30], ''),
  point('sn', 'subnasale', [33], ''),
  point('ls', 'labiale superius', [51], ''),
  point('sto', 'stomion', [62, 66], 'middle of the gap where the mouth is open'),
  point('li', 'labiale inferius', [57], ''),
  point('gn', 'gnathion', [8], 'lowest point of the chin outline; the bony gnathion lies below the skin'),
  pair('ex', 'exocanthion', [36], ''),
  pair('en', 'endocanthion', [39], ''),
  pair('ps', 'palpebrale superius', [37, 38], 'middle of the two points of the upper lid'),
  pair('pi', 'palpebrale inferius', [40, 41], 'middle of the two points of the lower lid'),
  pair('p', 'pupil', [36, 37, 38, 39, 40, 41], 'middle of the eye outline, wherever the eye looks'),
  pair('sci', 'superciliare', [19], 'middle point of the brow line'),
  pair('bm', 'inner end of the brow', [21], 'not named by Farkas', true),
  pair('bl', 'outer end of the brow', [17], 'not named by Farkas', true),
  pair('al', 'alare', [31], 'outer point of the nostril base; the widest point of the wing lies further out'),
  pair('ch', 'cheilion', [48], ''),
  pair('cph', 'crista philtri', [50], ''),
  pair('zy', 'zygion', [1], 'face outline below the eye; the bony zygion is palpated'),
  pair('t', 'tragion', [0], 'face outline at the height of the eyes; the ear is not drawn'),
  pair('go', 'gonion', [4], 'face outline at the height of the mouth; the bony angle of the jaw is palpated'),
] as const;

type Entry = (typeof REFERENCE_POINTS)[number];
type PairSymbol = Extract<Entry, { paired: true }>['symbol'];

/** A reference point by its symbol; points in pairs with the side of the picture. */
export type ReferencePointId = Exclude<Entry['symbol'], PairSymbol> | `${PairSymbol}.left` | `${PairSymbol}.right`;

function point<const S extends string>(
  symbol: S,
  name: string,
  landmarks: readonly number[],
  note: string,
  exact = note === '',
) {
  return { symbol, name, paired: false, landmarks, exact, note } as const satisfies ReferencePoint;
}

function pair<const S extends string>(
  symbol: S,
  name: string,
  landmarks: readonly number[],
  note: string,
  exact = note === '',
) {
  return { symbol, name, paired: true, landmarks, exact, note } as const satisfies ReferencePoint;
}

const LANDMARKS_OF: ReadonlyMap<string, readonly number[]> = new Map(
  REFERENCE_POINTS.flatMap(({ symbol, paired, landmarks }): [string, readonly number[]][] =>
    paired
      ? [
          [`${symbol}.left`, landmarks],
          [`${symbol}.right`, landmarks.map((i) => MIRROR[i]!)],
        ]
      : [[symbol, landmarks]],
  ),
);

/** All ids, pairs spelt out. */
export const REFERENCE_POINT_IDS = [...LANDMARKS_OF.keys()] as readonly ReferencePointId[];

/** The reference point in the frame of the 68 points. Pure function. */
export function referencePoint(landmarks: readonly Point[], id: ReferencePointId): Point {
  const from = LANDMARKS_OF.get(id)!;
  let x = 0;
  let y = 0;
  for (const i of from) {
    x += landmarks[i]![0];
    y += landmarks[i]![1];
  }
  return [x / from.length, y / from.length];
}

/** Lines of the face through the landmarks; of a pair, the picture's left one. */
export const CONTOURS = {
  'face oval': { landmarks: [...range(0, 17), ...range(17, 27).reverse()], closed: true, paired: false },
  jaw: { landmarks: range(0, 17), closed: false, paired: false },
  'half jaw': { landmarks: range(0, 9), closed: false, paired: true },
  brow: { landmarks: range(17, 22), closed: false, paired: true },
  'nose bridge': { landmarks: range(27, 31), closed: false, paired: false },
  'nose base': { landmarks: range(31, 36), closed: false, paired: false },
  eye: { landmarks: range(36, 42), closed: true, paired: true },
  'outer lips': { landmarks: range(48, 60), closed: true, paired: false },
  'inner lips': { landmarks: range(60, 68), closed: true, paired: false },
} as const satisfies Record<string, { landmarks: readonly number[]; closed: boolean; paired: boolean }>;

export type ContourName = keyof typeof CONTOURS;

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}
