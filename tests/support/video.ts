import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Whether there is an ffmpeg that can make test videos. */
export const haveFfmpeg = spawnSync('ffmpeg', ['-version'], { stdio: 'ignore' }).status === 0;

export interface VideoOptions {
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly frames?: number;
  /** Filters after the numbers are drawn, e.g. one that leaves pictures out. */
  readonly filter?: string;
  /** Output options; H.264 with a key frame every 15 pictures and no reordering when absent. */
  readonly encode?: readonly string[];
  /** A sine beside the pictures. */
  readonly audio?: boolean;
}

const H264 = '-c:v libx264 -preset ultrafast -tune zerolatency -g 15 -pix_fmt yuv420p'.split(' ');
const BITS = 16;

/**
 * Makes a moving test picture in which every frame carries its number: two rows of 16 blocks over the whole width, each an eighth of the
 * height, the number and its complement, lowest bit at the left. It survives scaling and compression; {@link readFrameNumber} reads it.
 */
export async function makeVideo(file: string, options: VideoOptions = {}): Promise<string> {
  const { width = 320, height = 240, fps = 25, frames = 50, filter, audio = false } = options;
  const row = Math.floor(height / 16) * 2;
  const bit = `mod(floor(N/pow(2,floor(X*${BITS}/${width}))),2)`;
  const strip =
    `color=black:size=${width}x${2 * row}:rate=${fps},format=gray,` +
    `geq=lum='if(lt(Y,${row}),${bit},1-${bit})*219+16',format=yuv420p`;
  const graph =
    `testsrc2=size=${width}x${height}:rate=${fps}[a];${strip}[b];[a][b]overlay=format=yuv420,` +
    `format=yuv420p${filter === undefined ? '' : `,${filter}`}`;
  await run('ffmpeg', [
    ...'-nostdin -loglevel error -y -f lavfi'.split(' '),
    '-i',
    graph,
    ...(audio ? ['-f', 'lavfi', '-i', `sine=duration=${frames / fps}`] : []),
    '-frames:v',
    String(frames),
    ...(options.encode ?? H264),
    file,
  ]);
  return file;
}

/** Runs ffmpeg, for what `makeVideo` does not make. */
export async function ffmpeg(args: readonly string[]): Promise<void> {
  await run('ffmpeg', ['-nostdin', '-loglevel', 'error', '-y', ...args]);
}

interface Pixels {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly format: string;
}

/** The number that `makeVideo` drew into a frame; absent where the blocks contradict each other (a damaged picture). */
export function readFrameNumber({ data, width, height, format }: Pixels): number | undefined {
  const step = format === 'rgb' || format === 'bgr' ? 3 : 1;
  const white = (x: number, y: number): boolean => {
    const at = (Math.floor(y * height) * width + Math.floor(x * width)) * step;
    return (data[at + (step === 3 ? 1 : 0)] ?? 0) > 127;
  };
  const row = (Math.floor(height / 16) * 2) / height;
  let number = 0;
  for (let i = 0; i < BITS; i++) {
    const x = (i + 0.5) / BITS;
    const bit = white(x, row / 2);
    if (bit === white(x, row * 1.5)) return undefined;
    if (bit) number += 2 ** i;
  }
  return number;
}
