import { setTimeout as sleep } from 'node:timers/promises';
import { LineamentError } from '../errors.js';
import { loadAddon } from '../native/index.js';
import type { Feed, FeedEnd } from './feed.js';
import { findFfmpeg } from './ffmpeg.js';
import { ffmpegArguments, STREAM_TIMEOUT_MS, type VideoRequest } from './ffmpeg-arguments.js';
import { explainEnd } from './ffmpeg-errors.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { endingError, intoRing, type NativeEnding, RingFeed } from './ring-feed.js';
import { type Room, slotBytesOf } from './room.js';
import { masker } from './secrets.js';
import { nameOf } from './source.js';

export interface VideoFeedOptions extends VideoRequest {
  readonly room: Room;
  readonly ffmpeg?: string;
}

/** Until the first picture a stream may take longer: connecting, and waiting for a picture that stands alone. */
const FIRST_MS = 10_000;
/** An ffmpeg whose pipe has ended is given so long to end as well. */
const LEAVE_MS = 2000;

/** A video or stream through an ffmpeg, whose pictures a native thread takes from a pipe. */
export async function openVideo(options: VideoFeedOptions, wake: () => void, before: Feed | undefined): Promise<Feed> {
  const { source, room } = options;
  const ffmpeg = await findFfmpeg(options.ffmpeg);
  const file = source.kind === 'file';
  const pace = !file ? 'arrival' : (source.pace ?? 'live');
  const earlier = before instanceof RingFeed ? before : undefined;
  const ring = { ...room, slotBytes: slotBytesOf(options) };
  const { opened: pipe, fresh } = await intoRing(earlier, ring, (choice) =>
    loadAddon().createCapturePipe({ pace, ...choice }),
  );
  const name = nameOf(source);
  const mask = file ? (text: string) => text : masker(source.url);
  const child = new FfmpegProcess(ffmpeg.path, ffmpegArguments(options, ffmpeg), pipe.writeFd, mask);
  pipe.closeWriteEnd();
  const watch = file ? undefined : new Watch(source.timeoutMs ?? STREAM_TIMEOUT_MS, () => void child.stop());
  const explain = async (ending: NativeEnding, pictures: boolean): Promise<FeedEnd> => {
    watch?.stop();
    await Promise.race([child.ended, sleep(LEAVE_MS, undefined, { ref: false })]);
    await child.stop();
    if (child.problem !== undefined) return { error: child.problem };
    if (watch?.silent === true) {
      return { error: new LineamentError('CAMERA_LOST', `${name}: no picture for ${watch.limit} ms`) };
    }
    // Larger than there is room for, or no picture at all: it is not ffmpeg's fault.
    if (ending.code === 'CAMERA_UNSUPPORTED') {
      const said = endingError(name, ending)?.message ?? '';
      return {
        error: new LineamentError('CAMERA_UNSUPPORTED', said, { fix: "Ask for a size with 'width' and 'height'." }),
        final: true,
      };
    }
    const end = await child.ended;
    const well = end.code === 0 && end.signal === null;
    if (file && well && pictures) {
      return child.cut
        ? { error: new LineamentError('VIDEO_CORRUPT', `${name}: it ends in the middle`), final: true }
        : {};
    }
    return explainEnd(source.kind, name, end, pictures);
  };
  const feed = new RingFeed({
    native: pipe.camera,
    lossless: pace === 'fast',
    wake: () => {
      watch?.seen();
      wake();
    },
    before: earlier,
    fresh,
    explain,
    release: async () => {
      watch?.stop();
      await child.stop();
    },
    damaged: () => child.damaged,
  });
  // What it took over from is empty now.
  await earlier?.stop();
  return feed;
}

/** Notices when no picture has come for too long. */
class Watch {
  readonly limit: number;
  readonly #lost: () => void;
  #timer: NodeJS.Timeout;
  #silent = false;

  constructor(limit: number, lost: () => void) {
    this.limit = limit;
    this.#lost = lost;
    this.#timer = setTimeout(() => this.#expire(), limit + FIRST_MS);
  }

  get silent(): boolean {
    return this.#silent;
  }

  seen(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#expire(), this.limit);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #expire(): void {
    this.#silent = true;
    this.#lost();
  }
}
