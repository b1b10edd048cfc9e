import path from 'node:path';
import { type Ffmpeg, passthrough } from './ffmpeg.js';
import type { CameraSource } from './types.js';

/** What is asked of ffmpeg for one video or stream. */
export interface VideoRequest {
  readonly source: Extract<CameraSource, { kind: 'file' | 'stream' }>;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  /** Name of a hardware decoder. */
  readonly hardware?: string;
}

/** No picture for so long means that a stream is lost, milliseconds. */
export const STREAM_TIMEOUT_MS = 10_000;

/** What a video on disk may open, so that a playlist cannot make it fetch addresses. */
const FILE_PROTOCOLS = 'file,crypto,data,subfile,concatf';
/** What a stream may open, so that a playlist of a server cannot make it read files. */
const STREAM_PROTOCOLS = 'rtsp,rtsps,rtp,rtcp,udp,tcp,tls,http,https,httpproxy,crypto,data,rtmp,rtmps,rtmpt,srt,hls';

/**
 * Arguments that make ffmpeg (5.0 and later) write each picture of the first video track as planar 4:2:0 with its time, in a NUT file
 * to standard output: rotation applied, no larger than asked, sides even, BT.601 limited range, nothing doubled, nothing that was
 * not asked for left out.
 */
export function ffmpegArguments(request: VideoRequest, { release }: Pick<Ffmpeg, 'release'>): string[] {
  const { hardware } = request;
  return [
    '-hide_banner',
    '-nostdin',
    '-nostats',
    '-loglevel',
    'repeat+warning',
    ...(hardware === undefined ? [] : ['-hwaccel', hardware]),
    ...inputArguments(request.source),
    '-map',
    '0:v:0',
    '-an',
    '-sn',
    '-dn',
    '-vf',
    filterOf(request),
    ...passthrough(release),
    '-c:v',
    'rawvideo',
    '-pix_fmt',
    'yuv420p',
    '-flush_packets',
    '1',
    '-f',
    'nut',
    'pipe:1',
  ];
}

/** A file is read as fast as its pictures are taken: whoever reads the pipe keeps the pace. */
function inputArguments(source: VideoRequest['source']): string[] {
  if (source.kind === 'file') {
    return [
      ...(source.loop === true ? ['-stream_loop', '-1'] : []),
      '-protocol_whitelist',
      FILE_PROTOCOLS,
      '-i',
      // With the scheme a name like `concat:a|b` or `-y` is a name.
      `file:${path.resolve(source.path)}`,
    ];
  }
  const micros = String(Math.round((source.timeoutMs ?? STREAM_TIMEOUT_MS) * 1000));
  const rtsp = /^rtsps?:/i.test(source.url);
  return [
    // Not `nobuffer`, which throws away what was read to look at the stream, and with it often the only key picture for seconds: nothing is
    // played at a pace here, so what was read is caught up with at once.
    '-flags',
    'low_delay',
    // Do not collect pictures to guess their rate.
    '-fpsprobesize',
    '0',
    '-analyzeduration',
    '3000000',
    '-protocol_whitelist',
    STREAM_PROTOCOLS,
    ...(rtsp
      ? ['-rtsp_transport', source.transport ?? 'tcp', '-timeout', micros, '-allowed_media_types', 'video']
      : ['-rw_timeout', micros]),
    '-i',
    source.url,
  ];
}

/** Rates first: what is left out need not be scaled. Commas inside an expression are escaped by the quotes. */
function filterOf({ width, height, fps }: VideoRequest): string {
  const filters: string[] = [];
  if (fps !== undefined) {
    // The first picture of each interval of 1/fps; those without a time are all kept.
    filters.push(
      `select='isnan(t)+isnan(prev_selected_t)+gt(floor(t*${fps}+0.01),floor(prev_selected_t*${fps}+0.01))'`,
    );
  }
  const fit =
    width === undefined && height === undefined
      ? "w='max(2,trunc(iw/2)*2)':h='max(2,trunc(ih/2)*2)'"
      : fitted(width, height);
  filters.push(`scale=${fit}:out_range=tv:out_color_matrix=bt601`);
  return filters.join(',');
}

/** The largest even size of the picture's own shape within the box, never larger than the picture. */
function fitted(width: number | undefined, height: number | undefined): string {
  const parts = [
    '1',
    ...(width === undefined ? [] : [`${width}/iw`]),
    ...(height === undefined ? [] : [`${height}/ih`]),
  ];
  const scale = parts.reduce((a, b) => `min(${a},${b})`);
  // A hair more, so that an exact fit is not rounded below itself.
  const side = (name: string): string => `max(2,trunc(${name}*${scale}/2+0.0001)*2)`;
  return `w='${side('iw')}':h='${side('ih')}'`;
}
