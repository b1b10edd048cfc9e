/** Questions to the log, as SQL that goes along an index. */
import { invalid, nonEmptyString, numberIn, oneOf, plainObject, positiveInteger } from '../../errors/validate.js';
import type { SqlStatement, SqlValue } from '../../native/index.js';
import type { PipelineEvent, PipelineEventType } from '../types.js';
import { JOINS, READ } from './rows.js';
import { TYPES } from './schema.js';

/** Which events; those that fit all that is given. */
export interface EventFilter {
  /** Timestamps in [from, to), milliseconds since the Unix epoch. */
  readonly from?: number;
  readonly to?: number;
  readonly camera?: string | readonly string[];
  readonly type?: PipelineEventType | readonly PipelineEventType[];
  /** Ids of persons, gallery's or strangers'; those who were merged into them count. */
  readonly person?: string | readonly string[];
  /** Names of zones and lines. */
  readonly zone?: string | readonly string[];
}

export interface EventQuery extends EventFilter {
  /** By timestamp; default `newest` first. */
  readonly order?: 'newest' | 'oldest';
  /** Events on a page, 1 to 1000 (default 100). */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

export interface EventPage {
  readonly events: readonly PipelineEvent[];
  /** Give it as `after` to get the next page; absent on the last. */
  readonly next?: string;
}

const GROUPS = ['hour', 'day', 'camera', 'person', 'type', 'zone'] as const;
export type EventGroup = (typeof GROUPS)[number];

export interface CountQuery extends EventFilter {
  /** What is counted apart; nothing: all together. */
  readonly by?: readonly EventGroup[];
  /** Days and hours are those of this offset from UTC, minutes east; default 0. */
  readonly utcOffsetMinutes?: number;
  readonly signal?: AbortSignal;
}

/** Events of one group; what it was not grouped by is absent, and so is `person` or `zone` of events that have none. */
export interface EventCount {
  readonly count: number;
  /** Start of the hour or day, milliseconds since the Unix epoch. */
  readonly hour?: number;
  readonly day?: number;
  readonly camera?: string;
  readonly person?: string;
  readonly type?: PipelineEventType;
  readonly zone?: string;
}

const FILTERS = ['from', 'to', 'camera', 'type', 'person', 'zone'] as const;

/** Most values of one list: each is a walk along the index. */
const MOST_LISTED = 100;

type Name = 'person' | 'place' | 'camera' | 'type';
const INDEX: Readonly<Record<Name, string>> = {
  person: 'events_person',
  place: 'events_place',
  camera: 'events_camera',
  type: 'events_type',
};

/** A filter in terms of columns. */
export interface Filter {
  readonly from: number;
  readonly to: number;
  readonly lists: readonly { readonly name: Name; readonly values: readonly number[] | readonly string[] }[];
}

/** Looks names up; absent where nothing can fit, as a camera that nobody knows. */
export type Lookup = (sql: string, params: readonly SqlValue[]) => Promise<readonly number[]>;

/** @throws LineamentError INVALID_ARGUMENT */
export async function checkFilter(filter: EventFilter, lookup: Lookup): Promise<Filter | undefined> {
  const from = numberIn('from', filter.from ?? 0, -Number.MAX_VALUE, Number.MAX_VALUE);
  const to = numberIn('to', filter.to ?? Number.MAX_VALUE, -Number.MAX_VALUE, Number.MAX_VALUE);
  const lists: Filter['lists'][number][] = [];
  if (filter.person !== undefined) {
    const ids = listed('person', filter.person);
    const values = await lookup(
      `SELECT key FROM persons WHERE coalesce(root, key) IN
        (SELECT coalesce(root, key) FROM persons WHERE id IN (SELECT value FROM json_each(?)))`,
      [JSON.stringify(ids)],
    );
    lists.push({ name: 'person', values });
  }
  if (filter.zone !== undefined) lists.push({ name: 'place', values: listed('zone', filter.zone) });
  if (filter.type !== undefined) {
    const values = listed('type', filter.type).map((type) => TYPES.indexOf(oneOf('type', type, TYPES)));
    lists.push({ name: 'type', values });
  }
  if (filter.camera !== undefined) {
    const names = JSON.stringify(listed('camera', filter.camera));
    const sql = 'SELECT key FROM cameras WHERE name IN (SELECT value FROM json_each(?))';
    lists.push({ name: 'camera', values: await lookup(sql, [names]) });
  }
  return lists.some(({ values }) => values.length === 0) ? undefined : { from, to, lists };
}

/** One page: walks along the index of the rarest thing that is asked for, and reads one event more than fits. */
export async function pageStatement(
  query: EventQuery,
  lookup: Lookup,
): Promise<{ readonly limit: number; readonly statement: SqlStatement | undefined }> {
  plainObject('query', query, [...FILTERS, 'order', 'limit', 'after', 'signal']);
  const limit = positiveInteger('limit', query.limit ?? 100, 1000);
  const newest = oneOf('order', query.order ?? 'newest', ['newest', 'oldest']) === 'newest';
  const cursor = query.after === undefined ? undefined : readCursor(query.after);
  const filter = await checkFilter(query, lookup);
  if (filter === undefined) return { limit, statement: undefined };
  const params: SqlValue[] = [];
  const bind = (value: SqlValue): string => `?${params.push(value)}`;
  const order = newest ? 'DESC' : 'ASC';
  const [first, ...others] = filter.lists;
  const time = `timestamp >= ${bind(filter.from)} AND timestamp < ${bind(filter.to)}${
    cursor ? ` AND (timestamp, key) ${newest ? '<' : '>'} (${bind(cursor[0])}, ${bind(cursor[1])})` : ''
  }`;
  const rest = others.map(({ name, values }) => ` AND +${name} IN (${values.map(bind).join(', ')})`).join('');
  const most = bind(limit + 1);
  const walk = (index: string, where: string): string =>
    `SELECT key, timestamp FROM events INDEXED BY ${index} WHERE ${where}${time}${rest} ORDER BY timestamp ${order}, key ${order} LIMIT ${most}`;
  const walks =
    first === undefined
      ? [walk('events_time', '')]
      : first.values.map((value) => walk(INDEX[first.name], `${first.name} = ${bind(value)} AND `));
  const keys =
    walks.length === 1
      ? walks[0]
      : `${walks.map((one) => `SELECT * FROM (${one})`).join(' UNION ALL ')} ORDER BY timestamp ${order}, key ${order} LIMIT ${most}`;
  return {
    limit,
    statement: {
      sql: `WITH page AS MATERIALIZED (${keys}) SELECT ${READ}, e.key FROM page JOIN events e ON e.key = page.key ${JOINS}
        ORDER BY e.timestamp ${order}, e.key ${order}`,
      params,
    },
  };
}

/** Conditions on `e`, for queries that walk along another way. */
export function conditions(filter: Filter, params: SqlValue[]): string {
  const bind = (value: SqlValue): string => `?${params.push(value)}`;
  const lists = filter.lists.map(({ name, values }) => ` AND e.${name} IN (${values.map(bind).join(', ')})`);
  return `e.timestamp >= ${bind(filter.from)} AND e.timestamp < ${bind(filter.to)}${lists.join('')}`;
}

/** Counts of groups. */
export async function countStatement(
  query: CountQuery,
  lookup: Lookup,
): Promise<{ readonly by: readonly EventGroup[]; readonly statement: SqlStatement | undefined }> {
  plainObject('query', query, [...FILTERS, 'by', 'utcOffsetMinutes', 'signal']);
  const by: readonly EventGroup[] = query.by ?? [];
  if (!Array.isArray(by) || new Set(by).size !== by.length) throw invalid('by', 'array of distinct groups', by);
  for (const one of by) oneOf('by', one, GROUPS);
  const offset = numberIn('utcOffsetMinutes', query.utcOffsetMinutes ?? 0, -1440, 1440) * 60_000;
  const filter = await checkFilter(query, lookup);
  if (filter === undefined) return { by, statement: undefined };
  const params: SqlValue[] = [];
  const where = conditions(filter, params);
  const bucket = (ms: number): string => `CAST((e.timestamp + (${offset})) / ${ms} AS INTEGER) * ${ms} - (${offset})`;
  const expressions: Readonly<Record<EventGroup, string>> = {
    hour: bucket(3_600_000),
    day: bucket(86_400_000),
    camera: '(SELECT name FROM cameras WHERE key = e.camera)',
    person: '(SELECT r.id FROM persons p JOIN persons r ON r.key = coalesce(p.root, p.key) WHERE p.key = e.person)',
    type: 'e.type',
    zone: 'e.place',
  };
  const columns = (by as readonly EventGroup[]).map((one) => expressions[one]);
  const groups = by.map((_, i) => i + 1).join(', ');
  return {
    by,
    statement: {
      sql: `SELECT ${[...columns, 'count(*)'].join(', ')} FROM events e WHERE ${where}${
        by.length === 0 ? '' : ` GROUP BY ${groups} ORDER BY ${groups}`
      }`,
      params,
    },
  };
}

export function readCount(by: readonly EventGroup[], row: readonly SqlValue[]): EventCount {
  const groups = by.flatMap((one, i): [string, unknown][] => {
    const value = row[i];
    if (value === null || value === undefined) return [];
    return [[one, one === 'type' ? TYPES[Number(value)] : value]];
  });
  return { count: Number(row[by.length]), ...Object.fromEntries(groups) };
}

export const writeCursor = (timestamp: number, key: number): string => `${timestamp}_${key}`;

function readCursor(text: string): readonly [number, number] {
  const found = /^(-?[\d.e+]+)_(\d+)$/.exec(nonEmptyString('after', text));
  const [timestamp, key] = [Number(found?.[1]), Number(found?.[2])];
  if (!Number.isFinite(timestamp) || !Number.isSafeInteger(key)) throw invalid('after', "a page's next", text);
  return [timestamp, key];
}

function listed(name: string, value: string | readonly string[]): readonly string[] {
  const values = typeof value === 'string' ? [value] : value;
  if (!Array.isArray(values) || values.length === 0 || values.length > MOST_LISTED) {
    throw invalid(name, `string or 1 to ${MOST_LISTED} strings`, value);
  }
  return [...new Set(values.map((one, i) => nonEmptyString(`${name}[${i}]`, one)))];
}
