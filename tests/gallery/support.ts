import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { type Gallery, type GalleryOptions, openGallery } from '../../lib/gallery/index.js';
import type { Embedding } from '../../lib/types.js';
import { normal, random } from '../support/random.js';

export const MODEL = 'test-net';
export const DIMS = 64;

/** Faces of a model that does not exist: points on the sphere, and others near them. */
export class Faces {
  readonly #next: () => number;
  readonly #dims: number;
  readonly #model: string;

  constructor(seed: number, dims = DIMS, model = MODEL) {
    this.#next = random(seed);
    this.#dims = dims;
    this.#model = model;
  }

  /** A new face. */
  face(): Embedding {
    return this.#unit(Array.from({ length: this.#dims }, () => normal(this.#next)));
  }

  /** Another picture of a face, with about this cosine. */
  like(face: Embedding, cosine = 0.9): Embedding {
    const noise = this.face().vector;
    const along = Math.sqrt(1 - cosine * cosine);
    return this.#unit(Array.from(face.vector, (x, i) => cosine * x + along * noise[i]!));
  }

  #unit(numbers: readonly number[]): Embedding {
    const length = Math.hypot(...numbers);
    return { model: this.#model, dims: this.#dims, vector: Float32Array.from(numbers, (x) => x / length) };
  }
}

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

/** The code of the error that work ends with. */
export async function codeOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? String(error),
  );
}
