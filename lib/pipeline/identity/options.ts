import { invalid, numberIn, plainObject, positiveInteger } from '../../errors/validate.js';
import type { Gallery } from '../../gallery/index.js';
import type { Calibration } from '../../models/index.js';
import type { MatchRate } from './lookup.js';
import type { Limits } from './rules.js';
import type { Strangers } from './strangers.js';
import type { IdentityChange } from './types.js';

export interface IdentitiesOptions {
  /** Who is known. */
  readonly gallery: Gallery;
  /** Gives strangers ids that last; without it a stranger is one, and no more is said. */
  readonly strangers?: Strangers;
  /** Collections of known persons; absent: all but the strangers'. */
  readonly collections?: readonly string[];
  /**
   * When a face is a known person; without a rate: as `Gallery.identify`, the calibration's default. In a gallery of N templates the rate of false
   * alarms is up to N times that of one comparison: name an `fpir` where the calibration reaches so far.
   */
  readonly match?: MatchRate;
  /** A calibration of the caller's own, for `Identity.fmr`; the one that the gallery was opened with. */
  readonly calibration?: Calibration;
  /** Looks that are kept of a track, 2 to 64; default 8. */
  readonly mostLooks?: number;
  /** A look of less weight is not taken, 0–1; default 0.12. */
  readonly minWeight?: number;
  /** Sum of weights that a decision for somebody needs at least; default 0.3. */
  readonly leastWeight?: number;
  /** Sum of weights from which nobody near means a stranger; default 1. */
  readonly strangerWeight?: number;
  /** Sum of weights from which what is unclear is decided at the threshold itself; default 2.2. */
  readonly patience?: number;
  /** Least weight of the best look of a stranger who gets an id, so that blur breeds none; default 0.45. */
  readonly foundWeight?: number;
  /** Least time between two looks at a track that is not decided, ms; default 120. It grows with the number of looks. */
  readonly intervalMs?: number;
  /** Time between looks at a track that is decided, ms; default 10 000. */
  readonly confirmMs?: number;
  /** Whether a stranger's track that ends is compared with the other strangers, and merged; default true. */
  readonly consolidate?: boolean;
  /** Called for each change, after it is on the disk where it has to be. Must not throw. */
  readonly onChange?: (change: IdentityChange) => void;
}

export interface CheckedIdentities extends Limits {
  readonly match: MatchRate;
  readonly mostLooks: number;
  readonly minWeight: number;
  readonly intervalMs: number;
  readonly confirmMs: number;
  readonly consolidate: boolean;
}

const KNOWN = [
  'gallery',
  'strangers',
  'collections',
  'match',
  'calibration',
  'mostLooks',
  'minWeight',
  'leastWeight',
  'strangerWeight',
  'patience',
  'foundWeight',
  'intervalMs',
  'confirmMs',
  'consolidate',
  'onChange',
] as const satisfies readonly (keyof IdentitiesOptions)[];

export function checkIdentities(options: IdentitiesOptions): CheckedIdentities {
  plainObject('options', options, KNOWN);
  if (typeof options.gallery?.identifyMany !== 'function') throw invalid('gallery', 'gallery', options.gallery);
  const match = options.match ?? {};
  plainObject('match', match, ['fmr', 'fpir', 'threshold', 'fuse']);
  const share = (name: 'minWeight' | 'foundWeight', otherwise: number): number =>
    numberIn(name, options[name] ?? otherwise, 0, 1);
  const sum = (name: 'leastWeight' | 'strangerWeight' | 'patience', otherwise: number): number =>
    numberIn(name, options[name] ?? otherwise, 0, 64);
  const mostLooks = positiveInteger('mostLooks', options.mostLooks ?? 8, 64);
  if (mostLooks < 2) throw invalid('mostLooks', 'integer from 2 to 64', mostLooks);
  return {
    match,
    mostLooks,
    minWeight: share('minWeight', 0.12),
    leastWeight: sum('leastWeight', 0.3),
    strangerWeight: sum('strangerWeight', 1),
    patience: sum('patience', 2.2),
    foundWeight: share('foundWeight', 0.45),
    intervalMs: numberIn('intervalMs', options.intervalMs ?? 120, 0, 3_600_000),
    confirmMs: numberIn('confirmMs', options.confirmMs ?? 10_000, 1, 86_400_000),
    consolidate: options.consolidate ?? true,
  };
}
