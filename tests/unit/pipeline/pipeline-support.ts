import { setTimeout as wait } from 'node:timers/promises';
import type { CameraFrame, CameraNotice, CameraStats, FramesOptions } from '../../../lib/capture/types.js';
import type { PipelineCamera, PipelineEvent } from '../../../lib/pipeline/index.js';
import type { Frame } from '../../../lib/types.js';

export interface MemoryCameraOptions {
  readonly id?: string;
  /** Picture by number; absent: it is over. */
  readonly picture: (i: number) => Frame | undefined;
  readonly fps?: number;
  /** `live`: a picture comes when it is time, older ones are dropped. Otherwise each waits to be taken. */
  readonly live?: boolean;
  /** Of the first picture. */
  readonly start?: number;
  /** Fails with this picture. */
  readonly failAt?: readonly [picture: number, error: Error];
}

/** A camera whose pictures are made by a function: what an application with a source of its own would write. */
export class MemoryCamera implements PipelineCamera {
  readonly id: string;
  readonly lossless: boolean;
  readonly #options: MemoryCameraOptions;
  readonly #start: number;
  readonly #interval: number;
  readonly #listeners = new Set<(notice: CameraNotice) => void>();
  #delivered = 0;
  #dropped = 0;
  #received = 0;
  #size = { width: 0, height: 0 };
  closed = false;

  constructor(options: MemoryCameraOptions) {
    this.id = options.id ?? 'memory';
    this.lossless = options.live !== true;
    this.#options = options;
    this.#interval = 1000 / (options.fps ?? 10);
    this.#start = options.start ?? (options.live === true ? Date.now() : Date.UTC(2026, 0, 1));
  }

  async *frames({ signal }: FramesOptions): AsyncGenerator<CameraFrame, void, undefined> {
    for (let i = 0; ; i++) {
      if (this.#options.live === true) {
        const due = Math.floor((Date.now() - this.#start) / this.#interval);
        if (due > i) {
          this.#dropped += due - i;
          i = due;
        } else if (due < i) {
          await wait(this.#start + i * this.#interval - Date.now(), undefined, signal === undefined ? {} : { signal });
        }
      }
      signal?.throwIfAborted();
      const [failing, error] = this.#options.failAt ?? [];
      if (failing !== undefined && i >= failing) throw error;
      const picture = this.#options.picture(i);
      if (picture === undefined) return;
      this.#size = picture;
      this.#received = i + 1;
      this.#delivered++;
      yield { ...picture, camera: this.id, sequence: i, timestamp: this.#start + i * this.#interval };
    }
  }

  /** Live ones only: of the others each waits. */
  get newestSequence(): number | undefined {
    return this.lossless ? undefined : Math.floor((Date.now() - this.#start) / this.#interval);
  }

  onNotice(listener: (notice: CameraNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Says something of itself. */
  tell(notice: Omit<CameraNotice, 'camera'>): void {
    for (const listener of this.#listeners) listener({ ...notice, camera: this.id });
  }

  stats(): CameraStats {
    const now = this.#options.live === true ? Math.floor((Date.now() - this.#start) / this.#interval) + 1 : 0;
    return {
      state: 'running',
      received: Math.max(this.#received, now),
      delivered: this.#delivered,
      dropped: this.#dropped,
      damaged: 0,
      reconnects: 0,
      width: this.#size.width,
      height: this.#size.height,
      format: 'rgb',
      fps: 1000 / this.#interval,
      buffered: 0,
      bufferedBytes: 0,
    };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** All events until the end. */
export async function collect(events: AsyncIterable<PipelineEvent>): Promise<PipelineEvent[]> {
  const all: PipelineEvent[] = [];
  for await (const event of events) all.push(event);
  return all;
}

/** What two runs can be compared by: everything but the ids. */
export const bare = (events: readonly PipelineEvent[]): object[] => events.map(({ id: _, ...rest }) => ({ ...rest }));
