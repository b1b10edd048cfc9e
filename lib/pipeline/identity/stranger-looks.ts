import { wrapError } from '../../errors.js';
import type { Gallery, NewSample, SampleInfo } from '../../gallery/index.js';
import type { Look } from './evidence.js';
import type { MatchRate } from './lookup.js';
import { NEAR } from './rules.js';

/** Where strangers' looks are kept. */
export interface StrangerPlace {
  readonly gallery: Gallery;
  readonly collection: string;
  readonly match: MatchRate;
  readonly mostSamples: number;
  /** Four bytes. */
  newId(): Uint8Array;
  /** Whether an id is or was somebody's. */
  taken(id: string): boolean;
}

/** Looks that a new stranger is known by. */
const FIRST_LOOKS = 3;
/** Another look is kept where it is farther from the others than this share of the threshold's distance. */
const NOVEL = 0.25;
/** Tries for an id that is free; in vain only where the dice are loaded. */
const MOST_TRIES = 1000;

const roll = ({ newId }: StrangerPlace): string =>
  `Person_${Buffer.from(newId()).subarray(0, 4).toString('hex').toUpperCase()}`;

/** An id that nobody has or had. */
export function freshId(place: StrangerPlace): string {
  let id = roll(place);
  for (let i = 1; i < MOST_TRIES && place.taken(id); i++) id = roll(place);
  return id;
}

/** The best looks, as samples. */
export const firstSamples = (looks: readonly Look[], camera: string): readonly NewSample[] =>
  looks
    .toSorted((a, b) => b.weight - a.weight)
    .slice(0, FIRST_LOOKS)
    .map((look) => sampleOf(look, camera));

/** Enrols somebody under an id that is free in the gallery too. */
export async function enrolNew(
  place: StrangerPlace,
  samples: readonly NewSample[],
  signal: AbortSignal | undefined,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const id = freshId(place);
    try {
      const options = { collection: place.collection, onExisting: 'refuse', ...(signal && { signal }) } as const;
      await place.gallery.enrol({ id }, samples, options);
      return id;
    } catch (error) {
      if (wrapError(error).code !== 'DUPLICATE_ID' || attempt >= MOST_TRIES) throw error;
    }
  }
}

/** Keeps a look where it shows the stranger as no other does and there is room. */
export async function keepLook(place: StrangerPlace, id: string, look: Look, camera: string): Promise<boolean> {
  const { gallery, collection, match, mostSamples } = place;
  const own = samplesIn(collection, (await gallery.get(id))?.samples ?? []);
  if (own.length === 0 || own.length >= mostSamples) return false;
  const { candidates, threshold } = await gallery.identify(look.embedding, {
    ...match,
    fuse: 'best',
    collection,
    k: 10,
  });
  const similarity = candidates.find(({ person }) => person === id)?.similarity ?? -1;
  const far = (1 - similarity) / Math.max(1e-6, 1 - threshold);
  // What does not resemble him at all is no evidence, whatever the track says.
  if (far < NOVEL || far > NEAR) return false;
  await gallery.enrol(id, sampleOf(look, camera), { collection });
  return true;
}

/** Samples of a collection that count. */
export const samplesIn = (collection: string, samples: readonly SampleInfo[]): readonly SampleInfo[] =>
  samples.filter((one) => one.collection === collection && !one.expired);

const sampleOf = ({ embedding, weight, timestamp }: Look, camera: string): NewSample => ({
  embedding,
  quality: Math.max(1, 100 * weight),
  // A reference to the picture; a camera's id may be anything.
  source: `${camera.replace(/[\p{Cc}\p{Surrogate}]/gu, '').slice(0, 500)}@${Math.floor(timestamp)}`,
});
