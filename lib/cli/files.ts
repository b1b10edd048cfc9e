/** From what stands on the command line to photographs: files, directories, patterns. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../errors.js';

/** One photograph to look at, or why what was named is none. */
export interface Target {
  /** As it is shown and written to JSON: relative where it was given so. */
  readonly path: string;
  readonly error?: LineamentError;
}

/** Extensions that count as photographs inside directories; a file that is named itself may have any. */
const EXTENSIONS = new Set(['.jpg', '.jpeg', '.jpe', '.jfif', '.png', '.webp', '.avif', '.tif', '.tiff', '.gif']);

export const isPhotograph = (name: string): boolean => EXTENSIONS.has(path.extname(name).toLowerCase());

/** Whether text is a pattern rather than a name. */
export const isPattern = (text: string): boolean => /[*?[\]{}]/.test(text);

/**
 * A pattern as a regular expression over paths with forward slashes. `*` and `?` stay within a name, `**` crosses
 * directories, `[a-z]` and `[!a-z]` are sets, `{a,b}` are alternatives; case counts.
 */
export function patternToRegExp(pattern: string): RegExp {
  let source = '';
  let depth = 0;
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] ?? '';
    if (character === '*') {
      if (pattern[at + 1] === '*') {
        const slash = pattern[at + 2] === '/';
        source += slash ? '(?:[^/]+/)*' : '.*';
        at += slash ? 2 : 1;
      } else source += '[^/]*';
    } else if (character === '?') source += '[^/]';
    else if (character === '[') {
      const end = pattern.indexOf(']', at + 2);
      if (end < 0) source += '\\[';
      else {
        const set = pattern
          .slice(at + 1, end)
          .replace(/\\/g, '\\\\')
          .replace(/^!/, '^')
          .replace(/\[/g, '\\[');
        source += `(?!/)[${set}]`;
        at = end;
      }
    } else if (character === '{' && pattern.indexOf('}', at) > 0) {
      source += '(?:';
      depth++;
    } else if (character === '}' && depth > 0) {
      source += ')';
      depth--;
    } else if (character === ',' && depth > 0) source += '|';
    else source += character.replace(/[.+^$()|\\{}]/g, '\\$&');
  }
  return new RegExp(`^${source}${')'.repeat(depth)}$`, 'u');
}

const byName = new Intl.Collator('en', { numeric: true });

/** Names in a directory's tree in natural order (photo2 before photo10), hidden ones left out, links not followed. */
async function* walk(directory: string): AsyncGenerator<string> {
  const found = await readdir(directory, { withFileTypes: true });
  found.sort((a, b) => byName.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
  for (const entry of found) {
    if (entry.name.startsWith('.')) continue;
    const name = directory === '.' ? entry.name : path.join(directory, entry.name);
    if (entry.isDirectory()) yield* walk(name);
    else yield name;
  }
}

async function inDirectory(directory: string): Promise<Target[]> {
  const targets: Target[] = [];
  try {
    for await (const name of walk(directory)) if (isPhotograph(name)) targets.push({ path: name });
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    return [{ path: directory, error: new LineamentError('IMAGE_NOT_FOUND', said, { cause: error }) }];
  }
  if (targets.length > 0) return targets;
  const known = [...EXTENSIONS].map((extension) => extension.slice(1)).join(', ');
  return [
    {
      path: directory,
      error: new LineamentError('IMAGE_NOT_FOUND', `no photograph in the directory ${directory}`, {
        fix: `Files with these extensions count: ${known}. Name a file itself where it has another.`,
      }),
    },
  ];
}

async function byPattern(pattern: string): Promise<Target[]> {
  const normal = pattern.split(path.sep).join('/').replace(/^\.\//, '');
  const parts = normal.split('/');
  const first = parts.findIndex(isPattern);
  const base = parts.slice(0, first).join('/') || (normal.startsWith('/') ? '/' : '.');
  const matcher = patternToRegExp(normal);
  const targets: Target[] = [];
  try {
    for await (const name of walk(base)) {
      if (matcher.test(name.split(path.sep).join('/'))) targets.push({ path: name });
    }
  } catch {
    // The directory before the pattern is not there: nothing matches.
  }
  if (targets.length > 0) return targets;
  const error = new LineamentError('IMAGE_NOT_FOUND', `nothing matches the pattern ${pattern}`, {
    fix: 'Check the pattern and the current directory.',
  });
  return [{ path: pattern, error }];
}

/**
 * The photographs that the arguments name, in the order of the arguments; a directory's or a pattern's own files come in
 * natural order. What was named twice comes once. An argument that names nothing becomes a target with an error.
 */
export async function findTargets(names: readonly string[]): Promise<Target[]> {
  const seen = new Set<string>();
  const targets: Target[] = [];
  for (const name of names) {
    const info = await stat(name).catch(() => undefined);
    const found = info?.isDirectory()
      ? await inDirectory(name)
      : info === undefined && isPattern(name)
        ? await byPattern(name)
        : [{ path: name }];
    for (const target of found) {
      const key = path.resolve(target.path);
      if (seen.has(key)) continue;
      seen.add(key);
      targets.push(target);
    }
  }
  return targets;
}
