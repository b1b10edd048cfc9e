/** What a killed process leaves of clips: parts, each with a note of what it is and whose. */
import { access, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { findFfmpeg } from '../../capture/ffmpeg.js';
import { wrapError } from '../../errors.js';
import { runFfmpeg } from './ffmpeg-feed.js';
import { asFile, digestOf, salvage, settle, sidecarOf, thumbnailOf, writeWhole } from './finish.js';

/** What is said of a recording while it is made. */
export interface PartNote {
  readonly pid: number;
  readonly host: string;
  readonly camera: string;
  /** Of the first picture, milliseconds since the Unix epoch. */
  readonly first: number;
  /** When what it shows happens. */
  readonly key: number;
  readonly events: readonly string[];
}

/** A clip that was cut off by the end of the process that recorded it, and finished later. */
export interface RecoveredClip {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly pictures: number;
  /** JPEG; absent where none could be made. */
  readonly thumbnail?: string;
  /** Where its note was lost, too, nothing is known of these. */
  readonly camera?: string;
  readonly events: readonly string[];
  /** First and about the last moment in it, milliseconds since the Unix epoch. */
  readonly from?: number;
  readonly to?: number;
}

export interface ClipRecovery {
  readonly clips: readonly RecoveredClip[];
  /** Parts in which nothing could be played: they are gone. */
  readonly removed: readonly string[];
  /** Those that could not be finished; they are tried again next time. */
  readonly failed: readonly { readonly path: string; readonly code: string; readonly message: string }[];
}

/** Parts that this process is writing, absolute. */
export const writing = new Set<string>();

/** A part that nobody can be asked about counts as left when it was not written for so long, milliseconds. */
const LEFT_MS = 5 * 60_000;

const noteOf = (path: string): string => path.replace(/\.mp4$/i, '.part.json');

/** Says whose a part is, beside it. */
export const writeNote = (path: string, note: Omit<PartNote, 'pid' | 'host'>): Promise<void> =>
  writeWhole(noteOf(path), JSON.stringify({ pid: process.pid, host: hostname(), ...note }));

export const removeNote = (path: string): Promise<void> => rm(noteOf(path), { force: true });

/**
 * Finishes the clips of a folder whose process has ended before them: each is cut back to what can be played, gets its index in front, its
 * digest, thumbnail and facts. What nothing can be played of is removed. Parts that some process is still writing are left alone.
 */
export async function recoverClips(folder: string, side: number, program?: string): Promise<ClipRecovery> {
  const clips: RecoveredClip[] = [];
  const removed: string[] = [];
  const failed: { path: string; code: string; message: string }[] = [];
  const names = (await readdir(folder, { recursive: true }).catch(() => [])).filter((name) =>
    /\.part\.mp4$/i.test(name),
  );
  for (const name of names.sort()) {
    const part = resolve(folder, name);
    const path = part.replace(/\.part\.mp4$/i, '.mp4');
    try {
      const note = await readNote(path);
      if (await isWritten(part, note)) continue;
      const done = await finish(part, path, note, side, program);
      if (done === undefined) removed.push(path);
      else if (done !== 'done') clips.push(done);
      await removeNote(path);
    } catch (error) {
      const { code, message } = wrapError(error);
      failed.push({ path, code, message });
    }
  }
  return { clips, removed, failed };
}

async function readNote(path: string): Promise<PartNote | undefined> {
  try {
    const note = JSON.parse(await readFile(noteOf(path), 'utf8')) as Partial<PartNote>;
    const { pid, host, camera, first, key, events } = note;
    const whole =
      Number.isSafeInteger(pid) &&
      typeof host === 'string' &&
      typeof camera === 'string' &&
      Number.isFinite(first) &&
      Number.isFinite(key) &&
      Array.isArray(events) &&
      events.every((one) => typeof one === 'string');
    return whole ? (note as PartNote) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether a process that lives is writing it, as far as that can be told. */
async function isWritten(part: string, note: PartNote | undefined): Promise<boolean> {
  if (writing.has(part)) return true;
  const recent = Date.now() - (await stat(part)).mtimeMs < LEFT_MS;
  // Of another machine, or before its note: only its age tells.
  if (note === undefined || note.host !== hostname()) return recent;
  return note.pid !== process.pid && isAlive(note.pid) && recent;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** `done`: the clip had its place already, and only the part was left. */
async function finish(
  part: string,
  path: string,
  note: PartNote | undefined,
  side: number,
  program: string | undefined,
): Promise<RecoveredClip | 'done' | undefined> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  await rm(path.replace(/\.mp4$/i, '.made.mp4'), { force: true });
  if (there) {
    await rm(part, { force: true });
    return 'done';
  }
  const { path: ffmpeg } = await findFfmpeg(program);
  // Under its own name: whoever is killed here finds it again.
  const pictures = await salvage(part, part);
  if (pictures === undefined) return undefined;
  const title = note === undefined ? '' : `${note.camera} ${new Date(note.first).toISOString()}`;
  await settle(ffmpeg, part, path, title, note?.first ?? 0);
  const digest = await digestOf(path);
  const seconds = await durationOf(path);
  const thumbnail = thumbnailOf(path);
  const at = note === undefined ? 0 : Math.min(Math.max(0, note.key - note.first) / 1000, Math.max(0, seconds - 0.1));
  const scale = `scale=w='min(iw,${side})':h='min(ih,${side})':force_original_aspect_ratio=decrease`;
  const pictured = await runFfmpeg(ffmpeg, [
    ...['-ss', at.toFixed(3), '-i', asFile(path), '-frames:v', '1', '-vf', scale, '-q:v', '3', asFile(thumbnail)],
  ]).then(
    () => true,
    () => false,
  );
  const clip: RecoveredClip = {
    path,
    ...digest,
    pictures,
    ...(pictured && { thumbnail }),
    events: note?.events ?? [],
    ...(note !== undefined && { camera: note.camera, from: note.first, to: Math.round(note.first + seconds * 1000) }),
  };
  await writeWhole(sidecarOf(path), `${JSON.stringify({ ...clip, recovered: true }, null, 2)}\n`).catch(
    () => undefined,
  );
  return clip;
}

/** Seconds that an MP4 lasts whose index is in front: its `mvhd` says (ISO/IEC 14496-12, 8.2.2). 0 where it does not. */
async function durationOf(path: string): Promise<number> {
  const file = await open(path, 'r');
  const head = Buffer.alloc(1 << 16);
  await file.read(head, 0, head.length, 0).finally(() => file.close());
  const at = head.indexOf('mvhd');
  if (at < 0 || at + 32 > head.length) return 0;
  const long = head[at + 4] === 1;
  const scale = head.readUInt32BE(at + (long ? 24 : 16));
  const duration = long ? Number(head.readBigUInt64BE(at + 28)) : head.readUInt32BE(at + 20);
  return scale > 0 ? duration / scale : 0;
}
