/** Who is enrolled: persons and their samples, kept, changed and deleted for good. */
import { LineamentError } from '../../errors.js';
import type { Json, PersonChanges, PersonDetails } from '../../gallery/index.js';
import { erase } from '../faces/erase.js';
import { ChangedPerson } from '../schemas/operations.js';
import { erasureJson, personJson, sampleJson, summaryJson } from '../schemas/person-json.js';
import {
  Erasure,
  Person,
  PersonPage,
  PersonParams,
  PersonPatch,
  PersonPut,
  PersonQuery,
  Sample,
  SampleParams,
} from '../schemas/persons.js';
import type { App, RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { Type } from '../vendor.js';

const TAGS = ['persons'];

/** The person, or `NOT_FOUND`. */
export async function needPerson({ gallery }: ServiceParts, id: string): Promise<PersonDetails> {
  const found = await gallery.get(id);
  if (found === undefined) throw new LineamentError('NOT_FOUND', `there is no person '${id}'`);
  return found;
}

/** The person as it is after a change, with the operation that takes it back. */
export const changedPerson = async (parts: ServiceParts, id: string, operation: number) => ({
  ...personJson(await needPerson(parts, id)),
  operation,
});

/** Changes a person, and sets down which fields were changed. */
async function change(parts: ServiceParts, actor: string, id: string, changes: PersonChanges) {
  const operation = await parts.gallery.update(id, changes);
  const detail = { operation, fields: Object.keys(changes) };
  await parts.audit.append({ actor, action: 'person.update', subject: id, detail });
  // Ids stand in the trail as subjects only, which it does not keep in the open.
  if (changes.id !== undefined) {
    await parts.audit.append({ actor, action: 'person.renamed', subject: changes.id, detail: { operation } });
  }
  return changedPerson(parts, changes.id ?? id, operation);
}

function addReading(app: App, parts: ServiceParts): void {
  app.get(
    '/api/v1/persons',
    {
      config: { scope: 'read', kind: 'list_persons' },
      schema: {
        operationId: 'list_persons',
        summary: 'Persons, page by page',
        tags: TAGS,
        querystring: PersonQuery,
        response: { 200: PersonPage },
      },
    },
    async ({ query: { collection, after, limit } }) => {
      const page = await parts.gallery.list({
        ...(collection === undefined ? {} : { collection }),
        ...(after === undefined ? {} : { after }),
        ...(limit === undefined ? {} : { limit }),
      });
      return { persons: page.persons.map(summaryJson), ...(page.next === undefined ? {} : { next: page.next }) };
    },
  );
  app.get(
    '/api/v1/persons/:id',
    {
      config: { scope: 'read', kind: 'get_person' },
      schema: {
        operationId: 'get_person',
        summary: 'A person with all samples',
        tags: TAGS,
        params: PersonParams,
        response: { 200: Person },
      },
    },
    async ({ params: { id } }) => personJson(await needPerson(parts, id)),
  );
  app.get(
    '/api/v1/persons/:id/samples',
    {
      config: { scope: 'read', kind: 'list_samples' },
      schema: {
        operationId: 'list_samples',
        summary: 'Samples of a person',
        tags: TAGS,
        params: PersonParams,
        response: { 200: Type.Object({ samples: Type.Array(Sample) }, { title: 'SampleList' }) },
      },
    },
    async ({ params: { id } }) => ({ samples: (await needPerson(parts, id)).samples.map(sampleJson) }),
  );
  app.get(
    '/api/v1/samples/:id/thumbnail',
    {
      config: { scope: 'read', kind: 'get_thumbnail' },
      schema: {
        operationId: 'get_thumbnail',
        summary: 'The kept picture of a face',
        description: 'There is one where the configuration keeps them (`data.keep_images`).',
        tags: TAGS,
        params: SampleParams,
        response: {
          200: {
            description: 'The picture',
            content: { 'image/jpeg': { schema: Type.String({ format: 'binary', description: 'A square JPEG' }) } },
          },
        },
      },
    },
    async ({ params: { id } }, reply) => {
      const picture = await parts.gallery.thumbnail(id);
      if (picture === undefined) throw new LineamentError('NOT_FOUND', `sample '${id}' has no picture`);
      const bytes = Buffer.from(picture.buffer, picture.byteOffset, picture.byteLength);
      return reply.type('image/jpeg').send(bytes as unknown as string);
    },
  );
}

function addChanging(app: App, parts: ServiceParts): void {
  app.put(
    '/api/v1/persons/:id',
    {
      config: { scope: 'enrol', kind: 'put_person' },
      schema: {
        operationId: 'put_person',
        summary: 'Set name and metadata of a person',
        tags: TAGS,
        params: PersonParams,
        body: PersonPut,
        response: { 200: ChangedPerson },
      },
    },
    ({ params: { id }, body, principal }) =>
      change(parts, principal.id, id, { name: body.name ?? null, metadata: (body.metadata ?? null) as Json }),
  );
  app.patch(
    '/api/v1/persons/:id',
    {
      config: { scope: 'enrol', kind: 'patch_person' },
      schema: {
        operationId: 'patch_person',
        summary: 'Change id, name or metadata of a person',
        tags: TAGS,
        params: PersonParams,
        body: PersonPatch,
        response: { 200: ChangedPerson },
      },
    },
    ({ params: { id }, body, principal }) =>
      change(parts, principal.id, id, {
        ...(body.id === undefined ? {} : { id: body.id }),
        ...(body.name === undefined ? {} : { name: body.name }),
        ...(body.metadata === undefined ? {} : { metadata: body.metadata as Json }),
      }),
  );
}

function addDeleting(app: App, parts: ServiceParts): void {
  app.delete(
    '/api/v1/persons/:id',
    {
      config: { scope: 'enrol', kind: 'delete_person' },
      schema: {
        operationId: 'delete_person',
        summary: 'Erase a person',
        description:
          'Rows, vectors, thumbnails, cache and log are overwritten; the receipt is signed. Cannot be undone.',
        tags: TAGS,
        params: PersonParams,
        response: { 200: Erasure },
      },
    },
    async ({ params: { id }, principal }) => {
      return erasureJson(await erase(parts, principal.id, { person: id }));
    },
  );
  app.delete(
    '/api/v1/samples/:id',
    {
      config: { scope: 'enrol', kind: 'delete_sample' },
      schema: {
        operationId: 'delete_sample',
        summary: 'Erase a sample',
        tags: TAGS,
        params: SampleParams,
        response: { 200: Erasure },
      },
    },
    async ({ params: { id }, principal }) => {
      return erasureJson(await erase(parts, principal.id, { sample: id }));
    },
  );
}

export const persons: RouteGroup = (app, parts) => {
  addReading(app, parts);
  addChanging(app, parts);
  addDeleting(app, parts);
};
