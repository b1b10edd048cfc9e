/** `/metrics` for Prometheus, `/api/v1/performance` for people. Neither waits in the queue. */
import type { HostMemory } from '../../engine/host/types.js';
import type { GalleryStats } from '../../gallery/index.js';
import type { RouteGroup } from '../server.js';
import type { ServiceParts } from '../types.js';
import { type Static, type TObject, Type } from '../vendor.js';
import { remembered } from './remembered.js';

/** The gallery counts its rows and the driver is asked at most so often, however many read. */
const FRESH_MS = 5000;

const count = (description?: string) =>
  Type.Integer({ minimum: 0, ...(description === undefined ? {} : { description }) });
const Times = Type.Object(
  { mean: Type.Number(), p50: Type.Number(), p95: Type.Number(), p99: Type.Number(), max: Type.Number() },
  { description: 'Milliseconds' },
);
const row = (name: string, description: string): TObject =>
  Type.Object({
    [name]: Type.String({ description }),
    count: count('Since the start'),
    errors: Type.Optional(count()),
    per_second: Type.Number({ description: 'Over the last minute' }),
    ms: Times,
  });

const Performance = Type.Object(
  {
    uptime_seconds: Type.Number(),
    requests: Type.Array(row('route', 'Method and pattern of the address')),
    inference: Type.Array(row('operation', 'Model and operation')),
    queue: Type.Array(row('priority', 'Waiting times of work of this priority')),
    memory: Type.Object({
      rss_bytes: count(),
      heap_used_bytes: count(),
      heap_total_bytes: count(),
      external_bytes: count(),
    }),
    event_loop_delay_ms: Type.Object({
      mean: Type.Number(),
      p50: Type.Number(),
      p99: Type.Number(),
      max: Type.Number(),
    }),
    scheduler: Type.Object({
      running: count(),
      waiting: count(),
      bytes: count(),
      done: count(),
      refused: count(),
      expired: count(),
      aborted: count(),
      service_ms: Type.Number({ description: 'Of the work itself, mean of the last ones' }),
    }),
    models: Type.Object({
      used_bytes: count('Upper bound of what the open networks hold'),
      budget_bytes: Type.Optional(count()),
      engines: Type.Array(
        Type.Object({
          name: Type.String(),
          state: Type.String(),
          current: Type.Boolean(),
          bytes: count(),
          running: count(),
        }),
      ),
      devices: Type.Array(
        Type.Object({ device: Type.String(), total_bytes: count(), free_bytes: count(), source: Type.String() }),
      ),
    }),
    gallery: Type.Object({ revision: count(), persons: count(), samples: count(), index_bytes: count() }),
  },
  { title: 'Performance', description: 'What the service has done, how long it took, and what it holds' },
);

export const performanceRoutes: RouteGroup = async (app, parts) => {
  const { engines, gallery, metrics, scheduler } = parts;
  const stats = remembered(FRESH_MS, () => gallery.stats());
  const memory = remembered(FRESH_MS, () => engines.memory());
  await watch(parts, stats, memory);

  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'metrics',
        summary: 'Metrics in the text format of Prometheus',
        tags: ['service'],
        response: { 200: { description: 'Metrics', content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (_, reply) => {
      const { contentType, body } = await metrics.text();
      return reply.header('content-type', contentType).send(body);
    },
  );

  app.get(
    '/api/v1/performance',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'performance',
        summary: 'Counts, rates and times of every route, engine and queue, and memory in use',
        tags: ['service'],
        response: { 200: Performance },
      },
    },
    async () => {
      const [persons, held] = await Promise.all([stats(), memory()]);
      const { serviceMs, ...counts } = scheduler.stats();
      return {
        ...(metrics.summary() as object),
        scheduler: { ...counts, service_ms: Math.round(serviceMs * 1000) / 1000 },
        models: {
          used_bytes: held.used,
          ...(held.budget === undefined ? {} : { budget_bytes: held.budget }),
          engines: engines
            .list()
            .map(({ name, state, current, bytes, running }) => ({ name, state, current, bytes, running })),
          devices: held.devices.map(({ device, total, free, source }) => ({
            device,
            total_bytes: total,
            free_bytes: free,
            source,
          })),
        },
        gallery: {
          revision: persons.revision,
          persons: persons.persons,
          samples: persons.samples,
          index_bytes: persons.bytes.index,
        },
      } as Static<typeof Performance>;
    },
  );
};

/** Numbers that belong to parts of the service, not to requests. */
async function watch(
  { engines, metrics, startedAt }: ServiceParts,
  stats: () => Promise<GalleryStats>,
  memory: () => Promise<HostMemory>,
): Promise<void> {
  const of = (name: string, help: string, value: (all: GalleryStats) => number): void =>
    metrics.gauge(name, help, async () => value(await stats()));
  of('lineament_gallery_persons', 'Persons of the gallery', ({ persons }) => persons);
  of('lineament_gallery_samples', 'Samples of the gallery', ({ samples }) => samples);
  of('lineament_gallery_revision', 'Grows with each change of the gallery', ({ revision }) => revision);
  of('lineament_gallery_damaged', 'Samples that cannot be read', ({ damaged }) => damaged);
  of('lineament_gallery_index_bytes', 'The index in memory', ({ bytes }) => bytes.index);
  of('lineament_gallery_database_bytes', 'The database on the disk', ({ bytes }) => bytes.database + bytes.log);
  const ready = () => engines.list().filter(({ state }) => state === 'ready');
  metrics.gauge(
    'lineament_models_bytes',
    'Upper bound of what the open networks hold',
    async () => (await memory()).used,
  );
  metrics.gauge('lineament_engines_ready', 'Engines that are open', () => ready().length);
  metrics.gauge('lineament_engines_running', 'Calls that engines work on', () =>
    ready().reduce((sum, { running }) => sum + running, 0),
  );
  metrics.gauge('lineament_start_time_seconds', 'Start of the service since the epoch', () => startedAt / 1000);
  const { devices } = await memory().catch(() => ({ devices: [] }));
  for (const { device } of devices) {
    const free = async (): Promise<number> =>
      (await memory()).devices.find((one) => one.device === device)?.free ?? Number.NaN;
    metrics.gauge('lineament_device_memory_free_bytes', 'Memory that is free on a device', free, { device });
  }
}
