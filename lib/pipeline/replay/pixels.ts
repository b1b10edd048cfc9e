import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { type FileHandle, open } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { type Ffmpeg, passthrough } from '../../capture/ffmpeg.js';
import { LineamentError } from '../../errors.js';
import { asFile } from '../clips/finish.js';
import { pictureBytes } from '../clips/matroska.js';
import type { SegmentFacts } from './format.js';

/** The pictures of one file of a session, by their place in it. Later ones are cheap, earlier ones may begin anew. */
export interface PixelReader {
  /** Bytes of its own. Rejects with `VIDEO_CORRUPT`. */
  read(index: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

const cut = (path: string, index: number, cause?: unknown): LineamentError =>
  new LineamentError('VIDEO_CORRUPT', `${path}: picture ${index} is missing`, { cause });

/** Pictures one after another. */
export class RawPixels implements PixelReader {
  readonly #path: string;
  readonly #bytes: number;
  #file: Promise<FileHandle> | undefined;

  constructor(path: string, segment: SegmentFacts) {
    this.#path = path;
    this.#bytes = pictureBytes(segment);
  }

  async read(index: number): Promise<Uint8Array> {
    try {
      this.#file ??= open(this.#path, 'r');
      const out = new Uint8Array(this.#bytes);
      const { bytesRead } = await (await this.#file).read(out, 0, out.length, index * this.#bytes);
      if (bytesRead === out.length) return out;
    } catch (error) {
      throw cut(this.#path, index, error);
    }
    throw cut(this.#path, index);
  }

  async close(): Promise<void> {
    await (await this.#file?.catch(() => undefined))?.close();
    this.#file = undefined;
  }
}

const LAYOUTS: Readonly<Record<SegmentFacts['format'], string>> = {
  i420: 'yuv420p',
  nv12: 'nv12',
  yuyv: 'yuyv422',
  gray: 'gray',
  rgb: 'rgb24',
  bgr: 'bgr24',
  rgba: 'rgba',
  bgra: 'bgra',
};

/** Pictures that an ffmpeg decodes one after another; going back begins anew. */
export class DecodedPixels implements PixelReader {
  readonly #path: string;
  readonly #ffmpeg: Ffmpeg;
  readonly #segment: SegmentFacts;
  #child: ChildProcessByStdio<null, Readable, null> | undefined;
  #next = 0;

  constructor(path: string, segment: SegmentFacts, ffmpeg: Ffmpeg) {
    this.#path = path;
    this.#segment = segment;
    this.#ffmpeg = ffmpeg;
  }

  async read(index: number): Promise<Uint8Array> {
    if (this.#child === undefined || index < this.#next) await this.#start();
    for (; this.#next < index; this.#next++) await this.#one(this.#next);
    const out = await this.#one(index);
    this.#next = index + 1;
    return out;
  }

  async close(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    (child.stdout as Readable | undefined)?.destroy();
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await gone;
    }
  }

  async #start(): Promise<void> {
    await this.close();
    this.#next = 0;
    const output = ['-f', 'rawvideo', '-pix_fmt', LAYOUTS[this.#segment.format], '-'];
    this.#child = spawn(
      this.#ffmpeg.path,
      [
        ...['-hide_banner', '-loglevel', 'error', '-nostdin', '-threads', '1', '-i', asFile(this.#path)],
        ...passthrough(this.#ffmpeg.release),
        ...output,
      ],
      { stdio: ['ignore', 'pipe', 'ignore'], windowsHide: true },
    );
    this.#child.on('error', () => undefined);
  }

  async #one(index: number): Promise<Uint8Array> {
    const out = new Uint8Array(pictureBytes(this.#segment));
    const stdout = this.#child?.stdout as Readable | undefined;
    // It could not be started, for want of descriptors.
    if (!stdout) throw cut(this.#path, index);
    for (let at = 0; at < out.length; ) {
      const chunk = (stdout.read(Math.min(out.length - at, stdout.readableLength || 1)) ?? undefined) as
        | Buffer
        | undefined;
      if (chunk !== undefined) {
        out.set(chunk, at);
        at += chunk.length;
      } else if (stdout.readableEnded || stdout.destroyed || !(await readable(stdout))) {
        throw cut(this.#path, index);
      }
    }
    return out;
  }
}

/** Waits for bytes; false at the end. */
function readable(stream: Readable): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (more: boolean): void => {
      stream.off('readable', onReadable);
      stream.off('end', onEnd);
      stream.off('close', onEnd);
      stream.off('error', onEnd);
      resolve(more);
    };
    const onReadable = (): void => settle(true);
    const onEnd = (): void => settle(false);
    stream.once('readable', onReadable);
    stream.once('end', onEnd);
    stream.once('close', onEnd);
    stream.once('error', onEnd);
  });
}
