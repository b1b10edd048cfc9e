import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../../errors.js';
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from '../vendor.js';
import { type Complaint, complaints } from './check.js';
import { CONFIG, type ConfigNode } from './schema.js';

/** A configuration file is small; anything longer is another file. */
const MOST_BYTES = 1024 * 1024;

type Document = ReturnType<typeof parseDocument>;

/** Where a key or value stands in the text; the nearest section above it where it is missing. */
function offsetOf(document: Document, { path: keys, key }: Complaint): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const [at, name] of keys.entries()) {
    if (isMap(node)) {
      const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(name));
      if (pair === undefined || !isScalar(pair.key)) return offset;
      offset = pair.key.range?.[0] ?? offset;
      if (key && at === keys.length - 1) return offset;
      node = pair.value;
    } else if (isSeq(node) && typeof name === 'number') node = node.items[name];
    else return offset;
    const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
    // A value that is empty has no place of its own: its key has.
    if (range && range[1]! > range[0]!) offset = range[0]!;
  }
  return offset;
}

/** Relative paths in a file are meant from its folder, not from wherever the service is started. */
const PATHS: readonly (readonly string[])[] = [
  ['data', 'folder'],
  ['data', 'keys'],
  ['engine', 'calibration'],
  ['models', 'cache'],
  ['models', 'cards'],
  ['server', 'tls', 'cert'],
  ['server', 'tls', 'key'],
  ['auth', 'jwt', 'key'],
];

function resolvePaths(config: Record<string, unknown>, folder: string): void {
  for (const keys of PATHS) {
    let at: unknown = config;
    for (const key of keys.slice(0, -1)) at = (at as Record<string, unknown> | undefined)?.[key];
    const last = keys[keys.length - 1]!;
    const value = (at as Record<string, unknown> | undefined)?.[last];
    if (typeof value === 'string' && !/^[a-z][a-z0-9+.-]+:/i.test(value)) {
      (at as Record<string, unknown>)[last] = path.resolve(folder, value);
    }
  }
}

/** Sections that are there but empty mean nothing. */
function withoutEmpty(value: unknown, node: ConfigNode): unknown {
  if (node.properties === undefined || value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name, child]) => child !== null || node.properties?.[name]?.properties === undefined)
      .map(([name, child]) => [name, withoutEmpty(child, node.properties?.[name] ?? {})]),
  );
}

/** Reads a configuration from YAML (JSON is YAML). @throws LineamentError CONFIG_INVALID naming file, line and column of everything that is wrong */
export function parseConfigText(text: string, name: string): Record<string, unknown> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true, maxAliasCount: 0 } as never);
  const place = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const broken = document.errors[0];
  if (broken !== undefined) {
    const said = broken.message.split(' at line ')[0] ?? broken.message;
    throw new LineamentError('CONFIG_INVALID', `${place(broken.pos[0])}: ${said}`, { cause: broken });
  }
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 }) ?? {};
  } catch (cause) {
    throw new LineamentError('CONFIG_INVALID', `${name}: ${(cause as Error).message}`, { cause });
  }
  const found = complaints(value);
  if (found.length > 0) {
    const said = found.map(
      (one) => `${place(offsetOf(document, one))}: ${one.message}${one.fix ? `. ${one.fix}` : ''}`,
    );
    throw new LineamentError('CONFIG_INVALID', said.join('\n'));
  }
  return withoutEmpty(value, CONFIG) as Record<string, unknown>;
}

/** Reads a configuration file. Relative paths in it are meant from its folder. */
export async function readConfigFile(file: string): Promise<Record<string, unknown>> {
  let text: string;
  try {
    const bytes = await readFile(file);
    if (bytes.length > MOST_BYTES) throw new Error(`it has ${bytes.length} bytes`);
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new LineamentError('CONFIG_INVALID', `${file} cannot be read: ${(cause as Error).message}`, {
      cause,
      fix: 'Name a YAML file with --config FILE, or start without one.',
    });
  }
  const config = parseConfigText(text, file);
  resolvePaths(config, path.dirname(path.resolve(file)));
  return config;
}
