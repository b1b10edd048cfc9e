import type { NativeExecutor, NativeToken } from './addon.js';

/**
 * What an index keeps of each vector. `exact`: 32-bit floats beside 8-bit ones that bound them; answers are those of the
 * floats. `half`: 16-bit floats instead of the 32-bit ones; answers are those of the rounded vectors. `int8`: 8 bits only;
 * answers are approximate.
 */
export type IndexPrecision = 'exact' | 'half' | 'int8';

/** One search over an index; every query is answered by the same rules. */
export interface NativeSearchRules {
  /** Most hits for a query, 1 to 1 000 000. */
  readonly k: number;
  /** Least cosine of a hit; none where absent. */
  readonly threshold?: number;
  /** Only vectors of these groups. */
  readonly groups?: Uint32Array;
  /** Only these keys; those that are not there are passed over. */
  readonly only?: Float64Array;
  /** None of these keys. */
  readonly except?: Float64Array;
}

/** Hits of all queries, one query after another, each best first and ties by smaller key. */
export interface NativeHits {
  /** Hits of each query. */
  readonly counts: Uint32Array;
  readonly keys: Float64Array;
  /** Cosines. */
  readonly similarities: Float64Array;
}

/** How far searches went since the index was made or opened, added up over queries. */
export interface NativeSearchWork {
  readonly queries: number;
  /** Vectors that were compared by four bits of each number. */
  readonly compared: number;
  /** Of those, the ones that were compared by eight. */
  readonly refined: number;
  /** Of those, the ones that were scored in full. */
  readonly scored: number;
}

/**
 * Vectors of one length with keys (whole numbers from 0 to 2^53 − 1) and groups (from 0 to 2^32 − 1), searched by cosine.
 * Searches and changes may overlap and never wait for each other: a search sees the one revision that was current when it
 * began. A change is whole or not at all.
 */
export interface NativeIndex {
  readonly dims: number;
  readonly precision: IndexPrecision;
  /** Vectors now. */
  readonly size: number;
  /** Bytes held in memory, without what is mapped from a file. */
  readonly bytes: number;
  /** Bytes mapped from a snapshot. */
  readonly mappedBytes: number;
  /** Grows by one with each change that changed something; kept in snapshots. */
  readonly revision: number;
  readonly work: NativeSearchWork;
  /**
   * `vectors`: keys.length × dims numbers, stored at unit length. `groups`: one for each key, 0 where absent. An existing key is
   * `DUPLICATE_ID` unless `replace` is set, which keeps its group where `groups` is absent; a key twice in one call is
   * `DUPLICATE_ID` always. A vector of zeros or with a number that is not finite is `INVALID_ARGUMENT`.
   */
  add(
    executor: NativeExecutor,
    keys: Float64Array,
    vectors: Float32Array,
    groups: Uint32Array | undefined,
    replace: boolean,
    token?: NativeToken,
  ): Promise<void>;
  /** How many of the keys were there. */
  remove(executor: NativeExecutor, keys: Float64Array, token?: NativeToken): Promise<number>;
  /** `queries`: q × dims numbers of any length above zero. Spreads over the executor's threads. */
  search(
    executor: NativeExecutor,
    queries: Float32Array,
    rules: NativeSearchRules,
    token?: NativeToken,
  ): Promise<NativeHits>;
  /** The keys among these that are there, with the group of each; in the order asked. */
  lookup(executor: NativeExecutor, keys: Float64Array): Promise<{ keys: Float64Array; groups: Uint32Array }>;
  /** Writes a snapshot of one revision, atomically; changes go on meanwhile. `STORE_FULL`, `STORE_FAILED`. */
  save(executor: NativeExecutor, path: string, token?: NativeToken): Promise<void>;
  /** Compares what is mapped from a snapshot with its check sums; `STORE_CORRUPT`. Without a mapped file nothing is done. */
  verify(executor: NativeExecutor, token?: NativeToken): Promise<void>;
  /** Frees once running calls have ended. Later calls reject with `CLOSED`, and facts are 0. Idempotent. */
  close(): Promise<void>;
}

/** A snapshot that is being written, of vectors that come in the order of their keys; one segment is held in memory. */
export interface NativeSnapshot {
  /** As {@link NativeIndex.add}, and keys rise from call to call. After a failure nothing will be written. */
  add(
    executor: NativeExecutor,
    keys: Float64Array,
    vectors: Float32Array,
    groups: Uint32Array | undefined,
    token?: NativeToken,
  ): Promise<void>;
  /** Makes the file appear, or replaces the old one, and gives how many vectors it holds. `STORE_FULL`, `STORE_FAILED`. */
  finish(executor: NativeExecutor): Promise<number>;
  /** Gives up what was not finished. Idempotent. */
  close(): Promise<void>;
}

/** What the addon exports for searching. */
export interface NativeSearch {
  /** `dims`: 2 to 4096. */
  createIndex(dims: number, precision: IndexPrecision): NativeIndex;
  /**
   * Opens a snapshot. `map` reads and verifies header, table, keys and groups, and maps the rest; `load` reads everything and
   * verifies all check sums. `STORE_CORRUPT`, `STORE_VERSION`.
   */
  openIndex(executor: NativeExecutor, path: string, mode: 'map' | 'load', token?: NativeToken): Promise<NativeIndex>;
  /** `STORE_FULL`, `STORE_FAILED`. */
  createSnapshot(
    executor: NativeExecutor,
    path: string,
    dims: number,
    precision: IndexPrecision,
  ): Promise<NativeSnapshot>;
}
