/** One GET, as carefully as a download deserves: https only, few redirects, no credentials to strangers, no waiting without end. */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { onAbort } from '../../errors/abort.js';
import { abortError } from '../../errors.js';

/** How patient a download is. */
export interface Patience {
  /** Until the first line of an answer, ms. */
  readonly connectMs: number;
  /** Each stretch of this length must bring something, ms. */
  readonly idleMs: number;
  /** Further tries of an address whose failure may pass. */
  readonly retries: number;
  /** Before the first further try; twice that before the next, ms. */
  readonly retryMs: number;
}

const MAX_REDIRECTS = 5;

/** What one address said, or failed to say. `retry`: another time it may say something else. */
export class AddressError extends Error {
  readonly retry: boolean;
  /** How long the address asked to be left alone, ms. */
  readonly waitMs: number | undefined;

  constructor(message: string, options: { retry: boolean; waitMs?: number; cause?: unknown }) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.name = 'AddressError';
    this.retry = options.retry;
    this.waitMs = options.waitMs;
  }
}

/** An address as it may be shown: without credentials, and without the query, which may hold a signature. */
export const shownAddress = (url: URL): string => `${url.protocol}//${url.host}${url.pathname}`;

const isLoopback = ({ hostname }: URL): boolean =>
  hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);

/** https anywhere; http on this machine only, and only where nobody else sent us there. */
export function isAllowed(url: URL, from?: URL): boolean {
  if (url.protocol === 'https:') return true;
  return url.protocol === 'http:' && isLoopback(url) && (from === undefined || isLoopback(from));
}

/** Codes of the system and of TLS that a second try does not change. */
const LASTING = /^(CERT_|ERR_TLS|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HPE_)/;

const textOf = (error: Error): string => {
  const code = (error as NodeJS.ErrnoException).code;
  return error.message || code || error.name;
};

function send(
  url: URL,
  headers: Readonly<Record<string, string>>,
  patience: Patience,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const make = url.protocol === 'https:' ? requestHttps : requestHttp;
    let call: ClientRequest;
    try {
      // A connection of its own: none is left open, none is shared with another host.
      call = make(url, { headers, agent: false });
    } catch (cause) {
      reject(new AddressError(textOf(cause as Error), { retry: false, cause }));
      return;
    }
    const timer = setTimeout(() => {
      call.destroy(new AddressError(`no answer within ${patience.connectMs / 1000} s`, { retry: true }));
    }, patience.connectMs);
    const forget = onAbort(signal, () => call.destroy(abortError(signal)));
    const done = (): void => {
      clearTimeout(timer);
      forget();
    };
    call.on('response', (answer) => {
      done();
      resolve(answer);
    });
    call.on('error', (cause: NodeJS.ErrnoException) => {
      done();
      if (signal.aborted) reject(abortError(signal));
      else if (cause instanceof AddressError) reject(cause);
      else reject(new AddressError(textOf(cause), { retry: !LASTING.test(cause.code ?? ''), cause }));
    });
    call.end();
  });
}

/**
 * Sends a GET and follows redirects; whoever gets the answer reads it to its end or destroys it. Credentials in the address go to its
 * own origin only. Rejects with {@link AddressError}, or `ABORTED`.
 */
export async function get(
  start: URL,
  headers: Readonly<Record<string, string>>,
  patience: Patience,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  let url = start;
  const seen = new Set<string>();
  for (let hops = 0; ; hops++) {
    if (!isAllowed(url, hops === 0 ? undefined : start)) {
      const sent = hops === 0 ? '' : 'redirects to ';
      throw new AddressError(`${sent}${shownAddress(url)}: only https is fetched from, and http on this machine`, {
        retry: false,
      });
    }
    seen.add(url.href);
    if (signal.aborted) throw abortError(signal);
    const answer = await send(
      url,
      { ...headers, accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'lineament' },
      patience,
      signal,
    );
    const status = answer.statusCode ?? 0;
    const { location } = answer.headers;
    if (![301, 302, 303, 307, 308].includes(status) || location === undefined) return answer;
    answer.destroy();
    if (!URL.canParse(location, url.href)) {
      throw new AddressError(`redirects (${status}) to something that is no address`, { retry: false });
    }
    const next = new URL(location, url);
    const home = next.origin === url.origin;
    next.username = home ? url.username : '';
    next.password = home ? url.password : '';
    if (seen.has(next.href)) throw new AddressError('redirects in a circle', { retry: false });
    if (hops === MAX_REDIRECTS) throw new AddressError(`redirects more than ${MAX_REDIRECTS} times`, { retry: false });
    url = next;
  }
}

/** What an answer of a status that brings nothing means. */
export function refusal(answer: IncomingMessage): AddressError {
  const status = answer.statusCode ?? 0;
  const retry = status === 408 || status === 429 || status >= 500;
  const said = `answered ${status}${answer.statusMessage ? ` ${answer.statusMessage.slice(0, 80)}` : ''}`;
  const seconds = Number(answer.headers['retry-after']);
  const asked = retry && Number.isFinite(seconds) && seconds >= 0 ? { waitMs: Math.min(seconds, 60) * 1000 } : {};
  return new AddressError(said, { retry, ...asked });
}
