/** Headers that keep browsers and proxies from doing with an answer what it is not for. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServiceConfig } from './types.js';
import { helmet } from './vendor.js';

/** What helmet sets on every answer: the same for all of them, so it is asked once, and not for each. */
export function securityHeaders({ server, cors }: ServiceConfig): Record<string, string> {
  // What an answer says of people is nobody's to keep; what may be kept says so itself.
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  const response = {
    setHeader: (name: string, value: string) => {
      headers[name.toLowerCase()] = value;
    },
    removeHeader: () => undefined,
  };
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], formAction: ["'none'"], baseUri: ["'none'"] },
    },
    strictTransportSecurity: server.tls === undefined ? false : { maxAge: 15_552_000 },
    crossOriginResourcePolicy: { policy: cors.origins.length > 0 ? 'cross-origin' : 'same-origin' },
  })({} as IncomingMessage, response as unknown as ServerResponse, (problem?: unknown) => {
    if (problem !== undefined) throw problem;
  });
  return headers;
}
