import { appendFile, copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Database } from '../../lib/gallery/database.js';
import { openGallery, type Receipt, receiptCovers, restoreGallery, verifyReceipt } from '../../lib/gallery/index.js';
import { APPLICATION_ID, MIGRATIONS } from '../../lib/gallery/schema.js';
import { toHalf } from '../../lib/templates/half.js';
import { keyring } from './sealed.js';
import { bytesOf, codeOf, Faces, filesWith, gallery, newFolder } from './support.js';

const IMAGE = 'ab'.repeat(32);

describe('deleting', () => {
  it.each(['exact', 'half', 'int8'] as const)(
    'leaves no byte of a vector in any file (precision %s)',
    async (precision) => {
      const first = await gallery({ precision });
      const faces = new Faces(1, 512, 'wide-net');
      const crowd = Array.from({ length: 400 }, () => faces.face());
      await first.enrolMany(crowd.map((embedding, i) => ({ person: `p${i}`, samples: { embedding } })));
      const gone = faces.face();
      const thumbnail = crypto.getRandomValues(new Uint8Array(5000));
      const { samples } = await first.enrol({ id: 'gone', name: 'Someone Unusual' }, [
        { embedding: gone, thumbnail, image: IMAGE, source: 'gone.jpg' },
      ]);
      await first.cache.put({ image: IMAGE, recipe: 'r' }, [{ embedding: gone }, { embedding: faces.face() }]);
      await first.cache.put({ image: 'cd'.repeat(32), recipe: 'r' }, [{ embedding: gone }]);
      await first.enrol('other', { embedding: faces.like(gone, 0.5) });
      await first.feedback({ person: 'other', sample: samples[0]! });
      await first.update('gone', { metadata: 'Someone Else' });
      // The vectors move between pages as others come and go.
      for (let i = 0; i < 60; i++) await first.delete({ person: `p${i * 3}` });
      await first.enrolMany(
        Array.from({ length: 50 }, (_, i) => ({ person: `q${i}`, samples: { embedding: faces.face() } })),
      );
      await first.close();
      const g = await gallery({ folder: first.folder, precision });
      const halves = new Uint8Array(Uint16Array.from(gone.vector, toHalf).buffer);
      const written = [bytesOf(gone.vector), thumbnail];
      const traces = [bytesOf(gone.vector), thumbnail, halves].flatMap((bytes) =>
        Array.from({ length: Math.floor(bytes.length / 32) }, (_, i) => bytes.slice(i * 32, i * 32 + 32)),
      );
      const words = [
        Buffer.from(IMAGE, 'hex'),
        ...['Someone Unusual', 'Someone Else', samples[0]!, IMAGE].map((word) => Buffer.from(word)),
      ];
      for (const bytes of written) expect(await filesWith(g.folder, bytes.slice(64, 96))).not.toEqual([]);
      const { receipt, sources } = await g.delete({ person: 'gone' });
      expect(sources).toEqual(['gone.jpg']);
      expect(receipt.erased).toMatchObject({
        samples: 1,
        templates: 1,
        thumbnails: 1,
        vectors: 1,
        feedback: 1,
        operations: 1,
      });
      expect(receipt.erased.cached).toBeGreaterThanOrEqual(3);
      expect(receipt.files.snapshotsRemoved).toHaveLength(1);
      expect(await filesWith(g.folder, ...traces, ...words)).toEqual([]);
      expect(await g.get('gone')).toBeUndefined();
      expect(await g.cache.get({ image: IMAGE, recipe: 'r' })).toBeUndefined();
      const { candidates, setAside } = await g.identify(gone, { threshold: 0.9 });
      expect(candidates.some(({ person }) => person === 'gone')).toBe(false);
      expect(setAside).toEqual([]);
      await g.save();
      await g.close();
      expect(await filesWith(g.folder, ...traces, ...words)).toEqual([]);
      const again = await gallery({ folder: g.folder, precision });
      expect(again.opened).toMatchObject({ index: 'snapshot', repaired: [], damaged: [] });
      expect(await again.check()).toMatchObject({ ok: true });
    },
  );

  it('gives a receipt that anybody can check and nobody can change', async () => {
    const g = await gallery();
    const faces = new Faces(2);
    const { samples } = await g.enrol('ada', [{ embedding: faces.face() }, { embedding: faces.face() }]);
    await g.enrol('bob', { embedding: faces.face() });
    const backup = join(await newFolder(), 'before.db');
    await g.backup(backup);
    const { receipt } = await g.delete({ person: 'ada' });
    expect(verifyReceipt(receipt, g.publicKey)).toBe(true);
    expect(JSON.stringify(receipt)).not.toContain('ada');
    expect(receiptCovers(receipt, 'ada')).toBe(true);
    expect(receiptCovers(receipt, samples[1]!)).toBe(true);
    expect(receiptCovers(receipt, 'bob')).toBe(false);
    expect(receipt.backups).toMatchObject([{ name: 'before.db' }]);
    // Through JSON, in another order of names.
    const travelled = JSON.parse(JSON.stringify(Object.fromEntries(Object.entries(receipt).reverse()))) as Receipt;
    expect(verifyReceipt(travelled, g.publicKey)).toBe(true);
    expect(verifyReceipt({ ...receipt, at: new Date(0).toISOString() })).toBe(false);
    expect(verifyReceipt({ ...receipt, erased: { ...receipt.erased, vectors: 9 } })).toBe(false);
    expect(verifyReceipt({ ...receipt, signature: 'AAAA' })).toBe(false);
    expect(verifyReceipt(receipt, (await gallery()).publicKey)).toBe(false);
    expect(() => verifyReceipt({} as Receipt)).toThrow(/erasure receipt/);
    expect(await g.receipts()).toEqual([receipt]);
    await g.backupDestroyed(backup);
    expect((await g.delete({ person: 'bob' })).receipt.backups).toEqual([]);
    expect(await codeOf(g.backupDestroyed(backup))).toBe('NOT_FOUND');
  });

  it('deletes one sample, or a collection with the persons who were only there', async () => {
    const g = await gallery();
    const faces = new Faces(3);
    const x = faces.face();
    const { samples } = await g.enrol('a', [{ embedding: x }, { embedding: faces.face() }]);
    await g.delete({ sample: samples[0]! });
    expect((await g.get('a'))?.samples.map(({ id }) => id)).toEqual([samples[1]]);
    expect((await g.identify(x, { threshold: 0.9 })).match).toBeUndefined();
    await g.enrol('a', { embedding: faces.face() }, { collection: 'trial' });
    await g.enrol('b', { embedding: faces.face() }, { collection: 'trial' });
    const { receipt, persons } = await g.delete({ collection: 'trial' });
    expect({ persons, samples: receipt.erased.samples }).toEqual({ persons: 1, samples: 2 });
    expect((await g.list()).persons.map(({ id }) => id)).toEqual(['a']);
    expect((await g.collections()).map(({ name }) => name)).toEqual(['default']);
    for (const what of [{ person: 'z' }, { sample: 'z' }, { collection: 'z' }]) {
      expect(await codeOf(g.delete(what))).toBe('NOT_FOUND');
    }
    expect(await codeOf(g.delete({}))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(g.delete({ person: 'a', sample: samples[1]! }))).toBe('INVALID_ARGUMENT');
  });

  it('is done again when a backup from before it is restored', async () => {
    const first = await gallery();
    const faces = new Faces(4);
    const [ada, bob] = [faces.face(), faces.face()];
    const { samples } = await first.enrol('ada', { embedding: ada });
    const kept = await first.enrol('bob', [{ embedding: bob }, { embedding: faces.face() }]);
    const backup = join(await newFolder(), 'copy.db');
    await first.backup(backup);
    await first.delete({ person: 'ada' });
    await first.delete({ sample: kept.samples[1]! });
    await first.enrol('late', { embedding: faces.face() });
    expect(await codeOf(restoreGallery({ folder: first.folder, from: backup }))).toBe('STORE_BUSY');
    await first.close();
    await restoreGallery({ folder: first.folder, from: backup });
    const g = await gallery({ folder: first.folder });
    expect(g.opened.repaired.join()).toContain('deleted again');
    expect((await g.list()).persons).toMatchObject([{ id: 'bob', samples: 1 }]);
    expect((await g.identify(ada, { threshold: 0.9 })).match).toBeUndefined();
    expect(await filesWith(g.folder, bytesOf(ada.vector).slice(0, 32))).toEqual([]);
    expect(await filesWith(g.folder, Buffer.from(samples[0]!))).toEqual([]);
    expect(await g.check()).toMatchObject({ ok: true, samples: 1 });
    // Whoever comes back is enrolled as anybody else, and stays.
    await g.enrol('ada', { embedding: ada });
    await g.close();
    expect((await (await gallery({ folder: first.folder })).get('ada'))?.samples).toHaveLength(1);
  });

  it('covers persons who had been merged into the one that goes, one after another', async () => {
    const g = await gallery();
    const faces = new Faces(20);
    for (const id of ['a', 'b', 'c', 'd']) await g.enrol({ id, name: `Name of ${id}` }, { embedding: faces.face() });
    const backup = join(await newFolder(), 'copy.db');
    await g.backup(backup);
    await g.merge('b', 'c');
    await g.merge('a', 'b');
    await g.undo(await g.merge('a', 'd'));
    const { receipt, persons } = await g.delete({ person: 'a' });
    expect({ persons, samples: receipt.erased.samples }).toEqual({ persons: 1, samples: 3 });
    expect(['a', 'b', 'c', 'd'].map((id) => receiptCovers(receipt, id))).toEqual([true, true, true, false]);
    expect(await filesWith(g.folder, ...['a', 'b', 'c'].map((id) => Buffer.from(`Name of ${id}`)))).toEqual([]);
    expect(await g.operations()).toEqual([]);
    await g.close();
    await restoreGallery({ folder: g.folder, from: backup });
    const again = await gallery({ folder: g.folder });
    expect((await again.list()).persons.map(({ id }) => id)).toEqual(['d']);
    expect(await filesWith(g.folder, ...['a', 'b', 'c'].map((id) => Buffer.from(`Name of ${id}`)))).toEqual([]);
  });

  it('refuses backups of other galleries, and what is no backup', async () => {
    const [one, two] = [await gallery(), await gallery()];
    await one.enrol('a', { embedding: new Faces(5).face() });
    await two.enrol('b', { embedding: new Faces(6).face() });
    const backup = join(await newFolder(), 'one.db');
    await one.backup(backup);
    await two.close();
    expect(await codeOf(restoreGallery({ folder: two.folder, from: backup }))).toBe('INVALID_ARGUMENT');
    const bytes = await readFile(backup);
    await appendFile(`${backup}.cut`, bytes.subarray(0, bytes.length / 2));
    expect(await codeOf(restoreGallery({ folder: two.folder, from: `${backup}.cut` }))).toBe('STORE_CORRUPT');
    expect(await codeOf(restoreGallery({ folder: two.folder, from: `${backup}.none` }))).toBe('STORE_NOT_FOUND');
    expect((await (await gallery({ folder: two.folder })).list()).persons.map(({ id }) => id)).toEqual(['b']);
    const fresh = await newFolder();
    await restoreGallery({ folder: fresh, from: backup });
    expect((await (await gallery({ folder: fresh })).list()).persons.map(({ id }) => id)).toEqual(['a']);
  });

  it('is finished at the next opening where a crash cut it short', async () => {
    const first = await gallery();
    const faces = new Faces(7);
    const face = faces.face();
    await first.enrol('a', { embedding: face });
    await first.enrol('b', { embedding: faces.face() });
    await first.close();
    const saved = join(await newFolder(), 'db');
    await copyFile(join(first.folder, 'gallery.db'), saved);
    const second = await gallery({ folder: first.folder });
    await second.delete({ person: 'a' });
    await second.close();
    // As after a crash between the list of deletions and the commit: the list knows, the database does not.
    await copyFile(saved, join(first.folder, 'gallery.db'));
    await rm(join(first.folder, 'gallery.db-wal'), { force: true });
    await appendFile(join(first.folder, 'gallery.erased'), '\n{"gallery":"torn');
    const g = await gallery({ folder: first.folder });
    expect(await g.get('a')).toBeUndefined();
    expect((await g.identify(face, { threshold: 0.9 })).match).toBeUndefined();
    await g.delete({ person: 'b' });
    expect(await g.check()).toMatchObject({ ok: true, samples: 0 });
  });
});

describe('a receipt that a crash left unsigned', () => {
  it('is signed at the next opening, when log and snapshots are gone', async () => {
    const first = await gallery();
    const faces = new Faces(21);
    await first.enrol('a', { embedding: faces.face() });
    await first.enrol('b', { embedding: faces.face() });
    const { receipt } = await first.delete({ person: 'a' });
    await first.close();
    {
      await using db = await Database.open({
        path: join(first.folder, 'gallery.db'),
        applicationId: APPLICATION_ID,
        migrations: MIGRATIONS,
      });
      await db.write([{ sql: "UPDATE receipts SET finished = 0, body = json_remove(body, '$.signature')" }]);
    }
    const g = await gallery({ folder: first.folder });
    expect(g.opened.repaired).toEqual([expect.stringContaining('interrupted')]);
    const [signed] = await g.receipts();
    expect(signed?.id).toBe(receipt.id);
    expect(verifyReceipt(signed!, g.publicKey)).toBe(true);
    expect(await g.finishErasures()).toEqual([]);
  });
});

describe('retention', () => {
  it('does not match what has expired, and purges it with a receipt', async () => {
    let now = 1_800_000_000_000;
    const g = await gallery({ now: () => now });
    const faces = new Faces(8);
    const [x, y] = [faces.face(), faces.face()];
    await g.enrol('a', [{ embedding: x, expiresAt: now + 1000 }, { embedding: y }]);
    await g.enrol('b', { embedding: faces.like(x), expiresAt: now + 1000, source: 'b.jpg' });
    expect((await g.identify(x, { threshold: 0.5 })).match?.person).toBe('a');
    expect(await g.purgeExpired()).toBeUndefined();
    now += 1000;
    expect((await g.identify(x, { threshold: 0.5 })).match).toBeUndefined();
    expect(await codeOf(g.verify('b', x, { threshold: 0.5 }))).toBe('TEMPLATE_EXPIRED');
    expect((await g.get('a'))?.samples.map(({ expired }) => expired)).toEqual([true, false]);
    expect(await g.stats()).toMatchObject({ samples: 3, expired: 2 });
    const purged = await g.purgeExpired();
    expect(purged).toMatchObject({ persons: 1, samples: 2, sources: ['b.jpg'] });
    expect(verifyReceipt(purged!.receipt, g.publicKey)).toBe(true);
    expect((await g.list()).persons).toMatchObject([{ id: 'a', samples: 1 }]);
    expect(await codeOf(g.enrol('c', { embedding: x, expiresAt: now }))).toBe('TEMPLATE_EXPIRED');
  });

  it('does not bring expired samples to life when the clock is set back', async () => {
    let now = 1_800_000_000_000;
    const first = await openGallery({ folder: await newFolder(), now: () => now, threads: 1 });
    const faces = new Faces(9);
    const face = faces.face();
    await first.enrol('a', { embedding: face, expiresAt: now + 1000 });
    now += 2000;
    await first.enrol('b', { embedding: faces.face() });
    now -= 3_000_000;
    expect((await first.identify(face, { threshold: 0.5 })).match).toBeUndefined();
    await first.close();
    const g = await gallery({ folder: first.folder, now: () => now });
    expect((await g.identify(face, { threshold: 0.5 })).match).toBeUndefined();
    const late = await g.enrol('c', { embedding: faces.face(), expiresAt: 1_800_000_900_000 });
    expect(late.samples).toHaveLength(1);
    const operation = await g.update('b', { name: 'Bob' });
    expect((await g.operations())[0]?.id).toBe(operation);
    const created = await Promise.all(['b', 'c'].map(async (id) => (await g.get(id))!.createdAt));
    expect(created[1]).toBeGreaterThanOrEqual(created[0]!);
  });

  it('can be told that a clock had run ahead', async () => {
    let now = 1_800_000_000_000;
    const g = await gallery({ now: () => now });
    const faces = new Faces(19);
    const face = faces.face();
    await g.enrol('a', { embedding: face, expiresAt: now + 30 * 86_400_000 });
    now += 4000 * 86_400_000;
    await g.enrol('b', { embedding: faces.face() });
    now -= 4000 * 86_400_000;
    expect((await g.identify(face, { threshold: 0.5 })).match).toBeUndefined();
    expect((await g.check()).problems).toEqual([expect.stringContaining('4000 days ahead')]);
    expect(await g.check({ repair: true })).toMatchObject({ ok: true });
    expect((await g.identify(face, { threshold: 0.5 })).match?.person).toBe('a');
    await g.close();
    const again = await gallery({ folder: g.folder, now: () => now });
    expect((await again.identify(face, { threshold: 0.5 })).match?.person).toBe('a');
  });

  it('deletes from a sealed gallery as from any other', async () => {
    const g = await gallery({ keys: await keyring() });
    const faces = new Faces(10);
    const { samples } = await g.enrol('a', { embedding: faces.face() });
    await g.enrol('b', { embedding: faces.face() });
    const { receipt } = await g.delete({ person: 'a' });
    expect(verifyReceipt(receipt, g.publicKey)).toBe(true);
    expect(await filesWith(g.folder, Buffer.from(samples[0]!))).toEqual([]);
    expect(await g.check()).toMatchObject({ ok: true, samples: 1 });
  });
});
