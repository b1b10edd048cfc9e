import { BoundedQueue } from './queue.js';
import type { PipelineEvent, PipelineEventType } from './types.js';

/** Events of one type, or of all (`'*'`). */
export type EventOf<T extends PipelineEventType | '*'> = T extends PipelineEventType
  ? Extract<PipelineEvent, { readonly type: T }>
  : PipelineEvent;

/** What an event is told by: a listener may be asynchronous, and gets the next one when it is done with this one. */
export type EventListener<T extends PipelineEventType | '*'> = (event: EventOf<T>) => void | Promise<void>;

export interface SubscribeOptions {
  /** Stops the iteration, which then rejects with `ABORTED`. */
  readonly signal?: AbortSignal;
  /** Only these types; all when absent. */
  readonly types?: readonly PipelineEventType[];
  /** Most events that wait for this consumer; default 1000. Beyond it the oldest are lost, and a `gap` says how many. */
  readonly capacity?: number;
}

export const DEFAULT_CAPACITY = 1000;

interface Consumer {
  readonly queue: BoundedQueue<PipelineEvent>;
  readonly types: ReadonlySet<PipelineEventType> | undefined;
}

/** Hands each event to everyone who wants it; each has a queue of its own and none waits for another. */
export class EventBus {
  readonly #consumers = new Set<Consumer>();
  readonly #makeGap: (count: number, last: PipelineEvent) => PipelineEvent;
  readonly #listeners = new Map<Promise<void>, BoundedQueue<PipelineEvent>>();
  #lost = 0;
  #failures = 0;
  #late = 0;
  #ended = false;

  /** @param makeGap the event that tells a consumer what it has lost */
  constructor(makeGap: (count: number, last: PipelineEvent) => PipelineEvent) {
    this.#makeGap = makeGap;
  }

  /** Consumers, events that wait for the slowest of them, events that were lost, and errors that listeners threw. */
  stats(): { readonly consumers: number; readonly queued: number; readonly lost: number; readonly failures: number } {
    let queued = 0;
    let lost = this.#lost;
    for (const { queue } of this.#consumers) {
      queued = Math.max(queued, queue.length);
      lost += queue.lost;
    }
    return { consumers: this.#consumers.size, queued, lost, failures: this.#failures };
  }

  /** Events that listeners had not taken when `end` gave up waiting for them. */
  get late(): number {
    return this.#late;
  }

  publish(event: PipelineEvent): void {
    for (const { queue, types } of this.#consumers) if (types?.has(event.type) !== false) queue.push(event);
  }

  /** Begins at once: nothing that happens after this call is missed, however late the first one is asked for. */
  subscribe(options: SubscribeOptions = {}): BoundedQueue<PipelineEvent> {
    return this.#add(options, this.#makeGap);
  }

  /** Calls a listener for each event; gives a function that stops it. What the listener throws is counted, and told by a warning. */
  on<T extends PipelineEventType | '*'>(type: T, listener: EventListener<T>, capacity?: number): () => void {
    const queue = this.#add(
      { ...(type === '*' ? {} : { types: [type] }), ...(capacity === undefined ? {} : { capacity }) },
      // A listener for one type is given no other: everybody is told instead.
      (count, last) => {
        const gap = this.#makeGap(count, last);
        if (type === '*' || type === 'gap') return gap;
        this.publish(gap);
        return undefined;
      },
    );
    const run = async (): Promise<void> => {
      for await (const event of queue) {
        try {
          await listener(event as EventOf<T>);
        } catch (error) {
          this.#failures++;
          process.emitWarning(
            `A listener of the pipeline threw: ${error instanceof Error ? error.message : String(error)}`,
            {
              code: 'LINEAMENT_LISTENER',
            },
          );
        }
      }
    };
    const running = run();
    this.#listeners.set(running, queue);
    void running.finally(() => this.#listeners.delete(running));
    return () => void queue.return();
  }

  /** Nothing more comes; what is queued is still given. Resolves when the listeners have had it, or after `withinMs`. */
  async end(withinMs: number): Promise<void> {
    this.#ended = true;
    for (const { queue } of [...this.#consumers]) queue.end();
    if (this.#listeners.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([Promise.all(this.#listeners.keys()), late]);
    clearTimeout(timer);
    for (const queue of this.#listeners.values()) this.#late += queue.length;
  }

  #add(
    { signal, types, capacity }: SubscribeOptions,
    lost: (count: number, last: PipelineEvent) => PipelineEvent | undefined,
  ): BoundedQueue<PipelineEvent> {
    const queue: BoundedQueue<PipelineEvent> = new BoundedQueue({
      capacity: capacity ?? DEFAULT_CAPACITY,
      lost,
      signal,
      done: () => {
        this.#lost += queue.lost;
        this.#consumers.delete(consumer);
      },
    });
    const consumer: Consumer = { queue, types: types === undefined ? undefined : new Set(types) };
    if (this.#ended) queue.end();
    else this.#consumers.add(consumer);
    return queue;
  }
}
