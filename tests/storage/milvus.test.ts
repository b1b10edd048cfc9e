// Milvus's own protocol, spoken by its own client to Milvus Lite (PyPI), where scripts/install-oracles.sh has installed it.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MilvusClient } from '@zilliz/milvus2-sdk-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type MilvusStorageOptions, openMilvusStorage, type TemplateStorage } from '../../lib/storage/index.js';
import { createKeyringFile, TemplateCipher } from '../../lib/templates/index.js';
import { root } from '../support/child.js';
import { type Backend, contract } from './contract.js';
import { codeOf, MODEL, probe, template, unitVectors } from './support.js';

const LITE =
  process.env['LINEAMENT_MILVUS_LITE'] ?? path.join(root, 'out', 'oracles', 'milvus-lite', 'bin', 'milvus-lite');

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe.skipIf(!existsSync(LITE))('Milvus (Milvus Lite; skipped where it is not installed)', () => {
  let folder: string;
  let server: ChildProcess;
  let address: string;
  let said = '';

  beforeAll(async () => {
    folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-milvus-'));
    const port = await freePort();
    address = `127.0.0.1:${port}`;
    const args = ['server', '--host', '127.0.0.1', '--port', String(port), '--data-dir', path.join(folder, 'data')];
    server = spawn(LITE, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [server.stdout, server.stderr]) stream?.on('data', (chunk) => (said += String(chunk)));
    for (let tries = 0; ; tries++) {
      const client = new MilvusClient({ address, timeout: 2000, logLevel: 'error' });
      const there = await client.connectPromise.then(
        () => true,
        () => false,
      );
      await client.closeConnection();
      if (there) break;
      if (tries === 60 || server.exitCode !== null) throw new Error(`Milvus Lite did not start:\n${said}`);
      await sleep(500);
    }
  });

  afterAll(async () => {
    if (server !== undefined && server.exitCode === null) {
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await ended;
    }
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  const open = (options: Partial<MilvusStorageOptions> = {}): Promise<TemplateStorage> =>
    openMilvusStorage({ ...MODEL, connection: address, partitions: 4, candidates: 400, ...options });

  const backend: Backend = {
    matching: 'approximate',
    transactions: false,
    open: ({ model, cipher, place } = {}) =>
      open({ ...model, ...(cipher === undefined ? {} : { cipher }), ...(place === undefined ? {} : { name: place }) }),
  };
  contract('Milvus', () => backend);

  it('completes under its key a request of which a part was written', async () => {
    const name = 'halfway';
    const storage = await open({ name });
    const vectors = unitVectors(6, 11);
    const items = vectors.map((vector, i) => ({ id: `p${i}`, template: template(vector) }));
    await storage.storeTemplates(items, { idempotencyKey: 'key' });
    // What a server that broke down in the middle leaves behind.
    await storage.deleteTemplates(['p3', 'p5']);
    expect(await storage.storeTemplates(items, { idempotencyKey: 'key' })).toMatchObject({ stored: 6, replaced: 0 });
    expect(await storage.count()).toBe(6);
    expect((await storage.storeTemplates(items, { idempotencyKey: 'key' })).replayed).toBe(true);
    await storage.close();
  });

  it('takes a client of the caller and leaves it open', async () => {
    const client = new MilvusClient({ address, logLevel: 'error' });
    const storage = await openMilvusStorage({ ...MODEL, client, name: 'callers' });
    await storage.storeTemplate('p', template(unitVectors(1, 12)[0]!));
    await storage.close();
    expect((await client.hasCollection({ collection_name: 'callers' })).value).toBe(true);
    await client.closeConnection();
  });

  it('seals templates, and refuses to leave plain vectors beside them unless told to', async () => {
    const file = path.join(folder, 'keys');
    await createKeyringFile(file);
    const cipher = await TemplateCipher.open({ file });
    const [vector] = unitVectors(1, 13) as [Float32Array];
    const storage = await open({ name: 'sealed', cipher });
    expect(await codeOf(storage.storeTemplate('p', template(vector)))).toBe('INVALID_ARGUMENT');
    const protection = { scheme: 'rotation', keyId: 'k' };
    await storage.storeTemplate('p', template(vector, { protection }));
    expect((await storage.findMatches(probe(vector, protection)))[0]).toMatchObject({ id: 'p' });
    expect((await storage.getTemplate('p'))?.template.protection).toEqual(protection);
    const unsealed = await open({ name: 'sealed' });
    expect(await codeOf(unsealed.getTemplate('p'))).toBe('TEMPLATE_INVALID');
    const plain = await open({ name: 'sealed', cipher, allowPlainVectors: true });
    expect(await plain.storeTemplate('q', template(vector))).toMatchObject({ stored: 1 });
    await Promise.all([storage.close(), unsealed.close(), plain.close()]);
    await cipher.close();
  });

  it('refuses what is not its own, what it cannot hold and a server that is not there', async () => {
    const client = new MilvusClient({ address, logLevel: 'error' });
    await client.createCollection({
      collection_name: 'foreign',
      fields: [
        { name: 'pk', data_type: 5, is_primary_key: true },
        { name: 'v', data_type: 101, dim: 4 },
      ],
    });
    await client.createIndex({ collection_name: 'foreign', field_name: 'v', index_type: 'FLAT', metric_type: 'IP' });
    await client.closeConnection();
    expect(await codeOf(open({ name: 'foreign' }))).toBe('STORE_CORRUPT');
    const storage = await open({ name: 'large' });
    const large = template(unitVectors(1, 14)[0]!, { capture: { extension: 'x'.repeat(60_000) } });
    expect(await codeOf(storage.storeTemplate('p', large))).toBe('INVALID_ARGUMENT');
    await storage.close();
    const nobody = { address: `127.0.0.1:${await freePort()}`, maxRetries: 0 };
    expect(await codeOf(open({ connection: nobody, timeoutMs: 1000 }))).toBe('STORE_UNAVAILABLE');
    expect(await codeOf(open({ name: 'a-b' }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(open({ client: {} as never, connection: undefined as never }))).toBe('INVALID_ARGUMENT');
  });
});
