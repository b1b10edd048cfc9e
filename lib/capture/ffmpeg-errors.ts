import { type ErrorCode, LineamentError } from '../errors.js';
import type { CameraSource } from './types.js';

/** Why ffmpeg gave no (more) pictures, told from what it wrote. */
interface Complaint {
  readonly pattern: RegExp;
  readonly code: ErrorCode;
  readonly said: string;
  readonly fix?: string;
  /** Trying again will not help. */
  readonly final?: boolean;
}

const COMPLAINTS: readonly Complaint[] = [
  {
    pattern: /401 Unauthorized|HTTP error 401|authorization failed/i,
    code: 'ACCESS_DENIED',
    said: 'the server wants a user and a password (401)',
    fix: "Put them into the address: 'rtsp://user:password@host/…', with special characters percent-encoded.",
    final: true,
  },
  {
    pattern: /403 Forbidden|HTTP error 403|access denied/i,
    code: 'ACCESS_DENIED',
    said: 'the server refuses access (403)',
    final: true,
  },
  {
    pattern: /404 (?:Stream )?Not Found|HTTP error 404/i,
    code: 'CAMERA_NOT_FOUND',
    said: 'the server knows no such stream (404)',
  },
  {
    pattern: /Failed to resolve hostname|Name or service not known|getaddrinfo|Temporary failure in name/i,
    code: 'CAMERA_NOT_FOUND',
    said: 'the name of the server cannot be resolved',
  },
  {
    pattern: /Protocol not found|protocol .* not on whitelist|Unknown protocol/i,
    code: 'CAMERA_UNSUPPORTED',
    said: 'ffmpeg may not or cannot read such an address',
    final: true,
  },
  { pattern: /Connection refused/i, code: 'CAMERA_LOST', said: 'the server refused the connection' },
  { pattern: /No route to host|Network is unreachable/i, code: 'CAMERA_LOST', said: 'the server cannot be reached' },
  {
    pattern: /timed out|Operation timed out|ETIMEDOUT/i,
    code: 'CAMERA_LOST',
    said: 'the server did not answer in time',
  },
  {
    pattern:
      /Option hwaccel|Unrecognized hwaccel|Device creation failed|No device available for decoder|hwaccel initiali[sz]ation|Failed to (?:create|set).*hw|Cannot load lib(?:cuda|nvcuvid)/i,
    code: 'FFMPEG_FAILED',
    said: 'the hardware decoder cannot be used',
    fix: "Leave the option 'hardware' away, or name one that 'ffmpeg -hwaccels' lists and this machine has.",
    final: true,
  },
  {
    pattern: /matches no streams|does not contain any stream/i,
    code: 'VIDEO_CORRUPT',
    said: 'it has no pictures (only sound, or nothing)',
    final: true,
  },
  {
    pattern: /Decoder \(codec .*not found|Decoding requested, but no decoder/i,
    code: 'CAMERA_UNSUPPORTED',
    said: 'this ffmpeg has no decoder for it',
    final: true,
  },
  { pattern: /No such file or directory/i, code: 'CAMERA_NOT_FOUND', said: 'there is no such file', final: true },
  { pattern: /Permission denied/i, code: 'CAMERA_NOT_FOUND', said: 'it may not be read', final: true },
  {
    pattern:
      /Invalid data found|moov atom not found|could not find codec parameters|Invalid argument|End of file|Error while decoding/i,
    code: 'VIDEO_CORRUPT',
    said: 'it is damaged, or no video',
  },
];

/** What ffmpeg left behind when it ended. */
export interface FfmpegEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** The last lines that it wrote, without secrets. */
  readonly lines: readonly string[];
}

/** The failure, and whether there is hope in trying again. */
export interface CameraFailure {
  readonly error: LineamentError;
  readonly final: boolean;
}

/**
 * What the end of an ffmpeg means that had not come to the end of a file. `name` says which source, without secrets. `seen` tells whether it
 * had given pictures before: then what is said of the connection is a loss, and a file is cut or damaged.
 */
export function explainEnd(kind: CameraSource['kind'], name: string, end: FfmpegEnd, seen: boolean): CameraFailure {
  const text = end.lines.join('\n');
  const last = lastLines(end.lines);
  const how = end.signal === null ? `ffmpeg ended with ${end.code ?? 'no code'}` : `ffmpeg was ended by ${end.signal}`;
  const cause = new Error(last === '' ? how : `${how}: ${last}`);
  const make = (code: ErrorCode, detail: string, fix?: string): LineamentError =>
    new LineamentError(code, detail, { cause, ...(fix === undefined ? {} : { fix }) });
  const complaint = COMPLAINTS.find(({ pattern }) => pattern.test(text));
  if (
    kind === 'stream' &&
    (seen || complaint === undefined || complaint.code === 'VIDEO_CORRUPT') &&
    complaint?.final !== true
  ) {
    const why = complaint?.said ?? (last === '' ? 'the stream ended' : last);
    return { error: make('CAMERA_LOST', `${name}: ${why}`), final: false };
  }
  if (complaint !== undefined) {
    const { code, said, fix, final } = complaint;
    return { error: make(code, `${name}: ${said}`, fix), final: final === true || kind === 'file' };
  }
  if (seen) return { error: make('VIDEO_CORRUPT', `${name}: ${last || how}`), final: true };
  if (end.code === 0 && end.signal === null) {
    return { error: make('VIDEO_CORRUPT', `${name}: it has no pictures`), final: true };
  }
  return { error: make('FFMPEG_FAILED', `${name}: ${last === '' ? how : `${how}: ${last}`}`), final: kind === 'file' };
}

function lastLines(lines: readonly string[]): string {
  return lines.slice(-2).join('; ');
}
