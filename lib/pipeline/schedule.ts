import { onAbort } from '../errors/abort.js';
import { abortError } from '../errors.js';

/** Whose turn it is. */
export interface Place {
  /** Resolves when it is this camera's turn for a frame of that time, with a function that gives the place back. Rejects with `ABORTED`. */
  take(camera: number, signal: AbortSignal, timestamp: number): Promise<() => void>;
  /** The camera has no more frames. */
  leave(camera: number): void;
}

/**
 * Places in the engine, given to cameras in turn: one that has just had a place comes after all others that wait. A camera waits for at
 * most one place at a time.
 */
export class Turns implements Place {
  #free: number;
  /** Who waits, by number of the camera. */
  readonly #waiting = new Map<number, () => void>();
  #last = -1;

  /** @param places how many may be in the engine at a time */
  constructor(places: number) {
    this.#free = places;
  }

  /** Cameras that wait now. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when it is this camera's turn, with a function that gives the place back (idempotent). Rejects with `ABORTED`. */
  take(camera: number, signal: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      if (this.#free > 0) return resolve(this.#hand(camera));
      const forget = onAbort(signal, () => {
        this.#waiting.delete(camera);
        reject(abortError(signal));
      });
      this.#waiting.set(camera, () => {
        forget();
        resolve(this.#hand(camera));
      });
    });
  }

  leave(camera: number): void {
    this.#waiting.delete(camera);
  }

  #hand(camera: number): () => void {
    this.#free--;
    this.#last = camera;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#free++;
      this.#next();
    };
  }

  /** The first that waits after the one that was served last, around the circle. */
  #next(): void {
    let after: number | undefined;
    let first: number | undefined;
    for (const camera of this.#waiting.keys()) {
      if (first === undefined || camera < first) first = camera;
      if (camera > this.#last && (after === undefined || camera < after)) after = camera;
    }
    const chosen = after ?? first;
    if (chosen === undefined) return;
    const wake = this.#waiting.get(chosen)!;
    this.#waiting.delete(chosen);
    wake();
  }
}

/**
 * One frame at a time, always the earliest over all cameras: a camera's turn comes when every other one waits with a later frame, or has no
 * more. The order is that of the timestamps, whatever the machine is doing.
 */
export class TimeOrder implements Place {
  readonly #coming: Set<number>;
  readonly #waiting = new Map<number, { readonly timestamp: number; readonly go: () => void }>();
  #busy = false;

  /** @param cameras how many there are, numbered from 0 */
  constructor(cameras: number) {
    this.#coming = new Set(Array.from({ length: cameras }, (_, i) => i));
  }

  take(camera: number, signal: AbortSignal, timestamp: number): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(abortError(signal));
      const forget = onAbort(signal, () => {
        this.#waiting.delete(camera);
        reject(abortError(signal));
      });
      this.#waiting.set(camera, {
        timestamp,
        go: () => {
          forget();
          this.#busy = true;
          resolve(() => {
            this.#busy = false;
            this.#next();
          });
        },
      });
      this.#next();
    });
  }

  leave(camera: number): void {
    this.#coming.delete(camera);
    this.#next();
  }

  #next(): void {
    if (this.#busy || this.#waiting.size < this.#coming.size) return;
    let first: number | undefined;
    for (const [camera, { timestamp }] of this.#waiting) {
      const best = first === undefined ? undefined : this.#waiting.get(first)!.timestamp;
      if (best === undefined || timestamp < best || (timestamp === best && camera < first!)) first = camera;
    }
    if (first === undefined) return;
    const { go } = this.#waiting.get(first)!;
    this.#waiting.delete(first);
    go();
  }
}
