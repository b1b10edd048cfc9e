import { access, mkdir, open, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Ffmpeg, findFfmpeg } from '../../capture/ffmpeg.js';
import type { CameraFrame } from '../../capture/types.js';
import { abortError, LineamentError } from '../../errors.js';
import type { Redactor } from '../privacy/redactor.js';
import type { Clip, ClipPicture } from './clip.js';
import { chooseEncoder, deviceArguments, encodeArguments, type H264Encoder } from './encoders.js';
import { FfmpegFeed } from './ffmpeg-feed.js';
import {
  asFile,
  digestOf,
  encodeThumbnail,
  partOf,
  recordingError,
  salvage,
  settle,
  sidecarOf,
  thumbnailOf,
  writeWhole,
} from './finish.js';
import { removeNote, writeNote, writing } from './recover.js';
import { type FrameSource, walk } from './source.js';

/** How clips are made. */
export interface RecordingSettings {
  readonly ffmpeg: string | undefined;
  readonly encoder: H264Encoder | undefined;
  readonly quality: number;
  readonly threads: number;
  readonly thumbnailSide: number;
  readonly idleMs: number;
  readonly maxMs: number;
  readonly redactor: Redactor | undefined;
}

export interface RecordRequest {
  readonly source: FrameSource;
  /** From when, milliseconds since the Unix epoch; may lie in the past for as long as the source keeps pictures. */
  readonly start: number;
  /** Until when; may lie in the future, and be moved by `extend`. */
  readonly end: number;
  /** The file, `….mp4`; folders are made. The thumbnail (`.jpg`) and the facts (`.json`) lie beside it. Nothing is overwritten. */
  readonly path: string;
  /** When what it is about happens: the thumbnail is the first picture from then on. `start` when absent. */
  readonly key?: number;
  /** Events that it shows, for its facts. */
  readonly events?: readonly string[];
  /** Gives the recording up: what was written is deleted, `done` rejects with `ABORTED`. */
  readonly signal?: AbortSignal;
}

/** A clip that is being made. */
export class Recording {
  readonly path: string;
  readonly source: string;
  /**
   * The clip when it lies on the disk, also one that is shorter than asked (see `ended` and `failure`). Rejects where nothing is left:
   * `RECORDING_FAILED`, `FFMPEG_NOT_FOUND`, `ABORTED`, `CLOSED`.
   */
  readonly done: Promise<Clip>;
  readonly #request: RecordRequest;
  readonly #settings: RecordingSettings;
  readonly #stop = new AbortController();
  /** Gives it up, where `#stop` ends it with what there is. */
  readonly #abandon = new AbortController();
  readonly #events: string[];
  #end: number;
  /** Whether the pictures are still being taken. */
  #taking = true;
  #thumbnail: CameraFrame | undefined;

  /** @internal `turn` resolves when an encoder may be started, and gives what ends its turn. */
  constructor(request: RecordRequest, settings: RecordingSettings, turn: (signal: AbortSignal) => Promise<() => void>) {
    this.#request = request;
    this.#settings = settings;
    this.path = request.path;
    this.source = request.source.id;
    this.#end = request.end;
    this.#events = [...(request.events ?? [])];
    this.done = this.#run(turn).finally(() => {
      this.#taking = false;
    });
  }

  /** From when and until when it is to show. */
  get start(): number {
    return this.#request.start;
  }
  get end(): number {
    return this.#end;
  }

  /** Ends later (never earlier), with another event; false where it is too late for that, or it would become too long. */
  extend(end: number, event?: string): boolean {
    if (!this.#taking || end - this.#request.start > this.#settings.maxMs) return false;
    this.#end = Math.max(this.#end, end);
    if (event !== undefined) this.#events.push(event);
    return true;
  }

  /** Ends with the pictures that the source keeps by now. */
  stop(): void {
    this.#stop.abort();
  }

  async #run(turn: (signal: AbortSignal) => Promise<() => void>): Promise<Clip> {
    const { signal } = this.#request;
    const stop = (): void => {
      this.#abandon.abort();
      this.stop();
    };
    if (signal?.aborted === true) throw abortError(signal);
    signal?.addEventListener('abort', stop, { once: true });
    let release: (() => void) | undefined;
    try {
      release = await turn(this.#abandon.signal);
      return await this.#record();
    } catch (error) {
      throw isAborted(signal) ? abortError(signal) : recordingError(this.path, error);
    } finally {
      release?.();
      signal?.removeEventListener('abort', stop);
    }
  }

  async #record(): Promise<Clip> {
    const { path } = this.#request;
    const ffmpeg = await findFfmpeg(this.#settings.ffmpeg);
    const encoder = await chooseEncoder(ffmpeg.path, this.#settings.encoder);
    const part = partOf(path);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EEXIST' ? Object.assign(error, { code: 'ENOTDIR' }) : error;
    });
    await claim(part, path);
    writing.add(resolve(part));
    try {
      const taken = await this.#take(ffmpeg, encoder, part);
      this.#throwIfAborted();
      const { first } = taken;
      let { failure } = taken;
      if (failure === undefined) {
        const title = `${this.source} ${new Date(first.timestamp).toISOString()}`;
        await settle(ffmpeg.path, part, path, title, first.timestamp).catch((error: unknown) => {
          // A part that was finished can be played as it is.
          failure = recordingError(path, error);
        });
      }
      const kept = failure === undefined ? taken.pictures : await salvage(part, path);
      if (kept === undefined) throw failure;
      return await this.#describe(taken, kept, encoder, failure);
    } catch (error) {
      await rm(part, { force: true }).catch(() => undefined);
      throw error;
    } finally {
      writing.delete(resolve(part));
      await removeNote(path).catch(() => undefined);
    }
  }

  /** Says whose the part is, for whoever finds it when this process has ended before it. */
  async #writeNote(first: number): Promise<void> {
    const { path, key = this.#request.start } = this.#request;
    // A convenience: without it the clip is finished all the same.
    await writeNote(path, { camera: this.source, first, key, events: [...this.#events] }).catch(() => undefined);
  }

  #throwIfAborted(): void {
    if (this.#request.signal?.aborted === true) throw abortError(this.#request.signal);
  }

  /** Pictures into the part. Rejects where not one came. */
  async #take({ path: ffmpeg, release }: Ffmpeg, encoder: H264Encoder, part: string): Promise<Taken> {
    const { source, start } = this.#request;
    const { idleMs, quality, threads } = this.#settings;
    const state: Taking = { pictures: 0, recent: [], longest: 0, ended: 'end' };
    let feed: FfmpegFeed | undefined;
    const frames = walk(source, { start, end: () => this.#end, signal: this.#stop.signal, idleMs });
    try {
      for (;;) {
        const step = await frames.next();
        this.#throwIfAborted();
        if (step.done === true) {
          state.ended = step.value;
          break;
        }
        const frame = await this.#filtered(step.value);
        const { sequence, timestamp, width, height, format } = frame;
        state.first ??= { sequence, timestamp, width, height, format };
        const { first } = state;
        if (width !== first.width || height !== first.height || format !== first.format) {
          state.ended = 'format';
          break;
        }
        feed ??= new FfmpegFeed(ffmpeg, deviceArguments(encoder), [
          ...encodeArguments({ release, encoder, quality, threads, width, height }),
          asFile(part),
        ]);
        if (state.pictures === 0) await this.#writeNote(timestamp);
        await feed.write(frame, Math.round((timestamp - first.timestamp) * 1000));
        this.#note(state, frame);
      }
      this.#taking = false;
      await feed?.finish();
    } catch (error) {
      this.#taking = false;
      feed?.kill();
      await feed?.ended;
      if (state.pictures === 0) throw error;
      return { ...whole(state), failure: recordingError(this.path, error) };
    } finally {
      await frames.return('stopped');
    }
    if (state.pictures === 0) throw this.#nothing(state.ended);
    return whole(state);
  }

  /** The picture as it may be kept; its memory is ours unless nothing was covered. */
  async #filtered(frame: CameraFrame): Promise<CameraFrame> {
    const { redactor } = this.#settings;
    if (redactor === undefined) return frame;
    await redactor.settled(frame.camera, frame.timestamp, this.#stop.signal);
    return redactor.apply(frame, { waited: true });
  }

  #note(state: Taking, frame: CameraFrame): void {
    const { key = this.#request.start } = this.#request;
    if (this.#thumbnail === undefined || (this.#thumbnail.timestamp < key && frame.timestamp >= key))
      this.#thumbnail = { ...frame, data: new Uint8Array(frame.data) };
    const before = state.recent.at(-1)?.timestamp ?? frame.timestamp;
    state.longest = Math.max(state.longest, frame.timestamp - before);
    state.recent.push({ sequence: frame.sequence, timestamp: frame.timestamp });
    if (state.recent.length > 2 * RECENT) state.recent.splice(0, RECENT);
    state.pictures++;
  }

  #nothing(ended: Clip['ended']): LineamentError {
    const { start } = this.#request;
    const why = {
      end: 'the camera keeps none of the pictures of that time (any more)',
      stopped: 'it was stopped before the first picture',
      source: 'the camera had come to its end before it',
      stalled: 'the camera gave no pictures',
    }[ended as string];
    return new LineamentError(
      'RECORDING_FAILED',
      `${this.path}: ${why ?? ended}, from ${new Date(start).toISOString()} on`,
      {
        ...(ended === 'end' ? { fix: "Raise the camera's bufferSeconds, or the number of encoders." } : {}),
      },
    );
  }

  async #describe(
    state: Taken,
    pictures: number,
    encoder: H264Encoder,
    failure: LineamentError | undefined,
  ): Promise<Clip> {
    const { path, start } = this.#request;
    const { first, recent } = state;
    const digest = await digestOf(path);
    const thumbnail = await this.#writeThumbnail();
    // What the encoder had not written when it failed is missing at the end.
    const last = recent[Math.max(0, recent.length - 1 - (state.pictures - pictures))]!;
    const clip: Clip = {
      path,
      ...(thumbnail === undefined ? {} : { thumbnail }),
      ...digest,
      camera: this.source,
      start,
      end: this.#end,
      first: { sequence: first.sequence, timestamp: first.timestamp },
      last: { ...last },
      pictures,
      dropped: last.sequence - first.sequence + 1 - pictures,
      missing: Math.max(0, Math.round(first.timestamp - start - state.longest)),
      width: first.width,
      height: first.height,
      encoder,
      privacy: this.#settings.redactor?.mode ?? 'none',
      events: [...this.#events],
      ended: failure === undefined ? state.ended : 'failed',
      ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } }),
    };
    // Facts are a convenience: the clip stands without them.
    await writeWhole(sidecarOf(path), `${JSON.stringify(clip, null, 2)}\n`).catch(() => undefined);
    return clip;
  }

  async #writeThumbnail(): Promise<string | undefined> {
    if (this.#thumbnail === undefined) return undefined;
    const path = thumbnailOf(this.path);
    try {
      await writeWhole(path, await encodeThumbnail(this.#thumbnail, this.#settings.thumbnailSide));
      return path;
    } catch {
      return undefined;
    } finally {
      this.#thumbnail = undefined;
    }
  }
}

/** So many of the latest pictures are remembered: more than an encoder holds back. */
const RECENT = 1024;

interface Taking {
  first?: ClipPicture & Pick<CameraFrame, 'width' | 'height' | 'format'>;
  /** Handed to the encoder. */
  pictures: number;
  /** The latest of them, at least one. */
  readonly recent: ClipPicture[];
  /** Time from one picture to the next, at most. */
  longest: number;
  ended: Clip['ended'];
}
interface Taken extends Taking {
  readonly first: NonNullable<Taking['first']>;
  readonly failure?: LineamentError;
}

function whole(state: Taking): Taken {
  const { first } = state;
  if (first === undefined) throw new LineamentError('INTERNAL', 'a clip without a picture');
  return { ...state, first };
}

const isAborted = (signal: AbortSignal | undefined): boolean => signal?.aborted === true;

/** A part of that name, for its owner alone, where neither it nor the clip is there yet. */
async function claim(part: string, path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (there) throw Object.assign(new Error(`${path} exists`), { code: 'EEXIST' });
  await (await open(part, 'wx', 0o600)).close();
}
