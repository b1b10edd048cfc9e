import { eitherOf } from '../errors/abort.js';
import { positiveInteger } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import { Lifetime } from '../inference/lifetime.js';
import type { Template } from '../templates/index.js';
import type { Embedding } from '../types.js';
import { type BackupInfo, backupDestroyed, listBackups, makeBackup } from './backup.js';
import { type BulkItem, type BulkOptions, type BulkSummary, conflictError, enrolMany } from './bulk.js';
import type { EmbeddingCache } from './cache.js';
import { type CheckOptions, type CheckReport, checkGallery } from './check.js';
import { createCollection, listCollections, type NewCollection } from './collections.js';
import { commitEntries, conflictsOf, prepareEntry } from './enrol.js';
import { type Deletion, deleteFrom, type Erasure, finishErasures, listReceipts, purgeExpired } from './erase.js';
import type { NotThisPerson } from './feedback.js';
import { identifyAll, verifyPerson } from './identify.js';
import { type GalleryOptions, openParts, type Parts } from './open.js';
import {
  listOperations,
  mergePersons,
  type PersonChanges,
  splitPerson,
  undoOperation,
  updatePerson,
} from './operations.js';
import {
  getPerson,
  type ListPersonsOptions,
  listPersons,
  type PersonPage,
  sampleTemplate,
  sampleThumbnail,
} from './persons.js';
import type { Receipt } from './receipt.js';
import { type RotateOptions, rotateKeys } from './rotate.js';
import { galleryStats } from './stats.js';
import { type ExportOptions, exportLines, type ImportOptions, type ImportSummary, importLines } from './transfer.js';
import type {
  CallOptions,
  CollectionInfo,
  DecisionOptions,
  Enrolment,
  EnrolOptions,
  GalleryStats,
  Identification,
  IdentifyOptions,
  NewPerson,
  NewSample,
  Opened,
  Operation,
  PersonDetails,
  PersonVerification,
} from './types.js';

/**
 * Opens the gallery in a folder, and makes it where there is none. SQLite is the truth; the index is derived and brought up to
 * date here: from a snapshot and the changes since, or from all templates where there is no usable snapshot (`opened` says
 * which, and what was put right). Deletions that were interrupted are finished, and those that a restored backup brought back
 * are done again.
 *
 * Rejects with `STORE_BUSY` (open in another process, or in this one), `STORE_NOT_FOUND`, `STORE_CORRUPT`, `STORE_VERSION`
 * (written by a newer release), `STORE_FULL`, `STORE_FAILED`, `ACCESS_DENIED`, `KEY_NOT_FOUND` (it is sealed and no key was
 * given), `KEY_MISMATCH` (another key), `EMBEDDING_MISMATCH` (`model` is not the one of the collection `default`), `ABORTED`,
 * `INVALID_ARGUMENT`, `ADDON_NOT_FOUND`.
 */
export async function openGallery(options: GalleryOptions): Promise<Gallery> {
  return new Gallery(await openParts(options));
}

/**
 * Persons and their faces, searched one against many. Calls may overlap: searching and enrolling go side by side; `merge`,
 * `split`, `undo`, `feedback`, `delete` and the like wait for their turn. What a call acknowledges is on the disk and seen by the
 * next one. Not to be passed between worker threads.
 *
 * Besides what each method names, all reject with `INVALID_ARGUMENT`, `CLOSED`, `ABORTED` (nothing was written), `STORE_BUSY`,
 * `STORE_FULL`, `STORE_CORRUPT`, `STORE_FAILED`, `OUT_OF_MEMORY`, and where the gallery is sealed `STORE_UNAVAILABLE` (a key service
 * that does not answer).
 */
export class Gallery implements AsyncDisposable {
  /** What opening found and did. */
  readonly opened: Opened;
  /** Embeddings of pictures that were seen before. */
  readonly cache: EmbeddingCache;
  readonly #parts: Parts;
  readonly #lifetime = new Lifetime('gallery');
  readonly #closing = new AbortController();

  /** @internal */
  constructor(parts: Parts) {
    this.#parts = parts;
    this.opened = parts.opened;
    this.cache = parts.cache;
  }

  /** A UUID, made with the gallery. */
  get id(): string {
    return this.#parts.store.state.gallery;
  }

  get folder(): string {
    return this.#parts.store.folder;
  }

  /** Whether templates are sealed. */
  get sealed(): boolean {
    return this.#parts.store.sealer.cipher !== undefined;
  }

  /** Key that receipts are signed with (Ed25519, SPKI, base64); keep it elsewhere to check receipts by. */
  get publicKey(): string {
    return Buffer.from(this.#parts.store.state.publicKey).toString('base64');
  }

  /** Grows with each change. */
  get revision(): number {
    return this.#parts.store.state.revision;
  }

  /** In the order of their names. */
  collections(): Promise<readonly CollectionInfo[]> {
    return this.#lifetime.use(() => listCollections(this.#parts.store));
  }

  /** Makes a collection for vectors of one model; enrolling into one that does not exist makes it too. `DUPLICATE_ID`. */
  createCollection(name: string, options: NewCollection): Promise<void> {
    return this.#alone(async () => {
      await createCollection(this.#parts.store, name, options);
    });
  }

  /**
   * Adds a person, or samples to one who is there (`who`: the id, or id with name and metadata). All samples or none. Rejects with
   * `EMBEDDING_MISMATCH` (another model than the collection's), `TEMPLATE_INVALID`, `TEMPLATE_EXPIRED`, `TEMPLATE_REJECTED` (none
   * is good enough), `DUPLICATE_ID` (see `onConflict`, `onExisting`), `MODEL_NOT_FOUND` (`onConflict` without a calibration).
   */
  enrol(
    who: string | NewPerson,
    samples: NewSample | readonly NewSample[],
    options: EnrolOptions = {},
  ): Promise<Enrolment> {
    return this.#use(options.signal, async (signal) => {
      const { store, rates } = this.#parts;
      const entry = await prepareEntry(store, who, samples, options);
      const work = async (): Promise<Enrolment> => {
        const conflicts = await conflictsOf(store, rates, entry, options);
        const [worst] = conflicts;
        if (worst !== undefined && options.onConflict === 'refuse') throw conflictError(worst);
        const [enrolment] = await commitEntries(store, [entry], signal);
        return { ...(enrolment as Enrolment), conflicts };
      };
      // Two calls with the same new face must not both find it free.
      return options.onConflict === 'refuse' ? store.gate.alone(work) : store.gate.shared(work);
    });
  }

  /**
   * Enrols many: see {@link BulkOptions}. Items are asked for as there is room for them. What `onProgress` has counted is on the
   * disk and searchable.
   */
  enrolMany(items: AsyncIterable<BulkItem> | Iterable<BulkItem>, options: BulkOptions = {}): Promise<BulkSummary> {
    return this.#use(options.signal, (signal) =>
      enrolMany(this.#parts.store, this.#parts.rates, items, { ...options, signal }),
    );
  }

  /**
   * Who a face is: the most similar persons, with the decision at the threshold and the rates that the similarity implies in a
   * gallery of this size. Exact with precision `exact` and `half`. Expired samples do not count. Rejects with
   * `EMBEDDING_MISMATCH`, `NOT_FOUND` (a collection), `MODEL_NOT_FOUND` (no threshold is named and no calibration known).
   */
  async identify(probe: Embedding, options: IdentifyOptions = {}): Promise<Identification> {
    const [found] = await this.identifyMany([probe], options);
    return found as Identification;
  }

  /** Several faces in one search, which is faster than one after another; answers in the same order. As `identify`. */
  identifyMany(probes: readonly Embedding[], options: IdentifyOptions = {}): Promise<readonly Identification[]> {
    return this.#use(options.signal, (signal) => {
      const { store, rates, feedback } = this.#parts;
      return identifyAll(store, rates, feedback, probes, { ...options, signal });
    });
  }

  /**
   * Whether a face is the person it is said to be. Rejects with `NOT_FOUND` (no such person, or without samples of the probe's
   * model), `TEMPLATE_EXPIRED` (all samples have), `EMBEDDING_MISMATCH`, `MODEL_NOT_FOUND`.
   */
  verify(
    person: string,
    probe: Embedding,
    options: DecisionOptions & { readonly collection?: string } = {},
  ): Promise<PersonVerification> {
    return this.#use(options.signal, (signal) => {
      const { store, rates, feedback } = this.#parts;
      return verifyPerson(store, rates, feedback, person, probe, { ...options, signal });
    });
  }

  /** The person with all samples; absent where there is none. */
  get(person: string): Promise<PersonDetails | undefined> {
    return this.#lifetime.use(() => getPerson(this.#parts.store, person));
  }

  /** Persons in the order of their ids, page by page. */
  list(options: ListPersonsOptions = {}): Promise<PersonPage> {
    return this.#lifetime.use(() => listPersons(this.#parts.store, options));
  }

  /** The template of a sample. Rejects with `NOT_FOUND`, and with `KEY_MISMATCH` or `STORE_CORRUPT` where it was changed. */
  template(sample: string): Promise<Template> {
    return this.#lifetime.use(() => sampleTemplate(this.#parts.store, sample));
  }

  /** The thumbnail of a sample; absent where it has none. Rejects as `template`. */
  thumbnail(sample: string): Promise<Uint8Array | undefined> {
    return this.#lifetime.use(() => sampleThumbnail(this.#parts.store, sample));
  }

  /** Changes id, name or metadata. Gives an operation for `undo`. Rejects with `NOT_FOUND`, `DUPLICATE_ID`. */
  update(person: string, changes: PersonChanges): Promise<number> {
    return this.#alone(() => updatePerson(this.#parts.store, person, changes));
  }

  /**
   * Two persons are one: samples and feedback of `from` become those of `into`, and `from` goes. Gives an operation for `undo`.
   * Rejects with `NOT_FOUND`.
   */
  merge(into: string, from: string): Promise<number> {
    return this.#alone(() => mergePersons(this.#parts.store, this.#parts.feedback, into, from));
  }

  /** One person is two: some samples become a new person's. Gives the person and an operation for `undo`. Rejects with `NOT_FOUND`, `DUPLICATE_ID`. */
  split(
    person: string,
    samples: readonly string[],
    to: NewPerson = {},
  ): Promise<{ readonly operation: number; readonly person: string }> {
    return this.#alone(() => splitPerson(this.#parts.store, person, samples, to));
  }

  /**
   * "Not this person": later probes that are nearer to this one than to every sample of the person, and near enough to pass for the same
   * face, are not taken for that person any more. Gives an operation for `undo`. Rejects with `NOT_FOUND`, `EMBEDDING_MISMATCH`.
   */
  feedback(given: NotThisPerson): Promise<number> {
    return this.#alone(() => this.#parts.feedback.add(this.#parts.store, given));
  }

  /**
   * Takes an update, merge, split or feedback back: what it touched is as before. Samples enrolled or deleted since stay so. Of
   * several operations on a person the newest comes first. Rejects with `NOT_FOUND`, `DUPLICATE_ID` (the id is taken by now).
   */
  undo(operation: number): Promise<void> {
    return this.#alone(() => undoOperation(this.#parts.store, this.#parts.feedback, operation));
  }

  /** Newest first. */
  operations(options: { readonly person?: string; readonly limit?: number } = {}): Promise<readonly Operation[]> {
    return this.#lifetime.use(() => listOperations(this.#parts.store, options));
  }

  /**
   * Deletes a person, a sample or a collection for good: rows (overwritten), vectors, thumbnails, feedback, cache, operations that
   * name the person, snapshots, and what the log has of them. Cannot be undone. The receipt is signed, and names the
   * backups that may still hold it. Rejects with `NOT_FOUND`.
   */
  delete(what: Deletion): Promise<Erasure> {
    return this.#alone(() => deleteFrom(this.#parts.store, this.#parts.feedback, what));
  }

  /** Deletes samples whose time is over, as `delete` does, and persons who have none left; absent where none had expired. */
  purgeExpired(options: { readonly orphans?: boolean } = {}): Promise<Erasure | undefined> {
    return this.#alone(() => purgeExpired(this.#parts.store, this.#parts.feedback, options));
  }

  /** Finishes deletions whose `delete` rejected after the commit (a reader held the log). Opening does the same. */
  finishErasures(): Promise<readonly Receipt[]> {
    return this.#alone(() => finishErasures(this.#parts.store));
  }

  /** Receipts, newest first. */
  receipts(options: { readonly limit?: number } = {}): Promise<readonly Receipt[]> {
    return this.#lifetime.use(() =>
      listReceipts(this.#parts.store, positiveInteger('limit', options.limit ?? 100, 100_000)),
    );
  }

  /**
   * The gallery as lines of JSON; sealed where the gallery is or a cipher is given, unless `plain` is asked for. Other calls go on
   * meanwhile; each person is as of the moment its line is written.
   */
  async *export(options: ExportOptions = {}): AsyncGenerator<string, void, undefined> {
    this.#lifetime.check();
    const lines = exportLines(this.#parts.store, options);
    for (;;) {
      const { value, done } = await this.#lifetime.use(() => lines.next());
      if (done === true) return;
      yield value;
    }
  }

  /**
   * Enrols what `export` wrote (a stream, lines, pieces of any size). Persons that came before a fault stay. Rejects with
   * `TEMPLATE_INVALID` (it is none, or was cut short), `STORE_VERSION`, `KEY_MISMATCH` (sealed with another key, or changed),
   * `KEY_NOT_FOUND`, `EMBEDDING_MISMATCH`, `DUPLICATE_ID`.
   */
  import(
    pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
    options: ImportOptions = {},
  ): Promise<ImportSummary> {
    return this.#use(options.signal, (signal) => importLines(this.#parts.store, pieces, { ...options, signal }));
  }

  stats(): Promise<GalleryStats> {
    return this.#lifetime.use(() => galleryStats(this.#parts.store));
  }

  /** Reads everything and compares database, templates and index; with `repair` puts right what can be. */
  check(options: CheckOptions = {}): Promise<CheckReport> {
    return this.#alone(() => checkGallery(this.#parts.store, options), options.signal);
  }

  /** Brings everything under the keyring's active key while the gallery is in use. Gives how many rows were renewed. */
  rotate(options: RotateOptions = {}): Promise<number> {
    return this.#use(options.signal, (signal) => rotateKeys(this.#parts.store, { ...options, signal }));
  }

  /** A consistent copy of the database while it is in use. Receipts name it until `backupDestroyed`. Put back by `restoreGallery`. */
  backup(path: string, options: CallOptions = {}): Promise<BackupInfo> {
    return this.#use(options.signal, (signal) => {
      const { store } = this.#parts;
      // Deletions wait: their receipt names this backup then.
      return store.gate.shared(() => makeBackup(store, path, signal));
    });
  }

  /** Oldest first. */
  backups(): Promise<readonly BackupInfo[]> {
    return this.#lifetime.use(() => listBackups(this.#parts.store));
  }

  /** Sets down that all copies of a backup are destroyed. `NOT_FOUND`. */
  backupDestroyed(path: string): Promise<void> {
    return this.#lifetime.use(() => backupDestroyed(this.#parts.store, path));
  }

  /** Saves the index, so that the next opening is quick; closing does it where it is worth it. Nothing in a sealed gallery. */
  save(options: CallOptions = {}): Promise<void> {
    return this.#alone(() => this.#parts.store.spaces.save(options.signal), options.signal);
  }

  /**
   * Lets running calls end (long ones are stopped at the next step and reject with `CLOSED`), saves the index where there is room
   * for it, and frees everything. Idempotent.
   */
  close(): Promise<void> {
    this.#closing.abort(new LineamentError('CLOSED', 'this gallery has been closed'));
    return this.#lifetime.close(async () => {
      // The index is derived: where it cannot be saved (a full disk), the next opening makes it anew.
      await this.#parts.store.spaces.saveWhereWorthIt().catch(() => undefined);
      await this.#parts.dispose();
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A call that `close` may stop. */
  #use<T>(given: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#lifetime.use(async () => {
      const closing = this.#closing.signal;
      const both = given === undefined ? undefined : eitherOf(given, closing);
      const signal = both?.signal ?? closing;
      try {
        throwIfAborted(signal);
        return await work(signal);
      } catch (error) {
        if (closing.aborted && given?.aborted !== true && (error as LineamentError).code === 'ABORTED') {
          throw new LineamentError('CLOSED', 'this gallery was closed meanwhile', { cause: error });
        }
        throw error;
      } finally {
        both?.forget();
      }
    });
  }

  #alone<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    return this.#lifetime.use(() => {
      throwIfAborted(signal);
      return this.#parts.store.gate.alone(work);
    });
  }
}
