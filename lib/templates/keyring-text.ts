import { invalid } from '../errors/validate.js';
import { LineamentError } from '../errors.js';
import { KEY_BYTES } from './key-wrap.js';

/** Keys as read from their source. Whoever takes them overwrites the bytes. */
export interface KeyText {
  readonly active: string;
  readonly keys: ReadonlyMap<string, Buffer>;
}

const FORMAT = 'lineament-keyring';
const EXAMPLE = 'Make one with createKeyringFile.';

/** Never shows what was read: it may be a key. */
const bad = (where: string, what: string, fix: string): LineamentError =>
  new LineamentError('KEY_NOT_FOUND', `${where}: ${what}`, { fix });

/** Whether an id can be told from its neighbours in a list or a message: 1 to 255 printable ASCII characters, no space. */
export const isKeyId = (id: unknown): id is string => typeof id === 'string' && /^[\x21-\x7e]{1,255}$/.test(id);

/** Refuses any other id (`INVALID_ARGUMENT`). */
export function checkKeyId(name: string, id: unknown): string {
  if (!isKeyId(id)) throw invalid(name, '1 to 255 printable ASCII characters without spaces', id);
  return id;
}

/** The same for an id that was read from a source. */
function readKeyId(where: string, id: string): string {
  if (!isKeyId(id)) throw bad(where, 'a key id is not 1 to 255 printable ASCII characters', 'Rename the key.');
  return id;
}

function keyBytes(where: string, id: string, text: unknown): Buffer {
  const bytes =
    typeof text === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) ? Buffer.from(text, 'base64') : Buffer.alloc(0);
  if (bytes.length !== KEY_BYTES) {
    throw bad(where, `key '${id}' is not ${KEY_BYTES} bytes in base64`, 'Make one with: openssl rand -base64 32');
  }
  return bytes;
}

/** The content of a keyring file: `{"format":"lineament-keyring","version":1,"active":ID,"keys":{ID:BASE64}}`. */
export function parseKeyring(text: string, where: string): KeyText {
  let data: { format?: unknown; version?: unknown; active?: unknown; keys?: unknown } | null;
  try {
    data = JSON.parse(text);
  } catch {
    // The parser's complaint quotes the text.
    throw bad(where, 'not JSON', EXAMPLE);
  }
  if (data?.format !== FORMAT) throw bad(where, `format is not '${FORMAT}'`, EXAMPLE);
  if (data.version !== 1) throw bad(where, 'a version that this lineament does not read', 'Update lineament.');
  if (typeof data.keys !== 'object' || data.keys === null || Array.isArray(data.keys)) {
    throw bad(where, 'keys is not an object', EXAMPLE);
  }
  const keys = new Map(
    Object.entries(data.keys).map(([id, value]) => [readKeyId(where, id), keyBytes(where, id, value)]),
  );
  if (typeof data.active !== 'string' || !keys.has(data.active)) {
    throw bad(where, 'the active key is not among the keys', "Set 'active' to one of their ids.");
  }
  return { active: data.active, keys };
}

/** The other way round. */
export function formatKeyring({ active, keys }: KeyText): string {
  const entries = Object.fromEntries([...keys].map(([id, bytes]) => [id, bytes.toString('base64')]));
  return `${JSON.stringify({ format: FORMAT, version: 1, active, keys: entries }, null, 2)}\n`;
}

/** Keys in an environment variable: `id:base64`, apart by spaces or commas, the first one active. */
export function parseKeyList(text: string | undefined, name: string): KeyText {
  const where = `environment variable ${name}`;
  const fix = 'Set it to id:base64, 32 bytes; several apart by spaces, the active one first.';
  const items = (text ?? '').split(/[\s,]+/).filter((item) => item.length > 0);
  if (items.length === 0) throw bad(where, 'not set', fix);
  const keys = new Map<string, Buffer>();
  for (const item of items) {
    const colon = item.lastIndexOf(':');
    if (colon < 1) throw bad(where, 'an item is not id:base64', fix);
    const id = readKeyId(where, item.slice(0, colon));
    if (keys.has(id)) throw bad(where, `key '${id}' comes twice`, fix);
    keys.set(id, keyBytes(where, id, item.slice(colon + 1)));
  }
  return { active: [...keys.keys()][0]!, keys };
}
