/** Persons, their samples and collections, and what becomes of them. */
import { Type } from '../vendor.js';
import {
  AnyJson,
  Box,
  CollectionName,
  DECISION,
  Id,
  Model,
  Probability,
  SELECT,
  Similarity,
  Time,
  Vector,
  Words,
} from './common.js';

export const PersonId = Id('Id of the person: any text without control characters');
export const PersonName = Type.String({
  minLength: 1,
  maxLength: 1024,
  description: 'Name of the person, without control characters',
});
const Metadata = AnyJson('Whatever the application keeps with the person: JSON, at most 64 KiB');

export const PersonParams = Type.Object({ id: PersonId });
export const SampleParams = Type.Object({ id: Id('Id of the sample') });
export const CollectionParams = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 128, description: 'Name of the collection' }),
});

export const Sample = Type.Object(
  {
    id: Type.String({ description: 'Made by the gallery' }),
    person: Type.String({ description: 'Id of the person' }),
    collection: Type.String({ description: 'Where it is searched' }),
    quality: Type.Optional(Type.Number({ description: '0–100; absent where not measured' })),
    created_at: Time('Enrolled'),
    expires_at: Type.Optional(Time('Not matched any more from then on')),
    expired: Type.Boolean({ description: 'It is not matched any more, and goes with the next purge' }),
    consent: Type.Optional(Type.String({ description: 'Reference to a record of consent' })),
    source: Type.Optional(Type.String({ description: 'Reference to the picture, as it was given' })),
    thumbnail: Type.Boolean({ description: 'A picture of the face is kept' }),
  },
  { title: 'Sample', description: 'One enrolled face' },
);

const person = {
  id: Type.String({ description: 'Unique in the gallery' }),
  name: Type.Optional(Type.String({ description: 'As it was given' })),
  metadata: Type.Optional(AnyJson('As it was given')),
  created_at: Time('Enrolled'),
  updated_at: Time('Last change of id, name or metadata'),
};

export const PersonSummary = Type.Object(
  { ...person, samples: Type.Integer({ description: 'Samples, expired ones included' }) },
  { title: 'PersonSummary' },
);

export const Person = Type.Object(
  { ...person, samples: Type.Array(Sample, { description: 'In the order of their enrolment' }) },
  { title: 'Person' },
);

export const PersonPage = Type.Object(
  {
    persons: Type.Array(PersonSummary, { description: 'In the order of their ids' }),
    next: Type.Optional(Type.String({ description: 'Give it as `after` to get the next page; absent on the last' })),
  },
  { title: 'PersonPage' },
);

export const PersonQuery = Type.Object(
  {
    collection: Type.Optional(
      Type.String({ minLength: 1, maxLength: 128, description: 'Only persons with samples in this collection' }),
    ),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 255, description: '`next` of the page before' })),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Persons on a page; 100 when absent' }),
    ),
  },
  { additionalProperties: false },
);

export const PersonPut = Type.Object(
  { name: Type.Optional(PersonName), metadata: Type.Optional(Metadata) },
  {
    title: 'PersonPut',
    additionalProperties: false,
    description: 'Name and metadata as they are to be; what is absent is taken away',
  },
);

export const PersonPatch = Type.Object(
  {
    id: Type.Optional(PersonId),
    name: Type.Optional(
      Type.Unsafe<string | null>({
        ...PersonName,
        type: ['string', 'null'],
        description: 'A new name; null takes it away',
      }),
    ),
    metadata: Type.Optional(AnyJson('New metadata; null takes them away')),
  },
  {
    title: 'PersonPatch',
    additionalProperties: false,
    minProperties: 1,
    description: 'What is to change; what is absent stays',
  },
);

/** Options of an enrolment that may stand in a query too. */
export const EnrolOptions = Type.Object({
  collection: Type.Optional(CollectionName),
  consent: Type.Optional(
    Type.String({ minLength: 1, maxLength: 255, description: 'Reference to a record of consent' }),
  ),
  expires_at: Type.Optional(Time('The samples are not matched any more from then on')),
  min_quality: Type.Optional(
    Type.Number({ minimum: 0, maximum: 100, description: 'Leave out samples of lower quality; none left is an error' }),
  ),
  on_conflict: Type.Optional(
    Words(
      ['allow', 'report', 'refuse'],
      'Where a face is enrolled as somebody else’s already: do not look, enrol and say so (when absent), or refuse with DUPLICATE_ID',
    ),
  ),
  on_existing: Type.Optional(
    Words(
      ['add', 'refuse'],
      'Where the person is there already: add samples (when absent), or refuse with DUPLICATE_ID',
    ),
  ),
  source: Type.Optional(
    Type.String({ minLength: 1, maxLength: 1024, description: 'Reference to the picture; the service keeps none' }),
  ),
  min_face_size: SELECT.min_face_size,
});

/** What only a body can hold: the person, and embeddings in the place of pictures. */
export const EnrolMore = Type.Object({
  person: Type.Optional(PersonId),
  name: Type.Optional(PersonName),
  metadata: Type.Optional(Metadata),
  embeddings: Type.Optional(
    Type.Array(Vector, {
      minItems: 1,
      maxItems: 1000,
      description: 'Of faces of the person, in the place of pictures',
    }),
  ),
  model: Type.Optional(Model),
});

/** The same for a person whom the address names. */
export const SampleMore = Type.Pick(EnrolMore, ['embeddings', 'model']);

export const BatchMore = Type.Object({
  persons: Type.Array(PersonId, {
    minItems: 1,
    maxItems: 1000,
    description: 'Who is on each picture, or whose each embedding is, in their order; one id stands for all of them',
  }),
  embeddings: Type.Optional(
    Type.Array(Vector, { minItems: 1, maxItems: 1000, description: 'In the place of pictures' }),
  ),
  model: Type.Optional(Model),
});

export const Enrolment = Type.Object(
  {
    person: Type.String({ description: 'Id of the person' }),
    created: Type.Boolean({ description: 'The person was not there before' }),
    samples: Type.Array(Type.String(), { description: 'Ids of the new samples; they are on the disk and searchable' }),
    rejected: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'Of the picture or embedding in the request' }),
        reason: Type.String({ description: '`quality`' }),
        quality: Type.Number({ description: '0–100' }),
      }),
      { description: 'What was left out' },
    ),
    conflicts: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'Of the picture or embedding in the request' }),
        person: Type.String({ description: 'As whom the face is enrolled already' }),
        similarity: Similarity,
        fmr: Type.Optional(Type.Number({ description: 'False match rate of one comparison at this similarity' })),
      }),
      { description: 'Faces that look like somebody else who is enrolled' },
    ),
    cached: Type.Boolean({ description: 'No network ran for the embeddings: the pictures were seen before' }),
  },
  { title: 'Enrolment' },
);

/** Who a face may be. */
export const IdentifyOptions = Type.Object({
  ...DECISION,
  fpir: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description: 'Decide so that a search of everybody has this false positive identification rate',
    }),
  ),
  k: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, description: 'Most candidates of a face; 5 when absent' }),
  ),
  collection: Type.Optional(CollectionName),
  fuse: Type.Optional(
    Words(
      ['best', 'mean', 'quality'],
      'How the samples of a person count: the most similar one (when absent), their mean, or that by quality',
    ),
  ),
  ...SELECT,
});

export const IdentifyMore = Type.Object({
  embeddings: Type.Optional(
    Type.Array(Vector, { minItems: 1, maxItems: 1000, description: 'In the place of a picture' }),
  ),
  model: Type.Optional(Model),
});

const Candidate = Type.Object(
  {
    person: Type.String({ description: 'Id' }),
    name: Type.Optional(Type.String()),
    similarity: Similarity,
    match: Type.Boolean({ description: 'At or above the threshold' }),
    sample: Type.String({ description: 'The one that is most similar' }),
    collection: Type.String(),
    fmr: Type.Optional(Type.Number({ description: 'False match rate of one comparison at this similarity' })),
    fpir: Type.Optional(Type.Number({ description: 'What the number of templates makes of it' })),
    rates_at_most: Type.Optional(Type.Boolean({ description: 'Both rates are upper bounds' })),
  },
  { title: 'Candidate' },
);

const Feedback = Type.Integer({ description: 'Operation that ruled it out: undoing it takes that back' });

const SetAside = Type.Object(
  {
    person: Type.String({ description: 'Id' }),
    similarity: Similarity,
    feedback: Feedback,
    nearness: Type.Number({ minimum: -1, maximum: 1, description: 'Cosine of the face and the one that was rejected' }),
  },
  { title: 'SetAside' },
);

const IdentifiedFace = Type.Object(
  {
    box: Type.Optional(Box),
    score: Type.Optional(Probability('Confidence of the detector')),
    match: Type.Optional(Candidate),
    candidates: Type.Array(Candidate, { description: 'Best first; also those below the threshold' }),
    set_aside: Type.Optional(
      Type.Array(SetAside, { description: 'Whom feedback ruled out, "not this person"; absent where nobody was' }),
    ),
  },
  {
    title: 'IdentifiedFace',
    description: 'A face (or embedding) of the request, and who it may be; `match` is absent for strangers',
  },
);

export const Identification = Type.Object(
  {
    faces: Type.Array(IdentifiedFace, {
      description: 'Best score first, or in the order of the embeddings; empty where there is no face',
    }),
    threshold: Type.Optional(
      Type.Number({ description: 'Cosine from which on a candidate is a match; absent without a face' }),
    ),
    fmr: Type.Optional(Type.Number({ description: 'False match rate at the threshold' })),
    searched: Type.Integer({ description: 'Templates that each face was compared with' }),
    cached: Type.Boolean({ description: 'No network ran for the embeddings: the picture was seen before' }),
  },
  { title: 'Identification' },
);

export const PersonVerification = Type.Object(
  {
    person: Type.String({ description: 'Id' }),
    similarity_score: Similarity,
    is_match: Type.Boolean(),
    threshold_used: Type.Number({ description: 'Cosine from which on it is a match' }),
    status: Words(['match', 'no_match'], 'The same as `is_match`, as a word'),
    fmr: Type.Optional(Type.Number({ description: 'False match rate at the threshold' })),
    samples: Type.Integer({ description: 'Samples that were compared' }),
    feedback: Type.Optional(Feedback),
    cached: Type.Boolean({ description: 'No network ran: the picture was seen before' }),
  },
  { title: 'PersonVerification' },
);

export const Collection = Type.Object(
  {
    name: Type.String(),
    model: Type.String({ description: 'Model of all its embeddings' }),
    model_hash: Type.Optional(Type.String({ description: 'SHA-256 (hex) over the networks behind the model' })),
    dims: Type.Integer({ description: 'Numbers in an embedding' }),
    samples: Type.Integer({ description: 'Expired ones included' }),
    settings: AnyJson('Whatever the application keeps with it'),
    created_at: Time('Made'),
  },
  { title: 'Collection' },
);

export const CollectionPost = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128, description: 'Without control characters' }),
    settings: Type.Optional(AnyJson('Whatever the application keeps with it: JSON, at most 64 KiB')),
  },
  { title: 'CollectionPost', additionalProperties: false },
);

export const Receipt = Type.Object(
  {
    format: Type.String(),
    version: Type.Integer(),
    id: Type.String(),
    gallery: Type.String(),
    at: Type.String({ description: 'ISO 8601, UTC; when the deletion was committed' }),
    signature: Type.String({ description: 'Ed25519 over all other fields as canonical JSON; base64' }),
    publicKey: Type.String({ description: 'SPKI, base64' }),
  },
  {
    title: 'Receipt',
    additionalProperties: true,
    description:
      'What a deletion did, as the gallery signed it: its fields keep their names, for the signature is over them. Ids are in it as salted digests only.',
  },
);

export const Erasure = Type.Object(
  {
    receipt: Receipt,
    persons: Type.Integer({ description: 'Persons who are gone' }),
    samples: Type.Integer({ description: 'Samples that are gone' }),
    sources: Type.Array(Type.String(), {
      description: 'References to pictures, as they were given: deleting them is up to their keeper',
    }),
  },
  { title: 'Erasure' },
);
