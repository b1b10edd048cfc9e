import { createHmac, randomBytes } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { LineamentError } from '../../errors.js';
import { Lifetime } from '../../inference/lifetime.js';
import type { Authority, Logger, Principal, ServiceConfig } from '../types.js';
import { callerOf } from './address.js';
import { Failures } from './failures.js';
import { matches, nobodysHash } from './hash.js';
import { KeyStore, type Presented, readKey } from './keys.js';
import { SCOPES, withLesser } from './scopes.js';
import { Tickets } from './tickets.js';
import { isToken, openTokens, type TokenReader } from './tokens.js';
import { Turns } from './turns.js';
import type { ApiKey, CreatedKey, NewKey } from './types.js';

/** How long a key that was checked is believed without checking it again. Revocation and expiry hold at once; what another process revokes, once it was seen. */
const BELIEVED_MS = 600_000;
const MOST_BELIEVED = 10_000;
/** Half of Node's pool at most, so that files and names can be looked up meanwhile. */
const MOST_CHECKS = Math.max(1, Math.min(2, Math.floor(availableParallelism() / 2)));
const MOST_WAITING = 256;
/** How often last uses are written. */
const FLUSH_MS = 60_000;
/** How often it is looked whether another process has made or revoked keys. */
const LOOK_MS = 1000;
/** Longest credential that is looked at; tokens with many claims are some kilobytes. */
const MOST_CHARACTERS = 8192;

/**
 * Opens the keys in `folder` (made where it is missing), and makes one for an administrator where there is none. `now` is milliseconds since
 * the Unix epoch. Rejects with `CONFIG_INVALID` for a key of tokens that cannot be used, and the codes of `Database.open`.
 */
export async function openAuthority(
  config: ServiceConfig,
  folder: string,
  log: Logger,
  now: () => number = Date.now,
): Promise<Authority> {
  const { enabled, jwt } = config.auth;
  const tokens = enabled && jwt !== undefined ? await openTokens(jwt) : undefined;
  const keys = await KeyStore.open(folder, now);
  try {
    const first =
      enabled && !keys.hasAdmin() ? await keys.createForNow({ name: 'first', scopes: ['admin'] }) : undefined;
    return new Doorkeeper(config, keys, tokens, log, now, first);
  } catch (error) {
    await keys.close();
    throw error;
  }
}

class Doorkeeper implements Authority {
  readonly firstKey?: string;
  readonly #first: string | undefined;
  readonly #enabled: boolean;
  readonly #anonymous: Principal;
  readonly #keys: KeyStore;
  readonly #tokens: TokenReader | undefined;
  readonly #log: Logger;
  readonly #now: () => number;
  readonly #failures: Failures;
  readonly #tickets: Tickets;
  readonly #turns = new Turns(MOST_CHECKS, MOST_WAITING);
  readonly #lifetime = new Lifetime('authority');
  readonly #timers: readonly NodeJS.Timeout[];
  /** What unknown ids are compared with. */
  readonly #nobody = nobodysHash();
  /** Keys that were checked, by their HMAC under a secret of this process: neither keys nor hashes that could be tried lie in memory. */
  readonly #believed = new Map<string, { readonly id: string; readonly ends: number }>();
  readonly #secret = randomBytes(32);
  /** Checks under way, by the same: whoever comes with the same key waits for the same check. */
  readonly #checks = new Map<string, Promise<string | undefined>>();

  constructor(
    config: ServiceConfig,
    keys: KeyStore,
    tokens: TokenReader | undefined,
    log: Logger,
    now: () => number,
    first: { readonly id: string; readonly key: string } | undefined,
  ) {
    const { enabled, anonymous } = config.auth;
    this.#enabled = enabled;
    this.#anonymous = { id: 'anonymous', kind: 'anonymous', scopes: withLesser(enabled ? anonymous : SCOPES) };
    this.#keys = keys;
    this.#tokens = tokens;
    this.#log = log;
    this.#now = now;
    this.#failures = new Failures(config.rate.failures, now);
    this.#tickets = new Tickets(now);
    this.#first = first?.id;
    if (first !== undefined) this.firstKey = first.key;
    this.#timers = [
      setInterval(() => void this.#flush(), FLUSH_MS).unref(),
      setInterval(() => void this.#look(), LOOK_MS).unref(),
    ];
  }

  async authenticate(credential: string | undefined, address: string): Promise<Principal> {
    this.#lifetime.check();
    if (!this.#enabled || credential === undefined) return this.#anonymous;
    const caller = callerOf(address);
    const presented = readKey(credential);
    if (presented !== undefined) return await this.#withKey(presented, credential, caller);
    const tokens = this.#tokens;
    if (tokens !== undefined && credential.length <= MOST_CHARACTERS && isToken(credential)) {
      return await this.#withToken(tokens, credential, caller);
    }
    throw this.#refuse(caller, 'this is neither a key nor a token that is known here');
  }

  createTicket(principal: Principal): { readonly ticket: string; readonly expiresAt: number } {
    this.#lifetime.check();
    return this.#tickets.create(principal);
  }

  redeemTicket(ticket: string, address: string): Principal {
    this.#lifetime.check();
    const caller = callerOf(address);
    try {
      const principal = this.#tickets.redeem(ticket);
      if (this.stands(principal)) return principal;
    } catch (error) {
      this.#failures.check(caller);
      this.#failures.add(caller);
      throw error;
    }
    throw this.#refuse(caller, 'the key of this ticket was revoked or has expired');
  }

  stands(principal: Principal): boolean {
    if (principal.kind === 'key') return this.#keys.scopesOf(principal.id) !== undefined;
    return principal.expiresAt === undefined || this.#now() < principal.expiresAt;
  }

  keepFirstKey(): Promise<string | undefined> {
    return this.#lifetime.use(async () => {
      if (this.#first !== undefined) await this.#keys.keep(this.#first);
      return this.#first;
    });
  }

  createKey(given: NewKey): Promise<CreatedKey> {
    return this.#lifetime.use(() => this.#keys.create(given));
  }

  listKeys(): Promise<readonly ApiKey[]> {
    return this.#lifetime.use(async () => {
      await this.#look();
      return this.#keys.list();
    });
  }

  revokeKey(id: string): Promise<void> {
    return this.#lifetime.use(() => this.#keys.revoke(id));
  }

  close(): Promise<void> {
    return this.#lifetime.close(async () => {
      for (const timer of this.#timers) clearInterval(timer);
      await this.#keys.close();
      this.#secret.fill(0);
    });
  }

  async #withKey(presented: Presented, credential: string, caller: string): Promise<Principal> {
    const mark = createHmac('sha256', this.#secret).update(credential).digest('base64');
    const known = this.#believed.get(mark);
    let id = known !== undefined && known.ends > this.#now() ? known.id : undefined;
    if (id === undefined) {
      id = await this.#check(presented, mark, caller);
      if (id === undefined) throw new LineamentError('UNAUTHENTICATED', 'this key is not known here');
    }
    const scopes = this.#keys.scopesOf(id);
    if (scopes === undefined) throw this.#refuse(caller, 'this key was revoked or has expired');
    this.#keys.use(id);
    return { id, kind: 'key', scopes: withLesser(scopes) };
  }

  /** The id where the secret is right. Unknown ids are compared too, so that both take as long. */
  #check({ id, secret }: Presented, mark: string, caller: string): Promise<string | undefined> {
    let check = this.#checks.get(mark);
    if (check === undefined) {
      check = this.#lifetime
        .use(() =>
          this.#turns.take(caller, async () => {
            // Counted here, in turn: of many wrong keys that come at once, those in front have failed when the next is looked at.
            this.#failures.check(caller);
            await this.#look();
            const hash = this.#keys.hashOf(id);
            const right = await matches(secret, hash ?? this.#nobody);
            if (right && hash !== undefined) {
              await this.#strengthen(id, secret);
              this.#believe(mark, id);
              return id;
            }
            this.#failures.add(caller);
            return undefined;
          }),
        )
        .finally(() => this.#checks.delete(mark));
      this.#checks.set(mark, check);
    }
    return check;
  }

  #believe(mark: string, id: string): void {
    this.#believed.delete(mark);
    if (this.#believed.size >= MOST_BELIEVED) {
      for (const oldest of this.#believed.keys()) {
        this.#believed.delete(oldest);
        break;
      }
    }
    this.#believed.set(mark, { id, ends: this.#now() + BELIEVED_MS });
  }

  async #withToken(tokens: TokenReader, token: string, caller: string): Promise<Principal> {
    try {
      const { id, scopes, expiresAt } = await tokens(token);
      return { id: `token:${id}`, kind: 'token', scopes: withLesser(scopes), expiresAt };
    } catch (error) {
      if (error instanceof LineamentError && error.code === 'DOWNLOAD_FAILED') {
        this.#log.warn({ error: error.message }, 'tokens cannot be checked');
        throw error;
      }
      this.#failures.check(caller);
      this.#failures.add(caller);
      throw error;
    }
  }

  /** Counts a failure. Gives the error, `RATE_LIMITED` where there were too many before it. */
  #refuse(caller: string, detail: string): LineamentError {
    this.#failures.check(caller);
    this.#failures.add(caller);
    return new LineamentError('UNAUTHENTICATED', detail);
  }

  #flush(): Promise<void> {
    return this.#tried(this.#keys.flush(), 'last uses of keys could not be written');
  }

  #look(): Promise<void> {
    return this.#tried(this.#keys.refresh(), 'what others changed of the keys could not be read');
  }

  #strengthen(id: string, secret: string): Promise<void> {
    return this.#tried(this.#keys.strengthen(id, secret), 'a key could not be hashed anew');
  }

  /** What keeps nobody out when it fails. */
  async #tried(work: Promise<void>, failed: string): Promise<void> {
    try {
      await work;
    } catch (error) {
      if (!this.#lifetime.closed) this.#log.warn({ error: (error as Error).message }, failed);
    }
  }
}
