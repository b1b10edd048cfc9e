import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PRESETS } from '../../../lib/engine/index.js';
import { sample } from '../../support/samples.js';
import { startService, type TestService } from '../../support/service.js';

let service: TestService;
let photograph: Uint8Array<ArrayBuffer>;
let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'lineament-cache-'));
  service = await startService({ models: { cache, offline: true } });
  photograph = new Uint8Array(await readFile(sample(3)));
});
afterAll(async () => {
  await service.close();
  await rm(cache, { recursive: true, force: true });
});

interface Engine {
  readonly name: string;
  readonly state: string;
  readonly current: boolean;
  readonly bytes: number;
}

const ok = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
  const answer = await service.call(method, path, body);
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return answer.body as T;
};
const codeAt = async (path: string, body: unknown, key?: string): Promise<[number, string]> => {
  const answer = await service.call('POST', path, body, key);
  return [answer.status, (answer.body as { code: string }).code];
};
const engines = async (): Promise<{ current: string; engines: Engine[] }> => ok('GET', '/api/v1/models/loaded');
const stateOf = async (name: string): Promise<string | undefined> =>
  (await engines()).engines.find((one) => one.name === name)?.state;

const embed = async (): Promise<string> => {
  const answer = await service.fetch('/api/v1/face-recognition/extract-embedding', {
    method: 'POST',
    body: photograph,
    headers: { 'content-type': 'image/jpeg' },
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { model: string }).model;
};

test('engines are listed, loaded and unloaded', async () => {
  const { current, engines: all } = await engines();
  expect(current).toBe('fast');
  expect(all.find(({ name }) => name === 'fast')).toMatchObject({
    state: 'ready',
    current: true,
    model: PRESETS.fast.recognition.model,
    dims: 129,
  });
  const before = await ok<{ used: number }>('GET', '/api/v1/models/memory');
  const loaded = await ok<Engine>('POST', '/api/v1/models/load', { name: 'balanced' });
  expect(loaded).toMatchObject({ name: 'balanced', state: 'ready', current: false });
  const after = await ok<{ used: number }>('GET', '/api/v1/models/memory');
  expect(after.used).toBeGreaterThan(before.used);
  expect(after.used).toBeLessThan(before.used + loaded.bytes);
  expect(await ok('POST', '/api/v1/models/unload', { name: 'balanced' })).toMatchObject({ state: 'absent' });
  expect((await ok<{ used: number }>('GET', '/api/v1/models/memory')).used).toBe(before.used);
});

test('memory is that of the machine', async () => {
  const { devices } = await ok<{ devices: { device: string; total: number; free: number }[] }>(
    'GET',
    '/api/v1/models/memory',
  );
  expect(devices[0]?.device).toBe('cpu');
  for (const { total, free } of devices) {
    expect(free).toBeGreaterThan(0);
    expect(free).toBeLessThanOrEqual(total);
  }
});

test('a requirement selects, and changes nothing', async () => {
  const select = (requirement: string): Promise<{ name?: string; reason: string }> =>
    ok('POST', '/api/v1/models/select', { requirement });
  expect((await select('speed')).name).toBe('fast');
  expect((await select('balanced')).name).toBe('balanced');
  expect((await select('accuracy')).reason).toContain('the most accurate of');
  expect((await engines()).current).toBe('fast');
  expect(await codeAt('/api/v1/models/select', { requirement: 'beauty' })).toEqual([400, 'INVALID_ARGUMENT']);
});

test('what cannot be done is refused', async () => {
  expect(await codeAt('/api/v1/models/load', { name: 'nobody' })).toEqual([404, 'NOT_FOUND']);
  expect(await codeAt('/api/v1/models/load', { name: '../../etc/passwd' })).toEqual([404, 'NOT_FOUND']);
  expect(await codeAt('/api/v1/models/unload', { name: 'fast' })).toEqual([400, 'INVALID_ARGUMENT']);
  for (const body of [{}, { name: 'fast', requirement: 'speed' }, { name: '' }, { model: 'fast' }]) {
    expect(await codeAt('/api/v1/models/switch', body)).toEqual([400, 'INVALID_ARGUMENT']);
  }
  expect(await codeAt('/api/v1/face-recognition/switch-model', { name: 'nobody' })).toEqual([404, 'NOT_FOUND']);
  expect((await engines()).current).toBe('fast');
});

test('an engine of the catalogue whose networks were not fetched: the old one goes on serving', async () => {
  expect(await codeAt('/api/v1/models/switch', { name: 'buffalo_l' })).toEqual([404, 'NOT_FOUND']);
  expect(await embed()).toBe(PRESETS.fast.recognition.model);
  const { current, engines: all } = await engines();
  expect(current).toBe('fast');
  expect(all.find(({ name }) => name === 'buffalo_l')).toMatchObject({
    state: 'failed',
    error: { code: 'MODEL_NOT_FOUND', title: 'Model not found' },
  });
});

test('changes need the scope admin, and are in the audit trail', async () => {
  const made = await service.call('POST', '/api/v1/keys', { name: 'reader', scopes: ['read'] });
  const { key } = made.body as { key: string };
  for (const [path, body] of [
    ['load', { name: 'fast' }],
    ['unload', { name: 'balanced' }],
    ['switch', { name: 'fast' }],
  ] as const) {
    expect(await codeAt(`/api/v1/models/${path}`, body, key)).toEqual([403, 'ACCESS_DENIED']);
  }
  expect((await service.call('GET', '/api/v1/models/loaded', undefined, key)).status).toBe(200);
  await ok('POST', '/api/v1/models/switch', { name: 'fast' });
  const trail = JSON.stringify(await ok('GET', '/api/v1/audit?action=model.switch'));
  expect(trail).toContain('"previous":"fast"');
});

test('a switch under load drops no request, and says which collections can be searched', async () => {
  expect((await service.call('POST', '/api/v1/collections', { name: 'of-fast' })).status).toBe(201);
  let going = true;
  const models: string[] = [];
  const client = async (): Promise<void> => {
    while (going) models.push(await embed());
  };
  const clients = Promise.all([client(), client(), client()]);
  const searchable = async (path: string, body: object): Promise<[string, boolean | undefined]> => {
    const answer = await ok<{ engine: Engine; collections: { name: string; searchable: boolean }[] }>(
      'POST',
      path,
      body,
    );
    const seen = models.length;
    await expect.poll(() => models.length, { timeout: 60_000 }).toBeGreaterThan(seen + 3);
    return [answer.engine.name, answer.collections.find(({ name }) => name === 'of-fast')?.searchable];
  };
  try {
    expect(await searchable('/api/v1/models/switch', { requirement: 'balanced' })).toEqual(['balanced', false]);
    expect(await embed()).toBe(PRESETS.balanced.recognition.model);
    await ok('POST', '/api/v1/models/unload', { name: 'fast' });
    const back = await searchable('/api/v1/face-recognition/switch-model', { name: 'fast' });
    expect(back).toEqual(['fast', true]);
    expect(await embed()).toBe(PRESETS.fast.recognition.model);
  } finally {
    going = false;
    await clients;
  }
  expect(new Set(models)).toEqual(new Set([PRESETS.fast.recognition.model, PRESETS.balanced.recognition.model]));
  await ok('POST', '/api/v1/models/unload', { name: 'balanced' });
  expect(await stateOf('balanced')).toBe('absent');
});
