/** A small typed client of the service, for browsers and Node: nothing but `fetch` and what the OpenAPI document says. */
import { type components, OPERATIONS, type operations } from './generated.js';

/** Operations by their names in the document. */
export type Operation = keyof typeof OPERATIONS & keyof operations;
/** Schemas by their names in the document, such as `Schemas['Face']`. */
export type Schemas = components['schemas'];
export type Problem = Schemas['Problem'];

type BodyOf<O extends Operation, Type extends string> = operations[O] extends {
  readonly requestBody?: { readonly content: infer Content };
}
  ? Content extends { readonly [Key in Type]: infer Body }
    ? Body
    : never
  : never;
type ParametersOf<O extends Operation, Where extends string> = operations[O] extends {
  readonly parameters: { readonly [Key in Where]?: infer Given };
}
  ? Exclude<Given, undefined>
  : never;

/** What every call may be given. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
  /** Instead of the client's; 0 is no limit. */
  readonly timeoutMs?: number;
}

/** What a call is given: parts of the address, and the body in one of the forms that the operation reads. */
export type Input<O extends Operation> = RequestOptions & {
  readonly query?: ParametersOf<O, 'query'>;
  /** Body as JSON. */
  readonly json?: BodyOf<O, 'application/json'>;
  /** Body as a form with files: a list gives several files of one name. */
  readonly form?: BodyOf<O, 'multipart/form-data'>;
  /** Body as it is, such as a picture; `type` says what it is where it is no `Blob`. */
  readonly bytes?: Blob | Uint8Array<ArrayBuffer> | string;
  readonly type?: string;
} & ([ParametersOf<O, 'path'>] extends [never]
    ? { readonly path?: never }
    : { readonly path: ParametersOf<O, 'path'> });

type Text = { readonly 'text/plain': string } | { readonly 'text/event-stream': string };
type Success<Responses> = {
  [Status in keyof Responses]: Status extends 200 | 201 | 202
    ? Responses[Status] extends { readonly content: { readonly 'application/json': infer Body } }
      ? Body
      : Responses[Status] extends { readonly content: Text }
        ? string
        : Uint8Array<ArrayBuffer>
    : Status extends 204
      ? undefined
      : never;
}[keyof Responses];

/** What a call gives: parsed JSON, text, bytes, or nothing. */
export type Answer<O extends Operation> = Success<operations[O]['responses']>;

/** A failure of a call. */
export class ServiceError extends Error {
  /** The code of the service; `UNREACHABLE` where no answer came, `TIMED_OUT`, `ABORTED`, or `UNKNOWN` where the answer was not the service's. */
  readonly code: string;
  /** HTTP status; 0 where no answer came. */
  readonly status: number;
  /** What the service said. */
  readonly problem?: Problem;
  /** Seconds after which to try again, where the service says so. */
  readonly retryAfter?: number;

  constructor(
    code: string,
    status: number,
    message: string,
    more: { problem?: Problem; retryAfter?: number; cause?: unknown } = {},
  ) {
    super(message, 'cause' in more ? { cause: more.cause } : {});
    this.name = 'ServiceError';
    this.code = code;
    this.status = status;
    if (more.problem !== undefined) this.problem = more.problem;
    if (more.retryAfter !== undefined) this.retryAfter = more.retryAfter;
  }
}

export interface ClientOptions {
  /** Such as `http://127.0.0.1:8080`, or with the path that a proxy puts before it. */
  readonly address: string;
  /** API key or token; a function is asked for each call. */
  readonly key?: string | (() => string | undefined);
  /** A call fails with `TIMED_OUT` after so long; 60 000 when absent, 0 is no limit. */
  readonly timeoutMs?: number;
  /** Instead of the global one. */
  readonly fetch?: typeof fetch;
}

/** Calls of the service by the names of its operations. Safe for overlapping calls. */
export class Client {
  readonly #address: string;
  readonly #key: ClientOptions['key'];
  readonly #timeoutMs: number;
  readonly #fetch: typeof fetch;

  constructor(options: ClientOptions) {
    this.#address = options.address.replace(/\/+$/, '');
    this.#key = options.key;
    this.#timeoutMs = options.timeoutMs ?? 60_000;
    // Browsers refuse a fetch that is called as a method of something else.
    this.#fetch = options.fetch ?? ((...given) => fetch(...given));
  }

  /** Calls an operation. Rejects with {@link ServiceError}. */
  async call<O extends Operation>(operation: O, ...[input]: CallInput<O>): Promise<Answer<O>> {
    const { response, settle } = await this.#send(operation, (input ?? {}) as AnyInput);
    try {
      return (await settle(bodyOf(response))) as Answer<O>;
    } catch (error) {
      throw error instanceof ServiceError
        ? error
        : new ServiceError('UNKNOWN', response.status, 'the answer could not be read', { cause: error });
    }
  }

  /** The same, with the answer as it comes: for what is long, such as an export. Rejects with {@link ServiceError}, also for a status that says of a failure. */
  async open<O extends Operation>(operation: O, ...[input]: CallInput<O>): Promise<Response> {
    return (await this.#send(operation, (input ?? {}) as AnyInput)).response;
  }

  /** Address for a WebSocket, such as `/ws/events`, with a ticket that lets in once and soon. */
  async socketAddress(path: string, options: RequestOptions = {}): Promise<string> {
    const { ticket } = await this.call('create_ticket', options as Input<'create_ticket'>);
    const url = new URL(`${this.#address}${path}`);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    url.searchParams.set('ticket', ticket);
    return url.href;
  }

  async #send(
    operation: Operation,
    input: AnyInput,
  ): Promise<{ response: Response; settle: <T>(reading: Promise<T>) => Promise<T> }> {
    const { method, path } = OPERATIONS[operation];
    const limit = input.timeoutMs ?? this.#timeoutMs;
    const timeout = limit > 0 ? AbortSignal.timeout(limit) : undefined;
    const given = [input.signal, timeout].filter((one) => one !== undefined);
    const settle = async <T>(waiting: Promise<T>): Promise<T> => {
      try {
        return await waiting;
      } catch (cause) {
        if (cause instanceof ServiceError) throw cause;
        if (input.signal?.aborted) throw new ServiceError('ABORTED', 0, 'the call was aborted', { cause });
        if (timeout?.aborted) throw new ServiceError('TIMED_OUT', 0, `no answer within ${limit} ms`, { cause });
        throw new ServiceError('UNREACHABLE', 0, `${this.#address} cannot be reached`, { cause });
      }
    };
    const headers = new Headers({ accept: 'application/json, application/problem+json, */*' });
    const key = typeof this.#key === 'function' ? this.#key() : this.#key;
    if (key !== undefined) headers.set('authorization', `Bearer ${key}`);
    const body = encodeBody(input, headers);
    const response = await settle(
      this.#fetch(`${this.#address}${fillPath(path, input.path)}${queryText(input.query)}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
        ...(given.length > 0 && { signal: AbortSignal.any(given) }),
      }),
    );
    if (!response.ok) throw await settle(failureOf(response));
    return { response, settle };
  }
}

/** The input may be left out where nothing of it must be given. */
export type CallInput<O extends Operation> =
  Input<O> extends { readonly path: unknown } ? [input: Input<O>] : [input?: Input<O>];

interface AnyInput extends RequestOptions {
  readonly path?: Readonly<Record<string, unknown>>;
  readonly query?: Readonly<Record<string, unknown>>;
  readonly json?: unknown;
  readonly form?: Readonly<Record<string, unknown>>;
  readonly bytes?: Blob | Uint8Array<ArrayBuffer> | string;
  readonly type?: string;
}

function fillPath(pattern: string, given: AnyInput['path'] = {}): string {
  return pattern.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = given[name];
    // An empty part, or one of dots, would be another address.
    if (value === undefined || value === '' || value === '.' || value === '..') {
      throw new ServiceError('INVALID_ARGUMENT', 0, `Expected a value for ${name} of ${pattern}`);
    }
    return encodeURIComponent(String(value));
  });
}

function queryText(query: AnyInput['query'] = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) text.append(name, String(one));
  }
  const joined = text.toString();
  return joined === '' ? '' : `?${joined}`;
}

type Encoded = string | Blob | Uint8Array<ArrayBuffer> | FormData;

function encodeBody({ json, form, bytes, type }: AnyInput, headers: Headers): Encoded | undefined {
  if ([json, form, bytes].filter((one) => one !== undefined).length > 1) {
    throw new ServiceError('INVALID_ARGUMENT', 0, 'Expected one of json, form and bytes');
  }
  if (json !== undefined) {
    headers.set('content-type', 'application/json');
    return JSON.stringify(json);
  }
  if (bytes !== undefined) {
    headers.set(
      'content-type',
      type ?? (bytes instanceof Blob && bytes.type !== '' ? bytes.type : 'application/octet-stream'),
    );
    return bytes;
  }
  return form === undefined ? undefined : formOf(form);
}

/** Files keep their names; other values are text, structures JSON. */
function formOf(given: Readonly<Record<string, unknown>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(given)) {
    for (const one of Array.isArray(value) ? value : [value]) {
      if (one === undefined) continue;
      if (one instanceof Blob) form.append(name, one, (one as Blob & { name?: string }).name ?? name);
      else if (one instanceof Uint8Array) form.append(name, new Blob([one as Uint8Array<ArrayBuffer>]), name);
      else form.append(name, typeof one === 'object' ? JSON.stringify(one) : String(one));
    }
  }
  return form;
}

async function bodyOf(response: Response): Promise<unknown> {
  if (response.status === 204) return undefined;
  const type = response.headers.get('content-type') ?? '';
  if (/^application\/(?:[\w.]+\+)?json\b/.test(type)) return response.json();
  if (type.startsWith('text/')) return response.text();
  return new Uint8Array(await response.arrayBuffer());
}

async function failureOf(response: Response): Promise<ServiceError> {
  const { status } = response;
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const more = Number.isFinite(seconds) ? { retryAfter: seconds } : {};
  const text = await response.text();
  let problem: Problem | undefined;
  try {
    const parsed = JSON.parse(text) as Partial<Problem> | null;
    if (typeof parsed?.code === 'string' && typeof parsed.title === 'string') problem = parsed as Problem;
  } catch {
    // a proxy's own page, for one
  }
  if (problem === undefined)
    return new ServiceError('UNKNOWN', status, `the answer was ${status} ${response.statusText}`.trim(), more);
  const said = [`${problem.title}: ${problem.detail}`, problem.fix].filter(Boolean).join('. ');
  return new ServiceError(problem.code, status, said, { ...more, problem });
}
