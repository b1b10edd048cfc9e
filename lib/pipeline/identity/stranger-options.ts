import type { Gallery, Json } from '../../gallery/index.js';
import type { HeldBack, PlannedMerge } from './cluster.js';
import type { MatchRate } from './lookup.js';

export interface StrangersOptions {
  /** Where strangers' templates are kept, in a collection of their own: sealed where it is sealed, erased with its receipts. */
  readonly gallery: Gallery;
  /** SQLite file of what is known of strangers beside their templates; made where it is missing. */
  readonly path: string;
  /** Default `'strangers'`. Searches of the gallery that name no collection find strangers too. */
  readonly collection?: string;
  /** When two are the same stranger; default `{ fmr: 0.005, fuse: 'quality' }`. */
  readonly match?: MatchRate;
  /** Most samples that are kept of one stranger, 1 to 100; default 8. */
  readonly mostSamples?: number;
  /** Four bytes for a new id; random when absent. For replays that must give the same ids. */
  readonly newId?: () => Uint8Array;
}

export interface EnrolStrangerOptions {
  readonly name?: string;
  /** Reference to the record of consent; kept with each sample. */
  readonly consent: string;
  /** The id in the gallery; the stranger's own when absent. Somebody who is there already takes the stranger's samples over. */
  readonly person?: string;
  /** Default `'default'`. */
  readonly collection?: string;
  readonly metadata?: Json;
  /** ms since the epoch. */
  readonly expiresAt?: number;
}

export interface ReclusterOptions {
  /** Only say what would be done. */
  readonly dryRun?: boolean;
  /** Only who is near to one of these, and they. */
  readonly only?: readonly string[];
  /** When two are one person; the list's own rate when absent. */
  readonly match?: Pick<MatchRate, 'fmr' | 'threshold'>;
  /** Most persons in one new cluster, as a share of all strangers (0–1, default 0.2); ten are always allowed. */
  readonly mostShare?: number;
  readonly signal?: AbortSignal;
}

export interface Reclustered {
  /** `operation` is for `undo`; absent in a dry run. */
  readonly merges: readonly (PlannedMerge & { readonly operation?: number })[];
  readonly heldBack: readonly HeldBack[];
  /** Strangers that were looked at. */
  readonly persons: number;
}
