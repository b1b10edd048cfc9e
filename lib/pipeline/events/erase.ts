import { nonEmptyString, oneOf, plainObject } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import type { SqlStatement } from '../../native/index.js';
import { type ClipDeletion, deleteClips } from './files.js';
import { TYPES } from './schema.js';
import type { LogStore } from './store.js';

export interface ErasePersonOptions {
  /**
   * `anonymise` (default): events stay and count, without who it was and without what was measured of the person. `delete`: they go.
   */
  readonly events?: 'anonymise' | 'delete';
  /** Clips in which the person may be seen; default true. */
  readonly clips?: boolean;
  /** Who wants it, for the audit trail. */
  readonly by: string;
  /** Why, for the audit trail; without names. */
  readonly reason?: string;
  /** Id of the gallery's receipt, where the person was erased there too. */
  readonly receipt?: string;
}

/** What an erasure did, for a receipt: no ids and no names. */
export interface LogErasure {
  /** As in the audit trail; see `EventLog.digest`. */
  readonly subject: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** Ids that stood for the person: itself, and who was merged into it. */
  readonly persons: number;
  readonly events: { readonly anonymised: number; readonly deleted: number };
  readonly consents: number;
  readonly clips: ClipDeletion;
  /** `busy`: the file's log could not be emptied, as somebody was reading; the next checkpoint does it. */
  readonly log: 'emptied' | 'busy';
}

/**
 * Takes a person out of the log: rows are overwritten (`secure_delete`), files of clips deleted, the write-ahead log emptied. A clip counts as showing the
 * person where its event is of the person, or where the person was seen by its camera at its time.
 */
export async function erasePerson(store: LogStore, id: string, options: ErasePersonOptions): Promise<LogErasure> {
  nonEmptyString('person', id);
  plainObject('options', options, ['events', 'clips', 'by', 'reason', 'receipt']);
  const events = oneOf('events', options.events ?? 'anonymise', ['anonymise', 'delete']);
  const by = nonEmptyString('by', options.by);
  const keys = (
    await store.rows(
      'SELECT key FROM persons WHERE coalesce(root, key) = (SELECT coalesce(root, key) FROM persons WHERE id = ?)',
      [id],
    )
  ).map(([key]) => Number(key));
  if (keys.length === 0) throw new LineamentError('NOT_FOUND', `the log knows no person '${id}'`);
  const group = JSON.stringify(keys);
  const clips =
    options.clips === false
      ? NO_CLIPS
      : await deleteClips(
          store,
          (await store.rows(SEEN_IN, [group])).map(([key]) => Number(key)),
        );
  const at = store.now();
  const subject = store.digest(id);
  const mine = 'IN (SELECT value FROM json_each(?1))';
  const number = await store.count(`SELECT count(*) FROM events WHERE person ${mine}`, [group]);
  const consents = await store.count(`SELECT count(*) FROM consents WHERE person ${mine}`, [group]);
  const changes: SqlStatement[] = [
    events === 'delete'
      ? { sql: `DELETE FROM events WHERE person ${mine}`, params: [group] }
      : {
          sql: `UPDATE events SET person = NULL, track = NULL, detail = json_remove(detail, '$.identity', '$.box') WHERE person ${mine}`,
          params: [group],
        },
    {
      sql: `UPDATE events SET previous = NULL, detail = json_remove(detail, '$.previous') WHERE previous ${mine}`,
      params: [group],
    },
    { sql: `DELETE FROM consents WHERE person ${mine}`, params: [group] },
    { sql: `UPDATE persons SET merged_into = NULL WHERE merged_into ${mine}`, params: [group] },
    { sql: `DELETE FROM persons WHERE key ${mine}`, params: [group] },
  ];
  await store.audited(changes, {
    actor: by,
    action: 'erasure',
    subject,
    detail: {
      events: number,
      how: events,
      clips: clips.deleted,
      reason: options.reason ?? null,
      receipt: options.receipt ?? null,
    },
  });
  const emptied = await store.db.checkpoint('truncate').then(
    () => true,
    () => false,
  );
  return {
    subject,
    at,
    persons: keys.length,
    events: events === 'delete' ? { anonymised: 0, deleted: number } : { anonymised: number, deleted: 0 },
    consents,
    clips,
    log: emptied ? 'emptied' : 'busy',
  };
}

const NO_CLIPS: ClipDeletion = { deleted: 0, bytes: 0, missing: 0, problems: [] };

/** Kept clips of cameras that saw the persons then; `left` tells of the time from coming to going. */
const SEEN_IN = `SELECT key FROM clips k WHERE state IN ('kept', 'going') AND (
    EXISTS (SELECT 1 FROM events e WHERE e.id IN (k.event, k.cause) AND e.person IN (SELECT value FROM json_each(?1)))
    OR EXISTS (
      SELECT 1 FROM events e WHERE e.person IN (SELECT value FROM json_each(?1)) AND e.camera = k.camera AND e.timestamp >= k.begins
        AND e.timestamp - CASE WHEN e.type = ${TYPES.indexOf('left')} THEN e.detail ->> '$.stayedMs' ELSE 0 END <= k.ends
    )
  )`;
