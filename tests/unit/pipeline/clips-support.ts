import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import type { CameraFrame, FramesOptions } from '../../../lib/capture/types.js';
import type { LineamentError } from '../../../lib/errors.js';
import type { FrameSource } from '../../../lib/pipeline/clips/index.js';

const run = promisify(execFile);

/** Whether the tests that encode can run here. */
export const ffmpeg = ((): boolean => {
  try {
    execFileSync('ffprobe', ['-version'], { stdio: 'ignore' });
    return / libx264 /.test(execFileSync('ffmpeg', ['-hide_banner', '-encoders'], { encoding: 'utf8' }));
  } catch {
    return false;
  }
})();

export const T0 = 1_800_000_000_000;
/** How long to look for something that comes: machines are busy. */
export const SLOW = { timeout: 30_000 };

/** The error that a promise rejects with. */
export const failure = (work: Promise<unknown>): Promise<LineamentError> =>
  work.then(
    () => {
      throw new Error('it did not fail');
    },
    (error: unknown) => error as LineamentError,
  );

/** A camera that gave pictures at these times (milliseconds after T0), numbered from 0. */
export function sourceOf(times: readonly number[], make: typeof numbered = numbered): MemorySource {
  const source = new MemorySource();
  for (const [i, time] of times.entries()) source.push(make(i, T0 + time));
  return source;
}
export const steady = (count: number, step = 40): number[] => Array.from({ length: count }, (_, i) => i * step);

const BITS = 16;

/** Grey I420 with the number burned in: sixteen fields of white (1) and black (0) across the upper half. */
export function numbered(number: number, timestamp: number, width = 160, height = 96, camera = 'gate'): CameraFrame {
  const data = new Uint8Array(width * height * 1.5).fill(128);
  const field = width / BITS;
  for (let y = 0; y < height / 2; y++) {
    for (let x = 0; x < width; x++) data[y * width + x] = (number >> Math.floor(x / field)) & 1 ? 235 : 16;
  }
  return { camera, sequence: number, timestamp, data, width, height, channels: 1, format: 'i420' };
}

/** The number in a grey picture. */
export function numberIn(gray: Uint8Array, width: number, height: number): number {
  const field = width / BITS;
  let number = 0;
  for (let bit = 0; bit < BITS; bit++) {
    const at = Math.floor(height / 4) * width + Math.floor((bit + 0.5) * field);
    if (gray[at]! > 128) number |= 1 << bit;
  }
  return number;
}

/** A camera in memory: keeps the latest pictures, readers fall behind as those of a ring do. */
export class MemorySource implements FrameSource {
  readonly id: string;
  readonly #keep: number;
  readonly #kept: CameraFrame[] = [];
  readonly #waiting = new Set<() => void>();
  #ended = false;

  constructor(id = 'gate', keep = 1000) {
    this.id = id;
    this.#keep = keep;
  }

  push(frame: CameraFrame): void {
    this.#kept.push(frame);
    if (this.#kept.length > this.#keep) this.#kept.shift();
    this.#wake();
  }

  end(): void {
    this.#ended = true;
    this.#wake();
  }

  get readers(): number {
    return this.#waiting.size;
  }

  *history(first: number, last: number): Generator<CameraFrame> {
    const found = this.#kept.filter(({ timestamp }) => timestamp >= first && timestamp <= last);
    for (const frame of found) if (this.#kept.includes(frame)) yield frame;
  }

  async *frames({ signal }: FramesOptions = {}): AsyncGenerator<CameraFrame> {
    let last = this.#kept.at(-1)?.sequence ?? -1;
    for (;;) {
      if (signal?.aborted === true) throw new Error('aborted');
      const next = this.#kept.find(({ sequence }) => sequence > last);
      if (next !== undefined) {
        last = next.sequence;
        yield next;
      } else if (this.#ended) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          const go = (): void => {
            this.#waiting.delete(go);
            signal?.removeEventListener('abort', go);
            resolve();
          };
          this.#waiting.add(go);
          signal?.addEventListener('abort', go, { once: true });
        });
      }
    }
  }

  #wake(): void {
    for (const go of [...this.#waiting]) go();
  }
}

/** Times (milliseconds from the first), and the burned-in numbers, of the pictures of a video, as ffmpeg reads them. */
export async function readBack(path: string): Promise<{ readonly times: number[]; readonly numbers: number[] }> {
  const probe = ['-v', 'error', '-select_streams', 'v:0', '-show_entries', 'frame=pts_time:stream=width,height'];
  const { stdout } = await run('ffprobe', [...probe, '-of', 'json', path], { maxBuffer: 1 << 26 });
  const { frames, streams } = JSON.parse(stdout) as {
    frames: { pts_time: string }[];
    streams: { width: number; height: number }[];
  };
  const { width, height } = streams[0]!;
  const raw = await run(
    'ffmpeg',
    ['-v', 'error', '-i', path, '-fps_mode', 'passthrough', '-f', 'rawvideo', '-pix_fmt', 'gray', '-'],
    { encoding: 'buffer', maxBuffer: 1 << 30 },
  );
  const pixels = raw.stdout;
  const numbers = Array.from({ length: pixels.length / (width * height) }, (_, i) =>
    numberIn(pixels.subarray(i * width * height, (i + 1) * width * height), width, height),
  );
  return { times: frames.map(({ pts_time }) => Number(pts_time) * 1000), numbers };
}
