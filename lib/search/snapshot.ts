import { plainObject } from '../errors/validate.js';
import { wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import { Lifetime } from '../inference/lifetime.js';
import type { NativeSnapshot } from '../native/addon.js';
import type { VectorIndexOptions } from './options.js';
import { type Abortable, type Compute, filePath, indexOptions, signalOf, threadsOf } from './options.js';
import { packGroups, packKeys, packVectors } from './pack.js';

/**
 * A snapshot that is being written without an index in memory: for galleries larger than memory. A few tens of MiB are held,
 * however many vectors come. Calls that overlap are not ordered: await each before the next.
 */
export interface VectorSnapshot extends AsyncDisposable {
  readonly dims: number;
  /**
   * As `VectorIndex.add`, but keys must rise, within a call and from call to call. After a failure nothing will be written.
   * Rejects with `INVALID_ARGUMENT`, `STORE_FULL`, `STORE_FAILED`, `ABORTED`, `CLOSED`, `OUT_OF_MEMORY`.
   */
  add(keys: readonly number[], vectors: Float32Array, groups?: readonly number[], options?: Abortable): Promise<void>;
  /**
   * Makes the file appear under its name, or replaces the old one, once it is on the disk; gives how many vectors it holds.
   * Nothing can be added afterwards. Rejects with `STORE_FULL`, `STORE_FAILED`, `CLOSED`, or what `add` failed with.
   */
  finish(): Promise<number>;
  /** Gives up what was not finished: no file is left, and an old one stays as it was. Idempotent. */
  close(): Promise<void>;
}

/**
 * Begins a snapshot that {@link openVectorIndex} will open. It is written to a temporary file beside `path`. Rejects with
 * `STORE_FAILED` where that cannot be made, `STORE_FULL`, `INVALID_ARGUMENT`, `ADDON_NOT_FOUND`.
 */
export async function createVectorSnapshot(path: string, options: VectorIndexOptions): Promise<VectorSnapshot> {
  filePath(path);
  const { dims, precision, given } = indexOptions(options);
  const threads = threadsOf(given);
  try {
    return new Snapshot(threads, dims, await threads.addon.createSnapshot(threads.executor, path, dims, precision));
  } catch (error) {
    await threads.release();
    throw wrapError(error);
  }
}

class Snapshot implements VectorSnapshot {
  readonly dims: number;
  readonly #threads: Compute;
  readonly #native: NativeSnapshot;
  readonly #lifetime = new Lifetime('snapshot');

  constructor(threads: Compute, dims: number, native: NativeSnapshot) {
    this.dims = dims;
    this.#threads = threads;
    this.#native = native;
  }

  add(
    keys: readonly number[],
    vectors: Float32Array,
    groups?: readonly number[],
    options: Abortable = {},
  ): Promise<void> {
    return this.#lifetime.use(async () => {
      const signal = signalOf((plainObject('options', options, ['signal']) as Abortable).signal);
      const packed = packKeys('keys', keys);
      packVectors('vectors', vectors, this.dims, packed.length);
      const packedGroups = groups === undefined ? undefined : packGroups('groups', groups, packed.length);
      if (packed.length === 0) return;
      const { addon, executor } = this.#threads;
      await cancellable(addon, signal, (token) => this.#native.add(executor, packed, vectors, packedGroups, token));
    });
  }

  finish(): Promise<number> {
    return this.#lifetime.use(() =>
      cancellable(this.#threads.addon, undefined, () => this.#native.finish(this.#threads.executor)),
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
}
