/** The cards of a catalogue, where their files lie, and what these must be. */
import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { LineamentError } from '../../errors.js';
import { packageRoot } from '../../native/package.js';
import { readCards } from './card.js';
import type { Expected } from './download.js';
import type { Settings } from './options.js';
import type { Remembered } from './state.js';
import type { CatalogueCard } from './types.js';

/** A card that is not of the starter pack. */
export interface Known {
  readonly card: CatalogueCard;
  readonly origin: 'catalogue' | 'private';
}

/** Where a file of a card lies. */
export interface Place {
  readonly folder: string;
  readonly file: string;
}

/**
 * The cards of the package and of the user, by id. Rejects with `MODEL_CORRUPT`, `MODEL_NOT_FOUND` (no folder of private cards), and `DUPLICATE_ID`
 * where an id is taken, by one of `starter` too, or two downloads would be kept under one name.
 */
export async function readKnown(
  own: string | undefined,
  starter: ReadonlyMap<string, unknown>,
): Promise<Map<string, Known>> {
  const shipped = join(packageRoot, 'models', 'catalogue');
  const groups: [string, Known['origin']][] = [[shipped, 'catalogue']];
  if (own !== undefined) groups.push([own, 'private']);
  const known = new Map<string, Known>();
  const kept = new Map<string, string>();
  for (const [folder, origin] of groups) {
    for (const card of (await readCards(folder, origin)).values()) {
      if (starter.has(card.id) || known.has(card.id)) {
        throw new LineamentError('DUPLICATE_ID', `there is a model '${card.id}' already`, {
          fix: `Give the card in ${folder} another id.`,
        });
      }
      known.set(card.id, { card, origin });
      if (card.sources.length === 0) continue;
      // Some systems do not tell small letters from capitals.
      const name = card.file.toLowerCase();
      const other = kept.get(name);
      if (other !== undefined) {
        throw new LineamentError('DUPLICATE_ID', `'${card.id}' and '${other}' would both be kept as ${card.file}`, {
          fix: `Give the file of the card in ${folder} another name.`,
        });
      }
      kept.set(name, card.id);
    }
  }
  return known;
}

/** What a file of a card must be: what the card says, or else what was seen first. */
export function expectedOf(card: CatalogueCard, state: Remembered): Expected {
  const trusted = Object.hasOwn(state.trusted, card.id) ? state.trusted[card.id] : undefined;
  const sha256 = card.sha256 ?? trusted?.sha256;
  const bytes = card.bytes ?? (card.sha256 === undefined ? trusted?.bytes : undefined);
  return { ...(sha256 === undefined ? {} : { sha256 }), ...(bytes === undefined ? {} : { bytes }) };
}

/** Size of a file; absent where there is none. */
export const sizeOf = (path: string): Promise<number | undefined> =>
  stat(path).then(
    (found) => (found.isFile() ? found.size : undefined),
    () => undefined,
  );

/** The user's own folders first, then the cards' folder, then the cache. A file of another size is another file. */
export async function locate(
  { card, origin }: Known,
  { bytes }: Expected,
  { models, cards, cache }: Settings,
): Promise<Place | undefined> {
  const given = card.sources.map(({ url, member }) => basename(member ?? new URL(url).pathname));
  const names = [...new Set([card.file, ...given])].filter((name) => /^[\w.-]+$/.test(name) && !name.endsWith('.zip'));
  const places: Place[] = models.flatMap((folder) => names.map((file) => ({ folder, file })));
  if (origin === 'private' && cards !== undefined) places.push({ folder: cards, file: card.file });
  places.push({ folder: cache, file: card.file });
  for (const place of places) {
    const size = await sizeOf(join(place.folder, place.file));
    if (size !== undefined && size > 0 && (bytes === undefined || size === bytes)) return place;
  }
  return undefined;
}
