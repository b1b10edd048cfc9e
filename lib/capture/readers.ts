import { onAbort } from '../errors/abort.js';
import { abortError, throwIfAborted } from '../errors.js';
import type { Feed, Picture, PictureInfo } from './feed.js';
import type { CameraState, FramesOptions } from './types.js';

/** What readers need to know of the camera. */
export interface ReadCamera {
  readonly feed: Feed | undefined;
  readonly state: CameraState;
  /** Why it failed. */
  readonly failure: Error | undefined;
}

/** Makes a frame of a picture; absent where it is damaged. */
type Develop<T> = (picture: Picture, borrow: boolean) => Promise<T | undefined>;

/** Everybody who takes pictures from one camera, each at their own pace. */
export class Readers {
  readonly #camera: ReadCamera;
  readonly #waiting = new Set<() => void>();
  /** The picture that each is done with: asked for the next. */
  readonly #cursors = new Set<{ done: number }>();
  /** The latest picture that any of them is done with. */
  #taken = -1;
  #latest: PictureInfo | undefined;
  #delivered = 0;
  #skipped = 0;
  #undecodable = 0;

  constructor(camera: ReadCamera) {
    this.#camera = camera;
  }

  /** Pictures that were handed out, left out between two that a reader had, and could not be decoded; over all readers. */
  get counts(): { readonly delivered: number; readonly skipped: number; readonly undecodable: number } {
    return { delivered: this.#delivered, skipped: this.#skipped, undecodable: this.#undecodable };
  }

  /** What the picture was that was handed out last. */
  get latest(): PictureInfo | undefined {
    return this.#latest;
  }

  /** A picture came, or the state changed. */
  wake(): void {
    const all = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of all) wake();
  }

  async *read<T extends { readonly width: number; readonly height: number }>(
    { signal, order = 'newest', borrow = false }: FramesOptions,
    develop: Develop<T>,
  ): AsyncGenerator<T, void, undefined> {
    let at = order === 'all' || this.#camera.feed?.lossless === true ? this.#taken : -1;
    const cursor = { done: at };
    let first = true;
    this.#cursors.add(cursor);
    try {
      for (;;) {
        throwIfAborted(signal);
        const { feed, state, failure } = this.#camera;
        const all = order === 'all' || feed?.lossless === true;
        const picture = all ? feed?.next(at) : feed?.newest(at);
        if (picture === undefined) {
          if (state === 'failed') throw failure;
          if (state === 'ended') return;
          await this.#change(signal);
          continue;
        }
        if (!first) this.#skipped += Math.max(0, picture.sequence - at - 1);
        first = false;
        let held: Picture | undefined = picture;
        try {
          at = picture.sequence;
          const made = await develop(picture, borrow);
          if (made === undefined) {
            this.#undecodable++;
            continue;
          }
          const { width, height } = made;
          this.#latest = { ...infoOf(picture), width, height };
          this.#delivered++;
          if (!borrow) held = release(held);
          yield made;
        } finally {
          release(held);
          cursor.done = at;
          this.#taken = Math.max(this.#taken, at);
          this.#tell();
        }
      }
    } finally {
      this.#cursors.delete(cursor);
      this.#tell();
    }
  }

  /** Tells the source what everybody is done with. */
  #tell(): void {
    if (this.#cursors.size === 0) return;
    const least = Math.min(...[...this.#cursors].map(({ done }) => done));
    if (least >= 0) this.#camera.feed?.taken(least);
  }

  /** Resolves with the next picture or change of state. */
  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        forget?.();
        resolve();
      };
      const forget =
        signal &&
        onAbort(signal, () => {
          this.#waiting.delete(wake);
          reject(abortError(signal));
        });
      this.#waiting.add(wake);
    });
  }
}

function release(picture: Picture | undefined): undefined {
  picture?.release();
  return undefined;
}

/** The plain facts of a picture. */
export function infoOf({ sequence, timestamp, position, width, height, format }: Picture): PictureInfo {
  return { sequence, timestamp, ...(position === undefined ? {} : { position }), width, height, format };
}
