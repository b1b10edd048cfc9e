import type { NativeExecutor, NativeToken } from './addon.js';

/** What SQLite stores. Numbers that are whole and safe are stored as INTEGER, others as REAL; integers beyond 2^53 come back as bigint. */
export type SqlValue = null | number | bigint | string | Uint8Array;

export interface SqlStatement {
  /** One statement; `?` or `?1` stand for parameters. */
  readonly sql: string;
  readonly params?: readonly SqlValue[];
  /** Runs the statement once for each row instead; what the runs give is joined into one result. */
  readonly rows?: readonly (readonly SqlValue[])[];
  /** How many rows must change (over all of `rows`), or else everything is undone with `NOT_FOUND`: for `… WHERE id = ? AND revision = ?`. */
  readonly expect?: number;
}

export type SqlRow = readonly SqlValue[];

export interface SqlResult {
  readonly columns: readonly string[];
  readonly rows: readonly SqlRow[];
  /** Rows that the statement itself inserted, updated or deleted. */
  readonly changes: number;
  /** Rowid of the last row that the statement inserted; 0 where it inserted none. */
  readonly lastId: number;
}

/** What became of one group of statements of {@link NativeDatabase.writeGroups}. */
export type SqlOutcome =
  | { readonly results: readonly SqlResult[] }
  | { readonly error: { readonly code: string; readonly message: string } };

export interface SqlOpenOptions {
  /** Refuses writes. The folder need not be writable where nobody else has the database open. */
  readonly readOnly: boolean;
  /** Makes the file where it is missing. */
  readonly create: boolean;
  /** How long a transaction waits for another connection's, in milliseconds. */
  readonly busyTimeoutMs: number;
  /** `full`: a commit is on the disk when it is acknowledged. `normal`: it survives the process, and a power cut may take the last ones. */
  readonly synchronous: 'full' | 'normal';
}

export interface SqlRunOptions {
  readonly write: boolean;
  /** Most rows over all results (default 10 000), beyond which the call is refused. */
  readonly maxRows?: number;
}

/** Rows of one query, page by page, from one snapshot. Holds a read connection until it is at its end or closed. */
export interface NativeCursor {
  readonly columns: readonly string[];
  /** The next rows, at most `count`; none at the end. Only one call at a time. */
  next(executor: NativeExecutor, count: number, token?: NativeToken): Promise<readonly SqlRow[]>;
  close(): Promise<void>;
}

/**
 * A SQLite database in WAL mode: one connection that writes and a few that read, which do not wait for it. Every call is one
 * job on the executor and one transaction. Codes: `STORE_BUSY` (another process holds the lock longer than the timeout),
 * `STORE_FULL`, `STORE_CORRUPT` (damaged, or not a database), `STORE_FAILED` (cannot be opened, read or written),
 * `DUPLICATE_ID` (primary key or unique constraint), `INVALID_ARGUMENT` (any other constraint, bad SQL, wrong number of
 * parameters), `NOT_FOUND` (an `expect` that was not met), `ABORTED`, `CLOSED`.
 */
export interface NativeDatabase {
  readonly path: string;
  /**
   * One transaction: BEGIN IMMEDIATE … COMMIT where `write` is true, one snapshot where not; all or nothing. Statements that
   * begin or end transactions are refused.
   */
  run(
    executor: NativeExecutor,
    statements: readonly SqlStatement[],
    options: SqlRunOptions,
    token?: NativeToken,
  ): Promise<readonly SqlResult[]>;
  /**
   * Several groups of statements in one transaction and one commit. A group that fails is rolled back by itself and says so in
   * its outcome, the others are committed. The promise rejects where the transaction itself failed: then nothing was written.
   */
  writeGroups(
    executor: NativeExecutor,
    groups: readonly (readonly SqlStatement[])[],
    token?: NativeToken,
  ): Promise<readonly SqlOutcome[]>;
  /** A query over one snapshot. */
  cursor(executor: NativeExecutor, statement: SqlStatement, token?: NativeToken): Promise<NativeCursor>;
  /** Moves the log into the database; `truncate` also waits for readers and empties the log's file. */
  checkpoint(executor: NativeExecutor, mode: 'passive' | 'truncate'): Promise<void>;
  /** A consistent copy while others read and write; `path` is replaced at the end, atomically. */
  backup(executor: NativeExecutor, path: string, token?: NativeToken): Promise<void>;
  /** Waits for running calls, then closes the file. Later calls reject with `CLOSED`. Idempotent. */
  close(): Promise<void>;
}

/** What the addon exports for SQLite. */
export interface NativeSqlite {
  /** Version of the SQLite inside the addon. */
  readonly sqliteVersion: string;
  openDatabase(executor: NativeExecutor, path: string, options: SqlOpenOptions): Promise<NativeDatabase>;
}
