import { onAbort } from '../errors/abort.js';
import { abortError } from '../errors.js';

/**
 * Places in the engine, given to cameras in turn: one that has just had a place comes after all others that wait. A camera waits for at
 * most one place at a time.
 */
export class Turns {
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
