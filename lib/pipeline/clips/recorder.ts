import { join } from 'node:path';
import { invalid, nonEmptyString, numberIn, oneOf, plainObject, positiveInteger } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import type { Redactor } from '../privacy/redactor.js';
import { H264_ENCODERS, type H264Encoder } from './encoders.js';
import { Recording, type RecordingSettings, type RecordRequest } from './recording.js';
import { type ClipRecovery, recoverClips } from './recover.js';
import type { FrameSource } from './source.js';
import { Turns } from './turns.js';

export interface ClipOptions {
  /** Where clips of events go, in folders by camera and day. */
  readonly folder: string;
  /** Seconds before and after an event; default 5 each. */
  readonly preSeconds?: number;
  readonly postSeconds?: number;
  /** Events that follow each other share a clip up to this length, seconds; default 60. */
  readonly maxSeconds?: number;
  /** Encoders that run at the same time; others wait, their pictures in the camera's ring meanwhile. Default 2. */
  readonly encoders?: number;
  /** Default: libx264, otherwise libopenh264. Those of the hardware have to be asked for. */
  readonly encoder?: H264Encoder;
  /** 0 (best) to 51; default 23. */
  readonly quality?: number;
  /** Threads of each encoder; default 1. */
  readonly threads?: number;
  /** Longer side of thumbnails, pixels; default 640. */
  readonly thumbnailSide?: number;
  /** A camera that gives no picture for so long ends its clips, seconds; default 10. */
  readonly idleSeconds?: number;
  /** The ffmpeg program; found on PATH (or `LINEAMENT_FFMPEG`) when absent. */
  readonly ffmpeg?: string;
  /** Covers faces in clips and thumbnails; it stays the caller's, who tells it what was found. */
  readonly redactor?: Redactor;
}

/** Something that happened at a camera, to be shown by a clip. */
export interface ClipEvent {
  readonly source: FrameSource;
  /** When, milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Its id. */
  readonly event: string;
}

const OPTIONS = [
  'folder',
  'preSeconds',
  'postSeconds',
  'maxSeconds',
  'encoders',
  'encoder',
  'quality',
  'threads',
  'thumbnailSide',
  'idleSeconds',
  'ffmpeg',
  'redactor',
];

/**
 * Seconds that a camera has to keep (`bufferSeconds`) so that clips have their beginning: the time before an event, and what passes until
 * the event is known, the encoder runs and has caught up.
 */
export const bufferSecondsFor = (preSeconds = 5): number => preSeconds + 4;

/**
 * Records clips: H.264 in MP4 by an ffmpeg process each, pictures at their own times, begun before the event. While it is recorded the file is
 * `….part.mp4`, in fragments of a second, so that what a killed process leaves can be played. Memory is bounded: one picture is on
 * its way to each encoder, the others stay in the camera's ring. A failure concerns one clip, never the camera or the other clips.
 * Belongs to the thread that made it.
 */
export class ClipRecorder implements AsyncDisposable {
  readonly #folder: string;
  readonly #preMs: number;
  readonly #postMs: number;
  readonly #settings: RecordingSettings;
  readonly #turns: Turns;
  readonly #running = new Set<Recording>();
  /** The latest recording of each camera's events. */
  readonly #latest = new Map<string, Recording>();
  #closing: Promise<void> | undefined;

  /** Throws `INVALID_ARGUMENT`. */
  constructor(options: ClipOptions) {
    plainObject('options', options, OPTIONS);
    const seconds = (name: keyof ClipOptions, usual: number, least: number, most: number): number =>
      1000 * numberIn(name, options[name] ?? usual, least, most);
    this.#folder = nonEmptyString('folder', options.folder);
    this.#preMs = seconds('preSeconds', 5, 0, 600);
    this.#postMs = seconds('postSeconds', 5, 0, 600);
    const maxMs = seconds('maxSeconds', 60, 0, 86_400);
    if (maxMs < this.#preMs + this.#postMs)
      throw invalid('maxSeconds', 'at least preSeconds + postSeconds', maxMs / 1000);
    const { ffmpeg, encoder, redactor } = options;
    this.#settings = {
      ffmpeg: ffmpeg === undefined ? undefined : nonEmptyString('ffmpeg', ffmpeg),
      encoder: encoder === undefined ? undefined : oneOf('encoder', encoder, H264_ENCODERS),
      quality: numberIn('quality', options.quality ?? 23, 0, 51),
      threads: positiveInteger('threads', options.threads ?? 1, 64),
      thumbnailSide: positiveInteger('thumbnailSide', options.thumbnailSide ?? 640, 16_384),
      idleMs: seconds('idleSeconds', 10, 0.01, 3600),
      maxMs,
      redactor,
    };
    this.#turns = new Turns(positiveInteger('encoders', options.encoders ?? 2, 64));
  }

  /** Clips that are being made, those that wait for an encoder too. */
  get active(): number {
    return this.#running.size;
  }

  /** Those that wait for an encoder. */
  get waiting(): number {
    return this.#turns.waiting;
  }

  /** Records what a source gave and will give between two times. Throws `INVALID_ARGUMENT`, `CLOSED`; the rest comes through `done`. */
  record(request: RecordRequest): Recording {
    this.#check();
    plainObject('request', request, ['source', 'start', 'end', 'path', 'key', 'events', 'signal']);
    const { source, path } = request;
    if (typeof source?.frames !== 'function' || typeof source.history !== 'function') {
      throw invalid('source', 'camera', source);
    }
    if (!/\.mp4$/i.test(nonEmptyString('path', path))) throw invalid('path', "name that ends in '.mp4'", path);
    const start = numberIn('start', request.start, -8e15, 8e15);
    numberIn('end', request.end, start, 8e15);
    const recording = new Recording(request, this.#settings, (signal) => this.#turns.take(signal));
    this.#running.add(recording);
    const over = (): void => {
      this.#running.delete(recording);
      if (this.#latest.get(source.id) === recording) this.#latest.delete(source.id);
    };
    // Failures belong to whoever looks at `done`; nobody has to.
    recording.done.then(over, over);
    return recording;
  }

  /**
   * The clip that shows an event: the one that its camera is recording, made longer, or a new one. Several events may give the same
   * recording.
   */
  event({ source, timestamp, event }: ClipEvent): Recording {
    this.#check();
    numberIn('timestamp', timestamp, -8e15, 8e15);
    const latest = this.#latest.get(source.id);
    const overlaps = latest !== undefined && timestamp >= latest.start && timestamp - this.#preMs <= latest.end;
    if (overlaps && latest.extend(timestamp + this.#postMs, event)) return latest;
    const recording = this.record({
      source,
      start: timestamp - this.#preMs,
      end: timestamp + this.#postMs,
      path: this.#pathOf(source.id, timestamp, event),
      key: timestamp,
      events: [event],
    });
    this.#latest.set(source.id, recording);
    return recording;
  }

  /**
   * Finishes the clips in the folder that a killed process has left, however many recorders there are: index, digest, thumbnail and facts. Never
   * rejects; what could not be finished is said, and tried again by the next call.
   */
  recover(): Promise<ClipRecovery> {
    return recoverClips(this.#folder, this.#settings.thumbnailSide, this.#settings.ffmpeg);
  }

  /** Ends all recordings with the pictures that their cameras keep by now, and waits for them, those without an encoder yet too. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= (async () => {
      for (const recording of this.#running) recording.stop();
      await Promise.allSettled([...this.#running].map(({ done }) => done));
    })();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #check(): void {
    if (this.#closing !== undefined) throw new LineamentError('CLOSED', 'the clip recorder is closed');
  }

  #pathOf(camera: string, timestamp: number, event: string): string {
    const [day = '', time = ''] = new Date(timestamp).toISOString().split('T');
    const name = `${time.replace(/[:.]/g, '-').replace('Z', '')}_${safe(event)}.mp4`;
    return join(this.#folder, safe(camera), day, name);
  }
}

/** A file name of any text. */
const safe = (text: string): string => text.replace(/[^\p{L}\p{N}_-]+/gu, '-').slice(0, 80) || '-';
