import { setTimeout as delay } from 'node:timers/promises';
import { abortError, throwIfAborted, wrapError } from '../../errors.js';
import { loadAddon, type NativeFileLock } from '../../native/index.js';

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

/**
 * The system's lock on a file, waited for: somebody else, in this process or another, may hold it. It goes with its process, however
 * that ends. `waiting` is called at every look in vain. Rejects with `ABORTED`, `STORE_FAILED`, `ADDON_NOT_FOUND`.
 */
export async function waitForLock(
  path: string,
  signal?: AbortSignal,
  waiting?: () => Promise<void>,
): Promise<NativeFileLock> {
  for (;;) {
    throwIfAborted(signal);
    const lock = tryLock(path);
    if (lock !== undefined) return lock;
    await waiting?.();
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => {
      throw abortError(signal);
    });
  }
}
