import { plainObject } from '../errors/validate.js';
import { wrapError } from '../errors.js';
import type { SqlStatement, SqlValue } from '../native/index.js';
import { templateEmbedding } from '../templates/index.js';
import type { Embedding } from '../types.js';
import { imageHash } from './enrol.js';
import type { Place } from './sealer.js';
import { checkId, jsonText, type Store } from './store.js';
import type { Json } from './types.js';
import { unitEmbedding } from './vectors.js';

/** One face of a picture, as it was found once. */
export interface CachedFace {
  readonly embedding: Embedding;
  /** Whatever belongs to it: box, quality, … */
  readonly info?: Json;
}

/** Under what a result is kept: the picture and everything that decides what comes out of it. */
export interface CacheKey {
  /** SHA-256 of the picture's bytes, hex. */
  readonly image: string;
  /** Model and preset, in any wording: another one is another entry. */
  readonly recipe: string;
}

/**
 * Embeddings of pictures that were seen before, so that they need not be computed again. Sealed like templates, bounded in
 * number (the least recently used go first), cleared of what is deleted from the gallery, and never needed: losing it costs
 * time only.
 */
export class EmbeddingCache {
  readonly #store: Store;
  readonly #entries: number;
  #clock: number;
  readonly #touched = new Map<string, SqlValue[]>();

  private constructor(store: Store, entries: number, clock: number) {
    this.#store = store;
    this.#entries = entries;
    this.#clock = clock;
  }

  static async open(store: Store, entries: number): Promise<EmbeddingCache> {
    return new EmbeddingCache(store, entries, await store.count('SELECT max(used) FROM cache'));
  }

  /** The faces of a picture; an empty list where it has none, absent where it is not known (or cannot be read). */
  async get(key: CacheKey): Promise<readonly CachedFace[] | undefined> {
    const { image, recipe } = checkKey(key);
    const rows = await this.#store.rows(
      'SELECT face, info, data FROM cache WHERE image = ? AND recipe = ? ORDER BY face',
      [image, recipe],
    );
    if (rows.length === 0) return undefined;
    this.#touched.set(`${key.image} ${recipe}`, [++this.#clock, image, recipe]);
    const faces: CachedFace[] = [];
    for (const [face, info, data] of rows) {
      if (Number(face) < 0) continue;
      try {
        const template = await this.#store.sealer.openTemplate(data, placeOf(key, Number(face)), 'a cached embedding');
        faces.push({
          embedding: templateEmbedding(template),
          ...(info === null ? {} : { info: JSON.parse(String(info)) as Json }),
        });
      } catch (error) {
        if (!['STORE_CORRUPT', 'KEY_MISMATCH', 'KEY_NOT_FOUND'].includes(wrapError(error).code)) throw error;
        return undefined;
      }
    }
    return faces;
  }

  /** Keeps the faces of a picture, none included; replaces what is known of it. */
  async put(key: CacheKey, faces: readonly CachedFace[]): Promise<void> {
    const { image, recipe } = checkKey(key);
    if (this.#entries === 0) return;
    const used = ++this.#clock;
    const rows: SqlValue[][] = [[image, recipe, -1, used, null, null, null]];
    for (const [face, { embedding, info }] of faces.entries()) {
      const { model, dims, vector } = unitEmbedding(`faces[${face}].embedding`, embedding);
      const template = { model, dims, vector, samples: 1, createdAt: this.#store.now() };
      const data = await this.#store.sealer.sealTemplate(template, placeOf(key, face));
      const text = info === undefined ? null : jsonText(`faces[${face}].info`, info);
      rows.push([image, recipe, face, used, this.#store.sealer.print(vector), text, data]);
    }
    await this.#store.db.write([
      { sql: 'DELETE FROM cache WHERE image = ? AND recipe = ?', params: [image, recipe] },
      {
        sql: 'INSERT INTO cache (image, recipe, face, used, print, info, data) VALUES (?, ?, ?, ?, ?, ?, ?)',
        rows,
      },
      ...this.#touch(),
      ...prune(this.#entries),
    ]);
  }

  #touch(): readonly SqlStatement[] {
    const rows = [...this.#touched.values()];
    this.#touched.clear();
    return rows.length === 0 ? [] : [{ sql: 'UPDATE cache SET used = ? WHERE image = ? AND recipe = ?', rows }];
  }

  /** Keeps the `entries` faces and pictures used last; 0 clears the cache. */
  async prune(entries: number): Promise<void> {
    await this.#store.db.write([...this.#touch(), ...prune(entries)]);
  }
}

const prune = (entries: number): readonly SqlStatement[] => [
  {
    sql: `DELETE FROM cache WHERE used <= (SELECT used FROM cache ORDER BY used DESC, face DESC LIMIT 1 OFFSET ?)`,
    params: [entries],
  },
];

function checkKey(key: CacheKey): { readonly image: Uint8Array; readonly recipe: string } {
  plainObject('key', key, ['image', 'recipe']);
  return { image: imageHash('key.image', key.image), recipe: checkId('key.recipe', key.recipe) };
}

const placeOf = (key: CacheKey, face: number): Place => ({
  kind: 'cached',
  row: `${key.image.toLowerCase()} ${key.recipe} ${face}`,
  person: 0,
  collection: 0,
});
