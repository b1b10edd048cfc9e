import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ffmpeg } from '../../capture/ffmpeg.js';
import type { CameraFrame, CameraNotice, CameraState, CameraStats, FramesOptions } from '../../capture/types.js';
import { abortError, LineamentError, throwIfAborted } from '../../errors.js';
import { CHANNELS } from '../../image/raw.js';
import type { FrameSource } from '../clips/source.js';
import { digest, type PictureLine, type SessionCamera, type SessionLine } from './format.js';
import { DecodedPixels, type PixelReader, RawPixels } from './pixels.js';

export interface ReplaySettings {
  readonly folder: string;
  /** Absent where pictures are raw. */
  readonly ffmpeg: Ffmpeg | undefined;
  /** Times as fast as it was; `Infinity` gives a picture whenever one is asked for. */
  readonly speed: number;
  readonly verify: boolean;
}

/**
 * One camera of a recorded session, in place of the camera itself: the same pictures with the same numbers and times, and its notices. As fast
 * as it is read nothing is left out, whatever the order that is asked for; at a `speed` the newest that is due counts, as with a camera.
 * Readers are independent; each begins where the furthest of them is. Belongs to the thread that opened it.
 */
export class ReplaySource implements FrameSource, AsyncDisposable {
  readonly id: string;
  /** Whether every picture waits to be taken. */
  readonly lossless: boolean;
  readonly #camera: SessionCamera;
  readonly #lines: readonly SessionLine[];
  readonly #pictures: readonly (PictureLine & { readonly line: number })[];
  readonly #settings: ReplaySettings;
  readonly #listeners = new Set<(notice: CameraNotice) => void>();
  readonly #readers = new Set<Pixels>();
  readonly #stop = new AbortController();
  /** Lines that have been told, and pictures that were taken by any reader. */
  #told = 0;
  #taken = 0;
  #delivered = 0;
  #skipped = 0;
  /** When the first picture was due, of the wall's clock. */
  #began: number | undefined;
  #state: CameraState = 'running';

  /** @internal */
  constructor(camera: SessionCamera, lines: readonly SessionLine[], settings: ReplaySettings) {
    this.id = camera.id;
    this.#camera = camera;
    this.#lines = lines;
    this.#settings = settings;
    this.lossless = settings.speed === Infinity;
    this.#pictures = lines.flatMap((line, at) => ('notice' in line ? [] : [{ ...line, line: at }]));
  }

  get state(): CameraState {
    return this.#state;
  }

  /** Number of the newest picture that is due. */
  get newestSequence(): number | undefined {
    return this.lossless ? undefined : this.#pictures[this.#newestDue(this.#taken - 1)]?.sequence;
  }

  /** Pictures, and when the first and the last were taken. */
  get pictures(): number {
    return this.#pictures.length;
  }
  get first(): number | undefined {
    return this.#pictures[0]?.timestamp;
  }
  get last(): number | undefined {
    return this.#pictures.at(-1)?.timestamp;
  }

  /** Every notice that was recorded, in order. */
  get notices(): readonly CameraNotice[] {
    return this.#lines.flatMap((line) => ('notice' in line ? [line.notice] : []));
  }

  /** Calls the listener with each notice when the replay comes to it; gives a function that takes this back. It must not throw. */
  onNotice(listener: (notice: CameraNotice) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** As of a camera; what was dropped when the session was recorded counts as dropped. */
  stats(): CameraStats {
    const last = this.#pictures[this.#taken - 1];
    const { width = 0, height = 0, format = 'i420' as const } = this.#camera.segments[last?.segment ?? 0] ?? {};
    const span = last === undefined ? 0 : last.sequence - this.#pictures[0]!.sequence + 1;
    const past = (last?.timestamp ?? 0) - (this.first ?? 0);
    return {
      state: this.#state,
      received: span,
      delivered: this.#delivered,
      dropped: span - this.#taken + this.#skipped,
      damaged: 0,
      reconnects: 0,
      width,
      height,
      format,
      fps: past > 0 ? ((this.#taken - 1) * 1000) / past : 0,
      buffered: this.#pictures.length,
      bufferedBytes: 0,
    };
  }

  /**
   * The pictures in their order. Throws `ABORTED`, `CLOSED`, and `VIDEO_CORRUPT` where a picture is missing or is not the one that was
   * recorded.
   */
  async *frames(options: FramesOptions = {}): AsyncGenerator<CameraFrame, void, undefined> {
    const { signal, order = 'newest' } = options;
    const pixels = this.#reader();
    try {
      for (let next = this.#taken; ; next++) {
        this.#check(signal);
        if (next >= this.#pictures.length) break;
        await this.#due(this.#pictures[next]!.timestamp, signal);
        if (order === 'newest' && !this.lossless) {
          const newest = this.#newestDue(next);
          this.#skipped += newest - next;
          next = newest;
        }
        this.#tell(this.#pictures[next]!.line);
        const frame = await this.#frame(pixels, this.#pictures[next]!);
        this.#check(signal);
        this.#taken = Math.max(this.#taken, next + 1);
        this.#delivered++;
        yield frame;
      }
      this.#tell(this.#lines.length);
      if (this.#state === 'running' || this.#state === 'lost') this.#state = 'ended';
    } finally {
      await this.#release(pixels);
    }
  }

  /** The recorded pictures that were taken from `first` to `last`, both included; at a `speed` only those that have been due. */
  async *history(first: number, last: number): AsyncGenerator<CameraFrame, void, undefined> {
    const pixels = this.#reader();
    try {
      const now = this.lossless ? Infinity : (this.#pictures[this.#newestDue(-1)]?.timestamp ?? -Infinity);
      for (const picture of this.#pictures) {
        if (picture.timestamp < first) continue;
        if (picture.timestamp > Math.min(last, now)) break;
        this.#check(undefined);
        yield await this.#frame(pixels, picture);
      }
    } finally {
      await this.#release(pixels);
    }
  }

  /** Ends its readers. Idempotent. */
  async close(): Promise<void> {
    this.#stop.abort();
    if (this.#state !== 'failed') this.#state = 'ended';
    await Promise.all([...this.#readers].map((pixels) => this.#release(pixels)));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(signal: AbortSignal | undefined): void {
    throwIfAborted(signal);
    if (this.#stop.signal.aborted) throw new LineamentError('CLOSED', `the replay of ${this.id} is closed`);
  }

  #tell(until: number): void {
    for (; this.#told < until; this.#told++) {
      const line = this.#lines[this.#told]!;
      if (!('notice' in line)) continue;
      this.#state = line.notice.state;
      for (const listener of [...this.#listeners]) listener(line.notice);
    }
  }

  /** Waits until a picture is due. */
  async #due(timestamp: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.lossless) return;
    this.#began ??= performance.now();
    const at = this.#began + (timestamp - (this.first ?? 0)) / this.#settings.speed;
    const wait = at - performance.now();
    if (wait <= 0) return;
    const either = signal === undefined ? this.#stop.signal : AbortSignal.any([signal, this.#stop.signal]);
    await sleep(wait, undefined, { signal: either }).catch(() => {
      if (signal?.aborted === true) throw abortError(signal);
      this.#check(signal);
    });
  }

  /** Index of the newest picture that is due, at least `from`. */
  #newestDue(from: number): number {
    const now = (this.first ?? 0) + (performance.now() - (this.#began ?? Infinity)) * this.#settings.speed;
    let newest = from;
    while (newest + 1 < this.#pictures.length && this.#pictures[newest + 1]!.timestamp <= now) newest++;
    return newest;
  }

  async #frame(pixels: Pixels, picture: PictureLine): Promise<CameraFrame> {
    const { sequence, timestamp, position, segment } = picture;
    const { width, height, format } = this.#camera.segments[segment]!;
    const data = await pixels.read(segment, picture.index);
    if (this.#settings.verify && digest(data, 'base64url') !== picture.sha256) {
      throw new LineamentError('VIDEO_CORRUPT', `${this.id}: picture ${sequence} is not the one that was recorded`);
    }
    const when = { camera: this.id, sequence, timestamp, ...(position === undefined ? {} : { position }) };
    return { ...when, data, width, height, channels: CHANNELS[format], format };
  }

  #reader(): Pixels {
    const pixels = new Pixels(this.#camera, this.#settings);
    this.#readers.add(pixels);
    return pixels;
  }

  async #release(pixels: Pixels): Promise<void> {
    this.#readers.delete(pixels);
    await pixels.close();
  }
}

/** The files of one camera for one reader. */
class Pixels {
  readonly #camera: SessionCamera;
  readonly #settings: ReplaySettings;
  #segment = -1;
  #open: PixelReader | undefined;

  constructor(camera: SessionCamera, settings: ReplaySettings) {
    this.#camera = camera;
    this.#settings = settings;
  }

  async read(segment: number, index: number): Promise<Uint8Array> {
    if (segment !== this.#segment) {
      await this.close();
      const facts = this.#camera.segments[segment]!;
      const path = join(this.#settings.folder, facts.file);
      const { ffmpeg } = this.#settings;
      this.#open = ffmpeg === undefined ? new RawPixels(path, facts) : new DecodedPixels(path, facts, ffmpeg);
      this.#segment = segment;
    }
    return this.#open!.read(index);
  }

  async close(): Promise<void> {
    this.#segment = -1;
    await this.#open?.close();
    this.#open = undefined;
  }
}
