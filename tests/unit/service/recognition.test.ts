import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../lib/index.js';
import { createKeyringFile } from '../../../lib/templates/index.js';
import { startService, type TestService } from '../../support/service.js';
import { asBody, asForm, asJson, inAllForms, photo, postJson } from './pictures.js';

let service: TestService;
let engine: Engine;

beforeAll(async () => {
  service = await startService();
  engine = await openEngine({ preset: 'fast' });
});
afterAll(async () => {
  await service.close();
  await engine.close();
});

interface Verdict {
  readonly similarity_score: number;
  readonly is_match: boolean;
  readonly threshold_used: number;
  readonly status: string;
  readonly fmr?: number;
}
interface Problem {
  readonly code: string;
}
interface Extraction {
  readonly model: string;
  readonly dims: number;
  readonly cached: boolean;
  readonly faces: readonly { readonly box: readonly number[]; readonly embedding: readonly number[] }[];
}

const extract = async (i: number): Promise<readonly number[]> => {
  const { body } = await asForm<Extraction>(service, '/api/v1/face-recognition/extract-embedding', { image: photo(i) });
  return body.faces[0]?.embedding ?? [];
};

describe('verify', () => {
  it.each([{}, { fmr: 0.01 }, { threshold: 0.2 }])('with %o is the decision of the library', async (options) => {
    const pictures = { image1: photo(1), image2: photo(2) };
    const own = await engine.verify(pictures.image1, pictures.image2, options);
    for (const answer of [
      await asForm<Verdict>(service, '/api/v1/verify', pictures, options),
      await asJson<Verdict>(service, '/api/v1/verify', pictures, options),
    ]) {
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      expect(answer.body.similarity_score).toBeCloseTo(own.similarity, 5);
      expect(answer.body).toMatchObject({
        threshold_used: own.threshold,
        is_match: own.match,
        status: own.match ? 'match' : 'no_match',
      });
      if (own.fmr !== undefined) expect(answer.body.fmr).toBeCloseTo(own.fmr, 5);
    }
    const same = await asForm<Verdict>(service, '/api/v1/verify', { image1: photo(1), image2: photo(1) }, options);
    expect(same.body).toMatchObject({ is_match: true, status: 'match' });
    expect(same.body.similarity_score).toBeCloseTo(1, 5);
  });

  it('decides pairs of a batch each by itself', async () => {
    const images = [photo(1), photo(1), photo(1), Buffer.from('nothing')];
    const answer = await asForm<{ results: (Partial<Verdict> & { error?: Problem })[] }>(
      service,
      '/api/v1/verify/batch',
      { images },
    );
    expect(answer.body).toMatchObject({ succeeded: 1, failed: 1 });
    expect(answer.body.results[0]).toMatchObject({ index: 0, is_match: true });
    expect(answer.body.results[1]?.error?.code).toBe('IMAGE_UNSUPPORTED');
    const odd = await asForm<Problem>(service, '/api/v1/verify/batch', { images: images.slice(0, 3) });
    expect(odd).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
  });

  it('says what is missing, and what excludes each other', async () => {
    const one = await asForm<Problem>(service, '/api/v1/verify', { image1: photo(1) });
    expect(one).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
    const body = await asBody<Problem>(service, '/api/v1/verify', photo(1));
    expect(body).toMatchObject({ status: 415, body: { code: 'MEDIA_UNSUPPORTED' } });
    const pictures = { image1: photo(1), image2: photo(1) };
    const both = await asForm<Problem>(service, '/api/v1/verify', pictures, { fmr: 0.01, threshold: 0.5 });
    expect(both).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
    const rare = await asForm<Problem>(service, '/api/v1/verify', pictures, { fmr: 1e-12 });
    expect(rare).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
  });
});

describe('embeddings', () => {
  it('are those of the library, and come from the cache the second time', async () => {
    const bytes = photo(5);
    const own = await engine.embed(bytes);
    const answers = await inAllForms<Extraction>(service, '/api/v1/face-recognition/extract-embedding', bytes);
    for (const [i, { status, body }] of answers.entries()) {
      expect(status, JSON.stringify(body)).toBe(200);
      expect(body).toMatchObject({ model: own?.model, dims: own?.dims, cached: i > 0 });
      expect(Float32Array.from(body.faces[0]?.embedding ?? [])).toEqual(own?.vector);
    }
    const all = await asForm<Extraction>(
      service,
      '/api/v1/face-recognition/extract-embedding',
      { image: bytes },
      { all: true },
    );
    expect(all.body).toMatchObject({ cached: false });
    expect(all.body.faces).toHaveLength((await engine.embed(bytes, { all: true })).length);
  });

  it('are compared with pictures and with each other', async () => {
    const [a, b] = [await extract(1), await extract(2)];
    const [own, other] = [await engine.embed(photo(1)), await engine.embed(photo(2))];
    const expected = own && other ? engine.compare(own, other) : 0;
    const similarity = async (body: object): Promise<number> => {
      const answer = await postJson<Verdict>(service, '/api/v1/similarity', body);
      expect(answer.status, JSON.stringify(answer.body)).toBe(200);
      return answer.body.similarity_score;
    };
    const [image1, image2] = [photo(1).toString('base64'), photo(2).toString('base64')];
    expect(await similarity({ embedding1: a, embedding2: b })).toBeCloseTo(expected, 5);
    expect(await similarity({ image1, embedding2: b })).toBeCloseTo(expected, 5);
    expect(await similarity({ image1, image2 })).toBeCloseTo(expected, 5);
    expect(await similarity({ embedding1: a.map((x) => x * 7), embedding2: a })).toBeCloseTo(1, 5);
  });

  it('that cannot be compared are refused', async () => {
    const good = await extract(1);
    const tell = async (embedding1: unknown, model?: string) => {
      const answer = await postJson<Problem>(service, '/api/v1/similarity', { embedding1, embedding2: good, model });
      return [answer.status, answer.body.code];
    };
    expect(await tell(good.slice(1))).toEqual([409, 'EMBEDDING_MISMATCH']);
    expect(await tell(good, 'another')).toEqual([409, 'EMBEDDING_MISMATCH']);
    expect(await tell(good.map(() => 0))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await tell(good.map((x) => x * 1e300))).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await tell([...good.slice(1), null])).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await tell([...good.slice(1), '1'])).toEqual([400, 'INVALID_ARGUMENT']);
    expect(await tell([])).toEqual([400, 'INVALID_ARGUMENT']);
    // What JSON cannot say, and what its numbers can only say by overflowing.
    for (const word of ['NaN', 'Infinity', '1e999', '-1e999']) {
      const text = `{"embedding1":[${word},${good.slice(1).join(',')}],"embedding2":[${good.join(',')}]}`;
      const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: text };
      const response = await service.fetch('/api/v1/similarity', init);
      expect([response.status, ((await response.json()) as Problem).code], word).toEqual([400, 'INVALID_ARGUMENT']);
    }
    const both = { embedding1: good, image1: photo(1).toString('base64'), embedding2: good };
    expect(await postJson(service, '/api/v1/similarity', both)).toMatchObject({ status: 400 });
  });
});

describe('compare-faces and match-face', () => {
  it('finds a face among those of a group', async () => {
    const answer = await asForm<{
      faces: { similarity_score: number; is_match: boolean }[];
      is_match: boolean;
      similarity_score: number;
    }>(service, '/api/v1/face-recognition/compare-faces', { image1: photo(4), image2: photo(4) });
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
    const { faces } = answer.body;
    expect(faces).toHaveLength((await engine.embed(photo(4), { all: true })).length);
    expect(faces[0]?.similarity_score).toBeCloseTo(1, 5);
    expect(faces.map((face) => face.similarity_score)).toEqual(
      faces.map((face) => face.similarity_score).sort((a, b) => b - a),
    );
    expect(answer.body).toMatchObject({ is_match: true, similarity_score: faces[0]?.similarity_score });
  });

  it('ranks candidates that the request brings', async () => {
    const candidates = [
      { id: 'two', embedding: await extract(2) },
      { id: 'one', embedding: await extract(1) },
    ];
    const image = photo(1).toString('base64');
    const answer = await postJson(service, '/api/v1/face-recognition/match-face', { image, candidates });
    expect(answer).toMatchObject({ status: 200, body: { is_match: true, status: 'match' } });
    const { matches } = answer.body as { matches: { id: string; is_match: boolean }[] };
    expect(matches.map(({ id }) => id)).toEqual(['one', 'two']);
    expect(matches[0]?.is_match).toBe(true);
    const probe = await postJson(service, '/api/v1/face-recognition/match-face', {
      embedding: candidates[0]?.embedding,
      candidates,
      limit: 1,
    });
    expect(probe.body).toMatchObject({ matches: [{ id: 'two' }] });
  });

  it('looks at who is enrolled where the request brings nobody', async () => {
    const empty = await asForm(service, '/api/v1/face-recognition/match-face', { image: photo(1) });
    expect(empty).toMatchObject({ status: 200, body: { is_match: false, status: 'no_match', matches: [] } });
    await asForm(service, '/api/v1/enrol', { image: photo(1) }, { person: 'one', name: 'First' });
    const found = await asBody(service, '/api/v1/face-recognition/match-face', photo(1), { limit: 3 });
    expect(found).toMatchObject({
      status: 200,
      body: { is_match: true, matches: [{ id: 'one', name: 'First', is_match: true }] },
    });
  });

  it('counts what is there', async () => {
    const { status, body } = await service.call('GET', '/api/v1/face-recognition/statistics');
    const { model, dims } = await engine.recogniser();
    expect(status).toBe(200);
    expect(body).toMatchObject({ model, dims, preset: 'fast', persons: 1, samples: 1, sealed: false });
    expect((body as { cached_embeddings: number }).cached_embeddings).toBeGreaterThan(0);
  });
});

describe('without the cache', () => {
  it('computes everything every time and keeps nothing', async () => {
    await using plain = await startService({ cache: { embeddings: 0 } });
    for (let i = 0; i < 2; i++) {
      const answer = await asForm(plain, '/api/v1/face-recognition/extract-embedding', { image: photo(2) });
      expect(answer.body).toMatchObject({ cached: false });
    }
    const { body } = await plain.call('GET', '/api/v1/face-recognition/statistics');
    expect(body).toMatchObject({ cached_embeddings: 0 });
  });
});

describe('with keys', () => {
  it('seals what the cache holds, as it seals templates', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'lineament-sealed-'));
    try {
      const keys = join(folder, 'keys.json');
      await createKeyringFile(keys);
      await using sealed = await startService({ data: { keys } });
      const path = '/api/v1/face-recognition/extract-embedding';
      const first = await asForm<Extraction>(sealed, path, { image: photo(3) });
      expect(first.body.cached).toBe(false);
      const second = await asForm<Extraction>(sealed, path, { image: photo(3) });
      expect(second.body).toEqual({ ...first.body, cached: true });
      const vector = Float32Array.from(first.body.faces[0]?.embedding ?? []);
      const bytes = Buffer.from(vector.buffer, 0, 64);
      for (const name of await readdir(join(sealed.folder, 'gallery'))) {
        const file = await readFile(join(sealed.folder, 'gallery', name));
        expect(file.includes(bytes), name).toBe(false);
      }
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    const file = async (folder: string): Promise<Buffer> =>
      Buffer.concat(
        await Promise.all(
          (await readdir(folder)).map((name) => readFile(join(folder, name)).catch(() => Buffer.alloc(0))),
        ),
      );
    // The same search finds it where nothing is sealed.
    const vector = Float32Array.from(await extract(3));
    expect((await file(join(service.folder, 'gallery'))).includes(Buffer.from(vector.buffer, 0, 64))).toBe(true);
  });
});
