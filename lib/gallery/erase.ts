import { randomBytes, randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { invalid, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { SqlStatement } from '../native/index.js';
import { collectionNamed } from './collections.js';
import { removeSamples } from './enrol.js';
import type { Feedback } from './feedback.js';
import { sampleNamed } from './persons.js';
import { BACKUP_POLICY, digest, type Receipt, signReceipt, type UnsignedReceipt } from './receipt.js';
import { checkId, flag, IN_LIST, list, type Store } from './store.js';
import { appendTombstone, type Unapplied } from './tombstones.js';

/** One of the three. */
export interface Deletion {
  readonly person?: string;
  readonly sample?: string;
  readonly collection?: string;
  /** With `collection`: also persons who have no sample left then (default true). */
  readonly orphans?: boolean;
}

export interface Erasure {
  readonly receipt: Receipt;
  readonly persons: number;
  readonly samples: number;
  /** References to pictures, as they were given at enrolment: the gallery keeps no pictures, deleting them is up to the caller. */
  readonly sources: readonly string[];
}

interface Target {
  readonly kind: Receipt['subject']['kind'];
  readonly id: string;
  readonly samples: readonly number[];
  readonly persons: readonly number[];
  readonly collection?: number;
}

/** Most ids of samples that a receipt lists. */
const MOST_LISTED = 1000;

/** Call alone. */
export async function deleteFrom(store: Store, feedback: Feedback, what: Deletion): Promise<Erasure> {
  return erase(store, feedback, await targetOf(store, what));
}

async function targetOf(store: Store, what: Deletion): Promise<Target> {
  plainObject('what', what, ['person', 'sample', 'collection', 'orphans']);
  const { person, sample, collection } = what;
  if ([person, sample, collection].filter((one) => one !== undefined).length !== 1) {
    throw invalid('what', 'one of person, sample and collection', what);
  }
  if (person !== undefined) {
    const key = await store.personKey(person);
    const samples = await keys(store, 'SELECT key FROM samples WHERE person = ?', [key]);
    return { kind: 'person', id: person, samples, persons: [key] };
  }
  if (sample !== undefined) {
    const { key } = await sampleNamed(store, sample);
    return { kind: 'sample', id: sample, samples: [key], persons: [] };
  }
  const { key } = collectionNamed(store, checkId('collection', collection));
  const samples = await keys(store, 'SELECT key FROM samples WHERE collection = ?', [key]);
  const persons = flag('orphans', what.orphans, true) ? await orphansOf(store, samples) : [];
  return { kind: 'collection', id: collection as string, samples, persons, collection: key };
}

/** Persons who have samples among these and no others. */
export async function orphansOf(store: Store, samples: readonly number[]): Promise<readonly number[]> {
  return keys(
    store,
    `SELECT DISTINCT person FROM samples WHERE key ${IN_LIST}
     EXCEPT SELECT person FROM samples WHERE key NOT ${IN_LIST}`,
    [list(samples), list(samples)],
  );
}

async function keys(store: Store, sql: string, params: readonly (number | string)[]): Promise<readonly number[]> {
  const found: number[] = [];
  for await (const page of store.db.pages(sql, params, { pageSize: 10_000 })) {
    for (const row of page) found.push(Number(row[0]));
  }
  return found;
}

/** Deletes samples whose time is over, and persons who have none left. Absent where nothing had expired. Call alone. */
export async function purgeExpired(
  store: Store,
  feedback: Feedback,
  options: { readonly orphans?: boolean },
): Promise<Erasure | undefined> {
  plainObject('options', options, ['orphans']);
  const samples = await keys(store, 'SELECT key FROM samples WHERE expires_at <= ?', [store.now()]);
  if (samples.length === 0) return undefined;
  const persons = flag('orphans', options.orphans, true) ? await orphansOf(store, samples) : [];
  return erase(store, feedback, { kind: 'expired', id: 'expired', samples, persons });
}

/**
 * Deletes for good: rows are overwritten and removed, vectors leave the index, snapshots that held them are removed, the log is
 * emptied; then the receipt is signed. The list of deletions is written first: a crash between is finished at the next opening.
 */
async function erase(store: Store, feedback: Feedback, what: Target): Promise<Erasure> {
  const absorbed = await absorbedBy(store, what.persons);
  const target = { ...what, persons: [...what.persons, ...absorbed.map(({ key }) => key)] };
  const known = await gather(store, target, absorbed);
  const number = await appendTombstone(store, [...known.sampleIds, ...known.personUids]);
  const salt = randomBytes(16).toString('hex');
  const draft: UnsignedReceipt = {
    format: 'lineament-erasure-receipt',
    version: 1,
    id: randomUUID(),
    gallery: store.state.gallery,
    at: new Date(store.now()).toISOString(),
    revision: store.state.revision + 1,
    salt,
    subject: { kind: target.kind, digest: digest(salt, target.id) },
    erased: {
      persons: known.personIds.map((id) => digest(salt, id)),
      samples: known.sampleIds.length,
      ...(known.sampleIds.length > MOST_LISTED ? {} : { sampleIds: known.sampleIds.map((id) => digest(salt, id)) }),
      templates: known.templates,
      thumbnails: known.thumbnails,
      vectors: 0,
      feedback: known.feedback,
      operations: known.operations,
      cached: known.cached,
    },
    pictures: known.sources.map((source) => digest(salt, source)),
    files: { database: 'overwritten with zeros', log: 'emptied', snapshotsRemoved: [] },
    backups: await backupsNow(store),
    backupPolicy: BACKUP_POLICY,
    publicKey: Buffer.from(store.state.publicKey).toString('base64'),
  };
  const results = await store.write([
    ...removeRows(store, target, known),
    { sql: 'UPDATE state SET tombstones = ?', params: [number] },
    { sql: 'INSERT INTO receipts (finished, body) VALUES (0, ?)', params: [JSON.stringify(draft)] },
  ]);
  store.state.tombstones = number;
  let vectors = 0;
  for (const space of store.spaces.all) vectors += await space.index.remove(target.samples);
  for (const key of target.samples) store.spaces.damaged.delete(key);
  await feedback.load(store);
  for (const collection of store.collections.values()) {
    collection.samples -= known.perCollection.get(collection.key) ?? 0;
    if (collection.key === target.collection) store.collections.delete(collection.name);
  }
  const receipt = await finish(store, results.at(-1)!.lastId, { ...draft, erased: { ...draft.erased, vectors } });
  return { receipt, persons: what.persons.length, samples: target.samples.length, sources: known.sources };
}

interface Absorbed {
  readonly key: number;
  readonly id: string;
  readonly uid: string;
}

/** Persons who were merged into these, and into those: the log of operations still knows them, and backups may have them. */
async function absorbedBy(store: Store, persons: readonly number[]): Promise<readonly Absorbed[]> {
  const rows = await store.rows(
    `WITH RECURSIVE merged (person, id, uid) AS (
       SELECT value, NULL, NULL FROM json_each(?)
       UNION
       SELECT o.detail ->> '$.from.key', o.detail ->> '$.from.id', o.detail ->> '$.from.uid'
       FROM merged JOIN operation_persons p ON p.person = merged.person JOIN operations o ON o.key = p.operation
       WHERE o.kind = 'merge' AND o.undone = 0 AND o.detail ->> '$.before.key' = merged.person
     )
     SELECT person, id, uid FROM merged WHERE uid IS NOT NULL`,
    [list(persons)],
  );
  return rows.map(([key, id, uid]) => ({ key: Number(key), id: String(id), uid: String(uid) }));
}

interface Known {
  readonly sampleIds: readonly string[];
  readonly personIds: readonly string[];
  readonly personUids: readonly string[];
  readonly sources: readonly string[];
  readonly prints: readonly Uint8Array[];
  readonly images: readonly Uint8Array[];
  readonly spaces: readonly number[];
  readonly perCollection: ReadonlyMap<number, number>;
  readonly templates: number;
  readonly thumbnails: number;
  readonly feedback: number;
  readonly operations: number;
  readonly cached: number;
}

async function gather(store: Store, target: Target, absorbed: readonly Absorbed[]): Promise<Known> {
  const samples = list(target.samples);
  const persons = list(target.persons);
  const found = await store.rows(
    `SELECT id, source, print, image, space, collection FROM samples WHERE key ${IN_LIST}`,
    [samples],
  );
  const people = await store.rows(`SELECT id, uid FROM persons WHERE key ${IN_LIST}`, [persons]);
  const bytes = (column: number): Uint8Array[] => {
    const all = found.flatMap((row) => (row[column] instanceof Uint8Array ? [row[column]] : []));
    return [...new Map(all.map((one) => [Buffer.from(one).toString('hex'), one])).values()];
  };
  const perCollection = new Map<number, number>();
  for (const row of found) perCollection.set(Number(row[5]), (perCollection.get(Number(row[5])) ?? 0) + 1);
  const prints = bytes(2);
  const images = bytes(3);
  return {
    sampleIds: found.map((row) => String(row[0])),
    personIds: [...people.map((row) => String(row[0])), ...absorbed.map(({ id }) => id)],
    personUids: [...people.map((row) => String(row[1])), ...absorbed.map(({ uid }) => uid)],
    sources: [...new Set(found.flatMap((row) => (row[1] === null ? [] : [String(row[1])])))],
    prints,
    images,
    spaces: [...new Set(found.map((row) => Number(row[4])))],
    perCollection,
    templates: await store.count(`SELECT count(*) FROM templates WHERE sample ${IN_LIST}`, [samples]),
    thumbnails: await store.count(`SELECT count(*) FROM thumbnails WHERE sample ${IN_LIST}`, [samples]),
    feedback: await store.count(
      `SELECT count(*) FROM feedback WHERE person ${IN_LIST} OR sample ${IN_LIST} OR hex(print) ${IN_LIST}`,
      [persons, samples, list(prints.map(upperHex))],
    ),
    operations: await store.count(`SELECT count(DISTINCT operation) FROM operation_persons WHERE person ${IN_LIST}`, [
      persons,
    ]),
    cached: await store.count(`SELECT count(*) FROM cache WHERE hex(print) ${IN_LIST} OR hex(image) ${IN_LIST}`, [
      list(prints.map(upperHex)),
      list(images.map(upperHex)),
    ]),
  };
}

const upperHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex').toUpperCase();

function removeRows(store: Store, target: Target, known: Known): readonly SqlStatement[] {
  const persons = list(target.persons);
  const samples = list(target.samples);
  const prints = list(known.prints.map(upperHex));
  const images = list(known.images.map(upperHex));
  const overwritten = (table: string, column: string, where: string, params: readonly string[]): SqlStatement[] => [
    { sql: `UPDATE ${table} SET ${column} = zeroblob(length(${column})) WHERE ${where}`, params },
    { sql: `DELETE FROM ${table} WHERE ${where}`, params },
  ];
  return [
    ...removeSamples(target.samples),
    ...overwritten('feedback', 'probe', `person ${IN_LIST} OR sample ${IN_LIST} OR hex(print) ${IN_LIST}`, [
      persons,
      samples,
      prints,
    ]),
    ...overwritten('cache', 'data', `hex(print) ${IN_LIST} OR hex(image) ${IN_LIST}`, [prints, images]),
    {
      sql: `DELETE FROM operations WHERE key IN (SELECT operation FROM operation_persons WHERE person ${IN_LIST})`,
      params: [persons],
    },
    { sql: 'DELETE FROM operation_persons WHERE operation NOT IN (SELECT key FROM operations)' },
    { sql: `DELETE FROM persons WHERE key ${IN_LIST}`, params: [persons] },
    ...(target.collection === undefined
      ? []
      : [{ sql: 'DELETE FROM collections WHERE key = ?', params: [target.collection] }]),
    ...store.spaces.dropSnapshots(known.spaces),
  ];
}

async function backupsNow(store: Store): Promise<Receipt['backups']> {
  const rows = await store.rows('SELECT path, created_at FROM backups WHERE destroyed_at IS NULL ORDER BY key');
  return rows.map(([path, createdAt]) => ({
    name: basename(String(path)),
    createdAt: new Date(Number(createdAt)).toISOString(),
  }));
}

async function finish(store: Store, row: number, draft: UnsignedReceipt): Promise<Receipt> {
  const snapshotsRemoved = await store.spaces.removeDropped();
  await store.db.checkpoint('truncate').catch((cause: unknown) => {
    throw new LineamentError(
      'STORE_BUSY',
      'what was deleted is gone from database and index, but a reader holds the log',
      {
        cause,
        fix: 'Call finishErasures() later, or open the gallery again: both empty the log and sign the receipt.',
      },
    );
  });
  const receipt = signReceipt({ ...draft, files: { ...draft.files, snapshotsRemoved } }, store.state.signingKey);
  await store.db.write([
    { sql: 'UPDATE receipts SET finished = 1, body = ? WHERE number = ?', params: [JSON.stringify(receipt), row] },
  ]);
  return receipt;
}

/** Finishes deletions that were interrupted after their commit, and gives their receipts. Call alone. */
export async function finishErasures(store: Store): Promise<readonly Receipt[]> {
  const rows = await store.rows('SELECT number, body FROM receipts WHERE finished = 0 ORDER BY number');
  const done: Receipt[] = [];
  for (const [number, body] of rows) {
    const draft = JSON.parse(String(body)) as UnsignedReceipt;
    const erased = { ...draft.erased, vectors: draft.erased.templates };
    done.push(await finish(store, Number(number), { ...draft, erased }));
  }
  return done;
}

/** Deletes again what a restored backup brought back. Before anything is searched. */
export async function applyTombstones(store: Store, found: Unapplied): Promise<void> {
  const { samples, persons, number } = found;
  const target: Target = { kind: 'expired', id: '', samples, persons };
  // A person's samples go with the person, also those that the list names under another name.
  const all = [
    ...new Set([
      ...samples,
      ...(await keys(store, `SELECT key FROM samples WHERE person ${IN_LIST}`, [list(persons)])),
    ]),
  ];
  const absorbed = await absorbedBy(store, persons);
  const complete = { ...target, samples: all, persons: [...persons, ...absorbed.map(({ key }) => key)] };
  await store.write([
    ...removeRows(store, complete, await gather(store, complete, absorbed)),
    { sql: 'UPDATE state SET tombstones = ?', params: [number] },
  ]);
  store.state.tombstones = number;
  await store.db.checkpoint('truncate');
}

/** Receipts of this gallery, newest first. */
export async function listReceipts(store: Store, limit: number): Promise<readonly Receipt[]> {
  const rows = await store.rows('SELECT body FROM receipts WHERE finished = 1 ORDER BY number DESC LIMIT ?', [limit]);
  return rows.map((row) => JSON.parse(String(row[0])) as Receipt);
}
