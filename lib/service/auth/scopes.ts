import type { Scope } from '../types.js';

/** From least to most: each holds the ones before it. */
export const SCOPES = ['read', 'enrol', 'admin'] as const satisfies readonly Scope[];

export function isScope(value: unknown): value is Scope {
  return (SCOPES as readonly unknown[]).includes(value);
}

/** These scopes and what they hold. */
export function withLesser(scopes: Iterable<Scope>): ReadonlySet<Scope> {
  let most = -1;
  for (const scope of scopes) most = Math.max(most, SCOPES.indexOf(scope));
  return new Set(SCOPES.slice(0, most + 1));
}
