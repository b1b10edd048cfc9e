import { onAbort } from '../errors/abort.js';
import { abortSignal, invalid, plainObject } from '../errors/validate.js';
import { abortError, callSite, LineamentError, throwIfAborted, wrapError } from '../errors.js';
import type { Box } from '../types.js';
import { type Backoff, backoffOf, delayBefore } from './backoff.js';
import { lookForBest } from './best-frame.js';
import type { Feed, FeedEnd, OpenFeed, PictureInfo } from './feed.js';
import { Notices } from './notices.js';
import { checkBestFrameOptions, checkFramesOptions } from './options.js';
import { Developer } from './pictures.js';
import { Rate } from './rate.js';
import { infoOf, Readers } from './readers.js';
import type {
  BestFrame,
  BestFrameOptions,
  CameraFrame,
  CameraNotice,
  CameraOptions,
  CameraState,
  CameraStats,
  DepthCameraFrame,
  FramesOptions,
} from './types.js';

/** What `openCamera` found out about a source. */
export interface CameraPlan {
  readonly id: string;
  readonly open: OpenFeed;
  /** Whether it is tried again when it is lost; others come to their end. */
  readonly live: boolean;
  /** Whether opening waits for the first picture. */
  readonly waits: boolean;
  /** Resolves when there is reason to try again before the pause is over, or when the signal fires. */
  readonly sooner?: (signal: AbortSignal) => Promise<void>;
  readonly format: CameraOptions['format'];
  readonly reconnect: CameraOptions['reconnect'];
}

/**
 * A source of pictures that runs by itself, made by `openCamera`. A thread of its own takes them into a ring in memory; readers that are slow
 * miss pictures and never hold it up. Any number of readers may run side by side; what is `borrow`ed belongs to one reader. Belongs to the
 * thread that opened it. Close it, or declare it with `await using`: an open camera keeps the process alive.
 */
export class Camera implements AsyncDisposable {
  readonly id: string;
  readonly #plan: CameraPlan;
  readonly #backoff: Backoff;
  readonly #developer: Developer;
  readonly #notices = new Notices();
  readonly #stop = new AbortController();
  readonly #readers: Readers;
  #feed: Feed | undefined;
  #connecting: Promise<Feed> | undefined;
  #state: CameraState = 'opening';
  #error: LineamentError | undefined;
  #lastNotice: CameraNotice | undefined;
  #closing: Promise<void> | undefined;
  #info: PictureInfo | undefined;
  readonly #rate = new Rate();
  #reconnects = 0;
  /** Pictures that earlier connections gave. */
  #receivedBefore = 0;

  /** @internal */
  constructor(plan: CameraPlan) {
    this.id = plan.id;
    this.#plan = plan;
    this.#backoff = backoffOf(plan.reconnect);
    this.#developer = new Developer(plan.id, plan.format);
    const feed = (): Feed | undefined => this.#feed;
    const state = (): CameraState => this.#state;
    const failure = (): Error | undefined => this.#error;
    this.#readers = new Readers({
      get feed() {
        return feed();
      },
      get state() {
        return state();
      },
      get failure() {
        return failure();
      },
    });
  }

  get state(): CameraState {
    return this.#state;
  }

  /** Whether every picture waits to be taken (`pace: 'fast'`): none is ever skipped. */
  get lossless(): boolean {
    return this.#feed?.lossless === true;
  }

  /** `sequence` of the newest picture that has come; absent before the first. */
  get newestSequence(): number | undefined {
    return this.#feed?.newestSequence;
  }

  /**
   * Changes of state from the call on: `for await (const notice of camera.notices())`. Ends after `ended` and `failed`; rejects with
   * `ABORTED`. `onNotice` calls a listener instead.
   */
  notices(options: { readonly signal?: AbortSignal } = {}): AsyncIterableIterator<CameraNotice> {
    plainObject('options', options, ['signal']);
    if (options.signal !== undefined) abortSignal('signal', options.signal);
    return this.#notices.read(options.signal);
  }

  /** Calls the listener with every change of state; gives a function that takes this back. A listener must not throw. */
  onNotice(listener: (notice: CameraNotice) => void): () => void {
    return this.#notices.listen(listener);
  }

  /** Counts since the camera was opened. */
  stats(): CameraStats {
    const counts = this.#feed?.counts();
    const { delivered, skipped, undecodable } = this.#readers.counts;
    const { width = 0, height = 0, format = 'i420' as const } = this.#readers.latest ?? this.#info ?? {};
    return {
      state: this.#state,
      received: counts?.received ?? 0,
      delivered,
      dropped: skipped + (counts?.refused ?? 0),
      damaged: (counts?.damaged ?? 0) + undecodable,
      reconnects: this.#reconnects,
      width,
      height,
      format,
      fps: this.#rate.at(Date.now()),
      buffered: counts?.kept ?? 0,
      bufferedBytes: counts?.keptBytes ?? 0,
    };
  }

  /**
   * Pictures as they come: `for await (const frame of camera.frames({ signal }))`. By default the newest, as soon as there is one later than
   * the last; with `order: 'all'` one after another, beginning with the oldest that is kept and that no reader has had. Sources with
   * `pace: 'fast'` give all in either case. Ends when the camera ends or is closed; over a loss it waits. Throws `ABORTED`, what made the
   * camera fail (`CAMERA_LOST`, `VIDEO_CORRUPT` …), `CAMERA_UNSUPPORTED` for a depth camera, `INVALID_ARGUMENT`. Damaged pictures are
   * counted and left out.
   */
  frames(options: FramesOptions = {}): AsyncIterableIterator<CameraFrame> {
    return this.#readers.read(checkFramesOptions(options), (picture, borrow) => this.#developer.frame(picture, borrow));
  }

  /** As `frames`, of a depth camera (`z16`). With `borrow`, `steps` is valid until the next picture is asked for. */
  depthFrames(options: FramesOptions = {}): AsyncIterableIterator<DepthCameraFrame> {
    return this.#readers.read(checkFramesOptions(options), (picture, borrow) => this.#developer.depth(picture, borrow));
  }

  /** The newest picture that is there now; absent before the first, and where it is damaged. */
  async newest(): Promise<CameraFrame | undefined> {
    const site = callSite(this.newest);
    const picture = this.#feed?.newest(-1);
    if (picture === undefined) return undefined;
    try {
      return await this.#developer.frame(picture, false);
    } catch (error) {
      throw wrapError(error, site);
    } finally {
      picture.release();
    }
  }

  /**
   * The pictures that are still kept (`bufferSeconds`) of those taken from `first` to `last`, milliseconds since the Unix epoch, both included;
   * oldest first. What is overwritten while it reads is left out. Works also after the camera has ended, until it is closed.
   */
  async *history(first: number, last: number): AsyncGenerator<CameraFrame, void, undefined> {
    for (const [name, value] of [
      ['first', first],
      ['last', last],
    ] as const) {
      if (typeof value !== 'number' || Number.isNaN(value)) throw invalid(name, 'time in milliseconds', value);
    }
    for (const { sequence } of this.#feed?.between(first, last) ?? []) {
      const picture = this.#feed?.next(sequence - 1);
      if (picture === undefined) continue;
      let frame: CameraFrame | undefined;
      try {
        if (picture.sequence === sequence) frame = await this.#developer.frame(picture, false);
      } finally {
        picture.release();
      }
      if (frame !== undefined) yield frame;
    }
  }

  /**
   * Looks at pictures for `within` milliseconds, the newest each time the engine is free (with `pace: 'fast'`: all), and gives the one with the
   * best face: sharp, well lit, large, facing the camera, eyes open; `merits` say why. Absent where no face was seen. Of several faces the
   * most prominent counts. Rejects with `ABORTED`, and as `frames` and `Engine.analyze` do.
   */
  async bestFrame(options: BestFrameOptions): Promise<BestFrame | undefined> {
    const site = callSite(this.bestFrame);
    try {
      return await lookForBest(this, checkBestFrameOptions(options), this.#feed?.lossless === true);
    } catch (error) {
      throw wrapError(error, site);
    }
  }

  /**
   * Tells where the faces are in the newest picture, pixels. A device with `controls: { exposure: 'face' }` is then exposed for them; without
   * boxes it stays as it is. Does nothing for other sources.
   */
  meter(boxes: readonly Box[]): void {
    this.#feed?.meter?.(boxes);
  }

  /** Stops the source and frees everything; readers end. Idempotent; resolves when the thread and ffmpeg have ended. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      this.#stop.abort();
      if (this.#state !== 'failed' && this.#state !== 'ended') this.#enter('ended');
      await this.#connecting?.catch(() => undefined);
      await this.#feed?.stop();
      await this.#developer.close();
      this.#feed = undefined;
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** @internal The last change of state; absent before the first. */
  get lastNotice(): CameraNotice | undefined {
    return this.#lastNotice;
  }

  /** @internal Opens the first connection; then keeps it, on its own. With `patient` also one that is not there yet. */
  async start(signal: AbortSignal | undefined, patient = false): Promise<void> {
    throwIfAborted(signal);
    const forget = signal && onAbort(signal, () => void this.close());
    try {
      const feed = await this.#connect();
      if (this.#plan.waits) await feed.ready;
      if (this.#stop.signal.aborted) throw signal?.aborted ? abortError(signal) : new LineamentError('CLOSED', this.id);
      if (this.#plan.waits && feed.counts().received === 0) {
        const { error } = await feed.done;
        throw error ?? new LineamentError('VIDEO_CORRUPT', `${this.id}: it has no pictures`);
      }
      this.#woken();
      void this.#keep(feed.done).finally(forget);
    } catch (error) {
      const absent = patient && !this.#stop.signal.aborted && this.#backoff.attempts > 0 && mayCome(error);
      if (absent) {
        // Begun here: it is `lost` when this resolves.
        void this.#keep(Promise.resolve({ error: wrapError(error) })).finally(forget);
        await new Promise<void>((resolve) => setImmediate(resolve));
        return;
      }
      forget?.();
      await this.close();
      throw signal?.aborted === true ? abortError(signal) : error;
    }
  }

  #connect(): Promise<Feed> {
    const connecting = (async () => {
      const feed = await this.#plan.open(() => this.#woken(), this.#feed, this.#stop.signal);
      this.#feed = feed;
      // Its first picture may have come already.
      if (this.#stop.signal.aborted) await feed.stop();
      else this.#woken();
      return feed;
    })();
    this.#connecting = connecting;
    return connecting;
  }

  /** Until the source ends for good. */
  async #keep(first: Promise<FeedEnd>): Promise<void> {
    let end = await first;
    for (;;) {
      if (this.#stop.signal.aborted) return;
      this.#woken();
      const error =
        end.error ?? (this.#plan.live ? new LineamentError('CAMERA_LOST', `${this.id}: it ended`) : undefined);
      if (error === undefined) return this.#enter('ended');
      if (!this.#plan.live) return this.#enter('failed', error);
      const again = await this.#reconnect(error);
      if (again === undefined) return;
      end = again;
    }
  }

  /** Tries until there is a picture again, and then until that connection ends. Nothing comes back when it gave up. */
  async #reconnect(why: LineamentError): Promise<FeedEnd | undefined> {
    let error = why;
    for (let attempt = 1; attempt <= this.#backoff.attempts; attempt++) {
      this.#enter('lost', error, attempt);
      if (!(await this.#pause(delayBefore(attempt, this.#backoff)))) return undefined;
      try {
        const feed = await this.#connect();
        await feed.ready;
        if (this.#stop.signal.aborted) return undefined;
        if (feed.counts().received > this.#receivedBefore) {
          return await feed.done;
        }
        error = (await feed.done).error ?? error;
      } catch (thrown) {
        error = wrapError(thrown);
      }
      if (this.#stop.signal.aborted) return undefined;
    }
    this.#enter('failed', error);
    return undefined;
  }

  /** Whether the pause went by, or was cut short, without the camera being closed. */
  async #pause(ms: number): Promise<boolean> {
    const { signal } = this.#stop;
    if (signal.aborted) return false;
    const over = new AbortController();
    const forget = onAbort(signal, () => over.abort());
    const timer = setTimeout(() => over.abort(), ms);
    await Promise.race([
      new Promise<void>((resolve) => over.signal.addEventListener('abort', () => resolve(), { once: true })),
      ...(this.#plan.sooner === undefined ? [] : [this.#plan.sooner(over.signal)]),
    ]);
    clearTimeout(timer);
    forget();
    over.abort();
    return !signal.aborted;
  }

  #enter(state: CameraState, error?: LineamentError, attempt?: number): void {
    this.#state = state;
    if (state === 'failed') this.#error = error;
    if (state === 'lost') this.#receivedBefore = this.#feed?.counts().received ?? 0;
    this.#lastNotice = {
      camera: this.id,
      state,
      timestamp: Date.now(),
      ...(error === undefined ? {} : { code: error.code, message: error.message }),
      ...(attempt === undefined ? {} : { attempt }),
    };
    this.#notices.send(this.#lastNotice, state === 'ended' || state === 'failed');
    this.#readers.wake();
  }

  /** A picture came, or the source changed. */
  #woken(): void {
    const received = this.#feed?.counts().received ?? 0;
    const apart = this.#state === 'opening' || this.#state === 'lost';
    if (apart && received > this.#receivedBefore) this.#greet();
    if (this.#state === 'running') this.#rate.note(Date.now(), received);
    this.#readers.wake();
  }

  /** The first picture of a connection. */
  #greet(): void {
    const picture = this.#feed?.newest(-1);
    if (picture !== undefined) {
      this.#info = infoOf(picture);
      picture.release();
    }
    if (this.#state === 'lost') this.#reconnects++;
    this.#rate.reset();
    this.#enter('running');
  }
}

/** Whether it makes sense to wait for what could not be opened. */
const mayCome = (error: unknown): boolean => COMING.has(wrapError(error).code);
const COMING: ReadonlySet<string> = new Set(['CAMERA_NOT_FOUND', 'CAMERA_BUSY', 'CAMERA_LOST', 'VIDEO_CORRUPT']);
