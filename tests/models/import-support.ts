import { ImportError, type ImportErrorCode } from '../../models/import/error.js';

/** Code of the import error that `run` ends with; other errors pass through. */
export function codeOf(run: () => unknown): ImportErrorCode | 'none' {
  try {
    run();
  } catch (error) {
    if (error instanceof ImportError) return error.code;
    throw error;
  }
  return 'none';
}
