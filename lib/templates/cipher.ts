import { randomBytes } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { freshNonce, gcmOpen, gcmSeal, KEY_BYTES, NONCE_BYTES, TAG_BYTES } from './key-wrap.js';
import { type Keyring, type KeySource, openKeyring } from './keyring.js';

/** The sealed form; FORMAT.md describes every byte. */
const MAGIC = 0x53544d4c; // 'LMTS', little-endian
const VERSION = 1;
const HEAD = 8;

export interface CipherOptions {
  /**
   * How many templates one data key may seal, 1 to 1 048 576. Default 1 with local keys; 1024 with a key service, which else
   * were asked for every template. Deleting one template's wrapped key shreds it only where it has one of its own.
   */
  readonly templatesPerKey?: number;
  /** How long a data key is used for sealing and kept for opening, ms; default 300 000. 0 keeps none. */
  readonly keyLifetimeMs?: number;
  /** How many data keys are kept for opening (key services only); default 1024. */
  readonly keysKept?: number;
}

interface DataKey {
  readonly bytes: Uint8Array;
  readonly keyId: string;
  readonly wrapped: Uint8Array;
}

interface Shared {
  readonly key: Promise<DataKey>;
  readonly activeKeyId: string;
  readonly until: number;
  left: number;
  /** Seals that have taken the key and not yet used it: the key is overwritten when nobody holds it and it is spent. */
  held: number;
  spent: boolean;
}

interface Kept {
  readonly bytes: Uint8Array;
  readonly until: number;
}

/** The event loop gets a turn after this many milliseconds of encrypting. */
const SLICE_MS = 4;

/**
 * Envelope encryption of templates (or of any bytes): a random data key encrypts with AES-256-GCM, and a key of the keyring
 * encrypts the data key. Rotation therefore rewrites a hundred bytes of each record ({@link TemplateCipher.rewrap}), and old
 * and new records are readable meanwhile. The `context` (whose template this is, in which collection) is bound, not
 * stored: a record put in another's place does not open. Safe for concurrent calls.
 *
 * Nonces are 96 random bits: NIST SP 800-38D allows 2³² of them for one key. A data key sees at most `templatesPerKey`;
 * a local key of the keyring wraps one data key for each, so rotate it before 2³² templates.
 */
export class TemplateCipher {
  readonly #keyring: Keyring;
  readonly #perKey: number;
  readonly #lifetime: number;
  readonly #keysKept: number;
  #shared: Shared | undefined;
  readonly #kept = new Map<string, Kept>();
  readonly #pending = new Map<string, Promise<Uint8Array>>();
  #closed = false;
  #turn = performance.now() + SLICE_MS;

  /** On a keyring that is open; closing the cipher closes it. Throws `INVALID_ARGUMENT`. */
  constructor(keyring: Keyring, options: CipherOptions = {}) {
    if (typeof keyring?.wrap !== 'function' || typeof keyring.unwrap !== 'function')
      throw invalid('keyring', 'keyring', keyring);
    plainObject('options', options, ['templatesPerKey', 'keyLifetimeMs', 'keysKept']);
    this.#keyring = keyring;
    this.#perKey = positiveInteger('templatesPerKey', options.templatesPerKey ?? (keyring.remote ? 1024 : 1), 1 << 20);
    this.#lifetime = numberIn('keyLifetimeMs', options.keyLifetimeMs ?? 300_000, 0, 86_400_000);
    const keysKept = numberIn('keysKept', options.keysKept ?? 1024, 0, 1 << 20);
    this.#keysKept = keyring.remote && this.#lifetime > 0 ? keysKept : 0;
  }

  /** Opens a keyring and a cipher on it. */
  static async open(source: KeySource, options: CipherOptions = {}): Promise<TemplateCipher> {
    return new TemplateCipher(await openKeyring(source), options);
  }

  get keyring(): Keyring {
    return this.#keyring;
  }

  /** Id of the key that new records are sealed with. */
  get activeKeyId(): string {
    return this.#keyring.activeKeyId;
  }

  /**
   * Encrypts bytes for a context. Two calls never give the same bytes. Throws `INVALID_ARGUMENT`, `CLOSED`, and from a key
   * service `STORE_UNAVAILABLE`.
   */
  async seal(bytes: Uint8Array, context: string): Promise<Uint8Array> {
    this.#check();
    if (!(bytes instanceof Uint8Array)) throw invalid('bytes', 'Uint8Array', bytes);
    const bound = contextBytes(context);
    await this.#giveTurn();
    if (this.#perKey > 1) return this.#sealShared(bytes, bound);
    const dataKey = randomBytes(KEY_BYTES);
    try {
      return pack({ bytes: dataKey, ...(await this.#keyring.wrap(dataKey)) }, bytes, bound);
    } finally {
      dataKey.fill(0);
    }
  }

  async #sealShared(bytes: Uint8Array, bound: Uint8Array): Promise<Uint8Array> {
    let shared = this.#shared;
    if (
      shared === undefined ||
      shared.left === 0 ||
      performance.now() >= shared.until ||
      shared.activeKeyId !== this.#keyring.activeKeyId
    ) {
      this.#retire();
      shared = {
        key: this.#newKey(),
        activeKeyId: this.#keyring.activeKeyId,
        until: performance.now() + this.#lifetime,
        left: this.#perKey,
        held: 0,
        spent: false,
      };
      this.#shared = shared;
    }
    shared.left--;
    shared.held++;
    try {
      return pack(await shared.key, bytes, bound);
    } catch (error) {
      // The next call asks for a key of its own instead of meeting the same failure again.
      if (this.#shared === shared) this.#retire();
      throw error;
    } finally {
      shared.held--;
      void overwrite(shared);
    }
  }

  async #newKey(): Promise<DataKey> {
    const bytes = randomBytes(KEY_BYTES);
    try {
      return { bytes, ...(await this.#keyring.wrap(bytes)) };
    } catch (error) {
      bytes.fill(0);
      throw error;
    }
  }

  #retire(): void {
    const shared = this.#shared;
    this.#shared = undefined;
    if (shared === undefined) return;
    shared.spent = true;
    void overwrite(shared);
  }

  /**
   * Decrypts what {@link seal} gave for the same context. Throws `KEY_MISMATCH` (other key, other context, or changed bytes:
   * they cannot be told apart), `KEY_NOT_FOUND` (the key id is not in the keyring), `TEMPLATE_INVALID` (no sealed form),
   * `STORE_UNAVAILABLE`, `CLOSED`.
   */
  async open(sealed: Uint8Array, context: string): Promise<Uint8Array> {
    this.#check();
    const parts = unpack(sealed);
    const bound = contextBytes(context);
    await this.#giveTurn();
    const dataKey = await this.#unwrap(parts);
    try {
      return gcmOpen(dataKey, parts.nonce, parts.data, bound);
    } finally {
      dataKey.fill(0);
    }
  }

  /**
   * The same record under the active key: only the wrapped data key is renewed, the encrypted bytes are copied. A copy when it
   * is under the active key already. Throws as {@link open}; whether the content is intact shows when it is opened.
   */
  async rewrap(sealed: Uint8Array): Promise<Uint8Array> {
    this.#check();
    const parts = unpack(sealed);
    if (parts.keyId === this.#keyring.activeKeyId) return Uint8Array.from(sealed);
    await this.#giveTurn();
    const dataKey = await this.#unwrap(parts);
    try {
      const { keyId, wrapped } = await this.#keyring.wrap(dataKey);
      return join(keyId, wrapped, parts.nonce, parts.data);
    } finally {
      dataKey.fill(0);
    }
  }

  /** Unwraps a data key, from memory where a key service gave it lately. The caller overwrites what it gets. */
  async #unwrap({ keyId, wrapped }: Sealed): Promise<Uint8Array> {
    if (this.#keysKept === 0) return this.#keyring.unwrap(keyId, wrapped);
    const name = `${keyId} ${Buffer.from(wrapped).toString('base64')}`;
    const kept = this.#kept.get(name);
    if (kept !== undefined && performance.now() < kept.until) {
      this.#kept.delete(name);
      this.#kept.set(name, kept); // now the youngest
      return Uint8Array.from(kept.bytes);
    }
    let pending = this.#pending.get(name);
    if (pending === undefined) {
      pending = this.#keyring
        .unwrap(keyId, wrapped)
        .then((bytes) => this.#keep(name, bytes))
        .finally(() => this.#pending.delete(name));
      this.#pending.set(name, pending);
    }
    return Uint8Array.from(await pending);
  }

  #keep(name: string, bytes: Uint8Array): Uint8Array {
    this.#forget(name);
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < this.#keysKept) break;
      this.#forget(oldest);
    }
    this.#kept.set(name, { bytes, until: performance.now() + this.#lifetime });
    if (this.#closed) this.#forget(name);
    return bytes;
  }

  #forget(name: string): void {
    const bytes = this.#kept.get(name)?.bytes;
    this.#kept.delete(name);
    // Not at once: who waited for this key has yet to copy it.
    if (bytes !== undefined) setImmediate(() => bytes.fill(0));
  }

  /** Overwrites the keys in memory and closes the keyring; later calls throw `CLOSED`. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#retire();
    for (const name of [...this.#kept.keys()]) this.#forget(name);
    this.#keyring.close();
  }

  #check(): void {
    if (this.#closed) throw new LineamentError('CLOSED', 'the cipher was closed');
  }

  async #giveTurn(): Promise<void> {
    if (performance.now() < this.#turn) return;
    await nextTurn();
    this.#turn = performance.now() + SLICE_MS;
  }
}

/** Overwrites a shared data key that is spent and held by nobody. */
async function overwrite(shared: Shared): Promise<void> {
  if (!shared.spent || shared.held > 0) return;
  const key = await shared.key.catch(() => undefined);
  if (shared.held === 0) key?.bytes.fill(0);
}

/** Id of the key that a sealed record is under, without opening it: what is left to rewrap? Throws `TEMPLATE_INVALID`. */
export function sealedKeyId(sealed: Uint8Array): string {
  return unpack(sealed).keyId;
}

function contextBytes(context: unknown): Uint8Array {
  if (typeof context !== 'string') throw invalid('context', 'string', context);
  return Buffer.from(`lineament sealed template v1\0${context}`);
}

interface Sealed {
  readonly keyId: string;
  readonly wrapped: Uint8Array;
  readonly nonce: Uint8Array;
  readonly data: Uint8Array;
}

function pack(key: DataKey, bytes: Uint8Array, bound: Uint8Array): Uint8Array {
  const nonce = freshNonce();
  return join(key.keyId, key.wrapped, nonce, gcmSeal(key.bytes, nonce, bytes, bound));
}

function join(keyId: string, wrapped: Uint8Array, nonce: Uint8Array, data: Uint8Array): Uint8Array {
  const id = Buffer.from(keyId);
  const sealed = new Uint8Array(HEAD + id.length + wrapped.length + nonce.length + data.length);
  const view = new DataView(sealed.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, VERSION);
  view.setUint8(5, id.length);
  view.setUint16(6, wrapped.length, true);
  let at = HEAD;
  for (const part of [id, wrapped, nonce, data]) {
    sealed.set(part, at);
    at += part.length;
  }
  return sealed;
}

function unpack(sealed: Uint8Array): Sealed {
  if (!(sealed instanceof Uint8Array)) throw invalid('sealed', 'Uint8Array', sealed);
  const bad = (what: string, fix: string): LineamentError => new LineamentError('TEMPLATE_INVALID', what, { fix });
  const view = new DataView(sealed.buffer, sealed.byteOffset, sealed.byteLength);
  if (sealed.length < HEAD || view.getUint32(0, true) !== MAGIC) {
    throw bad('it does not begin with LMTS', 'It was never sealed, or it was damaged.');
  }
  if (view.getUint8(4) !== VERSION) throw bad(`sealed version ${view.getUint8(4)}`, 'Update lineament.');
  const wrappedAt = HEAD + view.getUint8(5);
  const nonceAt = wrappedAt + view.getUint16(6, true);
  const dataAt = nonceAt + NONCE_BYTES;
  const id = Buffer.from(sealed.subarray(HEAD, wrappedAt)).toString('latin1');
  if (dataAt + TAG_BYTES > sealed.length || nonceAt === wrappedAt || !/^[\x21-\x7e]+$/.test(id)) {
    throw bad('its head is damaged, or it was cut short', 'Take it from a backup.');
  }
  return {
    keyId: id,
    wrapped: sealed.subarray(wrappedAt, nonceAt),
    nonce: sealed.subarray(nonceAt, dataAt),
    data: sealed.subarray(dataAt),
  };
}
