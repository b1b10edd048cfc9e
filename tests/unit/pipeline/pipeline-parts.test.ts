import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { LineamentError } from '../../../lib/errors.js';
import { EventBus } from '../../../lib/pipeline/bus.js';
import { LatencyHistogram } from '../../../lib/pipeline/histogram.js';
import { BoundedQueue } from '../../../lib/pipeline/queue.js';
import { Turns } from '../../../lib/pipeline/schedule.js';
import { EventSink, type EventStore } from '../../../lib/pipeline/sink.js';
import type { PipelineEvent } from '../../../lib/pipeline/types.js';
import { random } from '../../support/random.js';

const event = (n: number, type: 'appeared' | 'gap' = 'appeared'): PipelineEvent => {
  const base = { id: `${n}`, camera: 'a', timestamp: n };
  return type === 'gap' ? { ...base, type, stage: 'listener', count: n, message: '' } : { ...base, type };
};

describe('LatencyHistogram', () => {
  it('gives quantiles within a sixty-fourth, and exact counts, mean and longest', () => {
    const draw = random(7);
    const values = Array.from({ length: 20_000 }, () => Math.exp(draw() * 14 - 4));
    const histogram = new LatencyHistogram();
    for (const value of values) histogram.record(value);
    const sorted = [...values].sort((a, b) => a - b);
    for (const q of [0.001, 0.1, 0.5, 0.9, 0.95, 0.99, 0.999, 1]) {
      const truth = sorted[Math.ceil(q * values.length) - 1]!;
      const said = histogram.quantile(q);
      expect(said).toBeGreaterThanOrEqual(truth);
      expect(said).toBeLessThanOrEqual(truth * (1 + 1 / 64) + 0.0101);
    }
    const { count, mean, max, p50, p99 } = histogram.summary();
    expect(count).toBe(values.length);
    expect(max).toBe(sorted.at(-1));
    expect(mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length, 6);
    expect(p50).toBeLessThan(p99);
  });

  it('takes what clocks do: negative, enormous, not a number', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.summary()).toEqual({ count: 0, mean: 0, p50: 0, p95: 0, p99: 0, max: 0 });
    for (const value of [-5, Number.NaN, Number.POSITIVE_INFINITY, 1e12]) histogram.record(value);
    expect(histogram.summary()).toMatchObject({ count: 2, max: 1e12 });
    expect(histogram.quantile(0.5)).toBeLessThanOrEqual(0.01);
    histogram.reset();
    expect(histogram.count).toBe(0);
    expect(() => histogram.quantile(2)).toThrow('Expected number from 0 to 1');
  });

  it('has steps that join without a hole', () => {
    for (let value = 0.005; value < 1e6; value *= 1.007) {
      const histogram = new LatencyHistogram();
      histogram.record(value);
      histogram.record(1e7);
      expect(histogram.quantile(0.5)).toBeGreaterThanOrEqual(value);
      expect(histogram.quantile(0.5)).toBeLessThanOrEqual(value * (1 + 1 / 64) + 0.0101);
    }
  });
});

describe('Turns', () => {
  const never = new AbortController().signal;

  it('serves cameras around the circle, each at most once before the others', async () => {
    const turns = new Turns(1);
    const order: number[] = [];
    const camera = async (n: number): Promise<void> => {
      for (let i = 0; i < 5; i++) {
        const give = await turns.take(n, never);
        order.push(n);
        await wait(1);
        give();
        give();
      }
    };
    await Promise.all([2, 0, 3, 1].map(camera));
    expect(order).toHaveLength(20);
    for (let i = 0; i < 16; i++) expect(new Set(order.slice(i, i + 4)).size).toBe(4);
  });

  it('has no more in the engine than places, and lets go of who aborts', async () => {
    const turns = new Turns(2);
    const first = await turns.take(0, never);
    const second = await turns.take(1, never);
    const controller = new AbortController();
    const third = turns.take(2, controller.signal);
    const fourth = turns.take(3, never);
    expect(turns.waiting).toBe(2);
    controller.abort();
    await expect(third).rejects.toMatchObject({ code: 'ABORTED' });
    expect(turns.waiting).toBe(1);
    second();
    (await fourth)();
    first();
    await expect(turns.take(0, controller.signal)).rejects.toMatchObject({ code: 'ABORTED' });
    const gives = await Promise.all([turns.take(0, never), turns.take(1, never)]);
    for (const give of gives) give();
  });
});

describe('BoundedQueue', () => {
  it('loses the oldest, and says how many before what is left', async () => {
    const queue = new BoundedQueue<number>({ capacity: 3, lost: (count, last) => -(count * 100 + last) });
    for (let i = 1; i <= 5; i++) queue.push(i);
    queue.end();
    const seen: number[] = [];
    for await (const item of queue) seen.push(item);
    expect(seen).toEqual([-202, 3, 4, 5]);
    expect(queue.lost).toBe(2);
  });

  it('ends with return, end and signal, also while somebody waits', async () => {
    let done = 0;
    const controller = new AbortController();
    const queue = new BoundedQueue<number>({ capacity: 1, signal: controller.signal, done: () => done++ });
    const waiting = queue.next();
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toMatchObject({ code: 'ABORTED', message: 'Aborted: enough' });
    await expect(queue.next()).rejects.toMatchObject({ code: 'ABORTED' });
    expect(done).toBe(1);
    expect(() => new BoundedQueue({ capacity: 1, signal: controller.signal })).toThrow('enough');
    const other = new BoundedQueue<number>({ capacity: 1, done: () => done++ });
    const [a, b] = [other.next(), other.next()];
    other.push(7);
    await other.return();
    expect([await a, await b]).toEqual([
      { value: 7, done: false },
      { value: undefined, done: true },
    ]);
    expect(done).toBe(2);
  });
});

describe('EventBus', () => {
  const bus = (): EventBus => new EventBus((count) => event(count, 'gap'));

  it('lets a slow listener lose, tells it, and delays nobody', async () => {
    const all = bus();
    const fast: string[] = [];
    const slow: string[] = [];
    all.on('*', ({ id, type }) => void fast.push(`${type} ${id}`));
    let letGo = (): void => {};
    all.on(
      '*',
      async ({ id, type }) => {
        slow.push(`${type} ${id}`);
        if (slow.length === 1) await new Promise<void>((resolve) => (letGo = resolve));
      },
      4,
    );
    for (let n = 0; n < 12; n++) {
      all.publish(event(n));
      await wait(0);
    }
    expect(fast).toHaveLength(12);
    expect(slow).toEqual(['appeared 0']);
    letGo();
    await all.end(1000);
    expect(slow).toEqual(['appeared 0', 'gap 7', ...[8, 9, 10, 11].map((n) => `appeared ${n}`)]);
    expect(all.stats()).toEqual({ consumers: 0, queued: 0, lost: 7, failures: 0 });
  });

  it('tells everybody what a listener for one type has lost', async () => {
    const all = bus();
    const everything: string[] = [];
    all.on('*', ({ type }) => void everything.push(type));
    let letGo = (): void => {};
    const seen: string[] = [];
    const stop = all.on(
      'appeared',
      async ({ id, type }) => {
        seen.push(type);
        if (id === '0') await new Promise<void>((resolve) => (letGo = resolve));
      },
      1,
    );
    for (let n = 0; n < 4; n++) {
      all.publish(event(n));
      await wait(0);
    }
    letGo();
    await wait(5);
    stop();
    all.publish(event(9));
    await all.end(1000);
    expect(seen).toEqual(['appeared', 'appeared']);
    expect(everything).toEqual(['appeared', 'appeared', 'appeared', 'appeared', 'gap', 'appeared']);
  });

  it('goes on when a listener throws, and counts it', async () => {
    const all = bus();
    const warnings: string[] = [];
    const warned = (warning: Error & { code?: string }): void => {
      if (warning.code === 'LINEAMENT_LISTENER') warnings.push(warning.message);
    };
    process.on('warning', warned);
    let calls = 0;
    all.on('*', () => {
      calls++;
      throw new Error('mine');
    });
    all.publish(event(1));
    all.publish(event(2));
    await all.end(1000);
    await wait(5);
    process.off('warning', warned);
    expect(calls).toBe(2);
    expect(all.stats().failures).toBe(2);
    expect(warnings).toEqual(Array(2).fill('A listener of the pipeline threw: mine'));
  });

  it('begins at the call, filters, and gives nothing after the end', async () => {
    const all = bus();
    const gaps = all.subscribe({ types: ['gap'] });
    const every = all.subscribe();
    all.publish(event(1));
    all.publish(event(2, 'gap'));
    await all.end(0);
    all.publish(event(3));
    const ids = async (queue: AsyncIterable<PipelineEvent>): Promise<string[]> => {
      const seen: string[] = [];
      for await (const { id } of queue) seen.push(id);
      return seen;
    };
    expect(await ids(gaps)).toEqual(['2']);
    expect(await ids(every)).toEqual(['1', '2']);
    expect(await ids(all.subscribe())).toEqual([]);
  });
});

describe('EventSink', () => {
  class Disk implements EventStore {
    readonly rows: string[] = [];
    batches = 0;
    full = false;
    refused = '';
    async append(events: readonly PipelineEvent[]): Promise<readonly PipelineEvent[]> {
      await wait(1);
      if (events.some(({ id }) => id === this.refused)) throw new LineamentError('INVALID_ARGUMENT', 'an event');
      if (this.full) throw Object.assign(new Error('no space'), { code: 'STORE_FULL' });
      this.batches++;
      this.rows.push(...events.map(({ id }) => id));
      return events;
    }
  }
  const sinkOf = (disk: Disk | undefined, capacity?: number) => {
    const told: string[] = [];
    const notices: string[] = [];
    const sink = new EventSink({
      store: disk,
      tell: ({ id }) => {
        if (disk !== undefined) expect(disk.rows).toContain(id);
        told.push(id);
      },
      notice: (failure, waiting, lost) =>
        notices.push(`${failure?.code ?? 'again'} ${waiting}${lost > 0 ? ` lost ${lost}` : ''}`),
      committed: () => {},
      retryMs: [2, 4],
      ...(capacity === undefined ? {} : { capacity }),
    });
    return { sink, told, notices };
  };

  it('tells of events in order, after they are kept, many in one commit', async () => {
    const disk = new Disk();
    const { sink, told } = sinkOf(disk);
    const ids = Array.from({ length: 1300 }, (_, n) => `${n}`);
    for (let n = 0; n < 1300; n++) sink.submit([event(n)]);
    expect(told).toEqual([]);
    expect(await sink.close()).toBe(0);
    expect(told).toEqual(ids);
    expect(disk.rows).toEqual(ids);
    expect(disk.batches).toBeLessThan(6);
  });

  it('holds events back while the disk is full, and loses none of them', async () => {
    const disk = new Disk();
    const { sink, told, notices } = sinkOf(disk);
    sink.submit([event(0)]);
    while (told.length === 0) await wait(1);
    disk.full = true;
    for (let n = 1; n < 20; n++) {
      sink.submit([event(n)]);
      await wait(1);
    }
    expect(told).toEqual(['0']);
    disk.full = false;
    expect(await sink.close()).toBe(0);
    expect(told).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`));
    expect(notices[0]).toMatch(/^STORE_FULL \d+$/);
    expect(notices).toHaveLength(2);
    expect(notices[1]).toMatch(/^again/);
  });

  it('is bounded, and counts what it gave up', async () => {
    const disk = new Disk();
    disk.full = true;
    const { sink, told, notices } = sinkOf(disk, 10);
    sink.submit([event(0)]);
    await wait(10);
    for (let n = 1; n < 25; n++) sink.submit([event(n)]);
    expect(sink.waiting).toBe(10);
    expect(sink.lost).toBe(15);
    disk.full = false;
    // The first one may have been on its way to the disk when there was room again.
    const lost = told.length === 0 ? await sink.close() : Number.NaN;
    expect(lost).toBe(told[0] === '0' ? 14 : 15);
    expect(told.slice(-10)).toEqual(Array.from({ length: 10 }, (_, n) => `${n + 15}`));
    expect(notices.at(-1)).toMatch(new RegExp(`^again \\d+ lost ${lost}$`));
  });

  it('gives up an event that the store refuses, and keeps the others', async () => {
    const disk = new Disk();
    disk.refused = '7';
    const { sink, told, notices } = sinkOf(disk);
    sink.submit(Array.from({ length: 20 }, (_, n) => event(n)));
    expect(await sink.close()).toBe(1);
    expect(told).toEqual(Array.from({ length: 20 }, (_, n) => `${n}`).filter((id) => id !== '7'));
    expect(notices).toEqual(['INVALID_ARGUMENT 12 lost 1']);
  });

  it('says at the end what it could not write', async () => {
    const disk = new Disk();
    disk.full = true;
    const { sink, told } = sinkOf(disk);
    sink.submit([event(0), event(1)]);
    await wait(5);
    expect(await sink.close()).toBe(2);
    expect(told).toEqual([]);
  });

  it('tells at once where nothing is kept', () => {
    const { sink, told } = sinkOf(undefined);
    sink.submit([event(0), event(1)]);
    expect(told).toEqual(['0', '1']);
  });
});
