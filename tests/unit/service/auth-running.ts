/** A running service whose server the test can look into, and requests that `fetch` would not make. */
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { ROUTES } from '../../../lib/service/routes/index.js';
import type { App, RouteGroup } from '../../../lib/service/server.js';
import type { ServiceParts } from '../../../lib/service/types.js';
import { startService, type TestService } from '../../support/service.js';

export interface Running extends TestService {
  readonly app: App;
  readonly parts: ServiceParts;
}

/** Starts a service with all of its routes and those of `more`. */
export async function runService(
  overrides: Parameters<typeof startService>[0] = {},
  more: readonly RouteGroup[] = [],
): Promise<Running> {
  const groups = ROUTES as RouteGroup[];
  const before = groups.length;
  let seen: { app: App; parts: ServiceParts } | undefined;
  groups.push(...more, (app, parts) => {
    seen = { app, parts };
  });
  try {
    const started = await startService(overrides);
    if (seen === undefined) throw new Error('the server was not built');
    return { ...started, ...seen };
  } finally {
    groups.splice(before);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
  /** Whether the connection became a WebSocket. */
  readonly upgraded: boolean;
}

/** Asks with exactly these headers; `upgrade` asks for a WebSocket, which is closed at once. */
export function ask(
  { address }: Pick<TestService, 'address'>,
  path: string,
  options: {
    readonly method?: string;
    readonly headers?: Readonly<Record<string, string | string[]>>;
    readonly body?: string;
    readonly upgrade?: boolean;
  } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(address);
  const { method = 'GET', headers = {}, body, upgrade = false } = options;
  const websocket = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': Buffer.from('a key of a test!').toString('base64'),
  };
  return new Promise((resolve, reject) => {
    const asked = httpRequest({
      hostname,
      port,
      path,
      method,
      agent: false,
      headers: { ...headers, ...(upgrade ? websocket : { connection: 'close' }) },
    });
    asked.on('response', (response) => {
      let text = '';
      // Of a stream without end only the beginning is looked at.
      const enough = setTimeout(() => response.destroy(), 3000);
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 1_000_000) response.destroy();
      });
      response.on('error', () => {});
      response.on('close', () => {
        clearTimeout(enough);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text, upgraded: false });
      });
    });
    asked.on('upgrade', (response, socket: Socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: '', upgraded: true });
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** A bare connection: sends what it is told, and gives all that came back once the other side has ended it. */
export function bareConnection({ address }: Pick<TestService, 'address'>): {
  readonly socket: Socket;
  readonly ended: Promise<string>;
} {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  let text = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    text += chunk;
  });
  // Sending to a connection that was ended is what these tests do.
  socket.on('error', () => {});
  const ended = new Promise<string>((resolve) => socket.once('close', () => resolve(text)));
  return { socket, ended };
}
