import { LineamentError } from '../../errors.js';
import type { Gallery } from '../../gallery/index.js';
import type { DecisionOptions, Identification } from '../../gallery/types.js';
import { type Calibration, impliedFmr, readCalibration } from '../../models/index.js';
import type { Embedding } from '../../types.js';
import type { JoinedLook } from './evidence.js';
import type { Found } from './rules.js';

/** From which similarity on two are one person: as for `Gallery.identify`. */
export type MatchRate = Pick<DecisionOptions, 'fmr' | 'fpir' | 'threshold' | 'fuse'>;

/** Candidates that are asked for: as many persons may be near a face, or be ruled out. */
const CANDIDATES = 5;

/** What a search for a joined look and a single one found. */
export interface LookedUp {
  readonly found: Found;
  /** Whom the single look is nearest to, where that is a match. */
  readonly vote: string | undefined;
}

/** Searches some collections of a gallery for looks. */
export class Lookup {
  readonly #gallery: Gallery;
  readonly #rate: MatchRate;
  searches = 0;

  constructor(gallery: Gallery, rate: MatchRate) {
    this.#gallery = gallery;
    this.#rate = rate;
  }

  /** Both in one search. */
  async search(
    joined: JoinedLook,
    look: Embedding | undefined,
    collection: readonly string[],
    options: { readonly except?: readonly string[]; readonly signal?: AbortSignal | undefined },
  ): Promise<LookedUp> {
    this.searches++;
    const { signal, except } = options;
    const probes = look === undefined ? [joined.embedding] : [joined.embedding, look];
    const [mean, single] = await this.#gallery.identifyMany(probes, {
      ...this.#rate,
      k: CANDIDATES,
      collection,
      ...(except === undefined || except.length === 0 ? {} : { except }),
      ...(signal === undefined ? {} : { signal }),
    });
    return { found: scaled(mean!, joined.factor), vote: single?.match?.person };
  }
}

/** Similarities become those that the threshold is meant for. */
function scaled({ candidates, threshold }: Identification, factor: number): Found {
  return {
    threshold,
    candidates: candidates.map(({ person, name, similarity }) => ({
      id: person,
      ...(name === undefined ? {} : { name }),
      similarity: similarity * factor,
    })),
  };
}

/** The collections of known persons that a model can be searched in. */
export class KnownCollections {
  readonly #gallery: Gallery;
  readonly #named: readonly string[] | undefined;
  readonly #strangers: string | undefined;
  #all: Promise<readonly { readonly name: string; readonly model: string; readonly samples: number }[]> | undefined;

  constructor(gallery: Gallery, named: readonly string[] | undefined, strangers: string | undefined) {
    this.#gallery = gallery;
    this.#named = named;
    this.#strangers = strangers;
  }

  /** Looks anew at the next call: collections may have been made since. */
  forget(): void {
    this.#all = undefined;
  }

  /** Empty where nobody is known. `EMBEDDING_MISMATCH` where all who are known are of another model. */
  async of({ model }: Embedding): Promise<readonly string[]> {
    this.#all ??= this.#gallery.collections();
    const all = await this.#all.catch((error: unknown) => {
      this.#all = undefined;
      throw error;
    });
    const known = all.filter(({ name }) =>
      this.#named === undefined ? name !== this.#strangers : this.#named.includes(name),
    );
    const fitting = known.filter((one) => one.model === model).map(({ name }) => name);
    // Whoever is enrolled first is found at once, all else with `refresh`.
    if (fitting.length === 0) this.#all = undefined;
    const other = known.find(({ samples }) => samples > 0);
    if (fitting.length === 0 && other !== undefined) {
      throw new LineamentError(
        'EMBEDDING_MISMATCH',
        `collection '${other.name}' holds vectors of '${other.model}', the cameras' looks are of '${model}'`,
        { fix: 'Open the engine with the preset that the gallery was made with.' },
      );
    }
    return fitting;
  }
}

/** False match rate of one comparison at a similarity; absent where no calibration is known. */
export class ImpliedRates {
  readonly #own: Calibration | undefined;
  readonly #read = new Map<string, Promise<Calibration | undefined>>();

  constructor(own: Calibration | undefined) {
    this.#own = own;
  }

  async at(model: string, similarity: number): Promise<number | undefined> {
    const name = model.split('#')[0]!;
    let known = this.#read.get(name);
    if (known === undefined) {
      known = this.#own?.model === name ? Promise.resolve(this.#own) : readCalibration(name);
      this.#read.set(name, known);
    }
    const calibration = await known;
    return calibration && impliedFmr(calibration, Math.max(-1, Math.min(1, similarity))).rate;
  }
}
