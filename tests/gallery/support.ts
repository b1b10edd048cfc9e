import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Gallery, type GalleryOptions, openGallery } from '../../lib/gallery/index.js';

export { codeOf } from '../support/code.js';

export { DIMS, Faces, MODEL } from './faces.js';

const folders: string[] = [];
const open: Gallery[] = [];

/** An empty folder that goes after the test. */
export async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'lineament-gallery-'));
  folders.push(folder);
  return folder;
}

/** A gallery that is closed after the test; in a new folder where none is named. */
export async function gallery(options: Partial<GalleryOptions> = {}): Promise<Gallery> {
  const made = await openGallery({ folder: options.folder ?? (await newFolder()), threads: 2, ...options });
  open.push(made);
  return made;
}

afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** Names of the files in a folder that hold any of these bytes anywhere. */
export async function filesWith(folder: string, ...traces: readonly Uint8Array[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of await readdir(folder)) {
    const content = await readFile(join(folder, file));
    if (traces.some((trace) => content.includes(Buffer.from(trace)))) found.push(file);
  }
  return found;
}

export const bytesOf = (vector: Float32Array): Uint8Array =>
  new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
