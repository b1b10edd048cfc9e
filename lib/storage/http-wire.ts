/**
 * The wire format of the storage service, version 1: JSON in UTF-8 over HTTP; binary values are base64. SERVICE.md beside this file
 * describes it request by request.
 */
import { ERRORS, type ErrorCode, LineamentError } from '../errors.js';
import type { StorageModel, TemplateMatch } from './types.js';

export const WIRE_VERSION = 1;
/** What `GET /v1` says that it is. */
export const SERVICE_NAME = 'lineament-storage';
export const IDEMPOTENCY_HEADER = 'idempotency-key';
export const REQUEST_ID_HEADER = 'x-request-id';

export interface WireService {
  readonly service: typeof SERVICE_NAME;
  readonly version: typeof WIRE_VERSION;
  readonly model: StorageModel;
  readonly matching: 'exact' | 'approximate';
}

/** The operations: each is `POST /v1/<operation>`. */
export const OPERATIONS = ['store', 'get', 'delete', 'delete-expired', 'list', 'count', 'match'] as const;
export type StorageOperation = (typeof OPERATIONS)[number];

/** Answer: {@link StoreResult}. */
export interface WireStore {
  readonly collection?: string;
  readonly replace?: boolean;
  /** `template`: base64 of the binary template. */
  readonly templates: readonly { readonly id: string; readonly template: string }[];
}

/** Answer: {@link WireTemplate}, or 404 with `NOT_FOUND`. */
export interface WireGet {
  readonly collection?: string;
  readonly id: string;
}

export interface WireTemplate {
  readonly id: string;
  readonly collection: string;
  readonly storedAt: number;
  readonly template: string;
}

/** Answer: {@link WireDeleted}. */
export interface WireDelete {
  readonly collection?: string;
  readonly ids: readonly string[];
}

/** Of `delete-expired` and `count`; absent: all collections. Answers: {@link WireDeleted}, {@link WireCount}. */
export interface WireScope {
  readonly collection?: string;
}

export interface WireDeleted {
  readonly deleted: number;
}

export interface WireCount {
  readonly count: number;
}

/** Answer: `TemplatePage`. */
export interface WireList {
  readonly collection?: string;
  readonly after?: string;
  readonly limit?: number;
}

export interface WireProbe {
  /** Base64 of 32-bit floats, little-endian. */
  readonly vector: string;
  readonly protection?: { readonly scheme: string; readonly keyId: string };
}

/** Answer: {@link WireMatches}. */
export interface WireMatch {
  readonly model: string;
  readonly modelHash?: string;
  readonly probes: readonly WireProbe[];
  readonly k?: number;
  readonly threshold?: number;
  readonly collections?: readonly string[];
}

export interface WireMatches {
  readonly matches: readonly (readonly TemplateMatch[])[];
}

export interface WireError {
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly fix?: string };
}

/** 32-bit floats to base64 of their little-endian bytes. */
export function floatsToBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (let i = 0; i < vector.length; i++) bytes.writeFloatLE(vector[i]!, 4 * i);
  return bytes.toString('base64');
}

/** `INVALID_ARGUMENT` where the text is not base64 of whole floats. */
export function floatsFromBase64(name: string, text: unknown): Float32Array {
  const bytes = bytesFromBase64(name, text);
  if (bytes.length % 4 !== 0) throw new LineamentError('INVALID_ARGUMENT', `${name} is not whole 32-bit floats`);
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}

/** `INVALID_ARGUMENT` where the text is not base64: Node itself passes over what it does not know. */
export function bytesFromBase64(name: string, text: unknown): Buffer {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'base64') : undefined;
  if (bytes === undefined || bytes.toString('base64') !== text) {
    throw new LineamentError('INVALID_ARGUMENT', `${name} is not base64`);
  }
  return bytes;
}

/** What a caller may know of an error: no paths and nothing of the inside where the fault is the server's. */
export function errorToWire(error: LineamentError): WireError {
  const { code, message, fix } = error.toJSON();
  const inside = error.status === 500 || error.status === 507;
  if (inside) return { error: { code, message: ERRORS[code].message } };
  return { error: { code, message, ...(fix === undefined ? {} : { fix }) } };
}

/** The error that a server told of; absent where the body tells of none. */
export function errorFromWire(body: unknown, origin: string): LineamentError | undefined {
  const { code, message, fix } = (body as WireError | undefined)?.error ?? {};
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) return undefined;
  const form = ERRORS[code].message;
  let detail = typeof message === 'string' ? message : '';
  if (detail.startsWith(form)) detail = detail.slice(form.length).replace(/^: /, '');
  if (typeof fix === 'string' && detail.endsWith(fix)) detail = detail.slice(0, -fix.length).trimEnd();
  const said = detail === '' ? `said by ${origin}` : `${detail.replace(/\.$/, '')} (said by ${origin})`;
  // Closed is the server's storage, not the caller's.
  return new LineamentError(
    code === 'CLOSED' ? 'STORE_UNAVAILABLE' : code,
    said,
    typeof fix === 'string' ? { fix } : {},
  );
}
