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
  const persons = await store.rows(
    'SELECT key, id FROM persons WHERE coalesce(root, key) = (SELECT coalesce(root, key) FROM persons WHERE id = ?)',
    [id],
  );
  const keys = persons.map(([key]) => Number(key));
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
  // Frames may be ahead of this machine's clock: what they showed is before the erasure.
  const until = Math.max(
    at,
    await store.count(`SELECT coalesce(max(timestamp), 0) FROM events WHERE person ${mine}`, [group]),
  );
  const changes: SqlStatement[] = [
    { sql: 'DELETE FROM erased_sights WHERE added_at < ?', params: [at - KEEP_SIGHTS_MS] },
    { sql: SIGHTS.replace('$mine', mine), params: [group, until, at, at - KEEP_SIGHTS_MS] },
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
  // Ids that were merged into this one stand for the same person: none of them is written again.
  const others = persons.map(([, other]) => store.digest(String(other))).filter((digest) => digest !== subject);
  await store.audited(
    changes,
    ...others.map((digest) => ({ actor: by, action: 'erasure', subject: digest, detail: { with: subject, until } })),
    {
      actor: by,
      action: 'erasure',
      subject,
      detail: {
        events: number,
        how: events,
        clips: clips.deleted,
        reason: options.reason ?? null,
        receipt: options.receipt ?? null,
        until,
      },
    },
  );
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

/** Longer than a clip can be. */
const KEEP_SIGHTS_MS = 2 * 86_400_000;

/** At each camera from the first to the last sight of the persons; who has not left may be in sight still. */
const SIGHTS = `INSERT INTO erased_sights (camera, first, last, added_at)
  SELECT camera, min(timestamp - CASE WHEN type = ${TYPES.indexOf('left')} THEN coalesce(detail ->> '$.stayedMs', 0) ELSE 0 END),
    CASE WHEN coalesce(max(timestamp) FILTER (WHERE type = ${TYPES.indexOf('left')}), 0) >= max(timestamp) THEN max(timestamp) ELSE ?2 END, ?3
  FROM events WHERE person $mine AND timestamp >= ?4 GROUP BY camera`;

const NO_CLIPS: ClipDeletion = { deleted: 0, bytes: 0, missing: 0, problems: [] };

/** Kept clips of cameras that saw the persons then; `left` tells of the time from coming to going. */
const SEEN_IN = `SELECT key FROM clips k WHERE state IN ('kept', 'going') AND (
    EXISTS (SELECT 1 FROM events e WHERE e.id IN (k.event, k.cause) AND e.person IN (SELECT value FROM json_each(?1)))
    OR EXISTS (
      SELECT 1 FROM events e WHERE e.person IN (SELECT value FROM json_each(?1)) AND e.camera = k.camera AND e.timestamp >= k.begins
        AND e.timestamp - CASE WHEN e.type = ${TYPES.indexOf('left')} THEN e.detail ->> '$.stayedMs' ELSE 0 END <= k.ends
    )
  )`;
