import { copyFile, rename, rm, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { invalid, nonEmptyString, plainObject } from '../errors/validate.js';
import { LineamentError, throwIfAborted } from '../errors.js';
import { Database } from './database.js';
import { lockFolder, prepareFolder } from './lock.js';
import { APPLICATION_ID, DATABASE_FILE, MIGRATIONS } from './schema.js';
import type { Store } from './store.js';

export interface BackupInfo {
  readonly name: string;
  readonly path: string;
  /** ms since the epoch, UTC. */
  readonly createdAt: number;
  readonly revision: number;
  /** When it was said to be destroyed; absent while it is not. */
  readonly destroyedAt?: number;
}

/** A consistent copy of the database while the gallery is in use; set down before it is made, so that receipts name it. Call inside the gate. */
export async function makeBackup(store: Store, path: string, signal?: AbortSignal): Promise<BackupInfo> {
  const target = resolve(nonEmptyString('path', path));
  if (target === store.db.path) throw invalid('path', 'path of another file than the database itself', path);
  throwIfAborted(signal);
  const { revision } = store.state;
  const createdAt = store.now();
  const [made] = await store.db.write([
    { sql: 'INSERT INTO backups (path, created_at, revision) VALUES (?, ?, ?)', params: [target, createdAt, revision] },
  ]);
  try {
    await store.db.backup(target, signal === undefined ? {} : { signal });
  } catch (error) {
    await store.db.write([{ sql: 'DELETE FROM backups WHERE key = ?', params: [made?.lastId ?? 0] }]);
    throw error;
  }
  return { name: basename(target), path: target, createdAt, revision };
}

export async function listBackups(store: Store): Promise<readonly BackupInfo[]> {
  const rows = await store.rows('SELECT path, created_at, revision, destroyed_at FROM backups ORDER BY key');
  return rows.map(([path, createdAt, revision, destroyedAt]) => ({
    name: basename(String(path)),
    path: String(path),
    createdAt: Number(createdAt),
    revision: Number(revision),
    ...(destroyedAt === null ? {} : { destroyedAt: Number(destroyedAt) }),
  }));
}

/** Sets down that a backup (all copies of it) is destroyed: receipts do not name it any more. */
export async function backupDestroyed(store: Store, path: string): Promise<void> {
  const target = resolve(nonEmptyString('path', path));
  const [result] = await store.write([
    {
      sql: 'UPDATE backups SET destroyed_at = ? WHERE path = ? AND destroyed_at IS NULL',
      params: [store.now(), target],
    },
  ]);
  if (result?.changes === 0) throw new LineamentError('NOT_FOUND', `no backup at ${target} is known`);
}

export interface RestoreOptions {
  readonly folder: string;
  /** What `backup` made. */
  readonly from: string;
}

/**
 * Puts a backup in the place of a gallery that is not open. It is checked first, and nothing is replaced unless it is whole. What was
 * deleted since the backup was made is deleted again at the next opening (the list of deletions in the folder stays). Rejects with
 * `STORE_NOT_FOUND`, `STORE_CORRUPT`, `STORE_VERSION`, `STORE_BUSY`, `INVALID_ARGUMENT` (the backup is of another gallery).
 */
export async function restoreGallery(options: RestoreOptions): Promise<void> {
  plainObject('options', options, ['folder', 'from']);
  const folder = resolve(nonEmptyString('folder', options.folder));
  const from = resolve(nonEmptyString('from', options.from));
  if ((await stat(from).catch(() => undefined)) === undefined) {
    throw new LineamentError('STORE_NOT_FOUND', `there is no file ${from}`);
  }
  await prepareFolder(folder, true);
  const lock = await lockFolder(folder);
  const target = join(folder, DATABASE_FILE);
  const draft = `${target}.restoring`;
  try {
    await copyFile(from, draft);
    const gallery = await vet(draft);
    const present = await galleryIn(target);
    if (present !== undefined && present !== gallery) {
      throw new LineamentError('INVALID_ARGUMENT', `${from} is a backup of another gallery than the one in ${folder}`, {
        fix: 'Restore it into a folder of its own.',
      });
    }
    await rm(`${target}-wal`, { force: true });
    await rm(`${target}-shm`, { force: true });
    await rename(draft, target);
  } finally {
    for (const file of [draft, `${draft}-wal`, `${draft}-shm`]) await rm(file, { force: true });
    lock.release();
  }
}

/** Checks a copy of a backup, and makes it forget the snapshots of its time. Gives the id of its gallery. */
async function vet(path: string): Promise<string> {
  await using db = await Database.open({ path, create: false, applicationId: APPLICATION_ID, migrations: MIGRATIONS });
  const problems = await db.check();
  if (problems.length > 0) throw new LineamentError('STORE_CORRUPT', `the backup is damaged: ${problems[0]}`);
  await db.write([{ sql: 'DELETE FROM snapshots' }, { sql: 'DELETE FROM changes' }]);
  const { rows } = await db.read('SELECT gallery FROM state');
  return String(rows[0]?.[0]);
}

/** The gallery that lies there; absent where none does, or it is too damaged to say. */
async function galleryIn(path: string): Promise<string | undefined> {
  try {
    await using db = await Database.open({
      path,
      create: false,
      applicationId: APPLICATION_ID,
      migrations: MIGRATIONS,
    });
    const { rows } = await db.read('SELECT gallery FROM state');
    return rows[0] === undefined ? undefined : String(rows[0][0]);
  } catch {
    return undefined;
  }
}
