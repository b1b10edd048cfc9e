import { wrapError } from '../errors.js';
import { type ModelPack, openPack } from '../models/pack.js';

/** What the option `models` stands for. */
export async function packOf(models: string | ModelPack | undefined): Promise<ModelPack> {
  if (typeof models === 'object') return models;
  return models === undefined ? withDownloads(await openPack()) : openPack(models);
}

/**
 * The starter pack, and behind it what was downloaded by the model catalogue: where the starter pack has no card, the catalogue of the user's cache
 * folder is opened, without a network. So a preset of the catalogue works as soon as its files are there; where they are not, the error says how to
 * fetch them.
 */
function withDownloads(starter: ModelPack): ModelPack {
  let downloads: Promise<ModelPack> | undefined;
  // Loaded when it is asked for: most engines need the starter pack only.
  const open = async (): Promise<ModelPack> => {
    const { openCatalogue } = await import('../models/catalogue/index.js');
    const catalogue = await openCatalogue({ offline: true });
    return catalogue.pack();
  };
  const holderOf = async (id: string): Promise<ModelPack> => {
    try {
      await starter.card(id);
      return starter;
    } catch (error) {
      if (wrapError(error).code !== 'MODEL_NOT_FOUND') throw error;
    }
    downloads ??= open().catch((error: unknown) => {
      downloads = undefined;
      throw error;
    });
    return downloads;
  };
  return {
    folder: starter.folder,
    card: async (id) => (await holderOf(id)).card(id),
    read: async (id) => (await holderOf(id)).read(id),
  };
}
