import { createHmac } from 'node:crypto';
import { LineamentError, wrapError } from '../errors.js';
import { decodeTemplate, encodeTemplate, type Template, type TemplateCipher } from '../templates/index.js';

/** Where a template or thumbnail lies. It is bound into the sealed form, so that rows cannot be put in each other's place. */
export interface Place {
  readonly kind: 'template' | 'thumbnail' | 'probe' | 'cached';
  /** Key of the sample or of the feedback, or what the cache knows it by. */
  readonly row: number | string;
  readonly person: number;
  readonly collection: number;
}

/** Seals what is kept where the gallery has a cipher, and leaves it as it is where not. */
export class Sealer {
  readonly #gallery: string;
  readonly #secret: Uint8Array;
  readonly cipher: TemplateCipher | undefined;

  constructor(gallery: string, secret: Uint8Array, cipher: TemplateCipher | undefined) {
    this.#gallery = gallery;
    this.#secret = secret;
    this.cipher = cipher;
  }

  async sealTemplate(template: Template, place: Place): Promise<Uint8Array> {
    return this.seal(encodeTemplate(template), place);
  }

  /** Throws `KEY_MISMATCH` or `STORE_CORRUPT`, naming `what`. */
  async openTemplate(data: unknown, place: Place, what: string): Promise<Template> {
    const bytes = await this.open(data, place, what);
    try {
      return decodeTemplate(bytes);
    } catch (error) {
      throw damaged(what, error);
    }
  }

  async seal(bytes: Uint8Array, place: Place): Promise<Uint8Array> {
    return this.cipher === undefined ? bytes : this.cipher.seal(bytes, this.#context(place));
  }

  async open(data: unknown, place: Place, what: string): Promise<Uint8Array> {
    if (!(data instanceof Uint8Array)) throw damaged(what, new Error('there are no bytes'));
    if (this.cipher === undefined) return data;
    try {
      return await this.cipher.open(data, this.#context(place));
    } catch (error) {
      throw damaged(what, error);
    }
  }

  /** Names a vector without telling it: two are the same exactly when their numbers are. */
  print(vector: Float32Array): Uint8Array {
    const bytes = new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength);
    return createHmac('sha256', this.#secret).update(bytes).digest();
  }

  #context({ kind, row, person, collection }: Place): string {
    return `gallery ${this.#gallery} ${kind} ${row} person ${person} collection ${collection}`;
  }
}

/** Keeps the code of a key that is missing or wrong; what cannot be decoded is damage to the store. */
function damaged(what: string, cause: unknown): LineamentError {
  const { code, message } = wrapError(cause);
  const kept = ['KEY_MISMATCH', 'KEY_NOT_FOUND', 'STORE_UNAVAILABLE', 'CLOSED'].includes(code);
  return new LineamentError(kept ? (code as 'KEY_MISMATCH') : 'STORE_CORRUPT', `${what}: ${message}`, {
    cause,
    ...(kept ? {} : { fix: 'Restore it from a backup, or delete the sample.' }),
  });
}
