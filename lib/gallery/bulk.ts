import { setImmediate as nextTurn } from 'node:timers/promises';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { commitEntries, conflictsOf, type Entry, prepareEntry } from './enrol.js';
import type { Rates } from './rates.js';
import type { Store } from './store.js';
import type { EnrolOptions, GalleryProgress, NewPerson, NewSample } from './types.js';

/** The event loop gets a turn after this many milliseconds of making ready. */
const SLICE_MS = 4;

/** One person of a bulk enrolment. */
export interface BulkItem {
  readonly person: string | NewPerson;
  readonly samples: NewSample | readonly NewSample[];
  readonly options?: Omit<EnrolOptions, 'signal'>;
}

export interface BulkOptions extends Omit<EnrolOptions, 'onConflict' | 'conflictSimilarity'> {
  /** Samples that share a transaction, 1 to 4096 (default 256). */
  readonly batch?: number;
  /** What to do with a person who cannot be enrolled: `stop` (default) rejects with that error, `skip` sets it down and goes on. */
  readonly onError?: 'stop' | 'skip';
  readonly onProgress?: (progress: GalleryProgress) => void;
}

export interface BulkSummary {
  /** Persons who were not there before. */
  readonly created: number;
  readonly samples: number;
  /** Samples left out for their quality. */
  readonly rejected: number;
  /** Persons who could not be enrolled; `index` in the order of the items. */
  readonly failures: readonly { readonly index: number; readonly error: LineamentError }[];
}

/**
 * Enrols persons as they come, many in a transaction. The next item is asked for when there is room (one batch is written while
 * the next is made ready): a slow disk slows its source. Batches are written one after the other; when the call fails, those
 * before are enrolled and the one under way is not.
 */
export async function enrolMany(
  store: Store,
  rates: Rates,
  items: AsyncIterable<BulkItem> | Iterable<BulkItem>,
  options: BulkOptions,
): Promise<BulkSummary> {
  const { batch = 256, onError = 'stop', onProgress, signal, ...shared } = options;
  if (!Number.isInteger(batch) || batch < 1 || batch > 4096) {
    throw new LineamentError('INVALID_ARGUMENT', `Expected integer from 1 to 4096 for batch but received ${batch}`);
  }
  const summary = { created: 0, samples: 0, rejected: 0, failures: [] as { index: number; error: LineamentError }[] };
  let waiting: { readonly index: number; readonly entry: Entry }[] = [];
  let weight = 0;
  const fail = (index: number, error: unknown): void => {
    const wrapped = wrapError(error);
    // What is the store's fault would befall the others too.
    if (onError === 'stop' || wrapped.code === 'ABORTED' || wrapped.code.startsWith('STORE_')) throw wrapped;
    summary.failures.push({ index, error: wrapped });
  };
  const commit = async (entries: readonly { readonly index: number; readonly entry: Entry }[]): Promise<void> => {
    const done = await store.gate.shared(() =>
      commitEntries(
        store,
        entries.map(({ entry }) => entry),
        signal,
      ),
    );
    for (const one of done) {
      summary.created += one.created ? 1 : 0;
      summary.samples += one.samples.length;
      summary.rejected += one.rejected.length;
    }
    onProgress?.({ stage: 'enrol', done: summary.samples });
  };
  /** The batch that is being written while the next one is made ready. */
  let writing: Promise<void> = Promise.resolve();
  const write = async (all: typeof waiting): Promise<void> => {
    try {
      await commit(all);
    } catch (error) {
      if (onError === 'stop' || all.length === 1) return fail(all[0]!.index, error);
      // One of them spoils the batch: each on its own.
      for (const one of all) await commit([one]).catch((alone: unknown) => fail(one.index, alone));
    }
  };
  const flush = async (): Promise<void> => {
    const all = waiting;
    waiting = [];
    weight = 0;
    await writing;
    if (all.length === 0) return;
    writing = write(all);
    writing.catch(() => undefined);
  };
  let index = 0;
  let turn = performance.now() + SLICE_MS;
  for await (const item of items) {
    if (performance.now() > turn) {
      await nextTurn();
      turn = performance.now() + SLICE_MS;
    }
    throwIfAborted(signal);
    try {
      const own = { ...shared, ...item.options };
      const entry = await prepareEntry(store, item.person, item.samples, own);
      if (own.onConflict !== undefined && own.onConflict !== 'allow') {
        await flush();
        await writing;
        await refuseConflicts(store, rates, entry, own);
      }
      waiting.push({ index, entry });
      weight += entry.samples.length;
    } catch (error) {
      await writing;
      fail(index, error);
    }
    if (weight >= batch) await flush();
    index++;
  }
  await flush();
  await writing;
  return summary;
}

async function refuseConflicts(store: Store, rates: Rates, entry: Entry, options: EnrolOptions): Promise<void> {
  const [conflict] = await conflictsOf(store, rates, entry, options);
  if (conflict !== undefined && options.onConflict === 'refuse') throw conflictError(conflict);
}

export function conflictError(conflict: { index: number; person: string; similarity: number }): LineamentError {
  return new LineamentError(
    'DUPLICATE_ID',
    `samples[${conflict.index}] is enrolled as '${conflict.person}' already (similarity ${conflict.similarity.toFixed(3)})`,
    { fix: `Enrol it as '${conflict.person}', or look at both and set onConflict to 'allow'.` },
  );
}
