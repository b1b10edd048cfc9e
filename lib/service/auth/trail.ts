import { AUDIT_TABLES, AuditChain } from '../../gallery/audit-chain.js';
import type { Database } from '../../gallery/database.js';
import type { Json } from '../../gallery/index.js';
import { Lifetime } from '../../inference/lifetime.js';
import type { AuditDraft, AuditTrail } from '../types.js';
import { openPrivate } from './files.js';

export const AUDIT_FILE = 'audit.sqlite';
/** "LSAU". */
const APPLICATION_ID = 0x4c534155;

/**
 * Opens the audit trail in `folder`, begun where there is none: who did what through the service, each line with the hash of the one before, a
 * file of its own that is only ever added to. Codes of `Database.open`.
 */
export async function openAuditTrail(folder: string, now: () => number = Date.now): Promise<AuditTrail> {
  const db = await openPrivate(folder, AUDIT_FILE, APPLICATION_ID, [AUDIT_TABLES]);
  try {
    return new ServiceTrail(db, await AuditChain.open(db, now));
  } catch (error) {
    await db.close();
    throw error;
  }
}

class ServiceTrail implements AuditTrail {
  readonly #db: Database;
  readonly #chain: AuditChain;
  readonly #lifetime = new Lifetime('audit trail');

  constructor(db: Database, chain: AuditChain) {
    this.#db = db;
    this.#chain = chain;
  }

  append({ actor, action, subject, detail }: AuditDraft): Promise<void> {
    return this.#lifetime.use(() =>
      this.#chain.append([], [{ actor, action, subject: this.#digest(subject), detail }]),
    );
  }

  list({ subject, ...rest }: Parameters<AuditTrail['list']>[0] = {}): Promise<readonly Json[]> {
    return this.#lifetime.use(async () => {
      const entries = await this.#chain.list({ ...rest, subject: this.#digest(subject) });
      return entries.map((entry) => ({ ...entry }));
    });
  }

  check(known?: Parameters<AuditTrail['check']>[0]): ReturnType<AuditTrail['check']> {
    return this.#lifetime.use(async () => {
      const { ok, entries, head, broken } = await this.#chain.verify(known);
      return { ok, entries, head, ...(broken !== undefined && { broken: broken.number }) };
    });
  }

  close(): Promise<void> {
    return this.#lifetime.close(() => this.#db.close());
  }

  #digest(subject: string | undefined): string | undefined {
    return subject === undefined ? undefined : this.#chain.digest(subject);
  }
}
