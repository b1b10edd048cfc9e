import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../../lib/index.js';
import { encodeGlb } from '../../../lib/reconstruction/index.js';
import { measured } from '../../../lib/service/routes/faces.js';
import { faceJson } from '../../../lib/service/schemas/face-json.js';
import { MEASURES } from '../../../lib/service/schemas/faces.js';
import { SAMPLE_FACES } from '../../support/samples.js';
import { startService, type TestService } from '../../support/service.js';
import { asForm, asJson, inAllForms, photo, postJson } from './pictures.js';

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

interface Faces {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly Record<string, unknown>[];
}
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('faces of a picture', () => {
  const everything = MEASURES.filter((name) => name !== 'embedding');
  it.each([
    ['detect', {}, {}],
    ['detect', { landmarks: true, max_faces: 1 }, { landmarks: true, maxFaces: 1 }],
    ['landmarks', { min_face_size: 20 }, { ...measured(['landmarks', 'pose']), minFaceSize: 20 }],
    ['quality', {}, measured(['quality'])],
    ['analyze', {}, measured(everything)],
    ['analyze', { include: ['age', 'embedding'] }, measured(['age', 'embedding'])],
  ] as const)(
    '%s with %o is the answer of the library, in whatever form the picture comes',
    async (path, options, own) => {
      const bytes = photo(2);
      const found = await engine.analyze(bytes, own);
      const expected = plain(found.map(faceJson));
      expect(found.length).toBeGreaterThan(0);
      for (const answer of await inAllForms<Faces>(service, `/api/v1/${path}`, bytes, options)) {
        expect(answer.status, JSON.stringify(answer.body)).toBe(200);
        const { width, height } = await engine.decode(bytes);
        expect(answer.body).toMatchObject({ width, height });
        expect(answer.body.faces).toEqual(expected);
      }
    },
  );

  it('finds every face of the samples, and none where there is none', async () => {
    const answer = await asForm<Faces>(service, '/api/v1/detect', { image: photo(1) });
    expect(answer.body.faces).toHaveLength((await engine.detect(photo(1))).length);
    expect(answer.body.faces.length).toBeLessThanOrEqual(SAMPLE_FACES[1] ?? 0);
    const grey = await engine.decode(photo(1)).then(() => greyPicture());
    expect((await asForm<Faces>(service, '/api/v1/detect', { image: grey })).body.faces).toEqual([]);
  });

  it('answers each picture of a batch by itself', async () => {
    const good = photo(3);
    const answer = await asForm<{ results: (Faces & { error?: { code: string; status: number } })[] }>(
      service,
      '/api/v1/detect/batch',
      { images: [good, Buffer.from('no picture'), good.subarray(0, 2000), good] },
    );
    expect(answer.status).toBe(200);
    const { results } = answer.body;
    expect(answer.body).toMatchObject({ succeeded: 2, failed: 2 });
    expect(results.map(({ error }) => error?.code)).toEqual([
      undefined,
      'IMAGE_UNSUPPORTED',
      'IMAGE_CORRUPT',
      undefined,
    ]);
    expect(results[0]?.faces).toEqual(plain((await engine.detect(good)).map(faceJson)));
    expect(results[3]?.faces).toEqual(results[0]?.faces);
    const json = await asJson(service, '/api/v1/analyze/batch', { images: [good] }, { include: ['pose'] });
    expect(json.body).toMatchObject({ succeeded: 1, failed: 0 });
  });

  it('gives the surface of the most prominent face as GLB', async () => {
    const bytes = photo(2);
    const face = await engine.reconstruct(bytes, { levels: 2, triangles: 2000 });
    if (face === undefined) throw new Error('no face');
    const { levels, depth } = face.reconstruction;
    const expected = Buffer.from(await encodeGlb(levels, { scale: depth.scale }));
    const response = await service.fetch('/api/v1/mesh?levels=2&triangles=2000', {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg' },
      body: Uint8Array.from(bytes),
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('model/gltf-binary');
    expect(Buffer.from(await response.arrayBuffer()).equals(expected)).toBe(true);
    const none = await asForm<{ code: string }>(service, '/api/v1/mesh', { image: await greyPicture() });
    expect(none).toMatchObject({ status: 422, body: { code: 'NO_FACE' } });
  });

  it('refuses options that it does not know, or that are out of range', async () => {
    const image = photo(2).toString('base64');
    for (const wrong of [
      { max_faces: 0 },
      { max_faces: '3' },
      { min_face_size: -1 },
      { landmarks: 'yes' },
      { path: '/etc/passwd' },
      { landmarks: null },
    ]) {
      const answer = await postJson<{ code: string }>(service, '/api/v1/detect', { image, ...wrong });
      expect(answer, JSON.stringify(wrong)).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
    }
    const query = await asForm<{ code: string }>(service, '/api/v1/detect?max_faces=none', { image: photo(2) });
    expect(query).toMatchObject({ status: 400, body: { code: 'INVALID_ARGUMENT' } });
  });
});

async function greyPicture(): Promise<Buffer> {
  const { default: sharp } = await import('sharp');
  return sharp({ create: { width: 320, height: 240, channels: 3, background: '#808080' } })
    .jpeg()
    .toBuffer();
}
