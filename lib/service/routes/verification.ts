/** Two faces: how alike they are, and whether they are of one person. Nothing is kept. */
import { LineamentError } from '../../errors.js';
import { decide, decisionJson, decisionOf } from '../faces/decision.js';
import { embedProminent } from '../faces/embeddings.js';
import { allCached, both, foundFaces, sideOf } from '../faces/sides.js';
import { atBench, type Bench, eachItem } from '../faces/work.js';
import {
  checkPicture,
  LIST,
  type Picture,
  pictureRoute,
  readPictures,
  requestOptions,
  uploadsOf,
} from '../images/index.js';
import { batchOf } from '../schemas/common.js';
import { round } from '../schemas/face-json.js';
import { GivenEmbeddings, SimilarityAnswer, Verification, VerifyOptions } from '../schemas/recognition.js';
import type { App, RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import type { Static } from '../vendor.js';

const PAIR = ['image1', 'image2'];

function addVerify(app: App, parts: ServiceParts): void {
  const route = pictureRoute(parts, { pictures: PAIR, options: VerifyOptions });
  app.post(
    '/api/v1/verify',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'verify' },
      schema: {
        ...route.schema,
        operationId: 'verify',
        summary: 'Are these the same person?',
        description:
          'Compares the most prominent face of each picture, at a threshold or at a false match rate; at the default rate of the calibration without either.',
        tags: ['faces'],
        response: { 200: Verification },
      },
    },
    async (request) => {
      const decision = decisionOf(requestOptions(request, PAIR));
      const [first, second] = (await readPictures(request, parts, PAIR)) as readonly [Picture, Picture];
      return atBench(parts, request, (bench) => verifyPair(bench, first, second, decision));
    },
  );
  const several = pictureRoute(parts, { pictures: [LIST], options: VerifyOptions });
  app.post(
    '/api/v1/verify/batch',
    {
      preValidation: several.preValidation,
      config: { scope: 'read', kind: 'verify_batch' },
      schema: {
        ...several.schema,
        operationId: 'verify_batch',
        summary: 'Are these the same persons? Many pairs',
        description:
          'Pictures follow one another in pairs: the first with the second, the third with the fourth, and so on.',
        tags: ['faces'],
        response: { 200: batchOf('VerifyBatch', Verification, 'the pair') },
      },
    },
    async (request) => {
      const { limits } = parts.config;
      const decision = decisionOf(requestOptions(request, [LIST]));
      const uploads = uploadsOf(request, [LIST], limits);
      if (uploads.length === 0 || uploads.length % 2 !== 0) {
        throw new LineamentError('INVALID_ARGUMENT', `${uploads.length} pictures are no pairs`);
      }
      const pairs = Array.from({ length: uploads.length / 2 }, (_, i) => uploads.slice(2 * i, 2 * i + 2));
      return atBench(
        parts,
        request,
        (bench) =>
          eachItem(pairs, bench.signal, request.id, (pair) => {
            const [a, b] = pair.map((upload) => checkPicture(upload, limits)) as [Picture, Picture];
            return verifyPair(bench, a, b, decision);
          }),
        'low',
      );
    },
  );
}

async function verifyPair(
  bench: Bench,
  a: Picture,
  b: Picture,
  decision: ReturnType<typeof decisionOf>,
): Promise<Static<typeof Verification>> {
  const sides = await both(embedProminent(bench, a), embedProminent(bench, b));
  const [first, second] = sides;
  const verdict = await decide(bench.engine, first.embedding, second.embedding, decision);
  return {
    ...decisionJson(verdict),
    model: first.embedding.model,
    faces: foundFaces(sides),
    cached: allCached(sides),
  };
}

function addSimilarity(app: App, parts: ServiceParts): void {
  const route = pictureRoute(parts, { pictures: PAIR, optional: true, more: GivenEmbeddings });
  app.post(
    '/api/v1/similarity',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'similarity' },
      schema: {
        ...route.schema,
        operationId: 'similarity',
        summary: 'How alike two faces are',
        description:
          'Of two pictures, two embeddings, or one of each. What a similarity means depends on the model: `verify` decides.',
        tags: ['faces'],
        response: { 200: SimilarityAnswer },
      },
    },
    (request) =>
      atBench(parts, request, async (bench) => {
        const given = requestOptions<Static<typeof GivenEmbeddings>>(request, PAIR);
        const { embedding1, embedding2, model } = given;
        const sides = await both(
          sideOf(bench, request, 'image1', { name: 'embedding1', values: embedding1, model }),
          sideOf(bench, request, 'image2', { name: 'embedding2', values: embedding2, model }),
        );
        const [a, b] = sides;
        const similarity = bench.engine.compare(a.embedding, b.embedding);
        return { similarity_score: round(similarity, 6), model: a.embedding.model, cached: allCached(sides) };
      }),
  );
}

export const verification: RouteGroup = (app, parts) => {
  addVerify(app, parts);
  addSimilarity(app, parts);
};
