import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Gallery } from '../../lib/gallery/index.js';
import { TemplateCipher } from '../../lib/templates/index.js';
import { keyring } from './sealed.js';
import { codeOf, Faces, gallery } from './support.js';

const linesOf = async (g: Gallery, options: Parameters<Gallery['export']>[0] = {}): Promise<string[]> => {
  const lines: string[] = [];
  for await (const line of g.export(options)) lines.push(line);
  return lines;
};

/** What an export has to keep: everything but the ids of samples and the times of persons. */
async function content(g: Gallery): Promise<unknown> {
  const { persons } = await g.list();
  return Promise.all(
    persons.map(async ({ id, name, metadata }) => {
      const samples = (await g.get(id))!.samples;
      return {
        id,
        name,
        metadata,
        samples: await Promise.all(
          samples.map(async ({ id: sample, person: _, ...info }) => [
            info,
            await g.template(sample),
            await g.thumbnail(sample),
          ]),
        ),
      };
    }),
  );
}

async function filled(options: Parameters<typeof gallery>[0] = {}): Promise<Gallery> {
  const g = await gallery(options);
  const faces = new Faces(1);
  await g.createCollection('staff', { model: 'test-net', dims: 64, settings: { door: 3 }, modelHash: 'a'.repeat(64) });
  for (let i = 0; i < 10; i++) {
    await g.enrol(
      { id: `p${i}`, name: `Zoë ${i} 面`, metadata: { i } },
      [
        { embedding: faces.face(), quality: i, thumbnail: Uint8Array.of(i), source: `${i}.jpg`, consent: 'c' },
        { embedding: faces.face(), expiresAt: Date.now() + 1e9, image: 'ab'.repeat(32) },
      ],
      { collection: i % 2 === 0 ? 'staff' : 'default' },
    );
  }
  return g;
}

describe('export and import', () => {
  it('carry a gallery over, in pieces of any size', async () => {
    const g = await filled();
    const text = Buffer.from((await linesOf(g)).join(''));
    for (const size of [7, 1000, text.length]) {
      const other = await gallery();
      const pieces = Array.from({ length: Math.ceil(text.length / size) }, (_, i) =>
        text.subarray(i * size, (i + 1) * size),
      );
      expect(await other.import(Readable.from(pieces))).toEqual({ created: 10, samples: 20, skipped: 0, expired: 0 });
      expect(await content(other)).toEqual(await content(g));
      expect((await other.collections()).map(({ createdAt: _, ...rest }) => rest)).toEqual(
        (await g.collections()).map(({ createdAt: _, ...rest }) => rest),
      );
      expect(await other.check()).toMatchObject({ ok: true, samples: 20 });
    }
  });

  it('carry one collection, and what is sealed stays so unless it is asked for', async () => {
    const keys = await keyring();
    const g = await filled({ keys });
    const sealed = await linesOf(g);
    expect(sealed.join('')).not.toContain('Zoë');
    expect(sealed.length).toBe(1 + 2 + 10 + 1);
    const other = await gallery({ keys });
    await other.import(sealed);
    expect(await content(other)).toEqual(await content(g));
    const plain = await linesOf(g, { plain: true, collection: 'staff' });
    expect(plain.join('')).toContain('Zoë 0 面');
    const open = await gallery();
    expect(await open.import(plain)).toMatchObject({ created: 5, samples: 10 });
    const cipher = await TemplateCipher.open(await keyring());
    const elsewhere = await linesOf(open, { cipher });
    expect(await codeOf((await gallery()).import(elsewhere))).toBe('KEY_NOT_FOUND');
    expect(await codeOf((await gallery({ keys })).import(elsewhere))).toBe('KEY_MISMATCH');
    expect(await (await gallery()).import(elsewhere, { cipher })).toMatchObject({ created: 5 });
    // Lines cannot be dropped, exchanged or repeated.
    for (const wrong of [
      elsewhere.filter((_, i) => i !== 4),
      elsewhere.map((line, i) => elsewhere[i === 3 ? 4 : i === 4 ? 3 : i] ?? line),
      [...elsewhere.slice(0, 4), elsewhere[3]!, ...elsewhere.slice(4)],
    ]) {
      expect(await codeOf((await gallery()).import(wrong, { cipher }))).toBe('KEY_MISMATCH');
    }
    cipher.close();
  });

  it('refuse, add to, or skip persons who are there', async () => {
    const g = await filled();
    const lines = await linesOf(g);
    expect(await codeOf(g.import(lines))).toBe('DUPLICATE_ID');
    expect(await g.stats()).toMatchObject({ persons: 10, samples: 20 });
    expect(await g.import(lines, { onExisting: 'skip' })).toEqual({ created: 0, samples: 0, skipped: 10, expired: 0 });
    expect(await g.import(lines, { onExisting: 'add' })).toMatchObject({ created: 0, samples: 20 });
    expect(await g.stats()).toMatchObject({ persons: 10, samples: 40 });
  });

  it('leave out what has expired meanwhile', async () => {
    const g = await filled();
    const other = await gallery({ now: () => Date.now() + 2e9 });
    expect(await other.import(await linesOf(g))).toEqual({ created: 10, samples: 10, skipped: 0, expired: 10 });
  });

  it('say where an export is damaged', async () => {
    const g = await filled();
    const lines = await linesOf(g);
    const fails = async (wrong: readonly string[]): Promise<string> => codeOf((await gallery()).import(wrong));
    expect(await fails(lines.slice(0, -1))).toBe('TEMPLATE_INVALID');
    expect(await fails([...lines.slice(0, 5), '{"person"', ...lines.slice(5)])).toBe('TEMPLATE_INVALID');
    expect(await fails([...lines, lines[4]!])).toBe('TEMPLATE_INVALID');
    expect(await fails(['{"something":"else"}\n'])).toBe('TEMPLATE_INVALID');
    expect(await fails([])).toBe('TEMPLATE_INVALID');
    expect(await fails([lines[0]!.replace('"version":1', '"version":2')])).toBe('STORE_VERSION');
    expect(await fails(lines.map((line) => line.replace(/"template":"[^"]{60}/, '"template":"AAAA')))).toBe(
      'TEMPLATE_INVALID',
    );
    const other = await gallery();
    await other.createCollection('staff', { model: 'other-net', dims: 64 });
    expect(await codeOf(other.import(lines))).toBe('EMBEDDING_MISMATCH');
  });
});

describe('the embedding cache', () => {
  const key = (n: number, recipe = 'balanced') => ({ image: n.toString(16).padStart(64, '0'), recipe });

  it.each(['plain', 'sealed'] as const)('gives back what it was given (%s)', async (kind) => {
    const keys = kind === 'sealed' ? { keys: await keyring() } : {};
    const first = await gallery(keys);
    const faces = new Faces(1);
    const [x, y] = [faces.face(), faces.face()];
    await first.cache.put(key(1), [{ embedding: x, info: { box: [1, 2, 3, 4] } }, { embedding: y }]);
    await first.cache.put(key(2), []);
    await first.close();
    const g = await gallery({ folder: first.folder, ...keys });
    const found = await g.cache.get(key(1));
    expect(found).toHaveLength(2);
    expect(found?.[0]).toEqual({ embedding: x, info: { box: [1, 2, 3, 4] } });
    expect(found?.[1]?.embedding.vector).toEqual(y.vector);
    expect(await g.cache.get(key(2))).toEqual([]);
    expect(await g.cache.get(key(3))).toBeUndefined();
    expect(await g.cache.get(key(1, 'other'))).toBeUndefined();
    await g.cache.put(key(1), [{ embedding: y }]);
    expect(await g.cache.get(key(1))).toHaveLength(1);
    expect(await g.stats()).toMatchObject({ cached: 1 });
    expect(await codeOf(g.cache.get({ image: 'short', recipe: 'r' }))).toBe('INVALID_ARGUMENT');
  });

  it('forgets what was used least lately', async () => {
    const g = await gallery({ cacheEntries: 20 });
    const faces = new Faces(2);
    for (let i = 0; i < 10; i++) await g.cache.put(key(i), [{ embedding: faces.face() }]);
    expect(await g.cache.get(key(0))).toHaveLength(1);
    for (let i = 10; i < 15; i++) await g.cache.put(key(i), [{ embedding: faces.face() }]);
    const known = await Promise.all(
      Array.from({ length: 15 }, async (_, i) => (await g.cache.get(key(i))) !== undefined),
    );
    expect(known.filter(Boolean)).toHaveLength(10);
    expect([known[0], known[1], known[5], known[6], known[14]]).toEqual([true, false, false, true, true]);
    await g.cache.prune(0);
    expect(await g.stats()).toMatchObject({ cached: 0 });
    const off = await gallery({ cacheEntries: 0 });
    await off.cache.put(key(1), [{ embedding: faces.face() }]);
    expect(await off.cache.get(key(1))).toBeUndefined();
  });
});
