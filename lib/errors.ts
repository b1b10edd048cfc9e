/** What every failure of the library looks like: one class, a stable code, a message form and an HTTP status. */

interface ErrorRule {
  /** Opens the message; the detail follows after a colon. */
  readonly message: string;
  /** HTTP status that a service answers with. */
  readonly status: number;
}

/**
 * The one table of error codes. Codes are stable: they may be matched on, and are only ever added.
 * A face that is not there is an absent value and no error; `NO_FACE` is for calls that cannot answer without one.
 */
export const ERRORS = {
  INVALID_ARGUMENT: { message: 'Invalid argument', status: 400 },
  ABORTED: { message: 'Aborted', status: 499 },
  CLOSED: { message: 'Closed', status: 503 },
  OUT_OF_MEMORY: { message: 'Out of memory', status: 507 },
  ADDON_NOT_FOUND: { message: 'The native addon could not be loaded', status: 500 },
  RUNTIME_NOT_FOUND: { message: 'ONNX Runtime was not found', status: 500 },
  RUNTIME_INCOMPATIBLE: { message: 'This ONNX Runtime cannot be used', status: 500 },
  PROVIDER_UNAVAILABLE: { message: 'Execution provider not available', status: 501 },
  MODEL_NOT_FOUND: { message: 'Model not found', status: 500 },
  MODEL_CORRUPT: { message: 'Model cannot be read', status: 500 },
  MODEL_HASH_MISMATCH: { message: 'Model file is not the one its card describes', status: 500 },
  INFERENCE_FAILED: { message: 'Inference failed', status: 500 },
  IMAGE_NOT_FOUND: { message: 'Image not found', status: 404 },
  IMAGE_UNSUPPORTED: { message: 'Unsupported image', status: 415 },
  IMAGE_CORRUPT: { message: 'Image is damaged', status: 422 },
  IMAGE_TOO_LARGE: { message: 'Image is too large', status: 413 },
  MESH_CORRUPT: { message: 'Mesh or point cloud cannot be read', status: 422 },
  NO_SURFACE: { message: 'Nothing to rebuild', status: 422 },
  CAMERA_NOT_FOUND: { message: 'Camera not found', status: 404 },
  CAMERA_BUSY: { message: 'Camera is in use', status: 503 },
  CAMERA_UNSUPPORTED: { message: 'The camera cannot do this', status: 422 },
  CAMERA_LOST: { message: 'Camera gives no pictures', status: 503 },
  VIDEO_CORRUPT: { message: 'Video cannot be read', status: 422 },
  FFMPEG_NOT_FOUND: { message: 'ffmpeg was not found', status: 501 },
  FFMPEG_FAILED: { message: 'ffmpeg failed', status: 500 },
  RECORDING_FAILED: { message: 'Recording failed', status: 500 },
  NO_FACE: { message: 'No face found', status: 422 },
  EMBEDDING_MISMATCH: { message: 'Embeddings cannot be compared', status: 409 },
  NOT_FOUND: { message: 'Not found', status: 404 },
  METHOD_NOT_ALLOWED: { message: 'Method not allowed', status: 405 },
  DUPLICATE_ID: { message: 'Already there', status: 409 },
  STORE_NOT_FOUND: { message: 'Store not found', status: 500 },
  STORE_CORRUPT: { message: 'Store is damaged', status: 500 },
  STORE_VERSION: { message: 'Store is of another version', status: 500 },
  STORE_BUSY: { message: 'Store is in use', status: 503 },
  STORE_FULL: { message: 'No space left for the store', status: 507 },
  STORE_FAILED: { message: 'Store failed', status: 500 },
  STORE_UNAVAILABLE: { message: 'Store cannot be reached', status: 503 },
  UNAUTHENTICATED: { message: 'Not authenticated', status: 401 },
  ACCESS_DENIED: { message: 'Access denied', status: 403 },
  TEMPLATE_INVALID: { message: 'Template cannot be read', status: 422 },
  TEMPLATE_EXPIRED: { message: 'Template has expired', status: 410 },
  TEMPLATE_REJECTED: { message: 'Samples do not make a template', status: 422 },
  KEY_NOT_FOUND: { message: 'Key not found', status: 500 },
  KEY_MISMATCH: { message: 'Data was not sealed with this key, or was changed', status: 403 },
  CALIBRATION_INSUFFICIENT: { message: 'Not enough comparisons', status: 422 },
  CONFIG_INVALID: { message: 'Configuration cannot be used', status: 500 },
  CONSENT_REQUIRED: { message: 'Consent is required', status: 422 },
  LICENCE_NOT_ACCEPTED: { message: 'Licence has not been accepted', status: 403 },
  DOWNLOAD_FAILED: { message: 'Download failed', status: 502 },
  PAYLOAD_TOO_LARGE: { message: 'Request is too large', status: 413 },
  MEDIA_UNSUPPORTED: { message: 'Content of this type is not read here', status: 415 },
  RATE_LIMITED: { message: 'Too many requests', status: 429 },
  OVERLOADED: { message: 'Too much work waits', status: 429 },
  DEADLINE_EXCEEDED: { message: 'Not done in time', status: 504 },
  INTERNAL: { message: 'Internal error', status: 500 },
} as const satisfies Record<string, ErrorRule>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERRORS;

export interface LineamentErrorOptions {
  /** What caused it: the native error, the `AbortSignal`'s reason, the decoder's complaint. */
  readonly cause?: unknown;
  /** What to do about it, as an imperative sentence. Also appended to the message. */
  readonly fix?: string;
  /** A site from {@link callSite}; the stack then starts at the caller's line. */
  readonly site?: CallSite;
}

/** Where a public call was made. */
export interface CallSite {
  readonly stack?: string;
}

/**
 * Every error that the library throws or rejects with. `code` is stable, `message` is for people, `fix` says what to do
 * where that is known, `cause` holds what lies beneath, and `stack` starts at the line that called the library.
 */
export class LineamentError extends Error {
  readonly code: ErrorCode;
  readonly fix?: string;

  constructor(code: ErrorCode, detail: string, options: LineamentErrorOptions = {}) {
    const form = ERRORS[code].message;
    const said = detail.length > 0 ? `${form}: ${detail}` : form;
    super(options.fix === undefined ? said : `${said}${/[.!?]$/.test(said) ? '' : '.'} ${options.fix}`, {
      ...('cause' in options ? { cause: options.cause } : {}),
    });
    this.code = code;
    if (options.fix !== undefined) this.fix = options.fix;
    if (options.site !== undefined) atSite(this, options.site);
  }

  /** HTTP status for a service that passes this error on. */
  get status(): number {
    return ERRORS[this.code].status;
  }

  /** Plain data for logs and responses: no stack and no cause, which may hold paths. */
  toJSON(): { name: string; code: ErrorCode; message: string; fix?: string } {
    return {
      name: this.name,
      code: this.code,
      message: this.message,
      ...(this.fix === undefined ? {} : { fix: this.fix }),
    };
  }
}

/** Remembers the line that called `entry`, a public function: asynchronous failures are then shown at that line. */
export function callSite(entry: (...args: never[]) => unknown): CallSite {
  const site: { stack?: string } = {};
  Error.captureStackTrace(site, entry);
  return site;
}

function atSite(error: Error, site: CallSite): void {
  const frames = site.stack?.split('\n').slice(1).join('\n');
  if (frames) error.stack = `${error.name}: ${error.message}\n${frames}`;
}

// On the prototype, so that the name is there already when the stack's first line is written.
Object.defineProperty(LineamentError.prototype, 'name', {
  value: 'LineamentError',
  configurable: true,
  writable: true,
});

function isCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERRORS, value);
}

/**
 * Turns anything thrown into a `LineamentError`. Errors of ours pass through; errors from the native addon keep their code;
 * anything else becomes `fallback`. The stack points at `site` where one is given.
 */
export function wrapError(thrown: unknown, site?: CallSite, fallback: ErrorCode = 'INTERNAL'): LineamentError {
  if (thrown instanceof LineamentError) {
    if (site !== undefined) atSite(thrown, site);
    return thrown;
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const given = (thrown as { code?: unknown } | null | undefined)?.code;
  const code = isCode(given) ? given : fallback;
  return new LineamentError(code, message, { cause: thrown, ...(site === undefined ? {} : { site }) });
}

/** The error for a call whose `AbortSignal` fired; `cause` is the signal's reason. */
export function abortError(signal?: AbortSignal): LineamentError {
  const cause: unknown = signal?.reason;
  return new LineamentError('ABORTED', cause instanceof Error ? cause.message : 'the operation was aborted', { cause });
}

/** Throws `ABORTED` when the signal has already fired. */
export function throwIfAborted(signal?: AbortSignal): void {
  if (signal?.aborted === true) throw abortError(signal);
}
