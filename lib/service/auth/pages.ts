/** Web pages of others: what a browser that has one of them open may ask of a service that lets people in without a key. */
import { isIP } from 'node:net';
import { LineamentError } from '../../errors.js';
import { isLoopback } from '../config/safety.js';
import type { ServiceConfig } from '../types.js';

/** What is looked at of a request. */
export interface Asked {
  readonly headers: { readonly host?: string | undefined; readonly origin?: string | undefined };
  readonly protocol: string;
  /** Behind a trusted proxy the host that the proxy was asked for. */
  readonly host: string;
}

/**
 * Throws `ACCESS_DENIED` for a request without a key that a page of somebody else may have made: one whose `Origin` is neither this service nor on
 * the allow-list (forms and WebSockets need no leave of CORS), and, where the service listens to this machine only, one that comes by a name
 * that is not this machine's (a name of theirs that points here). Requests with a key need not be looked at: a page has none.
 */
export function checkPage(asked: Asked, config: ServiceConfig): void {
  const { origin } = asked.headers;
  if (origin !== undefined && !mayAsk(origin, asked, config)) {
    throw new LineamentError('ACCESS_DENIED', 'this page may not ask without a key', {
      fix: 'Name its origin in cors.origins, or send a key.',
    });
  }
  if (asked.headers.host !== undefined && config.server.trustProxy.length === 0 && !isOurs(asked.host, config)) {
    throw new LineamentError('ACCESS_DENIED', 'this machine is not known by that name', {
      fix: 'Ask for localhost, name the proxy in server.trust_proxy, or send a key.',
    });
  }
}

function mayAsk(origin: string, { protocol, host }: Asked, config: ServiceConfig): boolean {
  const { origins } = config.cors;
  if (origins.includes('*') || origins.includes(origin)) return true;
  const own = `${protocol}://${host}`;
  return URL.canParse(origin) && URL.canParse(own) && new URL(origin).origin === new URL(own).origin;
}

function isOurs(host: string, { server }: ServiceConfig): boolean {
  if (!isLoopback(server.host)) return true;
  if (!URL.canParse(`http://${host}`)) return false;
  const name = new URL(`http://${host}`).hostname;
  // A page cannot have an address for its name and yet be from elsewhere: then the origin says so.
  return isLoopback(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || name === server.host.toLowerCase();
}
