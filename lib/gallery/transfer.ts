import { randomUUID } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { oneOf, plainObject } from '../errors/validate.js';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import type { SqlRow } from '../native/index.js';
import { decodeTemplate, encodeTemplate, type TemplateCipher } from '../templates/index.js';
import {
  collectionNamed,
  createCollection,
  findCollection,
  listCollections,
  type NewCollection,
} from './collections.js';
import { commitEntries, type Entry, prepareEntry } from './enrol.js';
import { optional, type Store } from './store.js';
import type { CallOptions, GalleryProgress, Json, NewSample } from './types.js';

export interface ExportOptions extends CallOptions {
  /** Only samples of this collection. */
  readonly collection?: string;
  /** Seals every line with this cipher; the gallery's own when absent. */
  readonly cipher?: TemplateCipher;
  /** Writes the templates of a sealed gallery in the open. */
  readonly plain?: boolean;
  /** A sample that cannot be read makes the export fail (`stop`, default), or is left out and counted in its last line (`skip`). */
  readonly onDamaged?: 'stop' | 'skip';
}

export interface ImportOptions extends CallOptions {
  /** Opens what was sealed; the gallery's own when absent. */
  readonly cipher?: TemplateCipher;
  /** What to do with persons who are there already: `refuse` (default) with `DUPLICATE_ID`, `add` the samples to them, or `skip` them. */
  readonly onExisting?: 'refuse' | 'add' | 'skip';
  readonly onProgress?: (progress: GalleryProgress) => void;
}

export interface ImportSummary {
  /** Persons who were not there before. */
  readonly created: number;
  readonly samples: number;
  /** Persons left out because they were there. */
  readonly skipped: number;
  /** Samples left out because their time was over. */
  readonly expired: number;
}

interface Head {
  readonly lineament: 'gallery';
  readonly version: 1;
  readonly export: string;
  readonly sealed: boolean;
  readonly createdAt: number;
}

interface PersonLine {
  readonly person: { readonly id: string; readonly name?: string; readonly metadata?: Json };
  readonly samples: readonly {
    readonly collection: string;
    readonly template: string;
    readonly source?: string;
    readonly image?: string;
    readonly thumbnail?: string;
  }[];
}

type Line =
  | { readonly collection: { readonly name: string } & NewCollection }
  | PersonLine
  | { readonly end: { readonly persons: number; readonly samples: number; readonly damaged: number } };

/** Binds a line to its export and its place there: none can be left out, doubled or moved unseen. */
const contextOf = (head: Head, line: number): string => `gallery export ${head.export} line ${line}`;

/** Lines of JSON, each with its line feed. A person is as it was when its line was written. */
export async function* exportLines(store: Store, options: ExportOptions): AsyncGenerator<string, void, undefined> {
  plainObject('options', options, ['collection', 'cipher', 'plain', 'onDamaged', 'signal']);
  const cipher = options.plain === true ? undefined : (options.cipher ?? store.sealer.cipher);
  const only = options.collection === undefined ? null : collectionNamed(store, options.collection).key;
  const head: Head = {
    lineament: 'gallery',
    version: 1,
    export: randomUUID(),
    sealed: cipher !== undefined,
    createdAt: store.now(),
  };
  let number = 0;
  const write = async (line: Line): Promise<string> => {
    number++;
    if (cipher === undefined) return `${JSON.stringify(line)}\n`;
    const sealed = await cipher.seal(Buffer.from(JSON.stringify(line)), contextOf(head, number));
    return `${JSON.stringify({ sealed: Buffer.from(sealed).toString('base64') })}\n`;
  };
  yield `${JSON.stringify(head)}\n`;
  for (const { name, model, dims, modelHash, settings } of await listCollections(store)) {
    if (options.collection !== undefined && name !== options.collection) continue;
    yield await write({ collection: { name, model, dims, settings, ...optional('modelHash', modelHash) } });
  }
  const skip = oneOf('onDamaged', options.onDamaged ?? 'stop', ['stop', 'skip']) === 'skip';
  const end = { persons: 0, samples: 0, damaged: 0 };
  for (let last = 0; ; ) {
    throwIfAborted(options.signal);
    const row = await store.row('SELECT key, id, name, metadata FROM persons WHERE key > ? ORDER BY key LIMIT 1', [
      last,
    ]);
    if (row === undefined) break;
    last = Number(row[0]);
    const samples = await samplesOf(store, last, only, skip ? () => end.damaged++ : undefined);
    if (only !== null && samples.length === 0) continue;
    const person = {
      id: String(row[1]),
      ...optional('name', row[2] as string | null),
      ...(row[3] === null ? {} : { metadata: JSON.parse(String(row[3])) as Json }),
    };
    end.persons++;
    end.samples += samples.length;
    yield await write({ person, samples });
  }
  yield await write({ end });
}

async function samplesOf(
  store: Store,
  person: number,
  only: number | null,
  onDamaged: (() => void) | undefined,
): Promise<PersonLine['samples']> {
  const rows = await store.rows(
    `SELECT s.key, s.id, s.collection, c.name, s.source, s.image, t.data, i.data FROM samples s
     JOIN collections c ON c.key = s.collection
     LEFT JOIN templates t ON t.sample = s.key LEFT JOIN thumbnails i ON i.sample = s.key
     WHERE s.person = ?1 AND (?2 IS NULL OR s.collection = ?2) ORDER BY s.key`,
    [person, only],
  );
  const samples: PersonLine['samples'][number][] = [];
  for (const row of rows) {
    try {
      samples.push(await sampleLine(store, person, row));
    } catch (error) {
      const { code } = wrapError(error);
      if (onDamaged === undefined || !['STORE_CORRUPT', 'KEY_MISMATCH', 'KEY_NOT_FOUND'].includes(code)) throw error;
      onDamaged();
    }
  }
  return samples;
}

async function sampleLine(store: Store, person: number, row: SqlRow): Promise<PersonLine['samples'][number]> {
  const [key, id, collection, name, source, image, data, picture] = row;
  const place = { row: Number(key), person, collection: Number(collection) };
  const template = await store.sealer.openTemplate(data, { kind: 'template', ...place }, `sample ${id}`);
  const thumbnail =
    picture === null
      ? undefined
      : await store.sealer.open(picture, { kind: 'thumbnail', ...place }, `the thumbnail of sample ${id}`);
  return {
    collection: String(name),
    template: base64(encodeTemplate(template)),
    ...optional('source', source as string | null),
    ...(image instanceof Uint8Array ? { image: Buffer.from(image).toString('hex') } : {}),
    ...(thumbnail === undefined ? {} : { thumbnail: base64(thumbnail) }),
  };
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** Persons of one transaction. */
const BATCH = 64;

/** Reads what `exportLines` wrote, in pieces of any size. Persons come in with their samples or not at all. */
export async function importLines(
  store: Store,
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
  options: ImportOptions,
): Promise<ImportSummary> {
  plainObject('options', options, ['cipher', 'onExisting', 'onProgress', 'signal']);
  const onExisting = oneOf('onExisting', options.onExisting ?? 'refuse', ['refuse', 'add', 'skip']);
  const summary = { created: 0, samples: 0, skipped: 0, expired: 0 };
  let head: Head | undefined;
  let number = 0;
  let ended = false;
  let batch: Entry[] = [];
  const flush = async (): Promise<void> => {
    const entries = batch;
    batch = [];
    if (entries.length === 0) return;
    for (const done of await store.gate.shared(() => commitEntries(store, entries, options.signal))) {
      summary.created += done.created ? 1 : 0;
      summary.samples += done.samples.length;
    }
    options.onProgress?.({ stage: 'import', done: summary.samples });
  };
  for await (const text of linesOf(pieces)) {
    throwIfAborted(options.signal);
    if (ended) throw broken(number + 1, 'it comes after the end');
    if (head === undefined) {
      head = readHead(text);
      continue;
    }
    const line = await readLine(head, ++number, text, options.cipher ?? store.sealer.cipher);
    if ('end' in line) {
      ended = true;
    } else if ('collection' in line) {
      await ensureCollection(store, line.collection);
    } else {
      const entries = await entriesOf(store, line, number, onExisting, summary);
      if (batch.length > 0 && batch.some(({ person }) => person.id === line.person.id)) await flush();
      batch.push(...entries);
      if (batch.length >= BATCH) await flush();
    }
  }
  await flush();
  if (!ended) throw broken(number + 1, 'the export was cut short: its end is missing');
  return summary;
}

async function ensureCollection(
  store: Store,
  { name, ...options }: { readonly name: string } & NewCollection,
): Promise<void> {
  const existing = findCollection(store, name);
  if (existing === undefined) {
    await store.gate.alone(() => createCollection(store, name, options));
    return;
  }
  const { model, dims, modelHash } = existing.space;
  if (model !== options.model || dims !== options.dims || modelHash !== (options.modelHash ?? '')) {
    throw new LineamentError('EMBEDDING_MISMATCH', `collection '${name}' is of another model here than in the export`);
  }
}

/** A person's samples, one entry for each collection; only the first one minds that the person is there. */
async function entriesOf(
  store: Store,
  { person, samples }: PersonLine,
  number: number,
  onExisting: 'refuse' | 'add' | 'skip',
  summary: { skipped: number; expired: number },
): Promise<Entry[]> {
  const there = (await store.row('SELECT 1 FROM persons WHERE id = ?', [person.id])) !== undefined;
  if (there && onExisting === 'skip') {
    summary.skipped++;
    return [];
  }
  const byCollection = new Map<string, NewSample[]>();
  for (const { collection, template, source, image, thumbnail } of samples) {
    let decoded: ReturnType<typeof decodeTemplate>;
    try {
      decoded = decodeTemplate(Buffer.from(template, 'base64'));
    } catch (error) {
      throw broken(number, wrapError(error).message);
    }
    if (decoded.expiresAt !== undefined && decoded.expiresAt <= store.now()) {
      summary.expired++;
      continue;
    }
    const own = byCollection.get(collection) ?? [];
    own.push({
      template: decoded,
      ...optional('source', source),
      ...optional('image', image),
      ...(thumbnail === undefined ? {} : { thumbnail: Buffer.from(thumbnail, 'base64') }),
    });
    byCollection.set(collection, own);
  }
  const entries: Entry[] = [];
  for (const [collection, own] of byCollection) {
    const refuse = onExisting === 'refuse' && entries.length === 0 && there;
    entries.push(await prepareEntry(store, person, own, { collection, onExisting: refuse ? 'refuse' : 'add' }));
  }
  return entries;
}

function readHead(text: string): Head {
  const head = parse(text, 0) as Head;
  if (head.lineament !== 'gallery') throw broken(0, 'this is no export of a gallery');
  if (head.version !== 1) throw new LineamentError('STORE_VERSION', `an export of version ${String(head.version)}`);
  return head;
}

async function readLine(head: Head, number: number, text: string, cipher: TemplateCipher | undefined): Promise<Line> {
  const line = parse(text, number) as Line | { readonly sealed: string };
  if (!head.sealed) return line as Line;
  if (cipher === undefined) {
    throw new LineamentError('KEY_NOT_FOUND', 'the export is sealed', { fix: 'Give the cipher it was sealed with.' });
  }
  if (!('sealed' in line)) throw broken(number, 'it is not sealed');
  const bytes = await cipher.open(Buffer.from(line.sealed, 'base64'), contextOf(head, number));
  return parse(Buffer.from(bytes).toString('utf8'), number) as Line;
}

function parse(text: string, number: number): object {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value;
  } catch {
    // Said below.
  }
  throw broken(number, 'it is no JSON object');
}

const broken = (number: number, what: string): LineamentError =>
  new LineamentError('TEMPLATE_INVALID', `line ${number + 1} of the export: ${what}`);

async function* linesOf(
  pieces: AsyncIterable<string | Uint8Array> | Iterable<string | Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  for await (const piece of pieces) {
    const lines = (rest + (typeof piece === 'string' ? piece : decoder.write(Buffer.from(piece)))).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim().length > 0) yield line;
  }
  rest += decoder.end();
  if (rest.trim().length > 0) yield rest;
}
