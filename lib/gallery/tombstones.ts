import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LineamentError } from '../errors.js';
import { ERASED_FILE } from './schema.js';
import type { Store } from './store.js';

/**
 * The list of deletions beside the database: one line of JSON each, hashes of random names. A backup that is restored does not know
 * of later deletions; this list does.
 */
interface Line {
  readonly gallery: string;
  readonly number: number;
  readonly digests: readonly string[];
}

const hashOf = (name: string): string => createHash('sha256').update(name).digest('base64url').slice(0, 22);

/** Sets a deletion down before it is done, on the disk. Gives its number. */
export async function appendTombstone(store: Store, names: readonly string[]): Promise<number> {
  const number = store.state.tombstones + 1;
  const line: Line = { gallery: store.state.gallery, number, digests: names.map(hashOf) };
  // Begins with a new line: one that was cut short by a crash stays alone.
  const file = await open(join(store.folder, ERASED_FILE), 'a', 0o600).catch((cause: unknown) => {
    throw new LineamentError('STORE_FAILED', `${ERASED_FILE} cannot be written`, { cause });
  });
  try {
    await file.write(`\n${JSON.stringify(line)}`);
    await file.sync();
  } catch (cause) {
    const full = (cause as NodeJS.ErrnoException).code === 'ENOSPC';
    throw new LineamentError(full ? 'STORE_FULL' : 'STORE_FAILED', `${ERASED_FILE} cannot be written`, { cause });
  } finally {
    await file.close();
  }
  return number;
}

export interface Unapplied {
  readonly samples: readonly number[];
  readonly persons: readonly number[];
  /** The last deletion of the list. */
  readonly number: number;
}

/** What the list says is deleted and this database still has; absent where it knows the whole list. */
export async function unapplied(store: Store): Promise<Unapplied | undefined> {
  const text = await readFile(join(store.folder, ERASED_FILE), 'utf8').catch(() => '');
  const lines = text.split('\n').flatMap((line): Line[] => {
    try {
      const one = JSON.parse(line) as Line;
      return one.gallery === store.state.gallery && one.number > store.state.tombstones ? [one] : [];
    } catch {
      return [];
    }
  });
  if (lines.length === 0) return undefined;
  const gone = new Set(lines.flatMap(({ digests }) => digests));
  const samples: number[] = [];
  const persons: number[] = [];
  for (const [sql, found] of [
    ['SELECT key, id FROM samples', samples],
    ['SELECT key, uid FROM persons', persons],
  ] as const) {
    for await (const page of store.db.pages(sql)) {
      for (const [key, name] of page) if (gone.has(hashOf(String(name)))) found.push(Number(key));
    }
  }
  return { samples, persons, number: Math.max(...lines.map(({ number }) => number)) };
}
