import { LineamentError, wrapError } from '../errors.js';
import type { Gallery } from './gallery.js';

/** What embeddings come from: `Engine.recogniser()`. */
export interface PinnedTo {
  readonly model: string;
  readonly dims: number;
  /** SHA-256 (hex) over its networks. */
  readonly hash: string;
}

/** Pins a new collection to these networks, and refuses one that was made with others (`EMBEDDING_MISMATCH`). */
export async function pinCollection(gallery: Gallery, { model, dims, hash }: PinnedTo, name: string): Promise<void> {
  const find = async () => (await gallery.collections()).find((one) => one.name === name);
  let found = await find();
  if (found === undefined) {
    try {
      await gallery.createCollection(name, { model, dims, modelHash: hash });
      return;
    } catch (error) {
      // Another call made it at the same moment.
      if (wrapError(error).code !== 'DUPLICATE_ID') throw error;
      found = await find();
    }
  }
  if (found === undefined) throw new LineamentError('NOT_FOUND', `collection '${name}' was deleted meanwhile`);
  if (found.model !== model || (found.modelHash !== undefined && found.modelHash !== hash)) {
    throw new LineamentError('EMBEDDING_MISMATCH', `collection '${name}' was made with other networks than these`, {
      fix: `It holds vectors of '${found.model}': use the preset and the models that it was made with, or another collection.`,
    });
  }
}
