import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { createMetrics } from '../../../lib/service/metrics/index.js';
import type { Metrics } from '../../../lib/service/types.js';

afterEach(() => {
  vi.restoreAllMocks();
});

const DELAY = /^nodejs_eventloop_delay_seconds\{quantile="(\w+)"\} (\S+)$/gm;
const delays = async (metrics: Metrics): Promise<Record<string, number>> =>
  Object.fromEntries(
    [...(await metrics.text()).body.matchAll(DELAY)].map(([, quantile, value]) => [quantile, Number(value)]),
  );

/** Holds the event loop, and lets it come to its timers again. */
async function hold(ms: number): Promise<void> {
  // The first look at the clock is one resolution after the beginning.
  await wait(50);
  const end = performance.now() + ms;
  while (performance.now() < end);
  await wait(50);
}

/** As if so much time had gone by since the last call. */
function later(ms: number): void {
  const now = performance.now() + ms;
  vi.spyOn(performance, 'now').mockReturnValue(now);
}

it('what held the event loop is told to everybody who asks, also when a stretch of time ends', async () => {
  const metrics = createMetrics();
  await hold(100);
  later(3_600_000);
  for (let reader = 0; reader < 2; reader++) {
    const { p99, max } = await delays(metrics);
    expect(max).toBeGreaterThan(0.05);
    expect(p99).toBeGreaterThan(0.05);
  }
  const { event_loop_delay_ms } = metrics.summary() as { event_loop_delay_ms: { max: number } };
  expect(event_loop_delay_ms.max).toBeGreaterThan(50);
  // It is forgotten when another stretch is over, too.
  later(3_600_000);
  await delays(metrics);
  later(3_600_000);
  expect((await delays(metrics))['max']).toBeLessThan(0.05);
  metrics.close();
});

it('is not watched any more when the service has closed', async () => {
  const metrics = createMetrics();
  metrics.close();
  await hold(100);
  expect(await delays(metrics)).toEqual({ p50: 0, p99: 0, max: 0 });
});
