import { invalid, nonEmptyString } from '../errors/validate.js';
import type { SqlStatement, SqlValue } from '../native/index.js';

/** Half of a surrogate pair has no UTF-8: it would be stored as another character. */
const LONE_SURROGATE = /\p{Surrogate}/u;

/** Refuses what SQLite would store as something else: NaN becomes NULL there, and half a character another one. */
export function checkValues(values: unknown, name: string): asserts values is readonly SqlValue[] {
  if (!Array.isArray(values)) throw invalid(name, 'array', values);
  for (let i = 0; i < values.length; i++) {
    const value: unknown = values[i];
    if (value === null || value instanceof Uint8Array) continue;
    if (typeof value === 'number' && !Number.isNaN(value)) continue;
    if (typeof value === 'bigint' && BigInt.asIntN(64, value) === value) continue;
    if (typeof value === 'string' && !LONE_SURROGATE.test(value)) continue;
    throw invalid(`${name}[${i}]`, 'null, number, bigint of 64 bits, well-formed string or Uint8Array', value);
  }
}

export function checkStatements(statements: unknown): asserts statements is readonly SqlStatement[] {
  if (!Array.isArray(statements) || statements.length === 0) throw invalid('statements', 'non-empty array', statements);
  for (const [i, statement] of (statements as readonly (SqlStatement | undefined)[]).entries()) {
    const name = `statements[${i}]`;
    nonEmptyString(`${name}.sql`, statement?.sql);
    if (statement?.params !== undefined) checkValues(statement.params, `${name}.params`);
    const expected: unknown = statement?.expect;
    if (expected !== undefined && !(Number.isSafeInteger(expected) && (expected as number) >= 0)) {
      throw invalid(`${name}.expect`, 'non-negative integer', expected);
    }
    if (statement?.rows === undefined) continue;
    if (statement.params !== undefined) throw invalid(name, 'either params or rows', statement);
    if (!Array.isArray(statement.rows)) throw invalid(`${name}.rows`, 'array', statement.rows);
    for (const [r, row] of statement.rows.entries()) checkValues(row, `${name}.rows[${r}]`);
  }
}

/** Rows that the statements carry: what a write weighs. */
export function rowsOf(statements: readonly SqlStatement[]): number {
  return statements.reduce((sum, one) => sum + (one.rows?.length ?? 1), 0);
}
