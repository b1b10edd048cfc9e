import { describe, expect, it } from 'vitest';
import {
  ACTION_UNIT_INFO,
  ACTION_UNITS,
  EXPRESSION_PROTOTYPES,
  UNITS_NOT_MEASURED,
} from '../../../lib/analysis/expression/index.js';
import { measureGeometry } from '../../../lib/analysis/geometry.js';
import { GEOMETRY_MEASURES, type GeometryMeasure, UNITS } from '../../../lib/analysis/geometry-measures.js';
import { CONTOURS, REFERENCE_POINT_IDS, REFERENCE_POINTS } from '../../../lib/analysis/geometry-points.js';
import { approximatePoints, geometryTables, table } from '../../../lib/analysis/geometry-table.js';
import { QUALITY_COMPONENTS, QUALITY_NAMES } from '../../../lib/analysis/quality/index.js';
import { measureSymmetry } from '../../../lib/analysis/symmetry.js';
import { PAIR_MEASURES, REGION_MEASURES, symmetryTables } from '../../../lib/analysis/symmetry-table.js';
import { random } from '../../support/random.js';
import { randomFace } from './geometry-faces.js';

const measures: readonly GeometryMeasure[] = GEOMETRY_MEASURES;

const qualityTable = (): string =>
  table(
    ['component', 'unit', 'meaning', 'importance: recognition', 'portrait'],
    QUALITY_NAMES.map((name) => {
      const { unit, meaning, importance } = QUALITY_COMPONENTS[name];
      return [`\`${name}\``, unit, meaning, `${importance.recognition}`, `${importance.portrait}`];
    }),
  ).join('\n');

const unitTable = (): string =>
  table(
    [
      'unit',
      'name',
      'measure',
      'reliability',
      'sides',
      'intensity 5 at',
      'counted from',
      'from, against the mean face',
    ],
    ACTION_UNITS.map((unit) => {
      const { name, measure, reliability, sided, full, floor, populationFloor } = ACTION_UNIT_INFO[unit];
      return [unit, name, measure, reliability, sided ? 'yes' : 'no', `${full}`, `${floor}`, `${populationFloor}`];
    }),
  ).join('\n');

const prototypeTable = (): string =>
  table(
    ['expression', 'units and weights', 'units against it'],
    Object.entries(EXPRESSION_PROTOTYPES).map(([label, { units, not }]) => [
      label,
      Object.entries(units)
        .map(([unit, weight]) => `${unit} ${weight}`)
        .join(', '),
      not.join(', '),
    ]),
  ).join('\n');

const notMeasured = (): string =>
  Object.entries(UNITS_NOT_MEASURED)
    .map(([unit, why]) => `- ${unit}: ${why}`)
    .join('\n');

const PAGE = `# Measures

Written by \`npx vitest run tests/unit/analysis/geometry-table.test.ts --update\` from the definitions that the code measures by; the same
test fails when this page says something else.

Landmarks are counted from 0 in the order of iBUG 300-W. Left and right are those of the picture. Geometry and symmetry do not depend
on where the face is in the picture, how large it is or how it is tilted; with \`correctPose\`, the default, the turn of the head is
taken out first. ex–ex is the distance of the outer corners of the eyes.

## Geometry

\`measureGeometry\`. Farkas 1994: L. G. Farkas (ed.), "Anthropometry of the Head and Face", 2nd ed., Raven Press. Farkas & Munro 1987: L.
G. Farkas & I. R. Munro (eds.), "Anthropometric Facial Proportions in Medicine", Charles C Thomas. Both measure living heads with
callipers; here are projections in a picture between landmarks, some of which are only near to the anatomical points (column
"nearly"): compare pictures with pictures, not with published norms.

${geometryTables()}
## Symmetry

\`measureSymmetry\`. The midline is the axis of the reflection that carries the landmarks best onto their partners.

${symmetryTables()}
## Quality

\`measureQuality\`, \`assessQuality\`. Names are those of ISO/IEC 29794-5; no conformance is claimed. Importance is how far the component alone
can pull the unified score down, 0 to 1. Pixels are those of the picture.

${qualityTable()}

## Action units

\`measureActionUnits\`. The face is turned to the front first; measures are relative to the person's own neutral face, or the mean one,
against which small movements are not counted. Lengths are centimetres of a mean head; AU24 and AU43 are shares. With \`lids\` (the
engine looks for them) AU43 is measured on these: open is an eye aspect ratio of 0.28, or the person's own.

${unitTable()}

Not measured, because 68 points cannot tell:

${notMeasured()}

Units that belong to an expression, after EMFACS-7 (P. Ekman & W. V. Friesen, 1983), with weights of our own:

${prototypeTable()}
`;

describe('MEASURES.md', () => {
  it('is what the definitions say', async () => {
    await expect(PAGE).toMatchFileSnapshot('../../../lib/analysis/MEASURES.md');
  });

  it('has a row for every measure, point and line, each with its unit, meaning and source', () => {
    for (const { id, paired, name, meaning, source, definition } of measures) {
      const row = PAGE.split('\n').find((line) => line.startsWith(paired ? `| \`${id}.left\`` : `| \`${id}\``));
      expect(row, id).toBeDefined();
      for (const text of [name, meaning, source, UNITS[definition.kind]]) expect(row).toContain(text);
      expect([name, meaning, source].every((text) => text.length > 0)).toBe(true);
    }
    for (const { symbol, exact, note } of REFERENCE_POINTS) {
      expect(PAGE).toContain(`| \`${symbol}`);
      expect(exact || note.length > 0).toBe(true);
    }
    for (const name of Object.keys(CONTOURS)) expect(PAGE).toContain(`| ${name} |`);
  });

  it('names only points and lines that exist, and tells which are approximate', () => {
    const known: readonly string[] = REFERENCE_POINT_IDS;
    for (const { definition } of measures) {
      if ('contour' in definition) expect(Object.keys(CONTOURS)).toContain(definition.contour);
      else {
        const ids = [...definition.of, ...('over' in definition ? definition.over : [])];
        expect(ids.every((id) => known.includes(id))).toBe(true);
      }
    }
    expect(approximatePoints({ kind: 'index', of: ['en.left', 'n'], over: ['zy.left', 'zy.right'] })).toEqual([
      'n',
      'zy',
    ]);
    expect(approximatePoints({ kind: 'distance', of: ['ch.left', 'ch.right'] })).toEqual([]);
  });

  it('describes what is measured: the same names, and the mirror as the page says', () => {
    const face = randomFace(random(1));
    const geometry = measureGeometry(face)!;
    const described = measures.flatMap(({ id, paired }) => (paired ? [`${id}.left`, `${id}.right`] : [id]));
    expect(Object.keys(geometry.measures).sort()).toEqual(described.sort());
    const symmetry = measureSymmetry(face)!;
    expect(Object.keys(symmetry.regions.mouth).sort()).toEqual(Object.keys(REGION_MEASURES).sort());
    expect(Object.keys(symmetry.pairs[0]!).sort()).toEqual([...Object.keys(PAIR_MEASURES), 'left', 'right'].sort());
  });
});
