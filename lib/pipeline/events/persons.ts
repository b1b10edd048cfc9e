import { nonEmptyString, oneOf, plainObject, positiveInteger } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import type { SqlRow, SqlStatement } from '../../native/index.js';
import type { StrangerNotice } from '../identity/types.js';
import { ensurePerson } from './consent.js';
import type { LogStore } from './store.js';

/** Somebody whom events name. */
export interface LoggedPerson {
  readonly id: string;
  readonly kind: 'known' | 'stranger';
  readonly name?: string;
  /** Who was merged into this person. */
  readonly merged: readonly string[];
  /** Of events, also of those who were merged into this one; absent where no event named them. */
  readonly firstSeen?: number;
  readonly lastSeen?: number;
  readonly archivedAt?: number;
}

export interface PersonsQuery {
  /** Default `all`. */
  readonly state?: 'active' | 'archived' | 'all';
  /** In the order of their ids: persons after this one. */
  readonly after?: string;
  /** Default 100, at most 1000. */
  readonly limit?: number;
}

const GROUP = `SELECT r.id, r.kind, r.name, min(g.first_seen), max(g.last_seen), r.archived_at,
  json_group_array(g.id) FILTER (WHERE g.key <> r.key)
  FROM persons r JOIN persons g ON g.key = r.key OR g.root = r.key WHERE r.root IS NULL`;

function readPerson([id, kind, name, first, last, archived, merged]: SqlRow): LoggedPerson {
  return {
    id: String(id),
    kind: kind === 'known' ? 'known' : 'stranger',
    ...(name !== null && { name: String(name) }),
    merged: JSON.parse(String(merged)) as string[],
    ...(first !== null && { firstSeen: Number(first) }),
    ...(last !== null && { lastSeen: Number(last) }),
    ...(archived !== null && { archivedAt: Number(archived) }),
  };
}

/** The person, or whom it was merged into. */
export async function getPerson(store: LogStore, id: string): Promise<LoggedPerson | undefined> {
  nonEmptyString('person', id);
  const rows = await store.rows(
    `${GROUP} AND r.key = (SELECT coalesce(root, key) FROM persons WHERE id = ?) GROUP BY r.key`,
    [id],
  );
  return rows[0] && readPerson(rows[0]);
}

export async function listPersons(store: LogStore, query: PersonsQuery): Promise<readonly LoggedPerson[]> {
  plainObject('query', query, ['state', 'after', 'limit']);
  const state = oneOf('state', query.state ?? 'all', ['active', 'archived', 'all']);
  const limit = positiveInteger('limit', query.limit ?? 100, 1000);
  const rows = await store.rows(
    `${GROUP} AND r.id > ?1 ${state === 'all' ? '' : `AND r.archived_at IS ${state === 'active' ? '' : 'NOT '}NULL`}
     GROUP BY r.key ORDER BY r.id LIMIT ?2`,
    [query.after ?? '', limit],
  );
  return rows.map(readPerson);
}

const named = (store: LogStore, id: string): never => {
  throw new LineamentError('NOT_FOUND', `the log knows no person '${id}' (${store.db.path})`);
};

/** Gives a person another name, or none; events follow. */
export async function renamePerson(store: LogStore, id: string, name: string | null, by: string): Promise<void> {
  nonEmptyString('person', id);
  if (name !== null) nonEmptyString('name', name);
  const changes = [
    {
      sql: 'UPDATE persons SET name = ?, named = 1 WHERE key = (SELECT coalesce(root, key) FROM persons WHERE id = ?)',
      params: [name, id],
      expect: 1,
    },
  ];
  await told(store, id, changes, by, 'rename', { name: name !== null });
}

/** Events of `from` are told as those of `into` from now on. */
export async function mergePersons(store: LogStore, into: string, from: string, by: string): Promise<void> {
  nonEmptyString('into', into);
  nonEmptyString('from', from);
  const groups = await store.rows('SELECT id, coalesce(root, key) FROM persons WHERE id IN (?, ?)', [into, from]);
  const rootOf = (id: string) => groups.find((row) => row[0] === id)?.[1];
  if (rootOf(from) === undefined) named(store, from);
  if (into === from || rootOf(into) === rootOf(from)) return;
  const changes: SqlStatement[] = [
    ensurePerson(into, store.now()),
    {
      sql: `UPDATE persons SET merged_into = (SELECT coalesce(root, key) FROM persons WHERE id = ?1)
        WHERE key = (SELECT coalesce(root, key) FROM persons WHERE id = ?2)`,
      params: [into, from],
      expect: 1,
    },
    // The order matters: `from` still has its own root here.
    {
      sql: `UPDATE persons SET root = (SELECT merged_into FROM persons WHERE key = ?1) WHERE key = ?1 OR root = ?1`,
      params: [rootOf(from)!],
    },
  ];
  await told(store, from, changes, by, 'merge', { into: store.digest(into) });
}

/** Takes a merge back: `id` stands for itself again, with those who had been merged into it before. */
export async function unmergePerson(store: LogStore, id: string, by: string): Promise<void> {
  nonEmptyString('person', id);
  const changes: SqlStatement[] = [
    {
      sql: 'UPDATE persons SET merged_into = NULL, root = NULL WHERE id = ? AND merged_into IS NOT NULL',
      params: [id],
      expect: 1,
    },
    {
      sql: `WITH RECURSIVE below (key) AS (
          SELECT p.key FROM persons p JOIN persons t ON p.merged_into = t.key WHERE t.id = ?1
          UNION SELECT p.key FROM persons p JOIN below b ON p.merged_into = b.key
        ) UPDATE persons SET root = (SELECT key FROM persons WHERE id = ?1) WHERE key IN (SELECT key FROM below)`,
      params: [id],
    },
  ];
  await told(store, id, changes, by, 'unmerge', {});
}

/** What happened to a stranger, where the log knows of it. */
export async function reflect(store: LogStore, notice: StrangerNotice, by: string): Promise<boolean> {
  try {
    switch (notice.kind) {
      case 'renamed':
        await renamePerson(store, notice.id, notice.name ?? null, by);
        return true;
      case 'merged':
        await mergePersons(store, notice.into, notice.id, by);
        return true;
      case 'enrolled':
        if (notice.person === notice.id) return false;
        await mergePersons(store, notice.person, notice.id, by);
        return true;
      case 'parted':
        await unmergePerson(store, notice.id, by);
        return true;
      default:
        return false;
    }
  } catch (error) {
    // Somebody whom no event has named: there is nothing to follow.
    if (error instanceof LineamentError && error.code === 'NOT_FOUND') return false;
    throw error;
  }
}

async function told(
  store: LogStore,
  id: string,
  changes: readonly SqlStatement[],
  by: string,
  action: string,
  detail: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  const draft = { actor: nonEmptyString('by', by), action, subject: store.digest(id), detail };
  try {
    await store.audited(changes, draft);
  } catch (error) {
    if (error instanceof LineamentError && error.code === 'NOT_FOUND') named(store, id);
    throw error;
  }
}
