import { describe, expect, it } from 'vitest';
import { createMetrics } from '../../../lib/service/metrics/index.js';
import { LabelValues } from '../../../lib/service/metrics/labels.js';
import { Tally } from '../../../lib/service/metrics/rates.js';

/** Value of a line of the text format; absent where there is no such line. */
function sampleOf(body: string, line: string): number | undefined {
  const found = body.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length + 1));
}

describe('metrics', () => {
  it('count requests, errors, inference and waiting', async () => {
    const metrics = createMetrics();
    metrics.request('/api/v1/detect', 'POST', 200, 0.02);
    metrics.request('/api/v1/detect', 'POST', 200, 0.3);
    metrics.request('/api/v1/detect', 'POST', 429, 0.001);
    metrics.error('/api/v1/detect', 'OVERLOADED');
    metrics.inference('dlib128', 'embed', 0.04);
    metrics.queued('high', 0.002);
    for (const items of [1, 8, 9]) metrics.batch('faceapi_recognition', items);
    const { contentType, body } = await metrics.text();
    expect(contentType).toMatch(/^text\/plain; version=0\.0\.4/);
    const route = 'route="/api/v1/detect",method="POST"';
    expect(sampleOf(body, `lineament_http_requests_total{${route},status="200"}`)).toBe(2);
    expect(sampleOf(body, `lineament_http_requests_total{${route},status="429"}`)).toBe(1);
    expect(sampleOf(body, `lineament_http_request_duration_seconds_bucket{le="0.025",${route}}`)).toBe(2);
    expect(sampleOf(body, `lineament_http_request_duration_seconds_sum{${route}}`)).toBeCloseTo(0.321, 9);
    expect(sampleOf(body, 'lineament_http_errors_total{route="/api/v1/detect",code="OVERLOADED"}')).toBe(1);
    expect(sampleOf(body, 'lineament_inference_duration_seconds_count{model="dlib128",operation="embed"}')).toBe(1);
    expect(sampleOf(body, 'lineament_queue_wait_seconds_count{priority="high"}')).toBe(1);
    expect(sampleOf(body, 'lineament_batch_items_bucket{le="8",network="faceapi_recognition"}')).toBe(2);
    expect(sampleOf(body, 'lineament_batch_items_sum{network="faceapi_recognition"}')).toBe(18);
    expect(sampleOf(body, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(sampleOf(body, 'nodejs_heap_size_used_bytes')).toBeGreaterThan(1e5);
    expect(sampleOf(body, 'nodejs_eventloop_delay_seconds{quantile="p99"}')).toBeGreaterThanOrEqual(0);
    expect(sampleOf(body, 'process_cpu_seconds_total{mode="user"}')).toBeGreaterThan(0);
    // Every line is a comment or a sample with a number.
    for (const line of body.trim().split('\n')) {
      if (line !== '') expect(line).toMatch(/^# (HELP|TYPE) |^[a-z_]+(\{.*\})? [-+.\de]+$/i);
    }
  });

  it('say the same to people', () => {
    const metrics = createMetrics();
    for (let i = 1; i <= 100; i++) metrics.request('/api/v1/verify', 'POST', i > 90 ? 422 : 200, i / 1000);
    metrics.inference('dlib128', 'embed', 0.04);
    expect(metrics.summary()).toMatchObject({
      requests: [{ route: 'POST /api/v1/verify', count: 100, errors: 10, ms: { mean: 50.5, max: 100 } }],
      inference: [{ operation: 'dlib128 embed', count: 1, ms: { mean: 40 } }],
      queue: [],
      memory: { rss_bytes: expect.any(Number) },
      event_loop_delay_ms: { p50: expect.any(Number), max: expect.any(Number) },
    });
    const { requests } = metrics.summary() as { requests: { per_second: number; ms: { p50: number; p99: number } }[] };
    expect(requests[0]!.per_second).toBeGreaterThan(0);
    expect(requests[0]!.ms.p50).toBeCloseTo(50, -1);
    expect(requests[0]!.ms.p99).toBeGreaterThanOrEqual(99);
    expect(JSON.parse(JSON.stringify(metrics.summary()))).toMatchObject({ queue: [] });
  });

  it('stay bounded whatever the labels are', async () => {
    const metrics = createMetrics();
    for (let i = 0; i < 2000; i++) {
      metrics.request(`/api/v1/persons/${i}`, `METHOD${i}`, 200, 0.01);
      metrics.inference(`model ${i}`, `operation ${i}`, 0.01);
      metrics.error('/x', `CODE_${i}`);
    }
    metrics.inference('m'.repeat(10_000), 'embed', 0.01);
    const { body } = await metrics.text();
    const series = (name: string): number => body.split('\n').filter((line) => line.startsWith(name)).length;
    // 256 routes are known, the one of the errors among them, and there is `other`.
    expect(series('lineament_http_requests_total{')).toBe(256);
    expect(series('lineament_inference_duration_seconds_count{')).toBeLessThanOrEqual(66);
    expect(series('lineament_http_errors_total{')).toBe(1);
    expect(body).not.toContain('METHOD1');
    expect(body).not.toContain('mmmmmmmm');
    expect(sampleOf(body, 'lineament_http_errors_total{route="/x",code="other"}')).toBe(2000);
    expect((metrics.summary() as { requests: unknown[] }).requests.length).toBeLessThanOrEqual(512);
  });

  it('ask for gauges when they are read, and leave out those that fail', async () => {
    const metrics = createMetrics();
    let persons = 3;
    metrics.gauge('lineament_persons', 'Persons', () => persons);
    metrics.gauge('lineament_later', 'Later', async () => 7, { device: 'cpu' });
    metrics.gauge('lineament_later', 'Later', async () => 8, { device: 'gpu' });
    metrics.gauge('lineament_failing', 'Failing', () => {
      throw new Error('no');
    });
    metrics.gauge('lineament_rejecting', 'Rejecting', () => Promise.reject(new Error('no')));
    metrics.gauge('lineament_nan', 'Not a number', () => Number.NaN);
    metrics.gauge('lineament_hanging', 'Hanging', () => new Promise<number>(() => undefined));
    const first = (await metrics.text()).body;
    persons = 4;
    const second = (await metrics.text()).body;
    expect(sampleOf(first, 'lineament_persons')).toBe(3);
    expect(sampleOf(second, 'lineament_persons')).toBe(4);
    expect(sampleOf(second, 'lineament_later{device="cpu"}')).toBe(7);
    expect(sampleOf(second, 'lineament_later{device="gpu"}')).toBe(8);
    for (const name of ['failing', 'rejecting', 'nan', 'hanging']) {
      expect(sampleOf(second, `lineament_${name}`)).toBeUndefined();
    }
    metrics.gauge('lineament_persons', 'Persons', () => 5);
    expect(sampleOf((await metrics.text()).body, 'lineament_persons')).toBe(5);
    expect(() => metrics.gauge('lineament_persons', 'Persons', () => 5, { device: 'cpu' })).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
    );
  });
});

describe('label values', () => {
  it('keep those they know when there are too many', () => {
    const values = new LabelValues(2);
    expect(['a', 'b', 'c', 'a', 'b'].map((value) => values.of(value))).toEqual(['a', 'b', 'other', 'a', 'b']);
  });
});

describe('a tally', () => {
  it('forgets what is older than a minute', () => {
    const tally = new Tally(0);
    for (let second = 0; second < 30; second++) for (let i = 0; i < 4; i++) tally.add(1, second * 1000);
    expect(tally.perSecond(30_000)).toBe(4);
    expect(tally.perSecond(60_000)).toBeCloseTo((29 * 4) / 60, 9);
    expect(tally.perSecond(75_000)).toBeCloseTo((14 * 4) / 60, 9);
    expect(tally.perSecond(600_000)).toBe(0);
    tally.add(1, 600_500);
    expect(tally.perSecond(601_000)).toBeCloseTo(1 / 60, 9);
    expect(tally.times.count).toBe(121);
  });
});
