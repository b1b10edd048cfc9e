/** Models that are fetched on request: cards, licences, verified downloads, one pack of all that is here. */
export { parseCatalogueCard } from './card.js';
export { openCatalogue } from './catalogue.js';
export { defaultCacheFolder } from './folder.js';
export type { CatalogueNetwork, CatalogueOptions } from './options.js';
export type {
  CatalogueCard,
  CatalogueDownloadOptions,
  CatalogueEntry,
  DownloadProgress,
  ModelCatalogue,
  ModelSource,
} from './types.js';
