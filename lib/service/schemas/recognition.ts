/** Comparing faces: embeddings, similarities, decisions. */
import { Type } from '../vendor.js';
import { Box, DECISION, Model, Probability, SELECT, Similarity, Vector, Words } from './common.js';

export const FoundFace = Type.Object(
  { box: Box, score: Probability('Confidence of the detector') },
  { title: 'FoundFace', description: 'Where the face that was compared is' },
);

/** What a decision says, in the words that such systems use. */
export const DecisionFields = {
  similarity_score: Similarity,
  is_match: Type.Boolean({ description: 'The similarity is at or above the threshold' }),
  threshold_used: Type.Number({ description: 'Cosine from which on two faces are taken for one' }),
  status: Words(['match', 'no_match'], 'The same as `is_match`, as a word'),
  fmr: Type.Optional(
    Type.Number({ description: 'False match rate at the threshold; absent where the calibration does not reach' }),
  ),
};

const cached = Type.Boolean({ description: 'No network ran for the embeddings: the pictures were seen before' });

export const Verification = Type.Object(
  {
    ...DecisionFields,
    model: Type.String({ description: 'Model of the embeddings' }),
    faces: Type.Array(FoundFace, { description: 'The face of each picture that was compared: the most prominent one' }),
    cached,
  },
  { title: 'Verification' },
);

export const VerifyOptions = Type.Object({ ...DECISION }, { additionalProperties: false });

export const GivenEmbeddings = Type.Object({
  embedding1: Type.Optional(Vector),
  embedding2: Type.Optional(Vector),
  model: Type.Optional(Model),
});

export const SimilarityAnswer = Type.Object(
  {
    similarity_score: Similarity,
    model: Type.String({ description: 'Model of the embeddings' }),
    cached,
  },
  { title: 'SimilarityAnswer' },
);

export const Extraction = Type.Object(
  {
    model: Type.String({ description: 'Give it along when the embeddings come back in a request' }),
    dims: Type.Integer({ description: 'Numbers in an embedding' }),
    faces: Type.Array(Type.Object({ box: Box, score: Probability('Confidence of the detector'), embedding: Vector }), {
      description: 'Best score first; empty where there is none',
    }),
    cached,
  },
  { title: 'Extraction' },
);

export const ExtractOptions = Type.Object(
  {
    ...SELECT,
    all: Type.Optional(
      Type.Boolean({ description: 'Every face instead of the most prominent one; false when absent' }),
    ),
  },
  { additionalProperties: false },
);

export const Comparison = Type.Object(
  {
    ...DecisionFields,
    model: Type.String({ description: 'Model of the embeddings' }),
    source: Type.Optional(FoundFace),
    faces: Type.Array(
      Type.Object({
        box: Box,
        score: Probability('Confidence of the detector'),
        similarity_score: Similarity,
        is_match: Type.Boolean(),
      }),
      { description: 'Every face of the second picture, the most similar first' },
    ),
    cached,
  },
  { title: 'Comparison' },
);

export const Candidates = Type.Array(
  Type.Object(
    {
      id: Type.String({ minLength: 1, maxLength: 255, description: 'Of your own; comes back with the match' }),
      embedding: Vector,
    },
    { additionalProperties: false },
  ),
  { minItems: 1, maxItems: 10_000, description: 'Whom to compare with' },
);

export const MatchAnswer = Type.Object(
  {
    is_match: Type.Boolean({ description: 'Some candidate is at or above the threshold' }),
    status: Words(['match', 'no_match'], 'The same as `is_match`, as a word'),
    threshold_used: Type.Number({ description: 'Cosine from which on two faces are taken for one' }),
    matches: Type.Array(
      Type.Object({
        id: Type.String({ description: 'Of the candidate, or of the enrolled person' }),
        name: Type.Optional(Type.String({ description: 'Of the enrolled person' })),
        similarity_score: Similarity,
        is_match: Type.Boolean(),
      }),
      { description: 'Most similar first' },
    ),
    face: Type.Optional(FoundFace),
    cached,
  },
  { title: 'MatchAnswer' },
);

export const Statistics = Type.Object(
  {
    model: Type.String({ description: 'Recogniser in use' }),
    dims: Type.Integer({ description: 'Numbers in an embedding of it' }),
    preset: Type.String({ description: 'Engine in use' }),
    persons: Type.Integer(),
    samples: Type.Integer(),
    expired_samples: Type.Integer({ description: 'Not matched any more, and not purged yet' }),
    collections: Type.Integer(),
    cached_embeddings: Type.Integer({ description: 'Faces in the cache' }),
    revision: Type.Integer({ description: 'Of the gallery; grows with each change' }),
    sealed: Type.Boolean({ description: 'Templates are encrypted' }),
    damaged_samples: Type.Integer(),
    bytes: Type.Object({
      database: Type.Integer(),
      log: Type.Integer(),
      snapshots: Type.Integer(),
      index: Type.Integer({ description: 'In memory' }),
    }),
    uptime_seconds: Type.Number(),
  },
  { title: 'Statistics' },
);
