import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { LineamentError } from '../../errors.js';

/** What a scrypt hash was made with (RFC 7914): `N` is the cost in memory and time, `r` the block size, `p` how often. */
export interface ScryptCost {
  readonly N: number;
  readonly r: number;
  readonly p: number;
}

/** 16 MiB and some 40 ms for each. Secrets of 256 random bits cannot be guessed; the cost is for whoever holds a copy of the file. */
export const COST: ScryptCost = { N: 2 ** 14, r: 8, p: 1 };

export interface SecretHash {
  readonly salt: Uint8Array;
  readonly hash: Uint8Array;
  readonly cost: ScryptCost;
}

const HASH_BYTES = 32;

/** On a thread of Node's pool. */
function derive(secret: string, salt: Uint8Array, { N, r, p }: ScryptCost): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(secret, salt, HASH_BYTES, { N, r, p, maxmem: 256 * N * r }, (error, key) => {
      if (error === null) resolve(key);
      else reject(error);
    });
  });
}

export async function hashSecret(secret: string, cost: ScryptCost = COST): Promise<SecretHash> {
  const salt = randomBytes(16);
  return { salt, hash: await derive(secret, salt, cost), cost };
}

/** Whether a cost is below another one, in memory or in time. */
export function isBelow(cost: ScryptCost, wanted: ScryptCost): boolean {
  const memory = ({ N, r }: ScryptCost): number => N * r;
  return memory(cost) < memory(wanted) || memory(cost) * cost.p < memory(wanted) * wanted.p;
}

/** Compares in constant time. */
export async function matches(secret: string, { salt, hash, cost }: SecretHash): Promise<boolean> {
  const derived = await derive(secret, salt, cost);
  try {
    return derived.length === hash.length && timingSafeEqual(derived, hash);
  } finally {
    derived.fill(0);
  }
}

/** A hash that no secret has: what an unknown id is compared with, at the price of a known one. */
export function nobodysHash(): SecretHash {
  return { salt: randomBytes(16), hash: randomBytes(HASH_BYTES), cost: COST };
}

export function writeCost({ N, r, p }: ScryptCost): string {
  return `${N}:${r}:${p}`;
}

/** Refuses costs that would take a machine down: the file may have been changed. */
export function readCost(text: string): ScryptCost {
  const [N = 0, r = 0, p = 0] = text.split(':').map(Number);
  const sound = [N, r, p].every((value) => Number.isSafeInteger(value) && value > 0) && (N & (N - 1)) === 0 && N > 1;
  if (!sound || N * r > 2 ** 20 || p > 16) {
    throw new LineamentError('STORE_CORRUPT', `'${text.slice(0, 40)}' is no cost of a scrypt hash`);
  }
  return { N, r, p };
}
