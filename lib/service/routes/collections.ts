/** Collections: persons and samples that are searched together, pinned to the recogniser that they were made with. */
import { LineamentError } from '../../errors.js';
import type { Json } from '../../gallery/index.js';
import { unpin } from '../faces/enrol.js';
import { erase } from '../faces/erase.js';
import { recogniserOf } from '../faces/work.js';
import { collectionJson, erasureJson } from '../schemas/person-json.js';
import { Collection, CollectionParams, CollectionPost, Erasure } from '../schemas/persons.js';
import type { RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { Type } from '../vendor.js';

const TAGS = ['collections'];

async function needCollection({ gallery }: ServiceParts, name: string) {
  const found = (await gallery.collections()).find((one) => one.name === name);
  if (found === undefined) throw new LineamentError('NOT_FOUND', `there is no collection '${name}'`);
  return collectionJson(found);
}

export const collections: RouteGroup = (app, parts) => {
  app.get(
    '/api/v1/collections',
    {
      config: { scope: 'read', kind: 'list_collections' },
      schema: {
        operationId: 'list_collections',
        summary: 'All collections',
        tags: TAGS,
        response: { 200: Type.Object({ collections: Type.Array(Collection) }, { title: 'CollectionList' }) },
      },
    },
    async () => ({ collections: (await parts.gallery.collections()).map(collectionJson) }),
  );
  app.get(
    '/api/v1/collections/:name',
    {
      config: { scope: 'read', kind: 'get_collection' },
      schema: {
        operationId: 'get_collection',
        summary: 'A collection',
        tags: TAGS,
        params: CollectionParams,
        response: { 200: Collection },
      },
    },
    ({ params: { name } }) => needCollection(parts, name),
  );
  app.post(
    '/api/v1/collections',
    {
      config: { scope: 'enrol', kind: 'create_collection' },
      schema: {
        operationId: 'create_collection',
        summary: 'Make a collection',
        description: 'It is pinned to the recogniser in use. Enrolling into one that is not there makes it too.',
        tags: TAGS,
        body: CollectionPost,
        response: { 201: Collection },
      },
    },
    async ({ body: { name, settings }, principal }, reply) => {
      const { model, dims, hash } = await parts.engines.use(recogniserOf);
      const options = {
        model,
        dims,
        modelHash: hash,
        ...(settings === undefined ? {} : { settings: settings as Json }),
      };
      await parts.gallery.createCollection(name, options);
      await parts.audit.append({ actor: principal.id, action: 'collection.create', subject: name, detail: { model } });
      return reply.code(201).send(await needCollection(parts, name));
    },
  );
  app.delete(
    '/api/v1/collections/:name',
    {
      config: { scope: 'admin', kind: 'delete_collection' },
      schema: {
        operationId: 'delete_collection',
        summary: 'Erase a collection',
        description: 'With all its samples, and the persons who have none left.',
        tags: TAGS,
        params: CollectionParams,
        response: { 200: Erasure },
      },
    },
    async ({ params: { name }, principal }) => {
      const erasure = await erase(parts, principal.id, { collection: name });
      unpin(parts.gallery);
      return erasureJson(erasure);
    },
  );
};
