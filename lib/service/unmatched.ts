/** Requests that no route answers: to an address that has other methods (405), or that is none at all (404). */
import { LineamentError } from '../errors.js';
import { sendProblem } from './problem.js';
import type { App } from './server.js';
import type { FastifyReply, FastifyRequest } from './vendor.js';

/** A pattern of addresses, and the methods that it has. */
interface Known {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** Answers what no route does, before a body is read. Comes after `protect` and before the routes: those that are added from now on are known. */
export function answerUnmatched(app: App): void {
  const known = new Map<string, Known>();
  app.addHook('onRoute', ({ url, method }) => {
    const found = known.get(url) ?? { pattern: patternOf(url), methods: new Set() };
    for (const one of [method].flat()) found.methods.add(one);
    known.set(url, found);
  });
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const path = request.url.split('?', 1)[0] ?? '';
    const here = [...known.values()].filter(({ pattern }) => pattern.test(path));
    const allowed = [...new Set(here.flatMap(({ methods }) => [...methods]))].sort().join(', ');
    if (allowed === '') {
      const fix = 'The document at /openapi.json lists every address.';
      return sendProblem(new LineamentError('NOT_FOUND', 'there is nothing at this address', { fix }), request, reply);
    }
    const fix = `Use ${allowed}.`;
    const error = new LineamentError('METHOD_NOT_ALLOWED', `there is no ${request.method} here`, { fix });
    return sendProblem(error, request, reply.header('allow', allowed));
  };
  app.addHook('onRequest', async (request, reply) => (request.is404 ? answer(request, reply) : undefined));
  // Where a route itself finds that it has nothing.
  app.setNotFoundHandler(answer);
}

/** Matches the addresses of a route: a part with a name stands for anything but a slash. */
function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => {
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  });
  return new RegExp(`^${parts.join('/')}/?$`);
}
