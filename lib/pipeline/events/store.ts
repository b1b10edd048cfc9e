import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { LineamentError } from '../../errors.js';
import type { Database } from '../../gallery/database.js';
import type { SqlRow, SqlStatement, SqlValue } from '../../native/index.js';
import { type AuditDraft, auditStatements, type Head } from './audit.js';

/** What the parts of the log share: the database, who it is, and writes that leave a trace in the audit trail. */
export class LogStore {
  readonly db: Database;
  /** Where clips lie, absolute. */
  readonly clips: string;
  /** The log's own id. */
  readonly log: string;
  readonly now: () => number;
  readonly #salt: Uint8Array;
  #head: Head;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor(db: Database, clips: string, now: () => number, state: SqlRow) {
    this.db = db;
    this.clips = clips;
    this.now = now;
    this.log = String(state[0]);
    this.#salt = state[1] as Uint8Array;
    this.#head = { number: Number(state[2]), hash: String(state[3]) };
  }

  static async open(db: Database, clips: string, now: () => number): Promise<LogStore> {
    const read = async (): Promise<SqlRow | undefined> => (await db.read(STATE)).rows[0];
    let state = await read();
    if (state === undefined) {
      const log = randomUUID();
      await db.write([
        {
          sql: `INSERT INTO state (one, log, created_at, salt, audit_number, audit_hash) VALUES (1, ?, ?, ?, 0, ?)
            ON CONFLICT (one) DO NOTHING`,
          params: [log, now(), randomBytes(32), createHash('sha256').update(log).digest('hex')],
        },
      ]);
      state = await read();
    }
    return new LogStore(db, clips, now, state!);
  }

  async rows(sql: string, params: readonly SqlValue[] = [], signal?: AbortSignal): Promise<readonly SqlRow[]> {
    return (await this.db.read(sql, params, { maxRows: 1_000_000, ...(signal && { signal }) })).rows;
  }

  async count(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return Number((await this.rows(sql, params))[0]?.[0] ?? 0);
  }

  /**
   * What stands for a person in the audit trail: SHA-256 over the log's salt and the id. Whoever knows an id can find what is said of it; nobody
   * reads ids out of it, and an erasure leaves the trail as it is.
   */
  digest(id: string): string {
    return createHash('sha256').update(this.#salt).update('\0').update(id).digest('hex');
  }

  /** Last entry of the audit trail that this process has written or seen. */
  get head(): Head {
    return this.#head;
  }

  /**
   * Writes changes together with what the audit trail says of them, in one transaction: neither is there without the other. One at a time; another
   * process may add to the trail meanwhile.
   */
  audited(changes: readonly SqlStatement[], ...drafts: readonly AuditDraft[]): Promise<void> {
    const done = this.#queue.then(() => this.#append(changes, drafts));
    this.#queue = done.catch(() => undefined);
    return done;
  }

  async #append(changes: readonly SqlStatement[], drafts: readonly AuditDraft[]): Promise<void> {
    for (;;) {
      const before = this.#head;
      const { statements, head } = auditStatements(before, drafts, this.now());
      try {
        await this.db.write([...statements, ...changes]);
        this.#head = head;
        return;
      } catch (error) {
        if (!(error instanceof LineamentError) || error.code !== 'NOT_FOUND') throw error;
        const [state] = await this.rows(STATE);
        this.#head = { number: Number(state?.[2]), hash: String(state?.[3]) };
        // It was not the trail that had moved on, but something that the changes expected.
        if (this.#head.number === before.number) throw error;
      }
    }
  }
}

const STATE = 'SELECT log, salt, audit_number, audit_hash FROM state';
