import { fstat, stat } from 'node:fs';
import { promisify } from 'node:util';
import { wrapError } from '../errors.js';
import { loadAddon } from '../native/index.js';
import type { Feed } from './feed.js';
import { endingError, intoRing, RingFeed } from './ring-feed.js';
import type { Room } from './room.js';
import { nameOf } from './source.js';
import type { CameraSource } from './types.js';

export type RawSource = Extract<CameraSource, { kind: 'raw' }>;

/** Bytes of a pixel, times two. */
const HALF_BYTES: Readonly<Record<RawSource['format'], number>> = {
  rgb: 6,
  bgr: 6,
  rgba: 8,
  bgra: 8,
  gray: 2,
  yuyv: 4,
  nv12: 3,
  i420: 3,
  z16: 4,
};

/** Whether it is a file with an end, of which nothing need be lost, and not a pipe. */
export async function isWholeFile({ path, fd }: RawSource): Promise<boolean> {
  try {
    const found = path === undefined ? await promisify(fstat)(fd ?? -1) : await promisify(stat)(path);
    return found.isFile();
  } catch {
    // What is wrong is said when it is opened.
    return false;
  }
}

/** Bare pictures from a FIFO, a file or a descriptor. */
export async function openRaw(
  source: RawSource,
  room: Room,
  wake: () => void,
  before: Feed | undefined,
): Promise<Feed> {
  const { width, height, format, fps } = source;
  const whole = await isWholeFile(source);
  const pace = !whole ? 'arrival' : fps === undefined ? 'fast' : 'live';
  const slotBytes = Math.ceil((width * height * HALF_BYTES[format]) / 2);
  const earlier = before instanceof RingFeed ? before : undefined;
  try {
    const { opened: native, fresh } = await intoRing(earlier, { ...room, slotBytes }, (choice) =>
      loadAddon().openCapture({
        ...(source.path === undefined ? { fd: source.fd ?? -1 } : { path: source.path }),
        pace,
        raw: { format, width, height, ...(fps === undefined ? {} : { fps }) },
        ...choice,
      }),
    );
    const feed = new RingFeed({
      native,
      lossless: pace === 'fast',
      wake,
      before: earlier,
      fresh,
      explain: (ending) => {
        const error = endingError(nameOf(source), ending);
        return error === undefined ? {} : { error };
      },
      release: async () => undefined,
    });
    await earlier?.stop();
    return feed;
  } catch (error) {
    throw wrapError(error, undefined, 'CAMERA_LOST');
  }
}
