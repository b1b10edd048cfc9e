/** Fetching models: beginning, following and ending downloads, which outlive the requests for them. */
import { ERRORS, LineamentError, wrapError } from '../../errors.js';
import type { DownloadProgress } from '../../models/index.js';
import { record } from '../auth/index.js';
import { CATALOGUE, Download, ModelParams } from '../schemas/models.js';
import { clientSignal, type RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { Changes, eventStream, sendEvents } from './event-stream.js';

const TAGS = ['models'];
const ADDRESS = `${CATALOGUE}/:id/download`;

interface Running {
  readonly controller: AbortController;
  readonly startedAt: number;
  readonly changes: Changes;
  endedAt?: number;
  state: Download['state'];
  progress?: DownloadProgress;
  error?: LineamentError;
}

export const modelDownloadRoutes: RouteGroup = (app, parts) => {
  const { authority, closing, models } = parts;
  // The last download of each model: never more than the catalogue has.
  const downloads = new Map<string, Running>();
  const known = (id: string): Running => {
    const running = downloads.get(id);
    if (running !== undefined) return running;
    throw new LineamentError('NOT_FOUND', 'this service has begun no download of this model', {
      fix: 'Begin one by POST.',
    });
  };

  app.post(
    ADDRESS,
    {
      config: { scope: 'admin', kind: 'download_model' },
      schema: {
        operationId: 'download_model',
        summary: 'Fetches a model, or says how far that is',
        description:
          'Answers at once; ask again by GET until it is done, or listen to its events. Its licence must have been accepted. What is here already is verified.',
        tags: TAGS,
        params: ModelParams,
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
    ADDRESS,
    {
      config: { scope: 'admin', kind: 'model_download' },
      schema: {
        operationId: 'model_download',
        summary: 'How far the last download of a model is',
        tags: TAGS,
        params: ModelParams,
        response: { 200: Download },
      },
    },
    async ({ params: { id } }) => {
      await models.get(id);
      return progressOf(id, known(id));
    },
  );

  app.get(
    `${ADDRESS}/events`,
    {
      config: { scope: 'admin', kind: 'watch_model_download' },
      schema: {
        operationId: 'watch_model_download',
        summary: 'How far the last download of a model is, as it goes on',
        description:
          'Server-sent events, the `data` of each a `ModelDownload`: one at once, one for each change, and the last when the download has ended, which ends the answer. Who reads slowly is told less often, and of the newest state. Lines that begin with a colon come where there is nothing to tell.',
        tags: TAGS,
        params: ModelParams,
        response: { 200: eventStream('Events, until the download has ended') },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      await models.get(id);
      const running = known(id);
      return sendEvents(reply, {
        changes: running.changes,
        read: () => progressOf(id, running),
        isLast: ({ state }) => state !== 'running',
        signal: AbortSignal.any([clientSignal(request), closing]),
        mayHear: () => authority.stands(request.principal),
      });
    },
  );

  app.delete(
    ADDRESS,
    {
      config: { scope: 'admin', kind: 'cancel_model_download' },
      schema: {
        operationId: 'cancel_model_download',
        summary: 'Ends a download; what came is kept',
        tags: TAGS,
        params: ModelParams,
        response: { 204: { description: 'Done', type: 'null' } },
      },
    },
    async ({ params: { id } }, reply) => {
      known(id).controller.abort(new Error('cancelled'));
      return reply.code(204).send();
    },
  );
};

/** Begins a download that outlives its request and ends with the service. */
function begin({ models, closing, log }: ServiceParts, id: string): Running {
  const controller = new AbortController();
  const running: Running = { controller, startedAt: Date.now(), changes: new Changes(), state: 'running' };
  const signal = AbortSignal.any([controller.signal, closing]);
  const onProgress = (progress: DownloadProgress): void => {
    running.progress = progress;
    running.changes.tell();
  };
  const end = (state: Download['state']): void => {
    running.state = state;
    running.endedAt = Date.now();
    running.changes.tell();
  };
  models.download(id, { signal, onProgress }).then(
    () => {
      log.info({ model: id }, 'model downloaded');
      end('done');
    },
    (thrown: unknown) => {
      const error = wrapError(thrown);
      if (error.code === 'ABORTED') return end('cancelled');
      running.error = error;
      log.warn({ model: id, code: error.code, error: error.message }, 'model not downloaded');
      end('failed');
    },
  );
  return running;
}

function progressOf(id: string, { state, progress, startedAt, endedAt, error }: Running): Download {
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
