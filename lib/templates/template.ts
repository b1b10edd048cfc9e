import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import type { Embedding } from '../types.js';

/** What is known of how a sample was taken. Nothing here takes part in a comparison. */
export interface CaptureInfo {
  /** When the picture was taken, ms since the epoch, UTC. */
  readonly capturedAt?: number;
  /** Camera, ≤ 255 bytes of UTF-8. */
  readonly device?: string;
  /** Where the picture came from (a file's name, a stream), ≤ 255 bytes of UTF-8. */
  readonly source?: string;
  /** The face box in pixels. */
  readonly faceWidth?: number;
  readonly faceHeight?: number;
  /** Head orientation in degrees, signs as in `Pose`. */
  readonly yaw?: number;
  readonly pitch?: number;
  readonly roll?: number;
  /** Whatever an application wants to keep with it, ≤ 65 535 bytes of UTF-8; often JSON. */
  readonly extension?: string;
}

/** Which revocable transform a template went through. */
export interface TemplateProtection {
  /** Name and version of the transform. */
  readonly scheme: string;
  /** Id of the key, never the key. */
  readonly keyId: string;
}

/** A part of a binary template that this version does not know; kept, so that a later version finds it again. */
export interface TemplateExtension {
  /** 128–65 535 for applications; 8–127 are the library's own, of a later version. */
  readonly type: number;
  readonly data: Uint8Array;
}

/**
 * A person's biometric reference: a point on the unit sphere and what must be known to use, age and delete it. Personal data:
 * seal it at rest (`TemplateCipher`), and protect it (`protectTemplate`) where it must be revocable.
 */
export interface Template {
  /** The recogniser (or fusion) that made it: `Embedding.model`. Only templates of one model can be compared. */
  readonly model: string;
  /** SHA-256 over the networks behind the model, 64 lower-case hexadecimal digits; absent where not known. */
  readonly modelHash?: string;
  /** Length of `vector`, 2 to 4096. */
  readonly dims: number;
  /** `dims` numbers, Euclidean length 1. */
  readonly vector: Float32Array;
  /** Quality of what it was made from, 0–100; absent where not measured. */
  readonly quality?: number;
  /** How many samples were averaged. */
  readonly samples: number;
  /** ms since the epoch, UTC. */
  readonly createdAt: number;
  /** ms since the epoch, UTC; absent: does not expire. */
  readonly expiresAt?: number;
  /** Reference to a record of consent, ≤ 255 bytes of UTF-8. */
  readonly consent?: string;
  readonly capture?: CaptureInfo;
  /** The revocable transform that `vector` went through; absent: none. */
  readonly protection?: TemplateProtection;
  /** Parts of a newer minor version, in order of their type; absent: none. */
  readonly extensions?: readonly TemplateExtension[];
}

/** Bounds that hold for every template, in memory, in binary form and in JSON. */
export const TEMPLATE_LIMITS = {
  minDims: 2,
  maxDims: 4096,
  /** Bytes of UTF-8 in model, consent, device, source, scheme and key id. */
  maxText: 255,
  /** Bytes of UTF-8 in `capture.extension`, and bytes in one extension. */
  maxExtension: 65_535,
  maxExtensions: 64,
  maxSamples: 0xffff_ffff,
  /** How far the length of a vector may be from 1: half precision of 4096 numbers stays within. */
  unitTolerance: 1e-3,
} as const;

export interface ValidateOptions {
  /** Refuse a template of another model. */
  readonly model?: string;
  /** Refuse a template of another length. */
  readonly dims?: number;
  /** The time that expiry is judged by, ms since the epoch; default: now. */
  readonly now?: number;
}

const bad = (what: string): LineamentError => new LineamentError('TEMPLATE_INVALID', what);

/** A time that a `Date` can hold. */
const isTime = (v: unknown): v is number => typeof v === 'number' && Number.isInteger(v) && v >= 0 && v <= 8.64e15;

function text(name: string, value: unknown, max: number, min = 1): void {
  if (typeof value !== 'string') throw bad(`${name} is not text`);
  const bytes = Buffer.byteLength(value);
  if (bytes < min || bytes > max) throw bad(`${name} has ${bytes} bytes; ${min} to ${max} are allowed`);
  // An unpaired surrogate would come back as U+FFFD.
  if (/\p{Surrogate}/u.test(value)) throw bad(`${name} is not well-formed Unicode`);
}

/** Throws `TEMPLATE_INVALID` unless the value has the form of a template; says nothing of its age. */
export function checkTemplate(value: unknown): Template {
  const t = value as Template | null;
  if (typeof t !== 'object' || t === null) throw invalid('template', 'template', value);
  text('model', t.model, TEMPLATE_LIMITS.maxText);
  if (t.modelHash !== undefined && !(typeof t.modelHash === 'string' && /^[0-9a-f]{64}$/.test(t.modelHash))) {
    throw bad('modelHash is not 64 lower-case hexadecimal digits');
  }
  checkVector(t.dims, t.vector);
  if (t.quality !== undefined && !(typeof t.quality === 'number' && t.quality >= 0 && t.quality <= 100)) {
    throw bad('quality is not a number from 0 to 100');
  }
  if (!Number.isInteger(t.samples) || t.samples < 1 || t.samples > TEMPLATE_LIMITS.maxSamples) {
    throw bad('samples is not a positive integer');
  }
  if (!isTime(t.createdAt)) throw bad('createdAt is not a time in ms since the epoch');
  if (t.expiresAt !== undefined) {
    if (!isTime(t.expiresAt)) throw bad('expiresAt is not a time in ms since the epoch');
    if (t.expiresAt <= t.createdAt) throw bad('it expires before it is created');
  }
  if (t.consent !== undefined) text('consent', t.consent, TEMPLATE_LIMITS.maxText);
  if (t.capture !== undefined) checkCapture(t.capture);
  if (t.protection !== undefined) {
    if (typeof t.protection !== 'object' || t.protection === null) throw bad('protection is not an object');
    text('protection.scheme', t.protection.scheme, TEMPLATE_LIMITS.maxText);
    text('protection.keyId', t.protection.keyId, TEMPLATE_LIMITS.maxText);
  }
  if (t.extensions !== undefined) checkExtensions(t.extensions);
  return t;
}

function checkVector(dims: number, vector: Float32Array): void {
  const { minDims, maxDims, unitTolerance } = TEMPLATE_LIMITS;
  if (!Number.isInteger(dims) || dims < minDims || dims > maxDims) {
    throw bad(`dims is not an integer from ${minDims} to ${maxDims}`);
  }
  if (!(vector instanceof Float32Array)) throw bad('vector is not a Float32Array');
  if (vector.length !== dims) throw bad(`vector has ${vector.length} numbers where dims says ${dims}`);
  let sum = 0;
  for (let i = 0; i < dims; i++) sum += vector[i]! * vector[i]!;
  // NaN and infinity fail here too: their sum is no number near 1.
  const length = Math.sqrt(sum);
  if (!(Math.abs(length - 1) <= unitTolerance)) {
    throw bad(Number.isFinite(sum) ? `vector has length ${length.toPrecision(6)}, not 1` : 'vector is not finite');
  }
}

function checkCapture(capture: CaptureInfo): void {
  if (typeof capture !== 'object' || capture === null) throw bad('capture is not an object');
  const { capturedAt, device, source, extension } = capture;
  if (capturedAt !== undefined && !isTime(capturedAt)) throw bad('capture.capturedAt is not a time');
  if (device !== undefined) text('capture.device', device, TEMPLATE_LIMITS.maxText);
  if (source !== undefined) text('capture.source', source, TEMPLATE_LIMITS.maxText);
  if (extension !== undefined) text('capture.extension', extension, TEMPLATE_LIMITS.maxExtension);
  for (const name of CAPTURE_NUMBERS) {
    const value = capture[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw bad(`capture.${name} is not a number`);
    if (name.startsWith('face') && value < 0) throw bad(`capture.${name} is negative`);
  }
}

/** The numbers of a capture in the order of the binary form. */
export const CAPTURE_NUMBERS = ['faceWidth', 'faceHeight', 'yaw', 'pitch', 'roll'] as const;

function checkExtensions(extensions: readonly TemplateExtension[]): void {
  if (!Array.isArray(extensions)) throw bad('extensions is not an array');
  const { maxExtensions, maxExtension } = TEMPLATE_LIMITS;
  if (extensions.length > maxExtensions) throw bad(`more than ${maxExtensions} extensions`);
  let before = FIRST_EXTENSION - 1;
  for (const part of extensions as readonly (TemplateExtension | null)[]) {
    if (part === null || typeof part !== 'object') throw bad('an extension is not an object');
    const { type, data } = part;
    if (!Number.isInteger(type) || type <= before || type > 0xffff)
      throw bad('extensions are not in order of their type');
    if (!(data instanceof Uint8Array) || data.length > maxExtension)
      throw bad(`extension ${type} is not up to 64 KiB of bytes`);
    before = type;
  }
}

/** The first section type that this version does not know; applications begin at 128. */
export const FIRST_EXTENSION = 8;

/**
 * Checks a template before it is used and gives it back. Throws `TEMPLATE_INVALID` when its form is wrong (length of the
 * vector, numbers that are not finite, dims, times), `TEMPLATE_EXPIRED` when `now` has reached `expiresAt`, and
 * `EMBEDDING_MISMATCH` when another model or length was asked for. A `createdAt` in the future is no error: clocks are set
 * back. Pure.
 */
export function validateTemplate(template: Template, options: ValidateOptions = {}): Template {
  const t = checkTemplate(template);
  if (
    (options.model !== undefined && t.model !== options.model) ||
    (options.dims !== undefined && t.dims !== options.dims)
  ) {
    throw new LineamentError(
      'EMBEDDING_MISMATCH',
      `the template is of '${t.model}' (${t.dims}), asked for was ${options.model === undefined ? 'any model' : `'${options.model}'`} (${options.dims ?? 'any length'})`,
      { fix: 'Enrol the person again with this model.' },
    );
  }
  if (isExpired(t, options.now)) {
    throw new LineamentError('TEMPLATE_EXPIRED', `at ${new Date(t.expiresAt ?? 0).toISOString()}`, {
      fix: 'Enrol the person again, or delete the template.',
    });
  }
  return t;
}

/** Whether `now` (ms since the epoch, default: the clock) has reached the template's `expiresAt`. */
export function isExpired(template: Pick<Template, 'expiresAt'>, now: number = Date.now()): boolean {
  return template.expiresAt !== undefined && now >= template.expiresAt;
}

/**
 * The name under which vectors may be compared: the model, and for a protected template also scheme and key, so that a store
 * that pins `Embedding.model` never mixes keys.
 */
export function comparableModel(template: Pick<Template, 'model' | 'protection'>): string {
  const { model, protection } = template;
  return protection === undefined ? model : `${model}#${protection.scheme}:${protection.keyId}`;
}

/** The template as an embedding, for `similarity`, `rank` and the index; its `model` is {@link comparableModel}. No copy. */
export function templateEmbedding(template: Template): Embedding {
  return { model: comparableModel(template), dims: template.dims, vector: template.vector };
}
