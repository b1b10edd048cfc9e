import { describe, expect, it } from 'vitest';
import { type Gallery, openGallery } from '../../lib/gallery/index.js';
import type { Embedding } from '../../lib/types.js';
import { codeOf, DIMS, Faces, gallery, MODEL, newFolder } from './support.js';

const wrong: readonly (readonly [string, Embedding])[] = [
  ['NaN', { model: MODEL, dims: DIMS, vector: new Float32Array(DIMS).fill(NaN) }],
  ['one NaN', { model: MODEL, dims: DIMS, vector: Float32Array.from({ length: DIMS }, (_, i) => (i === 9 ? NaN : 1)) }],
  ['infinite', { model: MODEL, dims: DIMS, vector: new Float32Array(DIMS).fill(Infinity) }],
  [
    'overflowing',
    { model: MODEL, dims: DIMS, vector: Float32Array.from({ length: DIMS }, (_, i) => (i === 0 ? -Infinity : 1)) },
  ],
  ['zero', { model: MODEL, dims: DIMS, vector: new Float32Array(DIMS) }],
  ['dims that lie', { model: MODEL, dims: DIMS + 1, vector: new Float32Array(DIMS).fill(1) }],
  ['no model', { model: '', dims: DIMS, vector: new Float32Array(DIMS).fill(1) }],
  ['an array', { model: MODEL, dims: 2, vector: [1, 2] as unknown as Float32Array }],
  ['nothing', undefined as unknown as Embedding],
];

describe('bad vectors', () => {
  it.each(wrong)('are refused everywhere: %s', async (_, embedding) => {
    const g = await gallery();
    const face = new Faces(1).face();
    await g.enrol('a', { embedding: face });
    const { revision } = g;
    const calls = [
      g.enrol('b', { embedding }),
      g.enrol('b', [{ embedding: face }, { embedding }]),
      g.identify(embedding, { threshold: 0.5 }),
      g.identifyMany([face, embedding], { threshold: 0.5 }),
      g.verify('a', embedding, { threshold: 0.5 }),
      g.feedback({ person: 'a', probe: embedding }),
      g.cache.put({ image: 'ab'.repeat(32), recipe: 'r' }, [{ embedding }]),
    ];
    for (const code of await Promise.all(calls.map(codeOf))) {
      expect(code).toMatch(/^(INVALID_ARGUMENT|EMBEDDING_MISMATCH)$/);
    }
    expect(g.revision).toBe(revision);
    expect(await g.get('b')).toBeUndefined();
    expect(await g.check()).toMatchObject({ ok: true, samples: 1 });
  });

  it('of another length than one are scaled, and read through the view that they are', async () => {
    const g = await gallery();
    const face = new Faces(2).face();
    const around = new Float32Array(DIMS * 3).fill(99);
    around.set(
      face.vector.map((x) => x * 7),
      DIMS,
    );
    const view = { ...face, vector: around.subarray(DIMS, DIMS * 2) };
    await g.enrol('a', { embedding: view });
    around.fill(0);
    const { match } = await g.identify({ ...face, vector: face.vector.map((x) => x * 1e-3) }, { threshold: 0.5 });
    expect(match?.similarity).toBeCloseTo(1, 5);
  });
});

describe('bad arguments', () => {
  const face = new Faces(3).face();
  const long = 'x'.repeat(300);
  it.each<readonly [string, (g: Gallery) => Promise<unknown>, string]>([
    ['an empty id', (g) => g.enrol('', { embedding: face }), 'INVALID_ARGUMENT'],
    ['a long id', (g) => g.enrol(long, { embedding: face }), 'INVALID_ARGUMENT'],
    ['a control character', (g) => g.enrol('a\n', { embedding: face }), 'INVALID_ARGUMENT'],
    ['half a character', (g) => g.enrol('a\ud800', { embedding: face }), 'INVALID_ARGUMENT'],
    ['no samples', (g) => g.enrol('b', []), 'INVALID_ARGUMENT'],
    ['a sample of nothing', (g) => g.enrol('b', {}), 'INVALID_ARGUMENT'],
    ['an unknown option', (g) => g.enrol('b', { embedding: face }, { floor: 1 } as never), 'INVALID_ARGUMENT'],
    ['a wrong quality', (g) => g.enrol('b', { embedding: face, quality: 101 }), 'INVALID_ARGUMENT'],
    ['a quality that is no number', (g) => g.enrol('b', { embedding: face, quality: NaN }), 'INVALID_ARGUMENT'],
    ['an expiry in the past', (g) => g.enrol('b', { embedding: face, expiresAt: 1 }), 'TEMPLATE_EXPIRED'],
    ['a wrong hash', (g) => g.enrol('b', { embedding: face, image: 'zz' }), 'INVALID_ARGUMENT'],
    ['a wrong thumbnail', (g) => g.enrol('b', { embedding: face, thumbnail: 'x' as never }), 'INVALID_ARGUMENT'],
    ['a long consent', (g) => g.enrol('b', { embedding: face, consent: long }), 'INVALID_ARGUMENT'],
    ['metadata that is no JSON', (g) => g.enrol({ metadata: 1n as never }, { embedding: face }), 'INVALID_ARGUMENT'],
    ['much metadata', (g) => g.enrol({ metadata: 'x'.repeat(1 << 17) }, { embedding: face }), 'INVALID_ARGUMENT'],
    ['a wrong k', (g) => g.identify(face, { k: 0, threshold: 0.5 }), 'INVALID_ARGUMENT'],
    ['a wrong threshold', (g) => g.identify(face, { threshold: 2 }), 'INVALID_ARGUMENT'],
    ['a wrong rate', (g) => g.identify(face, { fmr: 0 }), 'INVALID_ARGUMENT'],
    ['a rate of nobody knows what', (g) => g.identify(face, { fmr: 1e-3 }), 'MODEL_NOT_FOUND'],
    ['no threshold at all', (g) => g.identify(face), 'MODEL_NOT_FOUND'],
    ['fpir of a verification', (g) => g.verify('a', face, { fpir: 0.1 }), 'INVALID_ARGUMENT'],
    ['a collection that is there', (g) => g.createCollection('default', { model: MODEL, dims: DIMS }), 'DUPLICATE_ID'],
    ['a collection of one number', (g) => g.createCollection('c', { model: MODEL, dims: 1 }), 'INVALID_ARGUMENT'],
    ['feedback on nothing', (g) => g.feedback({ person: 'a' }), 'INVALID_ARGUMENT'],
    ['feedback on nobody', (g) => g.feedback({ person: 'z', probe: face }), 'NOT_FOUND'],
    ['a backup over itself', (g) => g.backup(`${g.folder}/gallery.db`), 'INVALID_ARGUMENT'],
    ['a sample of nobody', (g) => g.template('x'), 'NOT_FOUND'],
    ['a wrong page', (g) => g.list({ limit: 5000 }), 'INVALID_ARGUMENT'],
  ])('%s', async (_, call, code) => {
    const g = await gallery();
    await g.enrol('a', { embedding: face });
    const { revision } = g;
    expect(await codeOf(call(g))).toBe(code);
    expect(g.revision).toBe(revision);
    expect(await g.check()).toMatchObject({ ok: true, samples: 1 });
  });
});

describe('many', () => {
  it('asks for the next only when there is room, and says how far it is', async () => {
    const g = await gallery();
    const faces = new Faces(4);
    let asked = 0;
    let done = 0;
    const ahead: number[] = [];
    async function* items() {
      for (let i = 0; i < 200; i++) {
        asked++;
        ahead.push(asked - done);
        yield { person: `p${i}`, samples: { embedding: faces.face() } };
      }
    }
    const summary = await g.enrolMany(items(), { batch: 16, onProgress: (progress) => (done = progress.done) });
    expect(summary).toEqual({ created: 200, samples: 200, rejected: 0, failures: [] });
    // One batch is written while the next is made ready.
    expect(Math.max(...ahead)).toBeLessThanOrEqual(33);
    expect(await g.check()).toMatchObject({ ok: true, samples: 200 });
  });

  it('stops at the first that is wrong, or sets it down and goes on', async () => {
    const g = await gallery();
    const faces = new Faces(5);
    await g.enrol('p3', { embedding: faces.face() });
    const items = () =>
      Array.from({ length: 10 }, (_, i) => ({
        person: `p${i}`,
        samples:
          i === 5 ? { embedding: { ...faces.face(), vector: new Float32Array(DIMS) } } : { embedding: faces.face() },
        options: { onExisting: 'refuse' as const },
      }));
    expect(await codeOf(g.enrolMany(items(), { batch: 2 }))).toBe('DUPLICATE_ID');
    expect((await g.list()).persons.map(({ id }) => id)).toEqual(['p0', 'p1', 'p3']);
    const summary = await g.enrolMany(items(), { batch: 4, onError: 'skip' });
    expect(summary.failures.map(({ index, error }) => [index, error.code])).toEqual([
      [0, 'DUPLICATE_ID'],
      [1, 'DUPLICATE_ID'],
      [3, 'DUPLICATE_ID'],
      [5, 'INVALID_ARGUMENT'],
    ]);
    expect(summary.samples).toBe(6);
    expect(await codeOf(g.enrolMany(items(), { batch: 0 }))).toBe('INVALID_ARGUMENT');
  });

  it('can be stopped: what was counted stays', async () => {
    const g = await gallery();
    const faces = new Faces(6);
    const stop = new AbortController();
    let done = 0;
    const items = Array.from({ length: 500 }, (_, i) => ({ person: `p${i}`, samples: { embedding: faces.face() } }));
    const call = g.enrolMany(items, {
      batch: 10,
      signal: stop.signal,
      onProgress: (progress) => {
        done = progress.done;
        if (done >= 50) stop.abort();
      },
    });
    expect(await codeOf(call)).toBe('ABORTED');
    expect(await g.check()).toMatchObject({ ok: true, samples: done });
    expect(done).toBe(50);
  });
});

describe('stopping and closing', () => {
  it('rejects what was stopped before it began', async () => {
    const g = await gallery();
    const face = new Faces(7).face();
    await g.enrol('a', { embedding: face });
    const signal = AbortSignal.abort();
    const { revision } = g;
    const elsewhere = await newFolder();
    const calls = [
      g.enrol('b', { embedding: face }, { signal }),
      g.identify(face, { threshold: 0.5, signal }),
      g.verify('a', face, { threshold: 0.5, signal }),
      g.check({ signal }),
      g.backup(`${elsewhere}/copy`, { signal }),
    ];
    for (const code of await Promise.all(calls.map(codeOf))) expect(code).toBe('ABORTED');
    expect(g.revision).toBe(revision);
  });

  it('ends what runs, loses nothing that was acknowledged, and refuses the rest', async () => {
    const folder = await newFolder();
    const g = await openGallery({ folder, threads: 2 });
    const faces = new Faces(8);
    const enrolments = Array.from({ length: 60 }, (_, i) => g.enrol(`p${i}`, { embedding: faces.face() }));
    const searches = Array.from({ length: 20 }, () => g.identify(faces.face(), { threshold: 0.5 }));
    await enrolments[5];
    const closing = g.close();
    expect(g.close()).toBe(closing);
    const settled = await Promise.allSettled([...enrolments, ...searches]);
    await closing;
    const acknowledged = settled.slice(0, 60).flatMap((one, i) => (one.status === 'fulfilled' ? [`p${i}`] : []));
    for (const one of settled) if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'CLOSED' });
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(await codeOf(g.list())).toBe('CLOSED');
    expect(await codeOf(g.enrol('x', { embedding: faces.face() }))).toBe('CLOSED');
    expect(await codeOf(g.cache.get({ image: 'ab'.repeat(32), recipe: 'r' }))).toBe('CLOSED');
    const again = await gallery({ folder });
    expect((await again.list()).persons.map(({ id }) => id)).toEqual(acknowledged.sort());
    expect(await again.check()).toMatchObject({ ok: true });
  });

  it('gives a listing page by page, and an export stops with the gallery', async () => {
    const g = await gallery();
    const faces = new Faces(9);
    await g.enrolMany(
      Array.from({ length: 25 }, (_, i) => ({
        person: `p${String(i).padStart(2, '0')}`,
        samples: { embedding: faces.face() },
      })),
    );
    const ids: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await g.list({ limit: 10, ...(after === undefined ? {} : { after }) });
      ids.push(...page.persons.map(({ id }) => id));
      after = page.next;
      if (after === undefined) break;
    }
    expect(ids).toEqual(Array.from({ length: 25 }, (_, i) => `p${String(i).padStart(2, '0')}`));
    const lines = g.export();
    await lines.next();
    await g.close();
    expect(await codeOf(lines.next())).toBe('CLOSED');
  });
});
