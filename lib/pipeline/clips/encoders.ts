import { execFile } from 'node:child_process';
import { type Ffmpeg, passthrough } from '../../capture/ffmpeg.js';
import { LineamentError } from '../../errors.js';

/** H.264 encoders of ffmpeg by their names there; the first two run on any machine that has them, the others where the hardware is. */
export const H264_ENCODERS = [
  'libx264',
  'libopenh264',
  'h264_nvenc',
  'h264_vaapi',
  'h264_qsv',
  'h264_videotoolbox',
  'h264_v4l2m2m',
] as const;
export type H264Encoder = (typeof H264_ENCODERS)[number];

const SOFTWARE: readonly H264Encoder[] = ['libx264', 'libopenh264'];
const FIX =
  "Install an ffmpeg with libx264 (Debian's and Homebrew's have it), or name an encoder that 'ffmpeg -encoders' lists.";

const listed = new Map<string, Promise<ReadonlySet<string>>>();

/** What an ffmpeg can encode to, by name; asked once for each program. Rejects with `FFMPEG_FAILED`. */
export function encodersOf(ffmpeg: string): Promise<ReadonlySet<string>> {
  let known = listed.get(ffmpeg);
  if (known === undefined) {
    known = new Promise((resolve, reject) => {
      execFile(ffmpeg, ['-hide_banner', '-nostdin', '-encoders'], { timeout: 10_000 }, (cause, stdout) => {
        if (cause !== null) {
          listed.delete(ffmpeg);
          reject(new LineamentError('FFMPEG_FAILED', `${ffmpeg} does not list its encoders`, { cause }));
          return;
        }
        resolve(new Set([...stdout.matchAll(/^ [VAS][A-Z.]{5} (\S+)/gm)].map((line) => line[1]!)));
      });
    });
    listed.set(ffmpeg, known);
  }
  return known;
}

/** The encoder that is named, or the best of those in software. Rejects with `RECORDING_FAILED` where there is none. */
export async function chooseEncoder(ffmpeg: string, named: H264Encoder | undefined): Promise<H264Encoder> {
  const has = await encodersOf(ffmpeg);
  const chosen = named === undefined ? SOFTWARE.find((name) => has.has(name)) : has.has(named) ? named : undefined;
  if (chosen !== undefined) return chosen;
  const what = named === undefined ? 'no H.264 encoder' : `no encoder '${named}'`;
  throw new LineamentError('RECORDING_FAILED', `${ffmpeg} has ${what}`, { fix: FIX });
}

export interface EncodeOptions {
  /** Of the ffmpeg, for the names of its options. */
  readonly release: Ffmpeg['release'];
  readonly encoder: H264Encoder;
  /** 0 (best) to 51; 23 is usual. */
  readonly quality: number;
  readonly threads: number;
  readonly width: number;
  readonly height: number;
}

/** Seconds between key pictures, and so the most that a kill costs. */
const KEY_SECONDS = 1;

/**
 * Arguments after the input. No pictures are reordered or held back for long: what has been handed over is soon in the file. Times
 * are kept to 1/90 000 s. A key picture every second opens a fragment of its own.
 */
export function encodeArguments({ release, encoder, quality, threads, width, height }: EncodeOptions): string[] {
  const filters = [
    // H.264 4:2:0 has even sides: the last column and row are repeated.
    ...(width % 2 === 0 && height % 2 === 0 ? [] : ['pad=ceil(iw/2)*2:ceil(ih/2)*2']),
    ...(encoder === 'h264_vaapi' ? ['format=nv12', 'hwupload'] : ['format=yuv420p']),
  ];
  return [
    ...['-map', '0:v:0', '-an', '-sn', '-dn', '-vf', filters.join(','), '-filter_threads', '1'],
    ...['-c:v', encoder, ...tuning(encoder, quality, width * height), '-threads', String(threads)],
    ...['-g', '600', '-force_key_frames', `expr:gte(t,n_forced*${KEY_SECONDS})`],
    ...passthrough(release),
    ...['-enc_time_base', '1:90000', '-video_track_timescale', '90000'],
    ...['-movflags', '+frag_keyframe+empty_moov+default_base_moof', '-flush_packets', '1', '-f', 'mp4'],
  ];
}

/** What comes before the input. */
export function deviceArguments(encoder: H264Encoder): string[] {
  return encoder === 'h264_vaapi' ? ['-vaapi_device', process.env['LINEAMENT_VAAPI'] ?? '/dev/dri/renderD128'] : [];
}

function tuning(encoder: H264Encoder, quality: number, pixels: number): string[] {
  const level = String(quality);
  switch (encoder) {
    case 'libx264':
      return ['-preset', 'veryfast', '-crf', level, '-bf', '0', '-rc-lookahead', '10'];
    case 'h264_nvenc':
      return ['-preset', 'p4', '-rc', 'vbr', '-cq', level, '-b:v', '0', '-bf', '0'];
    case 'h264_vaapi':
      return ['-rc_mode', 'CQP', '-qp', level, '-bf', '0'];
    case 'h264_qsv':
      return ['-global_quality', level, '-bf', '0'];
    default:
      // These want a rate: 0.1 bit for each of 15 pictures a second at 23, half of it for every six steps more.
      return ['-b:v', String(Math.round(pixels * 1.5 * 2 ** ((23 - quality) / 6)))];
  }
}
