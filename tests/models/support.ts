import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { InferenceSession } from 'onnxruntime-node';
import { readCards } from '../../models/import/card.js';
import { type CheckedCard, openNetwork } from '../../models/import/check/ours.js';
import { networks } from '../../models/import/networks.js';
import { buildPack, modelsFolder, type Pack, readSourceTable } from '../../models/import/pack.js';

/** Folder that `npm run models` fills. */
export const packFolder = join(modelsFolder, 'pack');

/** The pack, made first where it is missing or old. */
export function currentPack(): Pack {
  return buildPack(networks, packFolder, readSourceTable());
}

/** Every card. */
export function cards(): ReadonlyMap<string, CheckedCard> {
  return readCards() as unknown as ReadonlyMap<string, CheckedCard>;
}

/** The card called `id`; fails the test where there is none. */
export function card(id: string): CheckedCard {
  const found = cards().get(id);
  if (!found) throw new Error(`models/cards/${id}.json is missing`);
  return found;
}

/** Opens a network, hands it to `use` and closes it. */
export async function withNetwork<T>(
  id: string,
  use: (session: InferenceSession, card: CheckedCard) => Promise<T>,
): Promise<T> {
  const facts = card(id);
  const session = await openNetwork(packFolder, facts);
  try {
    return await use(session, facts);
  } finally {
    await session.release();
  }
}

const goldenFolder = join(modelsFolder, '../../shared/golden/nets');

/** Whether the recorded outputs that lie beside the repository are there. */
export const hasGolden = existsSync(goldenFolder);

/** One of them: the outputs of a network in its own runtime for an input given by a formula. */
export interface Golden {
  readonly input: {
    readonly shape: readonly number[];
    readonly scale: number;
    readonly offset: number;
    readonly int: boolean;
  };
  readonly outputs: Readonly<Record<string, { readonly data: string }>>;
}

/** Reads `name`.json of the golden folder. */
export function golden(name: string): Golden {
  return JSON.parse(readFileSync(join(goldenFolder, `${name}.json`), 'utf8')) as Golden;
}

/** Values of a golden output. */
export function goldenValues(file: Golden, name: string): Float32Array {
  const bytes = Buffer.from(file.outputs[name]?.data ?? '', 'base64');
  return Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}
