import { LineamentError } from '../errors.js';

interface MilvusStatus {
  readonly error_code: string | number;
  readonly reason: string;
  readonly code?: number;
}

type MilvusRow = Readonly<Record<string, unknown>>;
type Request = Readonly<Record<string, unknown>>;

/** What is used of `MilvusClient` of `@zilliz/milvus2-sdk-node`. */
export interface MilvusConnection {
  readonly connectPromise: Promise<unknown>;
  getVersion(): Promise<unknown>;
  hasCollection(request: never): Promise<unknown>;
  createCollection(request: never): Promise<unknown>;
  createIndex(request: never): Promise<unknown>;
  loadCollection(request: never): Promise<unknown>;
  upsert(request: never): Promise<unknown>;
  delete(request: never): Promise<unknown>;
  query(request: never): Promise<unknown>;
  search(request: never): Promise<unknown>;
  closeConnection(): Promise<unknown>;
}

/** Numbers of Milvus's own types (schema.proto). */
export const VARCHAR = 21;
export const INT64 = 5;
export const BOOL = 1;
export const FLOAT_VECTOR = 101;

/** The calls that are used, with statuses and failures as errors of ours. */
export class Milvus {
  constructor(
    readonly client: MilvusConnection,
    readonly collection: string,
  ) {}

  /** Calls a method of the client with the collection's name. */
  async call<T>(method: Exclude<keyof MilvusConnection, 'connectPromise'>, request: Request = {}): Promise<T> {
    let answer: { status?: MilvusStatus } & Partial<MilvusStatus>;
    try {
      const send = this.client[method] as (this: MilvusConnection, request: Request) => Promise<object>;
      answer = await send.call(this.client, { collection_name: this.collection, ...request });
    } catch (error) {
      throw milvusError(error);
    }
    const status = answer.status ?? answer;
    if ((status.error_code ?? 'Success') !== 'Success' || (status.code ?? 0) !== 0) throw statusError(status);
    return answer as T;
  }

  async query(filter: string, fields: readonly string[], limit?: number): Promise<MilvusRow[]> {
    const request = {
      filter,
      output_fields: fields,
      consistency_level: STRONG,
      ...(limit === undefined ? {} : { limit }),
    };
    return (await this.call<{ data: MilvusRow[] }>('query', request)).data;
  }

  async count(filter: string): Promise<number> {
    return Number((await this.query(filter, ['count(*)']))[0]?.['count(*)'] ?? 0);
  }

  /** One list of rows for each vector. */
  async search(vectors: readonly Float32Array[], request: Request): Promise<MilvusRow[][]> {
    const data = vectors.map((vector) => Array.from(vector));
    const answer = await this.call<{ results: unknown[] }>('search', { data, consistency_level: STRONG, ...request });
    // The client gives the list of a single vector without the list around it.
    const lists = vectors.length === 1 && !Array.isArray(answer.results[0]) ? [answer.results] : answer.results;
    return lists as MilvusRow[][];
  }
}

/** Reads see every write that was acknowledged before. */
const STRONG = 0;

/** A string in a filter expression. */
export const literal = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

export const anyOf = (field: string, values: readonly string[]): string =>
  `${field} in [${values.map(literal).join(',')}]`;

function statusError({ reason = '', error_code, code }: Partial<MilvusStatus>): LineamentError {
  const said = `Milvus: ${reason || `${String(error_code)} (${String(code)})`}`;
  if (/permission|unauthenticated|auth check/i.test(reason)) return new LineamentError('ACCESS_DENIED', said);
  if (/rate limit|quota|memory|not loaded|not ready|recovering/i.test(reason))
    return new LineamentError('STORE_BUSY', said);
  return new LineamentError('STORE_FAILED', said);
}

/** Failures of gRPC, by its numbers. */
export function milvusError(thrown: unknown): LineamentError {
  if (thrown instanceof LineamentError) return thrown;
  const { code, message = String(thrown) } = thrown as { code?: unknown; message?: string };
  const kind =
    code === 7 || code === 16
      ? 'ACCESS_DENIED'
      : code === 8
        ? 'STORE_BUSY'
        : code === 4 || code === 14 || /connect|deadline|timeout/i.test(message)
          ? 'STORE_UNAVAILABLE'
          : 'STORE_FAILED';
  return new LineamentError(kind, `Milvus: ${message.split('\n', 1)[0]}`, { cause: thrown });
}
