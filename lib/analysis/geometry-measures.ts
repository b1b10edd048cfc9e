import type { ContourName, ReferencePointId } from './geometry-points.js';

type Ends = readonly [ReferencePointId, ReferencePointId];

/** How a measure is made of reference points or of a contour. Of a pair, what is said is that of the picture's left half. */
export type MeasureDefinition =
  /** From one point to the other, over ex.left–ex.right. */
  | { readonly kind: 'distance'; readonly of: Ends }
  /** 100 times one distance over another: what anthropometry calls an index. */
  | { readonly kind: 'index'; readonly of: Ends; readonly over: Ends }
  /** At the middle of three points, 0–180. */
  | { readonly kind: 'angle'; readonly of: readonly [ReferencePointId, ReferencePointId, ReferencePointId] }
  /** Of the line from the first (inner) to the second (outer) point against ex–ex; positive where the outer end is higher. */
  | { readonly kind: 'inclination'; readonly of: Ends }
  | { readonly kind: 'length' | 'area' | 'turning' | 'curvature'; readonly contour: ContourName };

/** One measure of the face. */
export interface GeometryMeasure {
  /** Stable. Measures in pairs come as `ID.left` and `ID.right`. */
  readonly id: string;
  readonly name: string;
  readonly paired: boolean;
  readonly definition: MeasureDefinition;
  /** What it says. */
  readonly meaning: string;
  /** Who defined it; "own" where nobody else is followed. */
  readonly source: string;
}

/** Units by kind of measure. */
export const UNITS = {
  distance: 'ex–ex',
  index: '%',
  angle: '°',
  inclination: '°',
  length: 'ex–ex',
  area: '(ex–ex)²',
  turning: '°',
  curvature: '1 / ex–ex',
} as const satisfies Record<MeasureDefinition['kind'], string>;

const FARKAS = 'Farkas 1994';
const MUNRO = 'Farkas & Munro 1987';
const OWN = 'own';

function one<const I extends string>(
  id: I,
  name: string,
  definition: MeasureDefinition,
  meaning: string,
  source: string,
) {
  return { id, name, paired: false, definition, meaning, source } as const satisfies GeometryMeasure;
}

function two<const I extends string>(
  id: I,
  name: string,
  definition: MeasureDefinition,
  meaning: string,
  source: string,
) {
  return { id, name, paired: true, definition, meaning, source } as const satisfies GeometryMeasure;
}

const apart = (a: ReferencePointId, b: ReferencePointId): MeasureDefinition => ({ kind: 'distance', of: [a, b] });
const index = (of: Ends, over: Ends): MeasureDefinition => ({ kind: 'index', of, over });
const angle = (a: ReferencePointId, at: ReferencePointId, b: ReferencePointId): MeasureDefinition => ({
  kind: 'angle',
  of: [a, at, b],
});
const inclined = (inner: ReferencePointId, outer: ReferencePointId): MeasureDefinition => ({
  kind: 'inclination',
  of: [inner, outer],
});
const line = (kind: 'length' | 'area' | 'turning' | 'curvature', contour: ContourName): MeasureDefinition => ({
  kind,
  contour,
});

const EX: Ends = ['ex.left', 'ex.right'];
const ZY: Ends = ['zy.left', 'zy.right'];
const GO: Ends = ['go.left', 'go.right'];
const CH: Ends = ['ch.left', 'ch.right'];
const EN: Ends = ['en.left', 'en.right'];
const AL: Ends = ['al.left', 'al.right'];
const N_GN: Ends = ['n', 'gn'];
const N_SN: Ends = ['n', 'sn'];

/** Every measure that `measureGeometry` takes; the table in MEASURES.md is written from this. */
export const GEOMETRY_MEASURES = [
  one('face-width', 'face width', apart(...ZY), 'greatest breadth of the face', FARKAS),
  one('mandible-width', 'mandible width', apart(...GO), 'breadth of the lower jaw', FARKAS),
  one('face-height', 'morphological face height', apart(...N_GN), 'from the root of the nose to the chin', FARKAS),
  one('upper-face-height', 'upper face height', apart('n', 'sto'), 'from the root of the nose to the lips', FARKAS),
  one('lower-face-height', 'lower face height', apart('sn', 'gn'), 'from below the nose to the chin', FARKAS),
  one('mandible-height', 'mandible height', apart('sto', 'gn'), 'from the lips to the chin', FARKAS),
  one('middle-face-height', 'middle face height', apart('g', 'sn'), 'from between the brows to below the nose', FARKAS),
  one('intercanthal-width', 'intercanthal width', apart(...EN), 'between the inner corners of the eyes', FARKAS),
  one('interpupillary-distance', 'interpupillary distance', apart('p.left', 'p.right'), 'between the eyes', FARKAS),
  two(
    'eye-fissure-length',
    'eye fissure length',
    apart('ex.left', 'en.left'),
    'from corner to corner of an eye',
    FARKAS,
  ),
  two('eye-fissure-height', 'eye fissure height', apart('ps.left', 'pi.left'), 'how far an eye is open', FARKAS),
  two('brow-height', 'brow height', apart('p.left', 'sci.left'), 'from the eye up to the brow', FARKAS),
  two('brow-length', 'brow length', apart('bm.left', 'bl.left'), 'from end to end of a brow', OWN),
  one('brow-gap', 'distance of the brows', apart('bm.left', 'bm.right'), 'between the inner ends of the brows', OWN),
  one('nose-width', 'nose width', apart(...AL), 'breadth at the nostrils', FARKAS),
  one('nose-height', 'nose height', apart(...N_SN), 'from the root of the nose to below it', FARKAS),
  one('nose-bridge-length', 'nasal bridge length', apart('n', 'prn'), 'from the root to the tip of the nose', FARKAS),
  one('mouth-width', 'mouth width', apart(...CH), 'from corner to corner of the mouth', FARKAS),
  one('philtrum-width', 'philtrum width', apart('cph.left', 'cph.right'), "between the peaks of the lip's bow", FARKAS),
  one('upper-lip-height', 'upper lip height', apart('sn', 'sto'), 'from below the nose to the lips', FARKAS),
  one('philtrum-length', 'cutaneous upper lip height', apart('sn', 'ls'), 'skin between nose and upper lip', FARKAS),
  one('upper-vermilion-height', 'upper vermilion height', apart('ls', 'sto'), 'red of the upper lip', FARKAS),
  one('lower-vermilion-height', 'lower vermilion height', apart('sto', 'li'), 'red of the lower lip', FARKAS),
  two('labial-fissure-half', 'labial fissure, half', apart('ch.left', 'sto'), 'from a corner to the middle', FARKAS),
  two('orbito-tragial-depth', 'orbito-tragial depth', apart('ex.left', 't.left'), 'from an eye to the outline', FARKAS),
  two('maxillary-depth', 'maxillary depth', apart('sn', 't.left'), 'from below the nose to the outline', FARKAS),
  two('mandibular-depth', 'mandibular depth', apart('gn', 't.left'), 'from the chin up to the outline', FARKAS),
  two('mandible-body-length', 'mandible body length', apart('gn', 'go.left'), 'from the chin along the jaw', FARKAS),

  one('facial-index', 'facial index', index(N_GN, ZY), 'long faces have much', MUNRO),
  one('upper-face-index', 'upper face index', index(['n', 'sto'], ZY), 'long midfaces have much', MUNRO),
  one('mandibular-index', 'mandibular index', index(['sto', 'gn'], GO), 'high chins have much', MUNRO),
  one('mandible-face-width', 'mandible–face width index', index(GO, ZY), 'square jaws have much', MUNRO),
  one('lower-face-share', 'lower face–face height index', index(['sn', 'gn'], N_GN), 'share below the nose', MUNRO),
  one('mandible-face-height', 'mandible–face height index', index(['sto', 'gn'], N_GN), 'share below the lips', MUNRO),
  one('intercanthal-index', 'intercanthal index', index(EN, EX), 'eyes wide apart have much', MUNRO),
  one('intercanthal-face-width', 'intercanthal–face width', index(EN, ZY), 'one fifth in the classical canon', MUNRO),
  one('eye-face-width', 'biocular–face width', index(EX, ZY), 'wide-set outer corners have much', MUNRO),
  two(
    'eye-fissure-index',
    'eye fissure index',
    index(['ps.left', 'pi.left'], ['ex.left', 'en.left']),
    'round eyes have much',
    MUNRO,
  ),
  two('orbital-width-index', 'orbital width index', index(['ex.left', 'en.left'], EN), 'wide eyes have much', MUNRO),
  one('nasal-index', 'nasal index', index(AL, N_SN), 'broad noses have much', MUNRO),
  one('nose-face-width', 'nose–face width index', index(AL, ZY), 'one quarter in the classical canon', MUNRO),
  one('nose-face-height', 'nose–face height index', index(N_SN, N_GN), 'long noses have much', MUNRO),
  one('intercanthal-nasal-width', 'intercanthal–nasal width', index(EN, AL), '100 in the classical canon', MUNRO),
  one('mouth-face-width', 'mouth–face width index', index(CH, ZY), 'wide mouths have much', MUNRO),
  one('nose-mouth-width', 'nose–mouth width index', index(AL, CH), 'two thirds in the classical canon', MUNRO),
  one('intercanthal-mouth-width', 'intercanthal–mouth width', index(EN, CH), 'small mouths have much', MUNRO),
  one('upper-lip-mouth-width', 'upper lip height–mouth width', index(['sn', 'sto'], CH), 'long upper lips', MUNRO),
  one('skin-upper-lip', 'skin portion of the upper lip', index(['sn', 'ls'], ['sn', 'sto']), 'thin red lips', MUNRO),
  one('vermilion-index', 'vermilion height index', index(['ls', 'sto'], ['sto', 'li']), 'upper to lower lip', MUNRO),

  two('eye-inclination', 'inclination of the eye fissure', inclined('en.left', 'ex.left'), 'canthal tilt', FARKAS),
  two('brow-inclination', 'inclination of the brow', inclined('bm.left', 'bl.left'), 'outer end above the inner', OWN),
  two('mouth-inclination', 'inclination of the labial fissure', inclined('sto', 'ch.left'), 'raised corner', FARKAS),
  two('gonial-angle', 'angle of the jaw outline', angle('t.left', 'go.left', 'gn'), 'sharp jaws have little', OWN),
  one('chin-angle', 'angle at the chin', angle('go.left', 'gn', 'go.right'), 'pointed chins have little', OWN),
  one('midface-angle', 'angle of the midface', angle('ex.left', 'sn', 'ex.right'), 'long midfaces have little', OWN),
  one('nasal-angle', 'angle at the root of the nose', angle('al.left', 'n', 'al.right'), 'breadth of the nose', OWN),
  one('lip-bow-angle', "angle of the lip's bow", angle('cph.left', 'ls', 'cph.right'), '180 is a straight lip', OWN),

  one('oval-length', 'length of the face oval', line('length', 'face oval'), 'jaw and brows', OWN),
  one('oval-area', 'area of the face oval', line('area', 'face oval'), 'jaw and brows', OWN),
  one('jaw-length', 'length of the jaw line', line('length', 'jaw'), 'from side to side', OWN),
  one('jaw-turning', 'turning of the jaw line', line('turning', 'jaw'), 'how far round the outline goes', OWN),
  one('jaw-curvature', 'mean curvature of the jaw line', line('curvature', 'jaw'), 'turning over length', OWN),
  two('half-jaw-length', 'length of half the jaw line', line('length', 'half jaw'), 'from the chin to the side', OWN),
  two('brow-line-length', 'length of the brow line', line('length', 'brow'), 'along the brow', OWN),
  two('brow-turning', 'turning of the brow line', line('turning', 'brow'), 'arched brows have much', OWN),
  two('brow-curvature', 'mean curvature of the brow line', line('curvature', 'brow'), 'turning over length', OWN),
  one('nose-bridge-line', 'length of the nose bridge', line('length', 'nose bridge'), 'along the bridge', OWN),
  one('nose-base-length', 'length of the nose base', line('length', 'nose base'), 'along the nostrils', OWN),
  two('eye-perimeter', 'length of the eye outline', line('length', 'eye'), 'along the lids', OWN),
  two('eye-area', 'area of the eye', line('area', 'eye'), 'inside the lids', OWN),
  one('lips-perimeter', 'length of the lip outline', line('length', 'outer lips'), 'around the red', OWN),
  one('lips-area', 'area of the lips and the mouth', line('area', 'outer lips'), 'inside the outer outline', OWN),
  one('mouth-opening-area', 'area of the open mouth', line('area', 'inner lips'), '0 for a closed mouth', OWN),
] as const;

type Entry = (typeof GEOMETRY_MEASURES)[number];
type PairedId = Extract<Entry, { paired: true }>['id'];

/** A measure by its id; of pairs with the side of the picture. */
export type GeometryMeasureId = Exclude<Entry['id'], PairedId> | `${PairedId}.left` | `${PairedId}.right`;
