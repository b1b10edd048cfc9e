import type { ModelCard } from '../card.js';
import type { ModelPack } from '../pack.js';

/** Where the bytes of a model can be had. */
export interface ModelSource {
  /** https (http for loopback addresses only). */
  readonly url: string;
  /** Path inside, where the address gives a zip archive. */
  readonly member?: string;
  /** SHA-256 (hex) of what the address gives, where it is publicly known. */
  readonly sha256?: string;
}

/** The fields of a type that it names; `Omit` alone would lose them beside an index signature. */
type Named<T> = { [K in keyof T as string extends K ? never : K]: T[K] };

/** A card of a model that is fetched on request. `sha256` and `bytes` of the file are absent where nobody published them: trust on first use. */
export interface CatalogueCard extends Omit<Named<ModelCard>, 'sha256' | 'bytes'> {
  readonly sha256?: string;
  readonly bytes?: number;
  /** In the order in which they are tried. */
  readonly sources: readonly ModelSource[];
  /** How to come by the file where no address gives it. */
  readonly obtain?: string;
  /** Names of what is published together, such as `buffalo_l`. */
  readonly sets?: readonly string[];
  /** Short name of the licence by which it is accepted, such as `insightface-non-commercial`. */
  readonly licenceId: string;
  readonly licenceUrl?: string;
  /** Use in products is allowed by the licence. */
  readonly commercial: boolean;
  /** Everything else that the card says, as written. */
  readonly [more: string]: unknown;
}

export interface CatalogueEntry {
  readonly id: string;
  readonly title: string;
  readonly task: string;
  readonly licence: string;
  readonly licenceId: string;
  readonly licenceUrl?: string;
  readonly commercial: boolean;
  readonly sets?: readonly string[];
  /** Part of the starter pack, a card of the catalogue, or a card of the user's. */
  readonly origin: 'starter' | 'catalogue' | 'private';
  readonly state: 'present' | 'absent' | 'downloading';
  /** Of the file; absent where not known before it is fetched. */
  readonly bytes?: number;
  readonly sha256?: string;
  /** `published`: the hash comes with the card. `first-use`: it is the one that was seen at the first download. `unknown`: nothing was fetched yet. */
  readonly trust: 'published' | 'first-use' | 'unknown';
  readonly accepted: boolean;
  /** Where the file lies; absent where it is not here. */
  readonly path?: string;
}

export interface DownloadProgress {
  readonly id: string;
  readonly received: number;
  readonly total?: number;
  /** Bytes that were there from an earlier try. */
  readonly resumed: number;
  readonly source: string;
}

export interface CatalogueDownloadOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: DownloadProgress) => void;
}

/** Every model that can be had: what is here, and how to get the others. */
export interface ModelCatalogue {
  /** Folder of the downloads. */
  readonly folder: string;
  list(): Promise<readonly CatalogueEntry[]>;
  /** `NOT_FOUND`. */
  get(id: string): Promise<CatalogueEntry>;
  /** The whole card. `NOT_FOUND`. */
  card(id: string): Promise<CatalogueCard | ModelCard>;
  /** Accepts a licence by its name, lastingly. `NOT_FOUND`. */
  accept(licenceId: string): Promise<void>;
  /**
   * Fetches, verifies and keeps a model; goes on where an earlier try stopped. Two calls for one model share one download. Rejects with `NOT_FOUND`,
   * `LICENCE_NOT_ACCEPTED`, `DOWNLOAD_FAILED` (all addresses, with what each said), `MODEL_HASH_MISMATCH`, `STORE_FULL`, `ACCESS_DENIED`, `ABORTED`.
   */
  download(id: string, options?: CatalogueDownloadOptions): Promise<CatalogueEntry>;
  /**
   * Deletes a downloaded file, and what there is of a download that stopped. The hash of a file that was trusted on first use stays known
   * unless `forget` is set. `NOT_FOUND`; `INVALID_ARGUMENT` for one of the starter pack and for files that lie in a folder of the user's.
   */
  remove(id: string, options?: { readonly forget?: boolean }): Promise<void>;
  /** All models that are here as one pack, for `openEngine`: the starter pack's, the downloaded and the private ones. */
  pack(): Promise<ModelPack>;
}
