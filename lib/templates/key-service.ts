import type { KeyObject } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { abortable, eitherOf } from '../errors/abort.js';
import { invalid, nonEmptyString, numberIn } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { KEY_BYTES } from './key-wrap.js';
import type { Keyring } from './keyring.js';
import { checkKeyId } from './keyring-text.js';

/** A key service (KMS, HSM, Vault's transit engine): it wraps and unwraps data keys with keys that never leave it. */
export interface KeyService {
  /** Id of the key that wraps what is new. Asked for with each wrap: after a rotation it may name another. */
  readonly activeKeyId: string;
  /** Encrypts a data key (32 bytes, overwritten after the call) with the named key; ≤ 65 535 bytes. */
  wrap(keyId: string, dataKey: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
  /** Decrypts what `wrap` gave. Throw `LineamentError` with `KEY_NOT_FOUND` or `KEY_MISMATCH` for what no retry mends. */
  unwrap(keyId: string, wrapped: Uint8Array, signal: AbortSignal): Promise<Uint8Array>;
}

export interface KeyServiceOptions {
  readonly service: KeyService;
  /** Further attempts after one that failed, 0–10; default 3. Between them 50 ms, 100 ms, … up to 2 s, ± half at random. */
  readonly retries?: number;
  /** One attempt may last this long, ms; default 5000. */
  readonly timeoutMs?: number;
}

const FINAL: readonly string[] = ['KEY_NOT_FOUND', 'KEY_MISMATCH', 'ACCESS_DENIED', 'INVALID_ARGUMENT', 'ABORTED'];

/** Keys at a service: every call with time limit and retries. */
export class ServiceKeyring implements Keyring {
  readonly remote = true;
  readonly #service: KeyService;
  readonly #retries: number;
  readonly #timeout: number;
  readonly #closing = new AbortController();

  constructor(options: KeyServiceOptions) {
    const { service } = options;
    if (typeof service?.wrap !== 'function' || typeof service.unwrap !== 'function') {
      throw invalid('source.service', 'object with wrap and unwrap', service);
    }
    checkKeyId('source.service.activeKeyId', service.activeKeyId);
    this.#service = service;
    this.#retries = numberIn('source.retries', options.retries ?? 3, 0, 10);
    this.#timeout = numberIn('source.timeoutMs', options.timeoutMs ?? 5000, 1, 600_000);
  }

  get activeKeyId(): string {
    return this.#service.activeKeyId;
  }

  async wrap(dataKey: Uint8Array): Promise<{ keyId: string; wrapped: Uint8Array }> {
    const keyId = checkKeyId('source.service.activeKeyId', this.#service.activeKeyId);
    const wrapped = await this.#call('wrap', (signal) => this.#service.wrap(keyId, dataKey, signal));
    if (!(wrapped instanceof Uint8Array) || wrapped.length === 0 || wrapped.length > 0xffff) {
      throw invalid('result of wrap', '1 to 65535 bytes', wrapped);
    }
    return { keyId, wrapped };
  }

  async unwrap(keyId: string, wrapped: Uint8Array): Promise<Uint8Array> {
    const dataKey = await this.#call('unwrap', (signal) => this.#service.unwrap(keyId, wrapped, signal));
    if (!(dataKey instanceof Uint8Array) || dataKey.length !== KEY_BYTES) {
      throw new LineamentError('KEY_MISMATCH', `the key service unwrapped something that is not ${KEY_BYTES} bytes`);
    }
    return dataKey;
  }

  reload(): Promise<void> {
    return Promise.resolve();
  }

  derive(purpose: string): Promise<{ keyId: string; key: KeyObject }> {
    nonEmptyString('purpose', purpose);
    return Promise.reject(
      new LineamentError('KEY_NOT_FOUND', 'the keys of a key service never leave it', {
        fix: 'Seal 32 random bytes with a TemplateCipher, and use them opened.',
      }),
    );
  }

  close(): void {
    this.#closing.abort();
  }

  async #call<T>(what: string, attempt: (signal: AbortSignal) => Promise<T>): Promise<T> {
    for (let tried = 0; ; tried++) {
      if (this.#closing.signal.aborted) throw new LineamentError('CLOSED', 'the keyring was closed');
      const { signal, forget } = eitherOf(AbortSignal.timeout(this.#timeout), this.#closing.signal);
      try {
        return await abortable(attempt(signal), signal);
      } catch (cause) {
        if (this.#closing.signal.aborted) throw new LineamentError('CLOSED', 'the keyring was closed', { cause });
        if (cause instanceof LineamentError && FINAL.includes(cause.code) && !signal.aborted) throw cause;
        if (tried >= this.#retries) {
          const why = cause instanceof Error ? cause.message : String(cause);
          throw new LineamentError(
            'STORE_UNAVAILABLE',
            `the key service failed to ${what} ${tried + 1} times: ${why}`,
            {
              cause,
              fix: 'Look at the key service; nothing was changed here.',
            },
          );
        }
        await wait(Math.min(2000, 50 * 2 ** tried) * (0.5 + Math.random()));
      } finally {
        forget();
      }
    }
  }
}
