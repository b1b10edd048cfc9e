/** Curves over two axes: a self-contained SVG, light or dark by the reader's setting. */
import { LineamentError } from '../errors.js';
import { type Markup, markup, formatNumber as n } from './markup.js';

/** One curve, in shares of the plot from its lower left corner (0–1); and how it is told apart in the legend. */
export interface ChartCurve {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** What stands at the right of its row. */
  readonly facts: string;
  /** Area behind the curve: an interval, up one side and back on the other. */
  readonly band?: readonly (readonly [x: number, y: number])[];
}

/** A line across the plot at a share of its width or height, with its text. */
export interface ChartTick {
  readonly at: number;
  readonly text: string;
}

export interface Chart {
  /** Read by screen readers; shown above the plot where `heading` is set. */
  readonly title: string;
  readonly heading?: boolean;
  readonly xTicks: readonly ChartTick[];
  readonly yTicks: readonly ChartTick[];
  readonly xLabel: string;
  readonly yLabel?: string;
  /** A dashed vertical line. */
  readonly mark?: number;
  /** One to six. */
  readonly curves: readonly ChartCurve[];
}

const WIDTH = 760;
const LEFT = 64;
const RIGHT = 24;
const PLOT_HEIGHT = 340;
const COLOURS = 6;

/** Colours that stay apart for colour-blind readers (the order matters), for light and for dark pages; no CSS variables, which few renderers know. */
const LIGHT = sheet('#fff', '#0f172a', '#5b6678', '#e3e7ef', '#0d9488,#b45309,#4f46e5,#be123c,#475569,#a21caf');
const DARK = sheet('#131a2c', '#e6eaf3', '#96a2b8', '#2b3550', '#2dd4bf,#fbbf24,#a5b4fc,#fb7185,#cbd5e1,#e879f9');
const STYLE = `${LIGHT}@media (prefers-color-scheme:dark){${DARK}}`;
const DASHES = ['', '9 4', '3 3', '12 4 3 4', '6 3 2 3 2 3', '2 5'];

function sheet(page: string, ink: string, soft: string, line: string, curves: string): string {
  const lines = curves.split(',').map((colour, i) => `.c${i}{stroke:${colour}}.b${i}{fill:${colour}}`);
  return `.page{fill:${page}}.ink{fill:${ink}}.soft{fill:${soft}}.grid{stroke:${line}}.axis{stroke:${soft}}${lines.join('')}`;
}

/** The style sheet holds no text of anybody's, so it may stand unescaped. */
function styleElement(): Markup {
  return markup(Object.assign([`<style>${STYLE}</style>`], { raw: [] }));
}

const dashOf = (i: number): Markup | false => (DASHES[i] ? markup` stroke-dasharray="${DASHES[i]}"` : false);

function pathOf(points: ChartCurve['points'], x: (share: number) => number, y: (share: number) => number): string {
  return points.map(([px, py], i) => `${i === 0 ? 'M' : 'L'}${n(x(px))} ${n(y(py))}`).join('');
}

/**
 * Draws a chart: a complete `<svg>` element with no external resources; all text escaped. Throws `INVALID_ARGUMENT` without a
 * curve or with more than six.
 */
export function chartSvg(chart: Chart): string {
  const { curves, title } = chart;
  if (curves.length < 1 || curves.length > COLOURS) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected 1 to ${COLOURS} curves but received ${curves.length}`);
  }
  const top = chart.heading ? 58 : 28;
  const bottom = top + PLOT_HEIGHT;
  const legend = bottom + 70;
  const height = legend + curves.length * 24 + 8;
  const plotWidth = WIDTH - LEFT - RIGHT;
  const x = (share: number): number => LEFT + share * plotWidth;
  const y = (share: number): number => bottom - share * PLOT_HEIGHT;
  const rows = chart.yTicks.map(
    ({ at, text }) =>
      markup`<path class="grid" d="M${LEFT} ${n(y(at))}H${WIDTH - RIGHT}"/><text class="soft" x="${LEFT - 10}" y="${n(y(at) + 4)}" text-anchor="end">${text}</text>`,
  );
  const columns = chart.xTicks.map(
    ({ at, text }) =>
      markup`<path class="grid" d="M${n(x(at))} ${top}V${bottom}"/><text class="soft" x="${n(x(at))}" y="${bottom + 20}" text-anchor="middle">${text}</text>`,
  );
  const mark =
    chart.mark !== undefined &&
    markup`<path class="axis" d="M${n(x(chart.mark))} ${top}V${bottom}" stroke-dasharray="4 4"/>`;
  const bands = curves.map(
    ({ band }, i) =>
      band !== undefined &&
      band.length > 0 &&
      markup`<path class="b${i}" d="${pathOf(band, x, y)}Z" fill-opacity="0.16" stroke="none"/>`,
  );
  const lines = curves.map(
    ({ points }, i) =>
      markup`<path class="c${i}" d="${pathOf(points, x, y)}" fill="none" stroke-width="2.2" stroke-linejoin="round"${dashOf(i)}/>`,
  );
  const heading =
    chart.heading === true &&
    markup`<text class="ink" x="${LEFT}" y="34" font-size="17" font-weight="600">${title}</text>`;
  const yLabel =
    chart.yLabel !== undefined &&
    markup`<text class="soft" transform="rotate(-90)" x="${n(-(top + bottom) / 2)}" y="14" text-anchor="middle">${chart.yLabel}</text>`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" role="img"><title>${title}</title>${styleElement()}<rect class="page" width="100%" height="100%"/>${heading}${rows}${columns}${mark}<path class="axis" d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}" fill="none"/>${bands}${lines}${yLabel}<text class="soft" x="${n(LEFT + plotWidth / 2)}" y="${bottom + 44}" text-anchor="middle">${chart.xLabel}</text>${curves.map((curve, i) => legendRow(curve, i, legend + i * 24))}</svg>`.toString();
}

function legendRow({ name, facts }: ChartCurve, i: number, y: number): Markup {
  const shown = [...name].length > 46 ? `…${[...name].slice(-45).join('')}` : name;
  return markup`<path class="c${i}" d="M${LEFT} ${y - 4}h30" stroke-width="2.6"${dashOf(i)}/><text class="ink" x="${LEFT + 40}" y="${y}">${shown}</text><text class="soft" x="${WIDTH - RIGHT}" y="${y}" text-anchor="end">${facts}</text>`;
}
