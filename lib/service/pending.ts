/** Stands in for parts that are being built; goes when they are there. */

import { LineamentError } from '../errors.js';
import type { ModelCatalogue } from '../models/catalogue/types.js';

export async function openCatalogue(folder: string): Promise<ModelCatalogue> {
  const none = async (): Promise<never> => {
    throw new LineamentError('NOT_FOUND', 'there is no catalogue');
  };
  return {
    folder,
    list: async () => [],
    get: none,
    card: none,
    accept: none,
    download: none,
    remove: none,
    pack: none,
  };
}
