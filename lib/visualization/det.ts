/** Detection error trade-off: false matches against false non-matches, as a chart. */
import { LineamentError } from '../errors.js';
import { chartSvg } from './chart.js';

/** What was measured at one threshold; shares (0.01: 1 %). */
export interface DetPoint {
  readonly fmr: number;
  readonly fnmr: number;
  /** 95 % interval of `fnmr`. */
  readonly fnmr95?: readonly [number, number];
}

export interface DetSeries {
  readonly name: string;
  readonly points: readonly DetPoint[];
  /** Stands at the right of the legend. */
  readonly facts?: string;
}

const LEAST = 1e-6;
const MOST = 0.6;
const TICKS = [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6];

/**
 * The normal deviate of a share (P. Acklam's rational approximation, relative error below 1.2e-9): scores that are normally
 * distributed make straight lines over it.
 */
function probit(share: number): number {
  const p = Math.min(1 - LEAST, Math.max(LEAST, share));
  const poly = (c: readonly number[], v: number): number => c.reduce((sum, k) => sum * v + k, 0);
  const tail = (q: number): number =>
    poly(
      [
        -7.784894002430293e-3, -3.223964580411365e-1, -2.400758277161838, -2.549732539343734, 4.374664141464968,
        2.938163982698783,
      ],
      q,
    ) / poly([7.784695709041462e-3, 3.224671290700398e-1, 2.445134137142996, 3.754408661907416, 1], q);
  if (p < 0.02425) return tail(Math.sqrt(-2 * Math.log(p)));
  if (p > 1 - 0.02425) return -tail(Math.sqrt(-2 * Math.log(1 - p)));
  const q = p - 0.5;
  const r = q * q;
  return (
    (poly(
      [
        -3.969683028665376e1, 2.209460984245205e2, -2.759285104469687e2, 1.38357751867269e2, -3.066479806614716e1,
        2.506628277459239,
      ],
      r,
    ) *
      q) /
    poly(
      [-5.447609879822406e1, 1.615858368580409e2, -1.556989798598866e2, 6.680131188771972e1, -1.328068155288572e1, 1],
      r,
    )
  );
}

const percent = (share: number): string => `${Number((share * 100).toPrecision(3))} %`;

/**
 * Draws detection error trade-off curves (A. Martin et al., "The DET curve in assessment of detection task performance",
 * Eurospeech 1997): both axes in normal deviates, lower and further left is better. Rates below 0.0001 % are drawn there.
 *
 * @param series up to six curves, in the order of the legend, with at least one point each
 * @returns a complete `<svg>` element with no external resources; all text escaped
 * @throws LineamentError INVALID_ARGUMENT without a curve, with more than six, or with one that has no points
 */
export function detSvg(series: readonly DetSeries[], options: { readonly title?: string } = {}): string {
  const points = series.flatMap((one) => one.points);
  if (series.some((one) => one.points.length === 0))
    throw new LineamentError('INVALID_ARGUMENT', 'a curve has no points');
  const axis = (
    values: readonly number[],
  ): { place: (share: number) => number; ticks: { at: number; text: string }[] } => {
    const positive = values.filter((v) => v > 0);
    const low = TICKS.findLast((tick) => tick <= Math.min(0.01, ...positive)) ?? LEAST;
    const high = TICKS.find((tick) => tick >= Math.max(0.1, ...positive)) ?? MOST;
    const [from, to] = [probit(low), probit(high)];
    const place = (share: number): number => Math.max(0, Math.min(1, (probit(share) - from) / (to - from)));
    return {
      place,
      ticks: TICKS.filter((t) => t >= low && t <= high).map((t) => ({ at: place(t), text: percent(t) })),
    };
  };
  const x = axis(points.map(({ fmr }) => fmr));
  const y = axis(points.flatMap(({ fnmr, fnmr95 }) => [fnmr, ...(fnmr95 ?? [])]));
  return chartSvg({
    title: options.title ?? 'Detection error trade-off',
    heading: options.title !== undefined,
    xTicks: x.ticks,
    yTicks: y.ticks,
    xLabel: 'false match rate',
    yLabel: 'false non-match rate',
    curves: series.map((one) => {
      const sorted = one.points.toSorted((a, b) => a.fmr - b.fmr);
      const between = sorted.filter(({ fnmr95 }) => fnmr95 !== undefined);
      return {
        name: one.name,
        facts: one.facts ?? '',
        points: sorted.map(({ fmr, fnmr }) => [x.place(fmr), y.place(fnmr)] as const),
        band: [
          ...between.map(({ fmr, fnmr95 }) => [x.place(fmr), y.place(fnmr95![0])] as const),
          ...between.toReversed().map(({ fmr, fnmr95 }) => [x.place(fmr), y.place(fnmr95![1])] as const),
        ],
      };
    }),
  });
}
