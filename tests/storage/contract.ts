// What every storage must do, whatever lies behind it. Each backend's test file runs it with a way to open one.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StorageModel, TemplateEntry, TemplateMatch, TemplateStorage } from '../../lib/storage/index.js';
import type { Template, TemplateCipher } from '../../lib/templates/index.js';
import { codeOf, MODEL, nearest, probe, template, unitVectors } from './support.js';

export interface Backend {
  /** Opens what earlier calls have stored; made where it is missing. `place`: another one of its kind. */
  open(options?: { model?: StorageModel; cipher?: TemplateCipher; place?: string }): Promise<TemplateStorage>;
  readonly matching: 'exact' | 'approximate';
  /** Writes of one request are one transaction, and ids are unique whoever writes at the same time. */
  readonly transactions: boolean;
}

const ODD_IDS = [
  "o'brien",
  'a "quoted" \\ id',
  '../../etc',
  '..',
  '%41;--',
  'Ünïcödé',
  '顔',
  '\u{1F600}',
  'a',
  'B',
  'ab',
  ' ',
];

export function contract(name: string, backend: () => Backend): void {
  describe(`${name} keeps the contract of a template storage`, () => {
    let storage: TemplateStorage;
    let collections = 0;
    /** A collection of its own for each test. */
    const fresh = (): { collection: string } => ({ collection: `c${++collections}` });
    const [one, two, three] = unitVectors(3, 1) as [Float32Array, Float32Array, Float32Array];

    beforeAll(async () => {
      storage = await backend().open();
    });
    afterAll(() => storage?.close());

    it('says what it holds', () => {
      expect(storage.model).toEqual(MODEL);
      expect(storage.matching).toBe(backend().matching);
    });

    it('gives back what was stored, bit by bit', async () => {
      const where = fresh();
      const full: Template = {
        ...template(one),
        modelHash: 'ab'.repeat(32),
        quality: 71,
        samples: 4,
        expiresAt: Date.now() + 86_400_000,
        consent: 'form 17/2026 – signed',
        capture: { device: 'kiosk', capturedAt: 1_700_000_000_123, faceWidth: 212, yaw: -4.5 },
        extensions: [{ type: 200, data: Uint8Array.of(0, 255, 7) }],
      };
      const before = Date.now();
      expect(await storage.storeTemplate('p', full, where)).toEqual({ stored: 1, replaced: 0, replayed: false });
      const found = await storage.getTemplate('p', where);
      expect(found).toMatchObject({ id: 'p', collection: where.collection });
      expect(found?.storedAt).toBeGreaterThanOrEqual(before);
      expect(found?.storedAt).toBeLessThanOrEqual(Date.now());
      const bits = found?.template.vector as Float32Array;
      expect([...bits]).toEqual([...one]);
      expect({ ...found?.template, vector: one }).toEqual(full);
    });

    it('has nothing where nothing was stored', async () => {
      const where = fresh();
      expect(await storage.getTemplate('nobody', where)).toBeUndefined();
      expect(await storage.deleteTemplate('nobody', where)).toBe(false);
      expect(await storage.count(where)).toBe(0);
      expect(await storage.listTemplates(where)).toEqual({ entries: [] });
      expect(await storage.findMatches(probe(one), where)).toEqual([]);
    });

    it('refuses an id that is taken, with all that came along, and replaces where asked to', async () => {
      const where = fresh();
      await storage.storeTemplate('p', template(one), where);
      expect(await codeOf(storage.storeTemplate('p', template(two), where))).toBe('DUPLICATE_ID');
      const both = [
        { id: 'q', template: template(three) },
        { id: 'p', template: template(two) },
      ];
      expect(await codeOf(storage.storeTemplates(both, where))).toBe('DUPLICATE_ID');
      expect(await storage.count(where)).toBe(1);
      expect((await storage.findMatches(probe(one), where))[0]?.similarity).toBeCloseTo(1, 5);
      const twice = [both[0]!, both[0]!];
      expect(await codeOf(storage.storeTemplates(twice, where))).toBe('DUPLICATE_ID');
      expect(await storage.storeTemplates(both, { ...where, replace: true })).toMatchObject({ stored: 2, replaced: 1 });
      const matches = await storage.findMatches(probe(two), where);
      expect(matches.map((match) => match.id)).toHaveLength(2);
      expect(matches[0]).toMatchObject({ id: 'p', collection: where.collection });
      expect(matches[0]?.similarity).toBeCloseTo(1, 5);
    });

    it('keeps collections apart', async () => {
      const [here, there] = [fresh(), fresh()];
      await storage.storeTemplate('p', template(one), here);
      await storage.storeTemplate('p', template(two), there);
      expect([...((await storage.getTemplate('p', there))?.template.vector ?? [])]).toEqual([...two]);
      expect(await storage.deleteTemplate('p', here)).toBe(true);
      expect(await storage.getTemplate('p', here)).toBeUndefined();
      expect(await storage.count(there)).toBe(1);
      expect(await storage.findMatches(probe(one), here)).toEqual([]);
    });

    it('does a request once, however often its key comes', async () => {
      const where = fresh();
      const options = { ...where, idempotencyKey: `once ${where.collection} ü/%` };
      await storage.storeTemplate('p', template(one), where);
      const items = [
        { id: 'p', template: template(two) },
        { id: 'q', template: template(three) },
      ];
      const first = await storage.storeTemplates(items, { ...options, replace: true });
      expect(first).toEqual({ stored: 2, replaced: 1, replayed: false });
      expect(await storage.storeTemplates(items, { ...options, replace: true })).toEqual({ ...first, replayed: true });
      expect(await codeOf(storage.storeTemplates(items.slice(1), { ...options, replace: true }))).toBe('DUPLICATE_ID');
      expect(await codeOf(storage.storeTemplate('r', template(one), options))).toBe('DUPLICATE_ID');
      expect(await storage.count(where)).toBe(2);
      // A request that failed is not remembered: it may be corrected and sent again.
      const again = { ...where, idempotencyKey: `again ${where.collection}` };
      expect(await codeOf(storage.storeTemplate('p', template(one), again))).toBe('DUPLICATE_ID');
      expect(await storage.deleteTemplate('p', where)).toBe(true);
      expect(await storage.storeTemplate('p', template(one), again)).toMatchObject({ stored: 1, replayed: false });
    });

    it('lists every template once, page by page and in order, odd names included', async () => {
      const where = fresh();
      const [vector] = unitVectors(1, 2);
      await storage.storeTemplates(
        ODD_IDS.map((id) => ({ id, template: template(vector!) })),
        where,
      );
      const sorted = [...ODD_IDS].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      const seen: TemplateEntry[] = [];
      for (let after: string | undefined; ; ) {
        const page = await storage.listTemplates({ ...where, limit: 5, ...(after === undefined ? {} : { after }) });
        seen.push(...page.entries);
        after = page.next;
        if (after === undefined) break;
        expect(page.entries).toHaveLength(5);
      }
      expect(seen.map((entry) => entry.id)).toEqual(sorted);
      expect(new Set(seen.map((entry) => entry.collection))).toEqual(new Set([where.collection]));
      for (const id of ODD_IDS) expect((await storage.getTemplate(id, where))?.id).toBe(id);
      const exact = await storage.listTemplates({ ...where, limit: ODD_IDS.length });
      expect(exact.next).toBeUndefined();
      // Over all collections, without regard to this one's neighbours.
      let total = 0;
      for (let after: string | undefined; ; ) {
        const page = await storage.listTemplates({ limit: 7, ...(after === undefined ? {} : { after }) });
        total += page.entries.length;
        after = page.next;
        if (after === undefined) break;
      }
      expect(total).toBe(await storage.count());
      expect(await storage.deleteTemplates([...ODD_IDS.slice(0, 3), 'nobody', ODD_IDS[0]!], where)).toBe(3);
      expect(await storage.count(where)).toBe(ODD_IDS.length - 3);
      const left = (await storage.findMatches(probe(vector!), { ...where, k: 100 })).map((match) => match.id);
      expect(left.sort()).toEqual(ODD_IDS.slice(3).sort());
    });

    it('finds what a comparison with every template finds', async () => {
      const where = fresh();
      const vectors = unitVectors(300, 3);
      const items = vectors.map((vector, i) => ({ id: `p${i}`, template: template(vector) }));
      await storage.storeTemplates(items.slice(0, 200), where);
      await storage.storeTemplates(items.slice(200), where);
      const queries = unitVectors(20, 4);
      const lists = await storage.findMatchesBatch(
        queries.map((query) => probe(query)),
        { ...where, k: 10 },
      );
      expect(lists).toHaveLength(queries.length);
      for (const [q, query] of queries.entries()) {
        const wanted = nearest(vectors, query, 10);
        expect(lists[q]?.map((match) => match.id)).toEqual(wanted.map(({ at }) => `p${at}`));
        for (const [i, { cosine }] of wanted.entries()) expect(lists[q]?.[i]?.similarity).toBeCloseTo(cosine, 5);
      }
      const [query] = queries as [Float32Array];
      expect(await storage.findMatches(probe(query), { ...where, k: 10 })).toEqual(lists[0]);
      const threshold = (lists[0]![3]!.similarity + lists[0]![4]!.similarity) / 2;
      expect(await storage.findMatches(probe(query), { ...where, threshold })).toEqual(lists[0]!.slice(0, 4));
      expect(await storage.findMatches(probe(query), { ...where, threshold: 0.999 })).toEqual([]);
      // A probe need not have length 1, and may be a template.
      const scaled = await storage.findMatches(template(query.map((x) => x)), { ...where, k: 1 });
      expect(scaled).toEqual(lists[0]!.slice(0, 1));
      const longer = await storage.findMatches(probe(query.map((x) => 3 * x)), { ...where, k: 1 });
      expect(longer[0]?.id).toBe(lists[0]![0]!.id);
      expect(longer[0]?.similarity).toBeCloseTo(lists[0]![0]!.similarity, 5);
    });

    it('looks in the collections that are named, or in all', async () => {
      const [a, b, c] = [fresh().collection, fresh().collection, fresh().collection];
      const [vector] = unitVectors(1, 5);
      for (const collection of [a, b, c])
        await storage.storeTemplate(`in ${collection}`, template(vector!), { collection });
      const found = async (collection?: string | string[]): Promise<string[]> => {
        const options = { k: 3, threshold: 0.999, ...(collection === undefined ? {} : { collection }) };
        return (await storage.findMatches(probe(vector!), options)).map((match) => match.collection).sort();
      };
      expect(await found(b)).toEqual([b]);
      expect(await found([a, c])).toEqual([a, c].sort());
      expect(await found([c, 'nowhere'])).toEqual([c]);
      expect(await found()).toEqual([a, b, c].sort());
    });

    it('compares only what is under one protection key', async () => {
      const where = fresh();
      const [key1, key2] = [
        { scheme: 'rotation', keyId: 'k1' },
        { scheme: 'rotation', keyId: 'k2' },
      ];
      await storage.storeTemplates(
        [
          { id: 'plain', template: template(one) },
          { id: 'first', template: template(one, { protection: key1 }) },
          { id: 'second', template: template(one, { protection: key2 }) },
        ],
        where,
      );
      const ids = (matches: readonly TemplateMatch[]): string[] => matches.map((match) => match.id);
      expect(ids(await storage.findMatches(probe(one), where))).toEqual(['plain']);
      expect(ids(await storage.findMatches(probe(one, key2), where))).toEqual(['second']);
      const lists = await storage.findMatchesBatch(
        [probe(one, key1), probe(one), probe(one, { ...key1, keyId: 'no' })],
        where,
      );
      expect(lists.map(ids)).toEqual([['first'], ['plain'], []]);
      expect((await storage.getTemplate('first', where))?.template.protection).toEqual(key1);
    });

    it('forgets what has expired', async () => {
      const where = fresh();
      const day = 86_400_000;
      // The first one makes what a new collection needs, so that the short one has not expired before it is searched for.
      const started = Date.now();
      await storage.storeTemplate('long', template(two, { expiresAt: started + day }), where);
      expect(await storage.findMatches(probe(two), { ...where, k: 1 })).toHaveLength(1);
      const expiresAt = Date.now() + 1500 + 4 * (Date.now() - started);
      await storage.storeTemplate('short', template(one, { expiresAt }), where);
      expect((await storage.findMatches(probe(one), { ...where, k: 1 }))[0]?.id).toBe('short');
      expect(await codeOf(storage.storeTemplate('late', template(one, { expiresAt: Date.now() - 1 }), where))).toBe(
        'TEMPLATE_EXPIRED',
      );
      await sleep(expiresAt - Date.now() + 20);
      expect((await storage.findMatches(probe(one), where)).map((match) => match.id)).toEqual(['long']);
      expect(await codeOf(storage.getTemplate('short', where))).toBe('TEMPLATE_EXPIRED');
      const { entries } = await storage.listTemplates(where);
      expect(entries.find((entry) => entry.id === 'short')?.expiresAt).toBe(expiresAt);
      expect(await storage.deleteExpired(where)).toBe(1);
      expect(await storage.deleteExpired(where)).toBe(0);
      expect(await storage.getTemplate('short', where)).toBeUndefined();
      expect(await storage.count(where)).toBe(1);
    });

    it('refuses what cannot be compared', async () => {
      const where = fresh();
      const [other] = unitVectors(1, 6, 31) as [Float32Array];
      const foreign = { ...template(one), model: 'another' };
      expect(await codeOf(storage.storeTemplate('p', foreign, where))).toBe('EMBEDDING_MISMATCH');
      expect(await codeOf(storage.storeTemplate('p', template(other), where))).toBe('EMBEDDING_MISMATCH');
      expect(await codeOf(storage.findMatches({ ...probe(one), model: 'another' }, where))).toBe('EMBEDDING_MISMATCH');
      expect(await codeOf(storage.findMatches(probe(other), where))).toBe('EMBEDDING_MISMATCH');
      const broken = [one.map(() => 0), one.map(() => Number.NaN), one.map(() => Number.POSITIVE_INFINITY)];
      for (const vector of broken) {
        expect(await codeOf(storage.findMatches(probe(vector), where))).toBe('INVALID_ARGUMENT');
        expect(await codeOf(storage.storeTemplate('p', template(vector), where))).toBe('TEMPLATE_INVALID');
      }
      expect(await storage.count(where)).toBe(0);
    });

    it('refuses bad arguments', async () => {
      const bad: (() => Promise<unknown>)[] = [
        () => storage.storeTemplate('', template(one)),
        () => storage.storeTemplate('a\u0000b', template(one)),
        () => storage.storeTemplate('x'.repeat(256), template(one)),
        () => storage.storeTemplate('\ud800', template(one)),
        () => storage.storeTemplate(7 as never, template(one)),
        () => storage.storeTemplate('p', template(one), { collection: '' }),
        () => storage.storeTemplate('p', template(one), { replace: 1 as never }),
        () => storage.storeTemplate('p', template(one), { idempotencyKey: '' }),
        () => storage.storeTemplate('p', template(one), { colection: 'c' } as never),
        () => storage.storeTemplate('p', undefined as never),
        () => storage.storeTemplates([]),
        () => storage.getTemplate('p', { collection: ['c'] as never }),
        () => storage.deleteTemplates([]),
        () => storage.listTemplates({ limit: 0 }),
        () => storage.listTemplates({ limit: 1001 }),
        () => storage.listTemplates({ after: 'nonsense' }),
        () => storage.findMatches(undefined as never),
        () => storage.findMatches(probe(one), { k: 0 }),
        () => storage.findMatches(probe(one), { k: 1001 }),
        () => storage.findMatches(probe(one), { threshold: 1.01 }),
        () => storage.findMatches(probe(one), { threshold: Number.NaN }),
        () => storage.findMatches(probe(one), { collection: [] }),
        () => storage.findMatchesBatch([]),
      ];
      const codes = await Promise.all(bad.map(codeOf));
      expect(codes).toEqual(bad.map(() => 'INVALID_ARGUMENT'));
    });

    it('serves many at once', async () => {
      const where = fresh();
      const vectors = unitVectors(40, 7);
      await Promise.all(
        vectors.map(async (vector, i) => {
          await storage.storeTemplate(`p${i}`, template(vector), where);
          const [match] = await storage.findMatches(probe(vector), { ...where, k: 1 });
          expect(match?.id).toBe(`p${i}`);
        }),
      );
      expect(await storage.count(where)).toBe(vectors.length);
      await Promise.all(vectors.map((_, i) => (i % 2 === 0 ? storage.deleteTemplate(`p${i}`, where) : undefined)));
      const left = await storage.findMatches(probe(vectors[0]!), { ...where, k: 100 });
      expect(left.every((match) => Number(match.id.slice(1)) % 2 === 1)).toBe(true);
      expect(left).toHaveLength(vectors.length / 2);
      if (!backend().transactions) return;
      const codes = await Promise.all(
        vectors.map((vector) => codeOf(storage.storeTemplate('same', template(vector), where))),
      );
      expect(codes.filter((code) => code === 'resolved')).toHaveLength(1);
      expect(codes.filter((code) => code === 'DUPLICATE_ID')).toHaveLength(vectors.length - 1);
      const keyed = { ...where, idempotencyKey: `many ${where.collection}` };
      const results = await Promise.all(vectors.map(() => storage.storeTemplate('keyed', template(one), keyed)));
      expect(results.filter((result) => !result.replayed)).toHaveLength(1);
    });

    it('gives up when told to', async () => {
      const where = fresh();
      const signal = AbortSignal.abort(new Error('enough'));
      expect(await codeOf(storage.storeTemplate('p', template(one), { ...where, signal }))).toBe('ABORTED');
      expect(await codeOf(storage.findMatches(probe(one), { ...where, signal }))).toBe('ABORTED');
      expect(await storage.count(where)).toBe(0);
      const soon = new AbortController();
      const call = codeOf(storage.findMatches(probe(one), { ...where, signal: soon.signal }));
      soon.abort();
      expect(await call).toBe('ABORTED');
      expect(await storage.findMatches(probe(one), where)).toEqual([]);
    });

    it('is there again when it is opened again, and only for its model', async () => {
      const where = fresh();
      await storage.storeTemplate('p', template(one), where);
      const second = await backend().open();
      try {
        expect((await second.findMatches(probe(one), where))[0]?.id).toBe('p');
        // Two at once see what the other has acknowledged.
        await second.storeTemplate('q', template(two), where);
        expect((await storage.findMatches(probe(two), { ...where, k: 1 }))[0]?.id).toBe('q');
        await storage.deleteTemplate('p', where);
        expect((await second.findMatches(probe(one), where)).map((match) => match.id)).toEqual(['q']);
      } finally {
        await second.close();
      }
      const others = [
        { ...MODEL, model: 'another' },
        { ...MODEL, dims: 31 },
      ];
      for (const model of others) expect(await codeOf(backend().open({ model }))).toBe('EMBEDDING_MISMATCH');
    });

    it('closes once what runs has ended', async () => {
      const where = fresh();
      const closing = await backend().open();
      const running = closing.storeTemplate('p', template(one), where);
      const closed = closing.close();
      expect(await running).toMatchObject({ stored: 1 });
      await closed;
      await closing.close();
      expect(await codeOf(() => closing.getTemplate('p', where))).toBe('CLOSED');
      expect(await codeOf(() => closing.findMatches(probe(one), where))).toBe('CLOSED');
      expect((await storage.getTemplate('p', where))?.id).toBe('p');
    });
  });
}
