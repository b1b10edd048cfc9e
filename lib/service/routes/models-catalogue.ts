/** Models as files: which there are, fetching them, their licences, deleting them. */
import { ERRORS, LineamentError, wrapError } from '../../errors.js';
import { shownAddress } from '../../models/catalogue/address.js';
import type { CatalogueEntry, DownloadProgress, ModelSource } from '../../models/index.js';
import { record } from '../auth/index.js';
import { Time, Words } from '../schemas/common.js';
import type { RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type Static, Type } from '../vendor.js';

const TAGS = ['models'];
const BASE = '/api/v1/models/catalogue';

const Id = Type.String({ minLength: 1, maxLength: 100, description: 'Id of a model' });
const Params = Type.Object({ id: Id });
const LicenceName = Type.String({ minLength: 1, maxLength: 100, description: 'Short name of a licence' });

const fields = {
  id: Id,
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
const Download = Type.Object(
  {
    id: Id,
    state: Words(
      ['running', 'done', 'failed', 'cancelled'] as const,
      'failed and cancelled: what came is kept, and a new request goes on there.',
    ),
    received: Type.Integer({ minimum: 0, description: 'Bytes so far, those of earlier tries included' }),
    total: Type.Optional(Type.Integer({ minimum: 0, description: 'Bytes in all; absent while not known' })),
    resumed: Type.Integer({ minimum: 0, description: 'Bytes that were there from an earlier try' }),
    source: Type.Optional(Type.String({ description: 'Address that is being fetched, without credentials' })),
    started_at: Time('When it began'),
    ended_at: Type.Optional(Time('When it ended; absent while it runs')),
    error: Type.Optional(
      Type.Object(
        {
          code: Type.String({ description: 'Stable: to be matched on' }),
          title: Type.String(),
          detail: Type.Optional(Type.String({ description: 'What each address said' })),
        },
        { description: 'Why it failed' },
      ),
    ),
  },
  { title: 'ModelDownload', description: 'How far a download is' },
);
const Accepted = Type.Object(
  { licence_id: LicenceName, models: Type.Array(Id, { description: 'Models that may be fetched now' }) },
  { title: 'AcceptedLicence' },
);
const NOTHING = { description: 'Done', type: 'null' } as const;

interface Running {
  readonly controller: AbortController;
  readonly startedAt: number;
  endedAt?: number;
  state: 'running' | 'done' | 'failed' | 'cancelled';
  progress?: DownloadProgress;
  error?: LineamentError;
}

export const modelCatalogueRoutes: RouteGroup = (app, parts) => {
  const { models } = parts;
  // The last download of each model: never more than the catalogue has.
  const downloads = new Map<string, Running>();

  app.get(
    BASE,
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
    `${BASE}/:id`,
    {
      config: { scope: 'read', kind: 'show_model' },
      schema: {
        operationId: 'show_model',
        summary: 'A model and its card',
        tags: TAGS,
        params: Params,
        response: { 200: ModelDetail },
      },
    },
    ({ params: { id } }) => detailOf(parts, id),
  );

  app.post(
    `${BASE}/:id/download`,
    {
      config: { scope: 'admin', kind: 'download_model' },
      schema: {
        operationId: 'download_model',
        summary: 'Fetches a model, or says how far that is',
        description:
          'Answers at once; ask again by GET until it is done. Its licence must have been accepted. What is here already is verified.',
        tags: TAGS,
        params: Params,
        response: { 202: Download },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      const { accepted, state, licenceId } = await models.get(id);
      if (!accepted && state === 'absent') {
        throw new LineamentError('LICENCE_NOT_ACCEPTED', `${id} is under '${licenceId}'`, {
          fix: 'Read the licence, then accept it by its name (accept_licence).',
        });
      }
      let running = downloads.get(id);
      if (running?.state !== 'running') {
        running = begin(parts, id);
        downloads.set(id, running);
        await record(parts, request, 'model.download', { detail: { id } });
      }
      return reply.code(202).send(progressOf(id, running));
    },
  );

  app.get(
    `${BASE}/:id/download`,
    {
      config: { scope: 'admin', kind: 'model_download' },
      schema: {
        operationId: 'model_download',
        summary: 'How far the last download of a model is',
        tags: TAGS,
        params: Params,
        response: { 200: Download },
      },
    },
    async ({ params: { id } }) => {
      await models.get(id);
      return progressOf(id, knownDownload(downloads, id));
    },
  );

  app.delete(
    `${BASE}/:id/download`,
    {
      config: { scope: 'admin', kind: 'cancel_model_download' },
      schema: {
        operationId: 'cancel_model_download',
        summary: 'Ends a download; what came is kept',
        tags: TAGS,
        params: Params,
        response: { 204: NOTHING },
      },
    },
    async ({ params: { id } }, reply) => {
      knownDownload(downloads, id).controller.abort(new Error('cancelled'));
      return reply.code(204).send();
    },
  );

  app.delete(
    `${BASE}/:id`,
    {
      config: { scope: 'admin', kind: 'remove_model' },
      schema: {
        operationId: 'remove_model',
        summary: 'Deletes the file of a downloaded model; an engine that has it open keeps serving',
        tags: TAGS,
        params: Params,
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

function knownDownload(downloads: ReadonlyMap<string, Running>, id: string): Running {
  const running = downloads.get(id);
  if (running === undefined) throw new LineamentError('NOT_FOUND', 'this service has begun no download of this model');
  return running;
}

/** Begins a download that outlives its request and ends with the service. */
function begin({ models, closing, log }: ServiceParts, id: string): Running {
  const controller = new AbortController();
  const running: Running = { controller, startedAt: Date.now(), state: 'running' };
  const signal = AbortSignal.any([controller.signal, closing]);
  const onProgress = (progress: DownloadProgress): void => {
    running.progress = progress;
  };
  models
    .download(id, { signal, onProgress })
    .then(
      () => {
        running.state = 'done';
        log.info({ model: id }, 'model downloaded');
      },
      (thrown: unknown) => {
        const error = wrapError(thrown);
        running.state = error.code === 'ABORTED' ? 'cancelled' : 'failed';
        if (running.state === 'cancelled') return;
        running.error = error;
        log.warn({ model: id, code: error.code, error: error.message }, 'model not downloaded');
      },
    )
    .finally(() => {
      running.endedAt = Date.now();
    });
  return running;
}

function progressOf(id: string, { state, progress, startedAt, endedAt, error }: Running): Static<typeof Download> {
  return {
    id,
    state,
    received: progress?.received ?? 0,
    ...(progress?.total !== undefined && { total: progress.total }),
    resumed: progress?.resumed ?? 0,
    ...(progress !== undefined && { source: progress.source }),
    started_at: startedAt,
    ...(endedAt !== undefined && { ended_at: endedAt }),
    ...(error !== undefined && {
      error: {
        code: error.code,
        title: ERRORS[error.code].message,
        // What addresses said holds no paths of this machine; the fix and other messages do.
        ...(error.code === 'DOWNLOAD_FAILED' && { detail: withoutFix(error) }),
      },
    }),
  };
}

const withoutFix = ({ message, fix }: LineamentError): string =>
  fix !== undefined && message.endsWith(fix) ? message.slice(0, -fix.length).trim() : message;

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
