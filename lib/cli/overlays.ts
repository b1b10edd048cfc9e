/** Writes photographs with their faces drawn on them. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../errors.js';
import { renderOverlay } from '../visualization/index.js';
import type { PhotoResult } from './photos.js';

/** Writes a file and turns a failure into an error that names it. */
export async function writeOutput(file: string, data: string | Uint8Array): Promise<void> {
  await makeFolder(path.dirname(file));
  await writable(file, writeFile(file, data));
}

/** Makes a folder and those above it; one that is there is fine. */
export async function makeFolder(folder: string): Promise<void> {
  await writable(folder, mkdir(path.resolve(folder), { recursive: true }));
}

async function writable(file: string, work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new LineamentError('INVALID_ARGUMENT', `cannot write ${file}: ${said}`, {
      fix: 'Name a place that you may write to.',
      cause: error,
    });
  }
}

/**
 * What `--overlay DIR` asks for, or undefined where it was not given. Each photograph becomes `DIR/name.png`; a second one
 * of the same name becomes `name-2.png`.
 */
export async function makeOverlayWriter(
  directory: string | number | boolean | undefined,
): Promise<((result: PhotoResult) => Promise<string>) | undefined> {
  if (typeof directory !== 'string') return undefined;
  const used = new Set<string>();
  return async ({ path: source, frame, faces }) => {
    const stem = path.parse(source).name || 'photograph';
    let name = stem;
    for (let count = 2; used.has(name); count++) name = `${stem}-${count}`;
    used.add(name);
    const file = path.join(directory, `${name}.png`);
    await writeOutput(file, await renderOverlay(frame, faces));
    return file;
  };
}
