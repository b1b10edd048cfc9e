/** The one place where it is decided who may call what. */
import type { IncomingMessage } from 'node:http';
import { LineamentError } from '../../errors.js';
import { overloaded } from '../scheduling/overload.js';
import type { App } from '../server.js';
import type { Principal, Scope, ServiceParts } from '../types.js';
import type { FastifyRequest, WebSocket } from '../vendor.js';
import { callerOf } from './address.js';
import { isLimited, openLimits } from './limits.js';
import { FailedLogins } from './logins.js';
import { checkPage } from './pages.js';
import { isScope } from './scopes.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whether requests are counted against `rate.per_key` and `rate.per_address`; by default all but those for health, metrics and documents. */
    limited?: boolean;
    /** Set by `protect` for WebSockets: a ticket is taken too. */
    ticket?: boolean;
  }
}

/** A route as it was added to the server. */
export interface ProtectedRoute {
  readonly method: string;
  readonly url: string;
  readonly scope: Scope | 'public';
  readonly websocket: boolean;
}

const ROUTES = new WeakMap<App, ProtectedRoute[]>();
const NOBODY: Principal = { id: 'anonymous', kind: 'anonymous', scopes: new Set() };
/** How often it is looked whether those who hold a WebSocket may stay. */
const LOOK_MS = 2000;
/** WebSockets that are open at a time, and of them those of one key: each holds memory for as long as its client likes. */
const MOST_SOCKETS = 1000;
const MOST_OF_ONE = 250;
const SOON_MS = 10_000;
/** RFC 6455: the message violates the policy of this end. */
const POLICY_VIOLATION = 1008;

/** Every route that was added since {@link protect}. */
export function routesOf(app: App): readonly ProtectedRoute[] {
  return ROUTES.get(app) ?? [];
}

/**
 * From here on a route that states no scope is refused when it is added (`INTERNAL`), and a request is answered only after this: its address may
 * ask (429), what it presents is known (401), the key may ask (429), and holds the scope of the route (403). Then `request.principal` says who it is.
 * Comes after WebSockets and CORS were registered, and before routes.
 */
export async function protect(app: App, parts: ServiceParts): Promise<void> {
  const { config } = parts;
  const routes: ProtectedRoute[] = [];
  ROUTES.set(app, routes);
  app.addHook('onRoute', (route) => {
    const scope = route.config?.scope;
    const methods = [route.method].flat();
    if (scope !== 'public' && !isScope(scope)) {
      throw new LineamentError('INTERNAL', `${methods.join(', ')} ${route.url} states no scope`, {
        fix: "Add config: { scope: 'read' | 'enrol' | 'admin' | 'public' } to the route.",
      });
    }
    const websocket = route.websocket === true || route.wsHandler !== undefined;
    if (websocket) route.config = { ...route.config, ticket: true };
    for (const method of methods) routes.push({ method, url: route.url, scope, websocket });
  });

  const limits = await openLimits(app, config);
  const failed = new FailedLogins(parts);
  const admit = watchGuests(app, parts);

  app.addHook('onRequest', async (request, reply) => {
    request.principal = NOBODY;
    const { url, config: route } = request.routeOptions;
    const limited = isLimited(url ?? '', route?.limited);
    if (limited) await limits.address(request, reply);
    const scope = route?.scope;
    // Nothing is there, or it is the answer of CORS to a question of a browser.
    if (request.is404 || (request.method === 'OPTIONS' && url === '*') || scope === 'public') return;
    if (!isScope(scope)) throw new LineamentError('INTERNAL', 'this route states no scope');

    const principal = await identify(request, parts, failed);
    request.principal = principal;
    if (principal.kind !== 'anonymous' && limited) await limits.key(request, reply);
    if (!principal.scopes.has(scope)) {
      if (principal.kind !== 'anonymous') throw new LineamentError('ACCESS_DENIED', `this needs the scope '${scope}'`);
      throw new LineamentError('UNAUTHENTICATED', 'no key came with the request', {
        fix: 'Send it as Authorization: Bearer KEY, or as X-API-Key: KEY.',
      });
    }
    if (principal.kind === 'anonymous') checkPage(request, config);
    if (route.ticket === true) admit(request.raw, principal);
  });
  app.addHook('onListen', async () => {
    try {
      const key = await parts.authority.keepFirstKey();
      if (key !== undefined) {
        await parts.audit.append({ actor: 'service', action: 'key.create', detail: { key, scopes: ['admin'] } });
      }
    } catch (error) {
      parts.log.error({ error: (error as Error).message }, 'the first key could not be written');
    }
  });
  app.addHook('onClose', () => failed.flush());
}

async function identify(
  request: FastifyRequest,
  { authority }: Pick<ServiceParts, 'authority'>,
  failed: FailedLogins,
): Promise<Principal> {
  try {
    const credential = credentialOf(request);
    const ticket = ticketOf(request);
    if (credential === undefined && ticket !== undefined) return authority.redeemTicket(ticket, request.ip);
    return await authority.authenticate(credential, request.ip);
  } catch (error) {
    const code = error instanceof LineamentError ? error.code : undefined;
    if (code === 'UNAUTHENTICATED' || code === 'RATE_LIMITED') failed.add(callerOf(request.ip));
    throw error;
  }
}

/** What a request presents in its headers; empty where it is nothing that could be right. */
function credentialOf({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers;
  const given = headers['x-api-key'];
  if (authorization === undefined) return given === undefined || typeof given === 'string' ? given : '';
  // Two may be of two callers.
  if (given !== undefined) return '';
  return /^Bearer +(\S+) *$/i.exec(authorization)?.[1] ?? '';
}

function ticketOf({ query, routeOptions }: FastifyRequest): string | undefined {
  if (routeOptions.config.ticket !== true) return undefined;
  const given = (query as { ticket?: unknown } | undefined)?.ticket;
  return given === undefined || typeof given === 'string' ? given : '';
}

/**
 * Shows those out of their WebSockets whose key was revoked or has expired meanwhile. Gives what is asked before one is opened: it throws
 * `OVERLOADED` where there are too many.
 */
function watchGuests(app: App, { authority }: ServiceParts): (raw: IncomingMessage, principal: Principal) => void {
  const guests = new WeakMap<IncomingMessage, Principal>();
  const inside = new Map<WebSocket, Principal>();
  app.websocketServer.on('connection', (socket: WebSocket, raw: IncomingMessage) => {
    const principal = guests.get(raw);
    if (principal === undefined) return;
    inside.set(socket, principal);
    socket.once('close', () => inside.delete(socket));
  });
  const look = setInterval(() => {
    for (const [socket, principal] of inside) {
      if (!authority.stands(principal)) socket.close(POLICY_VIOLATION, 'the key was revoked or has expired');
    }
  }, LOOK_MS).unref();
  app.addHook('onClose', async () => clearInterval(look));
  return (raw, principal) => {
    const theirs = [...inside.values()].filter(({ id }) => id === principal.id).length;
    if (inside.size >= MOST_SOCKETS || theirs >= MOST_OF_ONE) {
      throw overloaded(`${theirs} WebSockets of this key are open, ${inside.size} in all`, SOON_MS);
    }
    guests.set(raw, principal);
  };
}
