// A storage service on this machine, over TLS, that misbehaves when it is told to.
import { createServer as createPlainServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createStorageHandler, type StorageHandlerOptions, type TemplateStorage } from '../../lib/storage/index.js';
import { selfSigned } from './certificate.js';

type Handler = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface Service {
  readonly url: string;
  /** Its certificate: what a client has to trust. */
  readonly cert: string;
  /** What came in, as `operation`, in order. */
  readonly seen: { readonly operation: string; readonly headers: IncomingMessage['headers'] }[];
  /** Takes the next requests, one each, instead of the storage; `next` is the storage's own handler. */
  readonly instead: ((request: IncomingMessage, response: ServerResponse, next: Handler) => unknown)[];
  close(): Promise<void>;
}

export async function startService(
  storage: TemplateStorage,
  options: Partial<StorageHandlerOptions> & { readonly tls?: boolean } = {},
): Promise<Service> {
  const { tls = true, ...rest } = options;
  const identity = selfSigned();
  const next = createStorageHandler(storage, { authorize: () => true, ...rest });
  const seen: Service['seen'] = [];
  const instead: Service['instead'] = [];
  const handler: Handler = (request, response) => {
    seen.push({ operation: request.url?.split('/').pop() ?? '', headers: request.headers });
    return (instead.shift() ?? next)(request, response, next);
  };
  const server: Server = tls ? createServer(identity, handler) : createPlainServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    cert: identity.cert,
    seen,
    instead,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** An answer of a given status, in JSON or as it is. */
export const says =
  (status: number, body: unknown, headers: Record<string, string> = {}) =>
  (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  };
