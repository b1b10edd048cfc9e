/** What can go wrong while importing a network. The strings are stable: scripts may match on them. */
export type ImportErrorCode =
  | 'SOURCE_MISSING'
  | 'SOURCE_TRUNCATED'
  | 'SOURCE_CHANGED'
  | 'SOURCE_CORRUPT'
  | 'WEIGHT_MISSING'
  | 'WEIGHT_INVALID'
  | 'OPERATOR_UNSUPPORTED'
  | 'GRAPH_INVALID'
  | 'CARD_MISMATCH'
  | 'USAGE';

/** An import failure with a stable `code`; the message names the file or the node and says what to do about it. */
export class ImportError extends Error {
  readonly code: ImportErrorCode;

  constructor(code: ImportErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ImportError';
    this.code = code;
  }
}
