/** The data that goes into a gallery and comes out of it. */
import type { Template } from '../templates/index.js';
import type { Embedding } from '../types.js';

/** Any JSON value. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface CallOptions {
  /** The call rejects with `ABORTED` when it fires; nothing has been written then. */
  readonly signal?: AbortSignal;
}

/** Persons and their samples that are searched together. All vectors of a collection come from one recogniser. */
export interface CollectionInfo {
  readonly name: string;
  /** `Embedding.model` of all its samples. */
  readonly model: string;
  /** SHA-256 (hex) over the networks behind the model; absent where it was not named when the collection was made. */
  readonly modelHash?: string;
  readonly dims: number;
  /** Samples, expired ones included until they are purged. */
  readonly samples: number;
  /** Whatever the application keeps with it. */
  readonly settings: Json;
  /** ms since the epoch, UTC. */
  readonly createdAt: number;
}

export interface PersonInfo {
  /** Unique in the gallery, 1 to 255 characters. */
  readonly id: string;
  readonly name?: string;
  readonly metadata?: Json;
  /** ms since the epoch, UTC; of the person, and of the last change to id, name or metadata. */
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Samples, expired ones included until they are purged. */
  readonly samples: number;
}

/** What is known of one enrolled face; its vector comes with `template`. */
export interface SampleInfo {
  /** Made by the gallery, a UUID. */
  readonly id: string;
  readonly person: string;
  readonly collection: string;
  /** 0–100; absent where not measured. */
  readonly quality?: number;
  readonly createdAt: number;
  readonly expiresAt?: number;
  /** It is not matched any more, and goes with the next `purgeExpired`. */
  readonly expired: boolean;
  /** Reference to a record of consent. */
  readonly consent?: string;
  /** Reference to the picture, as it was given. */
  readonly source?: string;
  readonly thumbnail: boolean;
}

export interface PersonDetails extends Omit<PersonInfo, 'samples'> {
  readonly samples: readonly SampleInfo[];
}

/** One face of a person: an embedding, or a template that was made of one or several. */
export interface NewSample {
  readonly embedding?: Embedding;
  readonly template?: Template;
  /** 0–100; of the template when absent. */
  readonly quality?: number;
  /** ≤ 255 bytes. */
  readonly consent?: string;
  /** ms since the epoch, UTC; not in the past. */
  readonly expiresAt?: number;
  /** An encoded picture of the face, kept with the sample (sealed in a sealed gallery), ≤ 1 MiB. */
  readonly thumbnail?: Uint8Array;
  /** Reference to the picture it was taken from, ≤ 1024 characters; the gallery keeps no pictures. */
  readonly source?: string;
  /** SHA-256 of the picture's bytes (hex): deleting the sample then also clears what the embedding cache has of it. */
  readonly image?: string;
}

/** Who is enrolled. Without an id a UUID is made. */
export interface NewPerson {
  readonly id?: string;
  readonly name?: string;
  /** JSON, ≤ 64 KiB. */
  readonly metadata?: Json;
}

export interface EnrolOptions extends CallOptions {
  /** Default `'default'`. It is made, pinned to the model of the first sample, where it does not exist. */
  readonly collection?: string;
  /** For all samples that name none of their own. */
  readonly consent?: string;
  readonly expiresAt?: number;
  /** Samples whose quality is known to be lower are left out and reported; none left is `TEMPLATE_REJECTED`. */
  readonly minQuality?: number;
  /**
   * What to do where a face is already enrolled as somebody else's: `allow` (default) does not look, `report` enrols and says so, `refuse`
   * rejects with `DUPLICATE_ID` before anything is written.
   */
  readonly onConflict?: 'allow' | 'report' | 'refuse';
  /** From which similarity a face counts as somebody else's; the calibration's default rate when absent. */
  readonly conflictSimilarity?: number;
  /** What to do where the person is already there: `add` samples (default; name and metadata stay), or `refuse` with `DUPLICATE_ID`. */
  readonly onExisting?: 'add' | 'refuse';
}

/** A face that looks like somebody else who is enrolled. */
export interface Conflict {
  /** Index of the sample in the call. */
  readonly index: number;
  readonly person: string;
  readonly similarity: number;
  /** False match rate of one comparison at this similarity; absent without a calibration. */
  readonly fmr?: number;
}

export interface Rejection {
  /** Index of the sample in the call. */
  readonly index: number;
  readonly reason: 'quality';
  readonly quality: number;
}

export interface Enrolment {
  readonly person: string;
  /** The person was not there before. */
  readonly created: boolean;
  /** Ids of the new samples, in the order of the call without those rejected. On the disk and searchable. */
  readonly samples: readonly string[];
  readonly rejected: readonly Rejection[];
  readonly conflicts: readonly Conflict[];
}

/** How far a long call is. */
export interface GalleryProgress {
  readonly stage: 'index' | 'enrol' | 'check' | 'rotate' | 'import';
  readonly done: number;
  /** Absent where nobody knows. */
  readonly total?: number;
}

export interface DecisionOptions extends CallOptions {
  /** Decide at this false match rate of one comparison; needs a calibration that measured it. */
  readonly fmr?: number;
  /** Decide so that a search of the whole gallery has this false positive identification rate. For `identify` only. */
  readonly fpir?: number;
  /** Decide at this cosine, −1 to 1. Without any of the three: the calibration's default rate. */
  readonly threshold?: number;
  /**
   * How the samples of a person count: `best` (default) is the most similar one, `mean` the mean over all of them, `quality` that
   * mean weighted by the samples' quality (50 where unknown). Calibrations are measured on single comparisons: rates of the
   * means are those of one comparison with the same score.
   */
  readonly fuse?: 'best' | 'mean' | 'quality';
  /** Let feedback count (default true). */
  readonly feedback?: boolean;
}

export interface IdentifyOptions extends DecisionOptions {
  /** Most candidates, 1 to 1000 (default 5). */
  readonly k?: number;
  /** Where to look; absent: all collections of the probe's model. */
  readonly collection?: string | readonly string[];
  /** Persons who do not count. */
  readonly except?: readonly string[];
}

/** Who a face may be. */
export interface IdentifiedPerson {
  readonly person: string;
  readonly name?: string;
  /** Fused over the person's samples, −1 to 1. */
  readonly similarity: number;
  /** The sample that is most similar. */
  readonly sample: string;
  readonly collection: string;
  /** At or above the threshold. */
  readonly match: boolean;
  /** False match rate of one comparison at this similarity; absent without a calibration. */
  readonly fmr?: number;
  /** The false positive identification rate that the number of templates searched makes of it. */
  readonly fpir?: number;
  /** The similarity is beyond what was measured: both rates are upper bounds. */
  readonly ratesAtMost?: true;
}

/** Somebody whom feedback ruled out for a probe like this. */
export interface SetAside {
  readonly person: string;
  readonly similarity: number;
  /** The feedback that did it; `undo` takes it back. */
  readonly feedback: number;
  /** Cosine of the probe and the one that was rejected. */
  readonly nearness: number;
}

export interface Identification {
  /** Best first; also those below the threshold, told by `match`. Nobody is an empty list. */
  readonly candidates: readonly IdentifiedPerson[];
  /** The best candidate, where it is a match. */
  readonly match?: IdentifiedPerson;
  readonly setAside: readonly SetAside[];
  readonly threshold: number;
  /** False match rate at the threshold; absent where it is not known. */
  readonly fmr?: number;
  /** Templates that the probe was compared with. */
  readonly searched: number;
}

export interface PersonVerification {
  readonly match: boolean;
  readonly similarity: number;
  readonly threshold: number;
  readonly fmr?: number;
  /** Samples that were compared. */
  readonly samples: number;
  /** Feedback that made it no match. */
  readonly feedback?: number;
}

/** A change that `undo` can take back. */
export interface Operation {
  readonly id: number;
  readonly kind: 'update' | 'merge' | 'split' | 'feedback';
  readonly createdAt: number;
  /** Ids, as they were then. */
  readonly persons: readonly string[];
  readonly undone: boolean;
}

/** A sample whose template cannot be read; the others are not touched by it. */
export interface DamagedSample {
  readonly sample: string;
  readonly person: string;
  readonly code: string;
  readonly message: string;
}

/** What opening found and did. */
export interface Opened {
  readonly created: boolean;
  /**
   * Where the index came from: a snapshot (`snapshot`), a snapshot and the changes since (`replayed`), or every template (`rebuilt`).
   */
  readonly index: 'snapshot' | 'replayed' | 'rebuilt';
  /** Changes since the snapshot that were caught up with. */
  readonly replayed: number;
  /** What was wrong and has been put right, for a log. */
  readonly repaired: readonly string[];
  readonly damaged: readonly DamagedSample[];
}

export interface GalleryStats {
  readonly gallery: string;
  readonly revision: number;
  readonly persons: number;
  readonly samples: number;
  /** Samples that have expired and are not purged yet. */
  readonly expired: number;
  readonly collections: number;
  readonly feedback: number;
  readonly cached: number;
  readonly sealed: boolean;
  readonly damaged: number;
  /** Bytes of the database's file and its log, of snapshots, and of the index in memory. */
  readonly bytes: {
    readonly database: number;
    readonly log: number;
    readonly snapshots: number;
    readonly index: number;
  };
}
