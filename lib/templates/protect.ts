import { createCipheriv, createSecretKey, type KeyObject } from 'node:crypto';
import { invalid, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkEmbedding } from '../recognition/compare.js';
import { normalise } from '../recognition/embed.js';
import type { Embedding } from '../types.js';
import { derive, KEY_BYTES } from './key-wrap.js';
import type { Keyring } from './keyring.js';
import { checkKeyId } from './keyring-text.js';
import { comparableModel, type Template, validateTemplate } from './template.js';

const SCHEMES = ['rotation-1', 'projection-1'] as const;
/** How vectors are turned: see {@link ProtectionKey}. */
export type ProtectionScheme = (typeof SCHEMES)[number];

/** Enough that every number of the result depends on every number of the input in many ways, whatever the length. */
const ROUNDS = 4;
/** Shorter vectors have too few turns to hide among. */
const MIN_DIMS = 64;

/** The way into a key from this file alone. */
let transformOf: (key: ProtectionKey, model: string, dims: number) => Transform;

const PURPOSE = 'template protection v1';

/**
 * A secret that templates are protected with; safe for concurrent use.
 *
 * Revocable templates in the sense of ISO/IEC 24745:2022: renewability and unlinkability; irreversibility as far as the key
 * is secret. A secret orthogonal transform, drawn from the key, turns the sphere that embeddings lie on: cosines between vectors
 * under one key stay what they are, so that calibration, thresholds and index work as before, while vectors under two keys
 * have nothing to do with each other. To revoke, choose a new key and transform (or enrol) anew: the old template then
 * scores like a stranger's.
 *
 * The transform is a product of four rounds of keyed sign flips, a keyed permutation and Walsh–Hadamard
 * transforms, O(n log n): Ailon & Chazelle, "The fast Johnson–Lindenstrauss transform", SIAM J. Comput. 39 (2009), and
 * Choromanski, Rowland & Weller, "The unreasonable effectiveness of structured random orthogonal embeddings", NIPS 2017.
 *
 * `projection-1` keeps the first half of the turned numbers: half the memory, and what is thrown away nobody can compute back.
 * Cosines get an error, and a threshold for a false match rate of 1 % gives, from key to key, 0.3 to 2 %.
 *
 * What it does not do, in plain words. Whoever holds the key undoes `rotation-1`, and finds from `projection-1` a vector that
 * matches as the original does: keep it apart from the templates. Whoever gets as many pairs of plain and protected vectors
 * as the vector has numbers solves for the transform without the key. Cosines within one protected gallery are seen by
 * whoever sees the gallery; two whole galleries of the same persons under two keys can be laid over each other by them, as
 * with every transform that keeps cosines. It is no encryption: seal protected templates too.
 */
export class ProtectionKey {
  readonly keyId: string;
  readonly scheme: ProtectionScheme;
  readonly #secret: KeyObject;
  readonly #transforms = new Map<string, Transform>();

  private constructor(keyId: string, secret: KeyObject, scheme: ProtectionScheme) {
    this.keyId = keyId;
    this.#secret = secret;
    this.scheme = scheme;
  }

  /** From 32 random bytes, which are copied; overwrite yours. Throws `INVALID_ARGUMENT`. */
  static fromSecret(
    keyId: string,
    secret: Uint8Array,
    options: { readonly scheme?: ProtectionScheme } = {},
  ): ProtectionKey {
    if (!(secret instanceof Uint8Array) || secret.length !== KEY_BYTES)
      throw invalid('secret', `${KEY_BYTES} random bytes`, secret);
    return ProtectionKey.#make(keyId, createSecretKey(secret), options);
  }

  /**
   * Derived from a key of the keyring. Name the key that your templates were protected with: the default, the active key, is
   * another one after a rotation, and removing a key revokes what it protected. Throws `KEY_NOT_FOUND`, also for keys of a key
   * service.
   */
  static async fromKeyring(
    keyring: Keyring,
    options: { readonly keyId?: string; readonly scheme?: ProtectionScheme } = {},
  ): Promise<ProtectionKey> {
    const { keyId: asked, ...rest } = plainObject('options', options, ['keyId', 'scheme']);
    const { keyId, key } = await keyring.derive(PURPOSE, asked as string | undefined);
    return ProtectionKey.#make(keyId, key, rest);
  }

  static #make(keyId: string, secret: KeyObject, options: { readonly scheme?: ProtectionScheme }): ProtectionKey {
    plainObject('options', options, ['scheme']);
    const scheme = oneOf('scheme', options.scheme ?? 'rotation-1', SCHEMES);
    return new ProtectionKey(checkKeyId('keyId', keyId), secret, scheme);
  }

  static {
    transformOf = (key, model, dims) => key.#transform(model, dims);
  }

  /** The transform for a model's vectors. Another model has another one: pairs of one tell nothing of the other. */
  #transform(model: string, dims: number): Transform {
    const name = `${this.scheme}|${dims}|${model}`;
    let transform = this.#transforms.get(name);
    if (transform === undefined) {
      const seed = derive(this.#secret, `template transform ${name}`);
      transform = new Transform(seed, dims, this.scheme === 'projection-1' ? Math.ceil(dims / 2) : dims);
      seed.fill(0);
      this.#transforms.set(name, transform);
    }
    return transform;
  }
}

/**
 * The template under a key; `protection` says which. Its cosine with other templates under the key is that of the plain ones
 * (`rotation-1`: to float32's rounding; `projection-1`: ± a few hundredths, half the length). Quality, consent, times and the
 * rest are carried over: a consent reference or the time of capture links two templates of a person better than any vector
 * could, so leave out what need not be there. Throws `INVALID_ARGUMENT` when it is protected already or shorter than 64 numbers,
 * `TEMPLATE_INVALID`, `TEMPLATE_EXPIRED`. Pure.
 */
export function protectTemplate(template: Template, key: ProtectionKey): Template {
  const t = validateTemplate(template);
  if (t.protection !== undefined) {
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `the template is protected already, with key '${t.protection.keyId}'`,
      {
        fix: 'Protect the plain template, or undo it first with unprotectTemplate.',
      },
    );
  }
  const { vector, dims } = turn(t.model, t.vector, key);
  return { ...t, dims, vector, protection: { scheme: key.scheme, keyId: key.keyId } };
}

/**
 * A probe under a key, to be compared with protected templates; its `model` is that of `comparableModel`. Throws
 * `INVALID_ARGUMENT`. Pure.
 */
export function protectEmbedding(embedding: Embedding, key: ProtectionKey): Embedding {
  const { model, vector: plain } = checkEmbedding('embedding', embedding);
  const { vector, dims } = turn(model, plain, key);
  return { model: comparableModel({ model, protection: { scheme: key.scheme, keyId: key.keyId } }), dims, vector };
}

/**
 * The plain template again, for moving a gallery to a new key while the old one is still trusted. Only `rotation-1` can be
 * undone. Throws `INVALID_ARGUMENT`, and `KEY_MISMATCH` when it was protected with another key.
 */
export function unprotectTemplate(template: Template, key: ProtectionKey): Template {
  const { protection, ...plain } = validateTemplate(template, { now: 0 });
  if (protection === undefined) throw new LineamentError('INVALID_ARGUMENT', 'the template is not protected');
  if (protection.keyId !== key.keyId || protection.scheme !== key.scheme) {
    throw new LineamentError(
      'KEY_MISMATCH',
      `the template was protected with '${protection.keyId}' (${protection.scheme}), not with '${key.keyId}' (${key.scheme})`,
    );
  }
  if (key.scheme !== 'rotation-1') {
    throw new LineamentError('INVALID_ARGUMENT', `${key.scheme} cannot be undone`, { fix: 'Enrol the person again.' });
  }
  const vector = transformOf(key, plain.model, plain.dims).undo(plain.vector);
  normalise(vector);
  return { ...plain, vector };
}

function turn(model: string, plain: Float32Array, key: ProtectionKey): { vector: Float32Array; dims: number } {
  if (!(key instanceof ProtectionKey)) throw invalid('key', 'ProtectionKey', key);
  if (plain.length < MIN_DIMS) throw invalid('vector', `at least ${MIN_DIMS} numbers`, plain);
  const vector = transformOf(key, model, plain.length).apply(plain);
  if (!normalise(vector)) throw invalid('vector', 'finite, non-zero vector', plain);
  return { vector, dims: vector.length };
}

/** A keyed orthogonal map of n numbers, of which the first `keep` are given back. */
class Transform {
  readonly #rounds: readonly { readonly signs: Float64Array; readonly order: Uint16Array }[];
  readonly #block: number;
  readonly #scratch: [Float64Array, Float64Array];
  readonly #keep: number;

  constructor(seed: Uint8Array, dims: number, keep: number) {
    const stream = new KeyStream(seed);
    this.#keep = keep;
    this.#block = 2 ** Math.floor(Math.log2(dims));
    this.#scratch = [new Float64Array(dims), new Float64Array(dims)];
    this.#rounds = Array.from({ length: ROUNDS }, () => {
      const signs = Float64Array.from({ length: dims }, () => (stream.below(2) === 0 ? 1 : -1));
      const order = Uint16Array.from({ length: dims }, (_, i) => i);
      for (let i = dims - 1; i > 0; i--) {
        const j = stream.below(i + 1);
        [order[i], order[j]] = [order[j]!, order[i]!];
      }
      return { signs, order };
    });
  }

  apply(vector: Float32Array): Float32Array {
    let [from, to] = this.#scratch;
    from.set(vector);
    for (const { signs, order } of this.#rounds) {
      for (let i = 0; i < to.length; i++) to[i] = from[order[i]!]! * signs[i]!;
      this.#hadamard(to, 0);
      // A length that is no power of two: a second block covers the rest, the permutation of the next round mixes both.
      if (this.#block < to.length) this.#hadamard(to, to.length - this.#block);
      [from, to] = [to, from];
    }
    return Float32Array.from(from.subarray(0, this.#keep));
  }

  undo(vector: Float32Array): Float32Array {
    let [from, to] = this.#scratch;
    from.set(vector);
    for (const { signs, order } of this.#rounds.toReversed()) {
      if (this.#block < from.length) this.#hadamard(from, from.length - this.#block);
      this.#hadamard(from, 0);
      for (let i = 0; i < from.length; i++) to[order[i]!] = from[i]! * signs[i]!;
      [from, to] = [to, from];
    }
    return Float32Array.from(from);
  }

  /** The orthonormal Walsh–Hadamard transform of one block, in place; its own inverse. */
  #hadamard(values: Float64Array, start: number): void {
    const n = this.#block;
    const end = start + n;
    for (let half = 1; half < n; half *= 2) {
      for (let base = start; base < end; base += 2 * half) {
        for (let i = base; i < base + half; i++) {
          const a = values[i]!;
          const b = values[i + half]!;
          values[i] = a + b;
          values[i + half] = a - b;
        }
      }
    }
    const scale = 1 / Math.sqrt(n);
    for (let i = start; i < end; i++) values[i]! *= scale;
  }
}

/** Random numbers from a seed, the same everywhere: AES-256 in counter mode over zeros. */
class KeyStream {
  readonly #cipher;
  #bytes = Buffer.alloc(0);
  #at = 0;

  constructor(seed: Uint8Array) {
    this.#cipher = createCipheriv('aes-256-ctr', seed, Buffer.alloc(16));
  }

  #next(): number {
    if (this.#at === this.#bytes.length) {
      this.#bytes = this.#cipher.update(Buffer.alloc(4096));
      this.#at = 0;
    }
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  /** Uniform in [0, bound): numbers of the last, incomplete run of `bound` are drawn again. */
  below(bound: number): number {
    const usable = 2 ** 32 - (2 ** 32 % bound);
    for (;;) {
      const value = this.#next();
      if (value < usable) return value % bound;
    }
  }
}
