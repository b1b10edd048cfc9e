import { randomBytes } from 'node:crypto';
import { chmod, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { type IndexPrecision, loadAddon, type NativeExecutor, type SqlStatement } from '../native/index.js';
import { createVectorIndex, openVectorIndex, type VectorIndex } from '../search/index.js';
import type { Database } from './database.js';
import type { Sealer } from './sealer.js';
import type { DamagedSample, GalleryProgress } from './types.js';

/** Vectors that can be compared with each other: those of one recogniser. The index is derived from the database. */
export interface Space {
  readonly key: number;
  readonly model: string;
  readonly dims: number;
  /** Empty where it was not named. */
  readonly modelHash: string;
  index: VectorIndex;
}

type SpaceRow = Omit<Space, 'index'>;

export interface SpacesOptions {
  readonly precision: IndexPrecision;
  readonly threads?: number;
  /** Keep snapshots of the indexes in the folder. */
  readonly snapshots: boolean;
}

export interface SpacesReport {
  index: 'snapshot' | 'replayed' | 'rebuilt';
  replayed: number;
  readonly repaired: string[];
}

interface Watch {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: GalleryProgress) => void) | undefined;
}

/** Vectors read and decoded at a time: a few milliseconds of work. */
const PAGE = 256;
const SNAPSHOT_NAME = /^vectors-\d+-\d+-[0-9a-f]{8}\.idx(\..*)?$/;

const SAMPLES_IN_SPACE = `SELECT s.key, s.person, s.collection, s.id, t.data, p.id
  FROM samples s LEFT JOIN templates t ON t.sample = s.key JOIN persons p ON p.key = s.person`;

/**
 * The indexes of a gallery, one for each recogniser. A snapshot is a file that the database names together with the change
 * it stands at: what was changed since is replayed from the database, and one that is missing, damaged or of another kind is
 * made anew.
 */
export class Spaces {
  readonly #folder: string;
  readonly #db: Database;
  readonly #sealer: Sealer;
  readonly #options: SpacesOptions;
  readonly #executor: NativeExecutor;
  readonly #spaces = new Map<number, Space>();
  readonly damaged = new Map<number, DamagedSample>();

  constructor(folder: string, db: Database, sealer: Sealer, options: SpacesOptions) {
    this.#folder = folder;
    this.#db = db;
    this.#sealer = sealer;
    this.#options = options;
    const addon = loadAddon();
    this.#executor = addon.createExecutor(options.threads ?? Math.max(1, addon.cpu().cores));
  }

  get all(): readonly Space[] {
    return [...this.#spaces.values()];
  }

  get(key: number): Space {
    const space = this.#spaces.get(key);
    if (space === undefined) throw new LineamentError('INTERNAL', `no index for space ${key}`);
    return space;
  }

  /** Brings every index up to the database. */
  async open(watch: Watch): Promise<SpacesReport> {
    const report: SpacesReport = { index: 'snapshot', replayed: 0, repaired: [] };
    await this.#setLog();
    await this.#sweep();
    const { rows } = await this.#db.read('SELECT key, model, dims, model_hash FROM spaces ORDER BY key');
    for (const [key, model, dims, modelHash] of rows) {
      const space = { key: Number(key), model: String(model), dims: Number(dims), modelHash: String(modelHash) };
      this.#spaces.set(space.key, { ...space, index: await this.#load(space, report, watch) });
    }
    return report;
  }

  /** Without snapshots nothing is replayed, and the log of changes need not grow. */
  async #setLog(): Promise<void> {
    const wanted = this.#options.snapshots ? 1 : 0;
    const [row] = (await this.#db.read('SELECT change_log FROM state')).rows;
    if (Number(row?.[0]) === wanted) return;
    await this.#db.write([
      { sql: 'UPDATE state SET change_log = ?', params: [wanted] },
      { sql: 'DELETE FROM snapshots' },
      { sql: 'DELETE FROM changes' },
    ]);
  }

  /** Removes snapshots that the database does not name: what an interrupted save or deletion left. */
  async #sweep(): Promise<void> {
    const { rows } = await this.#db.read('SELECT file FROM snapshots');
    const named = new Set(rows.map((row) => String(row[0])));
    for (const file of await readdir(this.#folder)) {
      if (SNAPSHOT_NAME.test(file) && !named.has(file)) await rm(join(this.#folder, file), { force: true });
    }
  }

  async #load(space: SpaceRow, report: SpacesReport, watch: Watch): Promise<VectorIndex> {
    const { rows } = await this.#db.read('SELECT file, change, size FROM snapshots WHERE space = ?', [space.key]);
    const [row] = rows;
    if (row !== undefined) {
      const loaded = await this.#fromSnapshot(space, String(row[0]), Number(row[1]), Number(row[2]), report, watch);
      if (loaded !== undefined) return loaded;
      await this.#db.write([{ sql: 'DELETE FROM snapshots WHERE space = ?', params: [space.key] }]);
      await rm(join(this.#folder, String(row[0])), { force: true });
    }
    return this.#rebuild(space, report, watch);
  }

  async #fromSnapshot(
    space: SpaceRow,
    file: string,
    change: number,
    size: number,
    report: SpacesReport,
    watch: Watch,
  ): Promise<VectorIndex | undefined> {
    let index: VectorIndex | undefined;
    try {
      index = await openVectorIndex(join(this.#folder, file), {
        mode: 'load',
        executor: this.#executor,
        ...(watch.signal === undefined ? {} : { signal: watch.signal }),
      });
      if (index.precision !== this.#options.precision) throw new Error(`it keeps '${index.precision}' vectors`);
      if (index.dims !== space.dims || index.size !== size) {
        throw new LineamentError('STORE_CORRUPT', 'it is not the snapshot that the database names');
      }
      await this.#replay(space, index, change, report, watch);
      const expected = await this.#countSamples(space.key);
      if (index.size === expected) return index;
      report.repaired.push(
        `the index of '${space.model}' had ${index.size} vectors and the database has ${expected} samples: rebuilt`,
      );
    } catch (error) {
      const { code, message } = wrapError(error);
      if (code === 'ABORTED' || code === 'OUT_OF_MEMORY') {
        await index?.close();
        throw error;
      }
      report.repaired.push(`the snapshot ${file} could not be used (${message}): rebuilt`);
    }
    await index?.close();
    return undefined;
  }

  async #countSamples(space: number): Promise<number> {
    const { rows } = await this.#db.read('SELECT count(*) FROM samples WHERE space = ?', [space]);
    return Number(rows[0]?.[0]);
  }

  async #replay(
    space: SpaceRow,
    index: VectorIndex,
    change: number,
    report: SpacesReport,
    watch: Watch,
  ): Promise<void> {
    const changed = 'SELECT DISTINCT sample FROM changes WHERE space = ? AND number > ? ORDER BY sample';
    for await (const page of this.#db.pages(changed, [space.key, change], { pageSize: PAGE })) {
      throwIfAborted(watch.signal);
      const keys = page.map((row) => Number(row[0]));
      const found = await this.#vectors(space, `${SAMPLES_IN_SPACE} WHERE s.key IN (SELECT value FROM json_each(?))`, [
        JSON.stringify(keys),
      ]);
      const there = new Set(found.keys);
      await index.remove(keys.filter((key) => !there.has(key)));
      await index.update(found.keys, found.vectors, found.groups);
      report.replayed += keys.length;
      if (report.index === 'snapshot') report.index = 'replayed';
    }
  }

  async #rebuild(space: SpaceRow, report: SpacesReport, watch: Watch): Promise<VectorIndex> {
    const total = await this.#countSamples(space.key);
    const index = await createVectorIndex({
      dims: space.dims,
      precision: this.#options.precision,
      executor: this.#executor,
    });
    if (total > 0) report.index = 'rebuilt';
    try {
      let last = 0;
      let done = 0;
      for (;;) {
        throwIfAborted(watch.signal);
        const sql = `${SAMPLES_IN_SPACE} WHERE s.space = ? AND s.key > ? ORDER BY s.key LIMIT ${PAGE}`;
        const page = await this.#vectors(space, sql, [space.key, last]);
        if (page.last === undefined) return index;
        last = page.last;
        await index.add(page.keys, page.vectors, page.groups);
        done += page.count;
        watch.onProgress?.({ stage: 'index', done, total });
      }
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  /** Vectors of rows of {@link SAMPLES_IN_SPACE}. Those that cannot be read are set down as damaged and left out. */
  async #vectors(
    space: Pick<Space, 'model' | 'dims'>,
    sql: string,
    params: readonly (number | string)[],
  ): Promise<{ keys: number[]; groups: number[]; vectors: Float32Array; last: number | undefined; count: number }> {
    const { rows } = await this.#db.read(sql, params);
    const keys: number[] = [];
    const groups: number[] = [];
    const vectors = new Float32Array(rows.length * space.dims);
    for (const [rowKey, person, collection, id, data, personId] of rows) {
      const key = Number(rowKey);
      try {
        const place = { kind: 'template', row: key, person: Number(person), collection: Number(collection) } as const;
        const template = await this.#sealer.openTemplate(data, place, `sample ${id} of '${personId}'`);
        if (template.dims !== space.dims) {
          throw new LineamentError('STORE_CORRUPT', `sample ${id} of '${personId}' has ${template.dims} numbers`);
        }
        vectors.set(template.vector, keys.length * space.dims);
        keys.push(key);
        groups.push(Number(collection));
        this.damaged.delete(key);
      } catch (error) {
        const { code, message } = wrapError(error);
        if (!['STORE_CORRUPT', 'KEY_MISMATCH', 'KEY_NOT_FOUND'].includes(code)) throw error;
        this.damaged.set(key, { sample: String(id), person: String(personId), code, message });
      }
    }
    const last = rows.at(-1)?.[0];
    return {
      keys,
      groups,
      vectors: vectors.subarray(0, keys.length * space.dims),
      last: last === undefined ? undefined : Number(last),
      count: rows.length,
    };
  }

  /** The space of a recogniser, made where it is new. Call alone. */
  async ensure(model: string, dims: number, modelHash: string): Promise<Space> {
    const known = this.all.find((s) => s.model === model && s.dims === dims && s.modelHash === modelHash);
    if (known !== undefined) return known;
    const index = await createVectorIndex({ dims, precision: this.#options.precision, executor: this.#executor });
    try {
      const [made] = await this.#db.write([
        { sql: 'INSERT INTO spaces (model, dims, model_hash) VALUES (?, ?, ?)', params: [model, dims, modelHash] },
      ]);
      const space = { key: made?.lastId ?? 0, model, dims, modelHash, index };
      this.#spaces.set(space.key, space);
      return space;
    } catch (error) {
      await index.close();
      throw error;
    }
  }

  /** Throws an index away and makes it anew from the database. Call alone. */
  async rebuild(space: Space, watch: Watch = {}): Promise<void> {
    const report: SpacesReport = { index: 'snapshot', replayed: 0, repaired: [] };
    const old = space.index;
    space.index = await this.#rebuild(space, report, watch);
    await old.close();
  }

  /** Saves every index that has changed since its snapshot. Call alone. */
  async save(signal?: AbortSignal): Promise<void> {
    for (const space of this.all) await this.#save(space, signal);
  }

  /** Saves where replaying the changes would take about as long as it saves. Call alone. */
  async saveWhereWorthIt(): Promise<void> {
    for (const space of this.all) {
      const { rows } = await this.#db.read(
        `SELECT (SELECT count(*) FROM snapshots WHERE space = ?1),
          (SELECT count(*) FROM (SELECT 1 FROM changes WHERE space = ?1 LIMIT 10000))`,
        [space.key],
      );
      const [saved, changes] = (rows[0] ?? []).map(Number) as [number, number];
      if (saved === 0 ? space.index.size > 0 : changes >= Math.max(64, Math.min(10_000, space.index.size / 100))) {
        await this.#save(space);
      }
    }
  }

  async #save(space: Space, signal?: AbortSignal): Promise<void> {
    if (!this.#options.snapshots) return;
    const { rows } = await this.#db.read(
      `SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'changes'), 0),
        (SELECT file FROM snapshots WHERE space = ?1),
        EXISTS (SELECT 1 FROM changes WHERE space = ?1)`,
      [space.key],
    );
    const [change, old, changed] = rows[0] ?? [0, null, 0];
    if (old !== null && Number(changed) === 0) return;
    const file = `vectors-${space.key}-${String(change)}-${randomBytes(4).toString('hex')}.idx`;
    const path = join(this.#folder, file);
    try {
      await space.index.save(path, signal === undefined ? {} : { signal });
      await chmod(path, 0o600);
      await this.#db.write([
        {
          sql: 'INSERT OR REPLACE INTO snapshots (space, file, change, size) VALUES (?, ?, ?, ?)',
          params: [space.key, file, Number(change), space.index.size],
        },
        { sql: 'DELETE FROM changes WHERE space = ? AND number <= ?', params: [space.key, Number(change)] },
      ]);
    } catch (error) {
      await rm(path, { force: true });
      throw error;
    }
    if (old !== null) await rm(join(this.#folder, String(old)), { force: true });
  }

  /** Statements that give snapshots up, for the transaction that deletes what is in them. */
  dropSnapshots(spaces: readonly number[]): readonly SqlStatement[] {
    const params = [JSON.stringify(spaces)];
    return [
      { sql: 'DELETE FROM snapshots WHERE space IN (SELECT value FROM json_each(?))', params },
      { sql: 'DELETE FROM changes WHERE space IN (SELECT value FROM json_each(?))', params },
    ];
  }

  /** Removes the files of snapshots that were given up, and names them. */
  async removeDropped(): Promise<readonly string[]> {
    const before = await this.snapshotFiles();
    await this.#sweep();
    const after = new Set(await this.snapshotFiles());
    return before.filter((file) => !after.has(file));
  }

  async snapshotFiles(): Promise<readonly string[]> {
    return (await readdir(this.#folder)).filter((file) => SNAPSHOT_NAME.test(file));
  }

  async snapshotBytes(): Promise<number> {
    let sum = 0;
    for (const file of await this.snapshotFiles()) sum += (await stat(join(this.#folder, file))).size;
    return sum;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((space) => space.index.close()));
    await this.#executor.close();
  }
}
