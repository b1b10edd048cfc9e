/** Files of clips: looked at before they are deleted, and never touched outside of their folder. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, opendir, realpath, unlink } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import { throwIfAborted } from '../../errors.js';
import type { SqlValue } from '../../native/index.js';
import { sidecarOf } from '../clips/finish.js';
import { uuidText } from './ids.js';
import type { LogStore } from './store.js';

/** A file that is not deleted, and why; or one that was not there. */
export interface FileProblem {
  readonly path: string;
  /** Id of the clip's event; absent for files that no clip names. */
  readonly event?: string;
  /**
   * `missing`: it is not there. `outside`: it does not lie in the folder of clips, or a link leads out of it. `changed`: its SHA-256 is not the
   * one that was written. `unknown`: it lies in the folder as old as what goes, and no clip names it. `failed`: the system refused.
   */
  readonly problem: 'missing' | 'outside' | 'changed' | 'unknown' | 'failed';
  readonly message?: string;
}

export interface ClipDeletion {
  /** Videos that are gone, and the bytes of them and of what lay beside them. */
  readonly deleted: number;
  readonly bytes: number;
  /** Videos that were gone already. */
  readonly missing: number;
  readonly problems: readonly FileProblem[];
}

/** Most problems that are listed. */
const MOST_LISTED = 1000;
const BATCH = 32;

/** A file, and the clips that are in it: events that follow each other share one. */
interface Clip {
  readonly keys: number[];
  readonly event: string;
  readonly path: string | undefined;
  /** What lies beside it: thumbnail, facts. */
  readonly beside: Set<string>;
  readonly sha256: string | undefined;
}

const text = (value: SqlValue | undefined): string | undefined => (typeof value === 'string' ? value : undefined);

/** The files of these clips, with all clips that share them. */
async function filesOf(store: LogStore, keys: readonly number[]): Promise<readonly Clip[]> {
  const rows = await store.rows(
    `SELECT key, event, path, thumbnail, sha256 FROM clips WHERE state IN ('kept', 'going') AND (key IN (SELECT value FROM json_each(?1))
     OR path IN (SELECT path FROM clips WHERE key IN (SELECT value FROM json_each(?1)))) ORDER BY ends, key`,
    [JSON.stringify(keys)],
  );
  const files = new Map<string, Clip>();
  for (const [key, event, path, thumbnail, sha256] of rows) {
    const name = text(path);
    const id = name ?? `${String(key)}`;
    const known = files.get(id) ?? {
      keys: [],
      event: uuidText(event as Uint8Array),
      path: name,
      beside: new Set(name === undefined ? [] : [sidecarOf(name)]),
      sha256: text(sha256),
    };
    known.keys.push(Number(key));
    if (typeof thumbnail === 'string') known.beside.add(thumbnail);
    if (name !== undefined && known.beside.has(name)) known.beside.delete(name);
    files.set(id, known);
  }
  return [...files.values()];
}

/**
 * Deletes the files of clips and says so in the log: a clip is marked before its files go, so that a deletion that is interrupted is finished by the
 * next one. What cannot be deleted is kept as it is and reported.
 */
export async function deleteClips(
  store: LogStore,
  keys: readonly number[],
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onProgress?: (done: number, total: number) => void;
  } = {},
): Promise<ClipDeletion> {
  const sum = { deleted: 0, bytes: 0, missing: 0, problems: [] as FileProblem[] };
  const root = await realpath(store.clips).catch(() => undefined);
  const clips = await filesOf(store, keys);
  for (let at = 0; at < clips.length; at += BATCH) {
    throwIfAborted(options.signal);
    const judged = [];
    for (const clip of clips.slice(at, at + BATCH)) {
      const problem = await judge(root, store.clips, clip);
      if (problem !== undefined && problem.problem !== 'missing') sum.problems.push(problem);
      else judged.push({ clip, missing: problem !== undefined });
    }
    const all = judged.flatMap(({ clip }) => clip.keys);
    await mark(store, all, 'going');
    const gone: number[] = [];
    const missing: number[] = [];
    for (const { clip, missing: before } of judged) {
      const removed = await remove(root, store.clips, clip);
      if (typeof removed !== 'number') {
        sum.problems.push(removed);
        continue;
      }
      if (before) sum.problems.push({ path: clip.path ?? '', event: clip.event, problem: 'missing' });
      (before ? missing : gone).push(...clip.keys);
      sum[before ? 'missing' : 'deleted']++;
      sum.bytes += removed;
    }
    await mark(store, gone, 'deleted');
    await mark(store, missing, 'missing');
    options.onProgress?.(Math.min(at + BATCH, clips.length), clips.length);
  }
  return { ...sum, problems: sum.problems.slice(0, MOST_LISTED) };
}

/**
 * Deletes the clips that were marked for it: by an erasure before they came (of these events), or by a deletion that was interrupted (all, where no
 * events are named).
 */
export async function deleteGoing(store: LogStore, events?: readonly SqlValue[]): Promise<void> {
  const some = events === undefined ? '' : ` AND event IN (${events.map(() => '?').join(', ')})`;
  const going = await store.rows(`SELECT key FROM clips WHERE state = 'going'${some}`, events);
  if (going.length === 0) return;
  await deleteClips(
    store,
    going.map(([key]) => Number(key)),
  );
}

async function mark(store: LogStore, keys: readonly number[], state: 'going' | 'deleted' | 'missing'): Promise<void> {
  if (keys.length === 0) return;
  const clear = state === 'going' ? '' : ', path = NULL, thumbnail = NULL, sha256 = NULL, deleted_at = ?2';
  await store.db.write([
    {
      sql: `UPDATE clips SET state = '${state}'${clear} WHERE key IN (SELECT value FROM json_each(?1))`,
      params: state === 'going' ? [JSON.stringify(keys)] : [JSON.stringify(keys), store.now()],
    },
  ]);
}

/** What stands against deleting the clip's file. */
async function judge(root: string | undefined, folder: string, clip: Clip): Promise<FileProblem | undefined> {
  const { path, event, sha256 } = clip;
  if (path === undefined) return undefined;
  const problem = (kind: FileProblem['problem'], message?: string): FileProblem => ({
    path,
    event,
    problem: kind,
    ...(message !== undefined && { message }),
  });
  try {
    const full = await within(root, folder, path);
    if (full === undefined) return problem('outside');
    const found = await lstat(full);
    if (!found.isFile()) return problem('outside', 'it is no regular file');
    if (sha256 !== undefined && (await hashFile(full)) !== sha256) return problem('changed');
    return undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return problem('missing');
    return problem('failed', (error as Error).message);
  }
}

/** Deletes what lies there and gives its bytes. */
async function remove(root: string | undefined, folder: string, clip: Clip): Promise<number | FileProblem> {
  let bytes = 0;
  for (const path of [...clip.beside, clip.path]) {
    if (path === undefined) continue;
    try {
      const full = await within(root, folder, path);
      if (full === undefined) continue;
      const found = await lstat(full);
      if (!found.isFile()) continue;
      await unlink(full);
      bytes += found.size;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') continue;
      return { path, event: clip.event, problem: 'failed', message: (error as Error).message };
    }
  }
  return bytes;
}

/**
 * The file's path where it truly lies in the folder, links of folders followed; the last part is not followed. Absent where it lies elsewhere.
 * Throws `ENOENT` where its folder is not there.
 */
async function within(root: string | undefined, folder: string, path: string): Promise<string | undefined> {
  if (isAbsolute(path) || path.split(/[\\/]/).includes('..') || path.includes('\0')) return undefined;
  if (root === undefined) throw Object.assign(new Error(`there is no folder ${folder}`), { code: 'ENOENT' });
  const full = join(root, path);
  const parent = await realpath(dirname(full));
  return parent === root || parent.startsWith(root + sep) ? join(parent, full.slice(dirname(full).length)) : undefined;
}

async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Uint8Array);
  return hash.digest('hex');
}

/** Files in the folder, last changed before `before`, that no clip names. Links are not followed. */
export async function unknownFiles(
  store: LogStore,
  before: number,
  signal?: AbortSignal,
): Promise<readonly FileProblem[]> {
  const found: FileProblem[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await opendir(folder).catch(() => undefined);
    if (entries === undefined) return;
    const old: string[] = [];
    for await (const entry of entries) {
      throwIfAborted(signal);
      const full = join(folder, entry.name);
      if (entry.isDirectory()) await walk(full);
      else if (((await lstat(full).catch(() => undefined))?.mtimeMs ?? before) < before) {
        old.push(relative(store.clips, full).split(sep).join('/'));
      }
    }
    for (let at = 0; at < old.length; at += 1000) {
      const some = JSON.stringify(old.slice(at, at + 1000));
      const rows = await store.rows(
        `SELECT value FROM json_each(?) WHERE value NOT IN (SELECT path FROM clips WHERE path IS NOT NULL)
         AND value NOT IN (SELECT thumbnail FROM clips WHERE thumbnail IS NOT NULL)`,
        [some],
      );
      for (const [path] of rows) {
        if (found.length < MOST_LISTED && !(await besideClip(store, String(path))))
          found.push({ path: String(path), problem: 'unknown' });
      }
    }
  };
  await walk(store.clips);
  return found;
}

/** Whether it is the facts of a clip that is there. */
async function besideClip(store: LogStore, path: string): Promise<boolean> {
  if (!path.endsWith('.json')) return false;
  return (await store.count('SELECT count(*) FROM clips WHERE path = ?', [path.replace(/json$/, 'mp4')])) > 0;
}
