import { chmod, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { onAbort } from '../../errors/abort.js';
import {
  abortSignal,
  boolean,
  invalid,
  nonEmptyString,
  oneOf,
  plainObject,
  positiveInteger,
} from '../../errors/validate.js';
import { abortError, LineamentError, throwIfAborted } from '../../errors.js';
import { Database } from '../../gallery/database.js';
import type { Json } from '../../gallery/index.js';
import type { SqlValue } from '../../native/index.js';
import type { StrangerNotice } from '../identity/types.js';
import type { PipelineEvent } from '../types.js';
import { type AuditCheck, type AuditEntry, type AuditQuery, type Head, listAudit } from './audit.js';
import { type ConsentChange, Consents, type PersonConsent } from './consent.js';
import { type ErasePersonOptions, erasePerson, type LogErasure } from './erase.js';
import { deleteGoing } from './files.js';
import { isUuid, uuidBytes } from './ids.js';
import * as persons from './persons.js';
import {
  type CountQuery,
  checkFilter,
  conditions,
  countStatement,
  type EventCount,
  type EventFilter,
  type EventPage,
  type EventQuery,
  type Lookup,
  pageStatement,
  readCount,
  writeCursor,
} from './query.js';
import {
  planRetention,
  type RetentionOptions,
  type RetentionPlan,
  type RetentionReport,
  type RunRetentionOptions,
  runRetention,
} from './retention.js';
import { eventRow, insertRows, JOINS, READ, readEvent } from './rows.js';
import { APPLICATION_ID, CLIPS_FOLDER, LOG_FILE, MIGRATIONS } from './schema.js';
import { LogStore } from './store.js';

export interface EventLogOptions {
  /** Where `events.db` lies; made where it is missing. */
  readonly folder: string;
  /** Where clips lie; default `clips` in the folder. Nothing outside of it is ever deleted. */
  readonly clips?: string;
  /** Default true; false rejects with `STORE_NOT_FOUND` where there is no log. */
  readonly create?: boolean;
  /** `full` (default): an acknowledged event is on the disk. `normal`: it outlives the process, and a power cut may take the last ones. */
  readonly synchronous?: 'full' | 'normal';
  /** Milliseconds since the Unix epoch, for consents, audit and archiving; default the system's clock. Times of events are their own. */
  readonly now?: () => number;
}

export interface FollowOptions extends EventFilter {
  /** From now on (default), or from the oldest event that there is. */
  readonly start?: 'now' | 'oldest';
  /** How often to look for what other processes wrote, milliseconds; default 1000. */
  readonly pollMs?: number;
  readonly signal?: AbortSignal;
}

/** Events read at once by a follower. */
const FOLLOWED = 500;

/**
 * What happened in front of the cameras: events, who they are of, consents, clips, and the audit trail, in one SQLite file. An event is
 * acknowledged after its commit; events that arrive while a commit is under way share the next one. Names and ids of persons stand in one table, so that
 * renames and merges show in old events and an erasure leaves none behind. Several processes may have one log open.
 *
 * All calls may be made at any time; those that come after `close` reject with `CLOSED`. Codes beside those named: the ones of
 * `Database`, `STORE_FULL` among them: what was acknowledged is safe, and the call can be made again.
 */
export class EventLog implements AsyncDisposable {
  readonly path: string;
  /** Folder of clips, absolute. */
  readonly clips: string;
  readonly #store: LogStore;
  readonly #consents: Consents;
  readonly #followers = new Set<() => void>();
  #closed = false;
  /** Length of the audit trail when consents were refreshed. */
  #refreshed = -1;

  private constructor(store: LogStore, consents: Consents) {
    this.#store = store;
    this.#consents = consents;
    this.path = store.db.path;
    this.clips = store.clips;
  }

  static async open(options: EventLogOptions): Promise<EventLog> {
    plainObject('options', options, ['folder', 'clips', 'create', 'synchronous', 'now']);
    const folder = resolve(nonEmptyString('folder', options.folder));
    const clips = resolve(nonEmptyString('clips', options.clips ?? join(folder, CLIPS_FOLDER)));
    const create = boolean('create', options.create ?? true);
    const synchronous = oneOf('synchronous', options.synchronous ?? 'full', ['full', 'normal']);
    // For its owner alone: it says who was where.
    if (create)
      await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
        const code =
          cause.code === 'EACCES' ? 'ACCESS_DENIED' : cause.code === 'ENOSPC' ? 'STORE_FULL' : 'STORE_FAILED';
        throw new LineamentError(code, `${folder} cannot be made`, { cause });
      });
    const db = await Database.open({
      path: join(folder, LOG_FILE),
      create,
      synchronous,
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
    });
    try {
      await chmod(db.path, 0o600);
      const store = await LogStore.open(db, clips, options.now ?? Date.now);
      const consents = new Consents(store);
      await consents.load();
      await deleteGoing(store);
      return new EventLog(store, consents);
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  /**
   * All or none, in one commit; resolves when they are on the disk. An event whose id is there already is not written again: a call whose
   * outcome is unknown can be repeated. An erasure holds for what comes after it: an event from before it does not name the person again, and a
   * clip that was under way then is deleted. Rejects with `INVALID_ARGUMENT` for what is no event.
   */
  async append(events: readonly PipelineEvent[]): Promise<void> {
    if (!Array.isArray(events)) throw invalid('events', 'array', events);
    if (events.length === 0) return;
    const digest = (id: string): string => this.digest(id);
    const rows = events.map((event, i) => eventRow(event, i, this.clips, digest));
    await this.#store.db.write(insertRows(rows, this.#store.now()));
    const clips = rows.flatMap(({ clip }) => clip?.[0] ?? []);
    for (let i = 0; i < clips.length; i += 500) await deleteGoing(this.#store, clips.slice(i, i + 500));
    for (const wake of [...this.#followers]) wake();
  }

  /** The event with this id; absent where there is none. */
  async get(id: string): Promise<PipelineEvent | undefined> {
    if (!isUuid(id)) throw invalid('id', 'UUID', id);
    const rows = await this.#store.rows(`SELECT ${READ} FROM events e ${JOINS} WHERE e.id = ?`, [uuidBytes(id)]);
    return rows[0] && readEvent(rows[0], this.clips);
  }

  /** One page of events by time. Pages that follow each other give every event that was there at the first one once. */
  async query(query: EventQuery = {}): Promise<EventPage> {
    const signal = query.signal && abortSignal('signal', query.signal);
    const { limit, statement } = await pageStatement(query, this.#lookup);
    if (statement === undefined) return { events: [] };
    const rows = await this.#store.rows(statement.sql, statement.params, signal);
    const events = rows.slice(0, limit).map((row) => readEvent(row, this.clips));
    const last = rows[limit - 1];
    if (rows.length <= limit || last === undefined) return { events };
    return { events, next: writeCursor(Number(last[1]), Number(last.at(-1))) };
  }

  /** Counts events, by hour, day, camera, person, type or zone; groups without events are not named. */
  async count(query: CountQuery = {}): Promise<readonly EventCount[]> {
    const signal = query.signal && abortSignal('signal', query.signal);
    const { by, statement } = await countStatement(query, this.#lookup);
    if (statement === undefined) return by.length === 0 ? [{ count: 0 }] : [];
    return (await this.#store.rows(statement.sql, statement.params, signal)).map((row) => readCount(by, row));
  }

  /**
   * Events as they are committed, in that order, those of other processes too. Read from the file: who is slow holds nothing up and misses
   * nothing but what is deleted. Ends with `close`, or with `ABORTED` when the signal fires.
   */
  async *follow(options: FollowOptions = {}): AsyncGenerator<PipelineEvent, void, undefined> {
    const { start, pollMs, signal, ...filter } = options;
    plainObject('options', filter, ['from', 'to', 'camera', 'type', 'person', 'zone']);
    const wait = positiveInteger('pollMs', pollMs ?? 1000, 3_600_000);
    const oldest = oneOf('start', start ?? 'now', ['now', 'oldest']) === 'oldest';
    if (signal !== undefined) throwIfAborted(abortSignal('signal', signal));
    let last = oldest ? 0 : await this.#newest();
    const wakeUp = new Wake(this.#followers, signal);
    try {
      while (!this.#closed) {
        wakeUp.reset();
        throwIfAborted(signal);
        const newest = await this.#newest();
        const checked = newest > last ? await checkFilter(filter, this.#lookup) : undefined;
        if (checked !== undefined) {
          const params: SqlValue[] = [last, newest];
          const where = conditions(checked, params);
          const rows = await this.#store.rows(
            `SELECT ${READ}, e.key FROM events e ${JOINS} WHERE e.key > ?1 AND e.key <= ?2 AND ${where} ORDER BY e.key LIMIT ${FOLLOWED}`,
            params,
            signal,
          );
          for (const row of rows) {
            throwIfAborted(signal);
            last = Number(row.at(-1));
            yield readEvent(row, this.clips);
          }
          if (rows.length === FOLLOWED) continue;
        }
        last = newest;
        await wakeUp.wait(wait);
      }
    } catch (error) {
      if (signal?.aborted === true) throw abortError(signal);
      if (!(this.#closed && error instanceof LineamentError && error.code === 'CLOSED')) throw error;
    } finally {
      wakeUp.end();
    }
  }

  /** Whom events name, whoever was merged into somebody else under that person. Absent where no event names `id`. */
  person(id: string): Promise<persons.LoggedPerson | undefined> {
    return persons.getPerson(this.#store, id);
  }

  persons(query: persons.PersonsQuery = {}): Promise<readonly persons.LoggedPerson[]> {
    return persons.listPersons(this.#store, query);
  }

  /** Another name, or none (`null`); old events show it. It holds against names that later events bring. `NOT_FOUND` for nobody. */
  rename(person: string, name: string | null, options: { readonly by: string }): Promise<void> {
    return persons.renamePerson(this.#store, person, name, options.by);
  }

  /** Events of `from` are told as those of `into`; no event is changed, so that `unmerge` can take it back. `NOT_FOUND` for nobody. */
  async merge(into: string, from: string, options: { readonly by: string }): Promise<void> {
    await persons.mergePersons(this.#store, into, from, options.by);
    await this.#consents.load();
  }

  async unmerge(person: string, options: { readonly by: string }): Promise<void> {
    await persons.unmergePerson(this.#store, person, options.by);
    await this.#consents.load();
  }

  /** Follows what happened to a stranger: names, merges, splits, enrolment, erasure. Gives whether the log had to change. */
  async reflect(notice: StrangerNotice, options: { readonly by: string }): Promise<boolean> {
    if (notice.kind === 'erased') {
      const known = await this.person(notice.id);
      if (known === undefined) return false;
      await this.erase(notice.id, { by: options.by });
      return true;
    }
    const changed = await persons.reflect(this.#store, notice, options.by);
    if (changed) await this.#consents.load();
    return changed;
  }

  /** What the person said on recognition and recording. From memory, for every frame; withdrawals hold as soon as they are recorded. */
  consentOf(person: string): PersonConsent {
    return this.#consents.of(person);
  }

  /** Records what somebody said; on the disk and in the audit trail when it resolves. */
  setConsent(person: string, change: ConsentChange): Promise<void> {
    return this.#consents.set(person, change);
  }

  /** Reads what other processes recorded; cheap where that is nothing. */
  async refreshConsents(): Promise<void> {
    // Whatever changes consents, or whom they belong to, leaves a line in the audit trail.
    const number = await this.#store.count('SELECT audit_number FROM state');
    if (number === this.#refreshed) return;
    await this.#consents.load();
    this.#refreshed = number;
  }

  /** Entries of the audit trail, newest first. */
  audit(query: AuditQuery = {}): Promise<readonly AuditEntry[]> {
    return listAudit(this.#store, query);
  }

  /** Adds to the audit trail what was done outside of the log, as an export. `detail` should hold neither names nor ids. */
  async recordAudit(entry: {
    readonly by: string;
    readonly action: string;
    readonly person?: string;
    readonly detail?: Json;
  }): Promise<void> {
    plainObject('entry', entry, ['by', 'action', 'person', 'detail']);
    await this.#store.audited([], {
      actor: nonEmptyString('by', entry.by),
      action: nonEmptyString('action', entry.action),
      subject: entry.person === undefined ? undefined : this.digest(nonEmptyString('person', entry.person)),
      detail: entry.detail ?? {},
    });
  }

  /**
   * Whether the trail is as it was written: every hash is computed anew. Whoever can write the file could write all of it anew; keep `head` elsewhere and
   * give it to later checks to rule that out.
   */
  verifyAudit(anchor?: Head): Promise<AuditCheck> {
    return this.#store.audit.verify(anchor);
  }

  /** What stands for a person in the audit trail and in summaries of erasures. */
  digest(person: string): string {
    return this.#store.digest(person);
  }

  /** What would go at that time; changes nothing. */
  planRetention(now: number, options: RetentionOptions = {}): Promise<RetentionPlan> {
    return planRetention(this.#store, now, options);
  }

  /** Archives and deletes what is due at that time. Others may read and write meanwhile. */
  async runRetention(now: number, options: RunRetentionOptions = {}): Promise<RetentionReport> {
    const report = await runRetention(this.#store, now, options);
    await this.#consents.load();
    return report;
  }

  /** Takes a person out of the log for good. `NOT_FOUND` for nobody. */
  async erase(person: string, options: ErasePersonOptions): Promise<LogErasure> {
    const done = await erasePerson(this.#store, person, options);
    await this.#consents.load();
    return done;
  }

  /** Reads the whole file and says what is wrong with it; empty where nothing is. */
  check(options: { readonly signal?: AbortSignal } = {}): Promise<readonly string[]> {
    return this.#store.db.check(options);
  }

  /** Lets what is under way end and closes the file. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const wake of [...this.#followers]) wake();
    await this.#store.db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #lookup: Lookup = async (sql, params) => (await this.#store.rows(sql, params)).map(([key]) => Number(key));

  async #newest(): Promise<number> {
    return this.#store.count('SELECT coalesce(max(key), 0) FROM events');
  }
}

/** Sleeps until somebody appends, the signal fires, or time is over; what happened since `reset` is not slept through. */
class Wake {
  readonly #all: Set<() => void>;
  readonly #forget: (() => void) | undefined;
  #woken = false;
  #resolve: (() => void) | undefined;
  readonly #wake = (): void => {
    this.#woken = true;
    this.#resolve?.();
  };

  constructor(all: Set<() => void>, signal: AbortSignal | undefined) {
    this.#all = all;
    all.add(this.#wake);
    this.#forget = signal && onAbort(signal, this.#wake);
  }

  reset(): void {
    this.#woken = false;
  }

  async wait(ms: number): Promise<void> {
    if (this.#woken) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#resolve = resolve;
      timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
    this.#resolve = undefined;
  }

  end(): void {
    this.#all.delete(this.#wake);
    this.#forget?.();
  }
}
