// SQLite inside the addon beside threads, processes, other SQLites and small disks.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Database } from '../../lib/gallery/database.js';
import { addonPath, loadAddon } from '../../lib/native/index.js';
import { lastJson, root, runChild } from '../support/child.js';

let folder = '';
let count = 0;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'lineament-sqlite-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const fresh = (): string => join(folder, `${count++}.db`);
const migrations = [['CREATE TABLE t (id INTEGER PRIMARY KEY, v)']];

function succeeds(file: string, ...args: string[]): boolean {
  try {
    execFileSync(file, args, { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

it('is the version that the development dependency carries', () => {
  expect(loadAddon().sqliteVersion).toMatch(/^3\.\d+\.\d+$/);
});

it.skipIf(process.platform !== 'linux' || !succeeds('nm', '--version'))(
  'shows none of its symbols to the process',
  () => {
    loadAddon();
    const symbols = execFileSync('nm', ['-D', '--defined-only', addonPath() ?? ''], { encoding: 'utf8' });
    expect(symbols).toContain('napi_register_module_v1');
    expect(symbols).not.toContain('sqlite3');
  },
);

it('holds the event loop no longer than a timer would notice', async () => {
  await using database = await Database.open({ path: fresh(), migrations });
  // Work that takes a while on its thread: the loop must turn meanwhile.
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  const numbers = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)';
  await database.write([{ sql: `${numbers} INSERT INTO t (v) SELECT i FROM n` }]);
  clearInterval(timer);
  expect(turns).toBeGreaterThan(5);
});

describe('several processes', () => {
  const other = (path: string, body: string): Promise<unknown> =>
    runChild(`
      const { Database } = await import('./lib/gallery/database.js');
      const database = await Database.open({ path: ${JSON.stringify(path)}, busyTimeoutMs: 100 });
      ${body}
    `).then(lastJson);

  it('write in turns to one file', async () => {
    const path = fresh();
    await using database = await Database.open({ path, migrations });
    const theirs = runChild(`
      const { Database } = await import('./lib/gallery/database.js');
      const database = await Database.open({ path: ${JSON.stringify(path)}, migrations: ${JSON.stringify(migrations)} });
      for (let i = 0; i < 40; i++) await database.write([{ sql: 'INSERT INTO t (v) VALUES (2)' }]);
      await database.close();
      console.log('true');
    `);
    for (let i = 0; i < 40; i++) await database.write([{ sql: 'INSERT INTO t (v) VALUES (1)' }]);
    expect(lastJson(await theirs)).toBe(true);
    expect((await database.read('SELECT v, count(*) FROM t GROUP BY v ORDER BY v')).rows).toEqual([
      [1, 40],
      [2, 40],
    ]);
  });

  it.skipIf(!succeeds('python3', '-c', 'import sqlite3'))(
    'says STORE_BUSY while another one holds the lock',
    async () => {
      const path = fresh();
      await using database = await Database.open({ path, migrations, busyTimeoutMs: 100 });
      await database.write([{ sql: 'INSERT INTO t (v) VALUES (1)' }]);
      const script = `
import sqlite3, sys
c = sqlite3.connect(sys.argv[1], isolation_level=None)
c.execute('BEGIN IMMEDIATE'); c.execute('INSERT INTO t (v) VALUES (2)')
print('held', flush=True); sys.stdin.readline(); c.execute('COMMIT'); print('done', flush=True)`;
      const holder = spawn('python3', ['-c', script, path], { stdio: ['pipe', 'pipe', 'inherit'] });
      const said = async (): Promise<string> =>
        await new Promise((resolve) => holder.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())));
      expect(await said()).toBe('held');
      await expect(database.write([{ sql: 'DELETE FROM t' }])).rejects.toMatchObject({
        code: 'STORE_BUSY',
        status: 503,
      });
      expect((await database.read('SELECT count(*) FROM t')).rows).toEqual([[1]]);
      const done = said();
      holder.stdin.write('\n');
      expect(await done).toBe('done');
      await new Promise((resolve) => holder.once('close', resolve));
      await database.write([{ sql: 'INSERT INTO t (v) VALUES (3)' }]);
      expect((await database.read('SELECT count(*) FROM t')).rows).toEqual([[3]]);
    },
  );

  it('ends cleanly without having closed anything', async () => {
    const path = fresh();
    await (await Database.open({ path, migrations: [] })).close();
    expect(
      await other(path, "console.log(JSON.stringify((await database.read('SELECT 1')).rows)); process.exit(0);"),
    ).toEqual([[1]]);
  });
});

describe('worker threads', () => {
  const source = `
    const { parentPort, workerData } = require('node:worker_threads');
    const addon = require(workerData.addon);
    (async () => {
      const executor = addon.createExecutor(1);
      const options = { readOnly: false, create: true, busyTimeoutMs: 5000, synchronous: 'full' };
      const database = await addon.openDatabase(executor, workerData.path, options);
      for (let i = 0; ; i++) {
        await database.run(executor, [{ sql: 'INSERT INTO t (v) VALUES (zeroblob(5000))' }], { write: true });
        if (i === 3) parentPort.postMessage('writing');
      }
    })();
  `;

  it('may be terminated while they write', async () => {
    const path = fresh();
    await using database = await Database.open({ path, migrations });
    loadAddon();
    for (let round = 0; round < 5; round++) {
      const worker = new Worker(source, { eval: true, workerData: { addon: addonPath(), path } });
      await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
      await worker.terminate();
      await database.write([{ sql: 'INSERT INTO t (v) VALUES (?)', params: [round] }]);
    }
    expect(await database.check()).toEqual([]);
    expect((await database.read("SELECT count(*) FROM t WHERE typeof(v) = 'integer'")).rows).toEqual([[5]]);
  });
});

// The library in another process, on a disk that is too small.
const asRoot = process.platform === 'linux' && process.getuid?.() === 0;
const canMount = asRoot && mountable();

function mountable(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'lineament-mount-'));
  const good = succeeds('mount', '-t', 'tmpfs', '-o', 'size=1m', 'none', place);
  if (good) succeeds('umount', place);
  rmSync(place, { recursive: true });
  return good;
}

describe.skipIf(!canMount)('a disk of two megabytes (needs root)', () => {
  let small = '';
  beforeAll(() => {
    small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', small]);
  });
  afterAll(() => {
    succeeds('umount', small);
  });

  it('says STORE_FULL, keeps what it acknowledged, and goes on when there is space', async () => {
    const path = join(small, 'a.db');
    const database = await Database.open({ path, migrations });
    const acknowledged: number[] = [];
    let failure: unknown;
    for (let i = 1; failure === undefined; i++) {
      try {
        await database.write([{ sql: 'INSERT INTO t (id, v) VALUES (?, zeroblob(50000))', params: [i] }]);
        acknowledged.push(i);
      } catch (error) {
        failure = error;
      }
    }
    expect(failure).toMatchObject({ code: 'STORE_FULL', fix: expect.stringContaining('Free space') as string });
    const there = (await database.read('SELECT id FROM t ORDER BY id')).rows.map((row) => row[0]);
    expect(there).toEqual(acknowledged);
    expect(acknowledged.length).toBeGreaterThan(3);
    execFileSync('mount', ['-o', 'remount,size=8m', small]);
    await database.write([{ sql: 'INSERT INTO t (id, v) VALUES (?, zeroblob(500000))', params: [9999] }]);
    expect(await database.check()).toEqual([]);
    await database.close();
  });
});

describe.skipIf(!asRoot)('without the right to write (needs root, to give it up)', () => {
  it('reads what lies in a folder that may not be written, and says what is missing', async () => {
    const place = mkdtempSync(join(tmpdir(), 'lineament-locked-'));
    const path = join(place, 'a.db');
    await (await Database.open({ path, migrations })).close();
    chmodSync(path, 0o444);
    chmodSync(place, 0o555);
    const result = await runChild(`
      const { Database } = await import('./lib/gallery/database.js');
      const { loadAddon } = await import('./lib/native/index.js');
      loadAddon();
      process.setgid(65534);
      process.setuid(65534);
      const migrations = ${JSON.stringify(migrations)};
      const denied = await Database.open({ path: ${JSON.stringify(path)}, migrations }).catch((error) => error.code);
      const database = await Database.open({ path: ${JSON.stringify(path)}, migrations, readOnly: true });
      const { rows } = await database.read('SELECT count(*) FROM t');
      await database.close();
      console.log(JSON.stringify({ denied, rows }));
    `);
    expect(lastJson(result)).toEqual({ denied: 'ACCESS_DENIED', rows: [[0]] });
    expect(existsSync(`${path}-wal`)).toBe(false);
    rmSync(place, { recursive: true });
  });
});

it("lives beside Node's own SQLite, where Node has one", async () => {
  const path = fresh();
  const result = await runChild(
    `
    const { Database } = await import(${JSON.stringify(join(root, 'lib/gallery/database.ts'))});
    let theirs = null;
    try {
      const { DatabaseSync } = await import('node:sqlite');
      const memory = new DatabaseSync(':memory:');
      memory.exec('CREATE TABLE x (y)');
      theirs = memory.prepare('SELECT sqlite_version() AS version').get().version;
    } catch (error) {
      if (error.code !== 'ERR_UNKNOWN_BUILTIN_MODULE') throw error;
    }
    const database = await Database.open({ path: ${JSON.stringify(path)}, migrations: ${JSON.stringify(migrations)} });
    await database.write([{ sql: 'INSERT INTO t (v) VALUES (sqlite_version())' }]);
    const ours = (await database.read('SELECT v FROM t')).rows[0][0];
    await database.close();
    console.log(JSON.stringify({ ours, theirs }));
  `,
  );
  const { ours, theirs } = lastJson(result) as { ours: string; theirs: string | null };
  expect(ours).toBe(loadAddon().sqliteVersion);
  if (Number(process.versions.node.split('.')[0]) >= 22) expect(theirs).toMatch(/^3\./);
});
