import { describe, expect, it } from 'vitest';
import {
  type ActionUnits,
  EXPRESSION_CIRCLE,
  EXPRESSION_PROTOTYPES,
  type ExpressionProbabilities,
  learnNeutralBaseline,
  matchPrototypes,
  measureActionUnits,
  readExpression,
} from '../../../lib/analysis/expression/index.js';
import { ACTION_UNITS } from '../../../lib/analysis/expression/units.js';
import { EXPRESSIONS, type ExpressionLabel } from '../../../lib/types.js';
import { type Movement, moved, neutralHead, picture } from './expression-support.js';

const certain = (label: ExpressionLabel, p = 1): ExpressionProbabilities =>
  Object.fromEntries(EXPRESSIONS.map((l) => [l, l === label ? p : (1 - p) / 6])) as Record<ExpressionLabel, number>;
const baseline = learnNeutralBaseline(Array.from({ length: 5 }, () => ({ landmarks: picture(neutralHead()) })))!;
const unitsOf = (movement: Movement): ActionUnits =>
  measureActionUnits(picture(moved(neutralHead(), movement)), { baseline })!;

describe('readExpression', () => {
  it('averages the networks by their weights', () => {
    const { probabilities, label, probability } = readExpression({
      faceapi: certain('happy'),
      human: certain('neutral'),
    });
    expect(probabilities.happy).toBeCloseTo(0.65, 12);
    expect(probabilities.neutral).toBeCloseTo(0.35, 12);
    expect([label, probability]).toEqual(['happy', probabilities.happy]);
  });

  it('takes what is there: one network alone is left as it is', () => {
    const sad = certain('sad', 0.7);
    for (const sources of [{ faceapi: sad }, { human: sad }]) {
      const reading = readExpression(sources);
      for (const label of EXPRESSIONS) expect(reading.probabilities[label]).toBeCloseTo(sad[label], 12);
      expect(reading.agreement).toEqual({});
      expect(reading.prototypes).toBeUndefined();
      expect(reading.intensity).toBeCloseTo(5 * (1 - sad.neutral), 12);
    }
    expect(readExpression({ units: unitsOf({ smile: 1 }) }).label).toBe('happy');
  });

  it('agrees fully with itself, not at all with its opposite, and the same both ways', () => {
    const a = certain('happy', 0.8);
    const b = certain('angry', 0.6);
    const of = (faceapi: ExpressionProbabilities, human: ExpressionProbabilities) =>
      readExpression({ faceapi, human }).agreement.networks!;
    expect(of(a, a)).toBeCloseTo(1, 6);
    expect(of(certain('happy'), certain('sad'))).toBeCloseTo(0, 12);
    expect(of(a, b)).toBeCloseTo(of(b, a), 12);
    expect(of(a, certain('happy', 0.6))).toBeGreaterThan(of(a, b));
  });

  it('sees networks and units agree on a smile, and contradict each other on a frown', () => {
    const units = unitsOf({ smile: 1 });
    const happy = readExpression({ faceapi: certain('happy', 0.9), human: certain('happy', 0.8), units });
    const angry = readExpression({ faceapi: certain('angry', 0.9), human: certain('angry', 0.8), units });
    expect(happy.agreement.units).toBeGreaterThan(0.5);
    expect(angry.agreement.units).toBeLessThan(0.3);
    expect(happy.agreement.valence).toBeGreaterThan(0.5);
    expect(angry.agreement.valence).toBeLessThan(0);
    expect(happy.agreement.overall).toBeGreaterThan(angry.agreement.overall!);
    expect(happy.intensity).toBeGreaterThan(2);
    expect(angry.intensity).toBeLessThan(1);
  });

  it('has valence and arousal on the circle', () => {
    for (const label of EXPRESSIONS) {
      const { valence, arousal } = readExpression({ faceapi: certain(label) });
      expect([valence, arousal]).toEqual([...EXPRESSION_CIRCLE[label]]);
    }
    expect(readExpression({ faceapi: certain('happy') }).valence).toBeGreaterThan(0.5);
    expect(readExpression({ faceapi: certain('sad') }).arousal).toBeLessThan(0);
  });

  it('refuses nothing, NaN and negative probabilities, naming them', () => {
    expect(() => readExpression({})).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
    expect(() => readExpression({ faceapi: { ...certain('sad'), happy: Number.NaN } })).toThrow(/faceapi\.happy/);
    expect(() => readExpression({ human: { ...certain('sad'), angry: -0.1 } })).toThrow(/human\.angry/);
    const nothing = Object.fromEntries(EXPRESSIONS.map((l) => [l, 0])) as Record<ExpressionLabel, number>;
    expect(() => readExpression({ faceapi: nothing })).toThrow(/add up/);
  });
});

describe('prototypes', () => {
  it('each match their own units best', () => {
    for (const [label, { units }] of Object.entries(EXPRESSION_PROTOTYPES)) {
      const intensity = Object.fromEntries(ACTION_UNITS.map((u) => [u, (units[u] ?? 0) > 0 ? 4 : 0]));
      const scores = matchPrototypes({ ...unitsOf({}), intensity: intensity as ActionUnits['intensity'] });
      const best = EXPRESSIONS.reduce((a, b) => (scores[b] > scores[a] ? b : a));
      expect(best).toBe(label);
    }
    expect(matchPrototypes(unitsOf({})).neutral).toBe(1);
  });

  it.each([
    ['happy', { smile: 1 }],
    ['surprised', { jaw: 0.7, brows: 1, wide: 1 }],
    ['sad', { corners: 1, frown: 0.6 }],
  ] as [ExpressionLabel, Movement][])('know a face that is made to look %s', (label, movement) => {
    expect(readExpression({ units: unitsOf(movement) }).label).toBe(label);
  });
});
