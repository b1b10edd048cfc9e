import { invalid, numberIn, plainObject, positiveInteger } from '../../errors/validate.js';
import { type Calibration, similarityAt } from '../../models/calibration.js';
import type { MotionNoise } from './motion.js';

/** What cosines of two embeddings mean to a tracker. */
export interface Looks {
  /** From here on two looks are held for one person. */
  readonly same: number;
  /** Here they speak neither for nor against it. Below `same`. */
  readonly different: number;
}

export interface TrackerOptions {
  /** Frames with a detection until a track is confirmed. Default 2. */
  readonly confirmHits?: number;
  /** How long a confirmed track that is not seen is still told of as confirmed, its boxes predicted; then it is lost. Milliseconds, default 200. */
  readonly coastMs?: number;
  /** How long after its last sight a lost track may come back before it ends. Milliseconds, default 5000. */
  readonly keepMs?: number;
  /** The same for those that are expected outside the picture. Milliseconds, default 2000. */
  readonly leaveMs?: number;
  /** Faces of at least this score are matched first and may begin a track; weaker ones only go on with one. Default 0.4. */
  readonly confident?: number;
  /** The same for persons. Default 0.45. */
  readonly confidentPerson?: number;
  /** Detections below this score are left out. Default 0.1. */
  readonly weak?: number;
  /** Most tracks at one time, lost ones included; of more the lost ones that were not seen for longest end. Default 512. */
  readonly maxTracks?: number;
  /** Makes use of embeddings; without it they are not looked at. See {@link looksOf}. */
  readonly looks?: Looks;
  /** Numbers for tracks; default counts from 1. Give cameras of one pipeline a common one. */
  readonly nextId?: () => number;
}

export type CheckedTrackerOptions = Required<Omit<TrackerOptions, 'looks' | 'nextId'>> &
  Pick<TrackerOptions, 'looks' | 'nextId'>;

const DEFAULTS = {
  confirmHits: 2,
  coastMs: 200,
  keepMs: 5000,
  leaveMs: 2000,
  confident: 0.4,
  confidentPerson: 0.45,
  weak: 0.1,
  maxTracks: 512,
} as const;

export function checkTrackerOptions(options: TrackerOptions): CheckedTrackerOptions {
  plainObject('options', options, [...Object.keys(DEFAULTS), 'looks', 'nextId']);
  const { looks, nextId } = options;
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
  const all = { ...DEFAULTS, ...given } as CheckedTrackerOptions;
  positiveInteger('confirmHits', all.confirmHits);
  positiveInteger('maxTracks', all.maxTracks);
  for (const name of ['coastMs', 'keepMs', 'leaveMs'] as const) numberIn(name, all[name], 0, Infinity);
  numberIn('confident', all.confident, 0, 1);
  numberIn('confidentPerson', all.confidentPerson, 0, 1);
  numberIn('weak', all.weak, 0, Math.min(all.confident, all.confidentPerson));
  if (looks !== undefined) {
    plainObject('looks', looks, ['same', 'different']);
    numberIn('looks.same', looks.same, -1, 1);
    numberIn('looks.different', looks.different, -1, looks.same - 1e-6);
  }
  if (nextId !== undefined && typeof nextId !== 'function') throw invalid('nextId', 'function', nextId);
  return all;
}

/**
 * What cosines mean, by a recogniser's calibration: `same` at a false match rate of 1 % for one comparison, which among the few
 * persons in front of one camera is enough, `different` at 20 %, or where the calibration ends.
 */
export function looksOf(calibration: Calibration): Looks {
  const same = similarityAt(calibration, 0.01);
  const different = similarityAt(calibration, Math.min(0.2, calibration.points[0]!.fmr));
  return { same, different: Math.min(different, same - 0.01) };
}

/**
 * How faces and persons move, measured on the synthetic scenes and the pedestrian video of benchmarks/: a walker passes some three to six
 * heights of his face a second and less than one of his own.
 */
export const FACE_MOTION: MotionNoise = {
  centre: 0.1,
  height: 0.1,
  aspect: 0.08,
  centreDrive: 4,
  heightDrive: 0.3,
  aspectDrive: 0.1,
  firstSpeed: 3,
  firstGrowth: 0.3,
  decay: 3,
};

export const PERSON_MOTION: MotionNoise = {
  centre: 0.05,
  height: 0.07,
  aspect: 0.12,
  centreDrive: 0.6,
  heightDrive: 0.15,
  aspectDrive: 0.2,
  firstSpeed: 0.6,
  firstGrowth: 0.15,
  decay: 3,
};
