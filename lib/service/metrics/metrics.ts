import { ERRORS } from '../../errors.js';
import type { Json } from '../../gallery/index.js';
import type { LatencySummary } from '../../pipeline/histogram.js';
import type { Metrics, Priority } from '../types.js';
import { Counter, Histogram, Registry } from '../vendor.js';
import { LoopWatch } from './event-loop.js';
import { among, LabelValues } from './labels.js';
import { Tally } from './rates.js';
import { Readings } from './readings.js';

/** Upper edges in seconds: from what answers at once to what is given up. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const CODES = new Set(Object.keys(ERRORS));
/** Bounds of label values; more than there are routes, models and operations. */
const MOST = { routes: 256, models: 64, operations: 64 };
/** Where a table for people ends. */
const MOST_TALLIES = 512;

/** Metrics of one service in a registry of their own. */
export function createMetrics(): Metrics {
  return new PrometheusMetrics();
}

class PrometheusMetrics implements Metrics {
  readonly #registry = new Registry();
  readonly #readings = new Readings(this.#registry);
  readonly #routes = new LabelValues(MOST.routes);
  readonly #models = new LabelValues(MOST.models);
  readonly #operations = new LabelValues(MOST.operations);
  readonly #networks = new LabelValues(MOST.models);
  readonly #began = performance.now();
  readonly #loop = new LoopWatch();
  readonly #tallies = {
    requests: new Map<string, Tally>(),
    inference: new Map<string, Tally>(),
    queue: new Map<string, Tally>(),
  };
  readonly #requests;
  readonly #seconds;
  readonly #errors;
  readonly #inference;
  readonly #batches;
  readonly #wait;

  constructor() {
    const registers = [this.#registry];
    this.#requests = new Counter({
      name: 'lineament_http_requests_total',
      help: 'Requests that were answered',
      labelNames: ['route', 'method', 'status'],
      registers,
    });
    this.#seconds = new Histogram({
      name: 'lineament_http_request_duration_seconds',
      help: 'Time from the head of a request to the end of its answer',
      labelNames: ['route', 'method'],
      buckets: BUCKETS,
      registers,
    });
    this.#errors = new Counter({
      name: 'lineament_http_errors_total',
      help: 'Requests that were answered with a problem, by its code',
      labelNames: ['route', 'code'],
      registers,
    });
    this.#inference = new Histogram({
      name: 'lineament_inference_duration_seconds',
      help: 'Calls of an engine',
      labelNames: ['model', 'operation'],
      buckets: BUCKETS,
      registers,
    });
    this.#batches = new Histogram({
      name: 'lineament_batch_items',
      help: 'Faces in one run of a recogniser, where requests are joined',
      labelNames: ['network'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    });
    this.#wait = new Histogram({
      name: 'lineament_queue_wait_seconds',
      help: 'Time that work waited for its turn',
      labelNames: ['priority'],
      buckets: [0.001, ...BUCKETS],
      registers,
    });
    this.#watchProcess();
  }

  request(route: string, method: string, status: number, seconds: number): void {
    const labels = { route: this.#routes.of(route), method: among(METHODS, method) };
    this.#requests.inc({ ...labels, status: String(Math.trunc(status)) });
    this.#seconds.observe(labels, seconds);
    const tally = tallyOf(this.#tallies.requests, `${labels.method} ${labels.route}`);
    tally?.add(seconds * 1000);
    if (tally !== undefined && status >= 400) tally.errors++;
  }

  error(route: string, code: string): void {
    this.#errors.inc({ route: this.#routes.of(route), code: among(CODES, code) });
  }

  inference(model: string, operation: string, seconds: number): void {
    const labels = { model: this.#models.of(model), operation: this.#operations.of(operation) };
    this.#inference.observe(labels, seconds);
    tallyOf(this.#tallies.inference, `${labels.model} ${labels.operation}`)?.add(seconds * 1000);
  }

  batch(network: string, items: number): void {
    this.#batches.observe({ network: this.#networks.of(network) }, items);
  }

  queued(priority: Priority, seconds: number): void {
    this.#wait.observe({ priority }, seconds);
    tallyOf(this.#tallies.queue, priority)?.add(seconds * 1000);
  }

  gauge(
    name: string,
    help: string,
    read: () => number | Promise<number>,
    labels?: Readonly<Record<string, string>>,
  ): void {
    this.#readings.add(name, help, read, labels);
  }

  async text(): Promise<{ readonly contentType: string; readonly body: string }> {
    return { contentType: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  summary(): Json {
    const memory = process.memoryUsage();
    return {
      uptime_seconds: round((performance.now() - this.#began) / 1000),
      requests: rows(this.#tallies.requests, 'route', true),
      inference: rows(this.#tallies.inference, 'operation', false),
      queue: rows(this.#tallies.queue, 'priority', false),
      memory: {
        rss_bytes: memory.rss,
        heap_used_bytes: memory.heapUsed,
        heap_total_bytes: memory.heapTotal,
        external_bytes: memory.external,
      },
      event_loop_delay_ms: rounded(this.#loop.read()),
    };
  }

  close(): void {
    this.#loop.close();
  }

  #watchProcess(): void {
    const memory = (name: string, help: string, of: keyof NodeJS.MemoryUsage): void =>
      this.gauge(name, help, () => process.memoryUsage()[of]);
    this.gauge('process_resident_memory_bytes', 'Resident memory', () => process.memoryUsage.rss());
    memory('nodejs_heap_size_used_bytes', 'Heap of JavaScript in use', 'heapUsed');
    memory('nodejs_heap_size_total_bytes', 'Heap of JavaScript', 'heapTotal');
    memory('nodejs_external_memory_bytes', 'Memory of buffers that JavaScript holds', 'external');
    const began = Date.now() / 1000 - process.uptime();
    this.gauge('process_start_time_seconds', 'Start of the process since the epoch', () => began);
    for (const quantile of ['p50', 'p99', 'max'] as const) {
      this.gauge(
        'nodejs_eventloop_delay_seconds',
        'How late the event loop came to what was due, over the last minute or two',
        () => this.#loop.read()[quantile] / 1000,
        { quantile },
      );
    }
    const registers = [this.#registry];
    const spent = { user: 0, system: 0 };
    new Counter({
      name: 'process_cpu_seconds_total',
      help: 'Processor time',
      labelNames: ['mode'],
      registers,
      collect() {
        const { user, system } = process.cpuUsage();
        this.inc({ mode: 'user' }, (user - spent.user) / 1e6);
        this.inc({ mode: 'system' }, (system - spent.system) / 1e6);
        Object.assign(spent, { user, system });
      },
    });
  }
}

function tallyOf(all: Map<string, Tally>, name: string): Tally | undefined {
  const known = all.get(name);
  if (known !== undefined || all.size >= MOST_TALLIES) return known;
  const made = new Tally();
  all.set(name, made);
  return made;
}

function rows(all: ReadonlyMap<string, Tally>, name: string, errors: boolean): Json {
  return [...all]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, tally]): Json => {
      const { count, ...times }: LatencySummary = tally.times.summary();
      return {
        [name]: key,
        count,
        ...(errors ? { errors: tally.errors } : {}),
        per_second: round(tally.perSecond()),
        ms: rounded(times),
      };
    });
}

const round = (value: number): number => Math.round(value * 1000) / 1000;

const rounded = (values: object): Record<string, number> =>
  Object.fromEntries(Object.entries(values as Record<string, number>).map(([name, value]) => [name, round(value)]));
