import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { abortError, throwIfAborted, wrapError } from '../../errors.js';
import { loadAddon, type NativeFileLock } from '../../native/index.js';
import { storageError } from './files.js';

const POLL_MS = 100;

/** The lock, where nobody holds it now. Throws `STORE_FAILED`, `ADDON_NOT_FOUND`. */
export function tryLock(path: string): NativeFileLock | undefined {
  try {
    return loadAddon().lockFile(path);
  } catch (error) {
    const wrapped = wrapError(error);
    if (wrapped.code !== 'STORE_BUSY') throw wrapped;
    return undefined;
  }
}

/** The lock as `tryLock`. Where its file cannot be opened, the system says why: no right, no room. */
async function takeLock(path: string): Promise<NativeFileLock | undefined> {
  try {
    return tryLock(path);
  } catch (error) {
    if (wrapError(error).code !== 'STORE_FAILED') throw error;
    const file = await open(path, 'a').catch((cause: unknown) => {
      throw storageError(cause, path, 'cannot be locked');
    });
    await file.close();
    throw error;
  }
}

/**
 * The system's lock on a file, waited for: somebody else, in this process or another, may hold it. It goes with its process, however
 * that ends. `waiting` is called at every look in vain. Rejects with `ABORTED`, `ACCESS_DENIED`, `STORE_FULL`, `STORE_FAILED`,
 * `ADDON_NOT_FOUND`.
 */
export async function waitForLock(
  path: string,
  signal?: AbortSignal,
  waiting?: () => Promise<void>,
): Promise<NativeFileLock> {
  for (;;) {
    throwIfAborted(signal);
    const lock = await takeLock(path);
    if (lock !== undefined) return lock;
    await waiting?.();
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw abortError(signal);
    });
  }
}
