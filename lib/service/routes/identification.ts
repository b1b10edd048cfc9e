/** Enrolling faces, and telling whose they are. */
import { LineamentError } from '../../errors.js';
import type { Identification as Found, NewPerson } from '../../gallery/index.js';
import type { Embedding } from '../../types.js';
import { calibrated, decisionOf, foundJson, statusOf } from '../faces/decision.js';
import { embedPicture, givenEmbedding } from '../faces/embeddings.js';
import {
  checkConsent,
  type EnrolRequest,
  type Evidence,
  enrolSamples,
  makeSample,
  makeSamples,
} from '../faces/enrol.js';
import { searchEnrolled } from '../faces/identify.js';
import { sideOf } from '../faces/sides.js';
import { atBench, type Bench, eachItem } from '../faces/work.js';
import { checkPicture, LIST, missingPicture, pictureRoute, requestOptions, uploadsOf } from '../images/index.js';
import { batchOf, CollectionName, DECISION, Model, Vector } from '../schemas/common.js';
import { round } from '../schemas/face-json.js';
import { candidateJson, enrolmentJson, setAsideJson } from '../schemas/person-json.js';
import {
  BatchMore,
  EnrolMore,
  Enrolment,
  EnrolOptions,
  Identification,
  IdentifyMore,
  IdentifyOptions,
  PersonParams,
  PersonVerification,
  SampleMore,
} from '../schemas/persons.js';
import type { App, RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type FastifyRequest, type Static, Type } from '../vendor.js';

const TAGS = ['identification'];
/** A single picture may come as `image` too, or as the body. */
const PICTURES = ['image', LIST];

type EnrolBody = EnrolRequest & Static<typeof EnrolMore>;

/** Pictures and embeddings of a request, each ready to become a sample; at least one. */
function evidenceOf(
  parts: ServiceParts,
  request: FastifyRequest,
  names: readonly string[],
  { embeddings = [], model }: Pick<EnrolBody, 'embeddings' | 'model'>,
): readonly (() => Evidence)[] {
  const { limits } = parts.config;
  const uploads = uploadsOf(request, names, limits);
  if (uploads.length > 0 && embeddings.length > 0) {
    throw new LineamentError('INVALID_ARGUMENT', "give either pictures or 'embeddings'");
  }
  if (uploads.length + embeddings.length === 0) throw missingPicture(names[0] ?? LIST);
  return [
    ...uploads.map((upload) => (): Evidence => ({ picture: checkPicture(upload, limits) })),
    ...embeddings.map((vector, i) => (): Evidence => ({ vector, name: `embeddings[${i}]`, model })),
  ];
}

/** Enrols everything that the request brings as one person's: all of it, or nothing. */
async function enrolPerson(
  parts: ServiceParts,
  request: FastifyRequest,
  who: string | NewPerson,
  asked: EnrolBody,
): Promise<Static<typeof Enrolment>> {
  checkConsent(parts.config, asked);
  const evidence = evidenceOf(parts, request, PICTURES, asked).map((one) => one());
  return atBench(parts, request, async (bench) => {
    const made = await makeSamples(bench, evidence, asked);
    const enrolment = await enrolSamples(bench, request.principal.id, who, made, asked);
    return enrolmentJson(
      enrolment,
      made.every(({ cached }) => cached),
    );
  });
}

function addEnrolment(app: App, parts: ServiceParts): void {
  const route = pictureRoute(parts, {
    pictures: PICTURES,
    optional: true,
    options: Type.Composite([EnrolOptions, Type.Pick(EnrolMore, ['person', 'name'])]),
    more: EnrolMore,
  });
  for (const [path, operationId] of [
    ['/api/v1/enrol', 'enrol'],
    ['/api/v1/persons', 'create_person'],
  ] as const) {
    app.post(
      path,
      {
        preValidation: route.preValidation,
        config: { scope: 'enrol', kind: 'enrol' },
        schema: {
          ...route.schema,
          operationId,
          summary: 'Enrol a person',
          description:
            'The most prominent face of each picture becomes a sample: all of them, or none. Pictures come as `image` or `images`; an id is made where `person` names none.',
          tags: operationId === 'enrol' ? TAGS : ['persons'],
          response: { 201: Enrolment },
        },
      },
      async (request, reply) => {
        const asked = requestOptions<EnrolBody>(request, PICTURES);
        const { person, name, metadata } = asked;
        const who: NewPerson = {
          ...(person === undefined ? {} : { id: person }),
          ...(name === undefined ? {} : { name }),
          ...(metadata === undefined ? {} : { metadata: metadata as NonNullable<NewPerson['metadata']> }),
        };
        return reply.code(201).send(await enrolPerson(parts, request, who, asked));
      },
    );
  }
  const samples = pictureRoute(parts, { pictures: PICTURES, optional: true, options: EnrolOptions, more: SampleMore });
  app.post(
    '/api/v1/persons/:id/samples',
    {
      preValidation: samples.preValidation,
      config: { scope: 'enrol', kind: 'enrol' },
      schema: {
        ...samples.schema,
        operationId: 'add_samples',
        summary: 'Add samples to a person',
        description: 'As `enrol`, for the person of the address, who is made where there is none.',
        tags: ['persons'],
        params: PersonParams,
        response: { 201: Enrolment },
      },
    },
    async (request, reply) => {
      const asked = requestOptions<EnrolBody>(request, PICTURES);
      return reply.code(201).send(await enrolPerson(parts, request, request.params.id, asked));
    },
  );
}

function addEnrolBatch(app: App, parts: ServiceParts): void {
  const route = pictureRoute(parts, { pictures: [LIST], optional: true, options: EnrolOptions, more: BatchMore });
  app.post(
    '/api/v1/enrol/batch',
    {
      preValidation: route.preValidation,
      config: { scope: 'enrol', kind: 'enrol_batch' },
      schema: {
        ...route.schema,
        operationId: 'enrol_batch',
        summary: 'Enrol many persons',
        description:
          'Each picture (or embedding) is one sample of the person at its place in `persons`. One that fails does not touch the others.',
        tags: TAGS,
        response: { 200: batchOf('EnrolBatch', Enrolment, 'the picture or embedding in the request') },
      },
    },
    async (request) => {
      const asked = requestOptions<EnrolRequest & Static<typeof BatchMore>>(request, [LIST]);
      checkConsent(parts.config, asked);
      const evidence = evidenceOf(parts, request, [LIST], asked);
      const { persons } = asked;
      if (persons.length !== 1 && persons.length !== evidence.length) {
        throw new LineamentError(
          'INVALID_ARGUMENT',
          `${persons.length} persons for ${evidence.length} pictures or embeddings`,
        );
      }
      return atBench(
        parts,
        request,
        (bench) =>
          eachItem(evidence, bench.signal, request.id, async (one, index) => {
            const made = await makeSample(bench, one(), asked);
            const person = persons[persons.length === 1 ? 0 : index] as string;
            const enrolment = await enrolSamples(bench, request.principal.id, person, [made], asked);
            return enrolmentJson(enrolment, made.cached, [index]);
          }),
        'low',
      );
    },
  );
}

type IdentifyRequest = Static<typeof IdentifyOptions> & Static<typeof IdentifyMore>;

/** Candidates in one answer, of all faces together: each face has as many as `k` says. */
const MOST_CANDIDATES = 100_000;

/** Who these faces may be. */
async function identify(
  bench: Bench,
  faces: readonly { readonly embedding: Embedding; readonly about: object }[],
  asked: IdentifyRequest,
  cached: boolean,
): Promise<Static<typeof Identification>> {
  const { k = 5, fuse, collection } = asked;
  if (faces.length * k > MOST_CANDIDATES) {
    throw new LineamentError('PAYLOAD_TOO_LARGE', `${faces.length} faces with ${k} candidates each are too much`, {
      fix: "Ask for fewer candidates with 'k', or send fewer faces at a time.",
    });
  }
  const options = { ...decisionOf(asked), k, ...(fuse === undefined ? {} : { fuse }) };
  const probes = faces.map(({ embedding }) => embedding);
  const found: readonly Found[] = await searchEnrolled(bench, probes, options, collection);
  const [first] = found;
  return {
    faces: found.map(({ candidates, match, setAside }, i) => ({
      ...faces[i]?.about,
      ...(match === undefined ? {} : { match: candidateJson(match) }),
      candidates: candidates.map(candidateJson),
      ...(setAside.length === 0 ? {} : { set_aside: setAside.map(setAsideJson) }),
    })),
    ...(first === undefined ? {} : { threshold: first.threshold }),
    ...(first?.fmr === undefined ? {} : { fmr: first.fmr }),
    searched: first?.searched ?? 0,
    cached,
  };
}

async function identifyPicture(
  bench: Bench,
  picture: ReturnType<typeof checkPicture>,
  asked: IdentifyRequest,
): Promise<Static<typeof Identification>> {
  const { faces, cached } = await embedPicture(bench, picture, {
    maxFaces: asked.max_faces,
    minFaceSize: asked.min_face_size,
  });
  const probes = faces.map((face) => ({ embedding: face.embedding, about: foundJson(face) }));
  return identify(bench, probes, asked, cached);
}

function addIdentification(app: App, parts: ServiceParts): void {
  const { limits } = parts.config;
  const names = ['image'];
  const single = pictureRoute(parts, { pictures: names, optional: true, options: IdentifyOptions, more: IdentifyMore });
  app.post(
    '/api/v1/identify',
    {
      preValidation: single.preValidation,
      config: { scope: 'read', kind: 'identify' },
      schema: {
        ...single.schema,
        operationId: 'identify',
        summary: 'Who is this?',
        description: 'Every face of a picture, or embeddings, against everybody who is enrolled in a collection.',
        tags: TAGS,
        response: { 200: Identification },
      },
    },
    (request) => {
      const asked = requestOptions<IdentifyRequest>(request, names);
      decisionOf(asked);
      return atBench(parts, request, async (bench) => {
        const [upload] = uploadsOf(request, names, limits);
        const { embeddings, model } = asked;
        if ((upload === undefined) === (embeddings === undefined)) {
          throw new LineamentError('INVALID_ARGUMENT', "give either 'image' or 'embeddings'");
        }
        if (upload !== undefined) return identifyPicture(bench, checkPicture(upload, limits), asked);
        const probes = (embeddings ?? []).map(async (values, i) => ({
          embedding: await givenEmbedding(bench.engine, `embeddings[${i}]`, values, model),
          about: {},
        }));
        return identify(bench, await Promise.all(probes), asked, false);
      });
    },
  );
  const several = pictureRoute(parts, { pictures: [LIST], options: IdentifyOptions });
  app.post(
    '/api/v1/identify/batch',
    {
      preValidation: several.preValidation,
      config: { scope: 'read', kind: 'identify_batch' },
      schema: {
        ...several.schema,
        operationId: 'identify_batch',
        summary: 'Who is this? Many pictures',
        description: 'A picture that cannot be read has its problem in its place; the others are answered.',
        tags: TAGS,
        response: { 200: batchOf('IdentifyBatch', Identification) },
      },
    },
    (request) => {
      const asked = requestOptions<IdentifyRequest>(request, [LIST]);
      decisionOf(asked);
      const uploads = uploadsOf(request, [LIST], limits);
      if (uploads.length === 0) throw missingPicture(LIST);
      return atBench(
        parts,
        request,
        (bench) =>
          eachItem(uploads, bench.signal, request.id, (upload) =>
            identifyPicture(bench, checkPicture(upload, limits), asked),
          ),
        'low',
      );
    },
  );
}

const VerifyOptions = Type.Object({ ...DECISION, collection: Type.Optional(CollectionName) });
const VerifyMore = Type.Object({ embedding: Type.Optional(Vector), model: Type.Optional(Model) });

function addVerification(app: App, parts: ServiceParts): void {
  const names = ['image'];
  const route = pictureRoute(parts, { pictures: names, optional: true, options: VerifyOptions, more: VerifyMore });
  app.post(
    '/api/v1/persons/:id/verify',
    {
      preValidation: route.preValidation,
      config: { scope: 'read', kind: 'verify_person' },
      schema: {
        ...route.schema,
        operationId: 'verify_person',
        summary: 'Is this the person it is said to be?',
        description: 'The most prominent face of a picture, or an embedding, against the samples of a person.',
        tags: TAGS,
        params: PersonParams,
        response: { 200: PersonVerification },
      },
    },
    (request) => {
      const { id } = request.params;
      const asked = requestOptions<Static<typeof VerifyOptions> & Static<typeof VerifyMore>>(request, names);
      const decision = decisionOf(asked);
      return atBench(parts, request, async (bench) => {
        const { embedding: values, model, collection } = asked;
        const side = await sideOf(bench, request, 'image', { name: 'embedding', values, model });
        const verdict = await calibrated(side.embedding.model, () =>
          parts.gallery.verify(id, side.embedding, {
            ...decision,
            ...(collection === undefined ? {} : { collection }),
            signal: bench.signal,
          }),
        );
        const { similarity, match, threshold, fmr, samples, feedback } = verdict;
        return {
          person: id,
          similarity_score: round(similarity, 6),
          is_match: match,
          threshold_used: threshold,
          status: statusOf(match),
          ...(fmr === undefined ? {} : { fmr }),
          samples,
          ...(feedback === undefined ? {} : { feedback }),
          cached: side.cached === true,
        };
      });
    },
  );
}

export const identification: RouteGroup = (app, parts) => {
  addEnrolment(app, parts);
  addEnrolBatch(app, parts);
  addIdentification(app, parts);
  addVerification(app, parts);
};
