import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { LineamentError, wrapError } from '../errors.js';
import { loadAddon, type NativeFileLock } from '../native/index.js';
import { DATABASE_FILE, LOCK_FILE } from './schema.js';

/**
 * A gallery is open in one process at a time, for reading too: the index lives in that process, and another one would answer from an
 * index of yesterday. The lock is the system's, on a file of its own; it goes with the process, however that ends, so that there is
 * never a stale one to clear. What the file says is for people.
 */
export async function lockFolder(folder: string): Promise<NativeFileLock> {
  const path = join(folder, LOCK_FILE);
  let lock: NativeFileLock;
  try {
    lock = loadAddon().lockFile(path);
  } catch (error) {
    const { code } = wrapError(error);
    if (code !== 'STORE_BUSY') throw wrapError(error);
    throw new LineamentError('STORE_BUSY', `the gallery in ${folder} is open in ${await holderOf(path)}`, {
      cause: error,
      fix: 'Close it there first, or let that process answer for this one.',
    });
  }
  try {
    await writeFile(path, JSON.stringify({ pid: process.pid, host: hostname() }));
  } catch (cause) {
    lock.release();
    throw new LineamentError('STORE_FAILED', `${path} cannot be written`, { cause });
  }
  return lock;
}

async function holderOf(path: string): Promise<string> {
  try {
    const { pid, host } = JSON.parse(await readFile(path, 'utf8')) as { pid: number; host: string };
    return pid === process.pid && host === hostname() ? 'this process' : `process ${pid} on ${host}`;
  } catch {
    return 'another process';
  }
}

/** Makes the folder where it may be made. Rejects with `STORE_NOT_FOUND`, `STORE_FAILED`. */
export async function prepareFolder(folder: string, create: boolean): Promise<void> {
  const found = await stat(folder).catch(() => undefined);
  if (found !== undefined && !found.isDirectory())
    throw new LineamentError('STORE_FAILED', `${folder} is not a folder`);
  const database = await stat(join(folder, DATABASE_FILE)).catch(() => undefined);
  if (database === undefined && !create) {
    throw new LineamentError('STORE_NOT_FOUND', `there is no gallery in ${folder}`, {
      fix: 'Enrol somebody first, or name the right folder.',
    });
  }
  if (found !== undefined) return;
  // For its owner alone: what lies in it are biometrics.
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
    const code = cause.code === 'EACCES' ? 'ACCESS_DENIED' : cause.code === 'ENOSPC' ? 'STORE_FULL' : 'STORE_FAILED';
    throw new LineamentError(code, `${folder} cannot be made`, { cause });
  });
}
