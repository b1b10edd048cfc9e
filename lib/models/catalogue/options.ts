import { resolve } from 'node:path';
import { boolean, invalid, nonEmptyString, numberIn, plainObject } from '../../errors/validate.js';
import { isAllowed, type Patience } from './address.js';
import { defaultCacheFolder } from './folder.js';

/** How patient downloads are; each has a default that suits slow lines. */
export interface CatalogueNetwork {
  /** Until a server answers, ms; 30 000. */
  readonly connectMs?: number;
  /** A stretch of this length that brings nothing ends a try, ms; 60 000. */
  readonly idleMs?: number;
  /** Further tries of an address whose failure may pass (cut, slow, 429, 5xx); 4. A try that got on does not count. */
  readonly retries?: number;
  /** Before the first further try, ms; doubled for each; 500. */
  readonly retryMs?: number;
}

export interface CatalogueOptions {
  /** Folder of the downloads; `LINEAMENT_MODEL_CACHE`, or `lineament/models` in the user's cache folder. Made when it is needed. */
  readonly cache?: string;
  /** Folder of private cards (`*.json`) and, beside them, the files that they name. */
  readonly cards?: string;
  /** Folders that are looked through, by name, before anything is fetched; what is found is verified. */
  readonly models?: string | readonly string[];
  /** Folder of the starter pack, as for `openPack`. */
  readonly starter?: string;
  /** Addresses that are tried before a card's own: `<mirror>/<file of the card>`, then `<mirror>/<name of the card's address>`. */
  readonly mirrors?: readonly string[];
  /** Nothing is fetched. */
  readonly offline?: boolean;
  /** Licences that are accepted for as long as this catalogue is open, by name. */
  readonly acceptedLicences?: readonly string[];
  readonly network?: CatalogueNetwork;
}

const OPTIONS = ['cache', 'cards', 'models', 'starter', 'mirrors', 'offline', 'acceptedLicences', 'network'];
const DAY = 86_400_000;

export interface Settings {
  readonly cache: string;
  readonly cards: string | undefined;
  readonly models: readonly string[];
  readonly starter: string | undefined;
  readonly mirrors: readonly string[];
  readonly offline: boolean;
  readonly accepted: readonly string[];
  readonly patience: Patience;
}

function texts(name: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw invalid(name, 'array of strings', value);
  return value.map((one, i) => nonEmptyString(`${name}[${i}]`, one));
}

function mirror(name: string, text: string): string {
  if (!URL.canParse(text) || !isAllowed(new URL(text))) {
    // Not shown: it may hold credentials.
    throw invalid(name, 'https address (http on this machine only)', undefined);
  }
  return text;
}

/** Checks the options and fills in defaults. Throws `INVALID_ARGUMENT`. */
export function readOptions(given: CatalogueOptions): Settings {
  plainObject('options', given, OPTIONS);
  const { cache, cards, models, starter, mirrors = [], offline = false, acceptedLicences = [], network = {} } = given;
  plainObject('network', network, ['connectMs', 'idleMs', 'retries', 'retryMs']);
  const { connectMs = 30_000, idleMs = 60_000, retries = 4, retryMs = 500 } = network;
  const folder = (name: string, value: string | undefined): string | undefined =>
    value === undefined ? undefined : resolve(nonEmptyString(name, value));
  return {
    cache: folder('cache', cache) ?? defaultCacheFolder(),
    cards: folder('cards', cards),
    models: texts('models', typeof models === 'string' ? [models] : (models ?? [])).map((one) => resolve(one)),
    starter: folder('starter', starter),
    mirrors: texts('mirrors', mirrors).map((one, i) => mirror(`mirrors[${i}]`, one)),
    offline: boolean('offline', offline),
    accepted: texts('acceptedLicences', acceptedLicences),
    patience: {
      connectMs: numberIn('connectMs', connectMs, 1, DAY),
      idleMs: numberIn('idleMs', idleMs, 1, DAY),
      retries: numberIn('retries', retries, 0, 1000),
      retryMs: numberIn('retryMs', retryMs, 0, DAY),
    },
  };
}
