import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { canonicalFace } from './canonical-face.js';
import type { Network } from './network.js';
import { importFolder, packageVersion, SourceReader, type SourceRecord, type SourceTable, sha256 } from './source.js';

/** One file of the pack. */
export interface PackEntry {
  readonly id: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What `pack.json` holds: the files, and the state of importer and sources that they were made from. */
export interface Pack {
  readonly format: 1;
  readonly importer: string;
  readonly models: readonly PackEntry[];
  /** Files that are no networks and have no card: their readers know what they must be. */
  readonly meshes: readonly PackEntry[];
}

const MESHES: readonly Network[] = [canonicalFace];

/** Progress of an import: called once before and once after each network. */
export type Progress = (event: {
  readonly index: number;
  readonly total: number;
  readonly id: string;
  readonly bytes?: number;
  readonly milliseconds?: number;
  readonly skipped?: boolean;
}) => void;

/** Models folder of the repository (the parent of models/import). */
export const modelsFolder = join(importFolder, '..');

/** Parts of this folder that have no influence on the files made. */
const NOT_IMPORTER: ReadonlySet<string> = new Set([
  'check',
  'record.ts',
  'agreement.ts',
  'memory.ts',
  'card.ts',
  'main.ts',
]);

/** Hash over the importer's own files and the source table: another importer makes every file anew. */
export function importerHash(): string {
  const hash = createHash('sha256');
  const add = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (NOT_IMPORTER.has(entry.name)) continue;
      const path = join(folder, entry.name);
      if (entry.isDirectory()) add(path);
      else if (/\.(ts|json)$/.test(entry.name)) hash.update(entry.name).update('\0').update(readFileSync(path));
    }
  };
  add(importFolder);
  return hash.digest('hex');
}

/** The table of expected source files. */
export function readSourceTable(): SourceTable {
  return JSON.parse(readFileSync(join(importFolder, 'sources.json'), 'utf8')) as SourceTable;
}

/** Describes the source files as they are installed now. */
export function describeSources(networks: readonly Network[]): SourceTable {
  const reader = new SourceReader(undefined);
  const table: Record<string, SourceRecord & { files: Record<string, { bytes: number; sha256: string }> }> = {};
  for (const ref of networks.flatMap((network) => network.sources)) {
    table[ref.package] ??= { version: packageVersion(ref.package), files: {} };
    const data = reader.read(ref);
    const record = table[ref.package];
    if (record) record.files[ref.path] = { bytes: data.byteLength, sha256: sha256(data) };
  }
  return table;
}

/** The pack in `folder`, or undefined where there is none or it cannot be read. */
export function readPack(folder: string): Pack | undefined {
  try {
    const pack = JSON.parse(readFileSync(join(folder, 'pack.json'), 'utf8')) as Pack;
    return pack.format === 1 && Array.isArray(pack.models) && Array.isArray(pack.meshes) ? pack : undefined;
  } catch {
    return undefined;
  }
}

function upToDate(folder: string, entry: PackEntry | undefined): entry is PackEntry {
  if (!entry) return false;
  try {
    const path = join(folder, entry.file);
    return statSync(path).size === entry.bytes && sha256(readFileSync(path)) === entry.sha256;
  } catch {
    return false;
  }
}

/** Writes under a temporary name first, so that an interrupted import leaves no half file under the real one. */
function writeWhole(path: string, data: Uint8Array | string): void {
  const part = `${path}.${process.pid}.part`;
  writeFileSync(part, data);
  renameSync(part, path);
}

/**
 * Brings `folder` up to date with `networks` and writes pack.json there. Files whose hash and importer still agree are
 * left alone. Throws `ImportError` when a source file is missing, cut or changed.
 */
export function buildPack(
  networks: readonly Network[],
  folder: string,
  table: SourceTable,
  progress: Progress = () => {},
  force = false,
): Pack {
  mkdirSync(folder, { recursive: true });
  const importer = importerHash();
  const previous = readPack(folder);
  const current = !force && previous?.importer === importer ? [...previous.models, ...previous.meshes] : [];
  const reader = new SourceReader(table);
  const total = networks.length + MESHES.length;
  const bring = (network: Network, file: string, index: number): PackEntry => {
    const event = { index, total, id: network.id };
    const known = current.find((entry) => entry.id === network.id);
    if (upToDate(folder, known)) {
      for (const ref of network.sources) reader.read(ref);
      progress({ ...event, bytes: known.bytes, skipped: true });
      return known;
    }
    progress(event);
    const start = performance.now();
    const data = network.build(reader);
    writeWhole(join(folder, file), data);
    progress({ ...event, bytes: data.byteLength, milliseconds: performance.now() - start });
    return { id: network.id, file, sha256: sha256(data), bytes: data.byteLength };
  };
  const models = networks.map((network, i) => bring(network, `${network.id}.onnx`, i + 1));
  const meshes = MESHES.map((mesh, i) => bring(mesh, `${mesh.id}.mesh`, networks.length + i + 1));
  const pack: Pack = { format: 1, importer, models, meshes };
  writeWhole(join(folder, 'pack.json'), `${JSON.stringify(pack, null, 2)}\n`);
  return pack;
}
