import { randomBytes } from 'node:crypto';
import { invalid, nonEmptyString } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import type { Database } from '../../gallery/database.js';
import type { SqlRow, SqlStatement } from '../../native/index.js';
import type { Scope } from '../config/types.js';
import { openPrivate } from './files.js';
import { COST, hashSecret, isBelow, readCost, type ScryptCost, type SecretHash, writeCost } from './hash.js';
import { isScope, SCOPES } from './scopes.js';
import type { ApiKey, CreatedKey, NewKey } from './types.js';

export const KEYS_FILE = 'service.sqlite';
/** "LSVC". */
const APPLICATION_ID = 0x4c535643;
const MIGRATIONS: readonly (readonly string[])[] = [
  [
    `CREATE TABLE keys (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL,
      scopes TEXT NOT NULL,
      created_at REAL NOT NULL,
      expires_at REAL,
      last_used_at REAL,
      revoked_at REAL,
      salt BLOB NOT NULL,
      hash BLOB NOT NULL,
      cost TEXT NOT NULL
    ) STRICT`,
  ],
  // What a process that has the keys in memory looks at, to see whether another one has made or revoked some.
  [
    'CREATE TABLE revision (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT',
    'INSERT INTO revision (one, number) VALUES (1, 0)',
    'CREATE TRIGGER key_made AFTER INSERT ON keys BEGIN UPDATE revision SET number = number + 1; END',
    'CREATE TRIGGER key_revoked AFTER UPDATE OF revoked_at ON keys BEGIN UPDATE revision SET number = number + 1; END',
  ],
];
const REVISION = 'SELECT number FROM revision';

/** Keys that can be used; more are refused. */
const MOST_KEYS = 10_000;

/** A key that was presented. */
export interface Presented {
  readonly id: string;
  readonly secret: string;
}

/** `lin_<id>_<secret>`: 12 hexadecimal digits, and 256 random bits as base64url. Undefined for what has another form. */
export function readKey(credential: string): Presented | undefined {
  const [, id, secret] = /^lin_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/.exec(credential) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

interface KeyRecord {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly expiresAt: number | undefined;
  lastUsedAt: number | undefined;
  revokedAt: number | undefined;
  secret: SecretHash;
}

/** API keys in SQLite, all of them in memory too. What is in memory counts; what other processes have changed comes there by {@link refresh}. */
export class KeyStore {
  readonly #db: Database;
  readonly #now: () => number;
  readonly #cost: ScryptCost;
  readonly #keys = new Map<string, KeyRecord>();
  /** Keys whose last use is not on the disk. */
  readonly #used = new Set<string>();
  /** Keys that are not on the disk. */
  readonly #unwritten = new Set<string>();
  /** Of the file, as of which memory has everything. */
  #revision = -1;

  private constructor(db: Database, now: () => number, cost: ScryptCost) {
    this.#db = db;
    this.#now = now;
    this.#cost = cost;
  }

  /** Without `create` a missing file is `STORE_NOT_FOUND`. `cost` is that of secrets from now on. */
  static async open(
    folder: string,
    now: () => number,
    { create = true, cost = COST }: { readonly create?: boolean; readonly cost?: ScryptCost } = {},
  ): Promise<KeyStore> {
    const db = await openPrivate(folder, KEYS_FILE, APPLICATION_ID, MIGRATIONS, create);
    try {
      const store = new KeyStore(db, now, cost);
      await store.refresh();
      return store;
    } catch (error) {
      await db.close();
      throw error;
    }
  }

  /** Takes in keys that another process has made, and revocations of its. */
  async refresh(): Promise<void> {
    const revision = Number((await this.#db.read(REVISION)).rows[0]?.[0]);
    if (revision === this.#revision) return;
    for await (const page of this.#db.pages(`SELECT ${COLUMNS} FROM keys ORDER BY created_at, id`)) {
      for (const row of page) {
        const record = readRecord(row);
        const known = this.#keys.get(record.id);
        if (known === undefined) this.#keys.set(record.id, record);
        else known.revokedAt ??= record.revokedAt;
      }
    }
    this.#revision = revision;
  }

  /** Makes a key; it is on the disk when this resolves. `INVALID_ARGUMENT` for a bad name, unknown scopes, a time that has passed, or too many keys. */
  async create(given: NewKey): Promise<CreatedKey> {
    const { record, key } = await this.#make(given);
    await this.#write(record);
    this.#keys.set(record.id, record);
    return { ...shown(record), key };
  }

  /** Makes a key that opens at once, and outlives the process once it was kept: by {@link keep}. */
  async createForNow(given: NewKey): Promise<CreatedKey> {
    const { record, key } = await this.#make(given);
    this.#unwritten.add(record.id);
    this.#keys.set(record.id, record);
    return { ...shown(record), key };
  }

  /** Writes a key to the disk where it is not there. */
  async keep(id: string): Promise<void> {
    const record = this.#keys.get(id);
    if (record === undefined || !this.#unwritten.has(id)) return;
    await this.#write(record);
    this.#unwritten.delete(id);
  }

  async #make(given: NewKey): Promise<{ readonly record: KeyRecord; readonly key: string }> {
    const name = nonEmptyString('name', given.name);
    if (name.length > 100 || /\p{Cc}/u.test(name)) {
      throw invalid('name', 'up to 100 characters, none of them control characters', given.name);
    }
    if (!Array.isArray(given.scopes) || given.scopes.length === 0 || !given.scopes.every(isScope)) {
      throw invalid('scopes', `non-empty array of ${SCOPES.map((scope) => `'${scope}'`).join(', ')}`, given.scopes);
    }
    const now = this.#now();
    const { expiresAt } = given;
    if (expiresAt !== undefined && !(Number.isFinite(expiresAt) && expiresAt > now)) {
      throw invalid('expiresAt', 'time in the future, milliseconds since the Unix epoch', expiresAt);
    }
    if ([...this.#keys.values()].filter((key) => this.#stands(key)).length >= MOST_KEYS) {
      throw new LineamentError('INVALID_ARGUMENT', `there are ${MOST_KEYS} keys`, {
        fix: 'Revoke those that nobody uses.',
      });
    }
    const id = randomBytes(6).toString('hex');
    const secret = randomBytes(32).toString('base64url');
    const record: KeyRecord = {
      id,
      name,
      scopes: SCOPES.filter((scope) => given.scopes.includes(scope)),
      createdAt: now,
      expiresAt,
      lastUsedAt: undefined,
      revokedAt: undefined,
      secret: await hashSecret(secret, this.#cost),
    };
    return { record, key: `lin_${id}_${secret}` };
  }

  async #write({ id, name, scopes, createdAt, expiresAt, revokedAt, secret }: KeyRecord): Promise<void> {
    await this.#change({
      sql: `INSERT INTO keys (${COLUMNS}) VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?, ?)`,
      params: [
        id,
        name,
        scopes.join(' '),
        createdAt,
        expiresAt ?? null,
        revokedAt ?? null,
        secret.salt,
        secret.hash,
        writeCost(secret.cost),
      ],
    });
  }

  /** Writes what memory has, or is about to have. Where nobody else has changed anything there is nothing to be taken in after it. */
  async #change(statement: SqlStatement): Promise<void> {
    const results = await this.#db.write([statement, { sql: REVISION }]);
    const revision = Number(results[1]?.rows[0]?.[0]);
    if (revision === this.#revision + 1) this.#revision = revision;
  }

  list(): readonly ApiKey[] {
    return [...this.#keys.values()].map(shown);
  }

  /** Holds at once, and on the disk when this resolves. A second time changes nothing. `NOT_FOUND`. */
  async revoke(id: string): Promise<void> {
    if (!this.#keys.has(id)) await this.refresh();
    const record = this.#keys.get(id);
    if (record === undefined) throw new LineamentError('NOT_FOUND', 'there is no key with this id');
    record.revokedAt ??= this.#now();
    await this.#change({
      sql: 'UPDATE keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL',
      params: [record.revokedAt, id],
    });
  }

  /** Hashes the secret of a key anew where its hash was made at a lower cost than hashes are made at now. It must be the right one. */
  async strengthen(id: string, secret: string): Promise<void> {
    const record = this.#keys.get(id);
    if (record === undefined || !isBelow(record.secret.cost, this.#cost)) return;
    const { salt, hash, cost } = await hashSecret(secret, this.#cost);
    await this.#db.write([
      { sql: 'UPDATE keys SET salt = ?, hash = ?, cost = ? WHERE id = ?', params: [salt, hash, writeCost(cost), id] },
    ]);
    record.secret = { salt, hash, cost };
  }

  hashOf(id: string): SecretHash | undefined {
    return this.#keys.get(id)?.secret;
  }

  /** Scopes of a key that may be used now. */
  scopesOf(id: string): readonly Scope[] | undefined {
    const record = this.#keys.get(id);
    return record !== undefined && this.#stands(record) ? record.scopes : undefined;
  }

  /** Whether somebody could administer with a key of these. */
  hasAdmin(): boolean {
    return [...this.#keys.values()].some((key) => key.scopes.includes('admin') && this.#stands(key));
  }

  /** Remembers that it was used; {@link flush} writes it. */
  use(id: string): void {
    const record = this.#keys.get(id);
    if (record === undefined) return;
    record.lastUsedAt = this.#now();
    this.#used.add(id);
  }

  /** Writes last uses to the disk. */
  async flush(): Promise<void> {
    if (this.#used.size === 0) return;
    const rows = [...this.#used].map((id) => [this.#keys.get(id)?.lastUsedAt ?? null, id]);
    this.#used.clear();
    await this.#db.write([{ sql: 'UPDATE keys SET last_used_at = ? WHERE id = ?', rows }]);
  }

  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#db.close();
    }
  }

  #stands({ revokedAt, expiresAt }: KeyRecord): boolean {
    return revokedAt === undefined && (expiresAt === undefined || this.#now() < expiresAt);
  }
}

const COLUMNS = 'id, name, scopes, created_at, expires_at, last_used_at, revoked_at, salt, hash, cost';

function readRecord([id, name, scopes, created, expires, used, revoked, salt, hash, cost]: SqlRow): KeyRecord {
  const optional = (value: SqlRow[number] | undefined): number | undefined =>
    value === null ? undefined : Number(value);
  return {
    id: String(id),
    name: String(name),
    scopes: String(scopes).split(' ').filter(isScope),
    createdAt: Number(created),
    expiresAt: optional(expires),
    lastUsedAt: optional(used),
    revokedAt: optional(revoked),
    secret: { salt: salt as Uint8Array, hash: hash as Uint8Array, cost: readCost(String(cost)) },
  };
}

/** Without the hash. */
function shown({ id, name, scopes, createdAt, expiresAt, lastUsedAt, revokedAt }: KeyRecord): ApiKey {
  return {
    id,
    name,
    scopes,
    createdAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(lastUsedAt !== undefined && { lastUsedAt }),
    revoked: revokedAt !== undefined,
  };
}
