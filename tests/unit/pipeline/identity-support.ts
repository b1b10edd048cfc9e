import { join } from 'node:path';
import { afterEach } from 'vitest';
import type { Gallery } from '../../../lib/gallery/index.js';
import {
  Identities,
  type IdentitiesOptions,
  type IdentityChange,
  Strangers,
  type StrangersOptions,
} from '../../../lib/pipeline/identity/index.js';
import type { Embedding } from '../../../lib/types.js';
import { gallery, newFolder } from '../../gallery/support.js';

export { codeOf, Faces, gallery, newFolder } from '../../gallery/support.js';

const open: { close(): Promise<void> }[] = [];

// Runs before the hook of the galleries: strangers stand on them.
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

/** Of `Faces`, whose strangers lie around 0. */
export const MATCH = { threshold: 0.6 } as const;
export const START = 1_700_000_000_000;

/** A list of strangers that is closed after the test. */
export async function strangersIn(own: Gallery, options: Partial<StrangersOptions> = {}): Promise<Strangers> {
  const path = options.path ?? join(await newFolder(), 'strangers.db');
  const made = await Strangers.open({ gallery: own, path, match: MATCH, ...options });
  open.push(made);
  return made;
}

export interface Watched {
  readonly gallery: Gallery;
  readonly strangers: Strangers;
  readonly identities: Identities;
  readonly changes: IdentityChange[];
}

/** Gallery, strangers and identities for faces of no network. */
export async function watched(options: Partial<IdentitiesOptions> = {}): Promise<Watched> {
  const own = options.gallery ?? (await gallery());
  const strangers = options.strangers ?? (await strangersIn(own));
  const changes: IdentityChange[] = [];
  const identities = new Identities({
    match: MATCH,
    onChange: (change) => changes.push(change),
    ...options,
    gallery: own,
    strangers,
  });
  open.push(identities);
  return { gallery: own, strangers, identities, changes };
}

/** Shows a face to a track so often, a second apart. */
export async function show(
  { identities }: Pick<Watched, 'identities'>,
  number: number,
  faces: readonly Embedding[],
  weight = 0.7,
  start = START,
) {
  const track = identities.track(number, 'door');
  for (const [i, embedding] of faces.entries()) await track.add({ embedding, weight, timestamp: start + i * 1000 });
  return track;
}
