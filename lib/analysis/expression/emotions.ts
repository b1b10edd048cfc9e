/** Seven expressions from two networks and from action units: fused, placed on the circle of valence and arousal, compared. */
import { invalid, numberIn } from '../../errors/validate.js';
import { EXPRESSIONS, type ExpressionLabel } from '../../types.js';
import { clamp } from './evidence.js';
import type { ActionUnits } from './measure.js';
import type { ActionUnitId } from './units.js';

/** Probability of each expression, 0–1, adding up to 1. */
export type ExpressionProbabilities = Readonly<Record<ExpressionLabel, number>>;

/** What is known of one face at one moment; at least one part must be there. */
export interface ExpressionSources {
  /** Probabilities of face-api's network: `face.expression.probabilities` of the engine. */
  readonly faceapi?: ExpressionProbabilities | undefined;
  /** Probabilities of human's emotion network: {@link readEmotions}. */
  readonly human?: ExpressionProbabilities | undefined;
  readonly units?: ActionUnits | undefined;
}

/** How well the sources agree about one face. */
export interface ExpressionAgreement {
  /** Of the two networks, 0–1; absent unless both are there. */
  readonly networks?: number;
  /** Of the networks (fused) and the action units, 0–1; absent unless both are there. */
  readonly units?: number;
  /** Of the networks' and the units' valence: 1 the same, 0 one pleasant or unpleasant and the other neutral, −1 opposite ends. */
  readonly valence?: number;
  /** Geometric mean of `networks` and `units`, 0–1; the one that is there, or absent where neither is. */
  readonly overall?: number;
}

/** What a face shows, with how sure that is. */
export interface ExpressionReading {
  readonly label: ExpressionLabel;
  /** Probability of `label`, 0–1. */
  readonly probability: number;
  readonly probabilities: ExpressionProbabilities;
  /** Unpleasant −1 to pleasant 1: expectation over the probabilities. */
  readonly valence: number;
  /** Calm −1 to excited 1: expectation over the probabilities. */
  readonly arousal: number;
  /**
   * How strongly it is shown, 0–5 as action units: the mean intensity of the units that belong to `label`; for `neutral` the
   * strongest unit of any prototype but AU25 and AU26. Without units: 5 × (1 − probability of neutral).
   */
  readonly intensity: number;
  /** How far the action units match each prototype, 0–1; absent without units. */
  readonly prototypes?: Readonly<Record<ExpressionLabel, number>>;
  readonly agreement: ExpressionAgreement;
}

/** A unit of a prototype with its weight; `not` are units that speak against it. */
export interface ExpressionPrototype {
  readonly units: Readonly<Partial<Record<ActionUnitId, number>>>;
  readonly not: readonly ActionUnitId[];
}

/**
 * Combinations of action units that belong to an expression, after the prototypes of P. Ekman and W. V. Friesen, "EMFACS-7:
 * Emotional Facial Action Coding System", 1983, as far as 68 points see their units: happiness 6+12, sadness 1+4+15, surprise 1+2+5+26,
 * fear 1+2+4+5+7+20+26, anger 4+5+7+23 (measured as 24), disgust 9+15+16 and 10+17. Weights and the units that speak against
 * one are ours: a unit that is measured weakly counts less.
 */
export const EXPRESSION_PROTOTYPES: Readonly<Record<Exclude<ExpressionLabel, 'neutral'>, ExpressionPrototype>> = {
  happy: { units: { AU12: 1, AU6: 0.3 }, not: ['AU15', 'AU4'] },
  sad: { units: { AU15: 1, AU1: 0.7, AU4: 0.7, AU17: 0.3 }, not: ['AU12', 'AU26'] },
  angry: { units: { AU4: 1, AU24: 0.5, AU7: 0.4, AU5: 0.3 }, not: ['AU12', 'AU2'] },
  fearful: { units: { AU20: 0.8, AU5: 0.8, AU1: 0.7, AU4: 0.6, AU25: 0.5, AU2: 0.4 }, not: ['AU12'] },
  disgusted: { units: { AU9: 1, AU10: 1, AU4: 0.4, AU17: 0.3, AU7: 0.3 }, not: ['AU12', 'AU1', 'AU26'] },
  surprised: { units: { AU26: 1, AU1: 1, AU2: 1, AU5: 0.7 }, not: ['AU12', 'AU4'] },
};

/**
 * Where the expressions lie on the plane of valence and arousal. The order around the circle is that of J. A. Russell, "A
 * circumplex model of affect", 1980; the numbers are ours.
 */
export const EXPRESSION_CIRCLE: Readonly<Record<ExpressionLabel, readonly [valence: number, arousal: number]>> = {
  neutral: [0, 0],
  happy: [0.9, 0.5],
  sad: [-0.8, -0.3],
  angry: [-0.7, 0.8],
  fearful: [-0.7, 0.9],
  disgusted: [-0.8, 0.5],
  surprised: [0.1, 0.9],
};

/** Units of the prototypes that do not move in speech. */
const MEANINGFUL = [
  ...new Set(Object.values(EXPRESSION_PROTOTYPES).flatMap(({ units }) => Object.keys(units) as ActionUnitId[])),
].filter((unit) => unit !== 'AU25' && unit !== 'AU26');

/** Weight of face-api's network when both speak: it was the better one on posed photographs. */
const FACEAPI_WEIGHT = 0.65;

/**
 * Joins what networks and action units say about one face. The networks' probabilities are averaged (face-api's weighs 0.65,
 * human's 0.35: a linear opinion pool); where there is none, the units' own distribution stands in. Agreement is 1 minus the
 * Jensen-Shannon distance (base 2, its square root: D. M. Endres and J. E. Schindelin, "A new metric for probability
 * distributions", 2003) of two distributions; that of the units is made from how far they match each prototype.
 *
 * The labels name what a face shows. They do not say what the person feels: people smile without joy, and feel without
 * showing it. Pure function, some microseconds.
 *
 * @throws LineamentError INVALID_ARGUMENT where no source is given or a probability is not a number from 0 to 1
 */
export function readExpression(sources: ExpressionSources): ExpressionReading {
  const faceapi = sources.faceapi && normalised('faceapi', sources.faceapi);
  const human = sources.human && normalised('human', sources.human);
  const prototypes = sources.units && matchPrototypes(sources.units);
  const fromUnits = prototypes && distributionOf(prototypes);
  const networks = faceapi && human ? pool(faceapi, human) : (faceapi ?? human);
  const probabilities = networks ?? fromUnits;
  if (probabilities === undefined) throw invalid('sources', 'faceapi, human or units', sources);
  const label = EXPRESSIONS.reduce((best, name) => (probabilities[name] > probabilities[best] ? name : best));
  const [valence, arousal] = onCircle(probabilities);
  return {
    label,
    probability: probabilities[label],
    probabilities,
    valence,
    arousal,
    intensity: sources.units ? strengthOf(label, sources.units) : 5 * (1 - probabilities.neutral),
    ...(prototypes && { prototypes }),
    agreement: agreementOf(faceapi, human, networks, fromUnits),
  };
}

function normalised(name: string, p: ExpressionProbabilities): ExpressionProbabilities {
  let sum = 0;
  for (const label of EXPRESSIONS) sum += numberIn(`${name}.${label}`, p[label], 0, 1.001);
  if (!(sum > 0)) throw invalid(name, 'probabilities that add up to 1', sum);
  return record((label) => p[label] / sum);
}

const record = (of: (label: ExpressionLabel) => number): Record<ExpressionLabel, number> => {
  const all = {} as Record<ExpressionLabel, number>;
  for (const label of EXPRESSIONS) all[label] = of(label);
  return all;
};

function pool(faceapi: ExpressionProbabilities, human: ExpressionProbabilities): ExpressionProbabilities {
  return record((label) => FACEAPI_WEIGHT * faceapi[label] + (1 - FACEAPI_WEIGHT) * human[label]);
}

function onCircle(p: ExpressionProbabilities): [valence: number, arousal: number] {
  let [valence, arousal] = [0, 0];
  for (const label of EXPRESSIONS) {
    valence += p[label] * EXPRESSION_CIRCLE[label][0];
    arousal += p[label] * EXPRESSION_CIRCLE[label][1];
  }
  return [valence, arousal];
}

/**
 * How far the units of a face match each expression's prototype, 0–1: the weighted mean of its units, each full at
 * intensity 3, less half of the strongest unit that speaks against it. `neutral` is what the best match and the strongest unit
 * leave over (an open mouth does not count there: people speak).
 */
export function matchPrototypes({ intensity }: ActionUnits): Record<ExpressionLabel, number> {
  const shown = (unit: ActionUnitId): number => clamp(intensity[unit] / 3);
  let best = 0;
  const scores = record((label) => {
    if (label === 'neutral') return 0;
    const { units, not } = EXPRESSION_PROTOTYPES[label];
    let [sum, weights] = [0, 0];
    for (const [unit, weight] of Object.entries(units) as [ActionUnitId, number][]) {
      sum += weight * shown(unit);
      weights += weight;
    }
    let against = 0;
    for (const unit of not) against = Math.max(against, shown(unit));
    const score = (sum / weights) * (1 - 0.5 * against);
    best = Math.max(best, score);
    return score;
  });
  let strongest = 0;
  for (const unit of MEANINGFUL) strongest = Math.max(strongest, intensity[unit]);
  scores.neutral = clamp(1 - Math.max(1.6 * best, strongest / 4));
  return scores;
}

/** The matches as a distribution: squared, so that partial matches of several do not drown the full match of one. */
function distributionOf(scores: Readonly<Record<ExpressionLabel, number>>): ExpressionProbabilities {
  return normalised(
    'units',
    record((label) => Math.max(0.001, scores[label] ** 2)),
  );
}

function strengthOf(label: ExpressionLabel, { intensity }: ActionUnits): number {
  if (label === 'neutral') {
    return Math.max(...MEANINGFUL.map((unit) => intensity[unit]));
  }
  let [sum, weights] = [0, 0];
  for (const [unit, weight] of Object.entries(EXPRESSION_PROTOTYPES[label].units) as [ActionUnitId, number][]) {
    sum += weight * intensity[unit];
    weights += weight;
  }
  return sum / weights;
}

/** 1 minus the Jensen-Shannon distance: 1 for equal distributions, 0 for those that share nothing. */
export function similarityOf(p: ExpressionProbabilities, q: ExpressionProbabilities): number {
  let divergence = 0;
  for (const label of EXPRESSIONS) {
    const [a, b] = [p[label], q[label]];
    const m = (a + b) / 2;
    if (a > 0) divergence += (a / 2) * Math.log2(a / m);
    if (b > 0) divergence += (b / 2) * Math.log2(b / m);
  }
  return 1 - Math.sqrt(clamp(divergence));
}

function agreementOf(
  faceapi: ExpressionProbabilities | undefined,
  human: ExpressionProbabilities | undefined,
  networks: ExpressionProbabilities | undefined,
  units: ExpressionProbabilities | undefined,
): ExpressionAgreement {
  const ofNetworks = faceapi && human ? similarityOf(faceapi, human) : undefined;
  const ofUnits = networks && units ? similarityOf(networks, units) : undefined;
  const valence = networks && units ? 1 - Math.abs(onCircle(networks)[0] - onCircle(units)[0]) : undefined;
  const overall =
    ofNetworks !== undefined && ofUnits !== undefined ? Math.sqrt(ofNetworks * ofUnits) : (ofUnits ?? ofNetworks);
  return {
    ...(ofNetworks !== undefined && { networks: ofNetworks }),
    ...(ofUnits !== undefined && { units: ofUnits }),
    ...(valence !== undefined && { valence }),
    ...(overall !== undefined && { overall }),
  };
}
