import { setImmediate as nextTurn } from 'node:timers/promises';
import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { type Bench, eachItem, onPicture } from '../../../lib/service/faces/work.js';
import { checkPicture } from '../../../lib/service/images/index.js';
import { createMetrics } from '../../../lib/service/metrics/index.js';
import { createScheduler } from '../../../lib/service/scheduling/index.js';

const limits = {
  bodyBytes: 1e8,
  imageBytes: 1e8,
  pixels: 1e8,
  images: 8,
  concurrency: 1,
  queue: 6,
  queueBytes: 1e9,
  deadlineMs: 60_000,
};

describe('work on a picture', () => {
  it('keeps its place until the decoder has stopped, also when its client has gone', async () => {
    const metrics = createMetrics();
    const scheduler = createScheduler({ limits, server: { drainMs: 0 }, engine: {} }, metrics);
    const bytes = await sharp({ create: { width: 9000, height: 6000, channels: 3, background: '#456' } })
      .jpeg()
      .toBuffer();
    const picture = checkPicture({ name: 'image', bytes }, limits);
    const client = new AbortController();
    const parts = { config: { limits }, scheduler, metrics };
    const bench = { parts, kind: 'detect', priority: 'normal', signal: client.signal } as unknown as Bench;
    let worked = false;
    const answer = onPicture(bench, picture, async () => {
      worked = true;
    });
    await nextTurn();
    client.abort();
    await expect(answer).rejects.toMatchObject({ code: 'ABORTED' });
    await nextTurn();
    expect(scheduler.stats()).toMatchObject({ running: 1, bytes: picture.weight });
    await expect.poll(() => scheduler.stats()).toMatchObject({ running: 0, bytes: 0 });
    expect(worked).toBe(false);
    metrics.close();
  });
});

describe('a batch', () => {
  it('that ends begins nothing more', async () => {
    const begun: number[] = [];
    const items = Array.from({ length: 40 }, (_, i) => i);
    const batch = eachItem(items, new AbortController().signal, 'id', async (item) => {
      begun.push(item);
      await nextTurn();
      if (item === 0) throw new LineamentError('OVERLOADED', 'no room');
      await nextTurn();
      return {};
    });
    await expect(batch).rejects.toMatchObject({ code: 'OVERLOADED' });
    expect(begun.length).toBeLessThan(10);
  });
});
