/** Opens everything that a service is made of, and closes it in the reverse order. */
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { type EngineHost, openEngineHost } from '../engine/host/index.js';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { openGallery } from '../gallery/index.js';
import { type ModelCatalogue, openCatalogue } from '../models/catalogue/index.js';
import { openCalibration } from '../models/index.js';
import { openAuditTrail, openAuthority } from './auth/index.js';
import { CameraHub } from './cameras/index.js';
import { completeConfig, type ServiceConfigInput, warningsOf } from './config/index.js';
import type { Logger, ServiceConfig } from './config/types.js';
import { createLogger } from './log.js';
import { createMetrics } from './metrics/index.js';
import { ROUTES } from './routes/index.js';
import { createScheduler } from './scheduling/index.js';
import { buildServer } from './server.js';
import type { Metrics, ServiceParts } from './types.js';

export interface ServiceOptions {
  /** What differs from the defaults; what {@link loadConfig} gave fits too. */
  readonly config?: ServiceConfigInput;
  /** Where the log goes; lines of JSON on standard error when absent. */
  readonly log?: Logger;
  /** Gives up the opening, which then rejects with `ABORTED`. An open service is closed by `close()`. */
  readonly signal?: AbortSignal;
}

/** A service that listens. */
export interface Service extends AsyncDisposable {
  /** Such as `http://127.0.0.1:8080`. */
  readonly address: string;
  readonly config: ServiceConfig;
  /** The admin key that was made because there was none; it is not kept and shown nowhere else. */
  readonly firstKey?: string;
  /**
   * Takes no new requests, lets the running ones end (`server.drainMs` at most) and closes everything. Idempotent.
   */
  close(): Promise<void>;
}

/**
 * Opens a service and listens. Rejects with `CONFIG_INVALID`, with what opening the engine (`MODEL_…`, `ADDON_NOT_FOUND`) and the gallery (`STORE_…`, `KEY_…`)
 * rejects with, or with `ABORTED`; nothing is left open then.
 */
export async function openService(options: ServiceOptions = {}): Promise<Service> {
  const { signal } = options;
  throwIfAborted(signal);
  const config = completeConfig(options.config, process.env);
  const log =
    options.log ??
    createLogger({ level: config.log.level, json: true, write: (line) => void process.stderr.write(line) });
  for (const warning of warningsOf(config)) log.warn({}, warning);
  const closers: (() => unknown)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closers.splice(0).reverse()) {
      try {
        await close();
      } catch (error) {
        log.error({ error: wrapError(error).message }, 'a part did not close well');
      }
    }
  };
  try {
    const { parts, closing } = await openParts(config, log, closers, signal);
    const app = await buildServer(parts, ROUTES);
    let drained: Promise<void> | undefined;
    const drain = (): Promise<void> => {
      drained ??= (async () => {
        closing.abort(new LineamentError('CLOSED', 'the service stops'));
        const late = setTimeout(() => {
          app.server.closeAllConnections();
          // WebSockets are none of those.
          for (const socket of app.websocketServer.clients) socket.terminate();
        }, config.server.drainMs);
        await app.close().finally(() => clearTimeout(late));
      })();
      return drained;
    };
    closers.push(drain);
    await listen(app.listen({ host: config.server.host, port: config.server.port }), config);
    throwIfAborted(signal);
    const address = addressOf(app.server.address() as AddressInfo, config);
    log.info({ address, preset: config.engine.preset, data: config.data.folder }, 'listening');
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => {
      closed ??= closeAll().then(() => log.info({}, 'closed'));
      return closed;
    };
    const { firstKey } = parts.authority;
    return { address, config, ...(firstKey !== undefined && { firstKey }), close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await closeAll();
    throw wrapError(error);
  }
}

async function openParts(
  config: ServiceConfig,
  log: Logger,
  closers: (() => unknown)[],
  signal: AbortSignal | undefined,
): Promise<{ parts: ServiceParts; closing: AbortController }> {
  const { folder } = config.data;
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch((cause: Error) => {
    throw new LineamentError('CONFIG_INVALID', `data.folder cannot be made: ${cause.message}`, {
      cause,
      fix: 'Name a folder that can be written with --data DIR.',
    });
  });
  const calibration =
    config.engine.calibration === undefined ? undefined : await openCalibration(config.engine.calibration);
  const metrics = createMetrics();
  closers.push(() => metrics.close());
  const gallery = await openGallery({
    folder: path.join(folder, 'gallery'),
    cacheEntries: config.cache.embeddings,
    ...(config.engine.threads !== undefined && { threads: config.engine.threads }),
    ...(config.data.keys !== undefined && { keys: keySource(config.data.keys) }),
    ...(calibration !== undefined && { calibration }),
    ...(signal !== undefined && { signal }),
  });
  closers.push(() => gallery.close());
  const audit = await openAuditTrail(folder);
  closers.push(() => audit.close());
  const authority = await openAuthority(config, folder, log);
  closers.push(() => authority.close());
  const models = await openModels(config);
  throwIfAborted(signal);
  const engines = await openEngines(config, models, metrics);
  closers.push(() => engines.close());
  // What cannot serve at all had better not start.
  await engines.load(engines.current, signal === undefined ? {} : { signal });
  for (const name of config.engine.preload) {
    engines.load(name).catch((error) => log.warn({ preset: name, error: wrapError(error).message }, 'not preloaded'));
  }
  const scheduler = createScheduler(config, metrics);
  closers.push(() => scheduler.close());
  const closing = new AbortController();
  const cameras = new CameraHub({ config, engines, gallery, log, closing: closing.signal });
  closers.push(() => cameras.close());
  const parts = { config, cameras, engines, gallery, models, scheduler, metrics, authority, audit, log };
  return { parts: { ...parts, startedAt: Date.now(), closing: closing.signal }, closing };
}

/** A part opened with what a section says; what the section says wrongly is told of the section. */
async function fromSection<T>(section: string, open: () => Promise<T>): Promise<T> {
  try {
    return await open();
  } catch (cause) {
    const error = wrapError(cause);
    if (error.code !== 'INVALID_ARGUMENT' && error.code !== 'NOT_FOUND') throw error;
    throw new LineamentError('CONFIG_INVALID', `section ${section}: ${error.message}`, { cause });
  }
}

function openModels({ models }: ServiceConfig): Promise<ModelCatalogue> {
  const { cache, cards, mirrors, offline, acceptedLicences } = models;
  return fromSection('models', () =>
    openCatalogue({
      mirrors,
      offline,
      acceptedLicences,
      ...(cache !== undefined && { cache }),
      ...(cards !== undefined && { cards }),
    }),
  );
}

function openEngines({ engine, limits }: ServiceConfig, models: ModelCatalogue, metrics: Metrics): Promise<EngineHost> {
  const { preset, threads, mode, providers, memoryBudgetMb, calibration, batching } = engine;
  return fromSection('engine', async () =>
    openEngineHost({
      current: preset,
      models: await models.pack(),
      mode,
      providers,
      maxPixels: limits.pixels,
      batching: {
        maxItems: batching.items,
        waitMs: batching.waitMs,
        onBatch: (network, items) => metrics.batch(network, items),
      },
      ...(threads !== undefined && { threads }),
      ...(memoryBudgetMb !== undefined && { memoryBudget: memoryBudgetMb * 2 ** 20 }),
      ...(calibration !== undefined && { calibration }),
    }),
  );
}

const keySource = (given: string): { env: string } | { file: string } =>
  given.startsWith('env:') ? { env: given.slice('env:'.length) } : { file: given };

async function listen(listening: Promise<string>, { server }: ServiceConfig): Promise<void> {
  try {
    await listening;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const said: Record<string, string> = {
      EADDRINUSE: `another program listens at ${server.host}:${server.port}`,
      EACCES: `port ${server.port} may not be used by this user`,
      EADDRNOTAVAIL: `${server.host} is no address of this machine`,
      ENOTFOUND: `${server.host} is no address of this machine`,
    };
    throw new LineamentError('CONFIG_INVALID', said[code ?? ''] ?? message, {
      cause,
      fix: 'Choose others with --host ADDRESS and --port N.',
    });
  }
}

function addressOf({ address, family, port }: AddressInfo, { server }: ServiceConfig): string {
  const everywhere = address === '0.0.0.0' || address === '::';
  const host = everywhere ? 'localhost' : family === 'IPv6' ? `[${address}]` : address;
  return `${server.tls === undefined ? 'http' : 'https'}://${host}:${port}`;
}
