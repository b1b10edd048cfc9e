/** A real service on a free port, with a data folder of its own, for tests that talk to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { ServiceConfigInput } from '../../lib/service/config/index.js';
import { createLogger } from '../../lib/service/log.js';
import { openService, type Service } from '../../lib/service/open.js';

export interface TestService extends AsyncDisposable {
  readonly service: Service;
  readonly address: string;
  /** The admin key; the empty text where authentication is off. */
  readonly key: string;
  readonly folder: string;
  /** Lines of the log, newest last. */
  readonly log: readonly string[];
  /** `fetch` with the admin key; `init.key` is another one, or `null` for none. */
  fetch(path: string, init?: RequestInit & { readonly key?: string | null }): Promise<Response>;
  /** The same with a JSON body; gives status and body. */
  call(method: string, path: string, body?: unknown, key?: string | null): Promise<{ status: number; body: unknown }>;
  /** Closes it and deletes its folder. */
  close(): Promise<void>;
}

type Sections = { readonly [Section in keyof ServiceConfigInput]?: ServiceConfigInput[Section] };

/** Starts a service with preset `fast`, no rate limits, and what is overridden, section by section. `folder` is kept where it is given. */
export async function startService(
  overrides: Sections = {},
  given: { readonly folder?: string } = {},
): Promise<TestService> {
  const folder = given.folder ?? (await mkdtemp(path.join(tmpdir(), 'lineament-service-')));
  const log: string[] = [];
  const config: ServiceConfigInput = {
    ...overrides,
    server: { port: 0, drainMs: 5000, ...overrides.server },
    data: { folder, ...overrides.data },
    engine: { preset: 'fast', ...overrides.engine },
    rate: { perKey: 0, perAddress: 0, failures: 100_000, ...overrides.rate },
    log: { level: 'debug', ...overrides.log },
  };
  const logger = createLogger({ level: 'debug', json: true, write: (line) => void log.push(line) });
  const removeFolder = (): Promise<void> => rm(folder, { recursive: true, force: true });
  let service: Service;
  try {
    service = await openService({ config, log: logger });
  } catch (error) {
    if (given.folder === undefined) await removeFolder();
    throw error;
  }
  const key = service.firstKey ?? '';
  const ask: TestService['fetch'] = (address, { key: other, ...init } = {}) => {
    const headers = new Headers(init.headers);
    const presented = other === undefined ? key : other;
    if (presented && !headers.has('authorization')) headers.set('authorization', `Bearer ${presented}`);
    return fetch(new URL(address, service.address), { ...init, headers });
  };
  const close = async (): Promise<void> => {
    await service.close();
    if (given.folder === undefined) await removeFolder();
  };
  return {
    service,
    address: service.address,
    key,
    folder,
    log,
    fetch: ask,
    call: async (method, address, body, other) => {
      const init: RequestInit & { key?: string | null } = { method };
      if (other !== undefined) init.key = other;
      if (body !== undefined) {
        init.body = JSON.stringify(body);
        init.headers = { 'content-type': 'application/json' };
      }
      const answer = await ask(address, init);
      const text = await answer.text();
      return { status: answer.status, body: text === '' ? undefined : JSON.parse(text) };
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}
