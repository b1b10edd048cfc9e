// Every operation of the OpenAPI document with what its schema allows, and with what it does not: no fault of the service, no crash, no hang.
import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { random as generator } from '../../support/random.js';
import { startService, type TestService } from '../../support/service.js';

/** Rounds over all operations end when the time is up, but the first two are always whole. */
const BUDGET_MS = 20_000;
const MOST_ROUNDS = 40;
const SEED = Number(process.env['LINEAMENT_FUZZ_SEED'] ?? 7);
const HANG_MS = 30_000;
/** What the service may say of itself: stopping or busy, and out of memory or disk. */
const EXCUSED = [503, 507];

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly format?: string;
}
interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: Schema;
}
interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
  readonly responses: Readonly<Record<string, unknown>>;
}

const NASTY = [
  '',
  ' ',
  'x',
  'default',
  "'; DROP TABLE persons; --",
  '" OR 1=1',
  '../../../../etc/passwd',
  '..%2f..%2f',
  'a\u0000b',
  'a\r\nX-Injected: yes',
  '__proto__',
  'constructor',
  '\ud83d\ude00',
  '\u202edrawkcab',
  'a'.repeat(300),
  'é'.repeat(2000),
  'NaN',
  '1e999',
  '-1',
  '{{7*7}}#{7*7}%s%n',
  'data:image/png;base64,AAAA',
  'data:text/html,<script>',
  'http://127.0.0.1:1/x.jpg',
  '/etc/passwd',
  '\u0130\u0131',
];
const NUMBERS = [0, -1, 1, 0.5, 2 ** 31, -(2 ** 31), 2 ** 53, 1e308, -0.0, 1e-320];

let service: TestService;
let schemas: Readonly<Record<string, Schema>> = {};
let operations: { readonly method: string; readonly path: string; readonly operation: Operation }[] = [];
let pictures: Buffer[] = [];
beforeAll(async () => {
  service = await startService({
    limits: { bodyBytes: 1_500_000, imageBytes: 1_000_000, pixels: 4_000_000, images: 3 },
    models: { offline: true },
    log: { level: 'info' },
  });
  const document = (await (await service.fetch('/openapi.json')).json()) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  schemas = document.components.schemas;
  operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const face = await sharp('node_modules/@vladmandic/face-api/demo/sample1.jpg').resize(320).jpeg().toBuffer();
  // Some of the ids that are tried are somebody's.
  for (const person of ['x', '-1']) {
    const made = await service.call('POST', '/api/v1/enrol', { person, image: face.toString('base64') });
    expect(made.status).toBe(201);
  }
  const blank = await sharp({ create: { width: 40, height: 40, channels: 3, background: '#888' } })
    .png()
    .toBuffer();
  const bomb = Buffer.from(blank);
  bomb.writeUInt32BE(60_000, 16);
  bomb.writeUInt32BE(60_000, 20);
  pictures = [
    face,
    face,
    blank,
    face.subarray(0, face.length >> 1),
    bomb,
    Buffer.alloc(0),
    Buffer.from('GIF89a<script>alert(1)</script>'),
    Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'),
    Buffer.concat([Buffer.from('%PDF-1.4\n'), face]),
    Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 7919) & 255)),
  ];
});
afterAll(() => service?.close());

type Random = () => number;
const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)]!;

/** Something that fits a schema, as far as its simple keywords go. */
function madeFor(given: Schema, random: Random, depth = 0): unknown {
  const name = given.$ref?.split('/').at(-1);
  const schema = name === undefined ? given : (schemas[name] ?? {});
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return madeFor(pick(random, choices), random, depth + 1);
  if (schema.allOf !== undefined) {
    return Object.assign({}, ...schema.allOf.map((one) => madeFor(one, random, depth + 1) as object)) as unknown;
  }
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return pick(random, schema.enum);
  const type = Array.isArray(schema.type) ? pick(random, schema.type as string[]) : schema.type;
  switch (type) {
    case 'boolean':
      return random() < 0.5;
    case 'integer':
    case 'number': {
      const least = schema.minimum ?? 0;
      const most = Math.min(schema.maximum ?? least + 10, least + 1000);
      const number = least + random() * (most - least);
      return type === 'integer' ? Math.round(number) : number;
    }
    case 'array': {
      if (depth > 6) return [];
      const least = schema.minItems ?? 0;
      const count = Math.min(least + Math.floor(random() * 3), schema.maxItems ?? 1000);
      return Array.from({ length: count }, () => madeFor(schema.items ?? {}, random, depth + 1));
    }
    case 'null':
      return null;
    case 'string':
      if (schema.format === 'byte') return pick(random, pictures).toString('base64');
      return pick(random, NASTY).slice(0, schema.maxLength);
    case 'object': {
      const wanted = new Set(schema.required ?? []);
      const entries = Object.entries(schema.properties ?? {}).filter(([key]) => wanted.has(key) || random() < 0.5);
      return Object.fromEntries(entries.map(([key, child]) => [key, madeFor(child, random, depth + 1)]));
    }
    default:
      return pick<unknown>(random, ['x', 1, null, true, [], {}]);
  }
}

function anything(random: Random): unknown {
  return pick<unknown>(random, [
    null,
    true,
    pick(random, NASTY),
    pick(random, NUMBERS),
    [],
    {},
    [pick(random, NUMBERS), pick(random, NASTY), null],
    { length: 5 },
    Array(400).fill(0),
    Array(128).fill(1e300),
    JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`) as unknown,
  ]);
}

/** The value with something wrong at some place. */
function spoil(value: unknown, random: Random): unknown {
  if (typeof value !== 'object' || value === null || random() < 0.15) return anything(random);
  if (Array.isArray(value)) {
    if (value.length === 0 || random() < 0.3) return [...(value as unknown[]), anything(random)];
    const at = Math.floor(random() * value.length);
    return value.map((one: unknown, index) => (index === at ? spoil(one, random) : one));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random() < 0.2) return { ...value, [pick(random, NASTY)]: anything(random) };
  const [key] = pick(random, entries);
  if (random() < 0.3) return Object.fromEntries(entries.filter(([name]) => name !== key));
  return Object.fromEntries(entries.map(([name, child]) => [name, name === key ? spoil(child, random) : child]));
}

function formBody(schema: Schema, random: Random): FormData {
  const form = new FormData();
  const fields = { ...(schema.$ref === undefined ? schema : schemas[schema.$ref.split('/').at(-1) ?? ''])?.properties };
  for (const [name, child] of Object.entries(fields)) {
    if (random() < 0.25) continue;
    const files = child.format === 'binary' ? 1 : child.items?.format === 'binary' ? Math.floor(random() * 5) : 0;
    for (let i = 0; i < files; i++) {
      form.append(name, new Blob([new Uint8Array(pick(random, pictures))]), pick(random, ['a.jpg', '../../a.php', '']));
    }
    if (files > 0 || child.format === 'binary') continue;
    const value = random() < 0.6 ? madeFor(child, random) : anything(random);
    form.append(name, typeof value === 'object' ? JSON.stringify(value) : String(value));
  }
  if (random() < 0.1) form.append(pick(random, NASTY), pick(random, NASTY));
  return form;
}

/** One request: mostly what the schema says, spoilt in every second. */
function requestOf({ method, path, operation }: (typeof operations)[number], random: Random): [string, RequestInit] {
  const text = (schema: Schema): string => {
    const value = random() < 0.6 ? madeFor(schema, random) : anything(random);
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  };
  const part = (schema: Schema): string => encodeURIComponent(text(schema).slice(0, 600)) || 'x';
  const query = new URLSearchParams();
  let url = path;
  for (const { name, in: where, required, schema } of operation.parameters ?? []) {
    if (where === 'path') url = url.replace(`{${name}}`, part(schema));
    else if (where === 'query' && (required === true || random() < 0.3)) query.append(name, text(schema));
  }
  if (random() < 0.1) query.append(pick(random, NASTY), 'x');
  const address = query.size > 0 ? `${url}?${query}` : url;
  const contents = Object.entries(operation.requestBody?.content ?? {});
  if (contents.length === 0) return [address, { method }];
  const [type, { schema }] = pick(random, contents);
  const headers = { 'content-type': random() < 0.05 ? 'text/plain' : type.replace('*', 'jpeg') };
  if (type === 'multipart/form-data' && random() < 0.9) return [address, { method, body: formBody(schema, random) }];
  if (type !== 'application/json') {
    return [address, { method, headers, body: new Uint8Array(pick(random, pictures)) }];
  }
  const fitting = madeFor(schema, random);
  const json = JSON.stringify(random() < 0.5 ? fitting : spoil(fitting, random)) ?? 'null';
  return [address, { method, headers, body: random() < 0.05 ? json.slice(0, -1) : json }];
}

describe('every operation', () => {
  it(`answers whatever comes (seed ${SEED})`, async () => {
    const random = generator(SEED);
    const faults: string[] = [];
    const statuses = new Map<string, Set<number>>();
    const began = Date.now();
    let sent = 0;
    for (let round = 0; round < MOST_ROUNDS && (round < 2 || Date.now() - began < BUDGET_MS); round++) {
      for (const one of operations) {
        const [address, init] = requestOf(one, random);
        const { operationId, responses } = one.operation;
        const body = typeof init.body === 'string' ? init.body : (init.body?.constructor.name ?? '');
        const said = `${init.method} ${address} ${body}`.slice(0, 500);
        sent++;
        try {
          const answer = await service.fetch(address, { ...init, signal: AbortSignal.timeout(HANG_MS) });
          const text = await answer.text();
          const { status } = answer;
          statuses.set(operationId, (statuses.get(operationId) ?? new Set()).add(status));
          if (status >= 500 && !EXCUSED.includes(status)) faults.push(`${status} ${said}: ${text.slice(0, 300)}`);
          if (status < 400 && responses[status] === undefined) faults.push(`undocumented ${status} ${said}`);
          if (status >= 400 && operationId !== 'ready') {
            const type = answer.headers.get('content-type');
            const { code } = JSON.parse(text) as { code?: unknown };
            if (type !== 'application/problem+json' || typeof code !== 'string')
              faults.push(`no problem: ${status} ${said}`);
          }
          if (answer.headers.has('x-injected')) faults.push(`header injected: ${said}`);
          if (/root:x:0|\/work\/|node_modules/.test(text)) faults.push(`leaks: ${said}: ${text.slice(0, 300)}`);
        } catch (error) {
          faults.push(`${(error as Error).name} ${(error as Error).message} ${said}`);
        }
      }
    }
    const stacks = service.log.filter((line) => line.includes('"stack"')).map((line) => line.slice(0, 900));
    expect(faults, `${stacks.join('\n')}\n${sent} requests`).toEqual([]);
    // It reached what lies behind the checks, not only the checks.
    const reached = [...statuses].filter(([, found]) => [...found].some((status) => status < 300));
    expect(reached.length).toBeGreaterThan(operations.length / 3);
    expect(statuses.size).toBe(operations.length);
  }, 240_000);

  it('is served as before', async () => {
    expect((await service.fetch('/health', { key: null })).status).toBe(200);
    const form = new FormData();
    form.append('image', new Blob([readFileSync('node_modules/@vladmandic/face-api/demo/sample1.jpg')]), 'a.jpg');
    const answer = await service.fetch('/api/v1/detect', { method: 'POST', body: form });
    expect(answer.status).toBe(200);
    expect(((await answer.json()) as { faces: unknown[] }).faces.length).toBeGreaterThan(0);
    expect((await service.call('GET', '/api/v1/audit/check')).body).toMatchObject({ ok: true });
  });
});
