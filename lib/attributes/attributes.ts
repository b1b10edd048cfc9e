import { fromUnit, type Region, squareRegion } from '../image/geometry.js';
import { checkLength, outputOfLength } from '../models/contract.js';
import type { Network, Networks } from '../models/network.js';
import { type Box, EXPRESSIONS, type Expression, type ExpressionLabel, type Frame, type Gender } from '../types.js';

/** Networks that name expressions, of the starter pack and the catalogue (`ferplus`). */
export const EXPRESSION_NETWORKS = {
  faceapi: { card: 'faceapi_expression' },
  /** Wants a tight square, of this side over the longer extent of the landmarks, whatever the preset says. */
  ferplus: { card: 'ferplus_emotion', scale: 1.05 },
} as const satisfies Record<string, { readonly card: string; readonly scale?: number }>;
export type ExpressionNetworkName = keyof typeof EXPRESSION_NETWORKS;

/** Networks that tell age and gender, of the starter pack and the catalogue (`insightface`). */
export const AGE_GENDER_NETWORKS = { faceapi: 'faceapi_age_gender', insightface: 'insightface_genderage' } as const;
export type AgeGenderNetworkName = keyof typeof AGE_GENDER_NETWORKS;

/** Which networks tell the attributes: plain data; those of the starter pack when absent. */
export interface AttributePlan {
  /** Also stands in face-api's place in `expressionReading`. */
  readonly expression?: ExpressionNetworkName;
  readonly ageGender?: AgeGenderNetworkName;
}

/** The networks of the starter pack behind the attributes, by the ids of their cards. */
export const ATTRIBUTE_NETWORKS = {
  expression: EXPRESSION_NETWORKS.faceapi.card,
  ageGender: AGE_GENDER_NETWORKS.faceapi,
} as const;

/** FER+'s classes in the order of its output, by the names that are used here; contempt has none. */
const FERPLUS: readonly (ExpressionLabel | undefined)[] = [
  'neutral',
  'happy',
  'surprised',
  'sad',
  'angry',
  'disgusted',
  'fearful',
  undefined,
];

/** Side of the square that InsightFace's network sees, over the longer side of the box. */
const GENDER_AGE_SCALE = 1.5;

function inputRegions({ card }: Network, squares: readonly Region[]): Region[] {
  return squares.map((square) => fromUnit(square, card.input.width, card.input.height));
}

/**
 * Expressions of the faces in `squares`, regions for an output of 1 × 1. Face-api's network of seven classes, or FER+ (E. Barsoum et al.,
 * "Training Deep Networks for Facial Expression Recognition with Crowd-Sourced Label Distribution", ICMI 2016); they name what a face shows, and
 * are often wrong on faces that are not posed. FER+ knows contempt as well, which has no label here: its probability is left out, and the others
 * add up to that much less than 1. Rejects with `MODEL_CORRUPT` where a network is not what its card says.
 */
export async function readExpressions(
  networks: Networks,
  frame: Frame,
  squares: readonly Region[],
  signal?: AbortSignal,
  name: ExpressionNetworkName = 'faceapi',
): Promise<Expression[]> {
  if (squares.length === 0) return [];
  const network = await networks.get(EXPRESSION_NETWORKS[name].card);
  if (name === 'ferplus') return readFerPlus(network, frame, squares, signal);
  const values = await network.output(frame, inputRegions(network, squares), 'probabilities', { signal });
  return squares.map((_, face): Expression => {
    const probabilities = {} as Record<ExpressionLabel, number>;
    EXPRESSIONS.forEach((label, i) => {
      probabilities[label] = values[face * EXPRESSIONS.length + i]!;
    });
    return strongest(probabilities);
  });
}

function strongest(probabilities: Record<ExpressionLabel, number>): Expression {
  let label: ExpressionLabel = 'neutral';
  for (const name of EXPRESSIONS) if (probabilities[name] > probabilities[label]) label = name;
  return { label, probability: probabilities[label], probabilities };
}

async function readFerPlus(
  network: Network,
  frame: Frame,
  squares: readonly Region[],
  signal: AbortSignal | undefined,
): Promise<Expression[]> {
  const output = outputOfLength(network, FERPLUS.length, 'scores of the eight expressions of FER+');
  const values = await network.output(frame, inputRegions(network, squares), output, { signal });
  checkLength(network, values, squares.length, FERPLUS.length);
  return squares.map((_, face): Expression => {
    const shares = softmax(values.subarray(face * FERPLUS.length, (face + 1) * FERPLUS.length));
    const probabilities = {} as Record<ExpressionLabel, number>;
    for (const label of EXPRESSIONS) probabilities[label] = shares[FERPLUS.indexOf(label)]!;
    return strongest(probabilities);
  });
}

function softmax(values: Float32Array): number[] {
  const most = Math.max(...values);
  const powers = Array.from(values, (value) => Math.exp(value - most));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
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

/**
 * Age in years and perceived gender of the faces in `boxes` (whole faces, pixels of the picture), by InsightFace's `genderage`: an upright square of
 * 1.5 × the box. Its scores of the two genders are taken through a softmax. Rejects with `MODEL_CORRUPT` where the network is not what its card says.
 */
export async function readBoxAgeGender(
  networks: Networks,
  frame: Frame,
  boxes: readonly Box[],
  signal?: AbortSignal,
): Promise<{ readonly age: number; readonly gender: Gender }[]> {
  if (boxes.length === 0) return [];
  const network = await networks.get(AGE_GENDER_NETWORKS.insightface);
  const output = outputOfLength(network, 3, 'scores of female and male, and a hundredth of the age');
  const size = network.card.input.width;
  const regions = boxes.map(([x, y, w, h]) =>
    squareRegion(x + w / 2, y + h / 2, Math.max(w, h) * GENDER_AGE_SCALE, size),
  );
  const values = await network.output(frame, regions, output, { signal });
  checkLength(network, values, boxes.length, 3);
  return boxes.map((_, face) => {
    const [female, male] = softmax(values.subarray(face * 3, face * 3 + 2)) as [number, number];
    return {
      age: Math.max(0, values[face * 3 + 2]! * 100),
      gender: { label: male > female ? 'male' : 'female', probability: Math.max(male, female) },
    };
  });
}
