/** Every value that can be set: its type, its limits, its default, and what it means. The file's keys are these. */
import { type TSchema, Type } from '../vendor.js';

const section = <T extends Record<string, TSchema>>(properties: T, description: string) =>
  Type.Optional(Type.Object(properties, { additionalProperties: false, description }));
const text = (description: string, more: object = {}) =>
  Type.Optional(Type.String({ minLength: 1, description, ...more }));
const flag = (description: string, value: boolean) => Type.Optional(Type.Boolean({ description, default: value }));
const whole = (description: string, minimum: number, maximum: number, value?: number) =>
  Type.Optional(Type.Integer({ description, minimum, maximum, ...(value === undefined ? {} : { default: value }) }));
const oneOf = (description: string, values: readonly string[], value: string) =>
  Type.Optional(Type.Unsafe<string>({ type: 'string', enum: [...values], description, default: value }));
const list = (description: string, value: readonly string[] = [], items: TSchema = Type.String({ minLength: 1 })) =>
  Type.Optional(Type.Array(items, { description, default: [...value], maxItems: 1000 }));

const SCOPE = Type.Unsafe<string>({ type: 'string', enum: ['read', 'enrol', 'admin'] });
const HOUR = 3_600_000;
const GIB = 2 ** 30;

const Tls = Type.Optional(
  Type.Object(
    {
      cert: Type.String({ minLength: 1, description: 'PEM file with the certificate and those that it hangs on' }),
      key: Type.String({ minLength: 1, description: 'PEM file with its key' }),
    },
    { additionalProperties: false, description: 'Speak HTTPS' },
  ),
);

const Jwt = Type.Optional(
  Type.Object(
    {
      issuer: Type.String({ minLength: 1, description: 'What the claim iss must be' }),
      audience: Type.String({ minLength: 1, description: 'What the claim aud must hold' }),
      key: Type.String({
        minLength: 1,
        description: 'A secret (env:NAME), a PEM file, or the https address of a key set',
      }),
      algorithms: Type.Optional(
        Type.Array(Type.String({ minLength: 1 }), {
          minItems: 1,
          default: ['RS256', 'ES256', 'EdDSA'],
          description: 'Algorithms that are taken',
        }),
      ),
      scope_claim: Type.Optional(
        Type.String({ minLength: 1, default: 'scope', description: 'Claim that lists read, enrol, admin' }),
      ),
    },
    { additionalProperties: false, description: 'Take JSON web tokens besides keys' },
  ),
);

const Camera = Type.Object(
  {
    id: Type.String({ pattern: '^[A-Za-z0-9._-]{1,64}$', description: 'Its name: letters, digits, -, _ and .' }),
    source: Type.String({ minLength: 1, description: '/dev/video0, an rtsp: or http: address, a file, or a folder' }),
    width: whole('Width that it is asked for', 1, 32_768),
    height: whole('Height that it is asked for', 1, 32_768),
    fps: Type.Optional(Type.Number({ minimum: 0.001, maximum: 1000, description: 'Most frames a second' })),
    loop: Type.Optional(Type.Boolean({ description: 'Begin a file anew when it ends' })),
  },
  { additionalProperties: false },
);

export const ConfigFile = Type.Object(
  {
    server: section(
      {
        host: text('Address to listen at; 127.0.0.1 is seen from this machine alone, 0.0.0.0 from everywhere', {
          default: '127.0.0.1',
        }),
        port: whole('Port; 0 takes a free one', 0, 65_535, 8080),
        trust_proxy: list('Addresses or networks of proxies whose X-Forwarded-* headers are believed'),
        tls: Tls,
        request_timeout_ms: whole(
          'A request must have come in whole within this time; of an import, each piece; a client that takes nothing of its answer for so long is let go',
          100,
          HOUR,
          60_000,
        ),
        headers_timeout_ms: whole('Its headers must have', 100, HOUR, 10_000),
        keep_alive_ms: whole('How long an idle connection is kept', 0, HOUR, 20_000),
        drain_ms: whole('How long running requests may take to end when the service stops', 0, HOUR, 15_000),
        docs: flag('Swagger UI at /docs', true),
      },
      'Where and how the service listens',
    ),
    data: section(
      {
        folder: text(
          'Gallery, keys and audit trail lie here; by default lineament/service in the data folder of the user',
        ),
        keys: text('Keyring that seals templates: a file, or env:NAME'),
        keep_images: flag('Keep a picture of each enrolled face', false),
        consent_required: flag('Refuse enrolment without a reference to a consent', false),
        collection: text('Collection that is used where a request names none', { default: 'default', maxLength: 64 }),
      },
      'What is kept',
    ),
    engine: section(
      {
        preset: text('A preset of the starter pack (fast, balanced, crowd, accurate) or a name of the catalogue', {
          default: 'balanced',
        }),
        preload: list('Other presets that are loaded at the start'),
        threads: whole('Compute threads; all processors when absent', 1, 1024),
        mode: oneOf(
          'latency: one picture as early as possible; throughput: many at a time',
          ['latency', 'throughput'],
          'throughput',
        ),
        providers: list('Execution providers, in order of preference', ['cpu']),
        memory_budget_mb: whole('Least recently used models are unloaded above this', 1, 10_000_000),
        calibration: text("What 'lineament calibrate' wrote"),
        batching: section(
          {
            items: whole(
              'Most faces of requests side by side that a recogniser sees in one run; 1 joins none. Pays on a GPU, with limits.concurrency at least as large',
              1,
              256,
              1,
            ),
            wait_ms: whole('Longest time that a face waits for those of other requests', 0, 1000, 5),
          },
          'Joining requests',
        ),
      },
      'Models that run',
    ),
    models: section(
      {
        cache: text('Downloaded models lie here; the cache folder of the user when absent'),
        cards: text('Folder of private model cards and their files'),
        mirrors: list("Addresses that are tried before a card's own"),
        offline: flag('Download nothing', false),
        accepted_licences: list('Licences that are accepted, by their names'),
      },
      'Models that can be had',
    ),
    limits: section(
      {
        body_bytes: whole('Longest body of a request', 1024, 4 * GIB, 64 * 2 ** 20),
        image_bytes: whole('Largest picture, as a file', 1024, GIB, 20 * 2 ** 20),
        pixels: whole('Most pixels of a picture', 1, 1_000_000_000, 50_000_000),
        images: whole('Pictures in one request', 1, 10_000, 32),
        concurrency: whole('Requests that work at a time; twice the compute threads when absent', 1, 1024),
        queue: whole('Requests that wait; more are told to come back', 0, 1_000_000, 256),
        queue_bytes: whole(
          'Bytes of all waiting and working requests; more are told to come back',
          1024,
          1024 * GIB,
          512 * 2 ** 20,
        ),
        deadline_ms: whole('A request that cannot be answered within this time is given up', 10, HOUR, 30_000),
      },
      'How much is taken on',
    ),
    auth: section(
      {
        enabled: flag('Off: everybody may do everything; only on a loopback address', true),
        anonymous: list('What may be done without a key: read, enrol, admin', [], SCOPE),
        jwt: Jwt,
      },
      'Who may do what',
    ),
    rate: section(
      {
        per_key: whole('Requests a minute of one key; 0 is no limit', 0, 100_000_000, 12_000),
        per_address: whole('Requests a minute from one address; 0 is no limit', 0, 100_000_000, 12_000),
        failures: whole('Attempts with a wrong key a minute from one address', 1, 1_000_000, 10),
      },
      'How often',
    ),
    cors: section(
      { origins: list('Origins of web pages that may call the service, such as https://app.example.org; * for all') },
      'Who may call from a browser',
    ),
    cache: section(
      {
        embeddings: whole('Embeddings of pictures that were seen before are kept; 0 keeps none', 0, 10_000_000, 10_000),
      },
      'What is remembered of pictures',
    ),
    cameras: Type.Optional(Type.Array(Camera, { description: 'Cameras that are watched', default: [], maxItems: 256 })),
    watch: section(
      {
        privacy: oneOf(
          'Whose faces are covered in pictures and clips of the cameras',
          ['none', 'blur-unknown', 'blur-without-consent', 'blur-all'],
          'none',
        ),
        clips: flag('Keep videos of what happened', false),
        retention: flag('Archive and delete what is old: events after a year, clips after a month', true),
      },
      'How cameras are watched',
    ),
    log: section(
      { level: oneOf('Least that is said', ['silent', 'error', 'warn', 'info', 'debug'], 'info') },
      'What the log says',
    ),
  },
  { additionalProperties: false, title: 'Configuration of lineament serve' },
);

/** The parts of a JSON schema that this one is made of. */
export interface ConfigNode {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, ConfigNode>>;
  readonly required?: readonly string[];
  readonly items?: ConfigNode;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
}

export const CONFIG: ConfigNode = ConfigFile as unknown as ConfigNode;

/** Every value with its path, such as `['server', 'port']`; lists and what lies in them are one value. */
export function* leaves(
  node: ConfigNode = CONFIG,
  path: readonly string[] = [],
): Generator<[path: string[], node: ConfigNode]> {
  for (const [name, child] of Object.entries(node.properties ?? {})) {
    if (child.properties === undefined) yield [[...path, name], child];
    else yield* leaves(child, [...path, name]);
  }
}
