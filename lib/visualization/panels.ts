/** Panels for expression and quality: bars and hints as HTML without scripts, for the report and for pages of one's own. */
import { ACTION_UNIT_INFO, type ActionUnitInfo } from '../analysis/expression/units.js';
import { formatNumber, type Markup, markup } from './markup.js';

/** One measured component of quality. */
export interface QualityComponentView {
  /** 0–100, 100 is best. */
  readonly score: number;
  /** As measured, in `unit`. */
  readonly value?: number;
  readonly unit?: string;
}

/** Quality as it is shown; what `analysis` measures fits. */
export interface QualityView {
  /** Unified score, 0–100. */
  readonly score: number;
  /** Components by name; those that could not be measured are absent. */
  readonly components: Readonly<Record<string, QualityComponentView | undefined>>;
  /** Hints for the person, most important first. */
  readonly guidance: readonly { readonly text: string }[];
}

/** Expression as it is shown; an `ExpressionReading`, or the engine's `Expression`, fits. */
export interface ExpressionView {
  readonly label: string;
  /** Probability of `label`, 0–1. */
  readonly probability: number;
  /** Probability of each expression, 0–1. */
  readonly probabilities: Readonly<Record<string, number>>;
  /** Unpleasant −1 to pleasant 1. */
  readonly valence?: number;
  /** Calm −1 to excited 1. */
  readonly arousal?: number;
  /** 0–5. */
  readonly intensity?: number;
  readonly agreement?: { readonly overall?: number };
}

/** Action units as they are shown; `ActionUnits` fits. */
export interface ActionUnitsView {
  /** 0–5 by unit. */
  readonly intensity: Readonly<Record<string, number>>;
  readonly baseline: 'person' | 'population';
}

/** Style of the panels, for pages of one's own; the report has it already. Colours are CSS variables with defaults. */
export const PANEL_STYLE = `
.panel{background:var(--card,#fff);border:1px solid var(--line,#e3e7ef);border-radius:14px;padding:14px 16px;font-size:13px;min-width:0}
.panel h4{display:flex;justify-content:space-between;align-items:baseline;gap:10px;margin:0 0 8px;font-size:14px}
.panel h4 b{font-size:20px;letter-spacing:-.02em;font-variant-numeric:tabular-nums}
.panel h4 small{font-size:12px;font-weight:400;color:var(--soft,#5b6678)}
.panel .bars{display:grid;grid-template-columns:max-content minmax(60px,1fr) max-content;gap:4px 10px;align-items:center}
.panel .bars .track{height:8px;border-radius:9px;background:var(--chip,#eef2f7);overflow:hidden}
.panel .bars .track i{display:block;height:100%;border-radius:9px;background:var(--accent,#0d9488)}
.panel .bars .track i.fair{background:#d97706}
.panel .bars .track i.poor{background:var(--bad,#dc2626)}
.panel .bars span{text-align:right;font-variant-numeric:tabular-nums;color:var(--soft,#5b6678);white-space:nowrap}
.panel .bars span b{color:var(--ink,#0f172a);font-weight:600}
.panel h5{margin:12px 0 5px;font-size:12px;font-weight:600;color:var(--soft,#5b6678)}
.panel ul.hints{margin:0 0 10px;padding:8px 12px 8px 28px;border-radius:10px;background:var(--accent-soft,#0d94881a)}
.panel p{margin:8px 0 0;color:var(--soft,#5b6678);font-size:12px}
`;

/** `interEyeDistance` as "inter eye distance", with a capital; other names stay as they are. */
function words(name: string): string {
  const spaced = name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replace(/[-_]+/g, ' ')
    .toLowerCase();
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

const finite = (value: number | undefined): value is number => value !== undefined && Number.isFinite(value);
const share = (value: number, full: number): number => Math.min(100, Math.max(0, (value / full) * 100));

function bar(name: string, percent: number, text: MarkupText, grade: '' | 'fair' | 'poor' = '', hint = ''): Markup {
  return markup`<div${hint && markup` title="${hint}"`}>${name}</div><div class="track"><i${grade && markup` class="${grade}"`} style="width:${formatNumber(percent, 0)}%"></i></div><span>${text}</span>`;
}

type MarkupText = Markup | string;

/** A native value short enough for a bar. */
function short(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return formatNumber(value, digits);
}

/**
 * Quality as a panel: the unified score, hints for the person, one bar of 0–100 for each component, worst first, with its
 * measured value and unit. Colours say good (70 and more), fair (40 and more), poor.
 *
 * @returns one `<section class="panel quality">` as HTML, all text escaped; style it with {@link PANEL_STYLE}
 */
export function qualityPanel(quality: QualityView): string {
  return qualityMarkup(quality).toString();
}

/** As {@link qualityPanel}, for use inside other markup. */
export function qualityMarkup(quality: QualityView): Markup {
  const rows = Object.entries(quality.components)
    .flatMap(([name, component]) => (component && Number.isFinite(component.score) ? [{ name, ...component }] : []))
    .sort((a, b) => a.score - b.score);
  return markup`<section class="panel quality"><h4><span>Quality</span><b>${finite(quality.score) ? formatNumber(quality.score, 0) : '–'}<small> of 100</small></b></h4>${
    quality.guidance.length > 0 &&
    markup`<ul class="hints">${quality.guidance.map(({ text }) => markup`<li>${text}</li>`)}</ul>`
  }<div class="bars">${rows.map(({ name, score, value, unit }) => {
    const grade = score >= 70 ? '' : score >= 40 ? 'fair' : 'poor';
    const measured = finite(value) ? `${short(value)}${unit ? ` ${unit}` : ''}` : '';
    return bar(words(name), share(score, 100), markup`<b>${formatNumber(score, 0)}</b>`, grade, measured);
  })}</div></section>`;
}

/**
 * Expression as a panel: the label, one bar of 0–100 % for each expression, valence and arousal, how far networks and action
 * units agree, and the strongest action units on a scale of 0–5. It names what the face shows, and says so.
 *
 * @param expression probabilities and what follows from them; absent where only units were measured
 * @param units action units; those below 0.5 are left out
 * @returns one `<section class="panel expression">` as HTML, all text escaped; style it with {@link PANEL_STYLE}
 */
export function expressionPanel(expression: ExpressionView | undefined, units?: ActionUnitsView): string {
  return expressionMarkup(expression, units).toString();
}

/** As {@link expressionPanel}, for use inside other markup. */
export function expressionMarkup(expression: ExpressionView | undefined, units?: ActionUnitsView): Markup {
  const percent = (value: number): string => `${formatNumber(value * 100, 0)} %`;
  const shown = Object.entries(expression?.probabilities ?? {})
    .filter(([, p]) => Number.isFinite(p))
    .sort((a, b) => b[1] - a[1]);
  const signed = (value: number): string =>
    `${value > 0 ? '+' : value < 0 ? '−' : ''}${formatNumber(Math.abs(value), 2)}`;
  const facts: string[] = [];
  if (finite(expression?.valence)) facts.push(`valence ${signed(expression.valence)}`);
  if (finite(expression?.arousal)) facts.push(`arousal ${signed(expression.arousal)}`);
  if (finite(expression?.intensity)) facts.push(`intensity ${formatNumber(expression.intensity, 1)} of 5`);
  if (finite(expression?.agreement?.overall)) facts.push(`agreement ${percent(expression.agreement.overall)}`);
  return markup`<section class="panel expression"><h4><span>Expression</span><b>${expression?.label ?? ''}</b></h4>${
    shown.length > 0 &&
    markup`<div class="bars">${shown.map(([label, p]) => bar(label, share(p, 1), markup`<b>${percent(p)}</b>`))}</div>`
  }${facts.length > 0 && markup`<p>${facts.join(' · ')}</p>`}${units && unitBars(units)}<p>What the face shows, not what the person feels.</p></section>`;
}

/** Most units in a panel. */
const MOST_UNITS = 8;

function unitBars({ intensity, baseline }: ActionUnitsView): Markup {
  const strong = Object.entries(intensity)
    .filter(([, value]) => value >= 0.5)
    .sort((a, b) => b[1] - a[1])
    .slice(0, MOST_UNITS);
  const against = baseline === 'person' ? 'this person’s neutral face' : 'an average neutral face';
  return markup`<h5>Action units, 0–5, against ${against}</h5>${
    strong.length === 0
      ? markup`<p>None.</p>`
      : markup`<div class="bars">${strong.map(([unit, value]) => {
          const known = (ACTION_UNIT_INFO as Readonly<Record<string, ActionUnitInfo>>)[unit];
          return bar(known?.name ?? unit, share(value, 5), markup`<b>${value.toFixed(1)}</b>`, '', unit);
        })}</div>`
  }`;
}
