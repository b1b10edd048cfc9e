/** Every route of the running service × everything that somebody may present. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ProtectedRoute, routesOf, SCOPES } from '../../../lib/service/auth/index.js';
import type { RouteGroup } from '../../../lib/service/server.js';
import type { Scope } from '../../../lib/service/types.js';
import { type Answer, ask, type Running, runService } from './auth-running.js';

/** WebSockets are in the matrix whether cameras have any or not. */
const sockets: RouteGroup = (app) => {
  for (const scope of SCOPES) {
    app.get(`/ws/test/${scope}`, { websocket: true, config: { scope } }, (socket) => socket.close());
  }
};

interface Presented {
  readonly key: string | null;
  readonly scope?: Scope;
}

let running: Running;
let routes: readonly ProtectedRoute[];
/** What is presented, and which scope it has; none where it must open nothing. */
let presented: ReadonlyMap<string, Presented>;

beforeAll(async () => {
  running = await runService({}, [sockets]);
  routes = routesOf(running.app);
  const { authority } = running.parts;
  const make = async (scope: Scope, expiresAt?: number): Promise<{ id: string; key: string }> =>
    authority.createKey({ name: scope, scopes: [scope], ...(expiresAt !== undefined && { expiresAt }) });
  const revoked = await make('admin');
  await authority.authenticate(revoked.key, '127.0.0.1');
  await authority.revokeKey(revoked.id);
  const expiresAt = Date.now() + 2000;
  const expired = await make('admin', expiresAt);
  while (Date.now() <= expiresAt) await new Promise((resolve) => setTimeout(resolve, 100));
  const keys = await Promise.all(
    SCOPES.map(async (scope) => [scope, { key: (await make(scope)).key, scope }] as const),
  );
  presented = new Map<string, Presented>([
    ['no key', { key: null }],
    ['a wrong key', { key: `${running.key.slice(0, 17)}${'A'.repeat(43)}` }],
    ['an unknown key', { key: `lin_000000000000_${'A'.repeat(43)}` }],
    ['no key of ours', { key: 'open sesame' }],
    ['a revoked key', { key: revoked.key }],
    ['an expired key', { key: expired.key }],
    ...keys,
  ]);
});

afterAll(() => running?.close());

const CODES: Readonly<Record<number, string>> = { 401: 'UNAUTHENTICATED', 403: 'ACCESS_DENIED' };

/** An address of the route: ids that nobody has. */
const addressOf = ({ url }: ProtectedRoute): string => url.replaceAll(/:\w+/g, 'nobody').replaceAll('*', 'nothing');

function request(route: ProtectedRoute, key: string | null, place: 'authorization' | 'x-api-key'): Promise<Answer> {
  const bodied = !['GET', 'HEAD', 'DELETE'].includes(route.method);
  const headers: Record<string, string> = bodied ? { 'content-type': 'application/json' } : {};
  if (key !== null) headers[place] = place === 'authorization' ? `Bearer ${key}` : key;
  return ask(running, addressOf(route), {
    method: route.method,
    headers,
    upgrade: route.websocket,
    ...(bodied && { body: '{}' }),
  });
}

/** What must be answered: refused by this status, or let in. */
function expected(route: ProtectedRoute, scope: Scope | undefined): 'in' | 401 | 403 {
  if (route.scope === 'public') return 'in';
  if (scope === undefined) return 401;
  return SCOPES.indexOf(scope) >= SCOPES.indexOf(route.scope) ? 'in' : 403;
}

function problemOf(answer: Answer): { code?: string } {
  const json = String(answer.headers['content-type'] ?? '').startsWith('application/problem+json');
  return json && answer.body !== '' ? (JSON.parse(answer.body) as { code?: string }) : {};
}

describe('every route', () => {
  it('is known with its scope: those of the document, and more', async () => {
    const answer = await running.fetch('/openapi.json');
    const { paths } = (await answer.json()) as { paths: Record<string, Record<string, object>> };
    const documented = Object.entries(paths).flatMap(([url, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${url.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const known = routes.map(({ method, url }) => `${method} ${url}`);
    expect(documented.length).toBeGreaterThan(10);
    expect(documented.filter((one) => !known.includes(one))).toEqual([]);
    // HEAD goes with GET, under the same scope.
    const heads = routes.filter(({ method, websocket }) => method === 'HEAD' && !websocket);
    const gets = routes.filter(({ method, websocket }) => method === 'GET' && !websocket);
    expect(heads.map(({ url, scope }) => `${scope} ${url}`).sort()).toEqual(
      gets.map(({ url, scope }) => `${scope} ${url}`).sort(),
    );
    // What stands open is a decision: it is said here.
    const open = routes.filter(({ scope }) => scope === 'public').map(({ url }) => url);
    expect(open.filter((url) => !/^\/(?:health|ready|openapi\.json|docs(?:\/.*)?)$/.test(url))).toEqual([]);
  });

  it.each(['no key', 'a wrong key', 'an unknown key', 'no key of ours', 'a revoked key', 'an expired key', ...SCOPES])(
    'answers to %s as its scope says',
    async (name) => {
      const { key, scope } = presented.get(name)!;
      const wrong: string[] = [];
      for (const [i, route] of routes.entries()) {
        const answer = await request(route, key, i % 2 === 0 ? 'authorization' : 'x-api-key');
        // An answer to HEAD is the same without its body.
        const told = problemOf(answer).code;
        const code = told ?? (route.method === 'HEAD' ? CODES[answer.status] : undefined);
        const must = expected(route, scope);
        const right =
          must === 401
            ? answer.status === 401 && code === 'UNAUTHENTICATED' && answer.headers['www-authenticate'] !== undefined
            : must === 403
              ? answer.status === 403 && code === 'ACCESS_DENIED'
              : answer.status !== 401 &&
                code !== 'ACCESS_DENIED' &&
                answer.status !== 500 &&
                (answer.upgraded === route.websocket || answer.status === 404);
        if (!right) wrong.push(`${route.method} ${route.url}: ${answer.status} ${code ?? ''}, not ${must}`);
      }
      expect(wrong).toEqual([]);
    },
  );

  it('opens to a ticket where it is a WebSocket, and there alone', async () => {
    const { authority } = running.parts;
    const reader = await authority.authenticate(presented.get('read')!.key!, '127.0.0.1');
    const wrong: string[] = [];
    for (const route of routes.filter(({ scope }) => scope !== 'public')) {
      const { ticket } = authority.createTicket(reader);
      const bodied = !['GET', 'HEAD', 'DELETE'].includes(route.method);
      const answer = await ask(running, `${addressOf(route)}?ticket=${ticket}`, {
        method: route.method,
        upgrade: route.websocket,
        ...(bodied && { headers: { 'content-type': 'application/json' }, body: '{}' }),
      });
      const must = !route.websocket ? [401] : route.scope === 'read' ? [101, 404] : [403];
      if (!must.includes(answer.status)) wrong.push(`${route.method} ${route.url}: ${answer.status}, not ${must}`);
    }
    expect(wrong).toEqual([]);
  });
});

describe('a route without a scope', () => {
  it.each([{}, { config: {} }, { config: { scope: 'root' } }])('is refused when it is added: %j', async (options) => {
    const careless: RouteGroup = (app) => {
      app.get('/api/v1/careless', options as never, async () => 'all of it');
    };
    const opened = runService({}, [careless]);
    await expect(opened).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/careless.*scope/) });
  });
});
