import { randomBytes } from 'node:crypto';
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LineamentError } from '../errors.js';
import { KEY_BYTES } from './key-wrap.js';
import { checkKeyId, formatKeyring, type KeyText, parseKeyring } from './keyring-text.js';

const MAX_BYTES = 1 << 20;
const WINDOWS = process.platform === 'win32';

/**
 * Reads a keyring file that only its owner may read: on systems with POSIX modes anything else is refused with `ACCESS_DENIED`, as a key
 * that others can read protects nothing.
 */
export async function readKeyringFile(path: string): Promise<KeyText> {
  let file: FileHandle;
  try {
    file = await open(path, 'r');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === 'EACCES' || code === 'EPERM') {
      throw new LineamentError('ACCESS_DENIED', `${path} cannot be read by this user`, { cause });
    }
    throw new LineamentError('KEY_NOT_FOUND', `no keyring at ${path}`, {
      cause,
      fix: 'Make one with createKeyringFile.',
    });
  }
  try {
    // Asked of what was opened, not of the name, which may have come to mean another file.
    const { mode, uid, size } = await file.stat().then((s) => {
      if (!s.isFile()) throw new LineamentError('KEY_NOT_FOUND', `${path} is not a file`);
      return s;
    });
    if (size > MAX_BYTES) throw new LineamentError('KEY_NOT_FOUND', `${path} is too large for a keyring`);
    if (!WINDOWS) {
      const own = process.getuid?.();
      if ((mode & 0o077) !== 0) {
        throw new LineamentError('ACCESS_DENIED', `${path} is open to others (mode ${(mode & 0o777).toString(8)})`, {
          fix: `Run: chmod 600 ${path}`,
        });
      }
      if (own !== undefined && uid !== own && uid !== 0) {
        throw new LineamentError('ACCESS_DENIED', `${path} belongs to another user (${uid})`, {
          fix: 'Let the file belong to the user that runs this.',
        });
      }
    }
    const bytes = await file.readFile();
    try {
      return parseKeyring(bytes.toString('utf8'), path);
    } finally {
      bytes.fill(0);
    }
  } finally {
    await file.close();
  }
}

/** An id that says when the key was made and is not taken. */
const newId = (): string => `${new Date().toISOString().slice(0, 10)}-${randomBytes(3).toString('hex')}`;

/**
 * Makes a keyring file (mode 600) with one random key and gives the key's id. Throws `DUPLICATE_ID` when the file is there
 * already: it is never overwritten. Keep a copy of it elsewhere: what was sealed is lost with its key.
 */
export async function createKeyringFile(path: string, options: { readonly keyId?: string } = {}): Promise<string> {
  const id = checkKeyId('keyId', options.keyId ?? newId());
  try {
    await write(path, () => Promise.resolve({ active: id, keys: new Map([[id, randomBytes(KEY_BYTES)]]) }));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new LineamentError('DUPLICATE_ID', `there is a file at ${path}`, {
      fix: 'Add a key with rotateKeyringFile.',
    });
  }
  return id;
}

/**
 * Adds a random key, makes it the active one and gives its id. Processes that have the file open meet the new id with the
 * first template sealed with it and read the file anew; what was sealed before stays readable. Then `rewrap` what is stored,
 * and remove the old key.
 */
export async function rotateKeyringFile(path: string, options: { readonly keyId?: string } = {}): Promise<string> {
  const id = checkKeyId('keyId', options.keyId ?? newId());
  await change(path, ({ keys }) => {
    if (keys.has(id)) throw new LineamentError('DUPLICATE_ID', `key '${id}' is in ${path}`);
    return { active: id, keys: new Map([...keys, [id, randomBytes(KEY_BYTES)]]) };
  });
  return id;
}

/**
 * Removes a key for good: what is still sealed with it, and what was protected with it, becomes useless. Throws
 * `KEY_NOT_FOUND`, and `INVALID_ARGUMENT` for the active key.
 */
export async function removeFromKeyringFile(path: string, keyId: string): Promise<void> {
  await change(path, ({ active, keys }) => {
    if (!keys.has(keyId)) throw new LineamentError('KEY_NOT_FOUND', `'${keyId}' is not in ${path}`);
    if (keyId === active) {
      throw new LineamentError('INVALID_ARGUMENT', `key '${keyId}' is the active one`, {
        fix: 'Rotate first, and rewrap what is stored.',
      });
    }
    return { active, keys: new Map([...keys].filter(([id]) => id !== keyId)) };
  });
}

/** Replaces the file as a whole: readers see the old or the new one. The new file is also the lock against a second writer. */
async function change(path: string, edit: (text: KeyText) => KeyText): Promise<void> {
  const next = `${path}.new`;
  try {
    await write(next, async () => edit(await readKeyringFile(path)));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause;
    throw new LineamentError('STORE_BUSY', `${next} is there: somebody else is changing the keyring`, {
      fix: `Try again; if nobody is, remove ${next}.`,
    });
  }
  await rename(next, path);
  await syncFolder(path);
}

/** Writes a file that must not be there yet, down to the disk; `text` is asked for when the name is taken. */
async function write(path: string, text: () => Promise<KeyText>): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    const content = await text();
    const bytes = Buffer.from(formatKeyring(content));
    for (const key of content.keys.values()) key.fill(0);
    await file.writeFile(bytes);
    await file.sync();
    bytes.fill(0);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await syncFolder(path);
}

/** So that the name, too, survives a power cut. */
async function syncFolder(path: string): Promise<void> {
  if (WINDOWS) return;
  const folder = await open(dirname(path), 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
