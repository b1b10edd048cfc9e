/** Pictures of cameras as JPEG: made once for all who want the same, and only while somebody can take one. */
import { throwIfAborted } from '../../errors.js';
import { loadAddon, type NativeExecutor } from '../../native/index.js';
import type { Pipeline } from '../../pipeline/index.js';
import type { Frame } from '../../types.js';

/** How pictures are wanted. */
export interface PictureWish {
  /** Most pixels of the longer side; never enlarged. */
  readonly maxSide: number;
  /** Of JPEG, 1 to 100. */
  readonly quality: number;
}

export interface StreamedPicture {
  readonly camera: string;
  readonly sequence: number;
  /** ms since the epoch. */
  readonly timestamp: number;
  readonly width: number;
  readonly height: number;
  readonly jpeg: Uint8Array;
}

/** Somebody who looks. */
export interface Viewer {
  /** Whether a picture of this time would be taken now. */
  wants(timestamp: number): boolean;
  take(picture: StreamedPicture): void;
  /** No more will come. */
  end(error?: unknown): void;
}

interface Stream {
  readonly pipeline: Pipeline;
  readonly viewers: Set<Viewer>;
  readonly stop: AbortController;
}

export class Pictures {
  readonly #streams = new Map<string, Stream>();
  #executor: NativeExecutor | undefined;

  /** How many look. */
  get viewers(): number {
    let count = 0;
    for (const { viewers } of this.#streams.values()) count += viewers.size;
    return count;
  }

  /** Begins to give pictures to a viewer; the function that is returned ends it. */
  join(pipeline: Pipeline, camera: string, wish: PictureWish, viewer: Viewer): () => void {
    const key = JSON.stringify([camera, wish.maxSide, wish.quality]);
    let stream = this.#streams.get(key);
    // After a switch of engines the stream of the pipeline before may not have ended yet.
    if (stream?.pipeline !== pipeline) {
      stream = { pipeline, viewers: new Set(), stop: new AbortController() };
      this.#streams.set(key, stream);
      void this.#run(camera, wish, stream, key);
    }
    const { viewers, stop } = stream;
    viewers.add(viewer);
    return () => {
      viewers.delete(viewer);
      if (viewers.size > 0) return;
      stop.abort();
      if (this.#streams.get(key) === stream) this.#streams.delete(key);
    };
  }

  /** The next picture of a camera. Rejects with `NOT_FOUND`, `ABORTED`. */
  async next(pipeline: Pipeline, camera: string, wish: PictureWish, signal: AbortSignal): Promise<StreamedPicture> {
    throwIfAborted(signal);
    for await (const frame of pipeline.frames(camera, { signal })) {
      const { sequence, timestamp } = frame;
      return { camera, sequence, timestamp, ...(await this.encode(frame, wish)) };
    }
    throwIfAborted(signal);
    throw new Error('the camera has ended');
  }

  async encode(
    frame: Frame,
    { maxSide, quality }: PictureWish,
  ): Promise<Pick<StreamedPicture, 'width' | 'height' | 'jpeg'>> {
    const addon = loadAddon();
    this.#executor ??= addon.createExecutor(1);
    const rgb = frame.format === 'rgb' ? frame.data : await addon.convert(this.#executor, frame, 'rgb');
    const { default: sharp } = await import('sharp');
    const { data, info } = await sharp(rgb, { raw: { width: frame.width, height: frame.height, channels: 3 } })
      .resize({ width: maxSide, height: maxSide, fit: 'inside', withoutEnlargement: true })
      .jpeg({ quality })
      .toBuffer({ resolveWithObject: true });
    return { width: info.width, height: info.height, jpeg: data };
  }

  async close(): Promise<void> {
    for (const { stop } of this.#streams.values()) stop.abort();
    this.#streams.clear();
    await this.#executor?.close();
  }

  async #run(camera: string, wish: PictureWish, stream: Stream, key: string): Promise<void> {
    const { pipeline, viewers, stop } = stream;
    let failure: unknown;
    try {
      for await (const frame of pipeline.frames(camera, { signal: stop.signal })) {
        const { sequence, timestamp } = frame;
        if (![...viewers].some((viewer) => viewer.wants(timestamp))) continue;
        const picture = { camera, sequence, timestamp, ...(await this.encode(frame, wish)) };
        // Who was ready may not be any more, and the other way round.
        for (const viewer of [...viewers]) if (viewer.wants(timestamp)) viewer.take(picture);
      }
    } catch (error) {
      failure = error;
    }
    if (this.#streams.get(key) === stream) this.#streams.delete(key);
    for (const viewer of [...viewers]) viewer.end(stop.signal.aborted ? undefined : failure);
  }
}
