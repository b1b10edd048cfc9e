import { type LineamentError, wrapError } from '../errors.js';
import type { PipelineEvent } from './types.js';

/** Where events are kept. */
export interface EventStore {
  /** All or none; resolves when they are on the disk, with what is to be told of them. */
  append(events: readonly PipelineEvent[]): Promise<readonly PipelineEvent[]>;
}

export interface SinkOptions {
  /** Absent: nothing is kept, events are told at once. */
  readonly store: EventStore | undefined;
  /** Told of each event in order, after it is on the disk. */
  readonly tell: (event: PipelineEvent) => void;
  /** The store failed for the first time, refused an event, or works again; `waiting` events are not told yet, `lost` were given up since. */
  readonly notice: (failure: LineamentError | undefined, waiting: number, lost: number) => void;
  /** Milliseconds that a commit took. */
  readonly committed: (milliseconds: number) => void;
  /** Most events that wait for a store that fails; beyond it the oldest are lost and counted. */
  readonly capacity?: number;
  /** First and longest wait before the next try, milliseconds. */
  readonly retryMs?: readonly [first: number, most: number];
}

/** Most events of one commit. */
const BATCH = 500;

/**
 * Events on their way to the disk and from there to the listeners, in order: what a listener has heard of is never lost. Where the disk is
 * full events wait, the pipeline goes on, and the commit is tried again.
 */
export class EventSink {
  readonly #options: SinkOptions;
  readonly #capacity: number;
  readonly #waiting: PipelineEvent[] = [];
  #running: Promise<void> | undefined;
  #failing = false;
  #closing = false;
  #wake: (() => void) | undefined;
  #lost = 0;
  /** Of these it was told. */
  #toldLost = 0;
  readonly #flushing: (() => void)[] = [];

  constructor(options: SinkOptions) {
    this.#options = options;
    this.#capacity = options.capacity ?? 10_000;
  }

  /** Events that are not on the disk yet. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Events that were given up: nobody has heard of them. */
  get lost(): number {
    return this.#lost;
  }

  submit(events: readonly PipelineEvent[]): void {
    if (events.length === 0) return;
    if (this.#options.store === undefined) {
      for (const event of events) this.#options.tell(event);
      return;
    }
    this.#waiting.push(...events);
    const over = this.#waiting.length - this.#capacity;
    if (over > 0 && this.#failing) {
      this.#waiting.splice(0, over);
      this.#lost += over;
    }
    this.#running ??= this.#run(this.#options.store).finally(() => {
      this.#running = undefined;
      this.#flushed();
    });
  }

  /** Resolves when nothing waits any more, or as soon as the store fails. */
  flush(): Promise<void> {
    if (this.#running === undefined || this.#failing) return Promise.resolve();
    return new Promise((resolve) => this.#flushing.push(resolve));
  }

  /** One more try for what waits; what cannot be written then is lost. Gives how many that are. */
  async close(): Promise<number> {
    this.#closing = true;
    this.#wake?.();
    await this.#running;
    return this.#lost;
  }

  async #run(store: EventStore): Promise<void> {
    const [first, most] = this.#options.retryMs ?? [250, 10_000];
    let wait = first;
    let size = BATCH;
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, size);
      const last = this.#closing;
      const start = performance.now();
      let told: readonly PipelineEvent[];
      try {
        told = await store.append(batch);
      } catch (cause) {
        const error = wrapError(cause);
        if (error.code === 'INVALID_ARGUMENT') {
          // An event that the store will never take must not hold up the others: halves, until it is alone.
          if (batch.length > 1) {
            size = Math.ceil(batch.length / 2);
          } else {
            const at = this.#waiting.indexOf(batch[0]!);
            if (at >= 0) this.#waiting.splice(at, 1);
            this.#lost++;
            this.#notice(error);
          }
          continue;
        }
        if (!this.#failing) {
          this.#failing = true;
          this.#flushed();
          this.#notice(error);
        }
        if (last) {
          this.#lost += this.#waiting.length;
          this.#waiting.length = 0;
          return;
        }
        await this.#pause(wait);
        wait = Math.min(most, wait * 2);
        continue;
      }
      this.#options.committed(performance.now() - start);
      wait = first;
      size = BATCH;
      // Where the store was failing the first ones may have been given up while they were being written after all.
      const written = new Set(batch);
      let kept = 0;
      while (kept < this.#waiting.length && written.has(this.#waiting[kept]!)) kept++;
      this.#waiting.splice(0, kept);
      this.#lost -= batch.length - kept;
      if (this.#failing) {
        this.#failing = false;
        this.#notice(undefined);
      }
      for (const event of told) this.#options.tell(event);
    }
  }

  #notice(failure: LineamentError | undefined): void {
    this.#options.notice(failure, this.#waiting.length, Math.max(0, this.#lost - this.#toldLost));
    this.#toldLost = this.#lost;
  }

  #flushed(): void {
    for (const go of this.#flushing.splice(0)) go();
  }

  /** Waits, but not longer than until `close`; keeps no process alive. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#closing) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
