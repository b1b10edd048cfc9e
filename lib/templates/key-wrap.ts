import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto';
import { LineamentError } from '../errors.js';

/** AES-256 in Galois/Counter Mode (NIST SP 800-38D): 96-bit nonces, 128-bit tags. */
export const KEY_BYTES = 32;
export const NONCE_BYTES = 12;
export const TAG_BYTES = 16;
const ALGORITHM = 'aes-256-gcm';

/** Nonces are public, so they are drawn from the system many at a time, which costs as much as one; keys never are. */
const nonces = Buffer.alloc(256 * NONCE_BYTES);
let nextNonce = nonces.length;

/** 96 random bits that were not given before. */
export function freshNonce(): Uint8Array {
  if (nextNonce === nonces.length) {
    randomFillSync(nonces);
    nextNonce = 0;
  }
  const nonce = Uint8Array.from(nonces.subarray(nextNonce, nextNonce + NONCE_BYTES));
  nextNonce += NONCE_BYTES;
  return nonce;
}

/** Encrypts to ciphertext ‖ tag. `nonce` must never come twice under one key. */
export function gcmSeal(key: KeyObject | Uint8Array, nonce: Uint8Array, data: Uint8Array, aad: Uint8Array): Buffer {
  const cipher = createCipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad);
  const head = cipher.update(data);
  cipher.final(); // A counter mode has nothing left to give here.
  return Buffer.concat([head, cipher.getAuthTag()]);
}

/** Decrypts ciphertext ‖ tag. Throws `KEY_MISMATCH`: wrong key, changed bytes or other additional data cannot be told apart. */
export function gcmOpen(key: KeyObject | Uint8Array, nonce: Uint8Array, sealed: Uint8Array, aad: Uint8Array): Buffer {
  try {
    const split = sealed.length - TAG_BYTES;
    const decipher = createDecipheriv(ALGORITHM, key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAAD(aad);
    decipher.setAuthTag(sealed.subarray(split));
    const data = decipher.update(sealed.subarray(0, split));
    decipher.final();
    return data;
  } catch {
    throw new LineamentError('KEY_MISMATCH', 'the authentication tag does not fit', {
      fix: 'Check that key, context (whose template this is) and bytes are those that it was sealed with.',
    });
  }
}

/** 32 bytes for one purpose from a key: HKDF with SHA-256 (RFC 5869), no salt; keys for two purposes tell nothing of each other. */
export function derive(key: KeyObject, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, '', `lineament ${purpose}`, KEY_BYTES));
}

/** As {@link derive}, held outside the heap; nothing of it stays in JavaScript's memory. */
export function deriveKey(key: KeyObject, purpose: string): KeyObject {
  const bytes = derive(key, purpose);
  try {
    return createSecretKey(bytes);
  } finally {
    bytes.fill(0);
  }
}
