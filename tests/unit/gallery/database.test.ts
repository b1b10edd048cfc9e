import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database, type DatabaseOptions } from '../../../lib/gallery/database.js';

let folder = '';
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-database-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (): string => join(folder, `${count++}.db`);
const table = 'CREATE TABLE t (id INTEGER PRIMARY KEY, v, s TEXT UNIQUE)';
const open = (options: Partial<DatabaseOptions> = {}): Promise<Database> =>
  Database.open({ path: fresh(), applicationId: 77, migrations: [[table]], ...options });
const insert = (id: number, s: string | null = null): { sql: string; params: (number | string | null)[] } => ({
  sql: 'INSERT INTO t (id, s) VALUES (?, ?)',
  params: [id, s],
});
const ids = async (database: Database): Promise<unknown[]> =>
  (await database.read('SELECT id FROM t ORDER BY id')).rows.map((row) => row[0]);

describe('values', () => {
  it.each([
    ['null', null],
    ['a whole number', -42],
    ['the largest safe number', Number.MAX_SAFE_INTEGER],
    ['a bigint beyond it', 2n ** 62n],
    ['the least 64-bit integer', -(2n ** 63n)],
    ['a fraction', 0.1],
    ['a huge number', 1e300],
    ['infinity', Infinity],
    ['text of every plane', 'nul \0, ü, 漢字, 👩🏽‍🦱'],
    ['empty text', ''],
    ['bytes', new Uint8Array([0, 1, 255])],
    ['no bytes', new Uint8Array()],
  ])('stores %s', async (_, value) => {
    await using database = await open();
    await database.write([{ sql: 'INSERT INTO t (v) VALUES (?)', params: [value] }]);
    expect((await database.read('SELECT v FROM t')).rows).toEqual([[value]]);
  });

  it('reads the bytes of a view, and not of its buffer', async () => {
    await using database = await open();
    const view = new Uint8Array([9, 1, 2, 9]).subarray(1, 3);
    await database.write([{ sql: 'INSERT INTO t (v) VALUES (?)', params: [view] }]);
    expect((await database.read('SELECT v FROM t')).rows).toEqual([[new Uint8Array([1, 2])]]);
  });

  it.each([
    ['NaN', Number.NaN],
    ['undefined', undefined],
    ['a boolean', true],
    ['half a character', 'x\ud800'],
    ['a bigint of 65 bits', 2n ** 63n],
    ['a Float32Array', new Float32Array(1)],
  ])('refuses %s', async (_, value) => {
    await using database = await open();
    const params = [value] as unknown as string[];
    await expect(database.write([{ sql: 'INSERT INTO t (v) VALUES (?)', params }])).rejects.toMatchObject({
      code: 'INVALID_ARGUMENT',
      message: expect.stringContaining('statements[0].params[0]') as string,
    });
    expect(await ids(database)).toEqual([]);
  });
});

describe('writes', () => {
  it('are all or nothing', async () => {
    await using database = await open();
    await database.write([insert(1, 'a')]);
    await expect(database.write([insert(2), insert(1)])).rejects.toMatchObject({ code: 'DUPLICATE_ID', status: 409 });
    await expect(database.write([insert(3), insert(4, 'a')])).rejects.toMatchObject({ code: 'DUPLICATE_ID' });
    await expect(database.write([insert(5), { sql: 'nonsense' }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    const expecting = { sql: 'UPDATE t SET s = ? WHERE id = ?', params: ['b', 9], expect: 1 };
    await expect(database.write([insert(6), expecting])).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await ids(database)).toEqual([1]);
  });

  it('that come together share a commit, keep their order, and fail alone', async () => {
    await using database = await open();
    const settled: number[] = [];
    const all = Array.from({ length: 500 }, (_, i) =>
      database
        .write([insert(i % 100 === 99 ? 0 : i)])
        .finally(() => settled.push(i))
        .then(
          (results) => results[0]?.lastId,
          (error: { code: string }) => error.code,
        ),
    );
    expect(database.pendingWrites).toBe(500);
    const outcomes = await Promise.all(all);
    for (const [i, outcome] of outcomes.entries()) expect(outcome).toBe(i % 100 === 99 ? 'DUPLICATE_ID' : i);
    expect(settled).toEqual(Array.from({ length: 500 }, (_, i) => i));
    expect(await ids(database)).toHaveLength(495);
    expect(database.pendingWrites).toBe(0);
  });

  it('are in a snapshot that is read afterwards', async () => {
    await using database = await open();
    for (let i = 0; i < 20; i++) {
      await database.write([insert(i)]);
      expect(await ids(database)).toHaveLength(i + 1);
    }
  });

  it('can be taken back while they wait', async () => {
    await using database = await open();
    const controller = new AbortController();
    const first = database.write([insert(1)]);
    const second = database.write([insert(2)], { signal: controller.signal });
    const third = database.write([insert(3)]);
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'ABORTED' });
    await Promise.all([first, third]);
    expect(await ids(database)).toEqual([1, 3]);
    await expect(database.write([insert(4)], { signal: controller.signal })).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('are stopped by their signal, undone, and leave the database usable', async () => {
    await using database = await open();
    const controller = new AbortController();
    const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';
    const endless = database.write([{ sql: `${numbers} INSERT INTO t (id) SELECT i FROM n` }], {
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(new Error('enough')), 30);
    await expect(endless).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'enough' } });
    await database.write([insert(1)]);
    expect(await ids(database)).toEqual([1]);
  });

  it('that do not fit are refused, and those beside them are done', async () => {
    await using database = await open();
    await database.write([{ sql: 'PRAGMA max_page_count = 30' }]);
    const large = { sql: 'INSERT INTO t (id, v) VALUES (?, zeroblob(1000000))', params: [2] };
    const [before, refused, after] = await Promise.allSettled([
      database.write([insert(1)]),
      database.write([large]),
      database.write([insert(3)]),
    ]);
    expect(refused).toMatchObject({ status: 'rejected', reason: { code: 'STORE_FULL', status: 507 } });
    expect([before?.status, after?.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(await ids(database)).toEqual([1, 3]);
    expect(await database.check()).toEqual([]);
  });

  it('may not begin or end transactions', async () => {
    await using database = await open();
    for (const sql of ['COMMIT', 'ROLLBACK', 'SAVEPOINT x', "ATTACH 'other' AS other"]) {
      await expect(database.write([insert(1), { sql }])).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    }
    expect(await ids(database)).toEqual([]);
  });
});

describe('reads', () => {
  it('see one snapshot, refuse to write, and say when the answer is too large', async () => {
    await using database = await open();
    await database.write([{ sql: 'INSERT INTO t (id) VALUES (?)', rows: Array.from({ length: 300 }, (_, i) => [i]) }]);
    const [a, b] = await database.readAll([{ sql: 'SELECT count(*) FROM t' }, { sql: 'SELECT max(id) FROM t' }]);
    expect([a?.rows, b?.rows]).toEqual([[[300]], [[299]]]);
    await expect(database.read('DELETE FROM t')).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(database.read('SELECT * FROM t', [], { maxRows: 299 })).rejects.toMatchObject({
      message: expect.stringContaining('pages') as string,
    });
  });

  it('come in pages from one snapshot', async () => {
    await using database = await open();
    await database.write([{ sql: 'INSERT INTO t (id) VALUES (?)', rows: Array.from({ length: 250 }, (_, i) => [i]) }]);
    const seen: unknown[] = [];
    const lengths: number[] = [];
    for await (const page of database.pages('SELECT id FROM t WHERE id >= ? ORDER BY id', [50], { pageSize: 90 })) {
      lengths.push(page.length);
      seen.push(...page.map((row) => row[0]));
      await database.write([{ sql: 'DELETE FROM t WHERE id > 200' }, insert(1000 + lengths.length)]);
    }
    expect(lengths).toEqual([90, 90, 20]);
    expect(seen).toEqual(Array.from({ length: 200 }, (_, i) => i + 50));
  });

  it('give their connection back when a loop is left', async () => {
    await using database = await open();
    await database.write([{ sql: 'INSERT INTO t (id) VALUES (?)', rows: [[1], [2], [3]] }]);
    for (let i = 0; i < 20; i++) {
      for await (const page of database.pages('SELECT id FROM t', [], { pageSize: 1 })) {
        expect(page).toHaveLength(1);
        break;
      }
    }
    await database.checkpoint('truncate');
  });
});

describe('opening', () => {
  it.each([
    ['a folder that is not there', () => join(folder, 'none', 'a.db'), {}, 'STORE_NOT_FOUND'],
    ['a file that is not there and may not be made', fresh, { create: false }, 'STORE_NOT_FOUND'],
    ['a folder', () => folder, {}, 'STORE_FAILED'],
    ['no path', () => '', {}, 'INVALID_ARGUMENT'],
    ['a mark for a file that is never made', fresh, { applicationId: 7 }, 'INVALID_ARGUMENT'],
  ])('refuses %s', async (_, path, options, code) => {
    await expect(Database.open({ path: path(), ...options })).rejects.toMatchObject({ code });
  });

  it('refuses options that are misspelt', async () => {
    const options = { path: fresh(), readonly: true } as DatabaseOptions;
    await expect(Database.open(options)).rejects.toMatchObject({
      message: expect.stringContaining("'readonly'") as string,
    });
  });

  it('leaves what is no database as it is', async () => {
    const path = fresh();
    writeFileSync(path, 'photographs of the summer\n'.repeat(400));
    const before = readFileSync(path);
    await expect(Database.open({ path })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      fix: expect.any(String) as string,
    });
    expect(readFileSync(path).equals(before)).toBe(true);
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it.each([
    ['cut short', (path: string) => truncateSync(path, 20_000)],
    ['with a broken header', (path: string) => writeFileSync(path, Buffer.alloc(100, 7), { flag: 'r+' })],
  ])('notices a file %s', async (_, damage) => {
    const path = fresh();
    {
      await using database = await open({ path });
      const rows = Array.from({ length: 200 }, (_, i) => [i, new Uint8Array(1000)]);
      await database.write([{ sql: 'INSERT INTO t (id, v) VALUES (?, ?)', rows }]);
    }
    damage(path);
    const use = async (): Promise<void> => {
      await using database = await open({ path, migrations: [[table]] });
      await database.read('SELECT max(length(v)) FROM t');
    };
    await expect(use()).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining(path) as string,
    });
  });

  it('upgrades, once, and refuses what a newer release wrote', async () => {
    const path = fresh();
    const second = ['ALTER TABLE t ADD COLUMN extra TEXT', "UPDATE t SET extra = 'new'"];
    {
      await using database = await open({ path });
      await database.write([insert(1)]);
    }
    await expect(open({ path, migrations: [[table], second], readOnly: true })).rejects.toMatchObject({
      code: 'STORE_VERSION',
    });
    // Two at once: one upgrades, the other finds it done.
    const both = await Promise.all([0, 1].map(() => open({ path, migrations: [[table], second] })));
    expect((await both[0]!.read('SELECT id, extra FROM t')).rows).toEqual([[1, 'new']]);
    await Promise.all(both.map((one) => one.close()));
    await expect(open({ path })).rejects.toMatchObject({
      code: 'STORE_VERSION',
      fix: expect.stringContaining('Update') as string,
    });
  });

  it('undoes an upgrade that fails', async () => {
    const path = fresh();
    await (await open({ path })).close();
    const failing = ['CREATE TABLE other (id)', 'nonsense'];
    await expect(open({ path, migrations: [[table], failing] })).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await using database = await open({ path });
    const tables = await database.read("SELECT name FROM sqlite_schema WHERE type = 'table'");
    expect(tables.rows).toEqual([['t']]);
  });

  it("refuses another application's file", async () => {
    const path = fresh();
    await (await open({ path })).close();
    await expect(open({ path, applicationId: 78 })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
      message: expect.stringContaining('another application') as string,
    });
  });

  it('reads without writing', async () => {
    const path = fresh();
    {
      await using database = await open({ path });
      await database.write([insert(1)]);
    }
    await using database = await open({ path, readOnly: true });
    expect(await ids(database)).toEqual([1]);
    await expect(database.write([insert(2)])).rejects.toMatchObject({ code: 'STORE_FAILED' });
  });
});

describe('copies and ends', () => {
  it('makes a copy while others write', async () => {
    await using database = await open();
    const rows = Array.from({ length: 400 }, (_, i) => [i, new Uint8Array(3000)]);
    await database.write([{ sql: 'INSERT INTO t (id, v) VALUES (?, ?)', rows }]);
    const copy = fresh();
    await Promise.all([database.backup(copy), database.write([insert(1000)])]);
    await using other = await open({ path: copy });
    expect((await ids(other)).length).toBeGreaterThanOrEqual(400);
    expect(await other.check()).toEqual([]);
    await expect(database.backup(database.path)).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    await expect(database.backup(copy)).rejects.toMatchObject({ message: expect.stringContaining('in use') as string });
    await expect(database.backup(join(folder, 'none', 'x'))).rejects.toMatchObject({ code: 'STORE_NOT_FOUND' });
  });

  it('recovers from the log of a process that was killed', async () => {
    const path = fresh();
    const crashed = fresh();
    await using database = await open({ path });
    await database.write([insert(1)]);
    for (const rest of ['', '-wal']) copyFileSync(path + rest, crashed + rest);
    await using after = await open({ path: crashed });
    expect(await ids(after)).toEqual([1]);
  });

  it('finds damage', async () => {
    const path = fresh();
    {
      await using database = await open({ path, migrations: [[table, 'CREATE TABLE child (t REFERENCES t (id))']] });
      const rows = Array.from({ length: 400 }, (_, i) => [i, `text ${i} `.repeat(100)]);
      await database.write([{ sql: 'INSERT INTO t (id, s) VALUES (?, ?)', rows }]);
      expect(await database.check()).toEqual([]);
      await expect(database.write([{ sql: 'INSERT INTO child VALUES (?)', params: [9999] }])).rejects.toMatchObject({
        code: 'INVALID_ARGUMENT',
        message: expect.stringContaining('FOREIGN KEY') as string,
      });
    }
    const bytes = readFileSync(path);
    const at = bytes.indexOf('text 200 text 200');
    bytes.write('TEXT', at);
    writeFileSync(path, bytes);
    await using database = await open({ path, migrations: [[table, 'CREATE TABLE child (t REFERENCES t (id))']] });
    // A changed letter in the table and not in its index.
    const [index] = (await database.read('PRAGMA integrity_check')).rows;
    expect(String(index?.[0])).not.toBe('ok');
  });

  it('closes after what was asked before, and is closed then', async () => {
    const path = fresh();
    const database = await open({ path });
    const writes = Array.from({ length: 50 }, (_, i) => database.write([insert(i)]));
    const read = ids(database);
    await Promise.all([database.close(), database.close()]);
    await Promise.all([...writes, read]);
    await expect(database.write([insert(99)])).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(database.read('SELECT 1')).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(database.pages('SELECT 1').next()).rejects.toMatchObject({ code: 'CLOSED' });
    expect(existsSync(`${path}-wal`)).toBe(false);
    await using again = await open({ path });
    expect(await ids(again)).toHaveLength(50);
  });

  it('works under a path with spaces and umlauts', async () => {
    const place = join(folder, 'Gesichter für später #1 100%');
    mkdirSync(place);
    const path = join(place, 'größe?.db');
    {
      await using database = await open({ path });
      await database.write([insert(1)]);
    }
    expect(existsSync(path)).toBe(true);
    await using reading = await open({ path, readOnly: true });
    expect(await ids(reading)).toEqual([1]);
  });
});
