import { access } from 'node:fs/promises';
import { invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError, wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type { NativeCudaIndex } from '../native/addon.js';
import { cudaLibrary } from '../native/index.js';
import { type Compute, filePath, signalOf, type Threads, threadsOf } from './options.js';
import { Index, type VectorIndex } from './vector-index.js';

export interface CudaVectorIndexOptions extends Threads {
  /** Numbers of a vector, 2 to 4096. */
  readonly dims: number;
  /** Number of the device, as `cudaStatus()` lists them; 0 when absent. */
  readonly device?: number;
  /** Most bytes of the device's memory; all there is when absent. */
  readonly deviceMemory?: number;
}

export interface OpenCudaVectorIndexOptions extends CudaVectorIndexOptions {
  readonly signal?: AbortSignal;
}

/**
 * A {@link VectorIndex} whose vectors lie on a CUDA device: same keys, same similarities to the last bit, same order. Of each
 * vector of D numbers the device keeps 5·D bytes and about 20 more; keys and groups stay here. Calls take turns, so that a change
 * waits for the searches before it. `OUT_OF_MEMORY` speaks of the device too, and leaves the index usable; after `INTERNAL` the
 * device has failed and the index is of no more use. Nothing is mapped: `verify` resolves at once.
 */
export interface CudaVectorIndex extends VectorIndex {
  readonly precision: 'exact';
  /** Bytes of the device's memory that are taken. */
  readonly deviceBytes: number;
}

/**
 * Makes an empty index on a CUDA device. The plugin (`LINEAMENT_CUDA`, or liblineament_cuda beside the addon) is loaded and the
 * driver started by this call, not before. Rejects with `PROVIDER_UNAVAILABLE`, which says what is missing and what to do (the
 * CPU is never taken instead; `createVectorIndex` uses it), `INVALID_ARGUMENT`, `OUT_OF_MEMORY`, `ADDON_NOT_FOUND`.
 */
export async function createCudaVectorIndex(options: CudaVectorIndexOptions): Promise<CudaVectorIndex> {
  return open(plainObject('options', options, ['dims', 'device', 'deviceMemory', 'threads', 'executor']));
}

/**
 * Reads a snapshot that an index of precision `exact` has saved, on a device or not, onto a CUDA device; all its check sums are
 * verified. Rejects as {@link createCudaVectorIndex}, and with `STORE_NOT_FOUND`, `STORE_CORRUPT`, `STORE_VERSION`,
 * `INVALID_ARGUMENT` where its vectors have other dims or another precision, `ABORTED`.
 */
export async function openCudaVectorIndex(path: string, options: OpenCudaVectorIndexOptions): Promise<CudaVectorIndex> {
  filePath(path);
  const known = ['dims', 'device', 'deviceMemory', 'threads', 'executor', 'signal'];
  const given = plainObject('options', options, known);
  const signal = signalOf(given.signal);
  await access(path).catch((cause: unknown) => {
    throw new LineamentError('STORE_NOT_FOUND', `${path} does not exist or may not be read`, { cause });
  });
  return open(given, ({ addon, executor }, native) =>
    cancellable(addon, signal, (token) => native.load(executor, path, token)),
  );
}

async function open(
  given: Record<string, unknown>,
  fill?: (threads: Compute, native: NativeCudaIndex) => Promise<void>,
): Promise<CudaVectorIndex> {
  const dims = positiveInteger('dims', given.dims, 4096);
  if (dims < 2) throw invalid('dims', 'integer from 2 to 4096', given.dims);
  const device = given.device === undefined ? 0 : numberIn('device', given.device, 0, 1023);
  if (!Number.isInteger(device)) throw invalid('device', 'whole number', given.device);
  const memory = given.deviceMemory === undefined ? 0 : positiveInteger('deviceMemory', given.deviceMemory);
  const threads = threadsOf(given);
  let native: NativeCudaIndex | undefined;
  try {
    native = await threads.addon.createCudaIndex(threads.executor, cudaLibrary(), dims, device, memory);
    await fill?.(threads, native);
    return new CudaIndex(threads, native);
  } catch (error) {
    await native?.close();
    await threads.release();
    throw wrapError(error);
  }
}

class CudaIndex extends Index implements CudaVectorIndex {
  override readonly precision = 'exact';
  readonly #device: NativeCudaIndex;

  constructor(threads: Compute, native: NativeCudaIndex) {
    super(threads, native);
    this.#device = native;
  }

  get deviceBytes(): number {
    return this.#device.deviceBytes;
  }
}
