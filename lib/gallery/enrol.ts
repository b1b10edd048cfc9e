import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { invalid, numberIn, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import type { SqlStatement, SqlValue } from '../native/index.js';
import { comparableModel, type Template, validateTemplate } from '../templates/index.js';
import { type Collection, checkModel, createCollection, findCollection, type ModelOf } from './collections.js';
import { type Rates, ratesAt } from './rates.js';
import { checkId, IN_LIST, jsonText, list, type Store } from './store.js';
import type { Conflict, Enrolment, EnrolOptions, NewPerson, NewSample, Rejection } from './types.js';
import { unitEmbedding } from './vectors.js';

const SAMPLE = ['embedding', 'template', 'quality', 'consent', 'expiresAt', 'thumbnail', 'source', 'image'];
const OPTIONS = [
  'collection',
  'consent',
  'expiresAt',
  'minQuality',
  'onConflict',
  'conflictSimilarity',
  'onExisting',
  'signal',
];
const MOST_SAMPLES = 1000;
const MOST_THUMBNAIL = 1 << 20;
/** The event loop gets a turn after this many milliseconds of encoding. */
const SLICE_MS = 4;

/** A sample that was checked, with the template it becomes. */
export interface Prepared {
  /** Index in the call. */
  readonly index: number;
  readonly template: Template;
  readonly thumbnail?: Uint8Array;
  readonly source?: string;
  readonly image?: Uint8Array;
}

/** One person's share of a transaction. */
export interface Entry {
  readonly person: Required<Pick<NewPerson, 'id'>> & Omit<NewPerson, 'id'>;
  readonly samples: readonly Prepared[];
  readonly rejected: readonly Rejection[];
  readonly collection: Collection;
  readonly onExisting: 'add' | 'refuse';
}

/** Checks a call and finds its collection, which is made where it is new. Call outside the gate. */
export async function prepareEntry(
  store: Store,
  who: string | NewPerson,
  samples: NewSample | readonly NewSample[],
  options: EnrolOptions,
): Promise<Entry> {
  plainObject('options', options, OPTIONS);
  oneOf('onConflict', options.onConflict ?? 'allow', ['allow', 'report', 'refuse']);
  const onExisting = oneOf('onExisting', options.onExisting ?? 'add', ['add', 'refuse']);
  const person = checkPerson(who);
  const given = Array.isArray(samples) ? (samples as readonly NewSample[]) : [samples as NewSample];
  if (given.length === 0 || given.length > MOST_SAMPLES)
    throw invalid('samples', `1 to ${MOST_SAMPLES} samples`, given);
  const now = store.now();
  const all = given.map((sample, index) => prepareSample(sample, index, options, now));
  const floor = options.minQuality === undefined ? 0 : numberIn('minQuality', options.minQuality, 0, 100);
  const rejected = all.flatMap(({ index, template: { quality } }): Rejection[] =>
    quality !== undefined && quality < floor ? [{ index, reason: 'quality', quality }] : [],
  );
  const kept = all.filter(({ index }) => !rejected.some((one) => one.index === index));
  const [first] = kept;
  if (first === undefined) {
    const best = Math.max(...rejected.map(({ quality }) => quality));
    throw new LineamentError('TEMPLATE_REJECTED', `quality ${best.toFixed(1)} at best, asked for was ${floor}`, {
      fix: 'Take better pictures, or lower minQuality.',
    });
  }
  const collection = await needCollection(store, options.collection ?? 'default', modelOf(first.template));
  for (const { template } of kept) checkModel(collection, modelOf(template));
  return { person, samples: kept, rejected, collection, onExisting };
}

export function modelOf(template: Template): ModelOf {
  const { dims, modelHash } = template;
  return { model: comparableModel(template), dims, ...(modelHash === undefined ? {} : { modelHash }) };
}

async function needCollection(store: Store, name: string, model: ModelOf): Promise<Collection> {
  const found = findCollection(store, name);
  if (found !== undefined) return found;
  return store.gate.alone(async () => findCollection(store, name) ?? (await createCollection(store, name, model)));
}

export function checkPerson(who: string | NewPerson): Entry['person'] {
  if (typeof who === 'string') return { id: checkId('person', who) };
  plainObject('person', who, ['id', 'name', 'metadata']);
  const { id, name, metadata } = who;
  if (metadata !== undefined) jsonText('person.metadata', metadata);
  return {
    id: id === undefined ? randomUUID() : checkId('person.id', id),
    ...(name === undefined ? {} : { name: checkId('person.name', name, 1024) }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function prepareSample(sample: NewSample, index: number, options: EnrolOptions, now: number): Prepared {
  const name = `samples[${index}]`;
  plainObject(name, sample, SAMPLE);
  const { embedding, template: made, thumbnail, source, image } = sample;
  if ((embedding === undefined) === (made === undefined)) throw invalid(name, 'either embedding or template', sample);
  const expiresAt = sample.expiresAt ?? options.expiresAt ?? made?.expiresAt;
  if (expiresAt !== undefined) {
    numberIn(`${name}.expiresAt`, expiresAt, 0, 8.64e15);
    if (expiresAt <= now) throw new LineamentError('TEMPLATE_EXPIRED', `${name}.expiresAt is in the past`);
  }
  const quality = sample.quality ?? made?.quality;
  if (quality !== undefined) numberIn(`${name}.quality`, quality, 0, 100);
  const consent = sample.consent ?? options.consent ?? made?.consent;
  if (consent !== undefined) checkId(`${name}.consent`, consent);
  if (source !== undefined) checkId(`${name}.source`, source, 1024);
  if (thumbnail !== undefined && !(thumbnail instanceof Uint8Array && thumbnail.length <= MOST_THUMBNAIL)) {
    throw invalid(`${name}.thumbnail`, `Uint8Array of at most ${MOST_THUMBNAIL} bytes`, thumbnail);
  }
  const {
    quality: _,
    expiresAt: __,
    consent: ___,
    ...rest
  } = made ?? fromEmbedding(`${name}.embedding`, embedding, now);
  const template = validateTemplate(
    {
      ...rest,
      ...(quality === undefined ? {} : { quality }),
      ...(consent === undefined ? {} : { consent }),
      // A clock that was set back must not make a template that expires before it is made.
      ...(expiresAt === undefined
        ? {}
        : { expiresAt: Math.floor(expiresAt), createdAt: Math.min(rest.createdAt, now) }),
    },
    { now },
  );
  return {
    index,
    template,
    ...(thumbnail === undefined ? {} : { thumbnail }),
    ...(source === undefined ? {} : { source }),
    ...(image === undefined ? {} : { image: imageHash(`${name}.image`, image) }),
  };
}

function fromEmbedding(name: string, value: unknown, now: number): Template {
  const { model, dims, vector } = unitEmbedding(name, value);
  return { model, dims, vector: Float32Array.from(vector), samples: 1, createdAt: now };
}

export function imageHash(name: string, value: unknown): Uint8Array {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/i.test(value)) throw invalid(name, 'SHA-256 in hexadecimal', value);
  return Buffer.from(value, 'hex');
}

/** Faces of an entry that are enrolled as somebody else's. */
export async function conflictsOf(
  store: Store,
  rates: Rates,
  entry: Entry,
  options: EnrolOptions,
): Promise<readonly Conflict[]> {
  if ((options.onConflict ?? 'allow') === 'allow') return [];
  const { collection, samples, person } = entry;
  const { threshold, calibration } = await rates.threshold(
    collection.space.model,
    options.conflictSimilarity === undefined ? {} : { threshold: options.conflictSimilarity },
    1,
  );
  const { index, dims } = collection.space;
  const queries = new Float32Array(samples.length * dims);
  for (const [i, { template }] of samples.entries()) queries.set(template.vector, i * dims);
  const hits = await index.search(queries, { threshold, limit: 200, groups: [collection.key] });
  const keys = [...new Set(hits.flat().map(({ key }) => key))];
  const owners = new Map(
    (
      await store.rows(
        `SELECT s.key, p.id FROM samples s JOIN persons p ON p.key = s.person
         WHERE s.key ${IN_LIST} AND (s.expires_at IS NULL OR s.expires_at > ?)`,
        [list(keys), store.now()],
      )
    ).map((row) => [Number(row[0]), String(row[1])]),
  );
  return hits.flatMap((found, i) => {
    const seen = new Set<string>([person.id]);
    return found.flatMap(({ key, similarity }): Conflict[] => {
      const owner = owners.get(key);
      if (owner === undefined || seen.has(owner)) return [];
      seen.add(owner);
      const { fmr } = ratesAt(calibration, similarity, 1);
      return [{ index: samples[i]!.index, person: owner, similarity, ...(fmr === undefined ? {} : { fmr }) }];
    });
  });
}

/**
 * Enrols all entries in one transaction and makes them searchable. Call inside the gate. A person whom another call makes at the same
 * moment is found at the second try.
 */
export async function commitEntries(
  store: Store,
  entries: readonly Entry[],
  signal?: AbortSignal,
): Promise<readonly Enrolment[]> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await tryCommit(store, entries, signal);
    } catch (error) {
      if (wrapError(error).code !== 'DUPLICATE_ID' || error instanceof ExistsError || attempt === 3) throw error;
    }
  }
}

class ExistsError extends LineamentError {
  constructor(id: string) {
    super('DUPLICATE_ID', `there is a person '${id}' already`, { fix: "Add samples by onExisting: 'add'." });
  }
}

interface Row {
  readonly key: number;
  readonly id: string;
  readonly entry: Entry;
  readonly sample: Prepared;
  readonly person: number;
  readonly data: Uint8Array;
}

async function tryCommit(
  store: Store,
  entries: readonly Entry[],
  signal: AbortSignal | undefined,
): Promise<readonly Enrolment[]> {
  for (const { collection } of entries) {
    if (store.collections.get(collection.name) === collection) continue;
    throw new LineamentError('NOT_FOUND', `collection '${collection.name}' was deleted meanwhile`);
  }
  const persons = await personKeys(store, entries);
  const rows: Row[] = [];
  const thumbnails: SqlValue[][] = [];
  let turn = performance.now() + SLICE_MS;
  for (const entry of entries) {
    if (performance.now() > turn) {
      await nextTurn();
      turn = performance.now() + SLICE_MS;
    }
    const person = persons.keys.get(entry.person.id)!;
    for (const sample of entry.samples) {
      const key = store.takeSampleKey();
      const place = { row: key, person, collection: entry.collection.key };
      const data = await store.sealer.sealTemplate(sample.template, { kind: 'template', ...place });
      rows.push({ key, id: randomUUID(), entry, sample, person, data });
      if (sample.thumbnail === undefined) continue;
      thumbnails.push([key, await store.sealer.seal(sample.thumbnail, { kind: 'thumbnail', ...place })]);
    }
  }
  throwIfAborted(signal);
  await store.write(
    [...persons.statements, ...insertSamples(store, rows), ...insertAll('thumbnails', thumbnails)],
    signal,
  );
  await makeSearchable(store, rows);
  for (const { entry } of rows) entry.collection.samples++;
  const made = new Set<string>();
  return entries.map((entry) => {
    const { id } = entry.person;
    const created = persons.made.has(id) && !made.has(id);
    made.add(id);
    const samples = rows.filter((row) => row.entry === entry).map((row) => row.id);
    return { person: id, created, samples, rejected: entry.rejected, conflicts: [] };
  });
}

async function personKeys(
  store: Store,
  entries: readonly Entry[],
): Promise<{ keys: Map<string, number>; made: Set<string>; statements: readonly SqlStatement[] }> {
  const ids = [...new Set(entries.map(({ person }) => person.id))];
  const found = await store.rows(`SELECT id, key FROM persons WHERE id ${IN_LIST}`, [list(ids)]);
  const keys = new Map(found.map((row) => [String(row[0]), Number(row[1])]));
  const made = new Set<string>();
  const rows: SqlValue[][] = [];
  const now = store.now();
  for (const { person, onExisting } of entries) {
    if (keys.has(person.id)) {
      if (onExisting === 'refuse') throw new ExistsError(person.id);
      continue;
    }
    const key = store.takePersonKey();
    keys.set(person.id, key);
    made.add(person.id);
    const metadata = person.metadata === undefined ? null : jsonText('metadata', person.metadata);
    rows.push([key, person.id, randomUUID(), person.name ?? null, metadata, now, now]);
  }
  const sql = 'INSERT INTO persons (key, id, uid, name, metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)';
  return { keys, made, statements: rows.length === 0 ? [] : [{ sql, rows }] };
}

function insertSamples(store: Store, rows: readonly Row[]): readonly SqlStatement[] {
  return [
    {
      sql: `INSERT INTO samples
        (key, id, person, collection, space, quality, created_at, expires_at, consent, source, image, print)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      rows: rows.map(({ key, id, entry, sample: { template, source, image }, person }) => [
        key,
        id,
        person,
        entry.collection.key,
        entry.collection.space.key,
        template.quality ?? null,
        template.createdAt,
        template.expiresAt ?? null,
        template.consent ?? null,
        source ?? null,
        image ?? null,
        store.sealer.print(template.vector),
      ]),
    },
    ...insertAll(
      'templates',
      rows.map(({ key, data }) => [key, data]),
    ),
  ];
}

function insertAll(table: 'templates' | 'thumbnails', rows: readonly SqlValue[][]): readonly SqlStatement[] {
  return rows.length === 0 ? [] : [{ sql: `INSERT INTO ${table} (sample, data) VALUES (?, ?)`, rows }];
}

/** What is on the disk goes into the index. Where that fails, it is taken back: nothing half enrolled is acknowledged. */
async function makeSearchable(store: Store, rows: readonly Row[]): Promise<void> {
  try {
    for (const space of new Set(rows.map(({ entry }) => entry.collection.space))) {
      const own = rows.filter(({ entry }) => entry.collection.space === space);
      const vectors = new Float32Array(own.length * space.dims);
      for (const [i, { sample }] of own.entries()) vectors.set(sample.template.vector, i * space.dims);
      await space.index.add(
        own.map(({ key }) => key),
        vectors,
        own.map(({ entry }) => entry.collection.key),
      );
    }
  } catch (error) {
    const keys = rows.map(({ key }) => key);
    await store.write(removeSamples(keys));
    for (const space of store.spaces.all) await space.index.remove(keys);
    throw error;
  }
}

/** Statements that overwrite and delete samples with everything that lies under their keys. */
export function removeSamples(keys: readonly number[]): readonly SqlStatement[] {
  const params = [list(keys)];
  return [
    ...['templates', 'thumbnails'].flatMap((table) => [
      { sql: `UPDATE ${table} SET data = zeroblob(length(data)) WHERE sample ${IN_LIST}`, params },
      { sql: `DELETE FROM ${table} WHERE sample ${IN_LIST}`, params },
    ]),
    { sql: `DELETE FROM samples WHERE key ${IN_LIST}`, params },
  ];
}
