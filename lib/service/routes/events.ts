/** What happened before the cameras: the log, and `/ws/events` for what happens now. */
import type { EventQuery, PipelineEventType } from '../../pipeline/index.js';
import { CLOSE, eventJson, quietly, Wire } from '../cameras/index.js';
import { Time } from '../schemas/common.js';
import { clientSignal, type RouteGroup } from '../server.js';
import { type Static, Type } from '../vendor.js';

const TYPES = [
  ...['appeared', 'left', 'recognised', 'stranger', 'expression', 'gesture', 'liveness'],
  ...['zone', 'line', 'camera', 'clip', 'gap'],
] as const;
const words = (values: readonly string[]) => Type.Unsafe<string>({ type: 'string', enum: [...values] });
const several = (item: ReturnType<typeof words> | ReturnType<typeof Type.String>, description: string) =>
  Type.Optional(Type.Array(item, { minItems: 1, maxItems: 100, description }));

const Filter = {
  camera: several(Type.String({ minLength: 1, maxLength: 64 }), 'Of these cameras; may be given several times'),
  type: several(words(TYPES), 'Of these types; may be given several times'),
};
const Query = Type.Object(
  {
    ...Filter,
    person: several(Type.String({ minLength: 1, maxLength: 255 }), 'Of these persons or strangers'),
    from: Type.Optional(Time('Not before')),
    to: Type.Optional(Time('Before')),
    order: Type.Optional(words(['newest', 'oldest'])),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1000, default: 100 })),
    after: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: '`next` of the page before' })),
  },
  { additionalProperties: false },
);
const Listening = Type.Object(
  { ...Filter, ticket: Type.Optional(Type.String()) },
  { title: 'EventSubscription', additionalProperties: false },
);
const Event = Type.Object(
  {
    id: Type.String({ description: 'UUID version 7: sorts by time' }),
    type: Type.String(),
    camera: Type.String(),
    timestamp: Type.Number({ description: 'Of the frame, ms since the epoch, UTC' }),
  },
  { title: 'Event', additionalProperties: true, description: 'What happened; further fields depend on the type' },
);

export const eventRoutes: RouteGroup = (app, { cameras, closing }) => {
  app.get(
    '/api/v1/events',
    {
      config: { scope: 'read', kind: 'events' },
      schema: {
        operationId: 'list_events',
        summary: 'Events of the log, page by page',
        tags: ['cameras'],
        querystring: Query,
        response: { 200: Type.Object({ events: Type.Array(Event), next: Type.Optional(Type.String()) }) },
      },
    },
    async (request) => {
      if (cameras.cameras.length === 0) return { events: [] };
      const { log } = await cameras.pipeline();
      if (log === undefined) return { events: [] };
      const query = { ...request.query, signal: clientSignal(request) } as EventQuery;
      const { events, next } = await log.query(query);
      return { events: events.map(eventJson) as never, ...(next !== undefined && { next }) };
    },
  );

  app.get(
    '/ws/events',
    {
      websocket: true,
      config: { scope: 'read', kind: 'watch_events' },
      schema: { hide: true, querystring: Listening },
    },
    async (socket, request) => {
      const wire = new Wire(socket, closing);
      // Without cameras nothing ever happens.
      if (cameras.cameras.length === 0) return;
      const { camera, type } = request.query as Static<typeof Listening>;
      try {
        const pipeline = await cameras.pipeline();
        const events = pipeline.events({
          signal: wire.closed,
          ...(type !== undefined && { types: type as PipelineEventType[] }),
        });
        await quietly(wire.closed, async () => {
          for await (const event of events) {
            if (camera !== undefined && !camera.includes(event.camera)) continue;
            if (!(await wire.send({ type: 'event', event: eventJson(event) }))) return;
          }
        });
        wire.close(CLOSE.normal, 'all cameras have ended');
      } catch {
        wire.close(CLOSE.tryAgain, 'the cameras cannot be watched');
      }
    },
  );
};
