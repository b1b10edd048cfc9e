import { oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { CAPTURE_NUMBERS, type CaptureInfo, checkTemplate, TEMPLATE_LIMITS, type Template } from './template.js';

const FORMAT = 'lineament-template';
const VERSION = 1;

/** A template as plain data for JSON. `format` and `version` come first, so that a reader knows what it has. */
export interface TemplateJSON {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly model: string;
  readonly modelHash?: string;
  readonly dims: number;
  /** Base64 of little-endian float32, or the numbers themselves. */
  readonly vector: string | readonly number[];
  readonly quality?: number;
  readonly samples: number;
  readonly createdAt: number;
  readonly expiresAt?: number;
  readonly consent?: string;
  readonly capture?: CaptureInfo;
  readonly protection?: { readonly scheme: string; readonly keyId: string };
  readonly extensions?: readonly { readonly type: number; readonly data: string }[];
}

export interface TemplateJSONOptions {
  /** Default `base64`: exact to the bit and a third of the size. `numbers` are for readers without a decoder, and exact too. */
  readonly vector?: 'base64' | 'numbers';
}

const NAMES = [
  'format',
  'version',
  'model',
  'modelHash',
  'dims',
  'vector',
  'quality',
  'samples',
  'createdAt',
  'expiresAt',
  'consent',
  'capture',
  'protection',
  'extensions',
] as const satisfies readonly (keyof TemplateJSON)[];
const CAPTURE_NAMES = [
  'capturedAt',
  'device',
  'source',
  ...CAPTURE_NUMBERS,
  'extension',
] as const satisfies readonly (keyof CaptureInfo)[];

const bad = (what: string, fix?: string): LineamentError =>
  new LineamentError('TEMPLATE_INVALID', what, fix === undefined ? {} : { fix });

/** Only the names that are known and have a value, in their order. */
function pick<T extends object>(from: T, names: readonly (keyof T)[]): Partial<T> {
  const picked: Partial<T> = {};
  for (const name of names) if (from[name] !== undefined) picked[name] = from[name];
  return picked;
}

/** The template as plain data; `JSON.stringify` it. Throws `TEMPLATE_INVALID`. Pure. */
export function templateToJSON(template: Template, options: TemplateJSONOptions = {}): TemplateJSON {
  const t = checkTemplate(template);
  plainObject('options', options, ['vector']);
  const numbers = oneOf('vector', options.vector ?? 'base64', ['base64', 'numbers']) === 'numbers';
  const { vector, extensions, capture, protection, ...plain } = t;
  return pick<TemplateJSON>(
    {
      format: FORMAT,
      version: VERSION,
      ...plain,
      vector: numbers ? Array.from(vector) : toBase64(vector),
      ...(capture === undefined ? {} : { capture: pick<CaptureInfo>(capture, CAPTURE_NAMES) }),
      ...(protection === undefined ? {} : { protection: { scheme: protection.scheme, keyId: protection.keyId } }),
      ...(extensions === undefined
        ? {}
        : { extensions: extensions.map(({ type, data }) => ({ type, data: Buffer.from(data).toString('base64') })) }),
    },
    NAMES,
  ) as TemplateJSON;
}

function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(4 * vector.length);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i]!, 4 * i);
  return bytes.toString('base64');
}

/**
 * Reads what {@link templateToJSON} made, as text or already parsed. Strict: names that are not known, wrong types, a newer
 * version and everything that a template must not be throw `TEMPLATE_INVALID`. Pure.
 */
export function templateFromJSON(json: unknown): Template {
  const data = record('template', typeof json === 'string' ? parse(json) : json, undefined);
  if (data['format'] !== FORMAT) throw bad(`format is not '${FORMAT}'`);
  if (data['version'] !== VERSION) {
    throw bad(`version ${String(data['version'])}; this version of lineament reads ${VERSION}`, 'Update lineament.');
  }
  record('template', data, NAMES);
  const { format, version, vector, capture, protection, extensions, ...plain } = data;
  return checkTemplate({
    ...plain,
    vector: readVector(vector, data['dims']),
    ...(capture === undefined ? {} : { capture: { ...record('capture', capture, CAPTURE_NAMES) } }),
    ...(protection === undefined ? {} : { protection: { ...record('protection', protection, ['scheme', 'keyId']) } }),
    ...(extensions === undefined ? {} : { extensions: readExtensions(extensions) }),
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    throw new LineamentError('TEMPLATE_INVALID', 'not JSON', { cause });
  }
}

function record(name: string, value: unknown, known: readonly string[] | undefined): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw bad(`${name} is not an object`);
  if (known !== undefined) {
    for (const key of Object.keys(value)) {
      if (!known.includes(key)) throw bad(`${name} has '${key.slice(0, 60)}', which is not known`);
      if ((value as Record<string, unknown>)[key] === undefined) throw bad(`${name}.${key} is undefined`);
    }
  }
  return value as Record<string, unknown>;
}

function bytesOf(name: string, value: unknown): Buffer {
  // Node skips what is not base64; here it is damage.
  if (typeof value !== 'string' || value.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(value)) {
    throw bad(`${name} is not base64`);
  }
  return Buffer.from(value, 'base64');
}

function readVector(value: unknown, dims: unknown): Float32Array {
  if (Array.isArray(value)) {
    if (value.length > TEMPLATE_LIMITS.maxDims) throw bad('vector is too long');
    if (!value.every((v) => typeof v === 'number')) throw bad('vector has something that is not a number');
    return Float32Array.from(value as number[]);
  }
  const bytes = bytesOf('vector', value);
  if (typeof dims !== 'number' || bytes.length !== 4 * dims)
    throw bad(`vector has ${bytes.length} bytes, dims is ${String(dims)}`);
  return Float32Array.from({ length: dims }, (_, i) => bytes.readFloatLE(4 * i));
}

function readExtensions(value: unknown): { type: number; data: Uint8Array }[] {
  if (!Array.isArray(value)) throw bad('extensions is not an array');
  return value.map((item: unknown) => {
    const { type, data } = record('extension', item, ['type', 'data']);
    return { type: type as number, data: Uint8Array.from(bytesOf('extension.data', data)) };
  });
}
