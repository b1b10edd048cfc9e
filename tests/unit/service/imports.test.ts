// Imports: read as they come, whatever their length, and for as long as something comes.
import { request as httpRequest } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type TestService } from '../../support/service.js';
import { photo, postJson } from './pictures.js';

const PATIENCE_MS = 1000;
const NDJSON = { 'content-type': 'application/x-ndjson' };

let service: TestService;
/** Lines of an export with two persons. */
let lines: readonly string[];
beforeAll(async () => {
  await using from = await startService();
  for (const [i, person] of ['ada', 'grace'].entries()) {
    const image = photo(i + 1).toString('base64');
    expect((await postJson(from, '/api/v1/enrol', { person, image })).status).toBe(201);
  }
  lines = (await (await from.fetch('/api/v1/export')).text()).trim().split('\n');
  service = await startService({
    server: { requestTimeoutMs: PATIENCE_MS, headersTimeoutMs: 500 },
    limits: { bodyBytes: 4 * 2 ** 20, imageBytes: 2 ** 20, queueBytes: 160 * 2 ** 20 },
  });
});
afterAll(() => service?.close());

/** An import whose body is written piece by piece. */
function importing(headers: Record<string, string | number> = {}, query = '') {
  const sent = httpRequest(`${service.address}/api/v1/import${query}`, {
    method: 'POST',
    agent: false,
    headers: { ...NDJSON, authorization: `Bearer ${service.key}`, ...headers },
  });
  const answer = new Promise<{ status: number; body: Record<string, unknown> }>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response) => {
      let text = '';
      response.on('data', (bytes) => {
        text += bytes;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) as never }));
    });
  });
  // Looked at later.
  answer.catch(() => undefined);
  return { sent, answer };
}
const lastImport = async () => {
  const { body } = await service.call('GET', '/api/v1/audit?action=gallery.import&limit=1');
  return (body as { entries: { detail: object }[] }).entries[0]?.detail;
};

describe('an import', () => {
  it('may take longer than other requests, while it goes on', async () => {
    const { sent, answer } = importing();
    for (const line of lines) {
      sent.write(`${line}\n`);
      await delay(PATIENCE_MS * 0.6);
    }
    sent.end();
    expect(await answer).toMatchObject({ status: 200, body: { created: 2, samples: 2 } });
    expect(await lastImport()).toMatchObject({ created: 2 });
  });

  it('is ended where nothing comes any more, says what to do, and is in the trail', async () => {
    const { sent, answer } = importing();
    sent.write(`${lines[0]}\n`);
    const { status, body } = await answer;
    expect([status, body['code']]).toEqual([408, 'DEADLINE_EXCEEDED']);
    expect(body['fix']).toContain('server.request_timeout_ms');
    await expect.poll(lastImport).toMatchObject({ failed: 'ABORTED' });
    sent.destroy();
  });

  it('is told of a fault while more is still to come', async () => {
    const { sent, answer } = importing({}, '?on_existing=skip');
    sent.write(`${lines[0]}\n{"person":\n`);
    expect(await answer).toMatchObject({ status: 422, body: { code: 'TEMPLATE_INVALID' } });
    expect(await lastImport()).toMatchObject({ failed: 'TEMPLATE_INVALID' });
    sent.destroy();
  });

  it('does not stand in the way of others, however long it says it is', async () => {
    const { sent, answer } = importing({ 'content-length': 4 * 2 ** 30 }, '?on_existing=skip');
    sent.write(`${lines[0]}\n`);
    await delay(100);
    const found = await postJson(service, '/api/v1/detect', { image: photo(1).toString('base64') });
    expect(found.status, JSON.stringify(found.body)).toBe(200);
    sent.destroy();
    await expect(answer).rejects.toThrow();
  });

  it('is refused where a line is longer than a body may be', async () => {
    const { sent, answer } = importing();
    sent.write(`${lines[0]}\n`);
    sent.write(' '.repeat(4 * 2 ** 20 + 1));
    expect(await answer).toMatchObject({ status: 413, body: { code: 'PAYLOAD_TOO_LARGE' } });
    sent.destroy();
  });

  it('is read at its own address alone', async () => {
    for (const path of ['/api/v1/detect', '/api/v1/keys', '/api/v1/enrol']) {
      const answer = await service.fetch(path, { method: 'POST', headers: NDJSON, body: lines.join('\n') });
      expect(answer.status, path).toBe(415);
    }
  });
});
