import type { Template } from '../templates/template.js';
import type { Embedding } from '../types.js';

/** What all templates of one storage have in common: only such vectors can be compared. */
export interface StorageModel {
  /** `Embedding.model` of every template and probe. */
  readonly model: string;
  /** Length of the vectors, 2 to 4096; backends with a lower limit say so when they are opened. */
  readonly dims: number;
  /** SHA-256 (hex) over the networks behind it; templates and probes that name another are refused. */
  readonly modelHash?: string;
}

/** What a template lies under: a name that is unique inside its collection. */
export interface TemplateRef {
  /** 1 to 255 characters, none of them a control character. */
  readonly id: string;
  /** 1 to 128 characters, as `id`; `'default'` where none is given. */
  readonly collection: string;
}

export interface TemplateItem {
  readonly id: string;
  readonly template: Template;
}

/** A template with where and since when it lies. */
export interface StoredTemplate extends TemplateRef {
  readonly template: Template;
  /** Milliseconds since the epoch, by the clock of whoever stored it (of the server, where there is one between). */
  readonly storedAt: number;
}

/** What a listing says of a template; the template itself comes with `getTemplate`. */
export interface TemplateEntry extends TemplateRef {
  readonly storedAt: number;
  readonly expiresAt?: number;
}

export interface TemplatePage {
  /** In the order of collection, then id (by code points of UTF-8). */
  readonly entries: readonly TemplateEntry[];
  /** Give it as `after` to get the next page; absent on the last. */
  readonly next?: string;
}

export interface CallOptions {
  /** The call rejects with `ABORTED` when it fires. A write that was already on its way may still happen. */
  readonly signal?: AbortSignal;
}

export interface CollectionOptions extends CallOptions {
  /** Default `'default'`. */
  readonly collection?: string;
}

export interface StoreTemplateOptions extends CollectionOptions {
  /** Take the place of what lies there (default false: `DUPLICATE_ID`). */
  readonly replace?: boolean;
  /**
   * 1 to 255 characters, new for each request and repeated with its repetitions: a request whose key was seen already is not
   * done again, its first answer is given again (`replayed`). The same key with other content is `DUPLICATE_ID`. Kept for
   * a day at least (Milvus: for as long as what was stored with it lies there).
   */
  readonly idempotencyKey?: string;
}

export interface StoreResult {
  /** How many templates were stored: all of the request, or it would have been rejected. */
  readonly stored: number;
  /** How many of them took the place of another. */
  readonly replaced: number;
  /** The idempotency key was known: nothing was done now, this is the first answer. */
  readonly replayed: boolean;
}

export interface ListOptions extends CallOptions {
  /** Absent: all collections. */
  readonly collection?: string;
  /** `next` of the page before. */
  readonly after?: string;
  /** Entries on a page, 1 to 1000 (default 100). */
  readonly limit?: number;
}

export interface CountOptions extends CallOptions {
  /** Absent: all collections. */
  readonly collection?: string;
}

/** What is looked for: an embedding, or a template (whose protection then says which templates it can be compared with). */
export type Probe = Embedding & Partial<Pick<Template, 'modelHash' | 'protection'>>;

export interface MatchOptions extends CallOptions {
  /** Most matches for each probe, 1 to 1000 (default 10). */
  readonly k?: number;
  /** Cosine, −1 to 1: nothing below it is given. Absent: the nearest `k`, however far they are. */
  readonly threshold?: number;
  /** Where to look; absent: all collections. */
  readonly collection?: string | readonly string[];
}

export interface TemplateMatch extends TemplateRef {
  /** Cosine of probe and template, −1 to 1. */
  readonly similarity: number;
}

/**
 * Where templates lie. All calls may run side by side; each is atomic where its backend has transactions (all but Milvus).
 * What a call acknowledges is durable and found by the next.
 *
 * Errors of every call: `INVALID_ARGUMENT`, `EMBEDDING_MISMATCH` (another model or length), `CLOSED`, `ABORTED`,
 * `STORE_UNAVAILABLE`, `STORE_BUSY`, `STORE_FULL`, `STORE_CORRUPT`, `STORE_FAILED`, `ACCESS_DENIED`.
 */
export interface TemplateStore {
  readonly model: StorageModel;
  /** Also `DUPLICATE_ID`, `TEMPLATE_EXPIRED` (it already has), `TEMPLATE_INVALID`. */
  storeTemplate(id: string, template: Template, options?: StoreTemplateOptions): Promise<StoreResult>;
  /** All of them or none. 1 to 5000, no id twice; the other errors are those of `storeTemplate`. */
  storeTemplates(items: readonly TemplateItem[], options?: StoreTemplateOptions): Promise<StoreResult>;
  /** Absent where there is none. `TEMPLATE_EXPIRED` where its time is over; `KEY_NOT_FOUND`, `KEY_MISMATCH` where it is sealed. */
  getTemplate(id: string, options?: CollectionOptions): Promise<StoredTemplate | undefined>;
  /** Whether there was one. Over HTTP a repeated request may say `false` of a template that its first try deleted. */
  deleteTemplate(id: string, options?: CollectionOptions): Promise<boolean>;
  /** How many there were; 1 to 5000 ids. */
  deleteTemplates(ids: readonly string[], options?: CollectionOptions): Promise<number>;
  /** Deletes what has expired by the clock of the backend's caller, and says how many there were. */
  deleteExpired(options?: CountOptions): Promise<number>;
  listTemplates(options?: ListOptions): Promise<TemplatePage>;
  /** How many templates there are, expired ones included until they are deleted. */
  count(options?: CountOptions): Promise<number>;
  /** Lets running calls end; later ones reject with `CLOSED`. Idempotent. */
  close(): Promise<void>;
}

/**
 * Who a face may be. Compared are templates of the same model under the same protection key (or, for a probe without
 * protection, unprotected ones) that have not expired. Best first.
 */
export interface TemplateMatcher {
  findMatches(probe: Probe, options?: MatchOptions): Promise<TemplateMatch[]>;
  /** One list for each probe, 1 to 1000 of them. */
  findMatchesBatch(probes: readonly Probe[], options?: MatchOptions): Promise<TemplateMatch[][]>;
}

/** A backend: stores and matches. */
export interface TemplateStorage extends TemplateStore, TemplateMatcher, AsyncDisposable {
  /**
   * `exact`: the matches are the true nearest templates. `approximate`: candidates come from an index that may miss some; what is
   * given has its exact similarity.
   */
  readonly matching: 'exact' | 'approximate';
}
