import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { abortError, type ErrorCode, LineamentError } from '../../errors.js';

/** What a file is known by. */
export interface Digest {
  /** Lower-case hexadecimal. */
  readonly sha256: string;
  readonly bytes: number;
}

/** What the system said of a file, in our terms. */
export function storageError(cause: unknown, path: string, what = 'cannot be written'): LineamentError {
  if (cause instanceof LineamentError) return cause;
  const system = (cause as NodeJS.ErrnoException).code ?? '';
  let code: ErrorCode = 'STORE_FAILED';
  if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(system)) code = 'STORE_FULL';
  else if (['EACCES', 'EPERM', 'EROFS'].includes(system)) code = 'ACCESS_DENIED';
  const fix = {
    STORE_FULL: 'Free space on that disk, or name another folder (LINEAMENT_MODEL_CACHE).',
    ACCESS_DENIED: 'Let the process write there, or name another folder (LINEAMENT_MODEL_CACHE).',
  }[code as string];
  return new LineamentError(code, `${path} ${what}`, { cause, ...(fix === undefined ? {} : { fix }) });
}

export async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw storageError(cause, folder, 'cannot be made');
  });
}

/** SHA-256 and length of a file. Rejects with `ABORTED`, `STORE_FAILED`, `ACCESS_DENIED`. */
export async function digestFile(path: string, signal?: AbortSignal): Promise<Digest> {
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
      if (signal?.aborted === true) throw abortError(signal);
      hash.update(chunk as Buffer);
      bytes += (chunk as Buffer).length;
    }
  } catch (cause) {
    throw storageError(cause, path, 'cannot be read');
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** Makes what was renamed into a folder last. Some systems cannot, and need not. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync();
  } catch {
    // Folders cannot be flushed here.
  } finally {
    await handle.close();
  }
}

/** Gives a finished and flushed file its name. */
export async function settle(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (cause) {
    throw storageError(cause, to);
  }
  await syncFolder(dirname(to));
}

/** Writes a small file down to the disk, whole or not at all. The caller holds the lock: its temporary file has a fixed name. */
export async function writeWhole(path: string, text: string): Promise<void> {
  const made = `${path}.new`;
  try {
    const file = await open(made, 'w', 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(made, path);
  } catch (cause) {
    await rm(made, { force: true }).catch(() => undefined);
    throw storageError(cause, path);
  }
  await syncFolder(dirname(path));
}
