/** Failures as plain data. */
import { wrapError } from '../errors.js';

/** An error as it is written to JSON. */
export interface ErrorJson {
  readonly code: string;
  readonly message: string;
  readonly fix?: string;
}

/** Any failure as plain data. */
export function errorJson(error: unknown): ErrorJson {
  const { code, message, fix } = wrapError(error);
  return { code, message, ...(fix !== undefined && { fix }) };
}
