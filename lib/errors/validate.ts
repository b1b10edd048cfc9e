import { LineamentError } from '../errors.js';

/**
 * The one form in which arguments are refused:
 * "Expected positive integer for width but received -3 of type number".
 */
export function invalid(name: string, expected: string, received: unknown, fix?: string): LineamentError {
  return new LineamentError(
    'INVALID_ARGUMENT',
    `Expected ${expected} for ${name} but received ${describe(received)}`,
    fix === undefined ? {} : { fix },
  );
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  if (value === undefined) return 'undefined';
  if (typeof value === 'string') return `'${value.length > 60 ? `${value.slice(0, 57)}...` : value}' of type string`;
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') {
    return `${String(value)} of type ${typeof value}`;
  }
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'symbol') return 'a symbol';
  const kind = (value as object).constructor?.name ?? 'object';
  if (ArrayBuffer.isView(value)) return `${kind} of ${value.byteLength} bytes`;
  if (Array.isArray(value)) return `Array of length ${value.length}`;
  return `an object of class ${kind}`;
}

export function positiveInteger(name: string, value: unknown, max = Number.MAX_SAFE_INTEGER): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max) {
    throw invalid(name, max === Number.MAX_SAFE_INTEGER ? 'positive integer' : `positive integer up to ${max}`, value);
  }
  return value;
}

/** A finite number in [min, max]. */
export function numberIn(name: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < min || value > max) {
    throw invalid(name, max === Infinity ? `number of at least ${min}` : `number from ${min} to ${max}`, value);
  }
  return value;
}

export function boolean(name: string, value: unknown): boolean {
  if (typeof value !== 'boolean') throw invalid(name, 'boolean', value);
  return value;
}

export function oneOf<T extends string>(name: string, value: unknown, allowed: readonly T[]): T {
  if (typeof value !== 'string' || !(allowed as readonly string[]).includes(value)) {
    throw invalid(name, `one of ${allowed.map((a) => `'${a}'`).join(', ')}`, value);
  }
  return value as T;
}

export function nonEmptyString(name: string, value: unknown): string {
  if (typeof value !== 'string' || value.length === 0) throw invalid(name, 'non-empty string', value);
  return value;
}

/** A plain object (options); refuses `null`, arrays and names that are not known, which are most often misspellings. */
export function plainObject(name: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(name, 'object', value);
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      throw new LineamentError('INVALID_ARGUMENT', `Unknown option '${key}' for ${name}; known: ${known.join(', ')}`);
    }
  }
  return value as Record<string, unknown>;
}

export function abortSignal(name: string, value: unknown): AbortSignal {
  const signal = value as AbortSignal | null;
  if (typeof signal !== 'object' || signal === null || typeof signal.aborted !== 'boolean') {
    throw invalid(name, 'AbortSignal', value);
  }
  return signal;
}
