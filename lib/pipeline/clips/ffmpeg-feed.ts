import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { LineamentError } from '../../errors.js';
import type { Frame } from '../../types.js';
import { matroskaHeader, pictureHeader, tightPixels } from './matroska.js';

/** A picture that is not taken for so long means that ffmpeg hangs. */
const HANGS_MS = 30_000;
const LINES = 12;

/** How an ffmpeg ended. */
export interface FeedEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last that it said. */
  readonly said: string;
}

/**
 * An ffmpeg that reads pictures from us. One picture is on its way at a time: `write` resolves when it is wholly in the pipe, and its memory is
 * then the caller's again.
 */
export class FfmpegFeed {
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly ended: Promise<FeedEnd>;
  #opened = false;
  #over = false;
  /** Called when it ends, for the picture that is on its way. */
  #whenOver: (() => void) | undefined;

  /** `before` the input, `after` it and the output. */
  constructor(ffmpeg: string, before: readonly string[], after: readonly string[]) {
    this.#child = spawn(
      ffmpeg,
      [
        ...['-hide_banner', '-loglevel', 'warning', '-nostdin', '-y', ...before],
        ...['-probesize', '32', '-analyzeduration', '0', '-f', 'matroska', '-i', 'pipe:0'],
        ...after,
      ],
      { stdio: ['pipe', 'ignore', 'pipe'], windowsHide: true },
    );
    let rest = '';
    // Where it could not be started, for want of descriptors, there are no pipes.
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = (lines.pop() ?? '').slice(-1000);
      this.#lines.push(...lines.filter((line) => line.trim() !== ''));
      this.#lines.splice(0, this.#lines.length - LINES);
    });
    // A pipe that breaks is told by the end of the process.
    this.#child.stdin?.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const end = (how: FeedEnd): void => {
        this.#over = true;
        resolve(how);
        this.#whenOver?.();
      };
      this.#child.once('error', (error) => end({ code: null, signal: null, said: error.message }));
      this.#child.once('close', (code, signal) =>
        end({ code, signal, said: [...this.#lines, rest].join('; ').trim() }),
      );
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Hands a picture over; all have the size and layout of the first. Rejects with `FFMPEG_FAILED` when ffmpeg has ended or hangs. */
  async write(frame: Frame, microseconds: number, fps = 15): Promise<void> {
    const pixels = tightPixels(frame);
    const { stdin } = this.#child;
    if (!stdin) throw feedError(await this.ended);
    stdin.cork();
    if (!this.#opened) stdin.write(matroskaHeader(frame.width, frame.height, frame.format, fps));
    this.#opened = true;
    stdin.write(pictureHeader(microseconds, pixels.length));
    // One promise for each picture: those of the process live as long as it does, and would keep what waits for them.
    const took = await new Promise<boolean | 'hangs'>((resolve) => {
      const timer = setTimeout(resolve, HANGS_MS, 'hangs');
      const settle = (well: boolean): void => {
        clearTimeout(timer);
        this.#whenOver = undefined;
        resolve(well);
      };
      this.#whenOver = () => settle(false);
      stdin.write(pixels, (error) => settle(!error));
      stdin.uncork();
      if (this.#over) settle(false);
    });
    if (took === true) return;
    if (took === 'hangs') this.kill();
    throw feedError(await this.ended, took === 'hangs' ? 'ffmpeg takes no pictures' : undefined);
  }

  /** No more pictures: waits until ffmpeg has written everything. Rejects with `FFMPEG_FAILED`. */
  async finish(): Promise<void> {
    this.#child.stdin?.end();
    const timer = setTimeout(() => this.kill(), 2 * HANGS_MS);
    const end = await this.ended;
    clearTimeout(timer);
    if (end.code !== 0) throw feedError(end);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

function feedError({ code, signal, said }: FeedEnd, what?: string): LineamentError {
  const how = what ?? (signal === null ? `ffmpeg ended with ${code ?? 'no code'}` : `ffmpeg was ended by ${signal}`);
  const full = /No space left on device|ENOSPC|Disk quota exceeded/i.test(said);
  return new LineamentError(
    'FFMPEG_FAILED',
    full ? 'no space left on the disk' : said === '' ? how : `${how}: ${said}`,
    {
      cause: new Error(`${how}: ${said}`),
      ...(full ? { fix: 'Make room, or let retention delete older clips.' } : {}),
    },
  );
}

/** Runs an ffmpeg that reads and writes files. Rejects with `FFMPEG_FAILED`, `ABORTED` when `signal` fires. */
export async function runFfmpeg(ffmpeg: string, args: readonly string[]): Promise<void> {
  const child = spawn(ffmpeg, ['-hide_banner', '-loglevel', 'warning', '-nostdin', '-y', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    windowsHide: true,
  });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-2000);
  });
  let failed: Error | undefined;
  child.once('error', (error) => {
    failed = error;
  });
  const [code, signal] = (await once(child, 'close').catch(() => [null, null])) as [
    number | null,
    NodeJS.Signals | null,
  ];
  if (code !== 0) throw feedError({ code, signal, said: failed?.message ?? said.trim().replaceAll('\n', '; ') });
}
