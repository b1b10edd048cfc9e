import { Database } from '../../gallery/database.js';
import type { SqlStatement } from '../../native/index.js';
import type { StrangerOperation } from './types.js';

/** "LIDN" */
const APPLICATION_ID = 0x4c49444e;

const VERSION_1: readonly string[] = [
  `CREATE TABLE strangers (
    id TEXT PRIMARY KEY,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    tracks INTEGER NOT NULL,
    enrolled INTEGER NOT NULL
  ) STRICT`,
  `CREATE TABLE aliases (
    id TEXT PRIMARY KEY,
    target TEXT NOT NULL,
    operation INTEGER,
    detail TEXT NOT NULL
  ) STRICT`,
  `CREATE TABLE apart (
    a TEXT NOT NULL,
    b TEXT NOT NULL,
    reason TEXT NOT NULL,
    PRIMARY KEY (a, b)
  ) STRICT, WITHOUT ROWID`,
  `CREATE TABLE log (
    operation INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    strangers TEXT NOT NULL,
    undone INTEGER NOT NULL DEFAULT 0
  ) STRICT`,
];

/** What is kept of a stranger beside the gallery: no biometrics. */
export interface Entry {
  readonly id: string;
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly tracks: number;
  readonly enrolled: boolean;
}

interface Alias {
  readonly target: string;
  readonly operation: number | undefined;
  /** Who went, whom the other one was before, and which pairs the merge overruled. */
  readonly detail: { readonly entry?: Entry; readonly before?: Entry; readonly apart?: readonly Pair[] };
}

export type ApartReason = 'together' | 'feedback' | 'split' | 'undone';
type Pair = readonly [a: string, b: string, reason: ApartReason];

export interface LogLine extends Omit<StrangerOperation, 'undone'> {
  readonly undone?: boolean;
}

const ordered = (a: string, b: string): readonly [string, string] => (a < b ? [a, b] : [b, a]);
const keyOf = (a: string, b: string): string => ordered(a, b).join('\n');

/**
 * When strangers were seen, what they were called before, and who cannot be the same person. The gallery is the truth about who there is;
 * this is beside it and is put right at opening. All of it is in memory, every change is on the disk before it counts.
 */
export class StrangerBook implements AsyncDisposable {
  readonly #db: Database;
  readonly #entries = new Map<string, Entry>();
  readonly #aliases = new Map<string, Alias>();
  readonly #apart = new Map<string, Pair>();
  /** Pairs by the ids that they have now; made when asked for. */
  #resolved: Map<string, Set<string>> | undefined;

  private constructor(db: Database) {
    this.#db = db;
  }

  static async open(path: string): Promise<StrangerBook> {
    const db = await Database.open({ path, applicationId: APPLICATION_ID, migrations: [VERSION_1] });
    const book = new StrangerBook(db);
    try {
      await book.#load();
      return book;
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  async #load(): Promise<void> {
    for await (const page of this.#db.pages('SELECT id, first_seen, last_seen, tracks, enrolled FROM strangers')) {
      for (const [id, first, last, tracks, enrolled] of page) {
        this.#entries.set(String(id), {
          id: String(id),
          firstSeen: Number(first),
          lastSeen: Number(last),
          tracks: Number(tracks),
          enrolled: Number(enrolled) === 1,
        });
      }
    }
    for await (const page of this.#db.pages('SELECT id, target, operation, detail FROM aliases')) {
      for (const [id, target, operation, detail] of page) {
        this.#aliases.set(String(id), {
          target: String(target),
          operation: operation === null ? undefined : Number(operation),
          detail: JSON.parse(String(detail)) as Alias['detail'],
        });
      }
    }
    for await (const page of this.#db.pages('SELECT a, b, reason FROM apart')) {
      for (const [a, b, reason] of page)
        this.#apart.set(keyOf(String(a), String(b)), [String(a), String(b), reason as ApartReason]);
    }
  }

  get entries(): ReadonlyMap<string, Entry> {
    return this.#entries;
  }

  /** Whether an id is or was somebody's. */
  taken(id: string): boolean {
    return this.#entries.has(id) || this.#aliases.has(id);
  }

  /** The id that it goes by now. */
  resolve(id: string): string {
    let current = id;
    // Never longer than there are aliases, even where a damaged file has a circle.
    for (let i = 0; i <= this.#aliases.size; i++) {
      const next = this.#aliases.get(current)?.target;
      if (next === undefined) return current;
      current = next;
    }
    return current;
  }

  /** Ids that went into this one. */
  absorbed(id: string): readonly string[] {
    return [...this.#aliases.keys()].filter((old) => this.resolve(old) === id);
  }

  /** Whether two cannot be the same person. */
  isApart(a: string, b: string): boolean {
    return this.#byCurrent().get(a)?.has(b) === true;
  }

  #byCurrent(): Map<string, Set<string>> {
    if (this.#resolved !== undefined) return this.#resolved;
    const made = new Map<string, Set<string>>();
    const add = (from: string, to: string): void => {
      const own = made.get(from) ?? new Set();
      own.add(to);
      made.set(from, own);
    };
    for (const [a, b] of this.#apart.values()) {
      const [x, y] = [this.resolve(a), this.resolve(b)];
      if (x === y) continue;
      add(x, y);
      add(y, x);
    }
    this.#resolved = made;
    return made;
  }

  async put(...entries: readonly Entry[]): Promise<void> {
    if (entries.length === 0) return;
    // Who is there again goes by his own id.
    const back = entries.map(({ id }) => id).filter((id) => this.#aliases.has(id));
    await this.#db.write([
      putEntries(entries),
      ...(back.length === 0 ? [] : [{ sql: 'DELETE FROM aliases WHERE id = ?', rows: back.map((id) => [id]) }]),
    ]);
    for (const entry of entries) this.#entries.set(entry.id, entry);
    for (const id of back) this.#aliases.delete(id);
    if (back.length > 0) this.#resolved = undefined;
  }

  async setApart(pairs: readonly Pair[]): Promise<void> {
    const fresh = pairs.filter(([a, b]) => a !== b && !this.#apart.has(keyOf(a, b)));
    if (fresh.length === 0) return;
    await this.#db.write([putPairs(fresh)]);
    for (const pair of fresh) this.#apart.set(keyOf(pair[0], pair[1]), pair);
    this.#resolved = undefined;
  }

  /** `from` is `into` from now on; pairs that kept the two apart are set aside for the undo. `sum`: what is known of both. */
  async merge(into: string, from: string, line: LogLine | undefined, sum: Entry | undefined): Promise<void> {
    const overruled = [...this.#apart.values()].filter(([a, b]) => {
      const [x, y] = [this.resolve(a), this.resolve(b)];
      return (x === into && y === from) || (x === from && y === into);
    });
    const entry = this.#entries.get(from);
    const before = this.#entries.get(into);
    const alias: Alias = {
      target: into,
      operation: line?.operation,
      detail: {
        ...(entry && { entry }),
        ...(before && { before }),
        ...(overruled.length === 0 ? {} : { apart: overruled }),
      },
    };
    await this.#db.write([
      { sql: 'DELETE FROM strangers WHERE id = ?', params: [from] },
      ...(sum === undefined ? [] : [putEntries([sum])]),
      ...dropPairs(overruled),
      {
        sql: 'INSERT OR REPLACE INTO aliases (id, target, operation, detail) VALUES (?, ?, ?, ?)',
        params: [from, into, alias.operation ?? null, JSON.stringify(alias.detail)],
      },
      ...(line === undefined ? [] : [putLine(line)]),
    ]);
    this.#entries.delete(from);
    if (sum !== undefined) this.#entries.set(sum.id, sum);
    for (const [a, b] of overruled) this.#apart.delete(keyOf(a, b));
    this.#aliases.set(from, alias);
    this.#resolved = undefined;
  }

  /** Takes a merge back: gives who is there again and from whom. */
  async unmerge(operation: number): Promise<{ readonly id: string; readonly from: string } | undefined> {
    const found = [...this.#aliases].find(([, alias]) => alias.operation === operation);
    if (found === undefined) return undefined;
    const [id, { target, detail }] = found;
    const from = this.resolve(target);
    // Who took it back knows that they are two.
    const pairs: readonly Pair[] = [...(detail.apart ?? []), [id, from, 'undone']];
    const now = this.#entries.get(from);
    const before = detail.before &&
      now && { ...detail.before, lastSeen: Math.max(detail.before.lastSeen, now.lastSeen) };
    const back = [...(detail.entry ? [detail.entry] : []), ...(before ? [before] : [])];
    await this.#db.write([
      { sql: 'DELETE FROM aliases WHERE id = ?', params: [id] },
      ...(back.length === 0 ? [] : [putEntries(back)]),
      putPairs(pairs),
      markUndone(operation),
    ]);
    this.#aliases.delete(id);
    for (const entry of back) this.#entries.set(entry.id, entry);
    for (const pair of pairs) this.#apart.set(keyOf(pair[0], pair[1]), pair);
    this.#resolved = undefined;
    return { id, from };
  }

  async record(line: LogLine): Promise<void> {
    await this.#db.write([putLine(line)]);
  }

  async undone(operation: number): Promise<void> {
    await this.#db.write([markUndone(operation)]);
  }

  async operation(operation: number): Promise<StrangerOperation | undefined> {
    return (await this.#lines('WHERE operation = ? LIMIT ?', [operation, 1]))[0];
  }

  /** Newest first. */
  operations(limit: number): Promise<readonly StrangerOperation[]> {
    return this.#lines('ORDER BY operation DESC LIMIT ?', [limit]);
  }

  async #lines(rest: string, params: readonly number[]): Promise<readonly StrangerOperation[]> {
    const { rows } = await this.#db.read(`SELECT operation, kind, at, by, strangers, undone FROM log ${rest}`, params);
    return rows.map(([operation, kind, at, by, strangers, undone]) => ({
      operation: Number(operation),
      kind: kind as StrangerOperation['kind'],
      at: Number(at),
      by: by as StrangerOperation['by'],
      strangers: JSON.parse(String(strangers)) as string[],
      undone: Number(undone) === 1,
    }));
  }

  /** Forgets ids and everything that names them; with `empty` also what the database's log still has of them. */
  async forget(ids: readonly string[], empty: boolean): Promise<void> {
    const all = [...new Set(ids.flatMap((id) => [id, ...this.absorbed(id)]))];
    if (all.length === 0) return;
    const names = JSON.stringify(all);
    const inList = 'IN (SELECT value FROM json_each(?))';
    await this.#db.write([
      { sql: `DELETE FROM strangers WHERE id ${inList}`, params: [names] },
      { sql: `DELETE FROM aliases WHERE id ${inList} OR target ${inList}`, params: [names, names] },
      { sql: `DELETE FROM apart WHERE a ${inList} OR b ${inList}`, params: [names, names] },
      {
        sql: `DELETE FROM log WHERE EXISTS (SELECT 1 FROM json_each(log.strangers) s WHERE s.value ${inList})`,
        params: [names],
      },
    ]);
    for (const id of all) {
      this.#entries.delete(id);
      this.#aliases.delete(id);
    }
    for (const [key, [a, b]] of this.#apart) if (all.includes(a) || all.includes(b)) this.#apart.delete(key);
    this.#resolved = undefined;
    if (empty) await this.#db.checkpoint('truncate');
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const putEntries = (entries: readonly Entry[]): SqlStatement => ({
  sql: `INSERT OR REPLACE INTO strangers (id, first_seen, last_seen, tracks, enrolled) VALUES (?, ?, ?, ?, ?)`,
  rows: entries.map((e) => [e.id, Math.floor(e.firstSeen), Math.floor(e.lastSeen), e.tracks, e.enrolled ? 1 : 0]),
});

const putPairs = (pairs: readonly Pair[]): SqlStatement => ({
  sql: 'INSERT OR REPLACE INTO apart (a, b, reason) VALUES (?, ?, ?)',
  rows: pairs.map(([a, b, reason]) => [...ordered(a, b), reason]),
});

const dropPairs = (pairs: readonly Pair[]): readonly SqlStatement[] =>
  pairs.length === 0
    ? []
    : [{ sql: 'DELETE FROM apart WHERE a = ? AND b = ?', rows: pairs.map(([a, b]) => [...ordered(a, b)]) }];

const putLine = (line: LogLine): SqlStatement => ({
  sql: 'INSERT OR REPLACE INTO log (operation, kind, at, by, strangers, undone) VALUES (?, ?, ?, ?, ?, ?)',
  params: [line.operation, line.kind, line.at, line.by, JSON.stringify(line.strangers), line.undone === true ? 1 : 0],
});

const markUndone = (operation: number): SqlStatement => ({
  sql: 'UPDATE log SET undone = 1 WHERE operation = ?',
  params: [operation],
});
