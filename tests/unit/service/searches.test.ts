// Searches of what is enrolled: each in its turn, and no answer without bound.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Running, runService } from './auth-running.js';
import { asForm, photo, postJson } from './pictures.js';

let running: Running;
let probe: readonly number[];
beforeAll(async () => {
  running = await runService();
  const image = photo(1).toString('base64');
  expect((await postJson(running, '/api/v1/enrol', { person: 'ada', image })).status).toBe(201);
  const made = await postJson<{ faces: { embedding: number[] }[] }>(
    running,
    '/api/v1/face-recognition/extract-embedding',
    { image },
  );
  probe = made.body.faces[0]?.embedding ?? [];
});
afterAll(() => running?.close());

/** Turns that a request took. */
async function turnsOf(ask: () => Promise<{ readonly status: number }>): Promise<number> {
  const { scheduler } = running.parts;
  const before = scheduler.stats().done;
  expect((await ask()).status).toBe(200);
  return scheduler.stats().done - before;
}

describe('a search', () => {
  it('has a turn of its own, also for a picture', async () => {
    const matchFace = '/api/v1/face-recognition/match-face';
    for (const [path, field] of [
      [matchFace, 'embedding'],
      ['/api/v1/identify', 'embeddings'],
    ] as const) {
      const given = { [field]: field === 'embedding' ? probe : [probe] };
      expect(await turnsOf(() => postJson(running, path, given)), path).toBe(1);
      // The picture's network, and the search.
      const picture = photo(path === matchFace ? 2 : 3);
      const ask = () => asForm(running, path, { image: picture });
      expect(await turnsOf(ask), path).toBe(2);
    }
    // What is in the cache needs no network.
    const known = photo(2);
    expect(await turnsOf(() => asForm(running, matchFace, { image: known }))).toBe(1);
    const candidates = [{ id: 'a', embedding: probe }];
    expect(await turnsOf(() => postJson(running, matchFace, { embedding: probe, candidates }))).toBe(1);
  });

  it('gives no more candidates than an answer can hold', async () => {
    const embeddings = Array.from({ length: 101 }, () => probe);
    const most = await postJson(running, '/api/v1/identify', { embeddings: embeddings.slice(1), k: 1000 });
    expect(most.status).toBe(200);
    const more = await postJson(running, '/api/v1/identify', { embeddings, k: 1000 });
    expect(more).toMatchObject({
      status: 413,
      body: { code: 'PAYLOAD_TOO_LARGE', fix: expect.stringContaining("'k'") },
    });
  });
});

describe('a comparison', () => {
  it('has ended with both of its pictures when it is answered', async () => {
    const bad = Buffer.concat([photo(4).subarray(0, 2000)]);
    const answer = await asForm(running, '/api/v1/face-recognition/compare-faces', { image1: bad, image2: photo(5) });
    expect(answer.status).toBe(422);
    expect(running.parts.scheduler.stats()).toMatchObject({ running: 0, waiting: 0 });
  });
});
