import { randomUUID } from 'node:crypto';
import { invalid, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError, wrapError } from '../errors.js';
import type { SqlRow, SqlStatement, SqlValue } from '../native/index.js';
import { type Feedback, recordOperation } from './feedback.js';
import { sampleNamed } from './persons.js';
import { checkId, IN_LIST, jsonText, list, type Store } from './store.js';
import type { Json, NewPerson, Operation } from './types.js';

/** What `update` changes; `null` takes a name or metadata away, what is absent stays. */
export interface PersonChanges {
  /** A new id. */
  readonly id?: string;
  readonly name?: string | null;
  readonly metadata?: Json;
}

/** A row of `persons`, as operations keep it. */
interface PersonRow {
  readonly key: number;
  readonly id: string;
  readonly uid: string;
  readonly name: string | null;
  readonly metadata: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

interface Detail {
  readonly update: { readonly before: PersonRow; readonly after: PersonRow };
  readonly merge: {
    readonly into: string;
    readonly before: PersonRow;
    readonly from: PersonRow;
    readonly samples: readonly number[];
    readonly feedback: readonly number[];
  };
  readonly split: {
    readonly from: string;
    readonly before: PersonRow;
    readonly made: PersonRow;
    readonly samples: readonly number[];
  };
}

const PERSON = 'SELECT key, id, uid, name, metadata, created_at, updated_at FROM persons';

async function personRow(store: Store, id: string): Promise<PersonRow> {
  const row = await store.row(`${PERSON} WHERE key = ?`, [await store.personKey(id)]);
  const [key, name, uid, label, metadata, createdAt, updatedAt] = row!;
  return {
    key: Number(key),
    id: String(name),
    uid: String(uid),
    name: label as string | null,
    metadata: metadata as string | null,
    created_at: Number(createdAt),
    updated_at: Number(updatedAt),
  };
}

const insertPerson = (p: PersonRow): SqlStatement => ({
  sql: 'INSERT INTO persons (key, id, uid, name, metadata, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)',
  params: [p.key, p.id, p.uid, p.name, p.metadata, p.created_at, p.updated_at],
});

const setPerson = (p: PersonRow): SqlStatement => ({
  sql: 'UPDATE persons SET id = ?, name = ?, metadata = ?, updated_at = ? WHERE key = ?',
  params: [p.id, p.name, p.metadata, p.updated_at, p.key],
  expect: 1,
});

const deletePerson = (key: number): SqlStatement => ({
  sql: 'DELETE FROM persons WHERE key = ?',
  params: [key],
  expect: 1,
});

/** Changes id, name or metadata. Call alone. Gives the id of the operation. */
export async function updatePerson(store: Store, id: string, changes: PersonChanges): Promise<number> {
  plainObject('changes', changes, ['id', 'name', 'metadata']);
  if (Object.values(changes).every((value) => value === undefined)) throw invalid('changes', 'some change', changes);
  const before = await personRow(store, id);
  const now = store.now();
  const after: PersonRow = {
    ...before,
    ...(changes.id === undefined ? {} : { id: checkId('changes.id', changes.id) }),
    ...(changes.name === undefined
      ? {}
      : { name: changes.name === null ? null : checkId('changes.name', changes.name, 1024) }),
    ...(changes.metadata === undefined
      ? {}
      : { metadata: changes.metadata === null ? null : jsonText('changes.metadata', changes.metadata) }),
    updated_at: now,
  };
  const operation = store.takeOperationKey();
  const detail: Detail['update'] = { before, after };
  await taken(after.id, () =>
    store.write([setPerson(after), ...recordOperation(operation, 'update', now, detail, [before.key])]),
  );
  return operation;
}

/**
 * All samples and feedback of `from` become those of `into`, and `from` goes. Name and metadata of `into` stay; where it has none it
 * takes those of `from`. Call alone. Gives the id of the operation.
 */
export async function mergePersons(store: Store, feedback: Feedback, into: string, from: string): Promise<number> {
  const before = await personRow(store, into);
  const gone = await personRow(store, from);
  if (before.key === gone.key) throw invalid('from', `another person than '${into}'`, from);
  const now = store.now();
  const after: PersonRow = {
    ...before,
    name: before.name ?? gone.name,
    metadata: before.metadata ?? gone.metadata,
    updated_at: now,
  };
  const samples = (await store.rows('SELECT key FROM samples WHERE person = ? ORDER BY key', [gone.key])).map(numbered);
  const opinions = await feedbackOf(store, gone.key);
  const operation = store.takeOperationKey();
  const detail: Detail['merge'] = { into, before, from: gone, samples, feedback: opinions };
  await store.write([
    ...(await moveSamples(store, samples, before.key)),
    ...(await feedback.move(store, opinions, before.key)),
    deletePerson(gone.key),
    setPerson(after),
    ...recordOperation(operation, 'merge', now, detail, [before.key, gone.key]),
  ]);
  await feedback.load(store);
  return operation;
}

/** Some samples of a person become a new person's. Call alone. */
export async function splitPerson(
  store: Store,
  id: string,
  samples: readonly string[],
  to: NewPerson,
): Promise<{ readonly operation: number; readonly person: string }> {
  plainObject('to', to, ['id', 'name', 'metadata']);
  if (!Array.isArray(samples) || samples.length === 0) throw invalid('samples', 'array of ids of samples', samples);
  const before = await personRow(store, id);
  const keys = await Promise.all([...new Set(samples)].map((sample) => sampleNamed(store, sample)));
  keys.forEach(({ person }, i) => {
    if (person !== before.key) throw invalid(`samples[${i}]`, `a sample of '${id}'`, samples[i]);
  });
  const now = store.now();
  const made: PersonRow = {
    key: store.takePersonKey(),
    id: to.id === undefined ? randomUUID() : checkId('to.id', to.id),
    uid: randomUUID(),
    name: to.name === undefined ? null : checkId('to.name', to.name, 1024),
    metadata: to.metadata === undefined ? null : jsonText('to.metadata', to.metadata),
    created_at: now,
    updated_at: now,
  };
  const operation = store.takeOperationKey();
  const moved = keys.map(({ key }) => key);
  const detail: Detail['split'] = { from: id, before, made, samples: moved };
  await taken(made.id, async () =>
    store.write([
      insertPerson(made),
      ...(await moveSamples(store, moved, made.key)),
      ...recordOperation(operation, 'split', now, detail, [before.key, made.key]),
    ]),
  );
  return { operation, person: made.id };
}

/**
 * Takes an operation back: everything it touched is as it was before. Samples that were enrolled since stay where they are, those
 * deleted since stay deleted. Only the newest operation on a person can be taken back. Call alone.
 */
export async function undoOperation(store: Store, feedback: Feedback, id: number): Promise<void> {
  positiveInteger('operation', id);
  const row = await store.row('SELECT kind, detail, undone FROM operations WHERE key = ?', [id]);
  if (row === undefined) throw new LineamentError('NOT_FOUND', `there is no operation ${id}`);
  const [kind, text, undone] = row;
  if (Number(undone) === 1) throw cannot(id, 'it was undone already');
  const detail: unknown = JSON.parse(String(text));
  const mark: SqlStatement = { sql: 'UPDATE operations SET undone = 1 WHERE key = ?', params: [id] };
  if (kind === 'feedback') {
    await store.write([{ sql: 'DELETE FROM feedback WHERE operation = ?', params: [id] }, mark]);
    await feedback.load(store);
    return;
  }
  await refuseUnlessNewest(store, id);
  if (kind === 'update') {
    const { before } = detail as Detail['update'];
    await taken(before.id, () => store.write([setPerson(before), mark]));
  } else if (kind === 'merge') {
    await undoMerge(store, feedback, detail as Detail['merge'], mark);
  } else {
    await undoSplit(store, id, detail as Detail['split'], mark);
  }
}

async function undoMerge(
  store: Store,
  feedback: Feedback,
  { before, from, samples, feedback: opinions }: Detail['merge'],
  mark: SqlStatement,
): Promise<void> {
  await taken(from.id, async () =>
    store.write([
      insertPerson(from),
      ...(await moveSamples(store, samples, from.key)),
      ...(await feedback.move(store, opinions, from.key)),
      setPerson(before),
      mark,
    ]),
  );
  await feedback.load(store);
}

async function undoSplit(
  store: Store,
  id: number,
  { before, made, samples }: Detail['split'],
  mark: SqlStatement,
): Promise<void> {
  const own = (await store.rows('SELECT key FROM samples WHERE person = ?', [made.key])).map(numbered);
  if (own.some((key) => !samples.includes(key)) || (await feedbackOf(store, made.key)).length > 0) {
    throw cannot(id, `'${made.id}' has samples or feedback of its own by now`, 'Merge the two persons instead.');
  }
  await store.write([...(await moveSamples(store, own, before.key)), deletePerson(made.key), mark]);
}

/** What came later on the same persons has to be undone first, or there would be no telling what "before" was. */
async function refuseUnlessNewest(store: Store, id: number): Promise<void> {
  const later = await store.row(
    `SELECT max(o.key) FROM operations o JOIN operation_persons p ON p.operation = o.key
     WHERE o.key > ?1 AND o.undone = 0 AND o.kind <> 'feedback'
       AND p.person IN (SELECT person FROM operation_persons WHERE operation = ?1)`,
    [id],
  );
  const newest = later?.[0];
  if (newest !== null && newest !== undefined) {
    throw cannot(id, `operation ${newest} came later on the same persons`, `Undo operation ${newest} first.`);
  }
}

const cannot = (id: number, why: string, fix?: string): LineamentError =>
  new LineamentError('INVALID_ARGUMENT', `operation ${id} cannot be undone: ${why}`, fix === undefined ? {} : { fix });

const numbered = (row: SqlRow): number => Number(row[0]);

async function feedbackOf(store: Store, person: number): Promise<readonly number[]> {
  return (await store.rows('SELECT operation FROM feedback WHERE person = ? ORDER BY operation', [person])).map(
    numbered,
  );
}

/** Statements that give samples to a person; what is sealed is sealed anew for the place it will be in. */
async function moveSamples(store: Store, keys: readonly number[], to: number): Promise<readonly SqlStatement[]> {
  const statements: SqlStatement[] = [
    { sql: `UPDATE samples SET person = ? WHERE key ${IN_LIST}`, params: [to, list(keys)] },
  ];
  if (store.sealer.cipher === undefined) return statements;
  for (const [table, kind] of [
    ['templates', 'template'],
    ['thumbnails', 'thumbnail'],
  ] as const) {
    const rows: SqlValue[][] = [];
    for (const [key, person, collection, data, id] of await store.rows(
      `SELECT s.key, s.person, s.collection, t.data, s.id FROM ${table} t JOIN samples s ON s.key = t.sample
       WHERE s.key ${IN_LIST}`,
      [list(keys)],
    )) {
      const at = { kind, row: Number(key), collection: Number(collection) };
      const bytes = await store.sealer.open(data, { ...at, person: Number(person) }, `${kind} of sample ${id}`);
      rows.push([await store.sealer.seal(bytes, { ...at, person: to }), Number(key)]);
    }
    if (rows.length > 0) statements.push({ sql: `UPDATE ${table} SET data = ? WHERE sample = ?`, rows });
  }
  return statements;
}

/** Says of a `DUPLICATE_ID` whose it is. */
async function taken<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (wrapError(error).code !== 'DUPLICATE_ID') throw error;
    throw new LineamentError('DUPLICATE_ID', `there is a person '${id}' already`, {
      cause: error,
      fix: 'Give one of the two another id.',
    });
  }
}

/** Operations, newest first. */
export async function listOperations(
  store: Store,
  options: { readonly person?: string; readonly limit?: number },
): Promise<readonly Operation[]> {
  plainObject('options', options, ['person', 'limit']);
  const limit = positiveInteger('limit', options.limit ?? 100, 10_000);
  const person = options.person === undefined ? null : await store.personKey(options.person);
  const rows = await store.rows(
    `SELECT o.key, o.kind, o.created_at, o.detail, o.undone FROM operations o
     WHERE ?1 IS NULL OR o.key IN (SELECT operation FROM operation_persons WHERE person = ?1)
     ORDER BY o.key DESC LIMIT ?2`,
    [person, limit],
  );
  return rows.map(([id, kind, createdAt, detail, undone]) => ({
    id: Number(id),
    kind: kind as Operation['kind'],
    createdAt: Number(createdAt),
    persons: personsOf(kind as Operation['kind'], JSON.parse(String(detail))),
    undone: Number(undone) === 1,
  }));
}

function personsOf(kind: Operation['kind'], detail: unknown): readonly string[] {
  switch (kind) {
    case 'update':
      return [(detail as Detail['update']).before.id];
    case 'merge':
      return [(detail as Detail['merge']).into, (detail as Detail['merge']).from.id];
    case 'split':
      return [(detail as Detail['split']).from, (detail as Detail['split']).made.id];
    case 'feedback':
      return [(detail as { person: string }).person];
  }
}
