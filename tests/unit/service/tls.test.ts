// HTTPS of the service's own, and a proxy in front of it.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type RequestOptions, request } from 'node:https';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService } from '../../support/service.js';

const openssl = spawnSync('openssl', ['version']).status === 0;

function ask(address: string, options: RequestOptions): Promise<{ status: number; headers: Record<string, unknown> }> {
  return new Promise((resolve, reject) => {
    const asked = request(address, options, (answer) => {
      answer.resume().once('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers }));
    });
    asked.once('error', reject).end();
  });
}

describe.skipIf(!openssl)('https (needs openssl for a certificate)', () => {
  let folder = '';
  let tls = { cert: '', key: '' };
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'lineament-tls-'));
    tls = { cert: path.join(folder, 'cert.pem'), key: path.join(folder, 'key.pem') };
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
    const made = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
    const { status, stderr } = spawnSync('openssl', ['req', ...made, ...subject, '-keyout', tls.key, '-out', tls.cert]);
    if (status !== 0) throw new Error(stderr.toString());
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is spoken with the certificate of the files, and nothing else is', async () => {
    await using service = await startService({ server: { tls } });
    expect(service.address).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
    const ca = readFileSync(tls.cert);
    const { status, headers } = await ask(`${service.address}/health`, { ca });
    expect(status).toBe(200);
    expect(headers['strict-transport-security']).toMatch(/max-age=\d{7,}/);
    await expect(ask(`${service.address}/health`, {})).rejects.toThrow(/self-signed|certificate/);
    await expect(
      ask(`${service.address}/health`, { ca, maxVersion: 'TLSv1.1', minVersion: 'TLSv1' }),
    ).rejects.toThrow();
    await expect(fetch(`${service.address.replace('https', 'http')}/health`)).rejects.toThrow();
  });

  it('is not begun with a key that is none', async () => {
    await expect(startService({ server: { tls: { ...tls, key: tls.cert } } })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
  });
});

describe('a proxy', () => {
  /** Statuses of five requests that say they come from five addresses. */
  async function statuses(trustProxy: readonly string[]): Promise<number[]> {
    await using service = await startService({ server: { trustProxy }, rate: { perAddress: 3 } });
    const found: number[] = [];
    for (let i = 0; i < 5; i++) {
      const answer = await service.fetch('/api/v1/persons', { headers: { 'x-forwarded-for': `203.0.113.${i}` } });
      found.push(answer.status);
    }
    return found;
  }

  it('that is trusted says who asks', async () => {
    expect(await statuses(['127.0.0.1'])).toEqual([200, 200, 200, 200, 200]);
  });

  it('that is not trusted does not', async () => {
    expect((await statuses([])).filter((status) => status === 429)).toHaveLength(2);
    expect((await statuses(['10.0.0.0/8'])).filter((status) => status === 429)).toHaveLength(2);
  });
});
