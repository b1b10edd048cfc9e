import { access } from 'node:fs/promises';
import { numberIn, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import { Lifetime } from '../inference/lifetime.js';
import type { NativeAddon, NativeExecutor, NativeHits, NativeIndex, NativeSearchRules } from '../native/addon.js';
import type { IndexPrecision } from '../native/search.js';
import {
  type Abortable,
  type Compute,
  filePath,
  indexOptions,
  signalOf,
  type Threads,
  threadsOf,
  type VectorIndexOptions,
} from './options.js';
import { packGroups, packKeys, packVectors } from './pack.js';

export interface OpenVectorIndexOptions extends Threads {
  /**
   * `map` (default): header, keys and groups are read and checked, vectors are mapped from the file and read when a search needs
   * them; their check sums are not verified. The file may be replaced by renaming, but not be cut short. `load`: everything is
   * read into memory, and all check sums are verified.
   */
  readonly mode?: 'map' | 'load';
  readonly signal?: AbortSignal;
}

export interface VectorHit {
  readonly key: number;
  /** Cosine, −1 to 1. */
  readonly similarity: number;
}

export interface VectorSearchOptions {
  /** Most hits for a query, up to 1 000 000; 10 when absent. With `threshold` alone: all above it, up to `limit`. */
  readonly k?: number;
  /** Least cosine of a hit, −1 to 1. */
  readonly threshold?: number;
  /** Most hits for a query where `threshold` is given without `k`; 10 000 when absent. The best ones are kept. */
  readonly limit?: number;
  /** Only vectors of these groups. */
  readonly groups?: readonly number[];
  /** Only these keys. Those that are not in the index are passed over. */
  readonly only?: readonly number[];
  /** None of these keys. */
  readonly except?: readonly number[];
  readonly signal?: AbortSignal;
}

/**
 * Vectors with keys and groups, searched by cosine. Keys are whole numbers from 0 to 2^53 − 1, groups (collections, say) from 0
 * to 2^32 − 1. Calls may overlap: a search sees exactly the revision that was current when it began;
 * a change is whole or not at all, and seen by every search that is asked for after its promise resolved; neither waits for the
 * other. Typed arrays
 * must not be changed until the promise has settled. Usable from worker threads, not to be passed between them.
 *
 * Every method rejects with `CLOSED` after `close`, with `ABORTED` when its signal fires, with `INVALID_ARGUMENT` where an
 * argument is wrong, and with `OUT_OF_MEMORY`; nothing has changed then.
 */
export interface VectorIndex extends AsyncDisposable {
  readonly dims: number;
  readonly precision: IndexPrecision;
  /** Vectors now. */
  readonly size: number;
  /** Bytes held in memory, without what is mapped from a file. */
  readonly bytes: number;
  /** Bytes mapped from a snapshot; the system keeps as much of them in memory as it likes. */
  readonly mappedBytes: number;
  /** Grows with each change; kept in snapshots. */
  readonly revision: number;
  /**
   * Adds vectors (keys.length × dims numbers, one after another; stored at unit length). `groups`: one for each key, 0 where
   * absent. A vector of zeros, or with a number that is not finite, is `INVALID_ARGUMENT`; a key that is there already, or twice
   * in one call, is `DUPLICATE_ID`.
   */
  add(keys: readonly number[], vectors: Float32Array, groups?: readonly number[], options?: Abortable): Promise<void>;
  /** Adds or replaces, otherwise as `add`. Where `groups` is absent, a vector that is replaced stays in its group. */
  update(
    keys: readonly number[],
    vectors: Float32Array,
    groups?: readonly number[],
    options?: Abortable,
  ): Promise<void>;
  /** Removes what is there and gives how many that were. */
  remove(keys: readonly number[], options?: Abortable): Promise<number>;
  /**
   * Hits of each query (q × dims numbers), best first, ties by smaller key. A query without hits has an empty list. Queries given
   * together are answered several times faster than one after another.
   */
  search(queries: Float32Array, options?: VectorSearchOptions): Promise<VectorHit[][]>;
  /** Groups of those of the keys that are there. */
  lookup(keys: readonly number[]): Promise<Map<number, number>>;
  /**
   * Writes a snapshot of one revision: a temporary file beside `path` is renamed when it is whole and on the disk. Rejects with
   * `STORE_FULL` and `STORE_FAILED` (the path cannot be written); the old file is then as it was.
   */
  save(path: string, options?: Abortable): Promise<void>;
  /**
   * Compares what is mapped from a snapshot with its check sums, which reads all of it. Rejects with `STORE_CORRUPT`. Resolves at
   * once where nothing is mapped.
   */
  verify(options?: Abortable): Promise<void>;
  /** Lets running calls end, then frees. Idempotent. */
  close(): Promise<void>;
}

/** Makes an empty index. Rejects with `INVALID_ARGUMENT`, `ADDON_NOT_FOUND`. */
export async function createVectorIndex(options: VectorIndexOptions): Promise<VectorIndex> {
  const { dims, precision, given } = indexOptions(options);
  const threads = threadsOf(given);
  return new Index(threads, threads.addon.createIndex(dims, precision));
}

/**
 * Opens a snapshot that `save` wrote. An index over a mapped file takes changes, in memory, and can be saved again, also to the
 * same path. Rejects with `STORE_NOT_FOUND`, `STORE_CORRUPT` (truncated, damaged, not a snapshot), `STORE_VERSION` (another
 * version of the format), `INVALID_ARGUMENT`, `ABORTED`, `OUT_OF_MEMORY`, `ADDON_NOT_FOUND`.
 */
export async function openVectorIndex(path: string, options: OpenVectorIndexOptions = {}): Promise<VectorIndex> {
  filePath(path);
  const given = plainObject('options', options, ['threads', 'executor', 'mode', 'signal']);
  const mode = given.mode === undefined ? 'map' : oneOf('mode', given.mode, ['map', 'load'] as const);
  const signal = signalOf(given.signal);
  await access(path).catch((cause: unknown) => {
    throw new LineamentError('STORE_NOT_FOUND', `${path} does not exist or may not be read`, { cause });
  });
  const threads = threadsOf(given);
  try {
    const native = await cancellable(threads.addon, signal, (token) =>
      threads.addon.openIndex(threads.executor, path, mode, token),
    );
    return new Index(threads, native);
  } catch (error) {
    await threads.release();
    throw error;
  }
}

/** The methods of an index, wherever its vectors lie. */
export class Index implements VectorIndex {
  readonly dims: number;
  readonly precision: IndexPrecision;
  readonly #threads: Compute;
  readonly #native: NativeIndex;
  readonly #lifetime = new Lifetime('vector index');

  constructor(threads: Compute, native: NativeIndex) {
    this.dims = native.dims;
    this.precision = native.precision;
    this.#threads = threads;
    this.#native = native;
  }

  get size(): number {
    return this.#native.size;
  }

  get bytes(): number {
    return this.#native.bytes;
  }

  get mappedBytes(): number {
    return this.#native.mappedBytes;
  }

  get revision(): number {
    return this.#native.revision;
  }

  add(
    keys: readonly number[],
    vectors: Float32Array,
    groups?: readonly number[],
    options: Abortable = {},
  ): Promise<void> {
    return this.#put(keys, vectors, groups, options, false);
  }

  update(
    keys: readonly number[],
    vectors: Float32Array,
    groups?: readonly number[],
    options: Abortable = {},
  ): Promise<void> {
    return this.#put(keys, vectors, groups, options, true);
  }

  #put(
    keys: readonly number[],
    vectors: Float32Array,
    groups: readonly number[] | undefined,
    options: Abortable,
    replace: boolean,
  ): Promise<void> {
    return this.#use(options, async (addon, executor, signal) => {
      const packed = packKeys('keys', keys);
      packVectors('vectors', vectors, this.dims, packed.length);
      const packedGroups = groups === undefined ? undefined : packGroups('groups', groups, packed.length);
      if (packed.length === 0) return;
      await cancellable(addon, signal, (token) =>
        this.#native.add(executor, packed, vectors, packedGroups, replace, token),
      );
    });
  }

  remove(keys: readonly number[], options: Abortable = {}): Promise<number> {
    return this.#use(options, async (addon, executor, signal) => {
      const packed = packKeys('keys', keys);
      if (packed.length === 0) return 0;
      return cancellable(addon, signal, (token) => this.#native.remove(executor, packed, token));
    });
  }

  search(queries: Float32Array, options: VectorSearchOptions = {}): Promise<VectorHit[][]> {
    return this.#lifetime.use(async () => {
      const { signal, ...given } = plainObject('options', options, SEARCH_OPTIONS) as VectorSearchOptions;
      const rules = rulesOf(given);
      const checked = signalOf(signal);
      packVectors('queries', queries, this.dims);
      if (queries.length === 0) return [];
      const { addon, executor } = this.#threads;
      return unpack(await cancellable(addon, checked, (token) => this.#native.search(executor, queries, rules, token)));
    });
  }

  lookup(keys: readonly number[]): Promise<Map<number, number>> {
    return this.#use({}, async (addon, executor) => {
      const packed = packKeys('keys', keys);
      const found = await cancellable(addon, undefined, () => this.#native.lookup(executor, packed));
      return new Map(Array.from(found.keys, (key, i) => [key, found.groups[i]!]));
    });
  }

  save(path: string, options: Abortable = {}): Promise<void> {
    return this.#use(options, async (addon, executor, signal) => {
      filePath(path);
      await cancellable(addon, signal, (token) => this.#native.save(executor, path, token));
    });
  }

  verify(options: Abortable = {}): Promise<void> {
    return this.#use(options, (addon, executor, signal) =>
      cancellable(addon, signal, (token) => this.#native.verify(executor, token)),
    );
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      await this.#native.close();
      await this.#threads.release();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #use<T>(
    options: Abortable,
    work: (addon: NativeAddon, executor: NativeExecutor, signal: AbortSignal | undefined) => Promise<T>,
  ): Promise<T> {
    return this.#lifetime.use(async () => {
      const { signal } = plainObject('options', options, ['signal']) as Abortable;
      return work(this.#threads.addon, this.#threads.executor, signalOf(signal));
    });
  }
}

const SEARCH_OPTIONS = ['k', 'threshold', 'limit', 'groups', 'only', 'except', 'signal'];
const MOST_HITS = 1_000_000;

function rulesOf(options: Omit<VectorSearchOptions, 'signal'>): NativeSearchRules {
  const { k, threshold, limit, groups, only, except } = options;
  if (limit !== undefined) positiveInteger('limit', limit, MOST_HITS);
  if (k !== undefined) positiveInteger('k', k, MOST_HITS);
  if (threshold !== undefined) numberIn('threshold', threshold, -1, 1);
  return {
    k: k ?? (threshold === undefined ? 10 : (limit ?? 10_000)),
    ...(threshold === undefined ? {} : { threshold }),
    ...(groups === undefined ? {} : { groups: packGroups('groups', groups) }),
    ...(only === undefined ? {} : { only: packKeys('only', only) }),
    ...(except === undefined ? {} : { except: packKeys('except', except) }),
  };
}

function unpack({ counts, keys, similarities }: NativeHits): VectorHit[][] {
  let at = 0;
  return Array.from(counts, (count) => {
    const first = at;
    at += count;
    return Array.from({ length: count }, (_, i) => ({
      key: keys[first + i]!,
      // Vectors are of unit length to the last digits of a 32-bit float: equal ones may come to a little more than 1.
      similarity: Math.max(-1, Math.min(1, similarities[first + i]!)),
    }));
  });
}
