import { LineamentError, throwIfAborted } from '../errors.js';
import type { SqlValue } from '../native/index.js';
import type { Store } from './store.js';
import type { CallOptions, GalleryProgress } from './types.js';

export interface RotateOptions extends CallOptions {
  readonly onProgress?: (progress: GalleryProgress) => void;
}

/** Where sealed bytes lie: table, column, and what a row is found by. */
const SEALED = [
  ['templates', 'data', 'sample'],
  ['thumbnails', 'data', 'sample'],
  ['feedback', 'probe', 'operation'],
  ['cache', 'data', 'rowid'],
  ['state', 'key_check', 'one'],
  ['state', 'secret', 'one'],
  ['state', 'signing_key', 'one'],
] as const;
const PAGE = 256;

/**
 * Brings everything under the keyring's active key. Searching and enrolling go on meanwhile: only the wrapped data keys are
 * renewed, row by row, and a row that changed meanwhile is taken again. Gives how many rows were renewed.
 */
export async function rotateKeys(store: Store, options: RotateOptions): Promise<number> {
  const { cipher } = store.sealer;
  if (cipher === undefined)
    throw new LineamentError('INVALID_ARGUMENT', 'this gallery is not sealed: there is no key to rotate');
  let renewed = 0;
  for (const [table, column, key] of SEALED) {
    for (let last = -1; ; ) {
      throwIfAborted(options.signal);
      const rows = await store.rows(
        `SELECT ${key}, ${column} FROM ${table} WHERE ${key} > ? AND ${column} IS NOT NULL ORDER BY ${key} LIMIT ${PAGE}`,
        [last],
      );
      if (rows.length === 0) break;
      last = Number(rows.at(-1)?.[0]);
      const changed: SqlValue[][] = [];
      for (const [row, sealed] of rows) {
        const old = sealed as Uint8Array;
        const fresh = await cipher.rewrap(old);
        if (Buffer.compare(fresh, old) !== 0) changed.push([fresh, row ?? null, old]);
      }
      if (changed.length > 0) {
        // Only what is still as it was read: what was written meanwhile is under the active key already.
        const sql = `UPDATE ${table} SET ${column} = ? WHERE ${key} = ? AND ${column} = ?`;
        const [result] = await store.db.write([{ sql, rows: changed }]);
        renewed += result?.changes ?? 0;
      }
      options.onProgress?.({ stage: 'rotate', done: renewed });
    }
  }
  return renewed;
}
