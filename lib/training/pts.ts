import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../errors.js';
import { boundsOf } from '../image/geometry.js';
import type { Point } from '../types.js';
import type { AnnotatedPicture, LandmarkDataset } from './dataset.js';
import { fault, quoted } from './fault.js';

const LARGEST_FILE = 1 << 20;
const MOST_POINTS = 4096;
const PICTURES = new Set(['.jpg', '.jpeg', '.png', '.webp', '.tif', '.tiff', '.gif', '.avif']);

/**
 * Reads a folder in the style of 300-W, searched to its bottom in the order of the names (hidden ones left out, links not
 * followed): a `.pts` file for each face, and a picture of the same stem beside it. The box is the bounds of the points.
 */
export async function readPtsFolder(folder: string): Promise<LandmarkDataset> {
  const pictures: AnnotatedPicture[] = [];
  let first: { file: string; count: number } | undefined;
  for await (const { file, beside } of walk(folder)) {
    const points = await readPts(file);
    first ??= { file, count: points.length };
    if (points.length !== first.count) {
      throw fault(file, undefined, `${points.length} points, where ${first.file} has ${first.count}`);
    }
    const box = boundsOf(points);
    if (!(box[2] > 0 && box[3] > 0)) throw fault(file, undefined, 'its points span no area');
    pictures.push({ path: pictureOf(file, beside), source: file, line: 1, faces: [{ box, points, line: 1 }] });
  }
  if (first === undefined) {
    throw fault(
      folder,
      undefined,
      'there is no .pts file in this folder',
      'Name the .xml file itself where it is an imglab data set.',
    );
  }
  const digits = Math.max(2, String(first.count - 1).length);
  const names = Array.from({ length: first.count }, (_, i) => String(i).padStart(digits, '0'));
  return { names, pictures, ignored: 0 };
}

/** Names of the pictures of a folder by their stem. */
type Stems = ReadonlyMap<string, readonly string[]>;

async function* walk(folder: string): AsyncGenerator<{ file: string; beside: Stems }> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new LineamentError('INVALID_ARGUMENT', `${folder}: ${(cause as Error).message}`, { cause });
  });
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  const beside = new Map<string, string[]>();
  for (const { name } of entries) {
    const { name: stem, ext } = path.parse(name);
    if (!PICTURES.has(ext.toLowerCase())) continue;
    beside.set(stem, [...(beside.get(stem) ?? []), name]);
  }
  for (const entry of entries) {
    if (entry.name.startsWith('.')) continue;
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) yield* walk(name);
    else if (path.extname(entry.name).toLowerCase() === '.pts') yield { file: name, beside };
  }
}

function pictureOf(file: string, beside: Stems): string {
  const stem = path.basename(file, path.extname(file));
  const [picture, second] = beside.get(stem) ?? [];
  if (picture === undefined) {
    throw new LineamentError('IMAGE_NOT_FOUND', `${file}: there is no picture ${stem}.jpg or ${stem}.png beside it`);
  }
  if (second !== undefined) throw fault(file, undefined, `both ${picture} and ${second} lie beside it`);
  return path.join(path.dirname(file), picture);
}

/** The points of a `.pts` file. Its pixels count from 1 and have their centres at whole numbers: half a pixel is taken off. */
export async function readPts(file: string): Promise<Point[]> {
  let text: string;
  try {
    const { size } = await stat(file);
    if (size > LARGEST_FILE) throw fault(file, undefined, `it has ${size} bytes, the limit is ${LARGEST_FILE}`);
    text = await readFile(file, 'latin1');
  } catch (cause) {
    if (cause instanceof LineamentError) throw cause;
    throw new LineamentError('INVALID_ARGUMENT', `${file}: it cannot be read: ${(cause as Error).message}`, { cause });
  }
  return parsePts(text, file);
}

/** Reads `version: 1`, `n_points: N`, `{`, N lines of two numbers, `}`. Throws `INVALID_ARGUMENT` with file and line. */
export function parsePts(text: string, file: string): Point[] {
  const lines = text.split(/\r\n|\n|\r/);
  let at = 0;
  const next = (wanted: string): { line: number; words: string[] } => {
    while (at < lines.length && lines[at]?.trim() === '') at++;
    const content = lines[at++];
    if (content === undefined) throw fault(file, lines.length, `the file ends where ${wanted} should stand`);
    return { line: at, words: content.trim().split(/\s+/) };
  };
  const header = (key: string): { line: number; value: string } => {
    const { line, words } = next(`'${key}:'`);
    const said = words.join(' ');
    const [, found, value = ''] = /^(\w+)\s*:\s*(\S+)$/.exec(said) ?? [];
    if (found !== key) throw fault(file, line, `${quoted(said)} stands where '${key}:' should`);
    return { line, value };
  };
  header('version');
  const { line: countLine, value } = header('n_points');
  const count = /^\d{1,6}$/.test(value) ? Number(value) : 0;
  if (count < 1 || count > MOST_POINTS) throw fault(file, countLine, `n_points is ${quoted(value)}`);
  const brace = (sign: string): void => {
    const { line, words } = next(`'${sign}'`);
    if (words.join(' ') !== sign) throw fault(file, line, `${quoted(words.join(' '))} stands where '${sign}' should`);
  };
  brace('{');
  const points: Point[] = [];
  for (let i = 0; i < count; i++) {
    const { line, words } = next(`point ${i + 1} of ${count}`);
    const [x = Number.NaN, y = Number.NaN] = words.map(decimal);
    if (words.length !== 2 || !Number.isFinite(x) || !Number.isFinite(y)) {
      throw fault(file, line, `${quoted(words.join(' '))} stands where point ${i + 1} of ${count} should`);
    }
    points.push([x - 0.5, y - 0.5]);
  }
  brace('}');
  return points;
}

function decimal(text: string): number {
  const value = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$/.test(text) ? Number(text) : Number.NaN;
  return Math.abs(value) <= 1e9 ? value : Number.NaN;
}
