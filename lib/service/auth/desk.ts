/** The keys of a service for whoever holds its data folder, also while the service runs, and without a key. */
import { LineamentError, wrapError } from '../../errors.js';
import { Lifetime } from '../../inference/lifetime.js';
import type { AuditTrail } from '../types.js';
import { KeyStore } from './keys.js';
import { openAuditTrail } from './trail.js';
import type { ApiKey, CreatedKey, NewKey } from './types.js';

/** Keys of a data folder. What it changes is in the audit trail when a call resolves, and a service that runs heeds it within a second. */
export interface KeyDesk extends AsyncDisposable {
  /** All of them, revoked and expired ones too, the oldest first. A service that runs writes last uses once a minute. */
  list(): Promise<readonly ApiKey[]>;
  /** Makes a key. `INVALID_ARGUMENT` for a bad name, unknown scopes, a time that has passed, or too many keys. */
  create(given: NewKey): Promise<CreatedKey>;
  /** Revokes a key for good; a second time changes nothing. `NOT_FOUND`. */
  revoke(id: string): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}

/**
 * Opens the keys in the data folder of a service. `actor` is what the audit trail says of who it was. Rejects with `STORE_NOT_FOUND` where no service
 * has been started with the folder, `ACCESS_DENIED` where the files are somebody else's, and the codes of `Database.open`.
 */
export async function openKeyDesk(folder: string, actor: string): Promise<KeyDesk> {
  try {
    const keys = await KeyStore.open(folder, Date.now, { create: false });
    try {
      return new Desk(keys, await openAuditTrail(folder), actor);
    } catch (error) {
      await keys.close();
      throw error;
    }
  } catch (thrown) {
    const error = wrapError(thrown);
    if (error.code !== 'ACCESS_DENIED') throw error;
    throw new LineamentError(error.code, error.message, { cause: error, fix: 'Be the user whom the service runs as.' });
  }
}

class Desk implements KeyDesk {
  readonly #keys: KeyStore;
  readonly #audit: AuditTrail;
  readonly #actor: string;
  readonly #lifetime = new Lifetime('key desk');

  constructor(keys: KeyStore, audit: AuditTrail, actor: string) {
    this.#keys = keys;
    this.#audit = audit;
    this.#actor = actor;
  }

  list(): Promise<readonly ApiKey[]> {
    return this.#lifetime.use(async () => {
      await this.#keys.refresh();
      return this.#keys.list();
    });
  }

  create(given: NewKey): Promise<CreatedKey> {
    return this.#lifetime.use(async () => {
      const made = await this.#keys.create(given);
      const { id, scopes, expiresAt } = made;
      const detail = { key: id, scopes, ...(expiresAt !== undefined && { expires_at: expiresAt }) };
      await this.#audit.append({ actor: this.#actor, action: 'key.create', detail });
      return made;
    });
  }

  revoke(id: string): Promise<void> {
    return this.#lifetime.use(async () => {
      await this.#keys.revoke(id);
      await this.#audit.append({ actor: this.#actor, action: 'key.revoke', detail: { key: id } });
    });
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      try {
        await this.#keys.close();
      } finally {
        await this.#audit.close();
      }
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
