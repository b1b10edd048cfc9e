import { open, readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LineamentError } from '../errors.js';
import { packageFolder, packageRoot, platformName } from '../native/package.js';
import { type ModelCard, parseCard } from './card.js';

const CHECKOUT_FIX = `Run 'npm run models' in ${packageRoot}`;
const INSTALL_FIX = "reinstall the package (or '@lineament/starter-pack')";
const FIX = `${CHECKOUT_FIX}, or ${INSTALL_FIX}.`;

/** A folder of ONNX files and the cards that say what they must be. Cheap: nothing is read until a model is asked for. */
export interface ModelPack {
  readonly folder: string;
  /** The card with this id. Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`. */
  card(id: string): Promise<ModelCard>;
  /**
   * The bytes of the model with this id, verified against the SHA-256 of its card (on a thread of its own: a few
   * milliseconds a model, so there is no way to switch it off). Rejects with `MODEL_NOT_FOUND`, `MODEL_CORRUPT`
   * (truncated), `MODEL_HASH_MISMATCH`.
   */
  read(id: string): Promise<Uint8Array<ArrayBuffer>>;
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (s) => s.isDirectory(),
    () => false,
  );

/**
 * Finds the starter pack. A folder that the caller or `LINEAMENT_MODELS` names is the only one; otherwise the package
 * `@lineament/starter-pack`, the platform package, and `models/pack` of this package, in this order.
 * Rejects with `MODEL_NOT_FOUND`.
 */
export async function openPack(named?: string): Promise<ModelPack> {
  const variable = process.env['LINEAMENT_MODELS'];
  const chosen = named ?? (variable ? variable : undefined);
  if (chosen !== undefined) {
    const folder = resolve(chosen);
    if (await isFolder(folder)) return packAt(folder);
    const from = named === undefined ? 'LINEAMENT_MODELS' : "the option 'models'";
    throw new LineamentError('MODEL_NOT_FOUND', `${folder}, named by ${from}, is not a folder`, {
      fix: `Name the folder that holds the .onnx files, or leave ${from} out.`,
    });
  }
  const tried: string[] = [];
  for (const name of ['@lineament/starter-pack', `@lineament/${platformName}`]) {
    const folder = packageFolder(name);
    if (folder === undefined) tried.push(`${name} (not installed)`);
    else if (await isFolder(join(folder, 'models'))) return packAt(join(folder, 'models'));
    else tried.push(join(folder, 'models'));
  }
  const own = join(packageRoot, 'models', 'pack');
  if (await isFolder(own)) return packAt(own);
  tried.push(own);
  throw new LineamentError('MODEL_NOT_FOUND', `there is no starter pack; tried ${tried.join(', ')}`, { fix: FIX });
}

function packAt(folder: string): ModelPack {
  const cards = new Map<string, Promise<ModelCard>>();
  const card = (id: string): Promise<ModelCard> => {
    const known = cards.get(id);
    if (known !== undefined) return known;
    const reading = readCard(id);
    cards.set(id, reading);
    // A failure is not remembered: the file may be put right while the program runs.
    reading.catch(() => cards.delete(id));
    return reading;
  };
  return { folder, card, read: async (id) => readVerified(folder, await card(id)) };
}

async function readCard(id: string): Promise<ModelCard> {
  if (!/^[\w.-]+$/.test(id)) throw new LineamentError('MODEL_NOT_FOUND', `'${id}' is not the id of a model`);
  const path = join(packageRoot, 'models', 'cards', `${id}.json`);
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LineamentError('MODEL_NOT_FOUND', `there is no card ${path}`, {
      cause,
      fix: `${INSTALL_FIX.replace('re', 'Re')}.`,
    });
  });
  const card = parseCard(text, path);
  if (card.id !== id) throw new LineamentError('MODEL_CORRUPT', `the card ${path} has the id '${card.id}'`);
  return card;
}

/** What a file of a pack must be. */
export type PackFile = Pick<ModelCard, 'file' | 'bytes' | 'sha256'>;

/** The bytes of a file of a pack, if they are the ones they must be; else as `ModelPack.read`, with `fix` for what to do. */
export async function readVerified(folder: string, expected: PackFile, fix = FIX): Promise<Uint8Array<ArrayBuffer>> {
  const path = join(folder, expected.file);
  const file = await open(path, 'r').catch((cause: unknown) => {
    throw new LineamentError('MODEL_NOT_FOUND', `${path} cannot be opened`, { cause, fix });
  });
  let data: Uint8Array<ArrayBuffer>;
  try {
    const { size } = await file.stat();
    if (size !== expected.bytes) {
      const what = size < expected.bytes ? 'it is truncated' : 'it is another file';
      const code = size < expected.bytes ? 'MODEL_CORRUPT' : 'MODEL_HASH_MISMATCH';
      throw new LineamentError(code, `${path} has ${size} bytes instead of ${expected.bytes}: ${what}`, {
        fix,
      });
    }
    data = new Uint8Array(expected.bytes);
    let at = 0;
    while (at < data.length) {
      const { bytesRead } = await file.read(data, at, data.length - at, at);
      if (bytesRead === 0) throw new LineamentError('MODEL_CORRUPT', `${path} is truncated`, { fix });
      at += bytesRead;
    }
  } finally {
    await file.close();
  }
  const digest = Buffer.from(await crypto.subtle.digest('SHA-256', data)).toString('hex');
  if (digest !== expected.sha256) {
    throw new LineamentError('MODEL_HASH_MISMATCH', `${path} has SHA-256 ${digest}, not ${expected.sha256}`, {
      fix: `${fix.replace(/\.$/, '')}; do not use the file if you do not know who changed it.`,
    });
  }
  return data;
}
