/** Models as files: which there are, their licences, deleting them. */
import { shownAddress } from '../../models/catalogue/address.js';
import type { CatalogueEntry, ModelSource } from '../../models/index.js';
import { record } from '../auth/index.js';
import { Words } from '../schemas/common.js';
import { CATALOGUE, ModelId, ModelParams } from '../schemas/models.js';
import type { RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type Static, Type } from '../vendor.js';

const TAGS = ['models'];

const LicenceName = Type.String({ minLength: 1, maxLength: 100, description: 'Short name of a licence' });

const fields = {
  id: ModelId,
  title: Type.String(),
  task: Type.String({ description: 'What it is for, such as face-detection' }),
  licence: Type.String({ description: 'What its licence says, in short' }),
  licence_id: LicenceName,
  licence_url: Type.Optional(Type.String({ description: 'Where the licence can be read' })),
  commercial: Type.Boolean({ description: 'Its licence allows use in products' }),
  sets: Type.Array(Type.String(), { description: 'Names of what it is published in, such as buffalo_l' }),
  origin: Words(
    ['starter', 'catalogue', 'private'] as const,
    'starter: part of the starter pack. catalogue: can be fetched. private: of a card of the operator.',
  ),
  state: Words(['present', 'absent', 'downloading'] as const, 'Whether its file is here'),
  bytes: Type.Optional(Type.Integer({ minimum: 0, description: 'Size of the file; absent where not known yet' })),
  sha256: Type.Optional(Type.String({ description: 'Of the file, hexadecimal; absent where not known yet' })),
  trust: Words(
    ['published', 'first-use', 'unknown'] as const,
    'published: the hash comes with the card. first-use: it is the one that was seen first. unknown: none is published, and nothing was fetched yet.',
  ),
  accepted: Type.Boolean({ description: 'Its licence was accepted: it may be fetched' }),
};
const Model = Type.Object(fields, { title: 'CatalogueModel', description: 'A model of the catalogue' });
const Models = Type.Object({ models: Type.Array(Model) }, { title: 'CatalogueModels' });
const ModelDetail = Type.Object(
  {
    ...fields,
    training_data: Type.String({ description: 'What is known of the photographs that it learned from' }),
    input: Type.Object({
      width: Type.Integer({ minimum: 1 }),
      height: Type.Integer({ minimum: 1 }),
      colour: Type.String({ description: 'RGB, BGR or GRAY' }),
    }),
    outputs: Type.Array(Type.Object({ name: Type.String(), meaning: Type.String() })),
    sources: Type.Array(
      Type.Object({
        url: Type.String({ description: 'Without credentials and query' }),
        member: Type.Optional(Type.String({ description: 'File inside, where it is an archive' })),
      }),
      { description: 'Where it is fetched from, in this order; mirrors of the configuration come first' },
    ),
    obtain: Type.Optional(Type.String({ description: 'How to come by it where no address gives it' })),
  },
  { title: 'CatalogueModelDetail', description: 'A model and its card' },
);
const Accepted = Type.Object(
  { licence_id: LicenceName, models: Type.Array(ModelId, { description: 'Models that may be fetched now' }) },
  { title: 'AcceptedLicence' },
);
const NOTHING = { description: 'Done', type: 'null' } as const;

export const modelCatalogueRoutes: RouteGroup = (app, parts) => {
  const { models } = parts;

  app.get(
    CATALOGUE,
    {
      config: { scope: 'read', kind: 'list_models' },
      schema: {
        operationId: 'list_models',
        summary: 'All models: of the starter pack, that can be fetched, of private cards',
        tags: TAGS,
        response: { 200: Models },
      },
    },
    async () => ({ models: (await models.list()).map(shown) }),
  );

  app.get(
    `${CATALOGUE}/:id`,
    {
      config: { scope: 'read', kind: 'show_model' },
      schema: {
        operationId: 'show_model',
        summary: 'A model and its card',
        tags: TAGS,
        params: ModelParams,
        response: { 200: ModelDetail },
      },
    },
    ({ params: { id } }) => detailOf(parts, id),
  );

  app.delete(
    `${CATALOGUE}/:id`,
    {
      config: { scope: 'admin', kind: 'remove_model' },
      schema: {
        operationId: 'remove_model',
        summary: 'Deletes the file of a downloaded model; an engine that has it open keeps serving',
        tags: TAGS,
        params: ModelParams,
        response: { 204: NOTHING },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await models.remove(id);
      await record(parts, request, 'model.remove', { detail: { id } });
      return reply.code(204).send();
    },
  );

  app.post(
    '/api/v1/models/licences/:licence_id',
    {
      config: { scope: 'admin', kind: 'accept_licence' },
      schema: {
        operationId: 'accept_licence',
        summary: 'Accepts a licence by its name, lastingly',
        tags: TAGS,
        params: Type.Object({ licence_id: LicenceName }),
        response: { 200: Accepted },
      },
    },
    async (request) => {
      const { licence_id } = request.params;
      await models.accept(licence_id);
      await record(parts, request, 'licence.accept', { detail: { licence: licence_id } });
      const covered = (await models.list()).filter(({ licenceId }) => licenceId === licence_id);
      return { licence_id, models: covered.map(({ id }) => id) };
    },
  );
};

function shown(entry: CatalogueEntry): Static<typeof Model> {
  const { id, title, task, licence, licenceId, licenceUrl, commercial, sets, origin, state, trust, accepted } = entry;
  return {
    id,
    title,
    task,
    licence,
    licence_id: licenceId,
    ...(licenceUrl !== undefined && { licence_url: licenceUrl }),
    commercial,
    sets: [...(sets ?? [])],
    origin,
    state,
    ...(entry.bytes !== undefined && { bytes: entry.bytes }),
    ...(entry.sha256 !== undefined && { sha256: entry.sha256 }),
    trust,
    accepted,
  };
}

async function detailOf({ models }: ServiceParts, id: string): Promise<Static<typeof ModelDetail>> {
  const [entry, card] = await Promise.all([models.get(id), models.card(id)]);
  const { width, height, colour } = card.input;
  const sources = Array.isArray(card['sources']) ? (card['sources'] as ModelSource[]) : [];
  const obtain = card['obtain'];
  return {
    ...shown(entry),
    training_data: card.trainingData,
    input: { width, height, colour },
    outputs: card.outputs.map(({ name, meaning }) => ({ name, meaning: meaning ?? '' })),
    sources: sources.map(({ url, member }) => ({
      url: shownAddress(new URL(url)),
      ...(member !== undefined && { member }),
    })),
    ...(typeof obtain === 'string' && { obtain }),
  };
}
