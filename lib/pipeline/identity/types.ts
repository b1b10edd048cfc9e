/** What passes in and out of the identity part of the pipeline. */
import type { Embedding } from '../../types.js';
import type { Identity } from '../types.js';

/** Somebody whom no gallery knows by name, with an id that lasts. */
export interface StrangerInfo {
  /** `Person_` and eight hexadecimal digits, unless the person was enrolled under another id. */
  readonly id: string;
  readonly name?: string;
  /** Of frames, ms since the epoch. */
  readonly firstSeen: number;
  readonly lastSeen: number;
  /** Tracks in which the person was seen. */
  readonly tracks: number;
  /** Enrolled as a known person since. */
  readonly enrolled: boolean;
}

/** A change to strangers that `undo` can take back. */
export interface StrangerOperation {
  /** Number of the gallery's operation. */
  readonly operation: number;
  readonly kind: 'merge' | 'split' | 'rename' | 'feedback';
  /** ms since the epoch, by the gallery's clock. */
  readonly at: number;
  /** Ids as they were then; of a merge the one that stayed first. */
  readonly strangers: readonly string[];
  /** Who did it: a call, or `recluster`. */
  readonly by: 'call' | 'cluster';
  readonly undone: boolean;
}

/** What happened to a stranger. */
export type StrangerNotice =
  | { readonly kind: 'founded'; readonly id: string }
  | { readonly kind: 'renamed'; readonly id: string; readonly name?: string; readonly previous?: string }
  /** `id` is `into` from now on. */
  | { readonly kind: 'merged'; readonly id: string; readonly into: string; readonly operation?: number }
  /** Two who were one: a split, or a merge that was taken back. */
  | { readonly kind: 'parted'; readonly id: string; readonly from: string; readonly operation: number }
  | { readonly kind: 'enrolled'; readonly id: string; readonly person: string }
  /** Known before, a stranger again. */
  | { readonly kind: 'demoted'; readonly id: string }
  | { readonly kind: 'erased'; readonly id: string };

/** Who a track is held to be has changed. */
export interface IdentityChange {
  readonly track: number;
  readonly camera: string;
  /** Of the frame that led to it, ms since the epoch. */
  readonly timestamp: number;
  readonly identity: Identity;
  readonly previous: Identity;
  /**
   * `look`: what was seen. `conflict`: another track in the same picture is this person with better reason. `gallery`: somebody was enrolled,
   * deleted, merged, split or ruled out. `renamed`: the same person by another name.
   */
  readonly cause: 'look' | 'conflict' | 'gallery' | 'renamed';
  /** For strangers: seen before this track. */
  readonly returning?: boolean;
}

/** Counts since the identities were opened. */
export interface IdentityStats {
  readonly tracks: number;
  /** How often a look was asked about, and how often the answer was yes. */
  readonly asked: number;
  readonly wanted: number;
  /** Looks that were given, those too poor to count, and those that did not fit their track. */
  readonly looks: number;
  readonly poor: number;
  readonly dissenting: number;
  /** Searches of galleries. */
  readonly searches: number;
  readonly changes: number;
  /** Strangers who got an id, and those found again. */
  readonly founded: number;
  readonly returned: number;
}

/** A look at a track's face. */
export interface NewLook {
  readonly embedding: Embedding;
  /** 0–1: `lookWeight`. */
  readonly weight: number;
  /** Of the frame, ms since the epoch. */
  readonly timestamp: number;
}
