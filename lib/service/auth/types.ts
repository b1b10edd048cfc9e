/** Keys as others see them: never with their secret, but for the once when they are made. Times are milliseconds since the Unix epoch. */
import type { Scope } from '../config/types.js';

/** An API key. */
export interface ApiKey {
  /** Part of the key that is no secret; named in logs and in the audit trail. */
  readonly id: string;
  /** What it is for, for people. */
  readonly name: string;
  /** Each holds the ones before it: `read`, `enrol`, `admin`. */
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  /** Never when absent. */
  readonly expiresAt?: number;
  /** Not used yet when absent. */
  readonly lastUsedAt?: number;
  readonly revoked: boolean;
}

/** A key that is to be made. */
export interface NewKey {
  /** 1 to 100 characters, none of them control characters. */
  readonly name: string;
  /** At least one. */
  readonly scopes: readonly Scope[];
  /** In the future. */
  readonly expiresAt?: number;
}

/** A key that was just made: `key` is shown here and never again. */
export type CreatedKey = ApiKey & { readonly key: string };
