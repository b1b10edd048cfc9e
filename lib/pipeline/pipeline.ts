import type { CameraFrame, FramesOptions } from '../capture/types.js';
import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { Gallery } from '../gallery/index.js';
import type { EventBus, EventListener, SubscribeOptions } from './bus.js';
import type { CameraLoop } from './camera-loop.js';
import type { EventLog } from './events/index.js';
import type { Identities, Strangers } from './identity/index.js';
import type { Looks } from './looks.js';
import type { PipelineCamera } from './options.js';
import { covered, type Redactor } from './privacy/index.js';
import { BoundedQueue } from './queue.js';
import type { EventSink } from './sink.js';
import type { StageTimes } from './stages.js';
import type { ClosingReport, PipelineStats, TracksSnapshot, WatchedCamera } from './stats.js';
import type { PipelineEvent, PipelineEventType } from './types.js';

/** @internal What a pipeline is made of once everything is open. */
export interface PipelineParts {
  readonly cameras: readonly PipelineCamera[];
  /** Cameras that could not be opened, and what is told of them. */
  readonly failed: readonly { readonly camera: WatchedCamera; readonly events: readonly PipelineEvent[] }[];
  readonly loops: readonly CameraLoop[];
  readonly looks: readonly Looks[];
  readonly bus: EventBus;
  readonly sink: EventSink;
  readonly times: StageTimes;
  readonly snapshots: Snapshots;
  readonly identities: Identities | undefined;
  readonly strangers: Strangers | undefined;
  readonly gallery: Gallery | undefined;
  readonly log: EventLog | undefined;
  readonly redactor: Redactor | undefined;
  /** Bytes of the networks. */
  readonly networks: () => number;
  readonly told: () => number;
  /** Tells of something that went wrong beside the cameras. */
  readonly report: (stage: string, count: number, message: string) => void;
  readonly stop: AbortController;
  /** Ends recordings that are under way; gives how many were not finished. */
  readonly finishClips: () => Promise<number>;
  /** Closes what the pipeline has opened, in this order. */
  readonly closers: readonly (() => Promise<unknown>)[];
}

/** Listeners are waited for so long at the end. */
const LISTENERS_MS = 2000;

/** Hands the newest state of each camera to dashboards; who is slow misses what came in between. */
export class Snapshots {
  readonly #queues = new Set<{ readonly camera: string | undefined; readonly queue: BoundedQueue<TracksSnapshot> }>();
  #ended = false;

  publish(snapshot: TracksSnapshot): void {
    for (const { camera, queue } of this.#queues) {
      if (camera === undefined || camera === snapshot.camera) queue.push(snapshot);
    }
  }

  subscribe(
    camera: string | undefined,
    capacity: number,
    signal: AbortSignal | undefined,
  ): BoundedQueue<TracksSnapshot> {
    const one = {
      camera,
      queue: new BoundedQueue<TracksSnapshot>({ capacity, signal, done: () => this.#queues.delete(one) }),
    };
    if (this.#ended) one.queue.end();
    else this.#queues.add(one);
    return one.queue;
  }

  end(): void {
    this.#ended = true;
    for (const { queue } of [...this.#queues]) queue.end();
  }
}

/**
 * Cameras being watched, made by `openPipeline`. It runs by itself: of each camera the newest frame is taken when the engine has room, cameras
 * in turn; no listener, disk or camera holds up another. An event is told when it is in the log (where there is one): what a listener has
 * heard of is not lost. Close it, or declare it with `await using`.
 */
export class Pipeline implements AsyncDisposable {
  readonly #parts: PipelineParts;
  readonly #finished: Promise<ClosingReport>;
  #closing: Promise<ClosingReport> | undefined;

  /** @internal */
  constructor(parts: PipelineParts) {
    this.#parts = parts;
    this.#finished = this.#run();
  }

  /** The cameras that could be opened. */
  get cameras(): readonly PipelineCamera[] {
    return this.#parts.cameras;
  }

  /** Who is known; absent where nobody is identified. */
  get gallery(): Gallery | undefined {
    return this.#parts.gallery;
  }

  /** The log of events, for queries and retention; absent without `data`. */
  get log(): EventLog | undefined {
    return this.#parts.log;
  }

  /** Strangers, for names, merges and splits; absent without `data`. */
  get strangers(): Strangers | undefined {
    return this.#parts.strangers;
  }

  /** Resolves when all cameras have ended and everything is told; the pipeline is still to be closed. Never rejects. */
  get done(): Promise<ClosingReport> {
    return this.#finished;
  }

  /**
   * Events from this call on: `for await (const event of pipeline.events({ signal }))`. Ends when all cameras have ended. Who is too slow
   * loses the oldest and is told so by a `gap` of stage `listener`. Throws `ABORTED` when the signal fires, `INVALID_ARGUMENT`.
   */
  events(options: SubscribeOptions = {}): AsyncIterableIterator<PipelineEvent> {
    return this.#parts.bus.subscribe(options);
  }

  /**
   * Calls a listener for each event of a type, or for all (`'*'`); gives a function that stops it. It is called again when it is done, also
   * where it is asynchronous; meanwhile others are not. What it throws is counted and told by a process warning. `capacity` as for `events`.
   */
  on<T extends PipelineEventType | '*'>(
    type: T,
    listener: EventListener<T>,
    options: { readonly capacity?: number } = {},
  ): () => void {
    if (typeof listener !== 'function') throw invalid('listener', 'function', listener);
    return this.#parts.bus.on(type, listener, options.capacity);
  }

  /** Tracks of a camera (of all when absent) frame by frame, for dashboards: always the newest, what came in between is skipped. Ends as `events`. */
  tracks(camera?: string, options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<TracksSnapshot> {
    if (camera !== undefined) this.#camera(camera);
    const capacity = camera === undefined ? Math.max(1, this.#parts.cameras.length) : 1;
    return this.#parts.snapshots.subscribe(camera, capacity, options.signal);
  }

  /**
   * Frames of a camera for a stream, with faces covered as the privacy policy says. As `Camera.frames`; where there is a policy each waits until
   * the detector has seen it or a later one, and is a copy.
   */
  async *frames(camera: string, options: FramesOptions = {}): AsyncGenerator<CameraFrame, void, undefined> {
    const { redactor } = this.#parts;
    const source = this.#camera(camera);
    if (redactor === undefined || redactor.mode === 'none') {
      yield* source.frames(options);
      return;
    }
    const { signal, order } = options;
    const all = order === 'all' || source.lossless === true;
    yield* covered(redactor, (over) => source.frames({ ...options, borrow: false, signal: over }), { all, signal });
  }

  stats(): PipelineStats {
    const { loops, failed, times, sink, bus, networks, told } = this.#parts;
    const { rss, heapUsed, external } = process.memoryUsage();
    return {
      cameras: [...loops.map((loop) => loop.stats()), ...failed.map(({ camera }) => camera)],
      stages: times.summary(),
      events: { told: told(), waiting: sink.waiting, lost: sink.lost },
      listeners: bus.stats(),
      memory: { rss, heap: heapUsed, external, networks: networks() },
    };
  }

  /** Begins the stages' histograms anew. */
  resetTimes(): void {
    this.#parts.times.reset();
  }

  /**
   * Stops the cameras, tells who has left, writes what waits, ends recordings and closes what the pipeline has opened. Idempotent; says
   * what was lost. Never rejects.
   */
  close(): Promise<ClosingReport> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #camera(id: string): PipelineCamera {
    const found = this.#parts.cameras.find((camera) => camera.id === id);
    if (found === undefined) throw new LineamentError('NOT_FOUND', `there is no camera '${id}' in this pipeline`);
    return found;
  }

  async #run(): Promise<ClosingReport> {
    const { loops, looks, failed, sink, bus, snapshots, identities, finishClips, redactor } = this.#parts;
    // Whoever opened the pipeline can listen before anything happens.
    await new Promise<void>((resolve) => setImmediate(resolve));
    for (const { events } of failed) sink.submit(events);
    await Promise.all(
      loops.map(async (loop) => {
        await loop.run();
        redactor?.end(loop.camera);
      }),
    );
    for (const one of looks) await one.settle();
    await identities?.close().catch(() => undefined);
    // Clips are told of by events, and begin with some.
    await sink.flush();
    const clips = await finishClips();
    const events = await sink.close();
    snapshots.end();
    const before = bus.stats();
    await bus.end(LISTENERS_MS);
    const frames = loops.reduce((sum, loop) => sum + loop.unfinished, 0);
    return { events, untold: before.lost + bus.late, frames, clips };
  }

  async #close(): Promise<ClosingReport> {
    const { stop, closers } = this.#parts;
    stop.abort();
    const report = await this.#finished;
    for (const close of closers) await close().catch(() => undefined);
    return report;
  }
}
