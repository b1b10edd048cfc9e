import { plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { Space } from './spaces.js';
import { checkId, jsonText, optional, type Store } from './store.js';
import type { CollectionInfo, Json } from './types.js';

export interface NewCollection {
  /** `Embedding.model` of what will be enrolled. */
  readonly model: string;
  readonly dims: number;
  /** SHA-256 (hex) over the networks; templates that name another one are refused then. */
  readonly modelHash?: string;
  /** JSON, ≤ 64 KiB. */
  readonly settings?: Json;
}

export interface Collection {
  readonly key: number;
  readonly name: string;
  readonly space: Space;
  /** Samples now, expired ones included; counted along, since counting a million rows for each search takes longer than the search. */
  samples: number;
}

/** The recogniser behind vectors. */
export interface ModelOf {
  readonly model: string;
  readonly dims: number;
  readonly modelHash?: string;
}

/** Reads the collections into the store. */
export async function loadCollections(store: Store): Promise<void> {
  store.collections.clear();
  for (const [key, name, space, samples] of await store.rows(
    `SELECT c.key, c.name, c.space, (SELECT count(*) FROM samples WHERE collection = c.key)
     FROM collections c ORDER BY c.key`,
  )) {
    const one = {
      key: Number(key),
      name: String(name),
      space: store.spaces.get(Number(space)),
      samples: Number(samples),
    };
    store.collections.set(one.name, one);
  }
}

export function findCollection(store: Store, name: string): Collection | undefined {
  return store.collections.get(checkId('collection', name, 128));
}

export function collectionNamed(store: Store, name: string): Collection {
  const found = findCollection(store, name);
  if (found === undefined) throw new LineamentError('NOT_FOUND', `there is no collection '${name}'`);
  return found;
}

/** Makes a collection, pinned to a model. Rejects with `DUPLICATE_ID`. Call alone. */
export async function createCollection(store: Store, name: string, options: NewCollection): Promise<Collection> {
  checkId('collection', name, 128);
  plainObject('options', options, ['model', 'dims', 'modelHash', 'settings']);
  const model = checkId('model', options.model);
  const dims = positiveInteger('dims', options.dims, 4096);
  const settings = jsonText('settings', options.settings ?? null);
  const hash = options.modelHash ?? '';
  if (hash !== '' && !/^[0-9a-f]{64}$/.test(hash)) {
    throw new LineamentError('INVALID_ARGUMENT', 'Expected 64 lower-case hexadecimal digits for modelHash');
  }
  if (findCollection(store, name) !== undefined) {
    throw new LineamentError('DUPLICATE_ID', `there is a collection '${name}' already`);
  }
  const space = await store.spaces.ensure(model, dims, hash);
  const [made] = await store.write([
    {
      sql: 'INSERT INTO collections (name, space, settings, created_at) VALUES (?, ?, ?, ?)',
      params: [name, space.key, settings, store.now()],
    },
  ]);
  const collection = { key: made?.lastId ?? 0, name, space, samples: 0 };
  store.collections.set(name, collection);
  return collection;
}

/** Throws `EMBEDDING_MISMATCH` unless vectors of this model belong into the collection. */
export function checkModel(collection: Collection, { model, dims, modelHash }: ModelOf): void {
  const { space, name } = collection;
  if (space.model !== model || space.dims !== dims) {
    throw new LineamentError(
      'EMBEDDING_MISMATCH',
      `collection '${name}' holds vectors of '${space.model}' (${space.dims}), this one is of '${model}' (${dims})`,
      { fix: 'Use the preset it was made with, or another collection.' },
    );
  }
  if (modelHash !== undefined && space.modelHash !== '' && space.modelHash !== modelHash) {
    throw new LineamentError('EMBEDDING_MISMATCH', `collection '${name}' was made with other networks of '${model}'`, {
      fix: 'Enrol into another collection: vectors of two sets of weights cannot be compared.',
    });
  }
}

/** The collections to search: those named, or all of the probe's model. They share one index, or `EMBEDDING_MISMATCH`. */
export function collectionsFor(
  store: Store,
  probe: ModelOf,
  names: string | readonly string[] | undefined,
): readonly Collection[] {
  if (names !== undefined) {
    const found = (typeof names === 'string' ? [names] : names).map((name) => collectionNamed(store, name));
    for (const collection of found) checkModel(collection, probe);
    return oneSpace([...new Set(found)], probe.model);
  }
  const all = [...store.collections.values()];
  const fitting = all.filter(({ space }) => space.model === probe.model && space.dims === probe.dims);
  if (fitting.length === 0 && all[0] !== undefined) checkModel(all[0], probe);
  return oneSpace(fitting, probe.model);
}

function oneSpace(found: readonly Collection[], model: string): readonly Collection[] {
  if (new Set(found.map(({ space }) => space.key)).size <= 1) return found;
  throw new LineamentError('EMBEDDING_MISMATCH', `these collections are of different networks of '${model}'`, {
    fix: 'Name collections of one set of networks.',
  });
}

export async function listCollections(store: Store): Promise<readonly CollectionInfo[]> {
  const rows = await store.rows(
    `SELECT c.name, s.model, s.model_hash, s.dims, c.settings, c.created_at,
      (SELECT count(*) FROM samples WHERE collection = c.key)
     FROM collections c JOIN spaces s ON s.key = c.space ORDER BY c.name`,
  );
  return rows.map(([name, model, hash, dims, settings, createdAt, samples]) => ({
    name: String(name),
    model: String(model),
    ...optional('modelHash', hash === '' ? undefined : String(hash)),
    dims: Number(dims),
    samples: Number(samples),
    settings: JSON.parse(String(settings)) as Json,
    createdAt: Number(createdAt),
  }));
}
