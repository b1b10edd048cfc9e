import { createHash } from 'node:crypto';
import { nonEmptyString, plainObject, positiveInteger } from '../../errors/validate.js';
import type { Json } from '../../gallery/index.js';
import type { SqlRow, SqlStatement } from '../../native/index.js';
import type { LogStore } from './store.js';

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
  /** Digest of the person whom it concerns; see `EventLog.audit`. */
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

export interface AuditQuery {
  /** Only what concerns this person, by id. */
  readonly person?: string;
  readonly action?: string;
  /** Entries before this number. */
  readonly before?: number;
  /** Default 100, at most 1000; newest first. */
  readonly limit?: number;
}

export interface AuditCheck {
  readonly ok: boolean;
  readonly entries: number;
  /** The last entry: keep it elsewhere, and give it to the next check. */
  readonly head: Head;
  /** The first entry that is not as it was written, and what is wrong. */
  readonly broken?: { readonly number: number; readonly message: string };
}

function hashOf(number: number, at: number, draft: AuditDraft, detail: string, previous: string): string {
  const text = JSON.stringify([number, at, draft.actor, draft.action, draft.subject ?? null, detail, previous]);
  return createHash('sha256').update(text).digest('hex');
}

/** Statements that add entries after `head`, and nothing where another one was added meanwhile (`NOT_FOUND`). */
export function auditStatements(
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

const READ = 'SELECT number, at, actor, action, subject, detail, previous, hash FROM audit';

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

export async function listAudit(store: LogStore, query: AuditQuery): Promise<readonly AuditEntry[]> {
  plainObject('query', query, ['person', 'action', 'before', 'limit']);
  const limit = positiveInteger('limit', query.limit ?? 100, 1000);
  const rows = await store.rows(
    `${READ} WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR action = ?2) AND (?3 IS NULL OR number < ?3)
     ORDER BY number DESC LIMIT ?4`,
    [
      query.person === undefined ? null : store.digest(nonEmptyString('person', query.person)),
      query.action ?? null,
      query.before ?? null,
      limit,
    ],
  );
  return rows.map(readEntry);
}

/** Reads the whole trail and computes every hash anew; `anchor` is an entry known from elsewhere. */
export async function verifyAudit(store: LogStore, anchor?: Head): Promise<AuditCheck> {
  const [state] = await store.rows('SELECT log, audit_number, audit_hash FROM state');
  let hash = createHash('sha256').update(String(state?.[0])).digest('hex');
  let number = 0;
  let broken: AuditCheck['broken'];
  const wrong = (message: string): void => {
    broken ??= { number, message };
  };
  for await (const page of store.db.pages(`${READ} ORDER BY number`, [], { pageSize: 1000 })) {
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
  const said = { number: Number(state?.[1]), hash: String(state?.[2]) };
  if (said.number > number || (said.number === number && said.hash !== hash)) {
    number++;
    wrong('it is not there: the trail was cut off');
    number--;
  }
  if (anchor !== undefined && anchor.number > number) {
    broken ??= { number: number + 1, message: 'it is not there: the trail was cut off' };
  }
  return { ok: broken === undefined, entries: number, head: { number, hash }, ...(broken && { broken }) };
}
