import { plainObject } from '../errors/validate.js';
import { throwIfAborted, wrapError } from '../errors.js';
import type { Space } from './spaces.js';
import { flag, type Store } from './store.js';
import type { CallOptions, DamagedSample, GalleryProgress } from './types.js';

export interface CheckOptions extends CallOptions {
  /** Put right what can be: indexes are made anew, rows without their counterpart removed, a clock that had run ahead set right. Default false. */
  readonly repair?: boolean;
  readonly onProgress?: (progress: GalleryProgress) => void;
}

export interface CheckReport {
  /** Nothing is wrong (any more). */
  readonly ok: boolean;
  /** What was found, in words. */
  readonly problems: readonly string[];
  /** What was put right. */
  readonly repaired: readonly string[];
  /** Samples whose template cannot be read; they are not matched. Delete them, or bring the key or a backup. */
  readonly damaged: readonly DamagedSample[];
  readonly samples: number;
}

const A_DAY = 86_400_000;
/** Samples compared at a time. */
const PAGE = 64;
/** Least cosine of a vector with its own entry in the index: coded vectors are a little off. */
const OWN = { exact: 0.9999, half: 0.9999, int8: 0.98 } as const;

/** Reads everything and compares database and index. Call alone. */
export async function checkGallery(store: Store, options: CheckOptions): Promise<CheckReport> {
  plainObject('options', options, ['repair', 'onProgress', 'signal']);
  const { signal } = options;
  const repair = flag('repair', options.repair, false);
  const problems = [...(await store.db.check(signal === undefined ? {} : { signal }))];
  const repaired: string[] = [];
  const damaged: DamagedSample[] = [];
  const total = await store.count('SELECT count(*) FROM samples');
  let done = 0;
  for (const space of store.spaces.all) {
    const wrong = await compareIndex(store, space, damaged, signal, (count) => {
      done += count;
      options.onProgress?.({ stage: 'check', done, total });
    });
    if (wrong === undefined) continue;
    problems.push(`the index of '${space.model}': ${wrong}`);
    if (!repair) continue;
    await store.spaces.rebuild(space, { signal });
    const still = await compareIndex(store, space, [], signal, () => undefined);
    if (still === undefined) repaired.push(`the index of '${space.model}' was made anew`);
    else problems.push(`the index of '${space.model}', made anew: ${still}`);
  }
  for (const table of ['templates', 'thumbnails']) {
    const where = 'sample NOT IN (SELECT key FROM samples)';
    const lost = await store.count(`SELECT count(*) FROM ${table} WHERE ${where}`);
    if (lost === 0) continue;
    problems.push(`${lost} ${table} belong to no sample`);
    if (!repair) continue;
    await store.write([{ sql: `DELETE FROM ${table} WHERE ${where}` }]);
    repaired.push(`${lost} ${table} without a sample were removed`);
  }
  const ahead = store.clockAhead();
  if (ahead > A_DAY) {
    problems.push(
      `the clock was once ${Math.floor(ahead / A_DAY)} days ahead of now: samples expire that much too early`,
    );
    if (repair) {
      await store.resetClock();
      repaired.push('expiry goes by the clock of now again');
    }
  }
  for (const { sample, person, message } of damaged) problems.push(`sample ${sample} of '${person}': ${message}`);
  return { ok: problems.length === repaired.length, problems, repaired, damaged, samples: total };
}

/** What is wrong between an index and the database; absent where nothing is. Templates that cannot be read go to `damaged`. */
async function compareIndex(
  store: Store,
  space: Space,
  damaged: DamagedSample[],
  signal: AbortSignal | undefined,
  onDone: (count: number) => void,
): Promise<string | undefined> {
  let expected = 0;
  let wrong: string | undefined;
  for (let last = 0; ; ) {
    throwIfAborted(signal);
    const rows = await store.rows(
      `SELECT s.key, s.id, s.person, s.collection, s.print, t.data, p.id FROM samples s
       LEFT JOIN templates t ON t.sample = s.key JOIN persons p ON p.key = s.person
       WHERE s.space = ? AND s.key > ? ORDER BY s.key LIMIT ${PAGE}`,
      [space.key, last],
    );
    if (rows.length === 0) break;
    last = Number(rows.at(-1)?.[0]);
    const keys: number[] = [];
    const groups = new Map<number, number>();
    const vectors = new Float32Array(rows.length * space.dims);
    for (const [rowKey, id, person, collection, print, data, personId] of rows) {
      const key = Number(rowKey);
      try {
        const place = { kind: 'template', row: key, person: Number(person), collection: Number(collection) } as const;
        const { vector } = await store.sealer.openTemplate(data, place, `sample ${id}`);
        if (Buffer.compare(store.sealer.print(vector), print as Uint8Array) !== 0) {
          throw Object.assign(new Error(`sample ${id}: the template is not the one that was enrolled`), {
            code: 'STORE_CORRUPT',
          });
        }
        vectors.set(vector, keys.length * space.dims);
        keys.push(key);
        groups.set(key, Number(collection));
      } catch (error) {
        const { code, message } = wrapError(error);
        if (!['STORE_CORRUPT', 'KEY_MISMATCH', 'KEY_NOT_FOUND'].includes(code)) throw error;
        damaged.push({ sample: String(id), person: String(personId), code, message });
      }
    }
    expected += keys.length;
    wrong ??= await compareVectors(space, keys, groups, vectors.subarray(0, keys.length * space.dims));
    onDone(rows.length);
  }
  return wrong ?? (space.index.size === expected ? undefined : `${space.index.size} vectors for ${expected} samples`);
}

async function compareVectors(
  space: Space,
  keys: readonly number[],
  groups: ReadonlyMap<number, number>,
  vectors: Float32Array,
): Promise<string | undefined> {
  if (keys.length === 0) return undefined;
  const there = await space.index.lookup(keys);
  for (const [key, group] of groups) {
    if (there.get(key) !== group) return `sample key ${key} is ${there.has(key) ? 'in another collection' : 'missing'}`;
  }
  const hits = await space.index.search(vectors, { k: keys.length, only: keys });
  for (const [i, key] of keys.entries()) {
    const own = hits[i]?.find((hit) => hit.key === key);
    if (own === undefined || own.similarity < OWN[space.index.precision])
      return `the vector of key ${key} is another one`;
  }
  return undefined;
}
