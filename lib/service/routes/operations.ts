/** Putting right who is who: two persons are one, one is two, a face is not this person's; and taking that back. */
import { LineamentError } from '../../errors.js';
import type { NewPerson } from '../../gallery/index.js';
import { record } from '../auth/index.js';
import { sideOf } from '../faces/sides.js';
import { atBench } from '../faces/work.js';
import { pictureRoute, requestOptions, uploadsOf } from '../images/index.js';
import {
  ChangedPerson,
  Feedback,
  FeedbackMore,
  MergeBody,
  OperationList,
  OperationParams,
  OperationQuery,
  SplitBody,
} from '../schemas/operations.js';
import { operationJson } from '../schemas/person-json.js';
import { PersonParams } from '../schemas/persons.js';
import type { App, RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import type { FastifyRequest, Static } from '../vendor.js';
import { changedPerson } from './persons.js';

const TAGS = ['persons'];

function addMoving(app: App, parts: ServiceParts): void {
  app.post(
    '/api/v1/persons/:id/merge',
    {
      config: { scope: 'enrol', kind: 'merge_persons' },
      schema: {
        operationId: 'merge_persons',
        summary: 'Two persons are one',
        description: 'Samples of `from` become those of the person of the address, and `from` goes.',
        tags: TAGS,
        params: PersonParams,
        body: MergeBody,
        response: { 200: ChangedPerson },
      },
    },
    async (request) => {
      const { id } = request.params;
      const { from } = request.body;
      const operation = await parts.gallery.merge(id, from);
      await record(parts, request, 'person.merge', { person: id, detail: { operation } });
      await record(parts, request, 'person.merged', { person: from, detail: { operation } });
      return changedPerson(parts, id, operation);
    },
  );
  app.post(
    '/api/v1/persons/:id/split',
    {
      config: { scope: 'enrol', kind: 'split_person' },
      schema: {
        operationId: 'split_person',
        summary: 'One person is two',
        description: 'Some samples of the person of the address become those of a new person, who is the answer.',
        tags: TAGS,
        params: PersonParams,
        body: SplitBody,
        response: { 201: ChangedPerson },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { samples, person: made, name, metadata } = request.body;
      const to: NewPerson = {
        ...(made === undefined ? {} : { id: made }),
        ...(name === undefined ? {} : { name }),
        ...(metadata === undefined ? {} : { metadata: metadata as NonNullable<NewPerson['metadata']> }),
      };
      const { operation, person } = await parts.gallery.split(id, samples, to);
      await record(parts, request, 'person.split', { person: id, detail: { operation } });
      await record(parts, request, 'person.made', { person, detail: { operation } });
      return reply.code(201).send(await changedPerson(parts, person, operation));
    },
  );
}

function addFeedback(app: App, parts: ServiceParts): void {
  const names = ['image'];
  const route = pictureRoute(parts, { pictures: names, optional: true, more: FeedbackMore });
  app.post(
    '/api/v1/persons/:id/feedback',
    {
      preValidation: route.preValidation,
      config: { scope: 'enrol', kind: 'feedback' },
      schema: {
        ...route.schema,
        operationId: 'not_this_person',
        summary: 'This face is not that person',
        description:
          "The most prominent face of a picture, an embedding, or a sample of somebody else. Faces that are nearer to it than to the person's samples are not taken for that person any more (`set_aside`); its embedding is kept for that, the picture is not.",
        tags: TAGS,
        params: PersonParams,
        response: { 201: Feedback },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const operation = await giveFeedback(parts, request, id);
      await record(parts, request, 'person.feedback', { person: id, detail: { operation } });
      return reply.code(201).send({ person: id, operation });
    },
  );

  function giveFeedback({ config, gallery }: ServiceParts, request: FastifyRequest, person: string): Promise<number> {
    const { sample, embedding, model } = requestOptions<Static<typeof FeedbackMore>>(request, names);
    if (sample === undefined) {
      return atBench(parts, request, async (bench) => {
        const given = { name: 'embedding', values: embedding, model };
        const { embedding: probe } = await sideOf(bench, request, 'image', given);
        return gallery.feedback({ person, probe });
      });
    }
    if (embedding !== undefined || uploadsOf(request, names, config.limits).length > 0) {
      throw new LineamentError('INVALID_ARGUMENT', "give one of 'image', 'embedding' and 'sample'");
    }
    return gallery.feedback({ person, sample });
  }
}

function addUndoing(app: App, parts: ServiceParts): void {
  app.get(
    '/api/v1/operations',
    {
      config: { scope: 'read', kind: 'list_operations' },
      schema: {
        operationId: 'list_operations',
        summary: 'Changes of persons that can be taken back, newest first',
        description: 'Updates, merges, splits and feedback. Erasing a person erases those that name it.',
        tags: TAGS,
        querystring: OperationQuery,
        response: { 200: OperationList },
      },
    },
    async ({ query: { person, limit = 100 } }) => {
      const operations = await parts.gallery.operations({ limit, ...(person === undefined ? {} : { person }) });
      return { operations: operations.map(operationJson) };
    },
  );
  app.post(
    '/api/v1/operations/:id/undo',
    {
      config: { scope: 'enrol', kind: 'undo_operation' },
      schema: {
        operationId: 'undo_operation',
        summary: 'Take a change back',
        description:
          'What it touched is as before; samples that were enrolled or erased since stay so. Of several changes of a person the newest comes first.',
        tags: TAGS,
        params: OperationParams,
        response: { 204: { description: 'It is as before', type: 'null' } },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await parts.gallery.undo(id);
      // Whom it concerns, the line of the operation says.
      await record(parts, request, 'operation.undo', { detail: { operation: id } });
      return reply.code(204).send();
    },
  );
}

export const operations: RouteGroup = (app, parts) => {
  addMoving(app, parts);
  addFeedback(app, parts);
  addUndoing(app, parts);
};
