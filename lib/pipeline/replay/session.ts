import { findFfmpeg } from '../../capture/ffmpeg.js';
import { boolean, invalid, nonEmptyString, plainObject } from '../../errors/validate.js';
import { readIndex, readSession, type SessionFacts } from './format.js';
import { ReplaySource } from './source.js';

export interface ReplayOptions {
  /** Times as fast as it was recorded: 1 is real time. When absent, pictures come as fast as they are taken and none is left out. */
  readonly speed?: number;
  /** Compares every picture with the digest of the recorded one; default true. */
  readonly verify?: boolean;
  /** The ffmpeg program; only sessions that are not `raw` need it. */
  readonly ffmpeg?: string;
}

/** A recorded session, to be played again. */
export interface ReplaySession extends AsyncDisposable {
  readonly facts: SessionFacts;
  /** In place of its cameras, in the order in which they were recorded. */
  readonly cameras: readonly ReplaySource[];
  close(): Promise<void>;
}

/**
 * Opens what `recordSession` wrote. Rejects with `NOT_FOUND` (no session), `VIDEO_CORRUPT` (changed or damaged), `FFMPEG_NOT_FOUND`,
 * `INVALID_ARGUMENT`.
 */
export async function openReplay(folder: string, options: ReplayOptions = {}): Promise<ReplaySession> {
  plainObject('options', options, ['speed', 'verify', 'ffmpeg']);
  nonEmptyString('folder', folder);
  const { speed = Infinity } = options;
  if (typeof speed !== 'number' || !(speed > 0)) throw invalid('speed', 'number above 0', speed);
  const verify = boolean('verify', options.verify ?? true);
  const facts = await readSession(folder);
  const ffmpeg = facts.storage === 'raw' ? undefined : await findFfmpeg(options.ffmpeg);
  const cameras = await Promise.all(
    facts.cameras.map(
      async (camera) => new ReplaySource(camera, await readIndex(folder, camera), { folder, ffmpeg, speed, verify }),
    ),
  );
  const close = async (): Promise<void> => {
    await Promise.all(cameras.map((camera) => camera.close()));
  };
  return { facts, cameras, close, [Symbol.asyncDispose]: close };
}
