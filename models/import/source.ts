import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImportError } from './error.js';

const require = createRequire(import.meta.url);

/** A file of an installed npm package. */
export interface SourceRef {
  readonly package: string;
  readonly path: string;
}

/** What a source file must be: recorded in sources.json, so that a changed upstream is noticed. */
export interface SourceRecord {
  readonly version: string;
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly sha256: string }>>;
}

export type SourceTable = Readonly<Record<string, SourceRecord>>;

/** Lower-case hexadecimal SHA-256. */
export function sha256(data: Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Folder of an installed package. Throws `SOURCE_MISSING` with the command that installs it. */
export function packageRoot(name: string): string {
  for (const base of require.resolve.paths(name) ?? []) {
    const root = join(base, name);
    try {
      readFileSync(join(root, 'package.json'));
      return root;
    } catch {
      // Not in this folder: the next one up.
    }
  }
  throw new ImportError('SOURCE_MISSING', `Package ${name} is not installed; run \`npm ci\` in the repository`);
}

/** Version of an installed package. */
export function packageVersion(name: string): string {
  const text = readFileSync(join(packageRoot(name), 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version?: unknown }).version);
}

/** Reads source files; with a table, refuses those that differ from what the importer was written for. */
export class SourceReader {
  private readonly cache = new Map<string, Uint8Array>();

  constructor(private readonly table: SourceTable | undefined) {}

  /**
   * The bytes of a file. Throws `SOURCE_MISSING`, `SOURCE_TRUNCATED` (other length) or `SOURCE_CHANGED` (other hash);
   * each message names the file and what to do.
   */
  read(ref: SourceRef): Uint8Array {
    const label = `${ref.package}/${ref.path}`;
    const known = this.cache.get(label);
    if (known) return known;
    const file = join(packageRoot(ref.package), ref.path);
    let data: Uint8Array;
    try {
      data = readFileSync(file);
    } catch (cause) {
      throw new ImportError('SOURCE_MISSING', `${label} cannot be read; run \`npm ci\` to reinstall the package`, {
        cause,
      });
    }
    if (this.table) this.check(ref, label, data);
    this.cache.set(label, data);
    return data;
  }

  private check(ref: SourceRef, label: string, data: Uint8Array): void {
    const record = this.table?.[ref.package];
    const expected = record?.files[ref.path];
    if (!record || !expected) {
      throw new ImportError(
        'SOURCE_CHANGED',
        `${label} is not in models/import/sources.json; run \`npm run models -- --update-sources\``,
      );
    }
    verifySource(label, data, expected, record.version);
  }

  /** A JSON file. Throws `SOURCE_CORRUPT` when it does not parse. */
  json(ref: SourceRef): unknown {
    try {
      return JSON.parse(Buffer.from(this.read(ref)).toString('utf8'));
    } catch (cause) {
      if (cause instanceof ImportError) throw cause;
      throw new ImportError('SOURCE_CORRUPT', `${ref.package}/${ref.path} is not valid JSON; run \`npm ci\``, {
        cause,
      });
    }
  }
}

/** Compares a source file with its record; see `SourceReader.read` for the errors. */
export function verifySource(
  label: string,
  data: Uint8Array,
  expected: { readonly bytes: number; readonly sha256: string },
  version: string,
): void {
  if (data.byteLength !== expected.bytes) {
    throw new ImportError(
      data.byteLength < expected.bytes ? 'SOURCE_TRUNCATED' : 'SOURCE_CHANGED',
      `${label} has ${data.byteLength} bytes instead of ${expected.bytes}; reinstall version ${version} with \`npm ci\``,
    );
  }
  const hash = sha256(data);
  if (hash !== expected.sha256) {
    throw new ImportError(
      'SOURCE_CHANGED',
      `${label} has SHA-256 ${hash} instead of ${expected.sha256}: it is not the file of version ${version}. ` +
        'Reinstall it with `npm ci`; after a deliberate upgrade run `npm run models -- --update-sources --update-cards` and the tests.',
    );
  }
}

/** Folder of this file, for the tables that lie beside it. */
export const importFolder = dirname(fileURLToPath(import.meta.url));
