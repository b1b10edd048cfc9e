/** One HTTP request with its repetitions: time limits, back-off, size limits, TLS. */
import { request as httpRequest, type IncomingMessage, Agent as PlainAgent } from 'node:http';
import { Agent as TlsAgent, request as tlsRequest } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { onAbort } from '../errors/abort.js';
import { abortError, LineamentError, throwIfAborted, wrapError } from '../errors.js';

export interface TlsOptions {
  /** Certificates (PEM) of the authorities to trust, instead of those that Node trusts. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /** Certificate and key (PEM) of this client, where the server asks for one. */
  readonly cert?: string | Uint8Array;
  readonly key?: string | Uint8Array;
  /** Name in the server's certificate where it is not the one in the URL. */
  readonly servername?: string;
}

export interface TransportOptions {
  readonly origin: URL;
  readonly token: string | (() => string | Promise<string>) | undefined;
  readonly tls: TlsOptions;
  readonly timeoutMs: number;
  readonly retries: number;
  readonly retryDelayMs: number;
  readonly maxRetryDelayMs: number;
  readonly maxResponseBytes: number;
  readonly maxConnections: number;
}

export interface Call {
  readonly method: 'GET' | 'POST';
  /** Below the service's URL, with its leading slash. */
  readonly path: string;
  readonly body?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer {
  readonly status: number;
  /** Parsed JSON. */
  readonly body: unknown;
}

/** Worth another try: the server is busy, restarting, or somebody between says so. */
const AGAIN_STATUS = new Set([408, 425, 429, 502, 503, 504]);
/** Failures before or in the middle of an answer. Certificates, unknown protocols and the like do not heal by repetition. */
const AGAIN_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'HPE_INVALID_EOF_STATE',
]);

const TIMEOUT = Symbol('time is over');

/** A failed try. */
class Failure extends Error {
  constructor(
    readonly error: LineamentError,
    readonly again: boolean,
    /** Milliseconds that the server asked to wait. */
    readonly wait?: number,
  ) {
    super(error.message);
  }
}

export class Transport {
  readonly #options: TransportOptions;
  readonly #agent: PlainAgent;

  constructor(options: TransportOptions) {
    this.#options = options;
    const { ca, cert, key, servername } = options.tls;
    const pool = { keepAlive: true, maxSockets: options.maxConnections, scheduling: 'lifo' as const };
    this.#agent =
      options.origin.protocol === 'https:'
        ? new TlsAgent({
            ...pool,
            minVersion: 'TLSv1.2',
            ...(ca === undefined ? {} : { ca: pem(ca) }),
            ...(cert === undefined ? {} : { cert: pem(cert) }),
            ...(key === undefined ? {} : { key: pem(key) }),
            ...(servername === undefined ? {} : { servername }),
          })
        : new PlainAgent(pool);
  }

  /**
   * Sends the request until it is answered, at most `retries` times more. Every call that comes here may be repeated: it
   * changes nothing, or says with an idempotency key which request it is.
   *
   * Waits between tries: a random time up to `retryDelayMs` · 2ⁿ (full jitter, M. Brooker, "Exponential Backoff And Jitter",
   * AWS Architecture Blog 2015), or what the server asks for in `Retry-After`, both at most `maxRetryDelayMs`. `read` finds the error in an answer.
   */
  async send(call: Call, requestId: string, read: (answer: Answer) => LineamentError | undefined): Promise<unknown> {
    const { retries, retryDelayMs, maxRetryDelayMs } = this.#options;
    for (let tried = 0; ; tried++) {
      throwIfAborted(call.signal);
      try {
        return await this.#once(call, requestId, read);
      } catch (thrown) {
        if (call.signal?.aborted === true) throw abortError(call.signal);
        if (!(thrown instanceof Failure)) throw wrapError(thrown, undefined, 'STORE_UNAVAILABLE');
        if (!thrown.again || tried >= retries) throw thrown.error;
        const wait = thrown.wait ?? Math.random() * retryDelayMs * 2 ** tried;
        const given = call.signal === undefined ? {} : { signal: call.signal };
        await sleep(Math.min(wait, maxRetryDelayMs), undefined, given).catch(() => {
          throw abortError(call.signal);
        });
      }
    }
  }

  async #once(call: Call, requestId: string, read: (answer: Answer) => LineamentError | undefined): Promise<unknown> {
    const { origin, token, timeoutMs } = this.#options;
    const bearer = typeof token === 'function' ? await token() : token;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(TIMEOUT), timeoutMs);
    const done = call.signal === undefined ? () => undefined : onAbort(call.signal, () => stop.abort());
    const where = `${origin.host} (request ${requestId})`;
    let response: IncomingMessage;
    let text: string;
    try {
      response = await this.#exchange(call, requestId, bearer, stop.signal);
      text = await this.#text(response, where);
    } catch (error) {
      if (error instanceof Failure) throw error;
      throw stop.signal.reason === TIMEOUT
        ? new Failure(new LineamentError('STORE_UNAVAILABLE', `${where} did not answer in ${timeoutMs} ms`), true)
        : connectionFailure(error, where);
    } finally {
      clearTimeout(timer);
      done();
    }
    const status = response.statusCode ?? 0;
    const json = /^application\/(?:[\w.+-]+\+)?json\b/i.test(response.headers['content-type'] ?? '');
    const body = json ? parse(text) : undefined;
    const error = body === undefined ? notJson(status, where) : read({ status, body });
    if (error === undefined) return body;
    throw new Failure(error, AGAIN_STATUS.has(status), retryAfter(response.headers['retry-after']));
  }

  #exchange(call: Call, requestId: string, bearer: string | undefined, signal: AbortSignal): Promise<IncomingMessage> {
    const { origin } = this.#options;
    const send = origin.protocol === 'https:' ? tlsRequest : httpRequest;
    const base = origin.pathname.replace(/\/$/, '');
    const headers: Record<string, string> = { accept: 'application/json', 'x-request-id': requestId, ...call.headers };
    if (bearer !== undefined) headers['authorization'] = `Bearer ${bearer}`;
    if (call.body !== undefined) {
      headers['content-type'] = 'application/json';
      headers['content-length'] = String(Buffer.byteLength(call.body));
    }
    return new Promise((resolve, reject) => {
      const request = send(new URL(base + call.path, origin), {
        method: call.method,
        headers,
        agent: this.#agent,
        signal,
      });
      request.on('response', resolve);
      request.on('error', reject);
      request.end(call.body);
    });
  }

  async #text(response: IncomingMessage, where: string): Promise<string> {
    const { maxResponseBytes } = this.#options;
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of response as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxResponseBytes) {
        response.destroy();
        throw new Failure(
          new LineamentError('STORE_FAILED', `${where} answered with more than ${maxResponseBytes} bytes`, {
            fix: 'Ask for less at once, or raise maxResponseBytes.',
          }),
          false,
        );
      }
      chunks.push(chunk);
    }
    if (!response.complete) throw Object.assign(new Error('the connection was cut'), { code: 'ECONNRESET' });
    return Buffer.concat(chunks).toString('utf8');
  }

  close(): void {
    this.#agent.destroy();
  }
}

const pem = (value: NonNullable<TlsOptions['ca']>): string | Buffer | (string | Buffer)[] =>
  Array.isArray(value)
    ? value.map((one: string | Uint8Array) => (typeof one === 'string' ? one : Buffer.from(one)))
    : typeof value === 'string'
      ? value
      : Buffer.from(value as Uint8Array);

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** An answer that is none of the service's: of a proxy between, say. */
function notJson(status: number, where: string): LineamentError {
  if (status === 401 || status === 403) return new LineamentError('ACCESS_DENIED', `${where} answered ${status}`);
  return new LineamentError('STORE_UNAVAILABLE', `${where} answered ${status} with something that is not JSON`, {
    fix: 'Check that the URL names a Lineament storage service.',
  });
}

function connectionFailure(thrown: unknown, where: string): Failure {
  const { code = '', message = '' } = thrown as { code?: string; message?: string };
  const again = AGAIN_CODES.has(code) || message === 'aborted';
  const certificate = /CERT|SIGNED|TLS|SSL|ALTNAME/.test(code);
  const error = new LineamentError('STORE_UNAVAILABLE', `${where}: ${message || code || String(thrown)}`, {
    cause: thrown,
    ...(certificate ? { fix: 'Name the authority behind the certificate of the server in tls.ca.' } : {}),
  });
  return new Failure(error, again);
}

/** Seconds or a date (RFC 9110, 10.2.3), in milliseconds from now. */
function retryAfter(value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
