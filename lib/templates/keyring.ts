import { createSecretKey, type KeyObject } from 'node:crypto';
import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { type KeyServiceOptions, ServiceKeyring } from './key-service.js';
import { deriveKey, freshNonce, gcmOpen, gcmSeal, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './key-wrap.js';
import { readKeyringFile } from './keyring-file.js';
import { type KeyText, parseKeyList } from './keyring-text.js';

/**
 * Keys that encrypt data keys. One of them is active: it wraps what is new; the others still unwrap what is old. Safe for
 * concurrent calls.
 */
export interface Keyring {
  /** Id of the key that wraps what is new. */
  readonly activeKeyId: string;
  /** Whether a round trip to elsewhere is needed, so that data keys are better used for many templates. */
  readonly remote: boolean;
  /** The data key encrypted with the active key. */
  wrap(dataKey: Uint8Array): Promise<{ readonly keyId: string; readonly wrapped: Uint8Array }>;
  /** The data key; the caller overwrites it after use. Throws `KEY_NOT_FOUND`, `KEY_MISMATCH`, `STORE_UNAVAILABLE`. */
  unwrap(keyId: string, wrapped: Uint8Array): Promise<Uint8Array>;
  /** Reads the keys anew, after a rotation. An unknown key id makes a file be read anew by itself. */
  reload(): Promise<void>;
  /** A key for another purpose, derived from the named (default: active) key. Throws `KEY_NOT_FOUND` where keys are remote. */
  derive(purpose: string, keyId?: string): Promise<{ readonly keyId: string; readonly key: KeyObject }>;
  /** Forgets the keys; later calls throw `CLOSED`. */
  close(): void;
}

/** Where keys come from. */
export type KeySource =
  /** A keyring file (`createKeyringFile`) that only its owner may read. */
  | { readonly file: string }
  /** The name of an environment variable: `id:base64 id:base64 …`, 32 bytes each, the first one active. */
  | { readonly env: string }
  /** A key service (KMS, HSM) that wraps and unwraps; its keys never come here. */
  | ({ readonly service: KeyServiceOptions['service'] } & Omit<KeyServiceOptions, 'service'>);

/**
 * Opens a keyring. Throws `KEY_NOT_FOUND` when there is none or it cannot be understood, `ACCESS_DENIED` when a file is open
 * to others than its owner, `INVALID_ARGUMENT`.
 */
export async function openKeyring(source: KeySource): Promise<Keyring> {
  if (typeof source !== 'object' || source === null) throw invalid('source', 'object', source);
  if ('service' in source) return new ServiceKeyring(source);
  if ('file' in source) {
    const { file } = source;
    if (typeof file !== 'string' || file.length === 0) throw invalid('source.file', 'non-empty string', file);
    return LocalKeyring.open(() => readKeyringFile(file));
  }
  if ('env' in source) {
    const { env } = source;
    if (typeof env !== 'string' || env.length === 0) throw invalid('source.env', 'non-empty string', env);
    return LocalKeyring.open(() => Promise.resolve(parseKeyList(process.env[env], env)));
  }
  throw invalid('source', 'object with file, env or service', source);
}

interface LocalKey {
  readonly master: KeyObject;
  readonly wrapping: KeyObject;
}

/** Unknown ids make the source be read anew, but not more often than this. */
const RELOAD_MS = 1000;

class LocalKeyring implements Keyring {
  readonly remote = false;
  #keys = new Map<string, LocalKey>();
  #active = '';
  #closed = false;
  #reloadedAt = Number.NEGATIVE_INFINITY;
  #reloading: Promise<void> | undefined;
  readonly #read: () => Promise<KeyText>;

  private constructor(read: () => Promise<KeyText>) {
    this.#read = read;
  }

  static async open(read: () => Promise<KeyText>): Promise<LocalKeyring> {
    const ring = new LocalKeyring(read);
    await ring.reload();
    return ring;
  }

  get activeKeyId(): string {
    return this.#active;
  }

  async reload(): Promise<void> {
    this.#check();
    this.#reloading ??= this.#load().finally(() => {
      this.#reloading = undefined;
    });
    return this.#reloading;
  }

  async #load(): Promise<void> {
    this.#reloadedAt = performance.now();
    const { active, keys } = await this.#read();
    const made = new Map<string, LocalKey>();
    for (const [id, bytes] of keys) {
      const master = createSecretKey(bytes);
      bytes.fill(0);
      made.set(id, { master, wrapping: deriveKey(master, 'template data key wrapping v1') });
    }
    if (this.#closed) return;
    this.#keys = made;
    this.#active = active;
  }

  async #key(id: string): Promise<LocalKey> {
    this.#check();
    let key = this.#keys.get(id);
    if (key === undefined && performance.now() - this.#reloadedAt > RELOAD_MS) {
      await this.reload();
      key = this.#keys.get(id);
    }
    if (key === undefined) {
      throw new LineamentError(
        'KEY_NOT_FOUND',
        `'${id}' is not in the keyring (${[...this.#keys.keys()].join(', ')})`,
        {
          fix: 'Add the key under this id; without it what was sealed with it stays closed.',
        },
      );
    }
    return key;
  }

  async wrap(dataKey: Uint8Array): Promise<{ keyId: string; wrapped: Uint8Array }> {
    const keyId = this.#active;
    const { wrapping } = await this.#key(keyId);
    const nonce = freshNonce();
    return { keyId, wrapped: Buffer.concat([nonce, gcmSeal(wrapping, nonce, dataKey, wrapContext(keyId))]) };
  }

  async unwrap(keyId: string, wrapped: Uint8Array): Promise<Uint8Array> {
    const { wrapping } = await this.#key(keyId);
    if (wrapped.length !== NONCE_BYTES + KEY_BYTES + TAG_BYTES) {
      throw new LineamentError('KEY_MISMATCH', `the wrapped key has ${wrapped.length} bytes`);
    }
    return gcmOpen(wrapping, wrapped.subarray(0, NONCE_BYTES), wrapped.subarray(NONCE_BYTES), wrapContext(keyId));
  }

  async derive(purpose: string, keyId = this.#active): Promise<{ keyId: string; key: KeyObject }> {
    return { keyId, key: deriveKey((await this.#key(keyId)).master, purpose) };
  }

  close(): void {
    this.#closed = true;
    this.#keys = new Map();
  }

  #check(): void {
    if (this.#closed) throw new LineamentError('CLOSED', 'the keyring was closed');
  }
}

const wrapContext = (keyId: string): Uint8Array => Buffer.from(`lineament data key v1\0${keyId}`);
