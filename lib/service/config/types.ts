/** What users of the service see of it: the configuration and the log. Names no type of a package. Times are milliseconds. */

/** What a caller may do. `read`: look at pictures and search. `enrol`: change persons. `admin`: everything. Each holds the ones before it. */
export type Scope = 'read' | 'enrol' | 'admin';

/** Everything that can be set, with defaults filled in. `schema.ts` describes it, value by value. */
export interface ServiceConfig {
  readonly server: {
    readonly host: string;
    /** 0 takes a free one. */
    readonly port: number;
    /** Addresses of proxies whose `X-Forwarded-*` headers are believed. */
    readonly trustProxy: readonly string[];
    /** PEM files. */
    readonly tls?: { readonly cert: string; readonly key: string };
    /** A request must have come in whole, headers and body, within this time. */
    readonly requestTimeoutMs: number;
    readonly headersTimeoutMs: number;
    readonly keepAliveMs: number;
    /** How long running requests may take to end when the service stops. */
    readonly drainMs: number;
    /** Swagger UI at `/docs`. */
    readonly docs: boolean;
  };
  readonly data: {
    /** Gallery, keys, audit trail. */
    readonly folder: string;
    /** Keyring that seals templates: a file, or `env:NAME`. */
    readonly keys?: string;
    /** Keep a picture of each enrolled face. */
    readonly keepImages: boolean;
    /** Enrolment without a reference to a consent is refused. */
    readonly consentRequired: boolean;
    /** Collection that is used where a request names none. */
    readonly collection: string;
  };
  readonly engine: {
    /** A preset of the starter pack, or a name of the catalogue. */
    readonly preset: string;
    /** Loaded at the start besides it. */
    readonly preload: readonly string[];
    readonly threads?: number;
    readonly mode: 'latency' | 'throughput';
    readonly providers: readonly string[];
    /** Least recently used models are unloaded above this. */
    readonly memoryBudgetMb?: number;
    readonly calibration?: string;
    /** Most faces of requests side by side that a recogniser sees in one run (1 joins none), and how long one waits for others. */
    readonly batching: { readonly items: number; readonly waitMs: number };
  };
  readonly models: {
    /** Downloaded models lie here; the user's cache folder when absent. */
    readonly cache?: string;
    /** Folder of private cards and their files. */
    readonly cards?: string;
    /** Addresses that are tried before a card's own. */
    readonly mirrors: readonly string[];
    readonly offline: boolean;
    readonly acceptedLicences: readonly string[];
  };
  readonly limits: {
    readonly bodyBytes: number;
    readonly imageBytes: number;
    readonly pixels: number;
    /** Pictures in one request. */
    readonly images: number;
    /** Requests that work at a time; twice the compute threads when absent. */
    readonly concurrency?: number;
    /** Requests that wait; more are told to come back. */
    readonly queue: number;
    /** Bytes of all waiting and working requests; more are told to come back. */
    readonly queueBytes: number;
    /** A request that cannot be answered within this time is given up. */
    readonly deadlineMs: number;
  };
  readonly auth: {
    /** Off: everybody may do everything. Only on a loopback address. */
    readonly enabled: boolean;
    readonly anonymous: readonly Scope[];
    readonly jwt?: {
      readonly issuer: string;
      readonly audience: string;
      /** A secret (`env:NAME`), a PEM file, or an address of a key set. */
      readonly key: string;
      readonly algorithms: readonly string[];
      readonly scopeClaim: string;
    };
  };
  readonly rate: {
    /** Requests a minute; 0 is no limit. */
    readonly perKey: number;
    readonly perAddress: number;
    /** Attempts with a wrong key, a minute and address. */
    readonly failures: number;
  };
  readonly cors: { readonly origins: readonly string[] };
  /** Embeddings of pictures that were seen before; 0 keeps none. */
  readonly cache: { readonly embeddings: number };
  readonly cameras: readonly CameraConfig[];
  readonly watch: {
    /** Whose faces are covered in pictures and clips of the cameras. */
    readonly privacy: 'none' | 'blur-unknown' | 'blur-without-consent' | 'blur-all';
    /** Keep videos of what happened. */
    readonly clips: boolean;
    /** Archive and delete what is old, as the defaults of the event log are. */
    readonly retention: boolean;
  };
  readonly log: { readonly level: 'silent' | 'error' | 'warn' | 'info' | 'debug' };
}

export interface CameraConfig {
  /** 1 to 64 letters, digits, `-`, `_` and `.`. */
  readonly id: string;
  /** `/dev/video0`, an `rtsp:` or `http:` address, a file, or a folder. */
  readonly source: string;
  readonly width?: number;
  readonly height?: number;
  readonly fps?: number;
  readonly loop?: boolean;
}

/** Structured log without secrets. */
export interface Logger {
  error(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  info(fields: object, message: string): void;
  debug(fields: object, message: string): void;
}
