import { availableParallelism } from 'node:os';
import { onAbort } from '../../errors/abort.js';
import { numberIn, oneOf } from '../../errors/validate.js';
import { abortError, LineamentError } from '../../errors.js';
import type { Job, Metrics, Priority, Scheduler, SchedulerStats, ServiceConfig } from '../types.js';
import { overloaded } from './overload.js';
import { ServiceTimes } from './service-times.js';
import { PRIORITIES, WaitingLine } from './waiting.js';

/** Shares of `limits.deadlineMs` that a priority stands behind: less than the whole, so that ageing helps before the deadline does. */
const HANDICAPS: Readonly<Record<Priority, number>> = { high: 0, normal: 0.1, low: 0.4 };
/** Share of the queue that is there for `low` work: the rest is kept for what is waited for. */
const LOW_SHARE = 0.5;
/**
 * Share of its deadline that a job may be expected to take: what is estimated is not certain, and who is turned away at once is better off than
 * who waits for nothing.
 */
const HOPE = 0.5;
/** Work whose turn comes so late that less than this share of its usual time is left would be done for nobody. */
const LEAST_LEFT = 0.5;
/** Jobs at a time for each compute thread: while one is decoded or answered, elsewhere, another one's networks run. */
const JOBS_PER_THREAD = 2;
/** The longest that Node's timers can wait, ms. */
const LONGEST_TIMER = 2 ** 31 - 1;

/** One job between `run` and its answer. */
interface Task {
  readonly kind: string;
  readonly priority: Priority;
  readonly bytes: number;
  /** ms of `performance.now()`. */
  readonly since: number;
  /** When it is given up. */
  readonly until: number;
  readonly begin: (signal: AbortSignal) => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  /** Takes the listener off the caller's signal. */
  forget: () => void;
  /** Set while it works. */
  working?: { readonly since: number; readonly abort: AbortController };
}

/** How jobs end, and what is counted: refused ones never began to wait. */
type Outcome = 'done' | 'refused' | 'expired' | 'aborted';

/** What of the configuration the scheduler goes by. */
export type SchedulingConfig = Pick<ServiceConfig, 'limits'> & {
  readonly server: Pick<ServiceConfig['server'], 'drainMs'>;
  readonly engine: Pick<ServiceConfig['engine'], 'threads'>;
};

/** A scheduler over the limits of a configuration. Depth, bytes and waiting times go into the metrics. Not for several threads. */
export function createScheduler(config: SchedulingConfig, metrics: Metrics): Scheduler {
  return new WorkScheduler(config, metrics);
}

class WorkScheduler implements Scheduler {
  readonly #limits: ServiceConfig['limits'];
  readonly #concurrency: number;
  readonly #drainMs: number;
  readonly #metrics: Metrics;
  readonly #times = new ServiceTimes();
  readonly #waiting: WaitingLine<Task>;
  /** Everything whose work has not ended: also what was given up while it worked, for it holds its place until it stops. */
  readonly #working = new Set<Task>();
  /** Everything that was not answered yet. */
  readonly #open = new Set<Task>();
  readonly #counts: Record<Outcome, number> = { done: 0, refused: 0, expired: 0, aborted: 0 };
  #bytes = 0;
  /** The one timer: for the earliest end of all that is open, or earlier. */
  #timer: { readonly at: number; readonly handle: NodeJS.Timeout } | undefined;
  #closing: Promise<void> | undefined;
  #whenIdle: (() => void) | undefined;

  constructor(config: SchedulingConfig, metrics: Metrics) {
    const { limits } = config;
    this.#limits = limits;
    this.#concurrency = limits.concurrency ?? JOBS_PER_THREAD * (config.engine.threads ?? availableParallelism());
    this.#drainMs = config.server.drainMs;
    this.#metrics = metrics;
    const handicap = (priority: Priority): number => HANDICAPS[priority] * limits.deadlineMs;
    this.#waiting = new WaitingLine({ high: handicap('high'), normal: handicap('normal'), low: handicap('low') });
    metrics.gauge('lineament_queue_waiting', 'Requests that wait for their turn', () => this.#waiting.size);
    metrics.gauge('lineament_queue_running', 'Requests that work', () => this.#working.size);
    metrics.gauge('lineament_queue_bytes', 'Bytes that waiting and working requests hold', () => this.#bytes);
    metrics.gauge('lineament_queue_slots', 'Requests that may work at a time', () => this.#concurrency);
  }

  run<T>(job: Job, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const given = checkJob(job, this.#limits.deadlineMs);
      const since = performance.now();
      this.#admit(given, since, job.signal);
      const task: Task = {
        ...given,
        since,
        until: since + given.deadlineMs,
        begin: work,
        resolve: resolve as (value: unknown) => void,
        reject,
        forget: () => undefined,
      };
      const { signal } = job;
      if (signal !== undefined) {
        task.forget = onAbort(signal, () => this.#giveUp(task, abortError(signal), 'aborted'));
      }
      this.#open.add(task);
      this.#bytes += task.bytes;
      this.#wake(task.until);
      // Where a place is free nobody waits.
      if (this.#working.size < this.#concurrency) this.#start(task, since);
      else this.#waiting.add(task);
    });
  }

  admit(job: Job): void {
    this.#admit(checkJob(job, this.#limits.deadlineMs), performance.now(), job.signal);
  }

  stats(): SchedulerStats {
    return {
      running: this.#working.size,
      waiting: this.#waiting.size,
      bytes: this.#bytes,
      ...this.#counts,
      serviceMs: this.#times.mean,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#drain();
    return this.#closing;
  }

  /** Waits for what is there, at most `server.drainMs`; what is not done then is stopped. */
  async #drain(): Promise<void> {
    if (this.#working.size === 0 && this.#waiting.size === 0) return;
    const idle = new Promise<void>((resolve) => {
      this.#whenIdle = resolve;
    });
    const impatient = setTimeout(() => {
      for (const task of [...this.#open]) this.#giveUp(task, closed(), 'aborted');
    }, this.#drainMs);
    await idle;
    clearTimeout(impatient);
  }

  #admit(job: CheckedJob, now: number, signal: AbortSignal | undefined): void {
    const refused = this.#refuse(job, now, signal);
    if (refused === undefined) return;
    this.#counts[refused.code === 'ABORTED' ? 'aborted' : 'refused']++;
    throw refused;
  }

  /** Why a job is not taken, if it is not. */
  #refuse(job: CheckedJob, now: number, signal: AbortSignal | undefined): LineamentError | undefined {
    if (this.#closing !== undefined) return closed();
    if (signal?.aborted === true) return abortError(signal);
    const { queue, queueBytes } = this.#limits;
    if (job.bytes > queueBytes) {
      return new LineamentError('PAYLOAD_TOO_LARGE', `it holds ${job.bytes} bytes, and all together may ${queueBytes}`);
    }
    if (this.#bytes + job.bytes > queueBytes) {
      return overloaded('waiting and working requests hold all the memory there is for them', this.#backlog());
    }
    // With a free place there is no waiting. No estimate speaks against it either: one that is wrong must be able to mend.
    if (this.#working.size < this.#concurrency) return undefined;
    const places = job.priority === 'low' ? Math.ceil(queue * LOW_SHARE) : queue;
    const { size } = this.#waiting;
    if (size >= places) return overloaded(`${size} requests wait already`, this.#backlog());
    const wait = this.#backlog({ priority: job.priority, since: now });
    const late = wait + this.#times.expected(job.kind) - HOPE * job.deadlineMs;
    return late > 0 ? overloaded('it could not be answered in time', late) : undefined;
  }

  /** Time until everything that is before a job, or simply everything, will have been done, ms. */
  #backlog(job?: { readonly priority: Priority; readonly since: number }): number {
    const now = performance.now();
    let work = 0;
    for (const { kind, working } of this.#working) {
      work += Math.max(0, this.#times.expected(kind) - (now - (working?.since ?? now)));
    }
    for (const [kind, count] of this.#waiting.ahead(job)) work += count * this.#times.expected(kind);
    return work / this.#concurrency;
  }

  #next(): void {
    while (this.#working.size < this.#concurrency) {
      const task = this.#waiting.take();
      if (task === undefined) break;
      const now = performance.now();
      if (task.until - now >= LEAST_LEFT * this.#times.expected(task.kind)) {
        this.#start(task, now);
        continue;
      }
      this.#bytes -= task.bytes;
      this.#answer(task, 'expired', () => task.reject(expired(task)));
    }
    if (this.#working.size === 0 && this.#waiting.size === 0) this.#whenIdle?.();
  }

  #start(task: Task, now: number): void {
    const abort = new AbortController();
    task.working = { since: now, abort };
    this.#working.add(task);
    this.#metrics.queued(task.priority, (now - task.since) / 1000);
    const end = (answer: () => void): void => {
      this.#working.delete(task);
      this.#bytes -= task.bytes;
      this.#answer(task, 'done', answer);
      this.#next();
    };
    // Also what throws at once is an answer.
    (async () => task.begin(abort.signal))().then(
      (value) => {
        this.#times.record(task.kind, performance.now() - now);
        end(() => task.resolve(value));
      },
      (error: unknown) => end(() => task.reject(error)),
    );
  }

  /** Answers for the work. Where that has begun it is told to stop, and keeps its place and memory until it does. */
  #giveUp(task: Task, error: LineamentError, count: Outcome): void {
    if (this.#waiting.delete(task)) this.#bytes -= task.bytes;
    this.#answer(task, count, () => task.reject(error));
    task.working?.abort.abort(error);
    this.#next();
  }

  /** Once: later answers are not heard. */
  #answer(task: Task, count: Outcome, answer: () => void): void {
    if (!this.#open.delete(task)) return;
    task.forget();
    this.#counts[count]++;
    answer();
    if (this.#open.size === 0) this.#sleep();
  }

  /** Sees to it that the timer goes off at `at` or before. */
  #wake(at: number): void {
    if (at === Infinity || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#sleep();
    const delay = Math.min(LONGEST_TIMER, Math.max(1, Math.ceil(at - performance.now())));
    const handle = setTimeout(() => this.#expire(), delay);
    handle.unref();
    this.#timer = { at, handle };
  }

  #sleep(): void {
    clearTimeout(this.#timer?.handle);
    this.#timer = undefined;
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    for (const task of [...this.#open]) if (task.until <= now) this.#giveUp(task, expired(task), 'expired');
    let earliest = Infinity;
    for (const { until } of this.#open) earliest = Math.min(earliest, until);
    this.#wake(earliest);
  }
}

type CheckedJob = Pick<Task, 'kind' | 'priority' | 'bytes'> & { readonly deadlineMs: number };

function checkJob(job: Job, deadlineMs: number): CheckedJob {
  return {
    kind: job.kind,
    priority: oneOf('priority', job.priority ?? 'normal', PRIORITIES),
    bytes: numberIn('bytes', job.bytes, 0, Number.MAX_SAFE_INTEGER),
    deadlineMs: numberIn('deadlineMs', job.deadlineMs ?? deadlineMs, 0, Number.MAX_SAFE_INTEGER),
  };
}

const closed = (): LineamentError => new LineamentError('CLOSED', 'the service is stopping');

const expired = ({ since, until }: Task): LineamentError =>
  new LineamentError('DEADLINE_EXCEEDED', `it had ${Math.round(until - since)} ms`);
