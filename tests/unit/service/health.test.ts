import { rm } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../../support/service.js';

let service: TestService;
beforeAll(async () => {
  service = await startService();
});
afterAll(() => service.close());

describe('health', () => {
  it('is told to everybody', async () => {
    const answer = await service.fetch('/health', { key: null });
    expect(answer.status).toBe(200);
    expect(await answer.json()).toEqual({ status: 'ok', uptime_seconds: expect.any(Number) });
  });

  it('is ready when models, store and index are', async () => {
    const { status, body } = await service.call('GET', '/ready', undefined, null);
    expect(body).toEqual({
      status: 'ready',
      checks: { service: { ok: true }, models: { ok: true }, store: { ok: true }, index: { ok: true } },
    });
    expect(status).toBe(200);
  });
});

describe('metrics', () => {
  it('are for those who may read', async () => {
    expect((await service.fetch('/metrics', { key: null })).status).toBe(401);
    expect((await service.fetch('/api/v1/performance', { key: null })).status).toBe(401);
  });

  it('count what was asked before', async () => {
    await service.fetch('/health');
    const answer = await service.fetch('/metrics');
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const body = await answer.text();
    expect(body).toMatch(/^lineament_http_requests_total\{route="\/health",method="GET",status="200"\} [1-9]/m);
    expect(body).toMatch(/^lineament_http_errors_total\{route="\/metrics",code="UNAUTHENTICATED"\} 1$/m);
    for (const name of [
      'lineament_gallery_persons',
      'lineament_gallery_samples',
      'lineament_models_bytes',
      'lineament_engines_ready',
      'lineament_queue_waiting',
      'lineament_queue_running',
      'process_resident_memory_bytes',
    ]) {
      expect(body).toMatch(new RegExp(`^${name} \\d`, 'm'));
    }
  });

  it('are told to people too', async () => {
    const { status, body } = await service.call('GET', '/api/v1/performance');
    expect(status).toBe(200);
    const said = body as { requests: { route: string; count: number; ms: { p99: number } }[] };
    expect(said.requests.find(({ route }) => route === 'GET /health')).toMatchObject({
      count: expect.any(Number),
      ms: { p50: expect.any(Number), p99: expect.any(Number) },
    });
    const { engines } = (body as { models: { engines: { current: boolean }[] } }).models;
    expect(engines.find(({ current }) => current)).toMatchObject({ name: 'fast', state: 'ready', running: 0 });
    expect(body).toMatchObject({
      scheduler: { running: 0, waiting: 0, refused: 0 },
      models: { used_bytes: expect.any(Number) },
      gallery: { persons: 0, samples: 0, revision: expect.any(Number) },
      memory: { rss_bytes: expect.any(Number) },
    });
  });
});

describe('readiness', () => {
  it('names what is missing', async () => {
    await using other = await startService();
    await rm(other.folder, { recursive: true });
    const { status, body } = await other.call('GET', '/ready', undefined, null);
    expect(body).toMatchObject({ status: 'not_ready', checks: { store: { ok: false, detail: 'ENOENT' } } });
    expect(status).toBe(503);
    expect((await other.fetch('/health')).status).toBe(200);
  });
});
