/** Events to rows and back. */
import { relative, resolve, sep } from 'node:path';
import { invalid, nonEmptyString, numberIn, oneOf } from '../../errors/validate.js';
import type { SqlRow, SqlStatement, SqlValue } from '../../native/index.js';
import type { Identity, PipelineEvent } from '../types.js';
import { isUuid, uuidBytes, uuidText, uuidTime } from './ids.js';
import { TYPES } from './schema.js';

/** Most bytes of what an event says beyond the columns. */
const MOST_DETAIL = 65_536;

type Flat = PipelineEvent extends infer E ? { [K in E extends E ? keyof E : never]?: unknown } : never;

/** What of an event has a column of its own, or a table. */
const COLUMNS = ['id', 'camera', 'timestamp', 'sequence', 'track', 'identity', 'previous', 'zone', 'line', 'type'];
const CLIP_COLUMNS = ['path', 'sha256', 'thumbnail', 'event'];

/** How long before its cause a clip is taken to begin that does not say it: rather too long, as erasures go by it. */
const LEAD_MS = 30_000;

/** An event that can be written. */
export interface EventRow {
  readonly camera: string;
  readonly persons: readonly SqlRow[];
  readonly event: readonly SqlValue[];
  readonly clip: readonly SqlValue[] | undefined;
}

/** @throws LineamentError INVALID_ARGUMENT for what is no event */
export function eventRow(
  event: PipelineEvent,
  index: number,
  clips: string,
  digest: (person: string) => string,
): EventRow {
  const name = `events[${index}]`;
  if (typeof event !== 'object' || event === null) throw invalid(name, 'event', event);
  if (!isUuid(event.id)) throw invalid(`${name}.id`, 'UUID', event.id);
  const type = TYPES.indexOf(oneOf(`${name}.type`, event.type, TYPES));
  const camera = nonEmptyString(`${name}.camera`, event.camera);
  const timestamp = numberIn(`${name}.timestamp`, event.timestamp, 0, 2 ** 48 - 1);
  const flat = event as Flat;
  const isClip = event.type === 'clip';
  const rest = Object.entries(event).filter(
    ([key, value]) => value !== undefined && !COLUMNS.includes(key) && !(isClip && CLIP_COLUMNS.includes(key)),
  );
  const person = event.identity;
  const previous = event.type === 'recognised' ? event.previous : undefined;
  const detail = JSON.stringify({
    ...Object.fromEntries(rest),
    ...(person && { identity: bare(person) }),
    ...(previous && { previous: bare(previous) }),
  });
  const who = idOf(person);
  const before = idOf(previous);
  const began = beginning(event);
  if (detail.length > MOST_DETAIL) throw invalid(name, `event of at most ${MOST_DETAIL} characters`, event);
  return {
    camera,
    persons: [person, previous].flatMap((one) => {
      const id = idOf(one);
      return id === null ? [] : [[id, one!.kind, one!.name ?? null, timestamp, digest(id), began]];
    }),
    event: [
      uuidBytes(event.id),
      timestamp,
      type,
      camera,
      who,
      before,
      event.type === 'zone'
        ? nonEmptyString(`${name}.zone`, flat.zone)
        : event.type === 'line'
          ? nonEmptyString(`${name}.line`, flat.line)
          : null,
      event.track ?? null,
      event.sequence ?? null,
      detail,
      who === null ? null : digest(who),
      before === null ? null : digest(before),
      began,
    ],
    clip: isClip ? clipRow(event, name, clips) : undefined,
  };
}

const idOf = (identity: Identity | undefined): string | null =>
  identity === undefined || identity.kind === 'undecided' ? null : (identity.id ?? null);

/** Since when an event tells of somebody. */
function beginning(event: PipelineEvent): number {
  if (event.type === 'clip') return event.from ?? event.timestamp;
  return event.type === 'left' ? event.timestamp - event.stayedMs : event.timestamp;
}

function clipRow(event: Extract<PipelineEvent, { type: 'clip' }>, name: string, clips: string): readonly SqlValue[] {
  const { path, thumbnail, sha256, to = event.timestamp } = event;
  const cause = isUuid(event.event) ? uuidTime(event.event) : to;
  const { from = Math.max(0, Math.min(cause, to) - LEAD_MS) } = event;
  if (sha256 !== undefined && !/^[0-9a-f]{64}$/.test(sha256)) throw invalid(`${name}.sha256`, 'SHA-256 in hex', sha256);
  return [
    uuidBytes(event.id),
    isUuid(event.event) ? uuidBytes(event.event) : null,
    event.camera,
    numberIn(`${name}.from`, from, 0, to),
    numberIn(`${name}.to`, to, 0, 2 ** 48 - 1),
    path === undefined ? null : placed(clips, nonEmptyString(`${name}.path`, path)),
    thumbnail === undefined ? null : placed(clips, nonEmptyString(`${name}.thumbnail`, thumbnail)),
    sha256 ?? null,
    path === undefined ? 'none' : 'kept',
  ];
}

/** A path as it is stored: relative to the folder of clips with `/`, and absolute where it lies elsewhere. */
export function placed(folder: string, path: string): string {
  const full = resolve(folder, path);
  const inside = relative(folder, full);
  return inside === '' || inside.startsWith(`..${sep}`) || inside === '..' || resolve(inside) === inside
    ? full
    : inside.split(sep).join('/');
}

/** An identity without who it is: that stands in `persons`. */
function bare(identity: Identity): unknown {
  const { id: _id, name: _name, kind, ...rest } = identity;
  return kind === 'undecided' ? { kind, ...rest } : rest;
}

/** Statements that write rows: cameras and persons first, in one transaction. */
export function insertRows(rows: readonly EventRow[], addedAt: number): readonly SqlStatement[] {
  const cameras = [...new Set(rows.map(({ camera }) => camera))];
  const persons = seenIn(rows).map((one) => [...one, addedAt]);
  const clips = rows.flatMap(({ clip }) => (clip === undefined ? [] : [clip]));
  return [
    {
      sql: 'INSERT INTO cameras (name) VALUES (?) ON CONFLICT (name) DO NOTHING',
      rows: cameras.map((name) => [name]),
    },
    ...(persons.length === 0 ? [] : [{ sql: SEE_PERSON, rows: persons }]),
    {
      sql: `INSERT INTO events (id, timestamp, type, camera, person, previous, place, track, sequence, detail)
        VALUES (?1, ?2, ?3, (SELECT key FROM cameras WHERE name = ?4),
          (SELECT key FROM persons WHERE id = ?5 AND NOT ${erased('?11', '?13')}),
          (SELECT key FROM persons WHERE id = ?6 AND NOT ${erased('?12', '?13')}), ?7,
          CASE WHEN ${erased('?11', '?13')} THEN NULL ELSE ?8 END, ?9,
          CASE WHEN ${erased('?11', '?13')} THEN json_remove(?10, '$.identity', '$.box', '$.previous')
            WHEN ${erased('?12', '?13')} THEN json_remove(?10, '$.previous') ELSE ?10 END) ON CONFLICT (id) DO NOTHING`,
      rows: rows.map(({ event }) => event),
    },
    ...(clips.length === 0
      ? []
      : [
          {
            sql: `INSERT INTO clips (event, cause, camera, begins, ends, path, thumbnail, sha256, state)
              VALUES (?1, ?2, (SELECT key FROM cameras WHERE name = ?3), ?4, ?5, ?6, ?7, ?8,
                CASE WHEN ?9 = 'kept' AND EXISTS (SELECT 1 FROM erased_sights s JOIN cameras c ON c.key = s.camera
                  WHERE c.name = ?3 AND s.first <= ?5 AND s.last >= ?4) THEN 'going' ELSE ?9 END)
              ON CONFLICT (event) DO NOTHING`,
            rows: clips,
          },
        ]),
  ];
}

/** Whether somebody (by digest) was erased after that time. */
const erased = (digest: string, time: string): string =>
  `EXISTS (SELECT 1 FROM audit WHERE subject = ${digest} AND action = 'erasure' AND coalesce(detail ->> '$.until', at) >= ${time})`;

/**
 * Everybody of these events once: the newest word on who it is, the first and the last sight, the digest, and the latest beginning of an event:
 * who is seen after an erasure is there again.
 */
function seenIn(rows: readonly EventRow[]): readonly SqlRow[] {
  const all = new Map<SqlValue, SqlRow>();
  for (const { persons } of rows) {
    for (const [id = null, kind = null, name = null, time = null, digest = null, began = null] of persons) {
      const known = all.get(id);
      const [first, last] = [Number(known?.[3] ?? time), Number(known?.[4] ?? time)];
      const newest = known === undefined || Number(time) >= last;
      all.set(id, [
        id,
        newest ? kind : known[1]!,
        (newest ? (name ?? known?.[2]) : (known[2] ?? name)) ?? null,
        Math.min(first, Number(time)),
        Math.max(last, Number(time)),
        digest,
        Math.max(Number(known?.[6] ?? began), Number(began)),
      ]);
    }
  }
  return [...all.values()];
}

/** Who is seen is not archived any more. A name that was given to the log itself stays. */
const SEE_PERSON = `INSERT INTO persons (id, kind, name, first_seen, last_seen, added_at)
  SELECT ?1, ?2, ?3, ?4, ?5, ?8 WHERE NOT ${erased('?6', '?7')}
  ON CONFLICT (id) DO UPDATE SET
    kind = CASE WHEN excluded.last_seen >= coalesce(last_seen, 0) THEN excluded.kind ELSE kind END,
    name = CASE WHEN named = 1 OR excluded.name IS NULL OR excluded.last_seen < coalesce(last_seen, 0) THEN name ELSE excluded.name END,
    first_seen = min(coalesce(first_seen, excluded.first_seen), excluded.first_seen),
    last_seen = max(coalesce(last_seen, 0), excluded.last_seen),
    archived_at = CASE WHEN excluded.last_seen > archived_at THEN NULL ELSE archived_at END`;

/** What is read of an event; `e` is the event, the joins are {@link JOINS}. */
export const READ = `e.id, e.timestamp, e.type, c.name, e.track, e.sequence, e.place, e.detail,
  r.kind, r.id, r.name, q.kind, q.id, q.name, k.path, k.thumbnail, k.sha256, k.cause, k.state`;

export const JOINS = `JOIN cameras c ON c.key = e.camera
  LEFT JOIN persons p ON p.key = e.person LEFT JOIN persons r ON r.key = coalesce(p.root, p.key)
  LEFT JOIN persons o ON o.key = e.previous LEFT JOIN persons q ON q.key = coalesce(o.root, o.key)
  LEFT JOIN clips k ON e.type = ${TYPES.indexOf('clip')} AND k.event = e.id`;

/** The event of a row of {@link READ}. */
export function readEvent(row: SqlRow, clips: string): PipelineEvent {
  const [id, timestamp, code, camera, track, sequence, place, text, ...more] = row;
  const type = TYPES[Number(code)]!;
  const { identity, previous, ...detail } = JSON.parse(String(text)) as Record<string, unknown>;
  const [kind, person, name, kind2, person2, name2, ...clip] = more;
  return {
    id: uuidText(id as Uint8Array),
    type,
    camera: String(camera),
    timestamp: Number(timestamp),
    ...(sequence !== null && { sequence: Number(sequence) }),
    ...(track !== null && { track: Number(track) }),
    ...identityOf('identity', identity, kind, person, name),
    ...identityOf('previous', previous, kind2, person2, name2),
    ...(place !== null && (type === 'line' ? { line: place } : { zone: place })),
    ...detail,
    ...(type === 'clip' && clipFields(clip, clips)),
  } as unknown as PipelineEvent;
}

function identityOf(field: string, stored: unknown, kind?: SqlValue, id?: SqlValue, name?: SqlValue): object {
  if (id === null || id === undefined) {
    // Never decided, or erased since: nothing is left but numbers, and of the erased not even those.
    return (stored as { kind?: unknown } | undefined)?.kind === 'undecided' ? { [field]: stored } : {};
  }
  return { [field]: { kind, id, ...(name !== null && { name }), ...(stored as object | undefined) } };
}

function clipFields(columns: readonly SqlValue[], clips: string): object {
  const [path, thumbnail, sha256, cause, state] = columns;
  const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);
  return {
    event: cause instanceof Uint8Array ? uuidText(cause) : '',
    ...(text(path) !== undefined && { path: resolve(clips, text(path)!) }),
    ...(text(thumbnail) !== undefined && { thumbnail: resolve(clips, text(thumbnail)!) }),
    ...(text(sha256) !== undefined && { sha256: text(sha256) }),
    ...(['deleted', 'going', 'missing'].includes(String(state)) && {
      code: 'NOT_FOUND',
      message: state === 'missing' ? 'the file was not there any more' : 'the file has been deleted',
    }),
  };
}
