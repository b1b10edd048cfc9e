/** Tokens of others (JWT, RFC 7519): whoever holds the key that the configuration names says who somebody is and what they may do. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { LineamentError } from '../../errors.js';
import type { Scope, ServiceConfig } from '../types.js';
import { jose } from '../vendor.js';
import { isScope } from './scopes.js';

type JwtConfig = NonNullable<ServiceConfig['auth']['jwt']>;

export interface TokenHolder {
  /** The token's subject. */
  readonly id: string;
  readonly scopes: readonly Scope[];
  /** Milliseconds since the Unix epoch. */
  readonly expiresAt: number;
}

/** Reads a token. Rejects with `UNAUTHENTICATED`, or `DOWNLOAD_FAILED` where the key set cannot be had. */
export type TokenReader = (token: string) => Promise<TokenHolder>;

const SECRET = ['HS256', 'HS384', 'HS512'];
/** By the type of the public key. */
const PUBLIC: Readonly<Record<string, readonly string[]>> = {
  rsa: ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
  'rsa-pss': ['PS256', 'PS384', 'PS512'],
  ec: ['ES256', 'ES384', 'ES512'],
  ed25519: ['EdDSA', 'Ed25519'],
};
const ANY_PUBLIC = [...new Set(Object.values(PUBLIC).flat())];

/** Clocks of two machines may differ by so much, in seconds. */
const TOLERANCE = 5;
const KEY_SET_AGE_MS = 600_000;
const KEY_SET_TIMEOUT_MS = 5000;
/** After a failure the key set is not asked for again for so long. */
const KEY_SET_PAUSE_MS = 10_000;
/** A token without a subject of sane length names nobody. */
const SUBJECT = /^[^\p{Cc}]{1,256}$/u;

/** Whether a credential has the form of a token: three parts of base64url. */
export function isToken(credential: string): boolean {
  return /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/.test(credential);
}

/** `CONFIG_INVALID` for a key that cannot be had or does not go with the algorithms. */
export async function openTokens(config: JwtConfig, env: NodeJS.ProcessEnv = process.env): Promise<TokenReader> {
  const unknown = config.algorithms.filter((name) => !SECRET.includes(name) && !ANY_PUBLIC.includes(name));
  if (unknown.length > 0) {
    throw bad(
      `auth.jwt.algorithms holds ${unknown.map((name) => `'${name}'`).join(', ')}`,
      `It can hold ${[...SECRET, ...ANY_PUBLIC].join(', ')}.`,
    );
  }
  const { key, allowed } = await readKey(config.key, env);
  // A public key is never taken for a secret, whatever is allowed besides.
  const algorithms = config.algorithms.filter((name) => allowed.includes(name));
  if (algorithms.length === 0) {
    throw bad('auth.jwt.algorithms holds none that goes with auth.jwt.key', `Name one of ${allowed.join(', ')}.`);
  }
  const options = {
    issuer: config.issuer,
    audience: config.audience,
    algorithms,
    requiredClaims: ['exp', 'sub'],
    clockTolerance: TOLERANCE,
  };
  return async (token) => {
    try {
      const { payload } =
        typeof key === 'function'
          ? await jose.jwtVerify(token, key, options)
          : await jose.jwtVerify(token, key, options);
      const { sub, exp } = payload;
      if (typeof sub !== 'string' || !SUBJECT.test(sub) || exp === undefined) throw refused('its subject is no name');
      return { id: sub, scopes: scopesOf(payload[config.scopeClaim]), expiresAt: exp * 1000 };
    } catch (error) {
      throw explain(error);
    }
  };
}

async function readKey(
  given: string,
  env: NodeJS.ProcessEnv,
): Promise<{ key: Uint8Array | KeyObject | ReturnType<typeof keySet>; allowed: readonly string[] }> {
  if (given.startsWith('env:')) {
    const name = given.slice('env:'.length);
    const secret = new TextEncoder().encode(env[name] ?? '');
    if (secret.length < 32) {
      throw bad(
        `auth.jwt.key: ${secret.length === 0 ? 'there is nothing' : `there are only ${secret.length} bytes`} in the environment variable ${name}`,
        'A secret has at least 32 bytes; make one with `openssl rand -hex 32`.',
      );
    }
    return { key: secret, allowed: SECRET };
  }
  if (/^https?:/i.test(given)) {
    const url = URL.canParse(given) ? new URL(given) : undefined;
    const near = url !== undefined && ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
    if (url === undefined || (url.protocol !== 'https:' && !near)) {
      throw bad('auth.jwt.key: a key set is only taken over https', 'Name an https: address.');
    }
    return { key: keySet(url), allowed: ANY_PUBLIC };
  }
  const pem = await readFile(given, 'utf8').catch((cause: Error) => {
    throw bad(
      'auth.jwt.key names a file that cannot be read',
      'Name a PEM file, env:NAME, or an https: address.',
      cause,
    );
  });
  if (/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(pem)) {
    throw bad('auth.jwt.key names a private key', 'The service only needs the public one: do not give it more.');
  }
  try {
    const key = createPublicKey(pem);
    const allowed = PUBLIC[key.asymmetricKeyType ?? ''];
    if (allowed === undefined) throw new Error(`keys of type ${key.asymmetricKeyType} are not used here`);
    return { key, allowed };
  } catch (cause) {
    throw bad(`auth.jwt.key names no public key: ${(cause as Error).message}`, 'Name a PEM file of one.', cause);
  }
}

/** Keys from an address, remembered; while it fails it is left alone for a moment. */
function keySet(url: URL): jose.JWTVerifyGetKey {
  const keys = jose.createRemoteJWKSet(url, { cacheMaxAge: KEY_SET_AGE_MS, timeoutDuration: KEY_SET_TIMEOUT_MS });
  let failedAt = Number.NEGATIVE_INFINITY;
  return async (header, token) => {
    if (performance.now() - failedAt < KEY_SET_PAUSE_MS) throw unavailable(url);
    try {
      return await keys(header, token);
    } catch (error) {
      const said = error instanceof jose.errors.JOSEError ? error.code : undefined;
      // That the set has no such key is the token's fault; everything else is the set's.
      if (said === 'ERR_JWKS_NO_MATCHING_KEY' || said === 'ERR_JWKS_MULTIPLE_MATCHING_KEYS') throw error;
      if (said === 'ERR_JOSE_NOT_SUPPORTED') throw error;
      failedAt = performance.now();
      throw unavailable(url, error);
    }
  };
}

function unavailable(url: URL, cause?: unknown): LineamentError {
  return new LineamentError('DOWNLOAD_FAILED', `the key set of ${url.host} cannot be had`, { cause });
}

/** A list, or names with spaces between them; what is not a scope of ours is somebody else's. */
function scopesOf(claim: unknown): readonly Scope[] {
  const names: readonly unknown[] = typeof claim === 'string' ? claim.split(' ') : Array.isArray(claim) ? claim : [];
  return names.filter(isScope);
}

function refused(detail: string, cause?: unknown): LineamentError {
  return new LineamentError('UNAUTHENTICATED', `the token is refused: ${detail}`, { cause });
}

function explain(error: unknown): LineamentError {
  if (error instanceof LineamentError) return error;
  const said = error instanceof jose.errors.JOSEError ? error.code : undefined;
  if (said === 'ERR_JWT_EXPIRED') return refused('it has expired', error);
  if (said === 'ERR_JOSE_ALG_NOT_ALLOWED') return refused('its algorithm is not allowed', error);
  if (error instanceof jose.errors.JWTClaimValidationFailed) return refused(`its claim '${error.claim}'`, error);
  return refused('it was not signed with a key that is trusted here', error);
}

function bad(detail: string, fix: string, cause?: unknown): LineamentError {
  return new LineamentError('CONFIG_INVALID', detail, { fix, ...(cause !== undefined && { cause }) });
}
