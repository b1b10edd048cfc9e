/** Cumulative error distributions as a chart. */
import { LineamentError } from '../errors.js';
import { chartSvg } from './chart.js';
import { formatNumber as n } from './markup.js';

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

/**
 * Draws cumulative error distributions: for each error the share of faces that stay within it. A curve that is higher is better.
 *
 * @param series up to six curves, in the order of the legend
 * @returns a complete `<svg>` element with no external resources; all text escaped
 * @throws LineamentError INVALID_ARGUMENT without a curve or with more than six
 */
export function cedSvg(series: readonly CedSeries[], options: CedOptions = {}): string {
  const { title, threshold, normaliser } = options;
  const furthest = Math.max(...series.flatMap(({ curve }) => curve.map(({ error }) => error)).filter(Number.isFinite));
  const limit = options.limit ?? furthest;
  if (series.length > 0 && !(limit > 0 && Number.isFinite(limit))) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected a number above 0 for limit but received ${limit}`);
  }
  return chartSvg({
    title: title ?? 'Cumulative error distribution',
    heading: title !== undefined,
    xTicks: ticks(limit).map((error) => ({ at: error / limit, text: `${n(error * 100, 4)} %` })),
    yTicks: [0, 0.2, 0.4, 0.6, 0.8, 1].map((share) => ({ at: share, text: `${n(share * 100, 0)} %` })),
    xLabel: `error, share of the ${normaliser ?? 'normaliser'}`,
    ...(threshold !== undefined && threshold < limit && { mark: threshold / limit }),
    curves: series.map((one) => ({
      name: one.name,
      facts: factsOf(one, threshold),
      points: one.curve
        .filter(({ error }) => error <= limit)
        .map(({ error, share }) => [error / limit, Math.max(0, Math.min(1, share))] as const),
    })),
  });
}

function factsOf({ mean, auc, failureRate }: CedSeries, threshold: number | undefined): string {
  const at = threshold === undefined ? '' : ` at ${n(threshold * 100, 4)} %`;
  const facts = [
    mean !== undefined && `mean ${(mean * 100).toFixed(2)} %`,
    auc !== undefined && `area ${auc.toFixed(3)}`,
    failureRate !== undefined && `failures${at} ${(failureRate * 100).toFixed(1)} %`,
  ];
  return facts.filter((fact) => fact !== false).join(' · ');
}

/** Four to eight round numbers from 0 to `limit`. */
function ticks(limit: number): number[] {
  const raw = limit / 8;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = ([1, 2, 5, 10].find((m) => m * power >= raw * (1 - 1e-9)) ?? 10) * power;
  return Array.from({ length: Math.floor(limit / step + 1e-9) + 1 }, (_, i) => i * step);
}
