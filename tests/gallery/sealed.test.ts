import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Database } from '../../lib/gallery/database.js';
import { openGallery } from '../../lib/gallery/index.js';
import { APPLICATION_ID, MIGRATIONS } from '../../lib/gallery/schema.js';
import { TemplateCipher } from '../../lib/templates/index.js';
import { keyring } from './sealed.js';
import { bytesOf, codeOf, Faces, filesWith, gallery } from './support.js';

/** The file of a closed gallery, in the hands of somebody who should not have it. */
async function tamper(folder: string, ...statements: readonly string[]): Promise<void> {
  await using db = await Database.open({
    path: join(folder, 'gallery.db'),
    applicationId: APPLICATION_ID,
    migrations: MIGRATIONS,
  });
  await db.write(statements.map((sql) => ({ sql })));
}

const changedAt = (byte: number, sample: number): string =>
  `UPDATE templates SET data = CAST(substr(data, 1, ${byte - 1}) || x'7f' || substr(data, ${byte + 1}) AS BLOB)
   WHERE sample = ${sample}`;

/** Statements that put two samples' rows in each other's place. */
function exchanged(table: 'templates' | 'samples', key: string, column: string, a: number, b: number): string[] {
  return [
    `CREATE TABLE aside AS SELECT ${key} AS k, ${column} AS v FROM ${table} WHERE ${key} IN (${a}, ${b})`,
    `UPDATE ${table} SET ${column} = (SELECT v FROM aside WHERE k = ${a + b} - ${table}.${key}) WHERE ${key} IN (${a}, ${b})`,
    'DROP TABLE aside',
  ];
}

async function drain(from: AsyncIterable<string>, to: string[]): Promise<void> {
  for await (const line of from) to.push(line);
}

describe('a sealed gallery', () => {
  it('works as any other, and writes no vector in the open', async () => {
    const keys = await keyring();
    const first = await gallery({ keys });
    const faces = new Faces(1, 128);
    const all = Array.from({ length: 30 }, () => faces.face());
    const thumbnail = crypto.getRandomValues(new Uint8Array(500));
    await first.enrolMany(all.map((embedding, i) => ({ person: `p${i}`, samples: { embedding, thumbnail } })));
    await first.cache.put({ image: 'ab'.repeat(32), recipe: 'r' }, [{ embedding: all[0]! }]);
    await first.feedback({ person: 'p1', probe: all[0]! });
    expect((await first.cache.get({ image: 'ab'.repeat(32), recipe: 'r' }))?.[0]?.embedding.vector).toEqual(
      all[0]!.vector,
    );
    await first.save();
    await first.close();
    for (const { vector } of all) expect(await filesWith(first.folder, bytesOf(vector).slice(0, 32))).toEqual([]);
    expect(await filesWith(first.folder, thumbnail.slice(0, 32))).toEqual([]);
    const g = await gallery({ folder: first.folder, keys });
    expect(g.opened).toMatchObject({ index: 'rebuilt', repaired: [], damaged: [] });
    const found = await g.identifyMany(all, { threshold: 0.9 });
    expect(found.map(({ match }) => match?.person)).toEqual(all.map((_, i) => `p${i}`));
    expect(await g.check()).toMatchObject({ ok: true });
  });

  it('opens with its key only', async () => {
    const keys = await keyring();
    const first = await gallery({ keys });
    await first.enrol('a', { embedding: new Faces(2).face() });
    await first.close();
    expect(await codeOf(openGallery({ folder: first.folder }))).toBe('KEY_NOT_FOUND');
    expect(await codeOf(openGallery({ folder: first.folder, keys: await keyring() }))).toBe('KEY_MISMATCH');
    expect(await codeOf(openGallery({ folder: first.folder, keys: await keyring('other') }))).toBe('KEY_MISMATCH');
    const open = await gallery();
    await open.close();
    expect(await codeOf(openGallery({ folder: open.folder, keys }))).toBe('INVALID_ARGUMENT');
    await gallery({ folder: first.folder, keys });
  });

  it('names what was changed behind its back, and the rest goes on', async () => {
    const keys = await keyring();
    const first = await gallery({ keys });
    const faces = new Faces(3);
    const all = Array.from({ length: 5 }, () => faces.face());
    const samples: string[] = [];
    for (const [i, embedding] of all.entries()) {
      samples.push(...(await first.enrol(`p${i}`, { embedding, thumbnail: Uint8Array.of(i) })).samples);
    }
    await first.close();
    await tamper(
      first.folder,
      // One byte changed; two templates exchanged; a sample given to somebody else.
      changedAt(201, 1),
      ...exchanged('templates', 'sample', 'data', 2, 3),
      'UPDATE samples SET person = 1 WHERE key = 4',
    );
    const g = await gallery({ folder: first.folder, keys });
    expect(g.opened.damaged.map(({ sample, code }) => [sample, code])).toEqual(
      samples.slice(0, 4).map((sample) => [sample, 'KEY_MISMATCH']),
    );
    expect((await g.identify(all[4]!, { threshold: 0.9 })).match?.person).toBe('p4');
    for (const face of all.slice(0, 4)) expect((await g.identify(face, { threshold: 0.9 })).match).toBeUndefined();
    await expect(g.template(samples[0]!)).rejects.toMatchObject({
      code: 'KEY_MISMATCH',
      message: expect.stringContaining(samples[0]!),
    });
    expect(await codeOf(g.verify('p1', all[1]!, { threshold: 0.5 }))).toBe('STORE_CORRUPT');
    expect(await g.thumbnail(samples[4]!)).toEqual(Uint8Array.of(4));
    const report = await g.check();
    expect(report.ok).toBe(false);
    expect(report.damaged.map(({ sample }) => sample)).toEqual(samples.slice(0, 4));
    const lines: string[] = [];
    expect(await codeOf(drain(g.export(), []))).toBe('KEY_MISMATCH');
    await drain(g.export({ onDamaged: 'skip', plain: true }), lines);
    expect(JSON.parse(lines.at(-1)!)).toEqual({ end: { persons: 5, samples: 1, damaged: 4 } });
    await g.delete({ sample: samples[0]! });
    for (const id of ['p1', 'p2']) await g.delete({ person: id });
    await g.delete({ sample: samples[3]! });
    expect(await g.check()).toMatchObject({ ok: true, samples: 1 });
  });

  it('changes keys while it is in use', async () => {
    const keys = await keyring('old');
    const g = await gallery({ keys });
    const faces = new Faces(4);
    const all = Array.from({ length: 40 }, () => faces.face());
    await g.enrolMany(
      all.map((embedding, i) => ({ person: `p${i}`, samples: { embedding, thumbnail: Uint8Array.of(i) } })),
    );
    await g.feedback({ person: 'p1', probe: faces.face() });
    await g.close();
    const old = process.env[keys.env]!;
    const [fresh] = process.env[(await keyring('new')).env]!.split(' ');
    process.env[keys.env] = `${fresh} ${old}`;
    const second = await gallery({ folder: g.folder, keys });
    const [renewed] = await Promise.all([
      second.rotate(),
      second.enrolMany(
        Array.from({ length: 20 }, (_, i) => ({ person: `q${i}`, samples: { embedding: faces.face() } })),
      ),
      second.identifyMany(all, { threshold: 0.9 }),
      second.merge('p2', 'p3'),
    ]);
    expect(renewed).toBeGreaterThanOrEqual(80);
    expect(await second.rotate()).toBeLessThanOrEqual(2);
    expect(await second.rotate()).toBe(0);
    await second.close();
    process.env[keys.env] = fresh!;
    const third = await gallery({ folder: g.folder, keys });
    expect(third.opened.damaged).toEqual([]);
    expect(await third.check()).toMatchObject({ ok: true, samples: 60 });
    expect((await third.delete({ person: 'p5' })).receipt.publicKey).toBe(g.publicKey);
    expect(await codeOf((await gallery()).rotate())).toBe('INVALID_ARGUMENT');
  });

  it('takes a cipher that its caller keeps', async () => {
    const cipher = await TemplateCipher.open(await keyring());
    const first = await gallery({ cipher });
    await first.enrol('a', { embedding: new Faces(5).face() });
    await first.close();
    await (await gallery({ folder: first.folder, cipher })).close();
    cipher.close();
  });
});

describe('a gallery in the open', () => {
  it('names templates that were damaged, and the rest goes on', async () => {
    const first = await gallery();
    const faces = new Faces(6);
    const all = Array.from({ length: 4 }, () => faces.face());
    for (const [i, embedding] of all.entries()) await first.enrol(`p${i}`, { embedding });
    await first.close();
    await tamper(first.folder, changedAt(121, 1), 'DELETE FROM templates WHERE sample = 2', 'DELETE FROM snapshots');
    const g = await gallery({ folder: first.folder });
    expect(g.opened.damaged.map(({ person, code }) => [person, code])).toEqual([
      ['p0', 'STORE_CORRUPT'],
      ['p1', 'STORE_CORRUPT'],
    ]);
    expect((await g.identify(all[3]!, { threshold: 0.9 })).match?.person).toBe('p3');
    expect((await g.check()).damaged).toHaveLength(2);
    expect(await g.stats()).toMatchObject({ damaged: 2, samples: 4 });
  });

  it('finds and repairs an index that does not agree', async () => {
    const first = await gallery();
    const faces = new Faces(7);
    const all = Array.from({ length: 90 }, () => faces.face());
    await first.enrolMany(all.map((embedding, i) => ({ person: `p${i}`, samples: { embedding } })));
    await first.close();
    // Templates exchanged while the snapshot stays: the index is of what was.
    await tamper(
      first.folder,
      ...exchanged('templates', 'sample', 'data', 35, 36),
      ...exchanged('samples', 'key', 'print', 35, 36),
    );
    const g = await gallery({ folder: first.folder });
    expect(await g.check()).toMatchObject({
      ok: false,
      repaired: [],
      problems: [expect.stringContaining('another one')],
    });
    expect(await g.check({ repair: true })).toMatchObject({ ok: true, repaired: [expect.stringContaining('anew')] });
    expect(await g.check()).toMatchObject({ ok: true, problems: [] });
    expect((await g.identify(all[34]!, { threshold: 0.9 })).match?.person).toBe('p35');
  });
});
