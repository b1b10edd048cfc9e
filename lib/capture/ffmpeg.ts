import { spawn } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../errors.js';

/** An ffmpeg program that was found and asked for its version. */
export interface Ffmpeg {
  readonly path: string;
  /** As it says: `5.1.9-0+deb12u1`, `n7.1`, `N-117000-g…`. */
  readonly version: string;
  /** [major, minor]; builds of a development state count as the newest. */
  readonly release: readonly [major: number, minor: number];
}

const FIX =
  "Install ffmpeg ('apt install ffmpeg', 'brew install ffmpeg', 'winget install ffmpeg'), " +
  'or name the program with the option ffmpeg or LINEAMENT_FFMPEG.';
/** The options that are used have their names since then. */
const OLDEST = 5;
const ANSWER_MS = 10_000;

const known = new Map<string, Promise<Ffmpeg>>();

/**
 * The ffmpeg that is named, or else the one of `LINEAMENT_FFMPEG`, or else the first on PATH; it is run once to tell its version,
 * which is remembered. Rejects with `FFMPEG_NOT_FOUND` (none, or not a program) or `FFMPEG_FAILED` (older than 5.0, does not answer).
 */
export async function findFfmpeg(named?: string): Promise<Ffmpeg> {
  const wanted = named ?? process.env['LINEAMENT_FFMPEG'];
  const file = wanted ? await lookUp(wanted) : await lookUp('ffmpeg');
  if (file === undefined) {
    const where = wanted === undefined || wanted === '' ? 'it is not on PATH' : `there is no program '${wanted}'`;
    throw new LineamentError('FFMPEG_NOT_FOUND', where, { fix: FIX });
  }
  let asked = known.get(file);
  if (asked === undefined) {
    asked = askVersion(file);
    known.set(file, asked);
    // One that failed may have been mended by the next time.
    asked.catch(() => known.delete(file));
  }
  return asked;
}

/** A name without a folder is looked for on PATH, as a shell does. */
async function lookUp(name: string): Promise<string | undefined> {
  const endings = process.platform === 'win32' ? ['', ...(process.env['PATHEXT'] ?? '.EXE').split(';')] : [''];
  const folders = /[\\/]/.test(name) ? [''] : (process.env['PATH'] ?? '').split(path.delimiter).filter(Boolean);
  for (const folder of folders) {
    for (const ending of endings) {
      const file = path.resolve(folder, name + ending);
      if (await isProgram(file)) return file;
    }
  }
  return undefined;
}

async function isProgram(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}

async function askVersion(file: string): Promise<Ffmpeg> {
  const said = await new Promise<string>((resolve, reject) => {
    const child = spawn(file, ['-hide_banner', '-nostdin', '-version'], {
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: ANSWER_MS,
      killSignal: 'SIGKILL',
      windowsHide: true,
    });
    let text = '';
    // Where it could not be started, for want of descriptors, there is no pipe.
    child.stdout?.setEncoding('utf8').on('data', (part: string) => {
      if (text.length < 10_000) text += part;
    });
    child.once('error', (cause) => {
      reject(new LineamentError('FFMPEG_NOT_FOUND', `${file} cannot be run: ${cause.message}`, { cause, fix: FIX }));
    });
    child.once('close', () => resolve(text));
  });
  const version = /^ffmpeg version (\S+)/m.exec(said)?.[1];
  if (version === undefined) {
    throw new LineamentError('FFMPEG_FAILED', `${file} does not tell its version; is it ffmpeg?`, { fix: FIX });
  }
  const release = releaseOf(version);
  if (release[0] < OLDEST) {
    throw new LineamentError('FFMPEG_FAILED', `${file} is version ${version}, ${OLDEST}.0 is needed`, { fix: FIX });
  }
  return { path: file, version, release };
}

/** Every picture at its own time, none doubled and none left out: an option that has its name since 5.1. */
export const passthrough = ([major, minor]: Ffmpeg['release']): readonly string[] =>
  major > 5 || minor >= 1 ? ['-fps_mode', 'passthrough'] : ['-vsync', 'passthrough'];

/** `5.1.9-0+deb12u1` → [5, 1], `n7.1` → [7, 1]; what names no release is a build of the development state. */
export function releaseOf(version: string): readonly [major: number, minor: number] {
  const found = /^n?(\d{1,2})\.(\d+)/.exec(version);
  return found === null ? [99, 0] : [Number(found[1]), Number(found[2])];
}
