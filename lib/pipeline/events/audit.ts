import { nonEmptyString, plainObject } from '../../errors/validate.js';
import type { AuditEntry } from '../../gallery/audit-chain.js';
import type { LogStore } from './store.js';

export type { AuditCheck, AuditEntry, Head } from '../../gallery/audit-chain.js';

export interface AuditQuery {
  /** Only what concerns this person, by id. */
  readonly person?: string;
  readonly action?: string;
  /** Entries before this number. */
  readonly before?: number;
  /** Default 100, at most 1000; newest first. */
  readonly limit?: number;
}

export async function listAudit(store: LogStore, query: AuditQuery): Promise<readonly AuditEntry[]> {
  plainObject('query', query, ['person', 'action', 'before', 'limit']);
  const { person, ...rest } = query;
  return await store.audit.list({
    ...rest,
    ...(person !== undefined && { subject: store.digest(nonEmptyString('person', person)) }),
  });
}
