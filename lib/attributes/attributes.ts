import { fromUnit, type Region } from '../image/geometry.js';
import type { Network, Networks } from '../models/network.js';
import { EXPRESSIONS, type Expression, type ExpressionLabel, type Frame, type Gender } from '../types.js';

/** The networks of the starter pack behind the attributes, by the ids of their cards. */
export const ATTRIBUTE_NETWORKS = { expression: 'faceapi_expression', ageGender: 'faceapi_age_gender' } as const;

function inputRegions({ card }: Network, squares: readonly Region[]): Region[] {
  return squares.map((square) => fromUnit(square, card.input.width, card.input.height));
}

/**
 * Expressions of the faces in `squares`, regions for an output of 1 × 1. Face-api's network of seven classes; it names
 * what a face shows, and is often wrong on faces that are not posed.
 */
export async function readExpressions(
  networks: Networks,
  frame: Frame,
  squares: readonly Region[],
  signal?: AbortSignal,
): Promise<Expression[]> {
  if (squares.length === 0) return [];
  const network = await networks.get(ATTRIBUTE_NETWORKS.expression);
  const values = await network.output(frame, inputRegions(network, squares), 'probabilities', { signal });
  return squares.map((_, face): Expression => {
    const probabilities = {} as Record<ExpressionLabel, number>;
    let label: ExpressionLabel = 'neutral';
    EXPRESSIONS.forEach((name, i) => {
      probabilities[name] = values[face * EXPRESSIONS.length + i]!;
      if (probabilities[name] > probabilities[label]) label = name;
    });
    return { label, probability: probabilities[label], probabilities };
  });
}

/** Age in years and perceived gender of the faces in `squares`, regions for an output of 1 × 1. */
export async function readAgeGender(
  networks: Networks,
  frame: Frame,
  squares: readonly Region[],
  signal?: AbortSignal,
): Promise<{ readonly age: number; readonly gender: Gender }[]> {
  if (squares.length === 0) return [];
  const network = await networks.get(ATTRIBUTE_NETWORKS.ageGender);
  const [ages, genders] = (await network.outputs(frame, inputRegions(network, squares), ['age', 'gender'], {
    signal,
  })) as [Float32Array, Float32Array];
  return squares.map((_, face) => {
    const male = genders[face * 2]!;
    return {
      age: Math.max(0, ages[face]!),
      gender: { label: male >= 0.5 ? 'male' : 'female', probability: Math.max(male, 1 - male) },
    };
  });
}
