/** Searching what is enrolled. */
import { wrapError } from '../../errors.js';
import type { Identification, IdentifyOptions } from '../../gallery/index.js';
import type { Embedding } from '../../types.js';
import { calibrated } from './decision.js';
import type { Bench } from './work.js';

/**
 * Who these faces may be, in one search. Looks into the collections that are named, or into the configured one; where that was never made there is nobody.
 */
export async function searchEnrolled(
  { parts: { gallery, config }, engine, signal }: Bench,
  probes: readonly Embedding[],
  options: Omit<IdentifyOptions, 'collection' | 'signal'>,
  collection: string | readonly string[] | undefined,
): Promise<readonly Identification[]> {
  const search = (where: string | readonly string[]): Promise<readonly Identification[]> =>
    calibrated(engine.preset.recognition.model, () =>
      gallery.identifyMany(probes, { ...options, collection: where, signal }),
    );
  if (collection !== undefined) return search(collection);
  try {
    return await search(config.data.collection);
  } catch (error) {
    if (wrapError(error).code !== 'NOT_FOUND') throw error;
    return search([]);
  }
}
