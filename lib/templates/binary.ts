import { hash } from 'node:crypto';
import { endianness } from 'node:os';
import { invalid, oneOf, plainObject } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { fromHalf, toHalf } from './half.js';
import {
  CAPTURE_NUMBERS,
  type CaptureInfo,
  checkTemplate,
  FIRST_EXTENSION,
  TEMPLATE_LIMITS,
  type Template,
  type TemplateExtension,
} from './template.js';

/** The binary form of a template; FORMAT.md describes every byte. */
const MAGIC = 0x50544d4c; // 'LMTP', little-endian
const MAJOR = 1;
const MINOR = 0;
const HEADER = 80;
const CHECKSUM = 8;
const SECTION_HEAD = 8;
const CAPTURE_BYTES = 16 + 8 * CAPTURE_NUMBERS.length;

const HAS_QUALITY = 1;
const HAS_EXPIRY = 2;
const HAS_HASH = 4;
const KNOWN_FLAGS = HAS_QUALITY | HAS_EXPIRY | HAS_HASH;

const ENCODINGS = ['float32', 'float16'] as const;
/** How the numbers of a vector are written: `float32` exactly, `float16` in half the bytes, rounded. */
export type VectorEncoding = (typeof ENCODINGS)[number];

const SECTION = { model: 1, consent: 2, protection: 3, capture: 4, device: 5, source: 6, captureExtension: 7 } as const;
/** In a section's flags: a reader that does not know its type must refuse the template. */
const CRITICAL = 1;

const LITTLE = endianness() === 'LE';
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const bad = (what: string, fix?: string, cause?: unknown): LineamentError =>
  new LineamentError('TEMPLATE_INVALID', what, {
    ...(fix === undefined ? {} : { fix }),
    ...(cause === undefined ? {} : { cause }),
  });

export interface EncodeOptions {
  /** Default `float32`, which comes back bit for bit. */
  readonly vector?: VectorEncoding;
}

/**
 * Writes a template as bytes (FORMAT.md: little-endian, versioned, with a checksum); the same template always gives the same
 * bytes. Throws `TEMPLATE_INVALID` when the template is not one. Pure.
 */
export function encodeTemplate(template: Template, options: EncodeOptions = {}): Uint8Array {
  const t = checkTemplate(template);
  plainObject('options', options, ['vector']);
  const half = oneOf('vector', options.vector ?? 'float32', ENCODINGS) === 'float16';
  const sections = sectionsOf(t);
  const vectorBytes = t.dims * (half ? 2 : 4);
  const total =
    HEADER + vectorBytes + sections.reduce((sum, { data }) => sum + SECTION_HEAD + data.length, 0) + CHECKSUM;
  const bytes = new Uint8Array(total);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint8(4, MAJOR);
  view.setUint8(5, MINOR);
  const flags =
    (t.quality === undefined ? 0 : HAS_QUALITY) |
    (t.expiresAt === undefined ? 0 : HAS_EXPIRY) |
    (t.modelHash === undefined ? 0 : HAS_HASH);
  view.setUint16(6, flags, true);
  view.setUint32(8, total, true);
  view.setUint16(12, t.dims, true);
  view.setUint8(14, half ? 1 : 0);
  view.setUint32(16, t.samples, true);
  view.setBigUint64(24, BigInt(t.createdAt), true);
  view.setBigUint64(32, BigInt(t.expiresAt ?? 0), true);
  view.setFloat64(40, t.quality ?? 0, true);
  if (t.modelHash !== undefined) bytes.set(Buffer.from(t.modelHash, 'hex'), 48);
  writeVector(view, HEADER, t.vector, half);
  let at = HEADER + vectorBytes;
  for (const { type, critical, data } of sections) {
    view.setUint16(at, type, true);
    view.setUint16(at + 2, critical ? CRITICAL : 0, true);
    view.setUint32(at + 4, data.length, true);
    bytes.set(data, at + SECTION_HEAD);
    at += SECTION_HEAD + data.length;
  }
  bytes.set(checksum(bytes.subarray(0, at)), at);
  return bytes;
}

/** The first 8 bytes of SHA-256: any damage is missed with probability 2⁻⁶⁴. No secret takes part: it stops no forger. */
function checksum(bytes: Uint8Array): Uint8Array {
  return hash('sha256', bytes, 'buffer').subarray(0, CHECKSUM);
}

interface Section {
  readonly type: number;
  readonly critical: boolean;
  readonly data: Uint8Array;
}

function sectionsOf(t: Template): Section[] {
  const sections: Section[] = [];
  const add = (type: number, data: Uint8Array | string | undefined, critical = false): void => {
    if (data !== undefined)
      sections.push({ type, critical, data: typeof data === 'string' ? Buffer.from(data) : data });
  };
  add(SECTION.model, t.model, true);
  add(SECTION.consent, t.consent);
  if (t.protection !== undefined) {
    const scheme = Buffer.from(t.protection.scheme);
    // Critical: vectors that went through a transform must never pass for vectors that did not.
    add(SECTION.protection, Buffer.concat([Buffer.of(scheme.length), scheme, Buffer.from(t.protection.keyId)]), true);
  }
  if (t.capture !== undefined) {
    add(SECTION.capture, captureBytes(t.capture));
    add(SECTION.device, t.capture.device);
    add(SECTION.source, t.capture.source);
    add(SECTION.captureExtension, t.capture.extension);
  }
  for (const { type, data } of t.extensions ?? []) add(type, data);
  return sections;
}

function captureBytes(capture: CaptureInfo): Uint8Array {
  const view = new DataView(new ArrayBuffer(CAPTURE_BYTES));
  let present = 0;
  if (capture.capturedAt !== undefined) {
    present |= 1;
    view.setBigUint64(8, BigInt(capture.capturedAt), true);
  }
  CAPTURE_NUMBERS.forEach((name, i) => {
    const value = capture[name];
    if (value === undefined) return;
    present |= 2 << i;
    view.setFloat64(16 + 8 * i, value, true);
  });
  view.setUint32(0, present, true);
  return new Uint8Array(view.buffer);
}

function writeVector(view: DataView, at: number, vector: Float32Array, half: boolean): void {
  if (half) {
    for (let i = 0; i < vector.length; i++) view.setUint16(at + 2 * i, toHalf(vector[i]!), true);
  } else if (LITTLE) {
    new Uint8Array(view.buffer, view.byteOffset + at, 4 * vector.length).set(
      new Uint8Array(vector.buffer, vector.byteOffset, 4 * vector.length),
    );
  } else {
    for (let i = 0; i < vector.length; i++) view.setFloat32(at + 4 * i, vector[i]!, true);
  }
}

/**
 * Reads a template that {@link encodeTemplate} wrote. Parts of a newer minor version are kept in `extensions`; a newer major
 * version, damage, and anything else throw `TEMPLATE_INVALID`. The result shares no memory with `bytes`. Says nothing of age:
 * see `validateTemplate`. Pure.
 */
export function decodeTemplate(bytes: Uint8Array): Template {
  if (!(bytes instanceof Uint8Array)) throw invalid('bytes', 'Uint8Array', bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 8 || view.getUint32(0, true) !== MAGIC)
    throw bad('it does not begin with LMTP', 'Open sealed templates with their cipher first.');
  const major = view.getUint8(4);
  if (major !== MAJOR) {
    throw bad(
      `format version ${major}.${view.getUint8(5)}; this version of lineament reads ${MAJOR}.x`,
      major > MAJOR ? 'Update lineament.' : 'Export it again.',
    );
  }
  if (bytes.length < HEADER + CHECKSUM || view.getUint32(8, true) !== bytes.length) {
    throw bad(
      `it has ${bytes.length} bytes, not as many as its header says`,
      'Read it again: it was cut short, or runs into something else.',
    );
  }
  const end = bytes.length - CHECKSUM;
  if (Buffer.compare(checksum(bytes.subarray(0, end)), bytes.subarray(end)) !== 0) {
    throw bad('its checksum is wrong: it was damaged');
  }
  const flags = view.getUint16(6, true);
  if ((flags & ~KNOWN_FLAGS) !== 0) throw bad(`unknown flags ${flags.toString(2)}`, 'Update lineament.');
  const dims = view.getUint16(12, true);
  const encoding = view.getUint8(14);
  if (encoding >= ENCODINGS.length) throw bad(`unknown vector encoding ${encoding}`, 'Update lineament.');
  if (view.getUint8(15) !== 0 || view.getUint32(20, true) !== 0) throw bad('reserved bytes are not zero');
  const half = encoding === 1;
  const sectionsAt = HEADER + dims * (half ? 2 : 4);
  if (sectionsAt > end) throw bad(`${dims} numbers do not fit`);
  const parts = readSections(bytes, view, sectionsAt, end);
  return checkTemplate({
    ...parts.known,
    ...(flags & HAS_HASH ? { modelHash: hex(bytes.subarray(48, 80)) } : zero(bytes.subarray(48, 80), 'modelHash')),
    dims,
    vector: readVector(view, HEADER, dims, half),
    ...(flags & HAS_QUALITY ? { quality: view.getFloat64(40, true) } : zero(bytes.subarray(40, 48), 'quality')),
    samples: view.getUint32(16, true),
    createdAt: Number(view.getBigUint64(24, true)),
    ...(flags & HAS_EXPIRY
      ? { expiresAt: Number(view.getBigUint64(32, true)) }
      : zero(bytes.subarray(32, 40), 'expiresAt')),
    ...(parts.extensions.length > 0 ? { extensions: parts.extensions } : {}),
  });
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** Nothing, when the bytes of an absent field are zero: one template, one form. */
function zero(bytes: Uint8Array, name: string): object {
  if (bytes.some((b) => b !== 0)) throw bad(`${name} is marked absent but has a value`);
  return {};
}

function readVector(view: DataView, at: number, dims: number, half: boolean): Float32Array {
  const vector = new Float32Array(dims);
  if (half) {
    for (let i = 0; i < dims; i++) vector[i] = fromHalf(view.getUint16(at + 2 * i, true));
  } else if (LITTLE) {
    new Uint8Array(vector.buffer).set(new Uint8Array(view.buffer, view.byteOffset + at, 4 * dims));
  } else {
    for (let i = 0; i < dims; i++) vector[i] = view.getFloat32(at + 4 * i, true);
  }
  return vector;
}

interface Parts {
  readonly known: Partial<Template>;
  readonly extensions: TemplateExtension[];
}

function readSections(bytes: Uint8Array, view: DataView, start: number, end: number): Parts {
  const known: { -readonly [K in keyof Template]?: Template[K] } = {};
  let capture: CaptureInfo | undefined;
  const extensions: TemplateExtension[] = [];
  let before = 0;
  for (let at = start; at < end; ) {
    if (end - at < SECTION_HEAD) throw bad('a section is cut short');
    const type = view.getUint16(at, true);
    const flags = view.getUint16(at + 2, true);
    const length = view.getUint32(at + 4, true);
    at += SECTION_HEAD;
    if (length > end - at) throw bad(`section ${type} is cut short`);
    if (type <= before) throw bad('sections are not in order of their type');
    before = type;
    const data = bytes.subarray(at, at + length);
    at += length;
    if ((flags & ~CRITICAL) !== 0) throw bad(`section ${type} has unknown flags`, 'Update lineament.');
    const must = type === SECTION.model || type === SECTION.protection;
    if (type < FIRST_EXTENSION && must !== (flags === CRITICAL)) {
      throw bad(`section ${type} has wrong flags`);
    }
    if (type === SECTION.model) known.model = readText(data, 'model');
    else if (type === SECTION.consent) known.consent = readText(data, 'consent');
    else if (type === SECTION.protection) known.protection = readProtection(data);
    else if (type === SECTION.capture) capture = readCapture(data);
    else if (type === SECTION.device) capture = withText(capture, 'device', data);
    else if (type === SECTION.source) capture = withText(capture, 'source', data);
    else if (type === SECTION.captureExtension) capture = withText(capture, 'extension', data);
    else if (flags === CRITICAL) throw bad(`section ${type} is not known and must be`, 'Update lineament.');
    else extensions.push({ type, data: Uint8Array.from(data) });
    if (extensions.length > TEMPLATE_LIMITS.maxExtensions) throw bad('too many sections');
  }
  if (capture !== undefined) known.capture = capture;
  return { known, extensions };
}

function readText(data: Uint8Array, name: string): string {
  try {
    return utf8.decode(data);
  } catch (cause) {
    throw bad(`${name} is not UTF-8`, undefined, cause);
  }
}

function withText(
  capture: CaptureInfo | undefined,
  name: 'device' | 'source' | 'extension',
  data: Uint8Array,
): CaptureInfo {
  if (capture === undefined) throw bad(`${name} stands without a capture`);
  return { ...capture, [name]: readText(data, name) };
}

function readProtection(data: Uint8Array): { scheme: string; keyId: string } {
  const length = data[0] ?? 0;
  if (1 + length > data.length) throw bad('protection is cut short');
  return {
    scheme: readText(data.subarray(1, 1 + length), 'scheme'),
    keyId: readText(data.subarray(1 + length), 'keyId'),
  };
}

function readCapture(data: Uint8Array): CaptureInfo {
  if (data.length !== CAPTURE_BYTES) throw bad(`capture has ${data.length} bytes, not ${CAPTURE_BYTES}`);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const present = view.getUint32(0, true);
  if (present >>> (1 + CAPTURE_NUMBERS.length) !== 0 || view.getUint32(4, true) !== 0) {
    throw bad('capture has unknown flags', 'Update lineament.');
  }
  const capture: { -readonly [K in keyof CaptureInfo]: CaptureInfo[K] } = {};
  if (present & 1) capture.capturedAt = Number(view.getBigUint64(8, true));
  else zero(data.subarray(8, 16), 'capturedAt');
  CAPTURE_NUMBERS.forEach((name, i) => {
    if (present & (2 << i)) capture[name] = view.getFloat64(16 + 8 * i, true);
    else zero(data.subarray(16 + 8 * i, 24 + 8 * i), name);
  });
  return capture;
}
