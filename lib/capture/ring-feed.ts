import { LineamentError, wrapError } from '../errors.js';
import type { NativeCamera, NativePicture, RingChoice, RingOptions } from '../native/capture.js';
import type { Feed, FeedCounts, FeedEnd, Picture, PictureInfo } from './feed.js';

/** What a feed is made of beside the native camera. */
export interface RingFeedParts {
  readonly native: NativeCamera;
  readonly lossless: boolean;
  readonly wake: () => void;
  /** The connection whose ring this one took over, or that it replaces. */
  readonly before: RingFeed | undefined;
  /** Whether the ring is a new one although there was a connection before. */
  readonly fresh?: boolean;
  /** Says why the ring ended. */
  readonly explain: (ending: NativeEnding, pictures: boolean) => FeedEnd | Promise<FeedEnd>;
  /** Ends what fills the ring, while the ring is closed. */
  readonly release: () => Promise<void>;
  /** Damage that the native side cannot see. */
  readonly damaged?: () => number;
  readonly meter?: Feed['meter'];
}

/** Why no picture follows, as native code says it; code `OK` for the end of the bytes. */
export type NativeEnding = NonNullable<NativeCamera['ending']>;

/** A feed from a native ring. */
export class RingFeed implements Feed {
  readonly lossless: boolean;
  readonly ready: Promise<void>;
  readonly done: Promise<FeedEnd>;
  readonly native: NativeCamera;
  /** Without the connection before: it would keep all that were before it. */
  readonly #parts: Omit<RingFeedParts, 'before'>;
  /** Pictures of earlier connections; numbers of a fresh ring begin above theirs. */
  readonly #base: Pick<FeedCounts, 'received' | 'damaged' | 'refused'>;
  readonly #offset: number;
  #last: number;
  #pictures = false;
  #stopping: Promise<void> | undefined;

  constructor(parts: RingFeedParts) {
    const { before, ...rest } = parts;
    const { native, fresh = false } = rest;
    this.#parts = rest;
    this.native = native;
    this.lossless = parts.lossless;
    const earlier = before?.counts();
    this.#base = {
      received: earlier?.received ?? 0,
      damaged: earlier?.damaged ?? 0,
      refused: fresh ? (earlier?.refused ?? 0) : (before?.refusedBase ?? 0),
    };
    this.#offset = fresh ? (before?.last ?? -1) + 1 : (before?.offset ?? 0);
    this.#last = before?.last ?? -1;
    let first: () => void = () => undefined;
    this.ready = new Promise((resolve) => {
      first = resolve;
    });
    this.done = this.#pump(first);
    void this.done.then(first);
  }

  /** @internal Of the connection that follows. */
  get offset(): number {
    return this.#offset;
  }

  /** @internal */
  get last(): number {
    return this.#last;
  }

  get newestSequence(): number | undefined {
    return this.#last < 0 ? undefined : this.#last;
  }

  /** @internal */
  get refusedBase(): number {
    return this.#base.refused;
  }

  /** Wakes the camera with every picture, as long as they come. */
  async #pump(first: () => void): Promise<FeedEnd> {
    const { native, wake, explain } = this.#parts;
    try {
      for (;;) {
        const picture = await native.next(this.#inRing(this.#last), { order: 'newest', borrow: true });
        if (picture === null) break;
        this.#last = picture.sequence + this.#offset;
        picture.release?.();
        this.#pictures = true;
        first();
        wake();
      }
      if (this.#stopping !== undefined) return {};
      return await explain(native.ending ?? { code: 'OK', message: '' }, this.#pictures);
    } catch (error) {
      return this.#stopping === undefined ? { error: wrapError(error) } : {};
    }
  }

  newest(after: number): Picture | undefined {
    return this.#held(this.native.read(this.#inRing(after), { order: 'newest', borrow: true }));
  }

  next(after: number): Picture | undefined {
    return this.#held(this.native.read(this.#inRing(after), { order: 'all', borrow: true }));
  }

  taken(sequence: number): void {
    if (this.lossless) this.native.taken(this.#inRing(sequence));
  }

  between(first: number, last: number): readonly PictureInfo[] {
    const clamp = (ms: number): number => Math.min(1e15, Math.max(-1e15, ms));
    const found = this.native.between(clamp(first), clamp(last));
    return found.map((info) => ({ ...info, sequence: info.sequence + this.#offset }));
  }

  counts(): FeedCounts {
    const { received, damaged, refused, kept, keptBytes } = this.native.counts;
    return {
      // The native count comes a moment after the picture.
      received: this.#base.received + Math.max(received, this.#pictures ? 1 : 0),
      damaged: this.#base.damaged + damaged + (this.#parts.damaged?.() ?? 0),
      refused: this.#base.refused + refused,
      kept,
      keptBytes,
    };
  }

  meter(boxes: readonly (readonly [number, number, number, number])[]): void {
    this.#parts.meter?.(boxes);
  }

  stop(): Promise<void> {
    this.#stopping ??= (async () => {
      // At once: whoever writes into a full pipe hears nothing else.
      await Promise.all([this.#parts.release(), this.native.close()]);
      await this.done;
    })();
    return this.#stopping;
  }

  #inRing(sequence: number): number {
    return Math.max(-1, Math.floor(sequence) - this.#offset);
  }

  #held(picture: NativePicture | null): Picture | undefined {
    if (picture === null) return undefined;
    const { data, release, ...info } = picture;
    return { ...info, sequence: info.sequence + this.#offset, bytes: () => data, release: () => release?.() };
  }
}

/** What native code said, as the error that it stands for; absent for a clean end. */
export function endingError(name: string, { code, message }: NativeEnding): LineamentError | undefined {
  if (code === 'OK') return undefined;
  const error = wrapError(Object.assign(new Error(message), { code }), undefined, 'CAMERA_LOST');
  return new LineamentError(error.code, `${name}: ${message}`);
}

/**
 * Opens a source into the ring of the connection before, or into a fresh one where there was none, or where that ring was lost with a try
 * that failed half-way.
 */
export async function intoRing<T>(
  earlier: RingFeed | undefined,
  ring: RingOptions,
  open: (choice: RingChoice) => T | Promise<T>,
): Promise<{ readonly opened: T; readonly fresh: boolean }> {
  if (earlier !== undefined) {
    try {
      return { opened: await open({ takeOver: earlier.native }), fresh: false };
    } catch (error) {
      if (wrapError(error).code !== 'CLOSED') throw error;
    }
  }
  return { opened: await open({ ring }), fresh: earlier !== undefined };
}
