import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ImportError } from './error.js';
import { modelsFolder, type Pack } from './pack.js';

/** The part of a model card that the importer itself reads and writes; the full type lives in lib/models. */
export interface CardHead {
  readonly id: string;
  readonly file: string;
  readonly published: boolean;
  sha256: string;
  bytes: number;
}

/** Folder of the model cards. */
export const cardsFolder = join(modelsFolder, 'cards');

/** Every card, by id. Throws `CARD_MISMATCH` for one that does not parse or has no id. */
export function readCards(folder: string = cardsFolder): Map<string, CardHead & Record<string, unknown>> {
  const cards = new Map<string, CardHead & Record<string, unknown>>();
  for (const name of readdirSync(folder)
    .filter((n) => n.endsWith('.json'))
    .sort()) {
    let card: CardHead & Record<string, unknown>;
    try {
      card = JSON.parse(readFileSync(join(folder, name), 'utf8')) as CardHead & Record<string, unknown>;
    } catch (cause) {
      throw new ImportError('CARD_MISMATCH', `models/cards/${name} is not valid JSON`, { cause });
    }
    if (`${card.id}.json` !== name)
      throw new ImportError('CARD_MISMATCH', `models/cards/${name} has the id "${card.id}"`);
    cards.set(card.id, card);
  }
  return cards;
}

/** Writes the hash and size of each file of the pack into its card; returns how many cards changed. */
export function updateCards(pack: Pack): number {
  const cards = readCards();
  let changed = 0;
  for (const entry of pack.models) {
    const card = cards.get(entry.id);
    if (!card) throw new ImportError('CARD_MISMATCH', `models/cards/${entry.id}.json is missing`);
    if (card.sha256 === entry.sha256 && card.bytes === entry.bytes) continue;
    card.sha256 = entry.sha256;
    card.bytes = entry.bytes;
    writeFileSync(join(cardsFolder, `${entry.id}.json`), `${JSON.stringify(card, null, 2)}\n`);
    changed++;
  }
  return changed;
}
