import { LineamentError } from '../errors.js';
import type { Probe, StorageModel, TemplateEntry, TemplateMatch, TemplateRef } from './types.js';

/** A template as a backend keeps it. */
export interface Row extends TemplateRef {
  readonly storedAt: number;
  readonly expiresAt?: number;
  /** Names the key of a revocable transform; empty: none. Only vectors with the same value can be compared. */
  readonly protection: string;
  /** Encoded template, sealed where there is a cipher. */
  readonly bytes: Uint8Array;
}

export interface NewRow extends Row {
  /** Unit length. */
  readonly vector: Float32Array;
}

export interface PutRequest {
  readonly replace: boolean;
  /** Idempotency key, and what the request says (SHA-256 over it). */
  readonly key?: { readonly id: string; readonly digest: string };
}

export interface PutResult {
  readonly replaced: number;
  readonly replayed: boolean;
}

export interface SearchRequest {
  /** Unit length, of the storage's model. */
  readonly probes: readonly Pick<Probe, 'vector' | 'protection'>[];
  readonly k: number;
  readonly threshold?: number;
  readonly collections?: readonly string[];
  /** What expired before is not given. */
  readonly now: number;
}

/** A page, and whether there is another behind it. */
export interface Entries {
  readonly entries: readonly TemplateEntry[];
  readonly more: boolean;
}

/** A page of what was read with one more than asked for. */
export function pageOf(entries: readonly TemplateEntry[], limit: number): Entries {
  return { entries: entries.slice(0, limit), more: entries.length > limit };
}

/** {@link Row.protection} of a template or probe. */
export function protectionName(protection: Probe['protection']): string {
  return protection === undefined ? '' : `${protection.scheme}/${protection.keyId}`;
}

/**
 * What a backend has to do: plain rows in and out. Arguments were checked by then. Rows of one `put` are of one collection, and
 * are written together or not at all.
 */
export interface StorageDriver {
  readonly model: StorageModel;
  readonly matching: 'exact' | 'approximate';
  /** For messages: "storage at https://…". */
  readonly name: string;
  put(collection: string, rows: readonly NewRow[], request: PutRequest, signal?: AbortSignal): Promise<PutResult>;
  get(ref: TemplateRef, signal?: AbortSignal): Promise<Row | undefined>;
  remove(collection: string, ids: readonly string[], signal?: AbortSignal): Promise<number>;
  removeExpired(now: number, collection: string | undefined, signal?: AbortSignal): Promise<number>;
  /** In order, from behind `after` on. */
  list(
    collection: string | undefined,
    after: TemplateRef | undefined,
    limit: number,
    signal?: AbortSignal,
  ): Promise<Entries>;
  count(collection: string | undefined, signal?: AbortSignal): Promise<number>;
  search(request: SearchRequest, signal?: AbortSignal): Promise<TemplateMatch[][]>;
  close(): Promise<void>;
}

/** A request came again under its key with other content. */
export const keyConflict = (key: string): LineamentError =>
  new LineamentError('DUPLICATE_ID', `the idempotency key '${key}' belongs to another request`, {
    fix: 'Use a new key for each request.',
  });
