import type { Region } from '../image/geometry.js';
import { takesBatches } from '../models/card.js';
import type { Networks } from '../models/network.js';
import type { Embedding, Frame, Point } from '../types.js';
import { type ChipSeat, type ChipSeats, runChips } from './chip-batches.js';
import { chipRegionOf, type FacePlace } from './chips.js';
import { embeddingDims, RECOGNISERS, type Recogniser, type RecognitionPlan } from './plan.js';

/**
 * One embedding for each face (68 landmarks, or what else is known of its place), on the unit sphere; absent where the landmarks span no
 * face, or the chip of a member needs what is not known. Each member of the plan sees the aligned chip (and its mirror image) of all faces as
 * one batch, joined with those of other calls by the `seats` that an engine has for them; members run side by side. Rejects with
 * `MODEL_CORRUPT` where a network is not what its card says.
 */
export async function embedFaces(
  networks: Networks,
  frame: Frame,
  faces: readonly (readonly Point[] | FacePlace)[],
  plan: RecognitionPlan,
  signal?: AbortSignal,
  seats?: ChipSeats,
): Promise<(Embedding | undefined)[]> {
  if (faces.length === 0) return [];
  const places = faces.map((face): FacePlace => ('length' in face ? { landmarks: face } : face));
  const parts = await Promise.all(
    plan.members.map(({ network }) =>
      describe(networks, frame, places, RECOGNISERS[network], plan.mirror, signal, seats?.of(network)),
    ),
  );
  const dims = embeddingDims(plan);
  return places.map((_, face): Embedding | undefined => {
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
  places: readonly FacePlace[],
  recogniser: Recogniser,
  mirror: boolean,
  signal: AbortSignal | undefined,
  seat: ChipSeat | undefined,
): Promise<(Float32Array | undefined)[]> {
  const regions = places.map((place) => chipRegionOf(place, recogniser.chip));
  const present = regions.filter((r): r is Region => r !== undefined);
  if (present.length === 0) return regions.map(() => undefined);
  const network = await networks.get(recogniser.card);
  const { dims } = recogniser;
  const copies = mirror ? 2 : 1;
  const chips = { frame, regions: present };
  const values =
    seat !== undefined && takesBatches(network.card)
      ? await seat.submit(chips, present.length * copies, signal)
      : (await runChips(network, recogniser, [chips], { mirror, signal }))[0]!;
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
