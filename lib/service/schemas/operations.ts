/** Changes of persons that can be taken back. */
import { Type } from '../vendor.js';
import { AnyJson, Id, Model, Time, Vector, Words } from './common.js';
import { Person, PersonId, PersonName } from './persons.js';

const OperationId = (description: string) => Type.Integer({ minimum: 1, description });

export const OperationParams = Type.Object({ id: OperationId('Id of the operation') });

export const Operation = Type.Object(
  {
    id: OperationId('Grows: the newest has the largest'),
    kind: Words(
      ['update', 'merge', 'split', 'feedback'],
      'update: id, name or metadata. merge: two persons became one. split: one became two. feedback: "not this person".',
    ),
    created_at: Time('When it was done'),
    persons: Type.Array(Type.String(), { description: 'Ids of those whom it concerns, as they were then' }),
    undone: Type.Boolean({ description: 'It was taken back' }),
  },
  { title: 'Operation' },
);

export const OperationList = Type.Object(
  { operations: Type.Array(Operation, { description: 'Newest first' }) },
  { title: 'OperationList' },
);

export const OperationQuery = Type.Object(
  {
    person: Type.Optional(
      Type.String({ minLength: 1, maxLength: 255, description: 'Only those that concern this person, by id' }),
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, description: 'Only so many of the newest; 100 when absent' }),
    ),
  },
  { additionalProperties: false },
);

/** A person as it is after a change. */
export const ChangedPerson = Type.Object(
  { ...Person.properties, operation: OperationId('What was done: undoing it takes it back') },
  { title: 'ChangedPerson' },
);

export const MergeBody = Type.Object(
  { from: Id('Who is the same person') },
  { title: 'PersonMerge', additionalProperties: false },
);

export const SplitBody = Type.Object(
  {
    samples: Type.Array(Id('Id of a sample of the person'), {
      minItems: 1,
      maxItems: 1000,
      description: "Which of the person's samples are somebody else's",
    }),
    person: Type.Optional(PersonId),
    name: Type.Optional(PersonName),
    metadata: Type.Optional(AnyJson('Of the new person: JSON, at most 64 KiB')),
  },
  {
    title: 'PersonSplit',
    additionalProperties: false,
    description: 'Samples of the new person, and its id (made where none is given), name and metadata',
  },
);

/** What may stand for the picture of a face that is not the person's. */
export const FeedbackMore = Type.Object({
  embedding: Type.Optional(Vector),
  model: Type.Optional(Model),
  sample: Type.Optional(Id("Id of a sample that is enrolled as somebody else's")),
});

export const Feedback = Type.Object(
  {
    person: Type.String({ description: 'Id of the person' }),
    operation: OperationId('What was done: undoing it takes it back'),
  },
  { title: 'Feedback' },
);
