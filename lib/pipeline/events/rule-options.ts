import { boolean, invalid, numberIn, oneOf, plainObject } from '../../errors/validate.js';
import { EXPRESSIONS, type ExpressionLabel } from '../../types.js';
import type { Line, Zone } from '../types.js';
import type { EventIds } from './ids.js';

/** When events are told. Times are milliseconds of the frames' own clock. */
export interface EventRulesOptions {
  readonly zones?: readonly Zone[];
  readonly lines?: readonly Line[];
  /** Makes the ids; give a seeded one to replays. */
  readonly ids?: EventIds;
  readonly appeared?: {
    /** A track must have been followed so long; default 0: from its first confirmed frame on. */
    readonly afterMs?: number;
  };
  readonly left?: {
    /** A track that the tracker says nothing of any more counts as gone after so long; default 10 000. */
    readonly absentMs?: number;
  };
  readonly recognised?: {
    /** The identity must hold for so long; default 0, as it is a decision over several looks already. */
    readonly holdMs?: number;
    /** The same person is not told again within so long, also where the track has broken; default 5000. */
    readonly coolDownMs?: number;
  };
  readonly stranger?: { readonly holdMs?: number; readonly coolDownMs?: number };
  readonly expression?: {
    /** `false`: expressions are not told. */
    readonly told?: boolean;
    /** Which; default all but `neutral`. */
    readonly labels?: readonly ExpressionLabel[];
    /** Probability that it must reach, and above which it lasts; default 0.6 and 0.35. */
    readonly high?: number;
    readonly low?: number;
    /** It must last so long; default 500. */
    readonly holdMs?: number;
    /** Looks further apart than this do not belong together; default 1500. */
    readonly gapMs?: number;
    /** Of one track and label; default 3000. */
    readonly coolDownMs?: number;
  };
  readonly gesture?: { readonly score?: number; readonly coolDownMs?: number };
  readonly liveness?: {
    /** A change of mind must hold for so long; default 500. The first result is told at once. */
    readonly holdMs?: number;
  };
  readonly zone?: {
    /** How far beyond the edge counts, share of the picture's longer side; default 0.01. At least 5 % of the person's height. */
    readonly margin?: number;
    /** And for how long; default 300. */
    readonly holdMs?: number;
  };
  readonly line?: { readonly margin?: number; readonly holdMs?: number };
  /** Most events of a type; default 10 a second, 50 at once. What is beyond is counted in `gap` events, at most one a second. */
  readonly rate?: { readonly perSecond?: number; readonly burst?: number };
  /**
   * Whether a stranger was known before this sight. Without it: whether an earlier track of this camera had the same id.
   */
  readonly isReturning?: (stranger: string, track: number) => boolean;
}

export type Rules = ReturnType<typeof checkRules>;

const DAY = 86_400_000;

/** The options with their defaults. @throws LineamentError INVALID_ARGUMENT */
export function checkRules(options: EventRulesOptions) {
  plainObject('options', options, [
    'zones',
    'lines',
    'ids',
    'appeared',
    'left',
    'recognised',
    'stranger',
    'expression',
    'gesture',
    'liveness',
    'zone',
    'line',
    'rate',
    'isReturning',
  ] satisfies (keyof EventRulesOptions)[]);
  const part = <K extends keyof EventRulesOptions>(name: K, known: readonly string[]): Record<string, unknown> =>
    plainObject(name, options[name] ?? {}, known);
  const ms = (name: string, value: unknown, or: number): number => numberIn(name, value ?? or, 0, DAY);
  const decision = (name: 'recognised' | 'stranger') => {
    const given = part(name, ['holdMs', 'coolDownMs']);
    return {
      holdMs: ms(`${name}.holdMs`, given['holdMs'], 0),
      coolDownMs: ms(`${name}.coolDownMs`, given['coolDownMs'], 5000),
    };
  };
  const edge = (name: 'zone' | 'line') => {
    const given = part(name, ['margin', 'holdMs']);
    return {
      margin: numberIn(`${name}.margin`, given['margin'] ?? 0.01, 0, 0.5),
      holdMs: ms(`${name}.holdMs`, given['holdMs'], 300),
    };
  };
  const expression = part('expression', ['told', 'labels', 'high', 'low', 'holdMs', 'gapMs', 'coolDownMs']);
  const high = numberIn('expression.high', expression['high'] ?? 0.6, 0, 1);
  const labels = expression['labels'] ?? EXPRESSIONS.filter((label) => label !== 'neutral');
  if (!Array.isArray(labels)) throw invalid('expression.labels', 'array', labels);
  const gesture = part('gesture', ['score', 'coolDownMs']);
  const rate = part('rate', ['perSecond', 'burst']);
  return {
    appearedAfterMs: ms('appeared.afterMs', part('appeared', ['afterMs'])['afterMs'], 0),
    absentMs: ms('left.absentMs', part('left', ['absentMs'])['absentMs'], 10_000),
    recognised: decision('recognised'),
    stranger: decision('stranger'),
    expression: {
      told: boolean('expression.told', expression['told'] ?? true),
      labels: labels.map((label, i) => oneOf(`expression.labels[${i}]`, label, EXPRESSIONS)),
      high,
      low: numberIn('expression.low', expression['low'] ?? Math.min(0.35, high), 0, high),
      holdMs: ms('expression.holdMs', expression['holdMs'], 500),
      gapMs: ms('expression.gapMs', expression['gapMs'], 1500),
      coolDownMs: ms('expression.coolDownMs', expression['coolDownMs'], 3000),
    },
    gesture: {
      score: numberIn('gesture.score', gesture['score'] ?? 0.5, 0, 1),
      coolDownMs: ms('gesture.coolDownMs', gesture['coolDownMs'], 1000),
    },
    livenessHoldMs: ms('liveness.holdMs', part('liveness', ['holdMs'])['holdMs'], 500),
    zone: edge('zone'),
    line: edge('line'),
    rate: {
      perSecond: numberIn('rate.perSecond', rate['perSecond'] ?? 10, 0.001, 1e6),
      burst: numberIn('rate.burst', rate['burst'] ?? 50, 1, 1e6),
    },
  };
}
