import { describe, expect, it } from 'vitest';
import { startService } from '../../support/service.js';
import { asBody, photo } from './pictures.js';

interface Extraction {
  readonly faces: readonly { readonly embedding: readonly number[] }[];
}

const PHOTOS = [1, 2, 3, 4, 5, 6];
const PATH = '/api/v1/face-recognition/extract-embedding';

/** Value of a line of the metrics. */
const metricOf = (text: string, line: string): number | undefined => {
  const found = text.split('\n').find((one) => one.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.split(' ').at(-1));
};

describe('a service that joins requests', () => {
  it('answers as one that does not, and counts the faces of each batch', async () => {
    const limits = { concurrency: 6 };
    const cache = { embeddings: 0 };
    await using one = await startService({ limits, cache });
    await using joined = await startService({
      engine: { preset: 'fast', batching: { items: 4, waitMs: 1000 } },
      limits,
      cache,
    });
    const given = await Promise.all(PHOTOS.map((i) => asBody<Extraction>(joined, PATH, photo(i))));
    for (const [at, { status, body }] of given.entries()) {
      expect(status).toBe(200);
      const expected = await asBody<Extraction>(one, PATH, photo(PHOTOS[at]!));
      expect(body.faces).toHaveLength(expected.body.faces.length);
      for (const [k, face] of body.faces.entries()) {
        const known = expected.body.faces[k]!.embedding;
        expect(face.embedding.every((value, n) => Math.abs(value - known[n]!) < 1e-5)).toBe(true);
      }
    }
    const faces = given.reduce((sum, { body }) => sum + body.faces.length, 0);
    const text = await (await joined.fetch('/metrics')).text();
    const label = '{network="faceapi_recognition"}';
    expect(metricOf(text, `lineament_batch_items_sum${label}`)).toBe(faces);
    expect(metricOf(text, `lineament_batch_items_count${label}`)).toBeLessThan(faces);
    expect(metricOf(await (await one.fetch('/metrics')).text(), `lineament_batch_items_sum${label}`)).toBeUndefined();
  });
});
