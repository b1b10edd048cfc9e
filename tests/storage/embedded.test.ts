// The storage in this process: SQLite and the exact index. What only it promises stands here.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type EmbeddedStorageOptions, openEmbeddedStorage, type TemplateStorage } from '../../lib/storage/index.js';
import { createKeyringFile, TemplateCipher } from '../../lib/templates/index.js';
import { type Backend, contract } from './contract.js';
import { codeOf, MODEL, nearest, probe, template, unitVectors } from './support.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'lineament-embedded-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (place: string, options: Partial<EmbeddedStorageOptions> = {}): Promise<TemplateStorage> =>
  openEmbeddedStorage({ ...MODEL, path: path.join(folder, place), threads: 1, ...options });

const backend: Backend = {
  matching: 'exact',
  transactions: true,
  open: ({ model, cipher, place = 'contract.db' } = {}) =>
    open(place, { ...model, ...(cipher === undefined ? {} : { cipher }) }),
};
contract('SQLite and the exact index', () => backend);

describe('the embedded storage', () => {
  it('finds after opening what it found before', async () => {
    const vectors = unitVectors(1100, 31);
    const items = vectors.map((vector, i) => ({ id: `p${i}`, template: template(vector) }));
    const before = await open('again.db');
    await before.storeTemplates(items);
    await before.deleteTemplates(items.slice(0, 100).map((item) => item.id));
    await before.storeTemplates([{ id: 'p700', template: template(vectors[0]!) }], { replace: true });
    const queries = unitVectors(5, 32).map((vector) => probe(vector));
    const found = await before.findMatchesBatch(queries);
    await before.close();
    const after = await open('again.db');
    expect(await after.count()).toBe(1000);
    expect(await after.findMatchesBatch(queries)).toEqual(found);
    expect(found[0]).toHaveLength(10);
    expect((await after.findMatches(probe(vectors[0]!), { k: 1 }))[0]?.id).toBe('p700');
    await after.close();
  });

  it('takes, replaces and deletes five thousand at once', async () => {
    const vectors = unitVectors(5000, 33, 4);
    const model = { model: MODEL.model, dims: 4 };
    const storage = await open('many.db', model);
    const items = vectors.map((vector, i) => ({ id: `p${i}`, template: template(vector) }));
    expect(await storage.storeTemplates(items, { idempotencyKey: 'all' })).toMatchObject({
      stored: 5000,
      replaced: 0,
    });
    const again = await storage.storeTemplates(items, { replace: true });
    expect(again).toEqual({ stored: 5000, replaced: 5000, replayed: false });
    expect(await storage.count()).toBe(5000);
    const [wanted] = nearest(vectors, vectors[77]!, 1);
    expect((await storage.findMatches(probe(vectors[77]!), { k: 1 }))[0]?.id).toBe(`p${wanted?.at}`);
    expect(await codeOf(storage.storeTemplates([...items, items[0]!]))).toBe('INVALID_ARGUMENT');
    expect(await storage.deleteTemplates(items.map((item) => item.id))).toBe(5000);
    expect(await storage.findMatches(probe(vectors[0]!))).toEqual([]);
    await storage.close();
  });

  it('leaves nothing readable on the disk under a cipher', async () => {
    const file = path.join(folder, 'keys');
    await createKeyringFile(file);
    const cipher = await TemplateCipher.open({ file });
    const [vector] = unitVectors(1, 34) as [Float32Array];
    const consent = 'a reference that would be found';
    const storage = await open('sealed.db', { cipher });
    await storage.storeTemplate('p', template(vector, { consent }));
    expect((await storage.findMatches(probe(vector)))[0]?.id).toBe('p');
    expect((await storage.getTemplate('p'))?.template.consent).toBe(consent);
    await storage.close();
    const bytes = Buffer.from(vector.buffer);
    for (const name of readdirSync(folder).filter((one) => one.startsWith('sealed.db'))) {
      const content = readFileSync(path.join(folder, name));
      expect(content.includes(consent)).toBe(false);
      expect(content.includes(bytes)).toBe(false);
    }
    expect(await codeOf(open('sealed.db'))).toBe('TEMPLATE_INVALID');
    const foreign = path.join(folder, 'other-keys');
    await createKeyringFile(foreign);
    const wrong = await TemplateCipher.open({ file: foreign });
    expect(['KEY_NOT_FOUND', 'KEY_MISMATCH']).toContain(await codeOf(open('sealed.db', { cipher: wrong })));
    const reopened = await open('sealed.db', { cipher });
    expect((await reopened.findMatches(probe(vector)))[0]?.id).toBe('p');
    await reopened.close();
    await Promise.all([cipher.close(), wrong.close()]);
  });

  it('lets nothing expired be found, whichever way the clock is set', async () => {
    const storage = await open('clock.db');
    const [one, two] = unitVectors(2, 35) as [Float32Array, Float32Array];
    const hour = 3_600_000;
    const start = Date.now();
    const found = async (): Promise<string[]> =>
      (await storage.findMatches(probe(one))).map((match) => match.id).sort();
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      await storage.storeTemplate('short', template(one, { expiresAt: start + hour }));
      await storage.storeTemplate('ever', template(two));
      expect(await found()).toEqual(['ever', 'short']);
      vi.setSystemTime(start + 2 * hour);
      expect(await found()).toEqual(['ever']);
      vi.setSystemTime(start - 24 * hour);
      await storage.storeTemplate('early', template(one, { expiresAt: start - 23 * hour }));
      expect(await found()).toContain('early');
      vi.setSystemTime(start + 3 * hour);
      expect(await found()).toEqual(['ever']);
      expect(await storage.deleteExpired()).toBe(2);
      expect(await storage.count()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
    await storage.close();
  });

  it('says what is wrong with a file', async () => {
    expect(await codeOf(open('no/such/folder.db'))).toBe('STORE_NOT_FOUND');
    writeFileSync(path.join(folder, 'text.db'), 'this is no database, however long it may be. '.repeat(100));
    expect(await codeOf(open('text.db'))).toBe('STORE_CORRUPT');
    const bad: Partial<EmbeddedStorageOptions>[] = [
      { dims: 1 },
      { dims: 4097 },
      { model: '' },
      { modelHash: 'x' },
      { precision: 'double' as never },
      { threads: 0 },
      { folder: 'x' } as never,
    ];
    for (const options of bad) expect(await codeOf(open('bad.db', options))).toBe('INVALID_ARGUMENT');
  });

  it('says that rounded vectors are matched approximately', async () => {
    const storage = await open('half.db', { precision: 'half' });
    expect(storage.matching).toBe('approximate');
    await storage.close();
  });
});
