/** What the parts of the service give each other. Times are milliseconds unless said otherwise. */
import type { EngineHost } from '../engine/host/types.js';
import type { Gallery, Json } from '../gallery/index.js';
import type { ModelCatalogue } from '../models/catalogue/types.js';
import type { ApiKey, CreatedKey, NewKey } from './auth/types.js';
import type { CameraHub } from './cameras/index.js';
import type { Logger, Scope, ServiceConfig } from './config/types.js';

export type { ApiKey } from './auth/types.js';
export type { CameraConfig, Logger, Scope, ServiceConfig } from './config/types.js';

/** Who is asking. */
export interface Principal {
  /** Id of the key, `token:` and the subject of the token, or `anonymous`. Goes into logs and the audit trail. */
  readonly id: string;
  readonly kind: 'key' | 'token' | 'anonymous';
  readonly scopes: ReadonlySet<Scope>;
  /** When a token ends. */
  readonly expiresAt?: number;
}

/** How urgent work is. Of equal priority the oldest is first. */
export type Priority = 'high' | 'normal' | 'low';

export interface Job {
  /** For the metrics: the operation's name. */
  readonly kind: string;
  readonly priority?: Priority;
  /** Given up when so long has passed since it was handed in; `limits.deadlineMs` when absent. */
  readonly deadlineMs?: number;
  /** What it holds in memory while it waits and works. */
  readonly bytes: number;
  /** Fires when the client has gone. */
  readonly signal?: AbortSignal;
}

export interface SchedulerStats {
  readonly running: number;
  readonly waiting: number;
  readonly bytes: number;
  readonly done: number;
  readonly refused: number;
  readonly expired: number;
  /** Whose client went away, or that the end of the service cut off. */
  readonly aborted: number;
  /** Of the work itself, mean of the last ones. */
  readonly serviceMs: number;
}

/** Who works when, and who is told to come back later. */
export interface Scheduler {
  /**
   * Waits for its turn and works. Rejects with `OVERLOADED` at once (`retryAfter` says in how many seconds to come back) where queue, memory or
   * the deadline leave no hope, with `DEADLINE_EXCEEDED`, `ABORTED`, `CLOSED`, or as `work` does. The signal that `work` is given fires for all of these.
   */
  run<T>(job: Job, work: (signal: AbortSignal) => Promise<T>): Promise<T>;
  /** Throws what `run` would reject with at once for such a job, and counts it: to be asked before what it needs is read. */
  admit(job: Job): void;
  stats(): SchedulerStats;
  /** Refuses new jobs and lets the others end. */
  close(): Promise<void>;
}

/** Prometheus metrics. Label values never hold ids of persons, addresses or paths with ids. */
export interface Metrics {
  /** One request is done. `route` is the pattern, not the address. */
  request(route: string, method: string, status: number, seconds: number): void;
  error(route: string, code: string): void;
  /** One call of an engine. */
  inference(model: string, operation: string, seconds: number): void;
  /** One run of a recogniser for faces of requests that were joined. */
  batch(network: string, items: number): void;
  /** Time in the queue. */
  queued(priority: Priority, seconds: number): void;
  /** Numbers that are asked for when the metrics are read. */
  gauge(
    name: string,
    help: string,
    read: () => number | Promise<number>,
    labels?: Readonly<Record<string, string>>,
  ): void;
  /** The text format of Prometheus. */
  text(): Promise<{ readonly contentType: string; readonly body: string }>;
  /** The same for people: counts, rates and quantiles of each route and operation. */
  summary(): Json;
  /** Watches the event loop no longer. What was counted can still be read. */
  close(): void;
}

/** One line of the audit trail. Never holds pictures, embeddings or secrets. */
export interface AuditDraft {
  readonly actor: string;
  readonly action: string;
  /** Id of the person whom it concerns; kept as a digest, so that an erasure leaves nothing of it behind. `detail` must not hold it. */
  readonly subject?: string | undefined;
  readonly detail: Json;
}

export interface AuditTrail {
  /** Resolves when the line is on the disk. */
  append(draft: AuditDraft): Promise<void>;
  list(query?: {
    readonly before?: number;
    readonly limit?: number;
    readonly action?: string;
    /** Only what concerns this person, by id. */
    readonly subject?: string;
  }): Promise<readonly Json[]>;
  /** Reads everything and checks the chain. `known` is a `head` of an earlier check, kept elsewhere: it must be there still. */
  check(known?: { readonly number: number; readonly hash: string }): Promise<{
    readonly ok: boolean;
    readonly entries: number;
    readonly broken?: number;
    readonly head: { readonly number: number; readonly hash: string };
  }>;
  close(): Promise<void>;
}

/** Keys and tokens. */
export interface Authority {
  /** The key that was made because there was none for an administrator; shown once. It outlives the process after {@link keepFirstKey} only. */
  readonly firstKey?: string;
  /** The service listens, so that the first key can be shown: it goes to the disk. Gives its id, where there is one. */
  keepFirstKey(): Promise<string | undefined>;
  /**
   * Who presents this (`Authorization: Bearer …` or `X-API-Key`); absent header gives the anonymous principal. Rejects with `UNAUTHENTICATED`, and with
   * `RATE_LIMITED` after too many wrong keys from one address.
   */
  authenticate(credential: string | undefined, address: string): Promise<Principal>;
  /** Opens one WebSocket, once and soon. `RATE_LIMITED` where too many have not been used. */
  createTicket(principal: Principal): { readonly ticket: string; readonly expiresAt: number };
  /** Whom the ticket was made for; it is gone after this. `UNAUTHENTICATED`, `RATE_LIMITED`. */
  redeemTicket(ticket: string, address: string): Principal;
  /** Whether who was let in may stay: the key was not revoked, and nothing has expired. */
  stands(principal: Principal): boolean;
  createKey(given: NewKey): Promise<CreatedKey>;
  listKeys(): Promise<readonly ApiKey[]>;
  /** `NOT_FOUND`. */
  revokeKey(id: string): Promise<void>;
  close(): Promise<void>;
}

/** What every group of routes is given. */
export interface ServiceParts {
  readonly config: ServiceConfig;
  readonly cameras: CameraHub;
  readonly engines: EngineHost;
  readonly gallery: Gallery;
  readonly models: ModelCatalogue;
  readonly scheduler: Scheduler;
  readonly metrics: Metrics;
  readonly authority: Authority;
  readonly audit: AuditTrail;
  readonly log: Logger;
  /** ms since the epoch. */
  readonly startedAt: number;
  /** Fires when the service stops. */
  readonly closing: AbortSignal;
}
