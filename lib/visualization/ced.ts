/** Cumulative error distributions as a chart: a self-contained SVG, light or dark by the reader's setting. */
import { LineamentError } from '../errors.js';
import { type Markup, markup, formatNumber as n } from './markup.js';

/** One curve. Errors are fractions (0.05: 5 %). */
export interface CedSeries {
  readonly name: string;
  /** Share of the faces (0–1) whose error is at most `error`; both rise. */
  readonly curve: readonly { readonly error: number; readonly share: number }[];
  /** Figures for the legend; what is absent is left out. */
  readonly mean?: number;
  readonly auc?: number;
  readonly failureRate?: number;
}

export interface CedOptions {
  readonly title?: string;
  /** What the errors are divided by, for the axis: 'distance of the outer eye corners'. */
  readonly normaliser?: string;
  /** Error that a line marks, up to which `auc` and `failureRate` are counted. */
  readonly threshold?: number;
  /** Right end of the axis of errors; the largest error of the curves when absent. */
  readonly limit?: number;
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

function sheet(page: string, ink: string, soft: string, line: string, curves: string): string {
  const lines = curves.split(',').map((colour, i) => `.c${i}{stroke:${colour}}`);
  return `.page{fill:${page}}.ink{fill:${ink}}.soft{fill:${soft}}.grid{stroke:${line}}.axis{stroke:${soft}}${lines.join('')}`;
}

const DASHES = ['', '9 4', '3 3', '12 4 3 4', '6 3 2 3 2 3', '2 5'];

/**
 * Draws cumulative error distributions: for each error the share of faces that stay within it. A curve that is higher is better.
 *
 * @param series up to six curves, in the order of the legend
 * @returns a complete `<svg>` element with no external resources; all text escaped
 * @throws LineamentError INVALID_ARGUMENT without a curve or with more than six
 */
export function cedSvg(series: readonly CedSeries[], options: CedOptions = {}): string {
  if (series.length < 1 || series.length > COLOURS) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected 1 to ${COLOURS} curves but received ${series.length}`);
  }
  const { title, threshold, normaliser } = options;
  const furthest = Math.max(...series.flatMap(({ curve }) => curve.map(({ error }) => error)).filter(Number.isFinite));
  const limit = options.limit ?? furthest;
  if (!(limit > 0 && Number.isFinite(limit))) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected a number above 0 for limit but received ${limit}`);
  }
  const top = title === undefined ? 28 : 58;
  const bottom = top + PLOT_HEIGHT;
  const legend = bottom + 70;
  const height = legend + series.length * 24 + 8;
  const plotWidth = WIDTH - LEFT - RIGHT;
  const x = (error: number): number => LEFT + (Math.min(error, limit) / limit) * plotWidth;
  const y = (share: number): number => bottom - share * PLOT_HEIGHT;
  const shares = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (share) =>
      markup`<path class="grid" d="M${LEFT} ${n(y(share))}H${WIDTH - RIGHT}"/><text class="soft" x="${LEFT - 10}" y="${n(y(share) + 4)}" text-anchor="end">${n(share * 100, 0)} %</text>`,
  );
  const errors = ticks(limit).map(
    (error) =>
      markup`<path class="grid" d="M${n(x(error))} ${top}V${bottom}"/><text class="soft" x="${n(x(error))}" y="${bottom + 20}" text-anchor="middle">${n(error * 100, 4)} %</text>`,
  );
  const mark =
    threshold !== undefined &&
    threshold < limit &&
    markup`<path class="axis" d="M${n(x(threshold))} ${top}V${bottom}" stroke-dasharray="4 4"/>`;
  const curves = series.map(
    ({ curve }, i) =>
      markup`<path class="c${i}" d="${pathOf(curve, limit, x, y)}" fill="none" stroke-width="2.2" stroke-linejoin="round"${DASHES[i] ? markup` stroke-dasharray="${DASHES[i]}"` : false}/>`,
  );
  const rows = series.map((one, i) => legendRow(one, i, legend + i * 24, threshold));
  const axis = `error, share of the ${normaliser ?? 'normaliser'}`;
  return markup`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="13" role="img"><title>${title ?? 'Cumulative error distribution'}</title>${STYLE_ELEMENT}<rect class="page" width="100%" height="100%"/>${title !== undefined && markup`<text class="ink" x="${LEFT}" y="34" font-size="17" font-weight="600">${title}</text>`}${shares}${errors}${mark}<path class="axis" d="M${LEFT} ${top}V${bottom}H${WIDTH - RIGHT}" fill="none"/>${curves}<text class="soft" x="${n(LEFT + plotWidth / 2)}" y="${bottom + 44}" text-anchor="middle">${axis}</text>${rows}</svg>`.toString();
}

const STYLE_ELEMENT = styleElement();

/** The style sheet holds no text of anybody's, so it may stand unescaped. */
function styleElement(): Markup {
  const parts = Object.assign([`<style>${STYLE}</style>`], { raw: [] });
  return markup(parts);
}

function legendRow({ name, mean, auc, failureRate }: CedSeries, i: number, y: number, threshold?: number): Markup {
  const at = threshold === undefined ? '' : ` at ${n(threshold * 100, 4)} %`;
  const facts = [
    mean !== undefined && `mean ${(mean * 100).toFixed(2)} %`,
    auc !== undefined && `area ${auc.toFixed(3)}`,
    failureRate !== undefined && `failures${at} ${(failureRate * 100).toFixed(1)} %`,
  ].filter((fact) => fact !== false);
  const shown = [...name].length > 46 ? `…${[...name].slice(-45).join('')}` : name;
  return markup`<path class="c${i}" d="M${LEFT} ${y - 4}h30" stroke-width="2.6"${DASHES[i] ? markup` stroke-dasharray="${DASHES[i]}"` : false}/><text class="ink" x="${LEFT + 40}" y="${y}">${shown}</text><text class="soft" x="${WIDTH - RIGHT}" y="${y}" text-anchor="end">${facts.join(' · ')}</text>`;
}

function pathOf(
  curve: CedSeries['curve'],
  limit: number,
  x: (error: number) => number,
  y: (share: number) => number,
): string {
  let path = '';
  for (const { error, share } of curve) {
    if (error > limit) break;
    path += `${path === '' ? 'M' : 'L'}${n(x(error))} ${n(y(Math.max(0, Math.min(1, share))))}`;
  }
  return path;
}

/** Four to eight round numbers from 0 to `limit`. */
function ticks(limit: number): number[] {
  const raw = limit / 8;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw * (1 - 1e-9)) ?? 10) * power;
  return Array.from({ length: Math.floor(limit / step + 1e-9) + 1 }, (_, i) => i * step);
}
