import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, sign, verify } from 'node:crypto';
import { invalid } from '../errors/validate.js';

/** Backups that were taken before a deletion and, as far as the gallery knows, still exist. */
export interface BackupNotice {
  readonly name: string;
  readonly createdAt: string;
}

/**
 * What a deletion did, signed with the gallery's key (Ed25519, RFC 8032). Ids are not in it: `digest` is SHA-256 over salt and id, so that
 * whoever knows an id can tell that it is meant, and others learn nothing but whether a guess was right.
 */
export interface Receipt {
  readonly format: 'lineament-erasure-receipt';
  readonly version: 1;
  readonly id: string;
  readonly gallery: string;
  /** ISO 8601, UTC; when the deletion was committed. */
  readonly at: string;
  /** Revision of the gallery after it. */
  readonly revision: number;
  readonly salt: string;
  readonly subject: { readonly kind: 'person' | 'sample' | 'collection' | 'expired'; readonly digest: string };
  readonly erased: {
    /** Digests of the persons' ids, those who had been merged into them included. */
    readonly persons: readonly string[];
    readonly samples: number;
    /** Digests of the samples' ids; left out where there are more than a thousand. */
    readonly sampleIds?: readonly string[];
    readonly templates: number;
    readonly thumbnails: number;
    readonly vectors: number;
    readonly feedback: number;
    readonly operations: number;
    readonly cached: number;
  };
  /** Digests of the references to pictures: the gallery keeps none, their keeper has to delete them. */
  readonly pictures: readonly string[];
  readonly files: {
    readonly database: 'overwritten with zeros';
    readonly log: 'emptied';
    /** Snapshots of the index that held the vectors. */
    readonly snapshotsRemoved: readonly string[];
  };
  readonly backups: readonly BackupNotice[];
  readonly backupPolicy: string;
  /** SPKI, base64. */
  readonly publicKey: string;
  /** Over all other fields as canonical JSON; base64. */
  readonly signature: string;
}

export type UnsignedReceipt = Omit<Receipt, 'signature'>;

export const BACKUP_POLICY =
  'Backups listed here were made by this gallery before the deletion and may hold what was deleted until they are destroyed. ' +
  'A backup that is restored into the folder of the gallery has this deletion applied again before it can be searched.';

export function newSigningKey(): { readonly signingKey: Uint8Array; readonly publicKey: Uint8Array } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    signingKey: privateKey.export({ type: 'pkcs8', format: 'der' }),
    publicKey: publicKey.export({ type: 'spki', format: 'der' }),
  };
}

export function digest(salt: string, id: string): string {
  return createHash('sha256').update(salt).update('\0').update(id).digest('hex');
}

export function signReceipt(receipt: UnsignedReceipt, signingKey: Uint8Array): Receipt {
  const key = createPrivateKey({ key: Buffer.from(signingKey), type: 'pkcs8', format: 'der' });
  return { ...receipt, signature: sign(null, canonical(receipt), key).toString('base64') };
}

/**
 * Whether a receipt is as the gallery signed it. `publicKey` (SPKI, base64) is the gallery's, known from elsewhere (`Gallery.publicKey`): without
 * it the receipt is only checked against the key that it brings along. Throws `INVALID_ARGUMENT` for what is no receipt. Pure.
 */
export function verifyReceipt(receipt: Receipt, publicKey?: string): boolean {
  const given: unknown = receipt;
  if (typeof given !== 'object' || given === null || receipt.format !== 'lineament-erasure-receipt') {
    throw invalid('receipt', 'erasure receipt', given);
  }
  const { signature, ...rest } = receipt;
  if (publicKey !== undefined && publicKey !== receipt.publicKey) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(receipt.publicKey, 'base64'), type: 'spki', format: 'der' });
    return verify(null, canonical(rest), key, Buffer.from(signature, 'base64'));
  } catch {
    return false;
  }
}

/** Whether a receipt speaks of a person, sample or collection with this id. Pure. */
export function receiptCovers(receipt: Receipt, id: string): boolean {
  const wanted = digest(receipt.salt, id);
  const { persons, sampleIds = [] } = receipt.erased;
  return receipt.subject.digest === wanted || persons.includes(wanted) || sampleIds.includes(wanted);
}

/** JSON with sorted names and without white space. */
function canonical(value: unknown): Buffer {
  const sorted = (_: string, one: unknown): unknown =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one;
  return Buffer.from(JSON.stringify(value, sorted));
}
