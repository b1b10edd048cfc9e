import { GEOMETRY_MEASURES, type GeometryMeasure, type MeasureDefinition, UNITS } from './geometry-measures.js';
import { CONTOURS, REFERENCE_POINTS, type ReferencePoint } from './geometry-points.js';

/** What is measured, in words: of a pair, of the picture's left half. */
export function describeDefinition(definition: MeasureDefinition): string {
  switch (definition.kind) {
    case 'distance':
      return `distance ${definition.of.join(' – ')}`;
    case 'index':
      return `100 × (${definition.of.join(' – ')}) / (${definition.over.join(' – ')})`;
    case 'angle':
      return `angle ${definition.of.join(' – ')} at the middle one`;
    case 'inclination':
      return `${definition.of.join(' → ')} above the line ex.right – ex.left`;
    case 'curvature':
      return `turning in radians over length, ${definition.contour}`;
    default:
      return `${definition.kind}, ${definition.contour}`;
  }
}

/** Symbols of the reference points that a measure uses and that are only near to the anatomical points. */
export function approximatePoints(definition: MeasureDefinition): string[] {
  if ('contour' in definition) return [];
  const used = [...definition.of, ...('over' in definition ? definition.over : [])].map((id) => id.split('.')[0]);
  const points: readonly ReferencePoint[] = REFERENCE_POINTS;
  return points.filter(({ symbol, exact }) => !exact && used.includes(symbol)).map(({ symbol }) => symbol);
}

/** The reference points, the contours and every measure of `measureGeometry` as Markdown tables. */
export function geometryTables(): string {
  const points: readonly ReferencePoint[] = REFERENCE_POINTS;
  const measures: readonly GeometryMeasure[] = GEOMETRY_MEASURES;
  return [
    '### Reference points',
    '',
    ...table(
      ['symbol', 'name', 'landmarks', 'stands for the anatomical point'],
      points.map(({ symbol, name, paired, landmarks, exact, note }) => [
        paired ? `\`${symbol}.left\`, \`${symbol}.right\`` : `\`${symbol}\``,
        name,
        `${landmarks.length > 1 ? 'mean of ' : ''}${landmarks.join(', ')}`,
        `${exact ? 'yes' : 'nearly'}${note === '' ? '' : `: ${note}`}`,
      ]),
    ),
    '',
    '### Contours',
    '',
    ...table(
      ['name', 'landmarks', 'closed', 'in pairs'],
      Object.entries(CONTOURS).map(([name, { landmarks, closed, paired }]) => [
        name,
        landmarks.join(', '),
        closed ? 'yes' : 'no',
        paired ? 'yes' : 'no',
      ]),
    ),
    '',
    '### Measures',
    '',
    ...table(
      ['id', 'name', 'definition', 'unit', 'meaning', 'nearly', 'source'],
      measures.map(({ id, name, paired, definition, meaning, source }) => [
        paired ? `\`${id}.left\`, \`.right\`` : `\`${id}\``,
        name,
        describeDefinition(definition),
        UNITS[definition.kind],
        meaning,
        approximatePoints(definition).join(', '),
        source,
      ]),
    ),
    '',
  ].join('\n');
}

/** @internal A Markdown table. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [row(head), row(head.map(() => '---')), ...rows.map(row)];
}
