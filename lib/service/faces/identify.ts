/** Searching what is enrolled. */
import { wrapError } from '../../errors.js';
import type { Identification, IdentifyOptions } from '../../gallery/index.js';
import type { Embedding } from '../../types.js';
import { calibrated } from './decision.js';
import type { Bench } from './work.js';

/** Of a probe: as a request brought it along, and as the search takes it. */
const BYTES_PER_NUMBER = 12;

/**
 * Who these faces may be, in one search, in its turn: not to be called within another. Looks into the collections that are named, or into the
 * configured one; where that was never made there is nobody.
 */
export function searchEnrolled(
  { parts, engine, kind, priority, signal }: Bench,
  probes: readonly Embedding[],
  options: Omit<IdentifyOptions, 'collection' | 'signal'>,
  collection: string | readonly string[] | undefined,
): Promise<readonly Identification[]> {
  const bytes = probes.reduce((sum, { dims }) => sum + dims * BYTES_PER_NUMBER, 0);
  // What it takes depends on the gallery, and says nothing of pictures.
  return parts.scheduler.run({ kind: `${kind}_search`, priority, bytes, signal }, async (turn) => {
    const search = (where: string | readonly string[]): Promise<readonly Identification[]> =>
      calibrated(engine.preset.recognition.model, () =>
        parts.gallery.identifyMany(probes, { ...options, collection: where, signal: turn }),
      );
    if (collection !== undefined) return search(collection);
    try {
      return await search(parts.config.data.collection);
    } catch (error) {
      if (wrapError(error).code !== 'NOT_FOUND') throw error;
      return search([]);
    }
  });
}
