import { type DeviceSource, deviceChanges, openDevice } from './device.js';
import type { Feed } from './feed.js';
import { endingError, intoRing, RingFeed } from './ring-feed.js';
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
  const { opened: device, fresh } = await intoRing(earlier, { ...room, slotBytes: 1 }, ({ takeOver }) =>
    openDevice(source, {
      ...(width === undefined ? {} : { width }),
      ...(height === undefined ? {} : { height }),
      ...(fps === undefined ? {} : { fps }),
      ...(format === undefined ? {} : { format }),
      ...room,
      ...(takeOver === undefined ? {} : { takeOver }),
      signal,
    }),
  );
  const feed = new RingFeed({
    native: device.native,
    lossless: false,
    wake,
    before: earlier,
    fresh,
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

/** Resolves when a node of a camera comes, or its rights change, or the signal fires; never where that cannot be watched. */
export async function devicePluggedIn(signal: AbortSignal): Promise<void> {
  try {
    for await (const { present } of deviceChanges({ signal })) if (present) return;
  } catch {
    // Then it is tried as often as other sources.
    await new Promise(() => undefined);
  }
}
