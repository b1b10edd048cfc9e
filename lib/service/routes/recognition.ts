/** Face recognition as such systems name it: embeddings, comparisons, matches. What is enrolled is only read. */
import { LineamentError } from '../../errors.js';
import { decide, decisionJson, decisionOf, foundJson, statusOf } from '../faces/decision.js';
import { embedPicture, embedProminent, givenEmbedding } from '../faces/embeddings.js';
import { searchEnrolled } from '../faces/identify.js';
import { both, foundFaces, type Side, sideOf } from '../faces/sides.js';
import { atBench, type Bench, inTurn, recogniserOf } from '../faces/work.js';
import { type Picture, pictureRoute, readPictures, requestOptions } from '../images/index.js';
import { CollectionName, DECISION, Model, SELECT, Vector } from '../schemas/common.js';
import { boxJson, round, vectorJson } from '../schemas/face-json.js';
import {
  Candidates,
  Comparison,
  Extraction,
  ExtractOptions,
  MatchAnswer,
  Statistics,
  type VerifyOptions,
} from '../schemas/recognition.js';
import type { App, RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type Static, Type } from '../vendor.js';

const PAIR = ['image1', 'image2'];
const TAG = 'face-recognition';

function addExtraction(app: App, parts: ServiceParts): void {
  const names = ['image'];
  const route = pictureRoute(parts, { pictures: names, options: ExtractOptions });
  app.post(
    '/api/v1/face-recognition/extract-embedding',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'extract_embedding' },
      schema: {
        ...route.schema,
        operationId: 'extract_embedding',
        summary: 'Embeddings of faces',
        description:
          'Of the most prominent face, or of all. A face is not kept by this, but its embedding is cached where the cache is on.',
        tags: [TAG],
        response: { 200: Extraction },
      },
    },
    async (request) => {
      const { all = false, max_faces, min_face_size } = requestOptions<Static<typeof ExtractOptions>>(request, names);
      const [picture] = (await readPictures(request, parts, names)) as readonly [Picture];
      return atBench(parts, request, async (bench) => {
        const { model, dims } = await recogniserOf(bench.engine);
        const { faces, cached } = await embedPicture(bench, picture, {
          maxFaces: all ? max_faces : 1,
          minFaceSize: min_face_size,
        });
        return {
          model,
          dims,
          faces: faces.map((face) => ({ ...foundJson(face), embedding: vectorJson(face.embedding) })),
          cached,
        };
      });
    },
  );
}

function addComparison(app: App, parts: ServiceParts): void {
  const route = pictureRoute(parts, { pictures: PAIR, options: Type.Object({ ...DECISION, ...SELECT }) });
  app.post(
    '/api/v1/face-recognition/compare-faces',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'compare_faces' },
      schema: {
        ...route.schema,
        operationId: 'compare_faces',
        summary: 'Find a face among those of another picture',
        description: 'The most prominent face of the first picture against every face of the second one.',
        tags: [TAG],
        response: { 200: Comparison },
      },
    },
    async (request) => {
      const options = requestOptions<Static<typeof VerifyOptions> & { max_faces?: number; min_face_size?: number }>(
        request,
        PAIR,
      );
      const decision = decisionOf(options);
      const [first, second] = (await readPictures(request, parts, PAIR)) as readonly [Picture, Picture];
      return atBench(parts, request, async (bench) => {
        const [source, others] = await both(
          embedProminent(bench, first),
          embedPicture(bench, second, { maxFaces: options.max_faces, minFaceSize: options.min_face_size }),
        );
        if (others.faces.length === 0) throw new LineamentError('NO_FACE', `'${second.name}'`);
        const verdicts = await Promise.all(
          others.faces.map(async (face) => ({
            face,
            verdict: await decide(bench.engine, source.embedding, face.embedding, decision),
          })),
        );
        verdicts.sort((a, b) => b.verdict.similarity - a.verdict.similarity);
        const [best] = verdicts as [(typeof verdicts)[number]];
        return {
          ...decisionJson(best.verdict),
          model: source.embedding.model,
          source: foundJson(source),
          faces: verdicts.map(({ face, verdict }) => ({
            box: boxJson(face),
            score: round(face.score, 4),
            similarity_score: round(verdict.similarity, 6),
            is_match: verdict.match,
          })),
          cached: source.cached && others.cached,
        };
      });
    },
  );
}

const MatchMore = Type.Object({
  embedding: Type.Optional(Vector),
  model: Type.Optional(Model),
  candidates: Type.Optional(Candidates),
});
const MatchOptions = Type.Object({
  ...DECISION,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, description: 'Most matches; 5 when absent' })),
  collection: Type.Optional(CollectionName),
});
type MatchRequest = Static<typeof MatchMore> & Static<typeof MatchOptions>;

function addMatch(app: App, parts: ServiceParts): void {
  const names = ['image'];
  const route = pictureRoute(parts, { pictures: names, optional: true, options: MatchOptions, more: MatchMore });
  app.post(
    '/api/v1/face-recognition/match-face',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'match_face' },
      schema: {
        ...route.schema,
        operationId: 'match_face',
        summary: 'Whom a face is most like',
        description:
          'A picture or an embedding against candidates that the request brings along, or against everybody who is enrolled where it brings none.',
        tags: [TAG],
        response: { 200: MatchAnswer },
      },
    },
    (request) => {
      const asked = requestOptions<MatchRequest>(request, names);
      const decision = decisionOf(asked);
      return atBench(parts, request, async (bench) => {
        const { embedding, model } = asked;
        const probe = await sideOf(bench, request, 'image', { name: 'embedding', values: embedding, model });
        const { candidates } = asked;
        const answer =
          candidates === undefined
            ? await matchEnrolled(bench, probe, asked, decision)
            : await matchCandidates(bench, probe, asked, candidates, decision);
        const matched = answer.matches.some(({ is_match }) => is_match);
        const [face] = foundFaces([probe]);
        return {
          is_match: matched,
          status: statusOf(matched),
          ...answer,
          ...(face && { face }),
          cached: probe.cached === true,
        };
      });
    },
  );
}

type Matches = Pick<Static<typeof MatchAnswer>, 'matches' | 'threshold_used'>;

async function matchEnrolled(
  bench: Bench,
  { embedding }: Side,
  { limit = 5, collection }: MatchRequest,
  decision: ReturnType<typeof decisionOf>,
): Promise<Matches> {
  const [found] = await searchEnrolled(bench, [embedding], { ...decision, k: limit }, collection);
  if (found === undefined) throw new LineamentError('INTERNAL', 'a search gave no answer');
  return {
    threshold_used: found.threshold,
    matches: found.candidates.map(({ person, name, similarity, match }) => ({
      id: person,
      ...(name === undefined ? {} : { name }),
      similarity_score: round(similarity, 6),
      is_match: match,
    })),
  };
}

async function matchCandidates(
  bench: Bench,
  { embedding }: Side,
  { limit = 5, model }: MatchRequest,
  candidates: Static<typeof Candidates>,
  decision: ReturnType<typeof decisionOf>,
): Promise<Matches> {
  const { engine, signal } = bench;
  const vectors = candidates.map((one) => one.embedding);
  const ranked = await inTurn(bench, vectors, async () => {
    const known = await Promise.all(
      candidates.map(async ({ id, embedding: values }, i) => ({
        id,
        embedding: await givenEmbedding(engine, `candidates[${i}].embedding`, values, model),
      })),
    );
    return engine.identify(embedding, known, { threshold: -1, limit, signal });
  });
  const { threshold } = await decide(engine, embedding, embedding, decision);
  return {
    threshold_used: threshold,
    matches: ranked.map(({ id, similarity }) => ({
      id,
      similarity_score: round(similarity, 6),
      is_match: similarity >= threshold,
    })),
  };
}

function addStatistics(app: App, parts: ServiceParts): void {
  app.get(
    '/api/v1/face-recognition/statistics',
    {
      config: { scope: 'read', kind: 'statistics' },
      schema: {
        operationId: 'statistics',
        summary: 'What is enrolled, and with what',
        tags: [TAG],
        response: { 200: Statistics },
      },
    },
    async () => {
      const stats = await parts.gallery.stats();
      const { model, dims, preset } = await parts.engines.use(async (engine) => ({
        ...(await recogniserOf(engine)),
        preset: engine.preset.name,
      }));
      return {
        model,
        dims,
        preset,
        persons: stats.persons,
        samples: stats.samples,
        expired_samples: stats.expired,
        collections: stats.collections,
        cached_embeddings: stats.cached,
        revision: stats.revision,
        sealed: stats.sealed,
        damaged_samples: stats.damaged,
        bytes: stats.bytes,
        uptime_seconds: round((Date.now() - parts.startedAt) / 1000, 1),
      };
    },
  );
}

export const recognition: RouteGroup = (app, parts) => {
  addExtraction(app, parts);
  addComparison(app, parts);
  addMatch(app, parts);
  addStatistics(app, parts);
};
