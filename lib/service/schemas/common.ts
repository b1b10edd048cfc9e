/** What the schemas of several groups of routes share. Names are snake_case; a title in PascalCase makes a component of the document. */
import { type TObject, type TSchema, Type } from '../vendor.js';

/** One of some words. */
export const Words = <const T extends string>(values: readonly T[], description: string) =>
  Type.Unsafe<T>({ type: 'string', enum: [...values], description });

export const Box = Type.Array(Type.Number(), {
  title: 'Box',
  minItems: 4,
  maxItems: 4,
  description:
    '[x, y, width, height] in pixels of the picture as it is shown (EXIF orientation applied): x right, y down, origin at the top-left corner. May reach beyond the picture.',
});

export const Point = Type.Array(Type.Number(), {
  title: 'Point',
  minItems: 2,
  maxItems: 2,
  description:
    '[x, y] in pixels of the picture, in the frame of the boxes; the centre of the first pixel is [0.5, 0.5]',
});

export const Landmarks = Type.Array(Point, {
  title: 'Landmarks',
  minItems: 68,
  maxItems: 68,
  description:
    '68 points in the order of iBUG 300-W: jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67. Left and right are those of the picture.',
});

export const Pose = Type.Object(
  {
    roll: Type.Number({ description: 'Degrees; above 0 the head is tilted clockwise as seen in the picture' }),
    yaw: Type.Number({ description: "Degrees; above 0 the face turns towards the picture's right edge" }),
    pitch: Type.Number({ description: 'Degrees; above 0 the face looks up' }),
  },
  { title: 'Pose', description: 'Orientation of the head, from the landmarks' },
);

export const Vector = Type.Array(Type.Number(), {
  title: 'Vector',
  minItems: 2,
  maxItems: 4096,
  description:
    'An embedding: finite numbers, not all zero, as many as the model makes; any length is taken, 1 is given',
});

/** Which recogniser a vector is of, where a request brings vectors. */
export const Model = Type.String({
  minLength: 1,
  maxLength: 200,
  description: 'Model that made the embeddings; any but the one in use is refused (EMBEDDING_MISMATCH)',
});

export const Time = (description: string) => Type.Integer({ description: `${description}; ms since the epoch, UTC` });

export const Similarity = Type.Number({ minimum: -1, maximum: 1, description: 'Cosine of the embeddings, −1 to 1' });

export const Probability = (description: string) => Type.Number({ minimum: 0, maximum: 1, description });

/** How a decision is made: an accepted error rate, or a threshold. */
export const DECISION = {
  threshold: Type.Optional(
    Type.Number({
      minimum: -1,
      maximum: 1,
      description: 'Cosine from which on two faces are taken for one; excludes the rates',
    }),
  ),
  fmr: Type.Optional(
    Type.Number({
      exclusiveMinimum: 0,
      maximum: 1,
      description:
        'Accept this false match rate of one comparison; the threshold follows from the calibration of the model',
    }),
  ),
};

/** Which faces of a picture count. */
export const SELECT = {
  max_faces: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      description: 'Only so many faces: those with the largest product of area and score',
    }),
  ),
  min_face_size: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: 100_000,
      description: 'Leave out faces whose box has a shorter side than this; pixels',
    }),
  ),
};

/** A problem within an answer: what went wrong with one of several items. */
export const ItemProblem = Type.Object(
  {
    code: Type.String({ description: 'Stable: to be matched on' }),
    status: Type.Integer({ description: 'HTTP status that it would have had alone' }),
    detail: Type.String({ description: 'What is wrong, for people' }),
    fix: Type.Optional(Type.String({ description: 'What to do about it' })),
  },
  { title: 'ItemProblem', description: 'What went wrong with this item; the others are not touched by it' },
);

/** Every item of a batch has its place in the answer, with what was asked for or with its problem. */
export function batchOf(title: string, result: TObject, item = 'the picture in the request') {
  return Type.Object(
    {
      results: Type.Array(
        Type.Object({
          index: Type.Integer({ minimum: 0, description: `Index of ${item}` }),
          ...optional(result),
          error: Type.Optional(ItemProblem),
        }),
        { description: 'One for each item, in their order: either the answer, or `error`' },
      ),
      succeeded: Type.Integer({ minimum: 0, description: 'Items that were answered' }),
      failed: Type.Integer({ minimum: 0, description: 'Items with an error' }),
    },
    { title },
  );
}

function optional(result: TObject): Record<string, TSchema> {
  return Object.fromEntries(Object.entries(result.properties).map(([name, schema]) => [name, Type.Optional(schema)]));
}

/** An id in an address is data: it names a row, never a file. */
export const Id = (description: string) => Type.String({ minLength: 1, maxLength: 255, description });

export const CollectionName = Type.String({
  minLength: 1,
  maxLength: 128,
  description: 'Collection; the configured one (`data.collection`) when absent',
});

export const AnyJson = (description: string) => Type.Unknown({ description });
