import type { LineamentError } from '../errors.js';
import type { Frame } from '../types.js';
import type { CameraStats } from './types.js';

/** What a picture is before anybody has looked at its pixels. Times in milliseconds. */
export interface PictureInfo {
  readonly sequence: number;
  readonly timestamp: number;
  readonly position?: number;
  readonly width: number;
  readonly height: number;
  readonly format: CameraStats['format'];
}

/** A picture that is held: it is not overwritten until it is released, once. */
export interface Picture extends PictureInfo {
  /** Its bytes where they lie, valid until `release`. Pictures that are files of a folder are read here: may reject with `IMAGE_…`. */
  bytes(): Uint8Array | Promise<Frame>;
  release(): void;
}

/** Why no picture will follow. */
export interface FeedEnd {
  /** Absent where the source came to its end. */
  readonly error?: LineamentError;
  /** Trying again will not help. */
  readonly final?: boolean;
}

/** Counts over all connections of a camera. */
export interface FeedCounts {
  readonly received: number;
  /** Pictures that found no room, because all were held. */
  readonly refused: number;
  readonly damaged: number;
  readonly kept: number;
  readonly keptBytes: number;
}

/** One connection to a source. A later one of the same camera goes on where it stopped: numbers, times and what is kept. */
export interface Feed {
  /** Every picture waits to be taken: none is skipped and none is overwritten before. */
  readonly lossless: boolean;
  /** Settles with the first picture, or with the end where none came. */
  readonly ready: Promise<void>;
  readonly done: Promise<FeedEnd>;
  /** Number of the newest picture that has come; absent before the first. */
  readonly newestSequence: number | undefined;
  /** The newest picture later than `after`, or the oldest that is kept and later; absent where there is none yet. */
  newest(after: number): Picture | undefined;
  next(after: number): Picture | undefined;
  /** Every reader has had what is up to this number: a lossless feed goes on. */
  taken(sequence: number): void;
  /** What is kept between two times, oldest first. */
  between(first: number, last: number): readonly PictureInfo[];
  counts(): FeedCounts;
  /** Faces in the newest picture, for the exposure. */
  meter?(boxes: readonly (readonly [number, number, number, number])[]): void;
  /** Ends the connection and waits for it; what is kept stays readable until `dispose`. Idempotent. */
  stop(): Promise<void>;
}

/** Opens a connection; `wake` is called after each picture. Rejects with the reason where it cannot even begin. */
export type OpenFeed = (wake: () => void, before: Feed | undefined, signal: AbortSignal) => Promise<Feed>;
