import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LineamentError } from '../../errors.js';
import { packageRoot } from '../../native/package.js';
import { type ModelCard, parseCard } from '../card.js';
import { isAllowed } from './address.js';
import { STATE_FILE } from './state.js';
import type { CatalogueCard, ModelSource } from './types.js';

/** Licence of a private card that names none: the user's own affair. */
export const OWN_LICENCE = 'own';

const isHash = (value: unknown): boolean => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;

function isSource(source: ModelSource | null): boolean {
  if (typeof source !== 'object' || source === null || !isText(source.url) || !URL.canParse(source.url)) return false;
  if (!isAllowed(new URL(source.url))) return false;
  return (
    (source.member === undefined || isText(source.member)) && (source.sha256 === undefined || isHash(source.sha256))
  );
}

/**
 * Reads a card of the catalogue and checks it as `parseCard` does; `sha256` and `bytes` may be absent, where it comes from and its licence
 * are checked besides. A private card need not name sources and licence. Throws `MODEL_CORRUPT`.
 */
export function parseCatalogueCard(
  text: string,
  origin: string,
  kind: 'catalogue' | 'private' = 'catalogue',
): CatalogueCard {
  const given = parseCard(text, origin, 'optional') as unknown as CatalogueCard;
  const card: CatalogueCard =
    kind === 'catalogue'
      ? given
      : { ...given, ...ownDefaults(given), title: isText(given.title) ? given.title : given.id, published: false };
  const need = (field: string, valid: boolean): void => {
    if (!valid) throw new LineamentError('MODEL_CORRUPT', `the model card ${origin} has no valid '${field}'`);
  };
  need('id', /^[\w.-]{1,100}$/.test(card.id));
  // The cache folder has files of its own.
  need('file', !/^(\.|state\.|downloads$)/i.test(card.file));
  need('title', isText(card.title));
  need('sources', Array.isArray(card.sources) && card.sources.every(isSource));
  need('sources or obtain', kind === 'private' || card.sources.length > 0 || isText(card.obtain));
  need('licenceId', isText(card.licenceId) && /^[\w.-]{1,100}$/.test(card.licenceId));
  need('licenceUrl', card.licenceUrl === undefined || (isText(card.licenceUrl) && URL.canParse(card.licenceUrl)));
  need('commercial', typeof card.commercial === 'boolean');
  need('sets', card.sets === undefined || (Array.isArray(card.sets) && card.sets.every(isText)));
  return card;
}

const ownDefaults = ({ sources, licenceId, commercial }: Partial<CatalogueCard>) => ({
  sources: sources ?? [],
  licenceId: licenceId ?? OWN_LICENCE,
  commercial: commercial ?? true,
});

/** All cards of a folder, by id. Rejects with `MODEL_CORRUPT`, `MODEL_NOT_FOUND` (no such folder), `DUPLICATE_ID`. */
export async function readCards(folder: string, kind: 'catalogue' | 'private'): Promise<Map<string, CatalogueCard>> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LineamentError('MODEL_NOT_FOUND', `the folder of cards ${folder} cannot be read`, { cause });
  });
  const cards = new Map<string, CatalogueCard>();
  // Cards may lie in the cache folder too.
  for (const name of names.filter((one) => one.endsWith('.json') && one !== STATE_FILE).sort()) {
    const path = join(folder, name);
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new LineamentError('MODEL_CORRUPT', `the model card ${path} cannot be read`, { cause });
    });
    const card = parseCatalogueCard(text, path, kind);
    if (cards.has(card.id)) throw new LineamentError('DUPLICATE_ID', `two cards of ${folder} have the id '${card.id}'`);
    cards.set(card.id, card);
  }
  return cards;
}

/** The cards of the starter pack, by id. Rejects with `MODEL_CORRUPT`. */
export async function readStarterCards(): Promise<Map<string, ModelCard>> {
  const folder = join(packageRoot, 'models', 'cards');
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
  const cards = await Promise.all(
    names.map(async (name) => parseCard(await readFile(join(folder, name), 'utf8'), join(folder, name))),
  );
  return new Map(cards.map((card) => [card.id, card]));
}
