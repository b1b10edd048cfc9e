import { LineamentError } from '../errors.js';
import type { Region } from '../image/geometry.js';
import type { Networks } from '../models/network.js';
import type { Embedding, Frame, Point } from '../types.js';
import { embeddingDims, RECOGNISERS, type Recogniser, type RecognitionPlan } from './plan.js';
import { chipRegion } from './template.js';

/**
 * One embedding for each set of 68 landmarks, on the unit sphere; absent where the landmarks span no face. Each member of
 * the plan sees the aligned chip (and its mirror image) of all faces as one batch; members run side by side.
 */
export async function embedFaces(
  networks: Networks,
  frame: Frame,
  landmarks: readonly (readonly Point[])[],
  plan: RecognitionPlan,
  signal?: AbortSignal,
): Promise<(Embedding | undefined)[]> {
  if (landmarks.length === 0) return [];
  const parts = await Promise.all(
    plan.members.map(({ network }) => describe(networks, frame, landmarks, RECOGNISERS[network], plan.mirror, signal)),
  );
  const dims = embeddingDims(plan);
  return landmarks.map((_, face): Embedding | undefined => {
    const vector = new Float32Array(dims);
    if (plan.constant !== 0) vector[dims - 1] = plan.constant;
    let at = 0;
    for (const [m, { unit, scale }] of plan.members.entries()) {
      const part = parts[m]![face];
      if (part === undefined || (unit && !normalise(part))) return undefined;
      for (const value of part) vector[at++] = value * scale;
    }
    return normalise(vector) ? { model: plan.model, dims, vector } : undefined;
  });
}

async function describe(
  networks: Networks,
  frame: Frame,
  landmarks: readonly (readonly Point[])[],
  recogniser: Recogniser,
  mirror: boolean,
  signal: AbortSignal | undefined,
): Promise<(Float32Array | undefined)[]> {
  const regions = landmarks.map((points) => chipRegion(points, recogniser.chip));
  const present = regions.filter((r): r is Region => r !== undefined);
  if (present.length === 0) return regions.map(() => undefined);
  const network = await networks.get(recogniser.card);
  const values = await network.output(frame, present, recogniser.output, { mirror, signal });
  const { dims } = recogniser;
  const copies = mirror ? 2 : 1;
  if (values.length !== present.length * copies * dims) {
    throw new LineamentError(
      'MODEL_CORRUPT',
      `${recogniser.card} gave ${values.length} values for ${present.length} faces`,
    );
  }
  let next = 0;
  return regions.map((region) => {
    if (region === undefined) return undefined;
    const mean = new Float32Array(dims);
    for (let copy = 0; copy < copies; copy++, next += dims) {
      for (let i = 0; i < dims; i++) mean[i]! += values[next + i]! / copies;
    }
    return mean;
  });
}

/** Scales to length 1 in place; false where there is no direction (all zero, or not finite). */
export function normalise(vector: Float32Array): boolean {
  let sum = 0;
  for (const value of vector) sum += value * value;
  const length = Math.sqrt(sum);
  if (!(length > 1e-12) || !Number.isFinite(length)) return false;
  for (let i = 0; i < vector.length; i++) vector[i]! /= length;
  return true;
}
