import { boolean, invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { SqlResult, SqlRow, SqlStatement, SqlValue } from '../native/index.js';
import type { Collection } from './collections.js';
import type { Database } from './database.js';
import { Gate } from './gate.js';
import type { Sealer } from './sealer.js';
import type { Spaces } from './spaces.js';

/** What the row of the table `state` says, and what the process counts from there. */
export interface StoreState {
  readonly gallery: string;
  readonly createdAt: number;
  /** Key pair that signs receipts; the private one as PKCS#8. */
  readonly signingKey: Uint8Array;
  readonly publicKey: Uint8Array;
  clock: number;
  revision: number;
  tombstones: number;
  nextPerson: number;
  nextSample: number;
  nextOperation: number;
}

/**
 * What the parts of a gallery share. One process holds a gallery at a time, so keys are handed out from memory: what is sealed
 * can name the row it will lie in before that row exists.
 */
export class Store {
  readonly folder: string;
  readonly db: Database;
  readonly sealer: Sealer;
  readonly spaces: Spaces;
  readonly state: StoreState;
  readonly gate = new Gate();
  /** By name, as the database has them. */
  readonly collections = new Map<string, Collection>();
  readonly #now: () => number;

  constructor(
    folder: string,
    db: Database,
    sealer: Sealer,
    spaces: Spaces,
    state: StoreState,
    now: () => number = Date.now,
  ) {
    this.folder = folder;
    this.db = db;
    this.sealer = sealer;
    this.spaces = spaces;
    this.state = state;
    this.#now = now;
  }

  /**
   * The time, never earlier than one that was seen before: a clock that was set back does not bring expired samples to life.
   * Order is told by revisions and keys, never by times.
   */
  now(): number {
    const now = Math.floor(this.#now());
    if (Number.isSafeInteger(now) && now > this.state.clock) this.state.clock = now;
    return this.state.clock;
  }

  /** How far the clock that expiry goes by is ahead of the system's, in ms: it was wrong once, or is wrong now. */
  clockAhead(): number {
    return this.now() - Math.floor(this.#now());
  }

  async resetClock(): Promise<void> {
    this.state.clock = Math.floor(this.#now());
    await this.db.write([{ sql: 'UPDATE state SET clock = ?', params: [this.state.clock] }]);
  }

  takePersonKey(): number {
    return this.state.nextPerson++;
  }

  takeSampleKey(): number {
    return this.state.nextSample++;
  }

  takeOperationKey(): number {
    return this.state.nextOperation++;
  }

  /** One transaction that also moves the gallery's revision and clock on. Gives the results of `statements`. */
  async write(statements: readonly SqlStatement[], signal?: AbortSignal): Promise<readonly SqlResult[]> {
    const bump: SqlStatement = {
      sql: 'UPDATE state SET revision = revision + 1, clock = max(clock, ?) RETURNING revision',
      params: [this.now()],
    };
    const results = await this.db.write([...statements, bump], signal === undefined ? {} : { signal });
    this.state.revision = Math.max(this.state.revision, Number(results.at(-1)?.rows[0]?.[0]));
    return results.slice(0, -1);
  }

  async rows(sql: string, params: readonly SqlValue[] = [], maxRows = 1_000_000): Promise<readonly SqlRow[]> {
    return (await this.db.read(sql, params, { maxRows })).rows;
  }

  async row(sql: string, params: readonly SqlValue[] = []): Promise<SqlRow | undefined> {
    return (await this.rows(sql, params))[0];
  }

  async count(sql: string, params: readonly SqlValue[] = []): Promise<number> {
    return Number((await this.row(sql, params))?.[0] ?? 0);
  }

  /** The person's key, or `NOT_FOUND`; says where to when the person was merged into another. */
  async personKey(id: string): Promise<number> {
    checkId('person', id);
    const row = await this.row('SELECT key FROM persons WHERE id = ?', [id]);
    if (row !== undefined) return Number(row[0]);
    const merged = await this.row(
      `SELECT key, detail ->> '$.into' FROM operations
       WHERE kind = 'merge' AND undone = 0 AND detail ->> '$.from.id' = ? ORDER BY key DESC LIMIT 1`,
      [id],
    );
    throw new LineamentError('NOT_FOUND', `there is no person '${id}'`, {
      ...(merged === undefined
        ? {}
        : { fix: `It was merged into '${merged[1]}'; undo(${merged[0]}) parts them again.` }),
    });
  }
}

/** A list of keys or ids for `IN (SELECT value FROM json_each(?))`. */
export const list = (values: readonly (number | string)[]): string => JSON.stringify(values);

export const IN_LIST = 'IN (SELECT value FROM json_each(?))';

/** Ids and names: 1 to `max` characters, well-formed and without control characters. */
export function checkId(name: string, value: unknown, max = 255): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused
  if (typeof value !== 'string' || value.length === 0 || value.length > max || /[\u0000-\u001f\u007f]/.test(value)) {
    throw invalid(name, `string of 1 to ${max} characters, none of them a control character`, value);
  }
  if (/\p{Surrogate}/u.test(value)) throw invalid(name, 'well-formed Unicode', value);
  return value;
}

/** JSON text of a value, within `maxBytes`. */
export function jsonText(name: string, value: unknown, maxBytes = 65_536): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined;
  }
  if (text === undefined) throw invalid(name, 'JSON value', value);
  if (Buffer.byteLength(text) > maxBytes) throw invalid(name, `JSON of at most ${maxBytes} bytes`, value);
  return text;
}

export const flag = (name: string, value: unknown, otherwise: boolean): boolean =>
  value === undefined ? otherwise : boolean(name, value);

/** A value or its absence, for objects under `exactOptionalPropertyTypes`. */
export function optional<K extends string, V>(key: K, value: V | null | undefined): { readonly [P in K]?: V } {
  return (value === null || value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: V };
}
