/** Audit trails: entries in SQLite that are only ever added, each with the hash of the one before. The event log has one, and so has the service. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { SqlRow, SqlStatement } from '../native/index.js';
import type { Database } from './database.js';
import type { Json } from './types.js';

/** Who did what, and when. Never changed, never deleted; without names and ids of persons. */
export interface AuditEntry {
  /** From 1 on, without gaps. */
  readonly number: number;
  /** Milliseconds since the Unix epoch, by the clock of the machine. */
  readonly at: number;
  /** Who did it, as the caller named itself. */
  readonly actor: string;
  /** `consent`, `retention`, `archive`, `rename`, `merge`, `unmerge`, `erasure`, `export`, or the caller's own. */
  readonly action: string;
  /** Digest of the person whom it concerns; see `AuditChain.digest`. */
  readonly subject?: string;
  readonly detail: Json;
  /** Hash of the entry before. */
  readonly previous: string;
  /** SHA-256 over all of this as a JSON list. */
  readonly hash: string;
}

/** What is to be said. */
export interface AuditDraft {
  readonly actor: string;
  readonly action: string;
  readonly subject?: string | undefined;
  readonly detail: Json;
}

/** An entry by number and hash: enough to tell later that nothing before it was changed. */
export interface Head {
  readonly number: number;
  readonly hash: string;
}

export interface AuditCheck {
  readonly ok: boolean;
  readonly entries: number;
  /** The last entry: keep it elsewhere, and give it to the next check. */
  readonly head: Head;
  /** The first entry that is not as it was written, and what is wrong. */
  readonly broken?: { readonly number: number; readonly message: string };
}

/** Tables that a file with a trail has. `state` holds one row: the trail's own id, the salt of its digests, and its last entry. */
export const AUDIT_TABLES: readonly string[] = [
  `CREATE TABLE state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    log TEXT NOT NULL,
    created_at REAL NOT NULL,
    salt BLOB NOT NULL,
    audit_number INTEGER NOT NULL,
    audit_hash TEXT NOT NULL
  ) STRICT`,
  `CREATE TABLE audit (
    number INTEGER PRIMARY KEY,
    at REAL NOT NULL,
    actor TEXT NOT NULL,
    action TEXT NOT NULL,
    subject TEXT,
    detail TEXT NOT NULL,
    previous TEXT NOT NULL,
    hash TEXT NOT NULL
  ) STRICT`,
  'CREATE INDEX audit_subject ON audit (subject) WHERE subject IS NOT NULL',
  `CREATE TRIGGER audit_stays BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is not changed'); END`,
  `CREATE TRIGGER audit_kept BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is not shortened'); END`,
];

const STATE = 'SELECT log, salt, audit_number, audit_hash FROM state';
const READ = 'SELECT number, at, actor, action, subject, detail, previous, hash FROM audit';

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The trail of one file. Several processes may add to it; within one, an `AuditChain` adds one entry after the other. */
export class AuditChain {
  /** The trail's own id. */
  readonly id: string;
  readonly #db: Database;
  readonly #now: () => number;
  readonly #salt: Uint8Array;
  #head: Head;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(db: Database, now: () => number, [id, salt, number, hash]: SqlRow) {
    this.#db = db;
    this.#now = now;
    this.id = String(id);
    this.#salt = salt as Uint8Array;
    this.#head = { number: Number(number), hash: String(hash) };
  }

  /** The trail of a file with {@link AUDIT_TABLES}, begun where there is none. `now` gives milliseconds since the Unix epoch. */
  static async open(db: Database, now: () => number): Promise<AuditChain> {
    const read = async (): Promise<SqlRow | undefined> => (await db.read(STATE)).rows[0];
    let state = await read();
    if (state === undefined) {
      const id = randomUUID();
      await db.write([
        {
          sql: `INSERT INTO state (one, log, created_at, salt, audit_number, audit_hash) VALUES (1, ?, ?, ?, 0, ?)
            ON CONFLICT (one) DO NOTHING`,
          params: [id, now(), randomBytes(32), sha256(id)],
        },
      ]);
      state = await read();
    }
    return new AuditChain(db, now, state!);
  }

  /**
   * What stands for a person in the trail: SHA-256 over the trail's salt and the id. Whoever knows an id can find what is said of it; nobody
   * reads ids out of it, and an erasure leaves the trail as it is.
   */
  digest(person: string): string {
    return createHash('sha256').update(this.#salt).update('\0').update(person).digest('hex');
  }

  /**
   * Writes changes together with what the trail says of them, in one transaction: neither is there without the other. One at a time; another
   * process may add to the trail meanwhile.
   */
  append(changes: readonly SqlStatement[], drafts: readonly AuditDraft[]): Promise<void> {
    const done = this.#queue.then(() => this.#append(changes, drafts));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #append(changes: readonly SqlStatement[], drafts: readonly AuditDraft[]): Promise<void> {
    for (;;) {
      const before = this.#head;
      const { statements, head } = entries(before, drafts, this.#now());
      try {
        await this.#db.write([...statements, ...changes]);
        this.#head = head;
        return;
      } catch (error) {
        if (!(error instanceof LineamentError) || error.code !== 'NOT_FOUND') throw error;
        const [state] = (await this.#db.read(STATE)).rows;
        this.#head = { number: Number(state?.[2]), hash: String(state?.[3]) };
        // It was not the trail that had moved on, but something that the changes expected.
        if (this.#head.number === before.number) throw error;
      }
    }
  }

  /** Entries, newest first. `subject` is a digest; `limit` is 1 to 1000, default 100. */
  async list(
    query: {
      readonly subject?: string | undefined;
      readonly action?: string | undefined;
      readonly before?: number | undefined;
      readonly limit?: number | undefined;
    } = {},
  ): Promise<readonly AuditEntry[]> {
    const limit = positiveInteger('limit', query.limit ?? 100, 1000);
    const { rows } = await this.#db.read(
      `${READ} WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR action = ?2) AND (?3 IS NULL OR number < ?3)
       ORDER BY number DESC LIMIT ?4`,
      [query.subject ?? null, query.action ?? null, query.before ?? null, limit],
    );
    return rows.map(readEntry);
  }

  /**
   * Reads the whole trail and computes every hash anew; `anchor` is an entry known from elsewhere. Whoever can write the file could write all
   * of it anew: only an anchor rules that out.
   */
  async verify(anchor?: Head): Promise<AuditCheck> {
    const [state] = (await this.#db.read(STATE)).rows;
    let hash = sha256(String(state?.[0]));
    let number = 0;
    let broken: AuditCheck['broken'];
    const wrong = (message: string): void => {
      broken ??= { number, message };
    };
    for await (const page of this.#db.pages(`${READ} ORDER BY number`, [], { pageSize: 1000 })) {
      for (const row of page) {
        number++;
        const [given, at, actor, action, subject, detail, previous, written] = row;
        if (Number(given) !== number) {
          wrong('it is not there');
          number = Number(given);
        }
        if (previous !== hash) wrong('it does not follow the one before');
        const draft = {
          actor: String(actor),
          action: String(action),
          subject: subject === null ? undefined : String(subject),
          detail: null,
        };
        hash = String(written);
        if (hashOf(number, Number(at), draft, String(detail), String(previous)) !== hash) wrong('it was changed');
        if (anchor?.number === number && anchor.hash !== hash) wrong('it is not the one that was known before');
      }
    }
    const said = { number: Number(state?.[2]), hash: String(state?.[3]) };
    if (said.number > number || (said.number === number && said.hash !== hash)) {
      broken ??= { number: number + 1, message: 'it is not there: the trail was cut off' };
    }
    if (anchor !== undefined && anchor.number > number) {
      broken ??= { number: number + 1, message: 'it is not there: the trail was cut off' };
    }
    return { ok: broken === undefined, entries: number, head: { number, hash }, ...(broken && { broken }) };
  }
}

function hashOf(number: number, at: number, draft: AuditDraft, detail: string, previous: string): string {
  return sha256(JSON.stringify([number, at, draft.actor, draft.action, draft.subject ?? null, detail, previous]));
}

/** Statements that add entries after `head`, and nothing where another one was added meanwhile (`NOT_FOUND`). */
function entries(
  head: Head,
  drafts: readonly AuditDraft[],
  at: number,
): { readonly statements: readonly SqlStatement[]; readonly head: Head } {
  let { number, hash } = head;
  const rows = drafts.map((draft) => {
    const previous = hash;
    number++;
    const detail = JSON.stringify(draft.detail);
    hash = hashOf(number, at, draft, detail, previous);
    return [number, at, draft.actor, draft.action, draft.subject ?? null, detail, previous, hash];
  });
  return {
    head: { number, hash },
    statements: [
      {
        sql: 'UPDATE state SET audit_number = ?, audit_hash = ? WHERE audit_number = ? AND audit_hash = ?',
        params: [number, hash, head.number, head.hash],
        expect: 1,
      },
      {
        sql: 'INSERT INTO audit (number, at, actor, action, subject, detail, previous, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)',
        rows,
      },
    ],
  };
}

function readEntry([number, at, actor, action, subject, detail, previous, hash]: SqlRow): AuditEntry {
  return {
    number: Number(number),
    at: Number(at),
    actor: String(actor),
    action: String(action),
    ...(subject !== null && { subject: String(subject) }),
    detail: JSON.parse(String(detail)) as Json,
    previous: String(previous),
    hash: String(hash),
  };
}
