import { type Engine, openEngine } from '../../../lib/index.js';
import type { Identities } from '../../../lib/pipeline/identity/index.js';
import type { Embedding } from '../../../lib/types.js';
import { normal, random } from '../../support/random.js';
import { sample } from '../../support/samples.js';

/** Faces of the sample photographs whose box is at least 60 px wide: 22 different persons. */
export async function samplePersons(engine?: Engine): Promise<readonly Embedding[]> {
  const own = engine ?? (await openEngine({ preset: 'fast', threads: 1 }));
  try {
    const found: Embedding[] = [];
    for (const i of [1, 2, 3, 4, 5, 6]) {
      for (const { embedding, box } of await own.analyze(sample(i), { embedding: true })) {
        if (embedding !== undefined && box[2] >= 60) found.push(embedding);
      }
    }
    return found;
  } finally {
    if (engine === undefined) await own.close();
  }
}

/**
 * A face with noise at right angles to it, so that the cosine is about 1 − `distance`. The last number of embeddings of the starter pack is a
 * constant, which no picture changes.
 */
export function noisy(face: Embedding, distance: number, next: () => number): Embedding {
  const { vector } = face;
  const noise = Array.from(vector, (_, i) => (i === vector.length - 1 ? 0 : normal(next)));
  const along = noise.reduce((sum, x, i) => sum + x * vector[i]!, 0);
  const across = noise.map((x, i) => x - along * vector[i]!);
  const length = Math.hypot(...across);
  const [c, s] = [1 - distance, Math.sqrt(1 - (1 - distance) ** 2)];
  const mixed = across.map((x, i) => c * vector[i]! + (s * x) / length);
  const norm = Math.hypot(...mixed);
  return { ...face, vector: Float32Array.from(mixed, (x) => x / norm) };
}

export interface SceneOptions {
  readonly seed: number;
  /** Persons who walk by, by position in `persons`; one track after another, drawn with equal chance. */
  readonly persons: readonly Embedding[];
  readonly tracks: number;
  readonly fps?: number;
  readonly seconds?: number;
  /** How far a track's looks lie from the enrolled picture (1 − cosine) on average: another day, other light. */
  readonly session?: number;
  /** How far a look of weight 1 and one of weight 0 lie from their track's. */
  readonly clean?: number;
  readonly poor?: number;
  /** Chance that a frame shows somebody else's face (the tracker's fault) or nothing but smear. */
  readonly wrong?: number;
  readonly firstTrack?: number;
  readonly start?: number;
}

/** What became of one track. */
export interface Walk {
  readonly person: number;
  readonly frames: number;
  readonly looks: number;
  readonly kind: 'known' | 'stranger' | 'undecided';
  readonly id: string | undefined;
  /** Ids that it was held to be, in turn. */
  readonly ids: readonly string[];
  /** Frames until it was decided first. */
  readonly decidedAfter: number | undefined;
}

/** Lets persons walk by: looks of changing quality, noise that goes with it, some frames that are plainly wrong. Deterministic. */
export async function walkBy(identities: Identities, options: SceneOptions): Promise<readonly Walk[]> {
  const { seed, persons, tracks, fps = 15, seconds = 4, firstTrack = 0, start = 1_700_000_000_000 } = options;
  const { session = 0.007, clean = 0.003, poor = 0.04, wrong = 0.02 } = options;
  const next = random(seed);
  const walks: Walk[] = [];
  for (let t = 0; t < tracks; t++) {
    const person = Math.floor(next() * persons.length);
    const face = noisy(persons[person]!, session * (0.5 + next()), next);
    const track = identities.track(firstTrack + t, `camera ${t % 3}`);
    const begin = start + t * 10_000;
    const frames = Math.round(fps * seconds * (0.5 + next()));
    const ids: string[] = [];
    let weight = next();
    let decidedAfter: number | undefined;
    for (let f = 0; f < frames; f++) {
      const timestamp = begin + (f * 1000) / fps;
      weight = Math.min(1, Math.max(0.02, weight + 0.25 * (next() - 0.48)));
      const slip = next() < wrong;
      if (!track.needsLook(weight, timestamp)) continue;
      const shown = slip ? persons[Math.floor(next() * persons.length)]! : face;
      const distance = clean + (poor - clean) * (1 - weight) ** 2 * next();
      const identity = await track.add({ embedding: noisy(shown, distance, next), weight, timestamp });
      if (identity.kind !== 'undecided') decidedAfter ??= f + 1;
      const { id } = identity;
      if (id !== undefined && ids.at(-1) !== id) ids.push(id);
    }
    const { kind, id } = track.identity;
    walks.push({ person, frames, looks: track.looks, kind, id, ids, decidedAfter });
    await track.close();
  }
  return walks;
}
