import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  abortSignal,
  boolean,
  invalid,
  nonEmptyString,
  oneOf,
  plainObject,
  positiveInteger,
} from '../errors/validate.js';
import { abortError, LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import { Lifetime } from '../inference/lifetime.js';
import type { NativeAddon, NativeCursor, NativeDatabase, NativeExecutor } from '../native/addon.js';
import { loadAddon, type SqlResult, type SqlRow, type SqlStatement, type SqlValue } from '../native/index.js';
import { prepareUpgrade } from './migrations.js';
import { checkStatements, checkValues } from './sql-values.js';
import { WriteQueue } from './write-queue.js';

export { MOST_QUEUED_WRITES } from './write-queue.js';

export interface DatabaseOptions {
  /** The database's file; SQLite keeps two more beside it while it is open (`-wal`, `-shm`). A local disk, no network share. */
  readonly path: string;
  /** Makes the file where it is missing (the folder must be there). Default true; false with `readOnly`. */
  readonly create?: boolean;
  /** Refuses writes. Default false. */
  readonly readOnly?: boolean;
  /** How long a write waits for one of another process, in milliseconds. Default 5000. */
  readonly busyTimeoutMs?: number;
  /**
   * `full` (default): an acknowledged write is on the disk. `normal`: it outlives the process, but a power cut may take the
   * last ones.
   */
  readonly synchronous?: 'full' | 'normal';
  /** Tells this kind of file from others (SQLite's `application_id`, 1 to 2^31 − 1); another one is `STORE_CORRUPT`. */
  readonly applicationId?: number;
  /**
   * Statements that bring a file from version i to version i + 1 (SQLite's `user_version`). They run when the file is opened,
   * each version in one transaction. A file of a higher version is `STORE_VERSION`.
   */
  readonly migrations?: readonly (readonly string[])[];
}

export interface ReadOptions {
  /** Most rows in one answer, default 10 000; a query that gives more is refused: take {@link Database.pages}. */
  readonly maxRows?: number;
  readonly signal?: AbortSignal;
}

const OPTIONS = [
  'path',
  'create',
  'readOnly',
  'busyTimeoutMs',
  'synchronous',
  'applicationId',
  'migrations',
] as const satisfies readonly (keyof DatabaseOptions)[];

/**
 * A SQLite file (WAL mode) whose work runs on threads of its own: the event loop waits for nothing, and neither do networks
 * and searches on other executors.
 *
 * - Reads see one snapshot each and do not wait for writes.
 * - Writes are done in the order of their calls. Those that arrive while a commit is under way are joined into the next
 *   transaction and share its commit; each is acknowledged when that commit is done (with `synchronous: 'full'`: on the disk), and
 *   one that fails is undone by itself without touching the others.
 * - At most {@link MOST_QUEUED_WRITES} writes wait; one more is `STORE_BUSY`. Who awaits his writes never gets there.
 * - What is deleted is overwritten with zeros in the file (`secure_delete`); the log keeps older pages until
 *   `checkpoint('truncate')`.
 *
 * Several processes may open one file. Within one process no other copy of SQLite may open it: POSIX gives up a process's locks
 * when any of its descriptors of that file is closed.
 */
export class Database implements AsyncDisposable {
  readonly path: string;
  readonly readOnly: boolean;
  readonly #addon: NativeAddon;
  readonly #native: NativeDatabase;
  readonly #writer: NativeExecutor;
  readonly #readers: NativeExecutor;
  readonly #queue: WriteQueue;
  readonly #lifetime = new Lifetime('database');

  private constructor(
    addon: NativeAddon,
    native: NativeDatabase,
    writer: NativeExecutor,
    readers: NativeExecutor,
    readOnly: boolean,
  ) {
    this.path = native.path;
    this.readOnly = readOnly;
    this.#addon = addon;
    this.#native = native;
    this.#writer = writer;
    this.#readers = readers;
    this.#queue = new WriteQueue(addon, native, writer);
  }

  /**
   * Opens the file and brings it to the newest version. Rejects with `STORE_NOT_FOUND` (no such file or folder), `ACCESS_DENIED`,
   * `STORE_CORRUPT` (damaged, no database, another application's), `STORE_VERSION` (written by a newer release), `STORE_BUSY`,
   * `STORE_FULL`, `STORE_FAILED`, `INVALID_ARGUMENT`.
   */
  static async open(options: DatabaseOptions): Promise<Database> {
    plainObject('options', options, OPTIONS);
    const path = resolve(nonEmptyString('path', options.path));
    const readOnly = boolean('readOnly', options.readOnly ?? false);
    const create = boolean('create', options.create ?? !readOnly) && !readOnly;
    const busyTimeoutMs = positiveInteger('busyTimeoutMs', options.busyTimeoutMs ?? 5000, 600_000);
    const synchronous = oneOf('synchronous', options.synchronous ?? 'full', ['full', 'normal']);
    if (options.applicationId !== undefined) {
      positiveInteger('applicationId', options.applicationId, 2 ** 31 - 1);
      if ((options.migrations ?? []).length === 0) throw invalid('migrations', 'non-empty array', options.migrations);
    }
    await checkPlace(path, create, readOnly);
    const addon = loadAddon();
    const writer = addon.createExecutor(1);
    const readers = addon.createExecutor(READ_THREADS);
    let native: NativeDatabase | undefined;
    try {
      native = await addon.openDatabase(writer, path, { readOnly, create, busyTimeoutMs, synchronous });
      await prepareUpgrade(native, writer, path, { ...options, readOnly });
      return new Database(addon, native, writer, readers, readOnly);
    } catch (error) {
      await native?.close();
      await Promise.all([writer.close(), readers.close()]);
      throw explain(error, path);
    }
  }

  /** One query over one snapshot. */
  async read(sql: string, params: readonly SqlValue[] = [], options: ReadOptions = {}): Promise<SqlResult> {
    const [result] = await this.readAll([{ sql, params }], options);
    return result as SqlResult;
  }

  /** Several queries over the same snapshot. */
  readAll(statements: readonly SqlStatement[], options: ReadOptions = {}): Promise<readonly SqlResult[]> {
    return this.#lifetime.use(async () => {
      checkStatements(statements);
      const maxRows = positiveInteger('maxRows', options.maxRows ?? 10_000, 1_000_000);
      if (options.signal !== undefined) abortSignal('signal', options.signal);
      return await this.#guard(options.signal, (token) =>
        this.#native.run(this.#readers, statements, { write: false, maxRows }, token),
      );
    });
  }

  /**
   * A query of any size over one snapshot, `pageSize` rows (default 1000) at a time. At most six may be under way at once; one that
   * stays open keeps the log from being emptied, so walk it to its end or leave the loop.
   */
  async *pages(
    sql: string,
    params: readonly SqlValue[] = [],
    options: { readonly pageSize?: number; readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<readonly SqlRow[], void, undefined> {
    this.#lifetime.check();
    checkValues(params, 'params');
    const pageSize = positiveInteger('pageSize', options.pageSize ?? 1000, 10_000);
    const { signal } = options;
    let cursor: NativeCursor | undefined;
    try {
      cursor = await this.#guard(signal, (token) =>
        this.#native.cursor(this.#readers, { sql: nonEmptyString('sql', sql), params }, token),
      );
      const open = cursor;
      for (;;) {
        const rows = await this.#guard(signal, (token) => open.next(this.#readers, pageSize, token));
        if (rows.length === 0) return;
        yield rows;
      }
    } finally {
      await cursor?.close();
    }
  }

  /**
   * All statements or none, acknowledged when they are committed. `signal` takes the write back as long as its transaction has not
   * been committed (`ABORTED`: nothing was written). Handing a row over takes the event loop about 3 µs: split writes of many
   * thousands. Codes: those of {@link NativeDatabase}.
   */
  write(
    statements: readonly SqlStatement[],
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<readonly SqlResult[]> {
    return this.#lifetime.use(async () => {
      if (this.readOnly) throw new LineamentError('STORE_FAILED', `${this.path} was opened read-only`);
      checkStatements(statements);
      const { signal } = options;
      if (signal !== undefined) abortSignal('signal', signal);
      throwIfAborted(signal);
      try {
        return await this.#queue.push(statements, signal);
      } catch (error) {
        throw signal?.aborted === true && wrapError(error).code === 'ABORTED'
          ? abortError(signal)
          : explain(error, this.path);
      }
    });
  }

  /** Writes that wait or are being committed. */
  get pendingWrites(): number {
    return this.#queue.pending;
  }

  /**
   * Moves the log into the file. `truncate` then empties the log, so that nothing deleted is left in it; it waits for readers, and
   * is `STORE_BUSY` where one holds on longer than the timeout.
   */
  checkpoint(mode: 'passive' | 'truncate' = 'truncate'): Promise<void> {
    return this.#lifetime.use(() => {
      oneOf('mode', mode, ['passive', 'truncate']);
      return this.#guard(undefined, () => this.#native.checkpoint(this.#writer, mode));
    });
  }

  /** A consistent copy, while others read and write. The file at `path` appears (or is replaced) when it is whole. */
  backup(path: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#lifetime.use(async () => {
      const target = resolve(nonEmptyString('path', path));
      if (target === this.path) throw invalid('path', 'path of another file than the database itself', path);
      if (options.signal !== undefined) abortSignal('signal', options.signal);
      await checkPlace(target, true, false);
      await this.#guard(options.signal, (token) => this.#native.backup(this.#readers, target, token));
    });
  }

  /** Reads the whole file and says what is wrong with it (SQLite's `quick_check` and foreign keys); empty where nothing is. */
  async check(options: { readonly signal?: AbortSignal } = {}): Promise<readonly string[]> {
    const [pages, keys] = await this.readAll(
      [
        { sql: 'PRAGMA quick_check(100)' },
        { sql: 'SELECT "table", rowid, parent FROM pragma_foreign_key_check LIMIT 100' },
      ],
      options,
    );
    const problems = (pages?.rows ?? []).map((row) => String(row[0])).filter((line) => line !== 'ok');
    for (const [table, rowid, parent] of keys?.rows ?? []) {
      problems.push(`row ${String(rowid)} of ${String(table)} names a row of ${String(parent)} that is not there`);
    }
    return problems;
  }

  /** Lets queued writes and running reads end, empties the log and closes the file. Idempotent. */
  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      try {
        await this.#native.close();
      } finally {
        await Promise.all([this.#writer.close(), this.#readers.close()]);
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #guard<T>(signal: AbortSignal | undefined, work: Parameters<typeof cancellable<T>>[2]): Promise<T> {
    try {
      return await cancellable(this.#addon, signal, work);
    } catch (error) {
      throw explain(error, this.path);
    }
  }
}

/** Threads that read; a third query waits. */
const READ_THREADS = 2;

const FIXES: Partial<Record<string, string>> = {
  STORE_CORRUPT: 'Restore it from a backup, or remove it and enrol again.',
  STORE_BUSY: 'Another process holds the file: close it there, or raise busyTimeoutMs.',
  STORE_FULL: 'Free space on that disk; what was acknowledged is safe.',
};

/** The native error with the file's name and what to do. */
function explain(error: unknown, path: string): LineamentError {
  if (error instanceof LineamentError && error.fix !== undefined) return error;
  const { code } = wrapError(error);
  const fix = code === 'STORE_BUSY' && !nativeMessage(error).includes('lock') ? undefined : FIXES[code];
  if (fix === undefined) return wrapError(error);
  const said = nativeMessage(error);
  return new LineamentError(code, said.includes(path) ? said : `${path}: ${said}`, { cause: error, fix });
}

function nativeMessage(error: unknown): string {
  const beneath = error instanceof LineamentError && error.cause instanceof Error ? error.cause : error;
  return beneath instanceof Error ? beneath.message : String(beneath);
}

/** What can be said better before SQLite says "unable to open database file". */
async function checkPlace(path: string, create: boolean, readOnly: boolean): Promise<void> {
  const folder = dirname(path);
  const around = await stat(folder).catch(() => undefined);
  if (around === undefined) {
    throw new LineamentError('STORE_NOT_FOUND', `there is no folder ${folder}`, { fix: 'Create the folder first.' });
  }
  if (!around.isDirectory()) throw new LineamentError('STORE_FAILED', `${folder} is not a folder`);
  const file = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw new LineamentError('STORE_FAILED', error.message, { cause: error });
    return undefined;
  });
  if (file === undefined && !create) throw new LineamentError('STORE_NOT_FOUND', `there is no file ${path}`);
  if (file !== undefined && !file.isFile()) throw new LineamentError('STORE_FAILED', `${path} is not a regular file`);
  const denied = async (target: string, mode: number): Promise<boolean> =>
    await access(target, mode).then(
      () => false,
      () => true,
    );
  if (file !== undefined && (await denied(path, readOnly ? constants.R_OK : constants.R_OK | constants.W_OK))) {
    throw new LineamentError('ACCESS_DENIED', `${path} may not be ${readOnly ? 'read' : 'written'} by this user`, {
      fix: 'Change the permissions of the file, or open it read-only.',
    });
  }
  if (!readOnly && (await denied(folder, constants.W_OK | constants.X_OK))) {
    throw new LineamentError('ACCESS_DENIED', `${folder} may not be written by this user`, {
      fix: 'SQLite keeps its log beside the database: make the folder writable, or open it read-only.',
    });
  }
}
