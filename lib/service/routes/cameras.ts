/** Cameras: their state, their newest picture, and `/ws/camera/{id}` for pictures, tracks and events as they come. */
import { abortable, eitherOf } from '../../errors/abort.js';
import { LineamentError } from '../../errors.js';
import { CameraSession, CLOSE, cameraJson, Subscription, Wire } from '../cameras/index.js';
import { clientSignal, type RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { Type } from '../vendor.js';

const Id = Type.Object({ id: Type.String({ minLength: 1, maxLength: 64, description: 'Id of the configuration' }) });
const Camera = Type.Object(
  {
    id: Type.String(),
    state: Type.String({ description: 'opening, running, lost, ended or failed' }),
    tracks: Type.Optional(Type.Integer({ description: 'People who are followed now' })),
  },
  { title: 'Camera', additionalProperties: true, description: 'A camera, with its counts since the start' },
);

/** The state of a camera; before the pipeline is open nothing but that it is being opened. */
async function stateOf({ cameras, closing }: ServiceParts): Promise<Record<string, unknown>[]> {
  const unknown = cameras.cameras.map(({ id }) => ({ id, state: 'opening' }));
  if (unknown.length === 0) return [];
  const notYet = new Promise<undefined>((resolve) => setTimeout(resolve, 0, undefined));
  const pipeline = await Promise.race([cameras.pipeline().catch(() => undefined), notYet]);
  if (pipeline === undefined || closing.aborted) return unknown;
  const known = new Map(pipeline.stats().cameras.map((camera) => [camera.camera, cameraJson(camera)]));
  return unknown.map((camera) => known.get(camera.id) ?? camera);
}

export const cameraRoutes: RouteGroup = (app, parts) => {
  const { cameras, closing, metrics } = parts;
  metrics.gauge('lineament_websockets', 'WebSockets that are open', () => app.websocketServer.clients.size);
  metrics.gauge(
    'lineament_camera_viewers',
    'Clients that are sent pictures of cameras',
    () => cameras.pictures.viewers,
  );

  app.get(
    '/api/v1/cameras',
    {
      config: { scope: 'read', kind: 'cameras' },
      schema: {
        operationId: 'list_cameras',
        summary: 'Cameras that are watched, with their state and counts',
        tags: ['cameras'],
        response: { 200: Type.Object({ cameras: Type.Array(Camera) }) },
      },
    },
    async () => ({ cameras: (await stateOf(parts)) as never }),
  );

  app.get(
    '/api/v1/cameras/:id',
    {
      config: { scope: 'read', kind: 'cameras' },
      schema: {
        operationId: 'get_camera',
        summary: 'One camera',
        tags: ['cameras'],
        params: Id,
        response: { 200: Camera },
      },
    },
    async ({ params }) => {
      cameras.config(params.id);
      return (await stateOf(parts)).find(({ id }) => id === params.id) as never;
    },
  );

  app.get(
    '/api/v1/cameras/:id/picture',
    {
      config: { scope: 'read', kind: 'camera_picture' },
      schema: {
        operationId: 'get_camera_picture',
        summary: 'The newest picture, faces covered as the configuration says',
        tags: ['cameras'],
        params: Id,
        querystring: Type.Pick(Subscription, ['max_side', 'quality']),
        response: {
          200: { description: 'JPEG', content: { 'image/jpeg': { schema: Type.String({ format: 'binary' }) } } },
        },
      },
    },
    async (request, reply) => {
      const { id } = request.params;
      cameras.config(id);
      const { max_side: maxSide = 960, quality = 75 } = request.query;
      const asked = eitherOf(clientSignal(request), closing);
      const signal = AbortSignal.any([asked.signal, AbortSignal.timeout(parts.config.limits.deadlineMs)]);
      const { jpeg, sequence, timestamp } = await abortable(cameras.pipeline(), signal)
        .then((pipeline) => cameras.pictures.next(pipeline, id, { maxSide, quality }, signal))
        .catch((cause) => {
          throw new LineamentError('CAMERA_LOST', `camera '${id}' gave no picture in time`, { cause });
        })
        .finally(asked.forget);
      return reply
        .header('content-type', 'image/jpeg')
        .header('x-sequence', sequence)
        .header('x-timestamp', timestamp)
        .send(Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength) as never);
    },
  );

  app.get(
    '/ws/camera/:id',
    {
      websocket: true,
      config: { scope: 'read', kind: 'watch_camera' },
      schema: {
        hide: true,
        params: Id,
        querystring: Type.Composite([Subscription, Type.Object({ ticket: Type.Optional(Type.String()) })], {
          additionalProperties: false,
        }),
      },
      // Before the connection becomes a WebSocket, so that it is an answer of HTTP.
      preHandler: async (request) => void cameras.config((request.params as { id: string }).id),
    },
    async (socket, request) => {
      const wire = new Wire(socket, closing);
      let { ticket: _, ...asked } = request.query as Subscription & { ticket?: string };
      let session: CameraSession | undefined;
      wire.listen((message) => {
        const wanted = (message as { subscribe?: unknown } | null)?.subscribe;
        // As a body: the text "5" is no number.
        if (request.validateInput(wanted, Subscription, 'body') !== true) {
          const detail = 'a message is {"subscribe": {…}} with pictures, tracks, events, fps, max_side, quality';
          return wire.send({ type: 'error', code: 'INVALID_ARGUMENT', detail });
        }
        asked = { ...asked, ...(wanted as Subscription) };
        session?.subscribe(asked);
        return undefined;
      });
      try {
        const pipeline = await cameras.pipeline();
        if (wire.closed.aborted) return;
        session = new CameraSession(wire, pipeline, cameras.pictures, (request.params as { id: string }).id, asked);
      } catch {
        wire.close(CLOSE.tryAgain, 'the cameras cannot be opened');
      }
    },
  );
};
