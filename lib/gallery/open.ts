import { randomBytes, randomUUID } from 'node:crypto';
import { chmod } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  abortSignal,
  invalid,
  nonEmptyString,
  numberIn,
  oneOf,
  plainObject,
  positiveInteger,
} from '../errors/validate.js';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import type { Calibration } from '../models/index.js';
import type { IndexPrecision, NativeFileLock, SqlRow } from '../native/index.js';
import { INDEX_PRECISIONS } from '../search/index.js';
import { type KeySource, TemplateCipher } from '../templates/index.js';
import { EmbeddingCache } from './cache.js';
import { checkModel, createCollection, findCollection, loadCollections } from './collections.js';
import { Database } from './database.js';
import { applyTombstones, finishErasures } from './erase.js';
import { Feedback } from './feedback.js';
import { lockFolder, prepareFolder } from './lock.js';
import { Rates } from './rates.js';
import { newSigningKey } from './receipt.js';
import { APPLICATION_ID, DATABASE_FILE, MIGRATIONS } from './schema.js';
import { Sealer } from './sealer.js';
import { Spaces } from './spaces.js';
import { flag, Store, type StoreState } from './store.js';
import { unapplied } from './tombstones.js';
import type { CallOptions, GalleryProgress, Opened } from './types.js';

export interface GalleryOptions extends CallOptions {
  /** A folder of its own on a local disk: database, list of deletions, lock, and snapshots of the index. */
  readonly folder: string;
  /** Makes the gallery where there is none (default true; else `STORE_NOT_FOUND`). */
  readonly create?: boolean;
  /** Pins the collection `default` to this `Embedding.model`; it is made where it is missing. Needs `dims`. */
  readonly model?: string;
  readonly dims?: number;
  /**
   * Seals templates, thumbnails, feedback and cache; ids, names, metadata and references stay readable. A gallery is sealed from
   * its first day or never.
   */
  readonly keys?: KeySource;
  /** The same with a cipher that the caller keeps and closes. */
  readonly cipher?: TemplateCipher;
  /** What the index keeps of each vector (default `exact`); may differ from one opening to the next. */
  readonly precision?: IndexPrecision;
  /** Compute threads of the index; all processors when absent. */
  readonly threads?: number;
  /** A calibration of the caller's own, for its model; those that come with the package serve the others. */
  readonly calibration?: Calibration;
  /**
   * Keep snapshots of the index in the folder, so that opening is quicker (default true). A sealed gallery never does: they
   * would hold the vectors in the open. Its index is made anew from the templates at every opening.
   */
  readonly snapshots?: boolean;
  /** Most entries of the embedding cache; 10 000 when absent, 0 for none. */
  readonly cacheEntries?: number;
  /** The clock, ms since the epoch. */
  readonly now?: () => number;
  readonly onProgress?: (progress: GalleryProgress) => void;
}

const OPTIONS = [
  'folder',
  'create',
  'model',
  'dims',
  'keys',
  'cipher',
  'precision',
  'threads',
  'calibration',
  'snapshots',
  'cacheEntries',
  'now',
  'onProgress',
  'signal',
] as const satisfies readonly (keyof GalleryOptions)[];

/** Templates that share a data key. Wrapping one costs more than sealing; rows are erased by overwriting them, not by losing keys. */
const TEMPLATES_PER_KEY = 256;

/** What a gallery is made of once it is open. */
export interface Parts {
  readonly store: Store;
  readonly feedback: Feedback;
  readonly rates: Rates;
  readonly cache: EmbeddingCache;
  readonly opened: Opened;
  /** Closes everything; the index is not saved. */
  readonly dispose: () => Promise<void>;
}

export async function openParts(options: GalleryOptions): Promise<Parts> {
  plainObject('options', options, OPTIONS);
  const folder = resolve(nonEmptyString('folder', options.folder));
  const create = flag('create', options.create, true);
  const precision = oneOf('precision', options.precision ?? 'exact', INDEX_PRECISIONS);
  const snapshots = flag('snapshots', options.snapshots, true);
  const entries = numberIn('cacheEntries', options.cacheEntries ?? 10_000, 0, 100_000_000);
  if (options.threads !== undefined) positiveInteger('threads', options.threads, 256);
  if (options.signal !== undefined) abortSignal('signal', options.signal);
  if (options.keys !== undefined && options.cipher !== undefined)
    throw invalid('keys', 'nothing beside cipher', options.keys);
  if ((options.model === undefined) !== (options.dims === undefined))
    throw invalid('model', 'model and dims together', options.model);
  throwIfAborted(options.signal);
  await prepareFolder(folder, create);
  const closers: (() => Promise<void> | void)[] = [];
  const dispose = async (): Promise<void> => {
    for (const close of closers.reverse()) await close();
    closers.length = 0;
  };
  try {
    const lock: NativeFileLock = await lockFolder(folder);
    closers.push(() => lock.release());
    const cipher =
      options.keys === undefined
        ? options.cipher
        : await TemplateCipher.open(options.keys, { templatesPerKey: TEMPLATES_PER_KEY });
    if (options.keys !== undefined) closers.push(() => cipher?.close());
    const db = await Database.open({
      path: join(folder, DATABASE_FILE),
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
    });
    closers.push(() => db.close());
    const created = await ensureState(db, cipher);
    // Biometrics, for the owner alone; the log gets the permissions of its database.
    if (created) await chmod(db.path, 0o600);
    const { state, secret } = await readState(db, cipher);
    const sealer = new Sealer(state.gallery, secret, cipher);
    const spaces = new Spaces(folder, db, sealer, {
      precision,
      snapshots: snapshots && cipher === undefined,
      ...(options.threads === undefined ? {} : { threads: options.threads }),
    });
    closers.push(() => spaces.close());
    const store = new Store(folder, db, sealer, spaces, state, options.now);
    const repaired = await catchUp(store);
    const report = await spaces.open({ signal: options.signal, onProgress: options.onProgress });
    if ((await finishErasures(store)).length > 0) repaired.push('a deletion that had been interrupted was finished');
    await loadCollections(store);
    const feedback = new Feedback();
    const unreadable = await feedback.load(store);
    if (unreadable > 0) repaired.push(`${unreadable} probes of feedback cannot be read and have no effect`);
    const cache = await EmbeddingCache.open(store, entries);
    if (options.model !== undefined && options.dims !== undefined) {
      await pinDefault(store, options.model, options.dims);
    }
    const opened: Opened = {
      created,
      index: report.index,
      replayed: report.replayed,
      repaired: [...repaired, ...report.repaired],
      damaged: [...spaces.damaged.values()],
    };
    return { store, feedback, rates: new Rates(options.calibration), cache, opened, dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** Deletes again what a restored backup brought back, before there is an index to search. */
async function catchUp(store: Store): Promise<string[]> {
  const missing = await unapplied(store);
  if (missing === undefined) return [];
  await applyTombstones(store, missing);
  const count = missing.samples.length + missing.persons.length;
  return count === 0 ? [] : [`${count} persons and samples that had been deleted were in the database: deleted again`];
}

async function pinDefault(store: Store, model: string, dims: number): Promise<void> {
  const found = findCollection(store, 'default');
  if (found === undefined) await createCollection(store, 'default', { model, dims });
  else checkModel(found, { model, dims });
}

/** What is sealed to tell the right key from a wrong one before anything else is opened. */
const CHECKED = Buffer.from('lineament gallery');
const contextOf = (gallery: string, what: string): string => `gallery ${gallery} ${what}`;

/** Writes the row of a new gallery; says whether it was new. */
async function ensureState(db: Database, cipher: TemplateCipher | undefined): Promise<boolean> {
  if ((await db.read('SELECT 1 FROM state')).rows.length > 0) return false;
  const gallery = randomUUID();
  const { signingKey, publicKey } = newSigningKey();
  const secret = randomBytes(32);
  const seal = async (bytes: Uint8Array, what: string): Promise<Uint8Array> =>
    cipher === undefined ? bytes : cipher.seal(bytes, contextOf(gallery, what));
  await db.write([
    {
      sql: `INSERT INTO state (one, gallery, created_at, revision, clock, tombstones, change_log, sealed, key_check,
          secret, signing_key, public_key) VALUES (1, ?, ?, 0, 0, 0, 1, ?, ?, ?, ?, ?)`,
      params: [
        gallery,
        Date.now(),
        cipher === undefined ? 0 : 1,
        cipher === undefined ? null : await seal(CHECKED, 'key check'),
        await seal(secret, 'secret'),
        await seal(signingKey, 'signing key'),
        publicKey,
      ],
    },
  ]);
  return true;
}

async function readState(
  db: Database,
  cipher: TemplateCipher | undefined,
): Promise<{ state: StoreState; secret: Uint8Array }> {
  const { rows } = await db.read(
    `SELECT gallery, created_at, revision, clock, tombstones, sealed, key_check, secret, signing_key, public_key,
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'persons'), 0),
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'samples'), 0),
      coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'operations'), 0)
     FROM state`,
  );
  const row = rows[0] as SqlRow;
  const gallery = String(row[0]);
  await checkKey(gallery, Number(row[5]) === 1, row[6], cipher);
  const open = async (bytes: unknown, what: string): Promise<Uint8Array> =>
    cipher === undefined ? (bytes as Uint8Array) : cipher.open(bytes as Uint8Array, contextOf(gallery, what));
  return {
    secret: await open(row[7], 'secret'),
    state: {
      gallery,
      createdAt: Number(row[1]),
      revision: Number(row[2]),
      clock: Number(row[3]),
      tombstones: Number(row[4]),
      signingKey: await open(row[8], 'signing key'),
      publicKey: row[9] as Uint8Array,
      nextPerson: Number(row[10]) + 1,
      nextSample: Number(row[11]) + 1,
      nextOperation: Number(row[12]) + 1,
    },
  };
}

async function checkKey(
  gallery: string,
  sealed: boolean,
  check: unknown,
  cipher: TemplateCipher | undefined,
): Promise<void> {
  if (!sealed && cipher !== undefined) {
    throw new LineamentError('INVALID_ARGUMENT', 'this gallery was made without a key', {
      fix: 'Export it, and import it into a new gallery that is made with the key.',
    });
  }
  if (!sealed) return;
  if (cipher === undefined) {
    throw new LineamentError('KEY_NOT_FOUND', 'this gallery is sealed', { fix: 'Give the keys it was made with.' });
  }
  try {
    await cipher.open(check as Uint8Array, contextOf(gallery, 'key check'));
  } catch (cause) {
    const { code } = wrapError(cause);
    if (code !== 'KEY_MISMATCH' && code !== 'KEY_NOT_FOUND' && code !== 'TEMPLATE_INVALID') throw cause;
    throw new LineamentError('KEY_MISMATCH', 'this gallery is sealed with another key', {
      cause,
      fix: 'Give the keyring that holds its key.',
    });
  }
}
