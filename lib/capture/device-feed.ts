import { type DeviceSource, openDevice } from './device.js';
import type { Feed } from './feed.js';
import { endingError, RingFeed } from './ring-feed.js';
import type { Room } from './room.js';
import { nameOf } from './source.js';
import type { CameraOptions } from './types.js';

/** A V4L2 device. */
export async function openDeviceFeed(
  source: DeviceSource,
  { width, height, fps, format }: CameraOptions,
  room: Room,
  wake: () => void,
  before: Feed | undefined,
  signal: AbortSignal,
): Promise<Feed> {
  const earlier = before instanceof RingFeed ? before : undefined;
  const device = await openDevice(source, {
    ...(width === undefined ? {} : { width }),
    ...(height === undefined ? {} : { height }),
    ...(fps === undefined ? {} : { fps }),
    ...(format === undefined ? {} : { format }),
    ...room,
    ...(earlier === undefined ? {} : { takeOver: earlier.native }),
    signal,
  });
  const feed = new RingFeed({
    native: device.native,
    lossless: false,
    wake,
    before: earlier,
    explain: (ending) => {
      const error = endingError(nameOf(source), ending);
      return error === undefined ? {} : { error };
    },
    release: () => device.close(),
    meter: (boxes) => device.meter(boxes),
  });
  await earlier?.stop();
  return feed;
}
