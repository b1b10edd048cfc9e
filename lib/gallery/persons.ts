import { plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { SqlRow } from '../native/index.js';
import type { Template } from '../templates/index.js';
import { collectionNamed } from './collections.js';
import { checkId, optional, type Store } from './store.js';
import type { CallOptions, Json, PersonDetails, PersonInfo, SampleInfo } from './types.js';

export interface ListPersonsOptions extends CallOptions {
  /** Only persons with samples in this collection. */
  readonly collection?: string;
  /** `next` of the page before. */
  readonly after?: string;
  /** Persons on a page, 1 to 1000 (default 100). */
  readonly limit?: number;
}

export interface PersonPage {
  /** In the order of their ids (by code points). */
  readonly persons: readonly PersonInfo[];
  /** Give it as `after` to get the next page; absent on the last. */
  readonly next?: string;
}

const PERSON = 'p.id, p.name, p.metadata, p.created_at, p.updated_at';

function personFields([id, name, metadata, createdAt, updatedAt]: SqlRow): Omit<PersonInfo, 'samples'> {
  return {
    id: String(id),
    ...optional('name', name === null ? undefined : String(name)),
    ...(metadata === null ? {} : { metadata: JSON.parse(String(metadata)) as Json }),
    createdAt: Number(createdAt),
    updatedAt: Number(updatedAt),
  };
}

export async function listPersons(store: Store, options: ListPersonsOptions): Promise<PersonPage> {
  plainObject('options', options, ['collection', 'after', 'limit', 'signal']);
  const limit = positiveInteger('limit', options.limit ?? 100, 1000);
  const after = options.after === undefined ? '' : checkId('after', options.after);
  const collection = options.collection === undefined ? null : collectionNamed(store, options.collection).key;
  const rows = await store.rows(
    `SELECT ${PERSON}, (SELECT count(*) FROM samples s WHERE s.person = p.key AND (?1 IS NULL OR s.collection = ?1)) AS n
     FROM persons p WHERE p.id > ?2 AND (?1 IS NULL OR n > 0) ORDER BY p.id LIMIT ?3`,
    [collection, after, limit + 1],
  );
  const persons = rows.slice(0, limit).map((row) => ({ ...personFields(row), samples: Number(row[5]) }));
  return { persons, ...optional('next', rows.length > limit ? persons.at(-1)?.id : undefined) };
}

const SAMPLE = `s.id, p.id, c.name, s.quality, s.created_at, s.expires_at, s.consent, s.source,
  EXISTS (SELECT 1 FROM thumbnails WHERE sample = s.key)`;

function sampleFields(row: SqlRow, now: number): SampleInfo {
  const [id, person, collection, quality, createdAt, expiresAt, consent, source, thumbnail] = row;
  return {
    id: String(id),
    person: String(person),
    collection: String(collection),
    ...optional('quality', quality as number | null),
    createdAt: Number(createdAt),
    ...optional('expiresAt', expiresAt as number | null),
    expired: expiresAt !== null && Number(expiresAt) <= now,
    ...optional('consent', consent as string | null),
    ...optional('source', source as string | null),
    thumbnail: Number(thumbnail) === 1,
  };
}

/** The person with all samples; absent where there is none. */
export async function getPerson(store: Store, id: string): Promise<PersonDetails | undefined> {
  checkId('person', id);
  const [person, samples] = await store.db.readAll(
    [
      { sql: `SELECT ${PERSON} FROM persons p WHERE p.id = ?`, params: [id] },
      {
        sql: `SELECT ${SAMPLE} FROM samples s JOIN persons p ON p.key = s.person JOIN collections c ON c.key = s.collection
          WHERE p.id = ? ORDER BY s.key`,
        params: [id],
      },
    ],
    { maxRows: 1_000_000 },
  );
  const row = person?.rows[0];
  if (row === undefined) return undefined;
  const now = store.now();
  return { ...personFields(row), samples: (samples?.rows ?? []).map((sample) => sampleFields(sample, now)) };
}

export interface SampleRow {
  readonly key: number;
  readonly person: number;
  readonly collection: number;
}

export async function sampleNamed(store: Store, id: string): Promise<SampleRow> {
  const row = await store.row('SELECT key, person, collection FROM samples WHERE id = ?', [checkId('sample', id)]);
  if (row === undefined) throw new LineamentError('NOT_FOUND', `there is no sample '${id}'`);
  return { key: Number(row[0]), person: Number(row[1]), collection: Number(row[2]) };
}

/** The template of a sample, opened. Rejects with `NOT_FOUND`, `KEY_MISMATCH`, `STORE_CORRUPT`. */
export async function sampleTemplate(store: Store, id: string): Promise<Template> {
  const { key, person, collection } = await sampleNamed(store, id);
  const row = await store.row('SELECT data FROM templates WHERE sample = ?', [key]);
  const place = { kind: 'template', row: key, person, collection } as const;
  return store.sealer.openTemplate(row?.[0], place, `sample ${id}`);
}

/** The thumbnail of a sample; absent where there is none. */
export async function sampleThumbnail(store: Store, id: string): Promise<Uint8Array | undefined> {
  const { key, person, collection } = await sampleNamed(store, id);
  const row = await store.row('SELECT data FROM thumbnails WHERE sample = ?', [key]);
  if (row === undefined) return undefined;
  const place = { kind: 'thumbnail', row: key, person, collection } as const;
  return Uint8Array.from(await store.sealer.open(row[0], place, `the thumbnail of sample ${id}`));
}
