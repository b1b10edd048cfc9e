import { randomUUID } from 'node:crypto';
import { nonEmptyString, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { Database } from '../gallery/database.js';
import type { SqlResult, SqlRow, SqlStatement } from '../native/index.js';
import { createVectorIndex, INDEX_PRECISIONS, type IndexPrecision, type VectorIndex } from '../search/index.js';
import type { TemplateCipher } from '../templates/index.js';
import { checkPin, storageModel } from './check.js';
import {
  type Entries,
  keyConflict,
  type NewRow,
  type PutRequest,
  type PutResult,
  pageOf,
  protectionName,
  type Row,
  type SearchRequest,
  type StorageDriver,
} from './driver.js';
import { APPLICATION_ID, FOREIGN, MIGRATIONS, NAMED, WHOLE } from './embedded-schema.js';
import { type IndexEntry, LiveIndex } from './live-index.js';
import { Storage, templateOf } from './storage.js';
import type { StorageModel, TemplateMatch, TemplateRef, TemplateStorage } from './types.js';

export interface EmbeddedStorageOptions extends StorageModel {
  /** The SQLite file; its folder must be there. */
  readonly path: string;
  /** What the index in memory keeps of each vector (default `exact`); see `createVectorIndex`. */
  readonly precision?: IndexPrecision;
  /** Compute threads of the index; the processors that the process may use when absent. */
  readonly threads?: number;
  /** Seals the templates in the file. Vectors are readable in memory only. */
  readonly cipher?: TemplateCipher;
}

const OPTIONS = [
  'model',
  'dims',
  'modelHash',
  'path',
  'precision',
  'threads',
  'cipher',
] as const satisfies readonly (keyof EmbeddedStorageOptions)[];

/** How long idempotency keys are remembered. */
const REQUESTS_MS = 7 * 86_400_000;
/** Templates decoded in one turn of the event loop. */
const PAGE = 200;
/** Templates deleted in one transaction. */
const STEP = 5000;

/**
 * Templates in a SQLite file of this machine, searched in memory: exact and fast for as many as memory holds (SIZING.md). What is
 * acknowledged is on the disk and found by the next search. Opening reads and decodes every template once. Several processes
 * may use one file: each sees what the others have acknowledged. What is deleted is overwritten in the file; SQLite's log beside it
 * may hold older pages until it is closed.
 *
 * Rejects with `EMBEDDING_MISMATCH` (the file holds another model), `STORE_NOT_FOUND`, `STORE_CORRUPT`, `STORE_VERSION`,
 * `STORE_BUSY`, `STORE_FULL`, `ACCESS_DENIED`, `KEY_NOT_FOUND`, `KEY_MISMATCH`, `TEMPLATE_INVALID` (sealed, and no cipher is
 * given), `OUT_OF_MEMORY`, `INVALID_ARGUMENT`.
 */
export async function openEmbeddedStorage(options: EmbeddedStorageOptions): Promise<TemplateStorage> {
  plainObject('options', options, OPTIONS);
  const model = storageModel(options);
  const path = nonEmptyString('options.path', options.path);
  const precision = oneOf('options.precision', options.precision ?? 'exact', INDEX_PRECISIONS);
  const { cipher, threads } = options;
  const database = await Database.open({ path, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
  let index: VectorIndex | undefined;
  try {
    await database.write([
      {
        sql: 'INSERT OR IGNORE INTO pin VALUES (1, ?, ?, ?)',
        params: [model.model, model.dims, model.modelHash ?? null],
      },
    ]);
    const [kept] = (await database.read('SELECT model, dims, model_hash FROM pin')).rows;
    const hash = kept?.[2];
    const held = { model: String(kept?.[0]), dims: Number(kept?.[1]) };
    checkPin(typeof hash === 'string' ? { ...held, modelHash: hash } : held, model, path);
    index = await createVectorIndex({ dims: model.dims, precision, ...(threads === undefined ? {} : { threads }) });
    const driver = new EmbeddedDriver(database, new LiveIndex(index), model, cipher);
    await driver.synchronise();
    return new Storage(driver, cipher);
  } catch (error) {
    await Promise.all([index?.close(), database.close()]);
    throw error;
  }
}

class EmbeddedDriver implements StorageDriver {
  readonly matching: 'exact' | 'approximate';
  readonly name: string;
  /** Who writes here; its own writes need not be looked for. */
  readonly #owner = randomUUID();
  /** Writes of others up to which the index knows all; −1: it may have missed some. */
  #foreign = -1;
  /** What has expired by then is not in the index. */
  #expiredUntil = 0;
  /** Failed changes of the index that were made good. */
  #failures = 0;

  constructor(
    readonly database: Database,
    readonly index: LiveIndex,
    readonly model: StorageModel,
    readonly cipher: TemplateCipher | undefined,
  ) {
    this.name = `the storage ${database.path}`;
    this.matching = index.vectors.precision === 'exact' ? 'exact' : 'approximate';
  }

  async put(
    collection: string,
    rows: readonly NewRow[],
    { replace, key }: PutRequest,
    signal?: AbortSignal,
  ): Promise<PutResult> {
    const ids = JSON.stringify(rows.map((row) => row.id));
    const now = Date.now();
    const request: SqlStatement[] =
      key === undefined
        ? []
        : [
            { sql: 'DELETE FROM requests WHERE at < ?', params: [now - REQUESTS_MS] },
            {
              sql: `INSERT INTO requests SELECT ?, ?, count(*), ? FROM templates WHERE ${NAMED}`,
              params: [key.id, key.digest, now, collection, ids],
            },
          ];
    const statements: SqlStatement[] = [
      ...request,
      {
        sql: 'INSERT OR IGNORE INTO groups (collection, protection) VALUES (?, ?)',
        rows: [...new Set(rows.map((row) => row.protection))].map((protection) => [collection, protection]),
      },
      {
        sql: `DELETE FROM templates WHERE ${replace ? NAMED : 'false'} RETURNING key`,
        ...(replace ? { params: [collection, ids] } : {}),
      },
      {
        sql: `INSERT INTO templates (collection, id, group_id, stored_at, expires_at, template)
              SELECT ?1, ?2, group_id, ?4, ?5, ?6 FROM groups WHERE collection = ?1 AND protection = ?3 RETURNING key, group_id`,
        rows: rows.map((row) => [collection, row.id, row.protection, row.storedAt, row.expiresAt ?? null, row.bytes]),
      },
      this.#written(),
    ];
    let results: readonly SqlResult[];
    try {
      results = await this.database.write(statements, signalled(signal));
    } catch (error) {
      if (!(error instanceof LineamentError) || error.code !== 'DUPLICATE_ID') throw error;
      return this.#duplicate(error, collection, ids, key);
    }
    const [removed, added] = results.slice(-3) as [SqlResult, SqlResult];
    await this.index.change(async () => {
      await this.index.forget(removed.rows.map(([one]) => Number(one)));
      await this.index.learn(
        added.rows.map(([one, group], i) => {
          const { vector, expiresAt } = rows[i]!;
          // Where the clock was set back meanwhile.
          if (expiresAt !== undefined) this.#expiredUntil = Math.min(this.#expiredUntil, expiresAt - 1);
          return { key: Number(one), group: Number(group), vector };
        }),
      );
    });
    return { replaced: removed.rows.length, replayed: false };
  }

  /** Why a row was there already: the request was, or a template. */
  async #duplicate(error: LineamentError, collection: string, ids: string, key: PutRequest['key']): Promise<PutResult> {
    const [seen, taken] = await this.database.readAll([
      { sql: 'SELECT digest, replaced FROM requests WHERE key = ?', params: [key?.id ?? ''] },
      { sql: `SELECT id FROM templates WHERE ${NAMED} LIMIT 1`, params: [collection, ids] },
    ]);
    const request = seen?.rows[0];
    if (key !== undefined && request !== undefined) {
      if (request[0] !== key.digest) throw keyConflict(key.id);
      return { replaced: Number(request[1]), replayed: true };
    }
    const id = taken?.rows[0]?.[0];
    throw id === undefined
      ? error
      : new LineamentError('DUPLICATE_ID', `'${String(id)}' in collection '${collection}'`);
  }

  async get({ collection, id }: TemplateRef, signal?: AbortSignal): Promise<Row | undefined> {
    const { rows } = await this.database.read(
      `SELECT stored_at, expires_at, protection, template FROM templates JOIN groups USING (group_id)
        WHERE templates.collection = ? AND id = ?`,
      [collection, id],
      signalled(signal),
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const [storedAt, expiresAt, protection, bytes] = row;
    return {
      collection,
      id,
      storedAt: Number(storedAt),
      ...(expiresAt === null ? {} : { expiresAt: Number(expiresAt) }),
      protection: String(protection),
      bytes: bytes as Uint8Array,
    };
  }

  remove(collection: string, ids: readonly string[], signal?: AbortSignal): Promise<number> {
    return this.#delete(NAMED, [collection, JSON.stringify(ids)], signal);
  }

  removeExpired(now: number, collection: string | undefined, signal?: AbortSignal): Promise<number> {
    return collection === undefined
      ? this.#delete('expires_at <= ?', [now], signal)
      : this.#delete('expires_at <= ? AND collection = ?', [now, collection], signal);
  }

  async #delete(which: string, params: readonly (string | number)[], signal?: AbortSignal): Promise<number> {
    // In steps: what has expired may be more rows than one answer holds.
    const sql = `DELETE FROM templates WHERE key IN (SELECT key FROM templates WHERE ${which} LIMIT ${STEP}) RETURNING key`;
    for (let removed = 0; ; ) {
      const [result] = await this.database.write([{ sql, params }, this.#written()], signalled(signal));
      const keys = result!.rows.map(([key]) => Number(key));
      await this.index.change(() => this.index.forget(keys));
      removed += keys.length;
      if (keys.length < STEP) return removed;
    }
  }

  async list(
    collection: string | undefined,
    after: TemplateRef | undefined,
    limit: number,
    signal?: AbortSignal,
  ): Promise<Entries> {
    const from = [after?.collection ?? '', after?.id ?? ''];
    const { rows } = await this.database.read(
      `SELECT collection, id, stored_at, expires_at FROM templates
        WHERE (collection, id) > (?, ?) ${collection === undefined ? '' : 'AND collection = ?'}
        ORDER BY collection, id LIMIT ?`,
      [...from, ...(collection === undefined ? [] : [collection]), limit + 1],
      signalled(signal),
    );
    const entries = rows.map(([where, id, storedAt, expiresAt]) => ({
      collection: String(where),
      id: String(id),
      storedAt: Number(storedAt),
      ...(expiresAt === null ? {} : { expiresAt: Number(expiresAt) }),
    }));
    return pageOf(entries, limit);
  }

  async count(collection: string | undefined, signal?: AbortSignal): Promise<number> {
    const { rows } = await this.database.read(
      `SELECT count(*) FROM templates ${collection === undefined ? '' : 'WHERE collection = ?'}`,
      collection === undefined ? [] : [collection],
      signalled(signal),
    );
    return Number(rows[0]![0]);
  }

  async search(request: SearchRequest, signal?: AbortSignal): Promise<TemplateMatch[][]> {
    const { probes, k, threshold, collections, now } = request;
    await this.index.settled();
    const names = [...new Set(probes.map((probe) => protectionName(probe.protection)))];
    const [others, expiring, groups] = await this.database.readAll(
      [
        { sql: FOREIGN, params: [this.#owner] },
        { sql: 'SELECT min(expires_at) FROM templates WHERE expires_at > ?', params: [this.#expiredUntil] },
        {
          sql: `SELECT group_id, protection FROM groups WHERE protection IN (SELECT value FROM json_each(?))
              ${collections === undefined ? '' : 'AND collection IN (SELECT value FROM json_each(?))'}`,
          params: [JSON.stringify(names), ...(collections === undefined ? [] : [JSON.stringify(collections)])],
        },
      ],
      { ...signalled(signal), maxRows: 1_000_000 },
    );
    if (Number(others!.rows[0]![0]) !== this.#foreign || this.index.failures !== this.#failures)
      await this.synchronise();
    const next = expiring!.rows[0]![0];
    if (next != null && Number(next) <= now) await this.#expire(now);
    else this.#expiredUntil = Math.min(this.#expiredUntil, now);
    const hits: { readonly key: number; readonly similarity: number }[][] = probes.map(() => []);
    for (const protection of names) {
      const inside = groups!.rows.filter((row) => row[1] === protection).map((row) => Number(row[0]));
      const which = probes.flatMap((probe, i) => (protectionName(probe.protection) === protection ? [i] : []));
      if (inside.length === 0) continue;
      const queries = new Float32Array(which.length * this.model.dims);
      for (const [at, i] of which.entries()) queries.set(probes[i]!.vector, at * this.model.dims);
      const lists = await this.index.vectors.search(queries, {
        k,
        groups: inside,
        ...(threshold === undefined ? {} : { threshold }),
        ...signalled(signal),
      });
      for (const [at, i] of which.entries()) hits[i] = lists[at]!;
    }
    return this.#named(hits, signal);
  }

  /** Keys to names; what was deleted since is left out. */
  async #named(
    hits: readonly (readonly { readonly key: number; readonly similarity: number }[])[],
    signal: AbortSignal | undefined,
  ): Promise<TemplateMatch[][]> {
    const keys = JSON.stringify([...new Set(hits.flatMap((list) => list.map((hit) => hit.key)))]);
    const { rows } = await this.database.read(
      'SELECT key, collection, id FROM templates WHERE key IN (SELECT value FROM json_each(?))',
      [keys],
      { ...signalled(signal), maxRows: 1_000_000 },
    );
    const names = new Map(
      rows.map(([key, collection, id]) => [Number(key), { collection: String(collection), id: String(id) }]),
    );
    return hits.map((list) =>
      list.flatMap(({ key, similarity }) => {
        const name = names.get(key);
        return name === undefined ? [] : [{ ...name, similarity }];
      }),
    );
  }

  /** Brings the index to what the file holds: when it is opened, and when another process has written. */
  synchronise(): Promise<void> {
    return this.index.change(async () => {
      const foreign = Number((await this.database.read(FOREIGN, [this.#owner])).rows[0]![0]);
      const { failures } = this.index;
      if (foreign === this.#foreign && failures === this.#failures) return;
      const gone = this.index.keys.copy();
      const now = Date.now();
      const live = 'WHERE expires_at IS NULL OR expires_at > ? ORDER BY key';
      const learn = async (rows: readonly SqlRow[]): Promise<void> =>
        this.index.learn(await Promise.all(rows.map((row) => this.#decoded(row))));
      if (this.#foreign < 0) {
        const pages = this.database.pages(`${WHOLE} ${live}`, [now], { pageSize: PAGE });
        for await (const page of pages) await learn(page);
      } else {
        const fresh: number[] = [];
        for await (const page of this.database.pages(`SELECT key FROM templates ${live}`, [now])) {
          for (const [value] of page) {
            const key = Number(value);
            if (gone.has(key)) gone.delete(key);
            else fresh.push(key);
          }
        }
        for (let at = 0; at < fresh.length; at += PAGE) {
          const keys = JSON.stringify(fresh.slice(at, at + PAGE));
          await learn(
            (await this.database.read(`${WHOLE} WHERE key IN (SELECT value FROM json_each(?))`, [keys])).rows,
          );
        }
      }
      await this.index.forget(gone);
      this.#foreign = foreign;
      this.#failures = failures;
      this.#expiredUntil = now;
    });
  }

  /** Takes what has expired by then out of the index; in the file it stays until `deleteExpired`. */
  #expire(now: number): Promise<void> {
    return this.index.change(async () => {
      const sql = 'SELECT key FROM templates WHERE expires_at > ? AND expires_at <= ?';
      for await (const page of this.database.pages(sql, [this.#expiredUntil, now])) {
        await this.index.forget(page.map(([key]) => Number(key)));
      }
      this.#expiredUntil = now;
    });
  }

  async #decoded([key, group, collection, id, bytes]: SqlRow): Promise<IndexEntry> {
    const ref = { collection: String(collection), id: String(id), bytes: bytes as Uint8Array };
    const { vector } = await templateOf(ref, this.cipher);
    return { key: Number(key), group: Number(group), vector };
  }

  #written(): SqlStatement {
    return {
      sql: 'INSERT INTO writers VALUES (?, 1) ON CONFLICT (owner) DO UPDATE SET writes = writes + 1',
      params: [this.#owner],
    };
  }

  async close(): Promise<void> {
    await this.index.settled();
    await Promise.all([this.index.vectors.close(), this.database.close()]);
  }
}

const signalled = (signal: AbortSignal | undefined): { signal?: AbortSignal } =>
  signal === undefined ? {} : { signal };
