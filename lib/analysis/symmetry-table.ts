import { table } from './geometry-table.js';
import {
  EVEN_WITHIN,
  type FaceSymmetry,
  HALF_SCORE,
  REGIONS,
  type RegionSymmetry,
  SYMMETRY_REGIONS,
  type SymmetryPair,
} from './symmetry.js';

/** What a number or a word of symmetry says. */
export interface SymmetryMeasure {
  readonly unit: string;
  readonly definition: string;
  readonly meaning: string;
  /** What the mirror image makes of it. */
  readonly mirror: 'same' | 'negated' | 'other side';
}

const SCORE: SymmetryMeasure = {
  unit: '0–100',
  definition: `100 · 2^(−asymmetry / ${HALF_SCORE})`,
  meaning: '100 is its own mirror image',
  mirror: 'same',
};

const side = (definition: string, meaning: string): SymmetryMeasure => ({
  unit: 'left, right, even',
  definition: `${definition}, even within ±${EVEN_WITHIN}`,
  meaning,
  mirror: 'other side',
});

/** Of a region. */
export const REGION_MEASURES = {
  score: SCORE,
  asymmetry: {
    unit: '% of ex–ex',
    definition: "root mean square distance of the region's points from the mirror images of their partners",
    meaning: 'how uneven, whichever way',
    mirror: 'same',
  },
  lateral: {
    unit: '% of ex–ex',
    definition: 'mean over the pairs: distance from the midline, left less right',
    meaning: '> 0: the left half reaches further out',
    mirror: 'negated',
  },
  vertical: {
    unit: '% of ex–ex',
    definition: 'mean over the pairs: height along the midline, left less right',
    meaning: '> 0: the left half is higher',
    mirror: 'negated',
  },
  size: {
    unit: '%',
    definition: 'left less right over their mean; length of the brow, otherwise area of the half',
    meaning: '> 0: the left half is larger',
    mirror: 'negated',
  },
  shift: {
    unit: '% of ex–ex',
    definition: 'mean over the points of the middle: distance from the midline, to the left',
    meaning: '> 0: the middle lies to the left; absent for brows and eyes',
    mirror: 'negated',
  },
  wider: side('sign of lateral', 'which half reaches further out'),
  higher: side('sign of vertical', 'which half is higher'),
  larger: side('sign of size', 'which half is larger'),
} as const satisfies Record<keyof RegionSymmetry, SymmetryMeasure>;

/** Of the whole face. */
export const FACE_MEASURES = {
  score: SCORE,
  asymmetry: { ...REGION_MEASURES.asymmetry, definition: 'the same over all 68 points' },
} as const satisfies Partial<Record<keyof FaceSymmetry, SymmetryMeasure>>;

/** Of a pair of points. */
export const PAIR_MEASURES = {
  distance: {
    unit: '% of ex–ex',
    definition: 'from the one point to the mirror image of the other about the midline',
    meaning: 'how uneven, whichever way',
    mirror: 'same',
  },
  lateral: { ...REGION_MEASURES.lateral, definition: 'distance from the midline, left less right' },
  vertical: { ...REGION_MEASURES.vertical, definition: 'height along the midline, left less right' },
} as const satisfies Record<Exclude<keyof SymmetryPair, 'left' | 'right'>, SymmetryMeasure>;

/** The regions and every measure of `measureSymmetry` as Markdown tables. */
export function symmetryTables(): string {
  const measures = (of: Readonly<Record<string, SymmetryMeasure>>): string[] =>
    table(
      ['name', 'definition', 'unit', 'meaning', 'in the mirror'],
      Object.entries(of).map(([name, { definition, unit, meaning, mirror }]) => [
        `\`${name}\``,
        definition,
        unit,
        meaning,
        mirror,
      ]),
    );
  return [
    '### Regions',
    '',
    ...table(
      ['region', 'landmarks', 'half that is measured for `size`'],
      SYMMETRY_REGIONS.map((name) => [
        `\`${name}\``,
        REGIONS[name].points.join(', '),
        `${REGIONS[name].open ? 'line' : 'area'} ${REGIONS[name].half.join(', ')}`,
      ]),
    ),
    '',
    '### Of the face',
    '',
    ...measures(FACE_MEASURES),
    '',
    '### Of a region',
    '',
    ...measures(REGION_MEASURES),
    '',
    '### Of a pair of points',
    '',
    ...measures(PAIR_MEASURES),
    '',
  ].join('\n');
}
