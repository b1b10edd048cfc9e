import { abortSignal, invalid, nonEmptyString, numberIn, plainObject } from '../../errors/validate.js';
import { LineamentError, throwIfAborted } from '../../errors.js';
import type { Gallery } from '../../gallery/index.js';
import { ensurePerson } from './consent.js';
import { erasePerson } from './erase.js';
import { type ClipDeletion, deleteClips, type FileProblem, unknownFiles } from './files.js';
import type { LogStore } from './store.js';

/** How long what is kept, in days; `false`: for ever. */
export interface RetentionPolicy {
  /** Persons who were not seen for so long are archived; default 180. */
  readonly archiveAfterDays?: number | false;
  /** Persons who were archived so long ago are deleted; default 730. */
  readonly deleteAfterDays?: number | false;
  /** Default 365. */
  readonly eventsDays?: number | false;
  /** Default 30. */
  readonly clipsDays?: number | false;
}

/** Where persons are kept beside the log: the gallery, or the strangers. */
export interface PersonStore {
  /** For reports: `gallery`, `strangers`. */
  readonly name: string;
  /** Everybody there, page by page. */
  persons(options: { readonly signal?: AbortSignal }): AsyncIterable<readonly StoredPerson[]>;
  /** The person is not expected any more. The log remembers that, too. */
  archive(id: string, at: number): Promise<void>;
  /** Deletes for good, and gives the id of a receipt where there is one. Nobody there is no error. */
  delete(id: string): Promise<{ readonly receipt?: string }>;
}

export interface StoredPerson {
  readonly id: string;
  /** When the person was put there; milliseconds since the Unix epoch. */
  readonly since: number;
  /** When the person was seen last, where the store knows it; the log knows of its events. */
  readonly lastSeen?: number;
}

export interface RetentionOptions {
  readonly policy?: RetentionPolicy;
  readonly stores?: readonly PersonStore[];
  readonly signal?: AbortSignal;
}

export interface RunRetentionOptions extends RetentionOptions {
  /** Who runs it, for the audit trail; default `retention`. */
  readonly by?: string;
  readonly onProgress?: (progress: RetentionProgress) => void;
}

export interface RetentionProgress {
  readonly stage: 'clips' | 'events' | 'archive' | 'delete';
  readonly done: number;
  readonly total: number;
}

/** What goes, and the oldest time of it: of clips their end, of persons the last sight. */
export interface RetentionCount {
  readonly count: number;
  readonly oldest?: number;
}

export interface RetentionPlan {
  readonly now: number;
  readonly policy: Required<RetentionPolicy>;
  readonly clips: RetentionCount;
  readonly events: RetentionCount;
  readonly archive: RetentionCount;
  readonly delete: RetentionCount;
}

export interface RetentionReport extends RetentionPlan {
  readonly files: ClipDeletion;
  /** Persons who could not be archived or deleted by a store; they are tried again by the next run. */
  readonly failed: readonly { readonly store: string; readonly code: string; readonly message: string }[];
}

const DAY = 86_400_000;

/** Most files that a report names. */
const MOST_PROBLEMS = 1000;
const DEFAULTS = { archiveAfterDays: 180, deleteAfterDays: 730, eventsDays: 365, clipsDays: 30 } as const;

/** @throws LineamentError INVALID_ARGUMENT */
export function checkPolicy(policy: RetentionPolicy = {}): Required<RetentionPolicy> {
  plainObject('policy', policy, Object.keys(DEFAULTS));
  const days = (name: keyof RetentionPolicy): number | false => {
    const value = policy[name] ?? DEFAULTS[name];
    return value === false ? false : numberIn(name, value, 0, 1e6);
  };
  return {
    archiveAfterDays: days('archiveAfterDays'),
    deleteAfterDays: days('deleteAfterDays'),
    eventsDays: days('eventsDays'),
    clipsDays: days('clipsDays'),
  };
}

interface Due {
  readonly id: string;
  /** Ids that were merged into this one: stores may know the person by them. */
  readonly merged: readonly string[];
  /** Last sight, or when the person was put there. */
  readonly last: number;
}

interface Work {
  readonly plan: RetentionPlan;
  readonly archive: readonly Due[];
  readonly delete: readonly Due[];
}

/** What `runRetention` would do at that time; changes nothing. */
export async function planRetention(store: LogStore, now: number, options: RetentionOptions): Promise<RetentionPlan> {
  plainObject('options', options, ['policy', 'stores', 'signal']);
  return (await work(store, now, options)).plan;
}

async function work(store: LogStore, now: number, options: RetentionOptions): Promise<Work> {
  numberIn('now', now, 0, 2 ** 48 - 1);
  if (options.signal !== undefined) throwIfAborted(abortSignal('signal', options.signal));
  const policy = checkPolicy(options.policy);
  const before = (days: number | false): number => (days === false ? Number.NEGATIVE_INFINITY : now - days * DAY);
  const count = async (sql: string, limit: number): Promise<RetentionCount> => {
    const [row] = await store.rows(sql, [Math.max(limit, -1)], options.signal);
    return { count: Number(row?.[0]), ...(row?.[1] !== null && { oldest: Number(row?.[1]) }) };
  };
  const { persons, merged } = await everybody(store, options);
  const archive: Due[] = [];
  const gone: Due[] = [];
  for (const [id, { last, archivedAt }] of persons) {
    // Seen after it was archived: as if it had never been.
    const archived = archivedAt !== undefined && archivedAt >= last;
    if (archived && archivedAt < before(policy.deleteAfterDays)) gone.push({ id, last, merged: merged.get(id) ?? [] });
    else if (!archived && last < before(policy.archiveAfterDays))
      archive.push({ id, last, merged: merged.get(id) ?? [] });
  }
  const oldest = (all: readonly Due[]): RetentionCount => ({
    count: all.length,
    ...(all.length > 0 && { oldest: all.reduce((least, { last }) => Math.min(least, last), Number.POSITIVE_INFINITY) }),
  });
  return {
    archive,
    delete: gone,
    plan: {
      now,
      policy,
      clips: await count(
        `SELECT count(DISTINCT path), min(ends) FROM clips k WHERE ${DUE_CLIPS}`,
        before(policy.clipsDays),
      ),
      events: await count('SELECT count(*), min(timestamp) FROM events WHERE timestamp < ?', before(policy.eventsDays)),
      archive: oldest(archive),
      delete: oldest(gone),
    },
  };
}

/** Clips whose time is over, with all that share their file, and those whose deletion was interrupted. */
const DUE_CLIPS = `state = 'going' OR (state = 'kept' AND ends < ?1
  AND NOT EXISTS (SELECT 1 FROM clips o WHERE o.path = k.path AND o.ends >= ?1))`;

interface Everybody {
  readonly persons: ReadonlyMap<string, { readonly last: number; readonly archivedAt: number | undefined }>;
  /** Whom the log merged into whom goes with that person. */
  readonly merged: ReadonlyMap<string, readonly string[]>;
}

async function everybody(store: LogStore, { stores = [], signal }: RetentionOptions): Promise<Everybody> {
  if (!Array.isArray(stores)) throw invalid('stores', 'array', stores);
  const persons = new Map<string, { last: number; archivedAt: number | undefined }>();
  const merged = new Map<string, string[]>();
  const roots = new Map<string, string>();
  const paging = { pageSize: 10_000, ...(signal && { signal }) };
  const sql = `SELECT r.id, max(coalesce(g.last_seen, g.added_at)), r.archived_at FROM persons g
    JOIN persons r ON r.key = coalesce(g.root, g.key) GROUP BY r.key`;
  for await (const page of store.db.pages(sql, [], paging)) {
    for (const [id, last, archived] of page) {
      persons.set(String(id), { last: Number(last), archivedAt: archived === null ? undefined : Number(archived) });
    }
  }
  const pairs = 'SELECT p.id, r.id FROM persons p JOIN persons r ON r.key = p.root';
  for await (const page of store.db.pages(pairs, [], paging)) {
    for (const [id, root] of page) {
      roots.set(String(id), String(root));
      merged.set(String(root), [...(merged.get(String(root)) ?? []), String(id)]);
    }
  }
  for (const one of stores as readonly PersonStore[]) {
    for await (const page of one.persons({ ...(signal && { signal }) })) {
      for (const { id, since, lastSeen } of page) {
        const root = roots.get(id) ?? id;
        const known = persons.get(root);
        persons.set(root, { last: Math.max(lastSeen ?? since, known?.last ?? 0), archivedAt: known?.archivedAt });
      }
    }
  }
  return { persons, merged };
}

/** Does what the plan says, a little at a time: others write in between. What `signal` stops is done as far as it came. */
export async function runRetention(
  store: LogStore,
  now: number,
  options: RunRetentionOptions,
): Promise<RetentionReport> {
  plainObject('options', options, ['policy', 'stores', 'signal', 'by', 'onProgress']);
  const by = nonEmptyString('by', options.by ?? 'retention');
  const { signal, onProgress, stores = [] } = options;
  const todo = await work(store, now, options);
  const { plan } = todo;
  const { clipsDays, eventsDays } = plan.policy;
  const tell = (stage: RetentionProgress['stage'], done: number, total: number): void =>
    onProgress?.({ stage, done, total });

  const due = clipsDays === false ? -1 : now - clipsDays * DAY;
  const files = await deleteDue(store, due, signal, (done) => tell('clips', done, Math.max(done, plan.clips.count)));
  const unknown: readonly FileProblem[] = clipsDays === false ? [] : await unknownFiles(store, due, signal);

  let events = 0;
  while (eventsDays !== false) {
    throwIfAborted(signal);
    const [result] = await store.db.write([
      {
        sql: 'DELETE FROM events WHERE key IN (SELECT key FROM events WHERE timestamp < ? ORDER BY timestamp LIMIT 2000)',
        params: [now - eventsDays * DAY],
      },
    ]);
    events += result?.changes ?? 0;
    if ((result?.changes ?? 0) === 0) break;
    tell('events', events, Math.max(events, plan.events.count));
  }
  if (files.deleted + files.missing + events > 0) {
    await store.audited([], {
      actor: by,
      action: 'retention',
      detail: { events, clips: files.deleted, missing: files.missing, eventsDays, clipsDays },
    });
  }

  const failed: RetentionReport['failed'][number][] = [];
  const guarded = async (where: PersonStore, work: () => Promise<void>): Promise<boolean> => {
    try {
      await work();
      return true;
    } catch (error) {
      const { code = 'INTERNAL', message } = error as Partial<LineamentError> & Error;
      failed.push({ store: where.name, code: String(code), message });
      return false;
    }
  };
  let archived = 0;
  for (const [i, { id, merged }] of todo.archive.entries()) {
    throwIfAborted(signal);
    let good = true;
    for (const one of stores) {
      for (const name of [id, ...merged]) good = (await guarded(one, () => one.archive(name, now))) && good;
    }
    if (good) {
      await store.audited(
        [
          ensurePerson(id, now),
          { sql: 'UPDATE persons SET archived_at = ? WHERE id = ?', params: [now, id], expect: 1 },
        ],
        { actor: by, action: 'archive', subject: store.digest(id), detail: { days: plan.policy.archiveAfterDays } },
      );
      archived++;
    }
    tell('archive', i + 1, todo.archive.length);
  }
  let deleted = 0;
  for (const [i, { id, merged }] of todo.delete.entries()) {
    throwIfAborted(signal);
    let good = true;
    let receipt: string | undefined;
    for (const one of stores) {
      for (const name of [id, ...merged]) {
        const done = await guarded(one, async () => {
          receipt = (await one.delete(name)).receipt ?? receipt;
        });
        good = done && good;
      }
    }
    if (good) {
      await erasePerson(store, id, { by, reason: 'retention', ...(receipt !== undefined && { receipt }) }).catch(
        ignoreGone,
      );
      deleted++;
    }
    tell('delete', i + 1, todo.delete.length);
  }
  // What was deleted is not to be found in the write-ahead log either; where somebody reads, the next checkpoint empties it.
  await store.db.checkpoint('truncate').catch(() => undefined);
  return {
    ...plan,
    clips: { ...plan.clips, count: files.deleted + files.missing },
    events: { ...plan.events, count: events },
    archive: { ...plan.archive, count: archived },
    delete: { ...plan.delete, count: deleted },
    files: { ...files, problems: [...files.problems, ...unknown] },
    failed,
  };
}

async function deleteDue(
  store: LogStore,
  due: number,
  signal: AbortSignal | undefined,
  onProgress: (done: number) => void,
): Promise<ClipDeletion> {
  const sum = { deleted: 0, bytes: 0, missing: 0, problems: [] as FileProblem[] };
  for (let after = 0; ; ) {
    const sql = `SELECT key FROM clips k WHERE key > ?2 AND (${DUE_CLIPS}) ORDER BY key LIMIT 500`;
    const keys = (await store.rows(sql, [due, after], signal)).map(([key]) => Number(key));
    if (keys.length === 0) return sum;
    after = keys.at(-1)!;
    const before = sum.deleted + sum.missing;
    const done = await deleteClips(store, keys, { signal, onProgress: (count) => onProgress(before + count) });
    sum.deleted += done.deleted;
    sum.bytes += done.bytes;
    sum.missing += done.missing;
    sum.problems.push(...done.problems.slice(0, MOST_PROBLEMS - sum.problems.length));
  }
}

function ignoreGone(error: unknown): undefined {
  if (error instanceof LineamentError && error.code === 'NOT_FOUND') return undefined;
  throw error;
}

/**
 * A gallery as a {@link PersonStore}. Persons are deleted with a signed receipt; archiving changes nothing in the gallery, the log has it: pass
 * `log.persons({ state: 'archived' })` as `except` where the archived are not to be recognised.
 */
export function galleryPersons(gallery: Gallery, name = 'gallery'): PersonStore {
  return {
    name,
    async *persons({ signal }) {
      let after: string | undefined;
      do {
        const page = await gallery.list({
          limit: 1000,
          ...(after !== undefined && { after }),
          ...(signal && { signal }),
        });
        yield page.persons.map(({ id, createdAt }) => ({ id, since: createdAt }));
        after = page.next;
      } while (after !== undefined);
    },
    archive: () => Promise.resolve(),
    async delete(id) {
      if ((await gallery.get(id)) === undefined) return {};
      return { receipt: (await gallery.delete({ person: id })).receipt.id };
    },
  };
}
