import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../errors.js';
import { decodeImage, loadSharp } from '../image/decode.js';
import type { SharpLike } from '../image/input.js';
import type { Frame } from '../types.js';
import type { Feed, FeedCounts, FeedEnd, Picture, PictureInfo } from './feed.js';
import type { CameraSource } from './types.js';

const PHOTOGRAPH = /\.(?:jpe?g|png|webp|gif|tiff?|avif)$/i;
const DEFAULT_FPS = 10;

export interface FolderRequest {
  readonly source: Extract<CameraSource, { kind: 'folder' }>;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
}

/**
 * Photographs of a folder as a camera would give them: each has its time, and is read when somebody takes it. Nothing is kept: they lie on
 * disk. Rejects with `CAMERA_NOT_FOUND` where there are none.
 */
export async function openFolder(request: FolderRequest, wake: () => void): Promise<Feed> {
  const { source } = request;
  let names: string[];
  try {
    names = await readdir(source.path);
  } catch (cause) {
    throw new LineamentError('CAMERA_NOT_FOUND', `${source.path} cannot be read`, { cause });
  }
  const order = new Intl.Collator('en', { numeric: true });
  const files = names.filter((name) => PHOTOGRAPH.test(name)).sort(order.compare);
  if (files.length === 0) {
    throw new LineamentError('CAMERA_NOT_FOUND', `${source.path} holds no photographs`, {
      fix: 'Give a folder with JPEG, PNG, WebP, GIF, TIFF or AVIF files.',
    });
  }
  return new FolderFeed(request, files, wake);
}

class FolderFeed implements Feed {
  readonly lossless: boolean;
  readonly ready = Promise.resolve();
  readonly done: Promise<FeedEnd>;
  readonly #request: FolderRequest;
  readonly #files: readonly string[];
  readonly #wake: () => void;
  readonly #start = Date.now();
  readonly #rate: number;
  #end: (end: FeedEnd) => void = () => undefined;
  #timer: NodeJS.Timeout | undefined;
  /** So many of them have had their time. */
  #due = 1;
  #over = false;

  constructor(request: FolderRequest, files: readonly string[], wake: () => void) {
    const rate = request.source.fps ?? DEFAULT_FPS;
    const most = request.fps ?? rate;
    this.#request = request;
    // The first of each interval of 1/most.
    this.#files = files.filter((_, i) => most >= rate || i === 0 || slot(i, most / rate) > slot(i - 1, most / rate));
    this.#rate = Math.min(rate, most);
    this.#wake = wake;
    this.lossless = (request.source.pace ?? 'live') === 'fast';
    this.done = new Promise((resolve) => {
      this.#end = resolve;
    });
    if (!this.lossless) this.#schedule();
  }

  #schedule(): void {
    if (this.#over) return;
    const left = this.#start + this.#position(this.#due) - Date.now();
    this.#timer = setTimeout(
      () => {
        const due = Math.floor(((Date.now() - this.#start) * this.#rate) / 1000 + 1e-6) + 1;
        this.#due = Math.min(this.#files.length, Math.max(this.#due, due));
        // The last one is there for as long as the others were.
        if (due > this.#files.length) this.#finish();
        else this.#schedule();
        this.#wake();
      },
      Math.max(0, left),
    );
  }

  #finish(): void {
    this.#over = true;
    clearTimeout(this.#timer);
    this.#end({});
  }

  #position(index: number): number {
    return (index * 1000) / this.#rate;
  }

  #info(index: number): PictureInfo {
    const position = this.#position(index);
    return { sequence: index, timestamp: this.#start + position, position, width: 0, height: 0, format: 'rgb' };
  }

  #picture(index: number): Picture {
    return { ...this.#info(index), bytes: () => this.#read(index), release: () => undefined };
  }

  async #read(index: number): Promise<Frame> {
    const { source, width, height } = this.#request;
    const file = path.join(source.path, this.#files[index] ?? '');
    if (width === undefined && height === undefined) return decodeImage(file);
    const sharp = await loadSharp();
    const fitted = sharp(file, { failOn: 'error', autoOrient: true }).resize({
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      fit: 'inside',
      withoutEnlargement: true,
    });
    return decodeImage(fitted as unknown as SharpLike);
  }

  get newestSequence(): number {
    return this.#due - 1;
  }

  newest(after: number): Picture | undefined {
    const last = this.#due - 1;
    return last > after ? this.#picture(last) : undefined;
  }

  next(after: number): Picture | undefined {
    const index = Math.max(0, Math.floor(after) + 1);
    if (index >= this.#files.length) {
      if (this.lossless && !this.#over) {
        this.#finish();
        // The state changes with the promise, after this.
        void this.done.then(() => setImmediate(this.#wake));
      }
      return undefined;
    }
    if (this.lossless) this.#due = Math.max(this.#due, index + 1);
    return index < this.#due ? this.#picture(index) : undefined;
  }

  taken(): void {}

  between(first: number, last: number): readonly PictureInfo[] {
    const all = Array.from({ length: this.#due }, (_, i) => this.#info(i));
    return all.filter(({ timestamp }) => timestamp >= first && timestamp <= last);
  }

  counts(): FeedCounts {
    return { received: this.#due, refused: 0, damaged: 0, kept: this.#due, keptBytes: 0 };
  }

  async stop(): Promise<void> {
    this.#finish();
  }
}

const slot = (index: number, share: number): number => Math.floor(index * share + 1e-6);
