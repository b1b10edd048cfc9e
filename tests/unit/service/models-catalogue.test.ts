import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../../support/service.js';
import { Bench, file, noise, sha256 } from '../models/catalogue-support.js';

const DATA = noise(300_000);
const HASH = { sha256: sha256(DATA), bytes: DATA.length };
const BASE = '/api/v1/models/catalogue';

let bench: Bench;
let service: TestService;
beforeAll(async () => {
  bench = await Bench.open();
  const at = (path: string) => ({
    ...HASH,
    sources: [{ url: bench.server.url(path).replace('//', '//user:secret@') }],
  });
  await bench.write(
    { id: 'one', ...at('/one'), licenceId: 'strict' },
    { id: 'slow', ...at('/slow') },
    { id: 'gone', ...at('/gone') },
    { id: 'wrong', ...at('/wrong') },
  );
  bench.server.on('/one', file(DATA)).on('/wrong', file(noise(DATA.length, 5)));
  service = await startService({ models: { cache: bench.cache, cards: bench.cards } });
});
afterAll(async () => {
  await service.close();
  await bench.close();
});

type Body = Record<string, unknown>;
const ask = async (method: string, path: string, body?: unknown): Promise<[number, Body]> => {
  const answer = await service.call(method, path, body);
  return [answer.status, (answer.body ?? {}) as Body];
};
/** The download once it has ended. */
const ended = async (id: string): Promise<Body> => {
  for (;;) {
    const [status, body] = await ask('GET', `${BASE}/${id}/download`);
    expect(status).toBe(200);
    if (body['state'] !== 'running') return body;
    await delay(20);
  }
};

describe('the model catalogue over HTTP', () => {
  it('lists and shows, without paths and credentials', async () => {
    const [status, { models }] = await ask('GET', BASE);
    expect(status).toBe(200);
    expect(models).toContainEqual(
      expect.objectContaining({
        id: 'insightface_scrfd_10g',
        state: 'absent',
        accepted: false,
        sets: ['buffalo_l', 'antelopev2'],
      }),
    );
    expect(models).toContainEqual(expect.objectContaining({ id: 'faceapi_ssd', origin: 'starter', state: 'present' }));
    const [, one] = await ask('GET', `${BASE}/one`);
    expect(one).toMatchObject({
      licence_id: 'strict',
      trust: 'published',
      input: { width: 112, height: 112, colour: 'RGB' },
    });
    expect(one['sources']).toEqual([{ url: bench.server.url('/one') }]);
    const text = JSON.stringify([models, one]);
    expect(text).not.toContain('secret');
    expect(text).not.toContain(bench.folder);
    const [missing, problem] = await ask('GET', `${BASE}/none`);
    expect([missing, problem['code']]).toEqual([404, 'NOT_FOUND']);
  });

  it('fetches what is accepted, once, and says how far it is', async () => {
    const [refused, problem] = await ask('POST', `${BASE}/one/download`);
    expect([refused, problem['code']]).toEqual([403, 'LICENCE_NOT_ACCEPTED']);
    expect(problem['detail']).toContain("'strict'");
    expect(problem['fix']).toContain('accept_licence');
    expect((await ask('GET', `${BASE}/one/download`))[0]).toBe(404);
    expect((await ask('POST', '/api/v1/models/licences/strange'))[0]).toBe(404);
    expect(await ask('POST', '/api/v1/models/licences/strict')).toEqual([
      200,
      { licence_id: 'strict', models: ['one'] },
    ]);
    const [begun, first] = await ask('POST', `${BASE}/one/download`);
    expect([begun, first['id']]).toEqual([202, 'one']);
    expect(await ended('one')).toMatchObject({ state: 'done', received: DATA.length, total: DATA.length });
    expect((await ask('GET', `${BASE}/one`))[1]).toMatchObject({ state: 'present', accepted: true });
    expect(bench.server.count('/one')).toBe(1);
  });

  it('says what failed, and not where', async () => {
    await ask('POST', `${BASE}/gone/download`);
    const gone = await ended('gone');
    expect(gone).toMatchObject({ state: 'failed', error: { code: 'DOWNLOAD_FAILED' } });
    expect(JSON.stringify(gone)).toContain('answered 404');
    await ask('POST', `${BASE}/wrong/download`);
    const wrong = await ended('wrong');
    expect(wrong).toMatchObject({ state: 'failed', error: { code: 'MODEL_HASH_MISMATCH' } });
    for (const text of [JSON.stringify(gone), JSON.stringify(wrong), ...service.log]) {
      expect(text).not.toContain('secret');
    }
    expect(JSON.stringify([gone, wrong])).not.toContain(bench.folder);
  });

  it('ends a download on request, and goes on with it later', async () => {
    bench.server.on('/slow', (request, response, count) => {
      if (count > 1) return file(DATA)(request, response, count);
      response.writeHead(200, { 'content-length': DATA.length, etag: '"v1"' });
      response.write(DATA.subarray(0, 100_000));
    });
    await ask('POST', `${BASE}/slow/download`);
    let received = 0;
    while (received < 100_000) received = Number((await ask('GET', `${BASE}/slow/download`))[1]['received']);
    expect((await ask('GET', `${BASE}/slow`))[1]['state']).toBe('downloading');
    expect((await ask('DELETE', `${BASE}/slow`))[1]['code']).toBe('STORE_BUSY');
    expect((await ask('DELETE', `${BASE}/slow/download`))[0]).toBe(204);
    expect(await ended('slow')).toMatchObject({ state: 'cancelled', received: 100_000 });
    await ask('POST', `${BASE}/slow/download`);
    expect(await ended('slow')).toMatchObject({ state: 'done', resumed: 100_000 });
  });

  it('deletes what was fetched, and nothing else', async () => {
    const path = join(bench.cache, 'one.onnx');
    expect(existsSync(path)).toBe(true);
    expect((await ask('DELETE', `${BASE}/one`))[0]).toBe(204);
    expect(existsSync(path)).toBe(false);
    const [status, problem] = await ask('DELETE', `${BASE}/faceapi_ssd`);
    expect([status, problem['code']]).toEqual([400, 'INVALID_ARGUMENT']);
  });

  it.each(['..%2f..%2fetc%2fpasswd', '%2e%2e%2fone', 'a%00b', "x'%20OR%201", '__proto__', 'a'.repeat(101)])(
    'takes %s for no id',
    async (id) => {
      const [status, problem] = await ask('GET', `${BASE}/${id}`);
      expect([400, 404]).toContain(status);
      expect(['INVALID_ARGUMENT', 'NOT_FOUND']).toContain(problem['code']);
    },
  );

  it('is in the audit trail', async () => {
    const [, { entries }] = await ask('GET', '/api/v1/audit');
    const actions = (entries as { action: string }[]).map(({ action }) => action);
    expect(actions).toContain('model.download');
    expect(actions).toContain('model.remove');
    expect(actions).toContain('licence.accept');
  });
});
