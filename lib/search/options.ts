/** Options that an index and a writer of snapshots share. */
import { abortSignal, invalid, nonEmptyString, oneOf, plainObject, positiveInteger } from '../errors/validate.js';
import type { NativeAddon, NativeExecutor } from '../native/addon.js';
import { loadAddon } from '../native/index.js';
import type { IndexPrecision } from '../native/search.js';

/**
 * What an index keeps of each vector of D numbers. `exact`: 32-bit floats and 8-bit codes that bound them, 5·D bytes; answers are
 * the true top-k. `half`: 16-bit floats instead of the 32-bit ones, 3·D bytes; answers are the true top-k of the rounded vectors
 * (cosines are off by less than 0.0001 at 512 numbers). `int8`: the codes alone, D bytes; answers are approximate (cosines are
 * off by 0.001, seldom by 0.005, at 512 numbers), for galleries larger than memory. To each come 36 bytes for key, group and
 * bounds, and in memory 20 to 50 for finding keys; D counts as its next multiple of 64 for the codes.
 */
export const INDEX_PRECISIONS = ['exact', 'half', 'int8'] as const satisfies readonly IndexPrecision[];

export interface Threads {
  /** Compute threads of its own; the processors that the process may use when absent. */
  readonly threads?: number;
  /** Threads to share instead, such as a `Runtime`'s `executor`; they are not closed with it. */
  readonly executor?: NativeExecutor;
}

export interface VectorIndexOptions extends Threads {
  /** Numbers of a vector, 2 to 4096. */
  readonly dims: number;
  /** `exact` when absent. */
  readonly precision?: IndexPrecision;
}

export interface Abortable {
  readonly signal?: AbortSignal;
}

export function indexOptions(options: VectorIndexOptions): {
  readonly dims: number;
  readonly precision: IndexPrecision;
  readonly given: Record<string, unknown>;
} {
  const given = plainObject('options', options, ['dims', 'precision', 'threads', 'executor']);
  const dims = positiveInteger('dims', given.dims, 4096);
  if (dims < 2) throw invalid('dims', 'integer from 2 to 4096', given.dims);
  const precision = given.precision === undefined ? 'exact' : oneOf('precision', given.precision, INDEX_PRECISIONS);
  return { dims, precision, given };
}

export interface Compute {
  readonly addon: NativeAddon;
  readonly executor: NativeExecutor;
  /** Ends the threads where they are its own. */
  release(): Promise<void>;
}

export function threadsOf(given: Record<string, unknown>): Compute {
  if (given.threads !== undefined && given.executor !== undefined) {
    throw invalid('threads', 'nothing beside executor', given.threads);
  }
  const threads = given.threads === undefined ? undefined : positiveInteger('threads', given.threads, 256);
  if (given.executor !== undefined && (typeof given.executor !== 'object' || given.executor === null)) {
    throw invalid('executor', 'executor of the addon', given.executor);
  }
  const addon = loadAddon();
  if (given.executor !== undefined) {
    return { addon, executor: given.executor as NativeExecutor, release: async () => undefined };
  }
  const executor = addon.createExecutor(threads ?? Math.max(1, addon.cpu().cores));
  return { addon, executor, release: () => executor.close() };
}

export function filePath(path: string): void {
  nonEmptyString('path', path);
  if (path.includes('\0')) throw invalid('path', 'path of a file', path);
}

export function signalOf(signal: unknown): AbortSignal | undefined {
  return signal === undefined ? undefined : abortSignal('signal', signal);
}
