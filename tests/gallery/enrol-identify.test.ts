import { describe, expect, it } from 'vitest';
import type { Calibration } from '../../lib/models/index.js';
import { bytesOf, codeOf, DIMS, Faces, gallery, MODEL } from './support.js';

const calibration: Calibration = {
  model: MODEL,
  metric: 'cosine',
  impostors: 1_000_000,
  defaultFmr: 1e-3,
  points: [
    { similarity: 0.1, fmr: 0.2 },
    { similarity: 0.4, fmr: 1e-3 },
    { similarity: 0.6, fmr: 1e-5 },
  ],
};

describe('enrolling', () => {
  it('acknowledges what is searchable at once', async () => {
    const faces = new Faces(1);
    const g = await gallery();
    for (let i = 0; i < 20; i++) {
      const face = faces.face();
      const done = await g.enrol(`p${i}`, { embedding: face });
      expect(done).toMatchObject({ person: `p${i}`, created: true, rejected: [], conflicts: [] });
      const { match } = await g.identify(faces.like(face), { threshold: 0.5 });
      expect(match).toMatchObject({ person: `p${i}`, sample: done.samples[0], collection: 'default' });
    }
    expect(await g.stats()).toMatchObject({ persons: 20, samples: 20, collections: 1, sealed: false });
  });

  it('keeps what it is given of person and sample', async () => {
    const faces = new Faces(2);
    const g = await gallery();
    const face = faces.face();
    const thumbnail = Uint8Array.of(1, 2, 3);
    const expiresAt = Date.now() + 1e9;
    const { samples } = await g.enrol(
      { id: 'ada', name: 'Ada Lovelace', metadata: { team: ['engines', 1] } },
      { embedding: face, quality: 71.5, source: 'ada.jpg', thumbnail, consent: 'form 12' },
      { expiresAt, collection: 'staff' },
    );
    const person = await g.get('ada');
    expect(person).toMatchObject({ id: 'ada', name: 'Ada Lovelace', metadata: { team: ['engines', 1] } });
    expect(person?.samples).toMatchObject([
      {
        id: samples[0],
        collection: 'staff',
        quality: 71.5,
        expiresAt,
        expired: false,
        consent: 'form 12',
        thumbnail: true,
      },
    ]);
    expect(person?.samples[0]?.source).toBe('ada.jpg');
    const template = await g.template(samples[0]!);
    expect(template).toMatchObject({ model: MODEL, dims: DIMS, quality: 71.5, consent: 'form 12', expiresAt });
    expect(bytesOf(template.vector)).toEqual(bytesOf(face.vector));
    expect(await g.thumbnail(samples[0]!)).toEqual(thumbnail);
    expect(await g.get('nobody')).toBeUndefined();
  });

  it('adds samples to persons who are there, or refuses', async () => {
    const faces = new Faces(3);
    const g = await gallery();
    const face = faces.face();
    await g.enrol({ id: 'a', name: 'first' }, { embedding: face });
    const again = await g.enrol({ id: 'a', name: 'second' }, [
      { embedding: faces.like(face) },
      { embedding: faces.like(face) },
    ]);
    expect(again.created).toBe(false);
    expect(await g.get('a')).toMatchObject({ name: 'first', samples: { length: 3 } });
    expect(await codeOf(g.enrol('a', { embedding: face }, { onExisting: 'refuse' }))).toBe('DUPLICATE_ID');
    expect((await g.get('a'))?.samples).toHaveLength(3);
  });

  it('makes one person of many calls that enrol the same one at the same time', async () => {
    const faces = new Faces(4);
    const g = await gallery();
    const face = faces.face();
    const all = await Promise.all(Array.from({ length: 12 }, () => g.enrol('same', { embedding: faces.like(face) })));
    expect(all.filter(({ created }) => created)).toHaveLength(1);
    expect((await g.get('same'))?.samples).toHaveLength(12);
    expect(await g.check()).toMatchObject({ ok: true, samples: 12 });
  });

  it('leaves out samples below the quality floor', async () => {
    const faces = new Faces(5);
    const g = await gallery();
    const done = await g.enrol(
      'a',
      [{ embedding: faces.face(), quality: 20 }, { embedding: faces.face(), quality: 60 }, { embedding: faces.face() }],
      { minQuality: 50 },
    );
    expect(done.samples).toHaveLength(2);
    expect(done.rejected).toEqual([{ index: 0, reason: 'quality', quality: 20 }]);
    const poor = g.enrol('b', { embedding: faces.face(), quality: 20 }, { minQuality: 50 });
    expect(await codeOf(poor)).toBe('TEMPLATE_REJECTED');
    expect(await g.get('b')).toBeUndefined();
  });

  it('reports or refuses a face that is somebody else', async () => {
    const faces = new Faces(6);
    const g = await gallery({ calibration });
    const face = faces.face();
    await g.enrol('a', { embedding: face });
    const refused = g.enrol('b', [{ embedding: faces.face() }, { embedding: faces.like(face) }], {
      onConflict: 'refuse',
    });
    await expect(refused).rejects.toMatchObject({ code: 'DUPLICATE_ID', message: expect.stringContaining("'a'") });
    expect(await g.get('b')).toBeUndefined();
    const told = await g.enrol('b', [{ embedding: faces.face() }, { embedding: faces.like(face) }], {
      onConflict: 'report',
    });
    expect(told.conflicts).toMatchObject([{ index: 1, person: 'a', fmr: expect.closeTo(1e-5, 8) }]);
    // One's own samples are no conflict.
    expect(
      (await g.enrol('a', { embedding: faces.like(face, 0.95) }, { onConflict: 'report' })).conflicts,
    ).toMatchObject([{ person: 'b' }]);
    const pair = faces.face();
    const both = await Promise.allSettled(
      ['c', 'd'].map((id) => g.enrol(id, { embedding: faces.like(pair) }, { onConflict: 'refuse' })),
    );
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('identifying', () => {
  it('finds what an exhaustive comparison finds', async () => {
    const faces = new Faces(10);
    const g = await gallery();
    const persons = Array.from({ length: 60 }, () => Array.from({ length: 3 }, () => faces.face()));
    await g.enrolMany(persons.map((own, i) => ({ person: `p${i}`, samples: own.map((embedding) => ({ embedding })) })));
    for (let q = 0; q < 20; q++) {
      const probe = faces.like(persons[q]![1]!, 0.5);
      const dot = (v: Float32Array): number => v.reduce((sum, x, i) => sum + x * probe.vector[i]!, 0);
      const expected = persons
        .map((own, i) => ({ person: `p${i}`, similarity: Math.max(...own.map(({ vector }) => dot(vector))) }))
        .sort((a, b) => b.similarity - a.similarity)
        .slice(0, 7);
      const { candidates, searched } = await g.identify(probe, { k: 7, threshold: 0.3 });
      expect(candidates.map(({ person }) => person)).toEqual(expected.map(({ person }) => person));
      for (const [i, { similarity }] of expected.entries())
        expect(candidates[i]?.similarity).toBeCloseTo(similarity, 5);
      expect(searched).toBe(180);
    }
  });

  it('fills its list although one person has most of the nearest samples', async () => {
    const faces = new Faces(11);
    const g = await gallery();
    const face = faces.face();
    await g.enrol(
      'crowd',
      Array.from({ length: 300 }, () => ({ embedding: faces.like(face, 0.95) })),
    );
    for (let i = 0; i < 5; i++) await g.enrol(`p${i}`, { embedding: faces.face() });
    const { candidates } = await g.identify(face, { k: 4, threshold: 0.5 });
    expect(candidates).toHaveLength(4);
    expect(candidates[0]).toMatchObject({ person: 'crowd', match: true });
    expect(candidates.slice(1).every(({ match }) => !match)).toBe(true);
  });

  it('fuses the samples of a person as asked', async () => {
    const faces = new Faces(12);
    const g = await gallery();
    const face = faces.face();
    const own = [0.95, 0.6, 0.5].map((cosine) => faces.like(face, cosine));
    const quality = [90, 10, undefined];
    await g.enrol(
      'a',
      own.map((embedding, i) => ({ embedding, ...(quality[i] === undefined ? {} : { quality: quality[i] }) })),
    );
    const s = own.map(({ vector }) => vector.reduce((sum, x, i) => sum + x * face.vector[i]!, 0));
    const ask = async (fuse: 'best' | 'mean' | 'quality'): Promise<number> =>
      (await g.identify(face, { fuse, threshold: 0.5 })).candidates[0]!.similarity;
    expect(await ask('best')).toBeCloseTo(s[0]!, 5);
    expect(await ask('mean')).toBeCloseTo((s[0]! + s[1]! + s[2]!) / 3, 5);
    expect(await ask('quality')).toBeCloseTo((90 * s[0]! + 10 * s[1]! + 50 * s[2]!) / 150, 5);
    expect((await g.verify('a', face, { fuse: 'mean', threshold: 0.5 })).similarity).toBeCloseTo(await ask('mean'), 6);
  });

  it('states the rates that a similarity implies in a gallery of its size', async () => {
    const faces = new Faces(13);
    const g = await gallery({ calibration });
    const face = faces.face();
    await g.enrol('a', { embedding: face });
    for (let i = 0; i < 99; i++) await g.enrol(`p${i}`, { embedding: faces.face() });
    const by = await g.identify(faces.like(face, 0.5));
    expect(by).toMatchObject({ threshold: expect.closeTo(0.4, 6), fmr: 1e-3, searched: 100 });
    const [best] = by.candidates;
    expect(best!.fpir).toBeCloseTo(1 - (1 - best!.fmr!) ** 100, 9);
    const strict = await g.identify(face, { fpir: 0.01 });
    expect(1 - (1 - strict.fmr!) ** 100).toBeCloseTo(0.01, 9);
    expect(strict.match).toMatchObject({ person: 'a', ratesAtMost: true, fmr: 1e-5 });
    expect(await codeOf(g.identify(face, { fmr: 1e-9 }))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(g.identify(face, { fmr: 1e-3, threshold: 0.2 }))).toBe('INVALID_ARGUMENT');
  });

  it('searches the collections that are named, and never two models together', async () => {
    const faces = new Faces(14);
    const other = new Faces(15, 32, 'other-net');
    const g = await gallery();
    const face = faces.face();
    await g.enrol('a', { embedding: face }, { collection: 'staff' });
    await g.enrol('b', { embedding: faces.like(face) }, { collection: 'guests' });
    await g.enrol('c', { embedding: other.face() }, { collection: 'old' });
    const who = async (collection?: string | string[]): Promise<string[]> =>
      (await g.identify(face, { threshold: 0.5, ...(collection === undefined ? {} : { collection }) })).candidates
        .map(({ person }) => person)
        .sort();
    expect(await who()).toEqual(['a', 'b']);
    expect(await who('guests')).toEqual(['b']);
    expect(await who(['guests', 'staff'])).toEqual(['a', 'b']);
    expect(await codeOf(g.identify(face, { threshold: 0.5, collection: 'old' }))).toBe('EMBEDDING_MISMATCH');
    expect(await codeOf(g.identify(face, { threshold: 0.5, collection: 'none' }))).toBe('NOT_FOUND');
    expect(await codeOf(g.enrol('d', { embedding: other.face() }, { collection: 'staff' }))).toBe('EMBEDDING_MISMATCH');
    const longer = { ...faces.face(), dims: 65, vector: new Float32Array(65).fill(1) };
    expect(await codeOf(g.enrol('d', { embedding: longer }, { collection: 'staff' }))).toBe('EMBEDDING_MISMATCH');
    expect(await codeOf(g.identifyMany([face, other.face()], { threshold: 0.5 }))).toBe('EMBEDDING_MISMATCH');
    expect((await g.identify(face, { threshold: 0.5, except: ['a'] })).match?.person).toBe('b');
    const info = await g.collections();
    expect(info.map(({ name, model, dims, samples }) => [name, model, dims, samples])).toEqual([
      ['guests', MODEL, DIMS, 1],
      ['old', 'other-net', 32, 1],
      ['staff', MODEL, DIMS, 1],
    ]);
  });

  it('keeps networks of one name and other weights apart', async () => {
    const faces = new Faces(16);
    const g = await gallery();
    const hash = (digit: string): string => digit.repeat(64);
    await g.createCollection('one', { model: MODEL, dims: DIMS, modelHash: hash('1') });
    await g.createCollection('two', { model: MODEL, dims: DIMS, modelHash: hash('2') });
    const template = {
      model: MODEL,
      dims: DIMS,
      vector: faces.face().vector,
      samples: 1,
      createdAt: Date.now(),
      modelHash: hash('2'),
    };
    expect(await codeOf(g.enrol('a', { template }, { collection: 'one' }))).toBe('EMBEDDING_MISMATCH');
    await g.enrol('a', { template }, { collection: 'two' });
    expect(await codeOf(g.identify(faces.face(), { threshold: 0.5 }))).toBe('EMBEDDING_MISMATCH');
    expect((await g.identify(faces.face(), { threshold: 0.5, collection: 'two' })).searched).toBe(1);
  });

  it('answers with nobody where there is nobody', async () => {
    const g = await gallery({ calibration });
    const answer = await g.identify(new Faces(17).face());
    expect(answer).toMatchObject({ candidates: [], setAside: [], searched: 0 });
    expect(answer.match).toBeUndefined();
    expect(await g.identifyMany([])).toEqual([]);
  });
});

describe('verifying', () => {
  it('decides for one person', async () => {
    const faces = new Faces(20);
    const g = await gallery({ calibration });
    const face = faces.face();
    await g.enrol('a', [{ embedding: face }, { embedding: faces.like(face) }]);
    await g.enrol('b', { embedding: faces.face() });
    expect(await g.verify('a', faces.like(face))).toMatchObject({ match: true, samples: 2, fmr: 1e-3 });
    expect(await g.verify('b', faces.like(face))).toMatchObject({ match: false, samples: 1 });
    expect(await codeOf(g.verify('c', face))).toBe('NOT_FOUND');
    expect(await codeOf(g.verify('a', new Faces(21, 32, 'other-net').face()))).toBe('EMBEDDING_MISMATCH');
  });
});
