import { createHash } from 'node:crypto';
import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir, open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Ffmpeg, findFfmpeg, passthrough } from '../../capture/ffmpeg.js';
import type { CameraFrame, CameraNotice } from '../../capture/types.js';
import { invalid, nonEmptyString, oneOf, plainObject } from '../../errors/validate.js';
import { LineamentError, wrapError } from '../../errors.js';
import type { FrameFormat } from '../../types.js';
import { chooseEncoder, encodersOf } from '../clips/encoders.js';
import { FfmpegFeed } from '../clips/ffmpeg-feed.js';
import { asFile, recordingError, writeWhole } from '../clips/finish.js';
import { tightPixels } from '../clips/matroska.js';
import type { FrameSource } from '../clips/source.js';
import {
  digest,
  SESSION_FILE,
  SESSION_VERSION,
  type SegmentFacts,
  type SessionCamera,
  type SessionFacts,
  type SessionLine,
  type SessionStorage,
  STORAGES,
} from './format.js';

/** What sessions are recorded from; cameras of `lineament/capture` are. */
export interface SessionSource extends Pick<FrameSource, 'id' | 'frames'> {
  onNotice?(listener: (notice: CameraNotice) => void): () => void;
}

export interface RecordSessionOptions {
  /** Default `raw`, which needs no ffmpeg. `h264` is lossless for `i420` and `nv12`, and refuses other layouts. */
  readonly storage?: SessionStorage;
  readonly ffmpeg?: string;
  /** Told at once of a camera that cannot be recorded any more; the facts say it in the end. */
  readonly onFailure?: (camera: string, error: LineamentError) => void;
}

/** A session that is being recorded. */
export class SessionRecording {
  /** The session when all cameras have ended or `stop` was called. Rejects with `RECORDING_FAILED` where it cannot be described. */
  readonly done: Promise<SessionFacts>;
  readonly #stop: AbortController;

  /** @internal */
  constructor(done: Promise<SessionFacts>, stop: AbortController) {
    this.done = done;
    this.#stop = stop;
  }

  /** Ends it; the session is whole when the promise resolves. */
  stop(): Promise<SessionFacts> {
    this.#stop.abort();
    return this.done;
  }
}

/**
 * Records everything that cameras give, picture by picture, with numbers, times and notices, into a folder that is empty or not there, to be
 * played again by `openReplay`. A camera that cannot be recorded further (disk full) ends with its `failure` in the facts; the others go on.
 * Rejects with `INVALID_ARGUMENT`, `FFMPEG_NOT_FOUND`, `RECORDING_FAILED` (the folder).
 */
export async function recordSession(
  sources: SessionSource | readonly SessionSource[],
  folder: string,
  options: RecordSessionOptions = {},
): Promise<SessionRecording> {
  plainObject('options', options, ['storage', 'ffmpeg', 'onFailure']);
  nonEmptyString('folder', folder);
  const storage = oneOf('storage', options.storage ?? 'raw', STORAGES);
  const all = Array.isArray(sources) ? (sources as readonly SessionSource[]) : [sources as SessionSource];
  if (all.length === 0 || new Set(all.map(({ id }) => id)).size !== all.length) {
    throw invalid('sources', 'at least one camera, each with its own id', sources);
  }
  const ffmpeg = storage === 'raw' ? undefined : await encoderFor(storage, options.ffmpeg);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (await stat(join(folder, SESSION_FILE)).catch(() => undefined))
      throw Object.assign(new Error('a session'), { code: 'EEXIST' });
  } catch (error) {
    throw recordingError(folder, error);
  }
  const stop = new AbortController();
  const writers = all.map(
    (source, i) => new CameraWriter(source, i, { folder, storage, ffmpeg, onFailure: options.onFailure }),
  );
  // Begun now: what comes while others are set up is not lost.
  const work = Promise.all(writers.map((writer) => writer.run(stop.signal)));
  const done = work.then(async (cameras): Promise<SessionFacts> => {
    const facts: SessionFacts = { version: SESSION_VERSION, storage, cameras };
    try {
      await writeWhole(join(folder, SESSION_FILE), `${JSON.stringify(facts, null, 2)}\n`);
    } catch (error) {
      throw recordingError(folder, error);
    }
    return facts;
  });
  done.catch(() => undefined);
  return new SessionRecording(done, stop);
}

async function encoderFor(storage: SessionStorage, named: string | undefined): Promise<Ffmpeg> {
  const ffmpeg = await findFfmpeg(named);
  const { path } = ffmpeg;
  if (storage === 'h264') await chooseEncoder(path, 'libx264');
  else if (!(await encodersOf(path)).has('ffv1')) throw new LineamentError('RECORDING_FAILED', `${path} has no ffv1`);
  return ffmpeg;
}

interface Place {
  readonly folder: string;
  readonly storage: SessionStorage;
  readonly ffmpeg: Ffmpeg | undefined;
  readonly onFailure: RecordSessionOptions['onFailure'];
}

class CameraWriter {
  readonly #source: SessionSource;
  readonly #number: number;
  readonly #place: Place;
  readonly #segments: { -readonly [K in keyof SegmentFacts]: SegmentFacts[K] }[] = [];
  readonly #hash = createHash('sha256');
  #index: WriteStream | undefined;
  #sink: Sink | undefined;
  #pictures = 0;
  #first: CameraFrame | undefined;
  #last: CameraFrame | undefined;

  constructor(source: SessionSource, number: number, place: Place) {
    this.#source = source;
    this.#number = number;
    this.#place = place;
  }

  async run(signal: AbortSignal): Promise<SessionCamera> {
    const { id } = this.#source;
    const index = `${this.#number}.jsonl`;
    let silence: (() => void) | undefined;
    let failure: LineamentError | undefined;
    try {
      this.#index = await openStream(join(this.#place.folder, index));
      silence = this.#source.onNotice?.((notice) => void this.#line({ notice }).catch(() => undefined));
      for await (const frame of this.#source.frames({ order: 'all', borrow: true, signal })) {
        await this.#picture(frame);
        if (signal.aborted) break;
      }
    } catch (error) {
      if (!signal.aborted) failure = recordingError(id, error);
    }
    silence?.();
    await this.#sink?.close().catch((error: unknown) => {
      failure ??= recordingError(id, error);
    });
    if (this.#index !== undefined)
      await closeStream(this.#index).catch((error: unknown) => {
        failure ??= recordingError(id, error);
      });
    if (failure !== undefined) this.#place.onFailure?.(id, failure);
    const span = this.#first && this.#last ? this.#last.sequence - this.#first.sequence + 1 : 0;
    return {
      id,
      index,
      segments: this.#segments,
      pictures: this.#pictures,
      dropped: span - this.#pictures,
      ...(this.#first && this.#last ? { first: this.#first.timestamp, last: this.#last.timestamp } : {}),
      sha256: this.#hash.digest('hex'),
      ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } }),
    };
  }

  async #picture(frame: CameraFrame): Promise<void> {
    const pixels = tightPixels(frame);
    const { sequence, timestamp, position, width, height, format } = frame;
    let segment = this.#segments.at(-1);
    if (segment?.width !== width || segment.height !== height || segment.format !== format) {
      await this.#sink?.close();
      const file = `${this.#number}-${this.#segments.length}.${this.#place.storage === 'raw' ? 'raw' : 'mkv'}`;
      this.#sink = await openSink(join(this.#place.folder, file), format, this.#place);
      segment = { file, width, height, format, pictures: 0 };
      this.#segments.push(segment);
    }
    const sha256 = digest(pixels, 'base64url');
    const { stride: _, ...tight } = frame;
    await this.#sink!.write({ ...tight, data: pixels });
    const at = { segment: this.#segments.length - 1, index: segment.pictures };
    segment.pictures++;
    this.#pictures++;
    const bare = { ...frame, data: new Uint8Array() };
    this.#first ??= bare;
    this.#last = bare;
    await this.#line({ sequence, timestamp, ...(position === undefined ? {} : { position }), ...at, sha256 });
  }

  async #line(line: SessionLine): Promise<void> {
    const text = `${JSON.stringify(line)}\n`;
    if (this.#index === undefined) return;
    this.#hash.update(text);
    await writeAll(this.#index, text);
  }
}

/** Where pictures of one size and layout go. */
interface Sink {
  write(frame: CameraFrame): Promise<void>;
  close(): Promise<void>;
}

const FFV1 = ['-c:v', 'ffv1', '-level', '3', '-g', '1', '-threads', '1'];
const LOSSLESS_H264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-qp', '0', '-threads', '1'];

async function openSink(path: string, format: FrameFormat, { storage, ffmpeg }: Place): Promise<Sink> {
  if (ffmpeg === undefined) {
    const stream = await openStream(path);
    return { write: (frame) => writeAll(stream, frame.data), close: () => closeStream(stream) };
  }
  if (storage === 'h264' && !['i420', 'nv12'].includes(format)) {
    throw new LineamentError('RECORDING_FAILED', `${format} pictures cannot be kept losslessly as h264`, {
      fix: "Use the storage 'ffv1' or 'raw', or open the camera with the format 'i420'.",
    });
  }
  // Grey keeps its own layout; nv12 holds the very samples of yuv420p, rgb those of the planes that the codec has.
  const kept = { nv12: 'yuv420p', i420: 'yuv420p', gray: 'gray', yuyv: 'yuv422p', rgba: 'bgra', bgra: 'bgra' };
  const layout = (kept as Partial<Record<FrameFormat, string>>)[format] ?? 'bgr0';
  const feed = new FfmpegFeed(
    ffmpeg.path,
    [],
    [
      ...['-map', '0:v:0', ...passthrough(ffmpeg.release), '-enc_time_base', '1:1000', '-pix_fmt', layout],
      ...(storage === 'h264' ? LOSSLESS_H264 : FFV1),
      ...['-f', 'matroska', asFile(path)],
    ],
  );
  let count = 0;
  return {
    // Times are in the index; here pictures only keep their order.
    write: (frame) => feed.write(frame, count++ * 40_000, 25),
    close: () => feed.finish(),
  };
}

async function openStream(path: string): Promise<WriteStream> {
  // Opened here so that failing to is told at once, and nothing is overwritten.
  const handle = await open(path, 'wx', 0o600);
  const stream = createWriteStream('', { fd: handle, highWaterMark: 1 << 20 });
  stream.on('error', () => undefined);
  return stream;
}

/** Resolves when the bytes are the caller's again. */
function writeAll(stream: WriteStream, data: Uint8Array | string): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(wrapSystem(error)) : resolve()));
  });
}

function closeStream(stream: WriteStream): Promise<void> {
  if (stream.destroyed) return Promise.resolve();
  return new Promise((resolve, reject) => {
    stream.end((error?: Error | null) => (error ? reject(wrapSystem(error)) : resolve()));
  });
}

/** System errors keep their code, which says what to do. */
const wrapSystem = (error: Error): Error => ('errno' in error ? error : wrapError(error));
