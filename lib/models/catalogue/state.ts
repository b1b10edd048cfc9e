/** What is remembered beside the models: accepted licences, and the hashes of files that nobody published one of. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LineamentError } from '../../errors.js';
import { type Digest, makeFolder, storageError, writeWhole } from './files.js';
import { waitForLock } from './lock.js';

/** A file as it was when it was first seen. */
export interface Trusted extends Digest {
  /** When, as ISO 8601. */
  readonly since: string;
  /** Where it came from: an address without credentials, or a folder. */
  readonly from: string;
}

export interface Remembered {
  readonly licences: Readonly<Record<string, { readonly since: string }>>;
  readonly trusted: Readonly<Record<string, Trusted>>;
}

export const STATE_FILE = 'state.json';
const VERSION = 1;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isTrusted = (value: unknown): boolean =>
  isRecord(value) && /^[0-9a-f]{64}$/.test(String(value['sha256'])) && Number.isSafeInteger(value['bytes']);

/** What is remembered in a folder. Rejects with `STORE_CORRUPT`, `STORE_VERSION`, `STORE_FAILED`. */
export async function readState(folder: string): Promise<Remembered> {
  const path = join(folder, STATE_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return { licences: {}, trusted: {} };
    throw storageError(cause, path, 'cannot be read');
  }
  let state: unknown;
  try {
    state = JSON.parse(text);
  } catch {
    state = undefined;
  }
  if (isRecord(state) && Number(state['version']) > VERSION) {
    throw new LineamentError('STORE_VERSION', `${path} was written by a newer release`);
  }
  const sound =
    isRecord(state) &&
    isRecord(state['licences']) &&
    isRecord(state['trusted']) &&
    Object.values(state['trusted']).every(isTrusted);
  if (!sound) {
    throw new LineamentError('STORE_CORRUPT', `${path} cannot be read`, {
      fix: 'Delete it: licences must then be accepted again, and files without a published hash are trusted anew.',
    });
  }
  return state as unknown as Remembered;
}

/** Changes what is remembered, and gives what is remembered then; processes that do so at once take turns. */
export async function changeState(folder: string, change: (state: Remembered) => Remembered): Promise<Remembered> {
  await makeFolder(folder);
  const lock = await waitForLock(join(folder, 'state.lock'));
  try {
    const before = await readState(folder);
    const changed = change(before);
    if (changed !== before) {
      await writeWhole(join(folder, STATE_FILE), `${JSON.stringify({ version: VERSION, ...changed }, null, 2)}\n`);
    }
    return changed;
  } finally {
    lock.release();
  }
}
