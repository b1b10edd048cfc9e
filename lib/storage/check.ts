import { abortSignal, boolean, invalid, numberIn, plainObject, positiveInteger } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { checkEmbedding } from '../recognition/compare.js';
import { normalise } from '../recognition/embed.js';
import type { Probe, StorageModel, TemplateRef } from './types.js';

/** Most templates in one request to store, most ids in one to delete. */
export const MAX_ITEMS = 5000;
/** Most probes in one request. */
export const MAX_PROBES = 1000;
/** Most matches for a probe, most entries on a page. */
export const MAX_RESULTS = 1000;
export const DEFAULT_COLLECTION = 'default';

function name(what: string, value: unknown, longest: number): string {
  // Lone surrogates have no UTF-8: two of them would become one name.
  if (
    typeof value !== 'string' ||
    value.length < 1 ||
    value.length > longest ||
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is refused.
    /[\u0000-\u001f\u007f]/.test(value) ||
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)
  ) {
    throw invalid(what, `string of 1 to ${longest} characters without control characters`, value);
  }
  return value;
}

export const templateId = (value: unknown, what = 'id'): string => name(what, value, 255);
export const collectionName = (value: unknown): string => name('options.collection', value, 128);
export const requestKey = (value: unknown): string => name('options.idempotencyKey', value, 255);

export function templateIds(value: unknown): string[] {
  if (!Array.isArray(value) || value.length < 1 || value.length > MAX_ITEMS) {
    throw invalid('ids', `array of 1 to ${MAX_ITEMS} ids`, value);
  }
  return [...new Set(value.map((id: unknown, i) => templateId(id, `ids[${i}]`)))];
}

const KNOWN = {
  store: ['collection', 'replace', 'idempotencyKey', 'signal'],
  collection: ['collection', 'signal'],
  list: ['collection', 'after', 'limit', 'signal'],
  match: ['k', 'threshold', 'collection', 'signal'],
} as const;

/** The options of a call, checked one by one where they are given. */
export function callOptions(
  kind: keyof typeof KNOWN,
  value: unknown,
): {
  collection?: string;
  collections?: string[];
  replace: boolean;
  idempotencyKey?: string;
  after?: TemplateRef;
  limit: number;
  k: number;
  threshold?: number;
  signal?: AbortSignal;
} {
  const given = value === undefined ? {} : plainObject('options', value, KNOWN[kind]);
  const { collection, replace, idempotencyKey, after, limit, k, threshold, signal } = given;
  const many = Array.isArray(collection);
  if (many && (kind !== 'match' || collection.length === 0 || collection.length > 100)) {
    throw invalid('options.collection', kind === 'match' ? 'name, or array of 1 to 100 names' : 'one name', collection);
  }
  return {
    ...(collection === undefined || many ? {} : { collection: collectionName(collection) }),
    ...(many ? { collections: [...new Set(collection.map(collectionName))] } : {}),
    replace: replace === undefined ? false : boolean('options.replace', replace),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey: requestKey(idempotencyKey) }),
    ...(after === undefined ? {} : { after: parseCursor(after) }),
    limit: limit === undefined ? 100 : positiveInteger('options.limit', limit, MAX_RESULTS),
    k: k === undefined ? 10 : positiveInteger('options.k', k, MAX_RESULTS),
    ...(threshold === undefined ? {} : { threshold: numberIn('options.threshold', threshold, -1, 1) }),
    ...(signal === undefined ? {} : { signal: abortSignal('options.signal', signal) }),
  };
}

/** A page's cursor: where the page before ended. */
export function cursorOf({ collection, id }: TemplateRef): string {
  return Buffer.from(JSON.stringify([collection, id])).toString('base64url');
}

function parseCursor(value: unknown): TemplateRef {
  try {
    const [collection, id] = JSON.parse(Buffer.from(String(value), 'base64url').toString()) as unknown[];
    return { collection: collectionName(collection), id: templateId(id) };
  } catch (cause) {
    throw new LineamentError('INVALID_ARGUMENT', "Expected the page before's next for options.after", { cause });
  }
}

/** Refuses a storage's model that is none. `longest`: what the backend can hold. */
export function storageModel(value: unknown, longest = 4096): StorageModel {
  const { model, dims, modelHash } = (value ?? {}) as Partial<StorageModel>;
  if (typeof model !== 'string' || model.length < 1 || model.length > 255) {
    throw invalid('options.model', 'name of 1 to 255 characters', model);
  }
  if (positiveInteger('options.dims', dims, longest) < 2) throw invalid('options.dims', 'integer of at least 2', dims);
  if (modelHash !== undefined && !/^[0-9a-f]{64}$/.test(modelHash)) {
    throw invalid('options.modelHash', 'SHA-256 as 64 hexadecimal digits', modelHash);
  }
  return { model, dims: dims!, ...(modelHash === undefined ? {} : { modelHash }) };
}

/** The model that the backend was made for and the one that it is opened for must be the same. */
export function checkPin(kept: StorageModel, asked: StorageModel, where: string): void {
  const hashes = kept.modelHash !== undefined && asked.modelHash !== undefined && kept.modelHash !== asked.modelHash;
  if (kept.model === asked.model && kept.dims === asked.dims && !hashes) return;
  const say = (m: StorageModel): string => `'${m.model}' (${m.dims}${hashes ? `, ${m.modelHash?.slice(0, 12)}…` : ''})`;
  throw new LineamentError('EMBEDDING_MISMATCH', `${where} holds ${say(kept)}, not ${say(asked)}`, {
    fix: 'Open another storage for another model.',
  });
}

/** Refuses a vector that the storage's vectors cannot be compared with. */
export function checkModel(what: string, value: unknown, model: StorageModel, where: string): Probe {
  const probe = checkEmbedding(what, value) as Probe;
  checkPin(model, probe, where);
  const { protection } = probe;
  if (protection !== undefined && (typeof protection?.scheme !== 'string' || typeof protection.keyId !== 'string')) {
    throw invalid(`${what}.protection`, 'scheme and keyId', protection);
  }
  let sum = 0;
  for (const x of probe.vector) sum += x * x;
  if (!(sum > 1e-12) || !Number.isFinite(sum)) throw invalid(`${what}.vector`, 'finite, non-zero vector', probe.vector);
  return probe;
}

/** A copy of the vector with length 1. */
export function unit(vector: Float32Array): Float32Array {
  const copy = Float32Array.from(vector);
  normalise(copy);
  return copy;
}
