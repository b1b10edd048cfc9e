import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { LineamentError, wrapError } from '../../errors.js';
import { loadAddon } from '../../native/index.js';
import type { Frame } from '../../types.js';
import { runFfmpeg } from './ffmpeg-feed.js';
import { scanFragments } from './fragments.js';

/** Names of what lies beside a clip. */
export const partOf = (path: string): string => path.replace(/\.mp4$/i, '.part.mp4');
export const thumbnailOf = (path: string): string => path.replace(/\.mp4$/i, '.jpg');
export const sidecarOf = (path: string): string => path.replace(/\.mp4$/i, '.json');

/** ffmpeg takes any name that begins with a protocol; this one cannot be taken for another. */
export const asFile = (path: string): string => `file:${path}`;

/**
 * Gives a finished recording its place: index in front (so that it plays while it is loaded), on the disk for certain, and only then under its
 * name. Rejects with `FFMPEG_FAILED`, or the system's error; the part is then still there.
 */
export async function settle(ffmpeg: string, part: string, path: string, title: string, start: number): Promise<void> {
  const made = path.replace(/\.mp4$/i, '.made.mp4');
  try {
    await writeFile(made, '', { mode: 0o600 });
    const tags = ['-metadata', `title=${title}`, '-metadata', `creation_time=${new Date(start).toISOString()}`];
    await runFfmpeg(ffmpeg, [
      ...['-i', asFile(part), '-map', '0', '-c', 'copy', ...tags],
      ...['-video_track_timescale', '90000', '-movflags', '+faststart', '-f', 'mp4', asFile(made)],
    ]);
    await sync(made);
    await rename(made, path);
  } catch (error) {
    await rm(made, { force: true });
    throw error;
  }
  await rm(part, { force: true });
}

/**
 * What is left of a recording that failed, under its name: cut back to the last whole fragment. Gives how many pictures it has; absent
 * where nothing of it can be played (it is then gone).
 */
export async function salvage(part: string, path: string): Promise<number | undefined> {
  const found = await scanFragments(part).catch(() => undefined);
  if (found === undefined || found.pictures === 0) {
    await rm(part, { force: true }).catch(() => undefined);
    return undefined;
  }
  if (found.bytes < found.size) await truncate(part, found.bytes);
  await rename(part, path);
  return found.pictures;
}

async function sync(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** SHA-256 (hex) and length of a file. */
export async function digestOf(path: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), bytes };
}

/** Writes a file wholly or not at all. */
export async function writeWhole(path: string, data: string | Uint8Array): Promise<void> {
  const made = `${path}.made`;
  try {
    await writeFile(made, data, { mode: 0o600 });
    await rename(made, path);
  } catch (error) {
    await rm(made, { force: true }).catch(() => undefined);
    throw error;
  }
}

/** A picture as JPEG, at most `side` pixels on its longer side. */
export async function encodeThumbnail(frame: Frame, side: number): Promise<Uint8Array> {
  const addon = loadAddon();
  const executor = addon.createExecutor(1);
  try {
    const rgb = await addon.convert(executor, frame, 'rgb');
    const { default: sharp } = await import('sharp');
    return await sharp(rgb, { raw: { width: frame.width, height: frame.height, channels: 3 } })
      .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality: 85 })
      .toBuffer();
  } catch (error) {
    throw wrapError(error);
  } finally {
    await executor.close();
  }
}

/** A failure of recording in our terms, with what to do where that is known. */
export function recordingError(path: string, thrown: unknown): LineamentError {
  if (thrown instanceof LineamentError && thrown.code !== 'FFMPEG_FAILED') return thrown;
  const code = (thrown as NodeJS.ErrnoException).code ?? '';
  const said = thrown instanceof LineamentError ? thrown.message : `${(thrown as Error).message}`;
  const fix = {
    ENOSPC: 'Make room, or let retention delete older clips.',
    EDQUOT: 'Make room, or let retention delete older clips.',
    EACCES: 'Let the process write to the folder, or name another.',
    EPERM: 'Let the process write to the folder, or name another.',
    EROFS: 'Name a folder that can be written to.',
    ENOTDIR: 'Name a folder; there is a file of that name.',
    EEXIST: 'Name another file: recordings are never overwritten.',
  }[code];
  const what = code === 'EEXIST' ? 'it is there already' : said;
  return new LineamentError('RECORDING_FAILED', `${path}: ${what}`, {
    cause: thrown,
    ...(fix === undefined ? {} : { fix }),
  });
}
