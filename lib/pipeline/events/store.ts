import { AuditChain, type AuditDraft } from '../../gallery/audit-chain.js';
import type { Database } from '../../gallery/database.js';
import type { SqlRow, SqlStatement, SqlValue } from '../../native/index.js';

/** What the parts of the log share: the database, who it is, and writes that leave a trace in the audit trail. */
export class LogStore {
  readonly db: Database;
  /** Where clips lie, absolute. */
  readonly clips: string;
  readonly now: () => number;
  readonly audit: AuditChain;

  private constructor(db: Database, clips: string, now: () => number, audit: AuditChain) {
    this.db = db;
    this.clips = clips;
    this.now = now;
    this.audit = audit;
  }

  static async open(db: Database, clips: string, now: () => number): Promise<LogStore> {
    return new LogStore(db, clips, now, await AuditChain.open(db, now));
  }

  async rows(sql: string, params: readonly SqlValue[] = [], signal?: AbortSignal): Promise<readonly SqlRow[]> {
    return (await this.db.read(sql, params, { maxRows: 1_000_000, ...(signal && { signal }) })).rows;
  }

  async count(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return Number((await this.rows(sql, params))[0]?.[0] ?? 0);
  }

  /** What stands for a person in the audit trail; see {@link AuditChain.digest}. */
  digest(id: string): string {
    return this.audit.digest(id);
  }

  /** Writes changes together with what the audit trail says of them, in one transaction. */
  audited(changes: readonly SqlStatement[], ...drafts: readonly AuditDraft[]): Promise<void> {
    return this.audit.append(changes, drafts);
  }
}
