import { ERRORS, type ErrorCode, LineamentError, wrapError } from '../errors.js';
import { redactText } from './auth/redact.js';
import type { ServiceParts } from './types.js';
import type { FastifyError, FastifyReply, FastifyRequest } from './vendor.js';
import { type Static, Type } from './vendor.js';

export const PROBLEM_TYPE = 'application/problem+json';

/** What every failure looks like (RFC 9457), with our stable code beside it. */
export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:lineament:error:CODE' }),
    title: Type.String({ description: 'The same for all problems of this type' }),
    status: Type.Integer({ minimum: 400, maximum: 599 }),
    detail: Type.String({ description: 'What is wrong here, for people' }),
    code: Type.String({ description: 'Stable: to be matched on' }),
    fix: Type.Optional(Type.String({ description: 'What to do about it' })),
    instance: Type.String({ description: 'Id of the request, as in X-Request-Id and the log' }),
  },
  { title: 'Problem', description: 'A failure (RFC 9457)' },
);
export type Problem = Static<typeof Problem>;

/** A response of a route's schema: `response: { 200: …, 404: problem('No such person') }`. Every route has '4xx' and '5xx' without asking. */
export function problem(description: string) {
  return { description, content: { [PROBLEM_TYPE]: { schema: Problem } } };
}

/** Fastify's own errors, by their codes. */
const FRAMEWORK: Readonly<Record<string, readonly [code: ErrorCode, detail: string]>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'the body is longer than limits.body_bytes'],
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['MEDIA_UNSUPPORTED', 'this address does not read bodies of that type'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['INVALID_ARGUMENT', 'the body is empty, where its type says JSON'],
  FST_ERR_CTP_EMPTY_TYPE: ['MEDIA_UNSUPPORTED', 'the type of the body is not stated'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['INVALID_ARGUMENT', 'the body is not as long as Content-Length says'],
  FST_ERR_CTP_INVALID_JSON_BODY: ['INVALID_ARGUMENT', 'the body is not JSON'],
  FST_ERR_BAD_URL: ['INVALID_ARGUMENT', 'the address is not well-formed'],
  FST_ERR_MAX_PARAM_LENGTH: ['INVALID_ARGUMENT', 'a part of the address is too long'],
  FST_REQ_FILE_TOO_LARGE: ['PAYLOAD_TOO_LARGE', 'a file is larger than limits.image_bytes'],
  FST_FILES_LIMIT: ['PAYLOAD_TOO_LARGE', 'more files than limits.images'],
  FST_FIELDS_LIMIT: ['PAYLOAD_TOO_LARGE', 'too many fields'],
  FST_PARTS_LIMIT: ['PAYLOAD_TOO_LARGE', 'too many parts'],
  FST_INVALID_MULTIPART_CONTENT_TYPE: ['MEDIA_UNSUPPORTED', 'the body is not multipart/form-data'],
  FST_PROTO_VIOLATION: ['INVALID_ARGUMENT', 'a field has a name that no field may have'],
  FST_ERR_HANDLER_TIMEOUT: ['DEADLINE_EXCEEDED', 'the request took too long'],
};

/** Anything thrown while a request is answered, as an error of ours. What its sender did wrong is never `INTERNAL`. */
export function toLineamentError(thrown: unknown): LineamentError {
  if (thrown instanceof LineamentError) return thrown;
  const { code, statusCode, message, validation, validationContext } = (thrown ?? {}) as Partial<FastifyError>;
  if (validation !== undefined) return invalidRequest(validation, validationContext ?? 'request', thrown);
  const known = typeof code === 'string' ? FRAMEWORK[code] : undefined;
  if (known !== undefined) return new LineamentError(known[0], known[1], { cause: thrown });
  if (statusCode === 429) return new LineamentError('RATE_LIMITED', '', { cause: thrown });
  if (statusCode === 413) return new LineamentError('PAYLOAD_TOO_LARGE', '', { cause: thrown });
  if (statusCode === 415) return new LineamentError('MEDIA_UNSUPPORTED', '', { cause: thrown });
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new LineamentError('INVALID_ARGUMENT', message ?? '', { cause: thrown });
  }
  return wrapError(thrown);
}

function invalidRequest(
  validation: NonNullable<FastifyError['validation']>,
  context: string,
  cause: unknown,
): LineamentError {
  const first = validation[0];
  const where = (first?.instancePath ?? '').slice(1).replaceAll('/', '.').replaceAll('~1', '/').replaceAll('~0', '~');
  const params = first?.params as { additionalProperty?: unknown; allowedValues?: unknown } | undefined;
  let said = first?.message ?? 'is not as described';
  if (typeof params?.additionalProperty === 'string') said = `has no field '${params.additionalProperty.slice(0, 60)}'`;
  else if (Array.isArray(params?.allowedValues)) said = `must be one of ${params.allowedValues.join(', ')}`;
  const name = context === 'querystring' ? 'query' : context;
  return new LineamentError('INVALID_ARGUMENT', `${where === '' ? name : `${name}.${where}`} ${said}`, {
    cause,
    fix: 'The document at /openapi.json says what is expected.',
  });
}

/** Absolute paths of this machine, but no addresses. */
const PATHS = /(?<![\w:/.])(?:[A-Za-z]:)?(?:[\\/][^\s\\/'"`:;,()<>]+){2,}/g;

/** Text of an error that may go out: neither paths of this machine nor passwords in addresses. */
export function publicText(text: string): string {
  return redactText(text).replace(PATHS, '…');
}

/** The body of an answer that tells of an error. Faults of the service say only their kind: the log tells more under the id. */
export function problemOf(error: LineamentError, id: string): Problem {
  const { code, status } = error;
  const title = ERRORS[code].message;
  const hidden = status === 500 || status === 507;
  const fix = hidden || error.fix === undefined ? undefined : publicText(error.fix);
  // The message opens with the title and ends with the fix, which both have fields of their own.
  let detail = error.message.startsWith(`${title}: `) ? error.message.slice(title.length + 2) : error.message;
  if (error.fix !== undefined && detail.endsWith(error.fix))
    detail = detail.slice(0, -error.fix.length).replace(/\.?\s*$/, '');
  return {
    type: `urn:lineament:error:${code}`,
    title,
    status,
    detail: hidden ? 'the log of the service tells more under the id of this request' : publicText(detail),
    code,
    ...(fix === undefined ? {} : { fix }),
    instance: id,
  };
}

/** Seconds after which it is worth to try again; absent where trying again changes nothing. */
function retryAfter(error: LineamentError): number | undefined {
  const given = (error as { retryAfter?: unknown }).retryAfter;
  if (typeof given === 'number' && Number.isFinite(given)) return Math.max(1, Math.ceil(given));
  return error.status === 429 || error.status === 503 ? 1 : undefined;
}

/** Answers with an error. */
export function sendProblem(error: LineamentError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const seconds = retryAfter(error);
  if (seconds !== undefined && !reply.hasHeader('retry-after')) reply.header('retry-after', String(seconds));
  // Refused before the hooks ran, such as a malformed address.
  if (!reply.hasHeader('x-request-id')) {
    reply.header('x-request-id', request.id).header('x-content-type-options', 'nosniff');
    // Nobody looks after what of its body is still to come.
    if (!request.raw.complete) reply.header('connection', 'close');
  }
  if (error.code === 'UNAUTHENTICATED') reply.header('www-authenticate', 'Bearer realm="lineament"');
  // As text: no schema of the route is to change it.
  return reply
    .code(error.status)
    .header('content-type', PROBLEM_TYPE)
    .serializer((body: unknown) => JSON.stringify(body))
    .send(problemOf(error, request.id));
}

/** The one error handler: maps, counts, logs, answers. */
export function errorHandler(parts: Pick<ServiceParts, 'log' | 'metrics'>) {
  return (thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const error = toLineamentError(thrown);
    const route = request.routeOptions?.url ?? 'unmatched';
    parts.metrics.error(route, error.code);
    if (error.status >= 500) {
      const stack = error.cause instanceof Error ? error.cause.stack : error.stack;
      const fields = { id: request.id, route, code: error.code, error: error.message };
      parts.log[error.status === 500 ? 'error' : 'warn'](
        { ...fields, ...(error.status === 500 && { stack }) },
        'failed',
      );
    }
    return sendProblem(error, request, reply);
  };
}
