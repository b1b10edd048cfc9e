import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { abortSignal, nonEmptyString } from '../../errors/validate.js';
import { LineamentError, throwIfAborted } from '../../errors.js';
import type { ModelCard } from '../card.js';
import { type ModelPack, openPack, readVerified } from '../pack.js';
import { shownAddress } from './address.js';
import { OWN_LICENCE, readStarterCards } from './card.js';
import { discardParts, download, type Wanted } from './download.js';
import { type Digest, digestFile, storageError } from './files.js';
import { expectedOf, type Known, locate, type Place, readKnown, sizeOf } from './known.js';
import { type CatalogueOptions, readOptions, type Settings } from './options.js';
import { SharedDownload } from './shared.js';
import { changeState, type Remembered, readState, type Trusted } from './state.js';
import type {
  CatalogueCard,
  CatalogueDownloadOptions,
  CatalogueEntry,
  DownloadProgress,
  ModelCatalogue,
} from './types.js';

/** Licence of the models of the starter pack, by name: each has its own, all allow use in products, none is to be accepted. */
export const STARTER_LICENCE = 'starter-pack';

/**
 * Opens the catalogue: the models of the starter pack, those that can be fetched, and those of private cards. Nothing is fetched before
 * `download`. Several processes may use one cache folder at once. Rejects with `INVALID_ARGUMENT`, `MODEL_CORRUPT` (a card), `DUPLICATE_ID`
 * (two cards with one id, or with one name for what they fetch), `MODEL_NOT_FOUND` (no folder of private cards), `NOT_FOUND` (an accepted
 * licence that no card has).
 *
 * Downloads go straight to their addresses: `HTTP_PROXY` and its kin are not heeded; where there is no way out, name a mirror, or put the
 * files into a folder of `models`.
 */
export async function openCatalogue(options: CatalogueOptions = {}): Promise<ModelCatalogue> {
  const settings = readOptions(options);
  const starter = await readStarterCards();
  const cards = await readKnown(settings.cards, starter);
  const catalogue = new Catalogue(settings, starter, cards);
  for (const licence of settings.accepted) catalogue.known(licence);
  return catalogue;
}

class Catalogue implements ModelCatalogue {
  readonly #settings: Settings;
  readonly #starter: ReadonlyMap<string, ModelCard>;
  readonly #cards: ReadonlyMap<string, Known>;
  readonly #accepted: Set<string>;
  readonly #running = new Map<string, SharedDownload>();
  /** The starter pack; absent where none is installed. */
  #pack: Promise<ModelPack | undefined> | undefined;

  constructor(settings: Settings, starter: ReadonlyMap<string, ModelCard>, cards: ReadonlyMap<string, Known>) {
    this.#settings = settings;
    this.#starter = starter;
    this.#cards = cards;
    this.#accepted = new Set([OWN_LICENCE, STARTER_LICENCE, ...settings.accepted]);
  }

  get folder(): string {
    return this.#settings.cache;
  }

  #openStarter(): Promise<ModelPack | undefined> {
    const named = this.#settings.starter ?? process.env['LINEAMENT_MODELS'];
    this.#pack ??= openPack(this.#settings.starter).catch((error: unknown) => {
      this.#pack = undefined;
      if (error instanceof LineamentError && error.code === 'MODEL_NOT_FOUND' && !named) return undefined;
      throw error;
    });
    return this.#pack;
  }

  #notFound(id: string): LineamentError {
    return new LineamentError('NOT_FOUND', `there is no model '${id}'`, {
      fix: "See 'lineament models list' for the ids there are.",
    });
  }

  #find(id: string): Known {
    const found = this.#cards.get(id);
    if (found === undefined) throw this.#notFound(id);
    return found;
  }

  async #starterEntry(card: ModelCard): Promise<CatalogueEntry> {
    const pack = await this.#openStarter();
    const size = pack === undefined ? undefined : await sizeOf(join(pack.folder, card.file));
    return {
      id: card.id,
      title: card.title,
      task: card.task,
      licence: card.licence,
      licenceId: STARTER_LICENCE,
      commercial: true,
      origin: 'starter',
      state: size === card.bytes ? 'present' : 'absent',
      bytes: card.bytes,
      sha256: card.sha256,
      trust: 'published',
      accepted: true,
      ...(pack !== undefined && size === card.bytes ? { path: join(pack.folder, card.file) } : {}),
    };
  }

  async #entry(found: Known, state: Remembered): Promise<CatalogueEntry> {
    const { card, origin } = found;
    const { id, title, task, licence, licenceId, licenceUrl, commercial, sets } = card;
    const expected = expectedOf(card, state);
    const place = await locate(found, expected, this.#settings);
    const fallback = expected.sha256 === undefined ? 'unknown' : 'first-use';
    return {
      id,
      title,
      task,
      licence,
      licenceId,
      ...(licenceUrl === undefined ? {} : { licenceUrl }),
      commercial,
      ...(sets === undefined ? {} : { sets }),
      origin,
      state: this.#running.has(id) ? 'downloading' : place === undefined ? 'absent' : 'present',
      ...expected,
      trust: card.sha256 === undefined ? fallback : 'published',
      accepted: this.#isAccepted(licenceId, state),
      ...(place === undefined ? {} : { path: join(place.folder, place.file) }),
    };
  }

  #isAccepted(licenceId: string, state: Remembered): boolean {
    return this.#accepted.has(licenceId) || Object.hasOwn(state.licences, licenceId);
  }

  async list(): Promise<readonly CatalogueEntry[]> {
    const state = await readState(this.folder);
    const entries: CatalogueEntry[] = [];
    for (const card of this.#starter.values()) entries.push(await this.#starterEntry(card));
    for (const found of this.#cards.values()) entries.push(await this.#entry(found, state));
    return entries;
  }

  async get(id: string): Promise<CatalogueEntry> {
    const starter = this.#starter.get(id);
    if (starter !== undefined) return this.#starterEntry(starter);
    return this.#entry(this.#find(id), await readState(this.folder));
  }

  async card(id: string): Promise<CatalogueCard | ModelCard> {
    return this.#starter.get(id) ?? this.#find(id).card;
  }

  /** Throws `NOT_FOUND` for a licence that no card has. */
  known(licenceId: string): void {
    const all = new Set([...this.#cards.values()].map(({ card }) => card.licenceId));
    if (all.has(licenceId) || licenceId === OWN_LICENCE || licenceId === STARTER_LICENCE) return;
    throw new LineamentError('NOT_FOUND', `there is no licence '${licenceId}'`, {
      fix: `The licences are ${[...all].sort().join(', ')}.`,
    });
  }

  async accept(licenceId: string): Promise<void> {
    this.known(nonEmptyString('licenceId', licenceId));
    await changeState(this.folder, (state) => ({
      ...state,
      licences: { ...state.licences, [licenceId]: { since: new Date().toISOString() } },
    }));
  }

  async download(id: string, options: CatalogueDownloadOptions = {}): Promise<CatalogueEntry> {
    if (options.signal !== undefined) throwIfAborted(abortSignal('signal', options.signal));
    const starter = this.#starter.get(id);
    if (starter !== undefined) return this.#presentStarter(starter);
    const found = this.#find(id);
    let running = this.#running.get(id);
    // The last caller of that one has just left: it takes a moment to end.
    while (running?.abandoned === true) {
      await running.settled;
      running = this.#running.get(id);
    }
    throwIfAborted(options.signal);
    if (running === undefined) {
      const made = new SharedDownload((signal, onProgress) => this.#obtain(found, signal, onProgress));
      this.#running.set(id, made);
      running = made;
      void made.settled.then(() => {
        if (this.#running.get(id) === made) this.#running.delete(id);
      });
    }
    await running.join(options);
    await running.settled;
    return this.get(id);
  }

  async #presentStarter(card: ModelCard): Promise<CatalogueEntry> {
    const entry = await this.#starterEntry(card);
    if (entry.state === 'present') return entry;
    throw new LineamentError(
      'DOWNLOAD_FAILED',
      `${card.id} is part of the starter pack, which is not fetched model by model`,
      {
        fix: card.published
          ? 'Reinstall the package.'
          : "It is not in the published pack: make it in a checkout with 'npm run models'.",
      },
    );
  }

  async #obtain(found: Known, signal: AbortSignal, onProgress: (progress: DownloadProgress) => void): Promise<void> {
    const { card } = found;
    const { mirrors, patience, offline } = this.#settings;
    if (await this.#verifyPresent(found, signal)) return;
    const state = await readState(this.folder);
    this.#mayFetch(card, state, offline);
    await download({
      card,
      expected: expectedOf(card, state),
      folder: this.folder,
      mirrors,
      patience,
      signal,
      onProgress,
      isPresent: () => this.#verifyPresent(found, signal),
      others: () => this.#others(card.id),
      onFile: (kept, digest, source) => this.#trust(kept, digest, source),
    });
  }

  #mayFetch(card: CatalogueCard, state: Remembered, offline: boolean): void {
    if (!this.#isAccepted(card.licenceId, state)) {
      const url = card.licenceUrl === undefined ? '' : ` (${card.licenceUrl})`;
      throw new LineamentError(
        'LICENCE_NOT_ACCEPTED',
        `${card.id} is under '${card.licenceId}': ${card.licence}${url}`,
        {
          fix: `Accept it with 'lineament models accept ${card.licenceId}', or the option acceptedLicences.`,
        },
      );
    }
    if (!offline) return;
    const from = card.sources
      .map(({ url, member }) => (member === undefined ? '' : `${member} of `) + shownAddress(new URL(url)))
      .join(' or ');
    const known = card.sha256 === undefined ? '' : `, SHA-256 ${card.sha256}`;
    throw new LineamentError('DOWNLOAD_FAILED', `${card.id} is not here, and nothing is fetched in offline mode`, {
      fix: `Put ${from || 'the file'} into ${this.folder} as ${card.file}${known}.`,
    });
  }

  async #others(id: string): Promise<Wanted[]> {
    const state = await readState(this.folder);
    const absent: Wanted[] = [];
    for (const found of this.#cards.values()) {
      if (found.card.id === id || !this.#isAccepted(found.card.licenceId, state)) continue;
      const expected = expectedOf(found.card, state);
      if ((await locate(found, expected, this.#settings)) === undefined) absent.push({ card: found.card, expected });
    }
    return absent;
  }

  /** Whether the file is here and the right one. A wrong one in the cache is taken for absent; one of the user's is an error. */
  async #verifyPresent(found: Known, signal?: AbortSignal): Promise<boolean> {
    const { card } = found;
    const expected = expectedOf(card, await readState(this.folder));
    const place = await locate(found, expected, this.#settings);
    if (place === undefined) return false;
    const path = join(place.folder, place.file);
    const digest = await digestFile(path, signal);
    const sha256 = expected.sha256 ?? (await this.#trust(card, digest, path));
    if (digest.sha256 === sha256) return true;
    if (place.folder === this.folder) return false;
    throw new LineamentError('MODEL_HASH_MISMATCH', `${path} has SHA-256 ${digest.sha256}, not ${sha256}`, {
      fix: 'Take it away; do not use it if you do not know who changed it.',
    });
  }

  /** Remembers the hash of a file that nobody published one of, and gives the one that is trusted: the first one stays. */
  async #trust(card: CatalogueCard, { sha256, bytes }: Digest, from: string): Promise<string> {
    if (card.sha256 !== undefined) return card.sha256;
    const seen: Trusted = { sha256, bytes, since: new Date().toISOString(), from };
    const { trusted } = await changeState(this.folder, (state) =>
      Object.hasOwn(state.trusted, card.id) ? state : { ...state, trusted: { ...state.trusted, [card.id]: seen } },
    );
    return trusted[card.id]!.sha256;
  }

  async remove(id: string, options: { readonly forget?: boolean } = {}): Promise<void> {
    if (this.#starter.has(id)) {
      throw new LineamentError('INVALID_ARGUMENT', `${id} is part of the starter pack`, {
        fix: 'Only downloaded models can be removed.',
      });
    }
    const found = this.#find(id);
    if (this.#running.has(id)) {
      throw new LineamentError('STORE_BUSY', `${id} is being downloaded`, { fix: 'End the download first.' });
    }
    const place = await locate(found, {}, this.#settings);
    if (place !== undefined && place.folder !== this.folder) {
      throw new LineamentError('INVALID_ARGUMENT', `the file of ${id} lies in a folder of yours`, {
        fix: 'Delete it yourself.',
      });
    }
    const path = join(this.folder, found.card.file);
    await rm(path, { force: true }).catch((cause: unknown) => {
      throw storageError(cause, path, 'cannot be deleted');
    });
    await discardParts(this.folder, found.card, this.#settings.mirrors);
    if (options.forget !== true) return;
    await changeState(this.folder, (state) => {
      const { [id]: _, ...trusted } = state.trusted;
      return { ...state, trusted };
    });
  }

  async pack(): Promise<ModelPack> {
    const starter = await this.#openStarter();
    return {
      folder: starter?.folder ?? this.folder,
      card: async (id) => {
        const own = this.#starter.get(id);
        if (own !== undefined) return starter === undefined ? own : starter.card(id);
        return (await this.#usable(id)).card;
      },
      read: async (id) => {
        if (this.#starter.has(id) && starter !== undefined) return starter.read(id);
        const { card, place } = await this.#usable(id);
        return readVerified(
          place.folder,
          { ...card, file: place.file },
          `Remove it and run 'lineament models download ${id}'.`,
        );
      },
    };
  }

  /** The card of a model that is here, with its hash and size filled in. Rejects with `MODEL_NOT_FOUND`. */
  async #usable(id: string): Promise<{ card: ModelCard; place: Place }> {
    const found = this.#cards.get(id);
    if (found === undefined) throw new LineamentError('MODEL_NOT_FOUND', `there is no model '${id}'`);
    const expected = expectedOf(found.card, await readState(this.folder));
    const place = await locate(found, expected, this.#settings);
    if (place === undefined) {
      throw new LineamentError('MODEL_NOT_FOUND', `${id} is not in ${this.folder}`, {
        fix: `Fetch it with 'lineament models download ${id}'.`,
      });
    }
    const path = join(place.folder, place.file);
    const sha256 = expected.sha256 ?? (await this.#trust(found.card, await digestFile(path), path));
    const bytes = expected.bytes ?? (await sizeOf(path)) ?? 0;
    return { card: { ...found.card, bytes, sha256 }, place };
  }
}
