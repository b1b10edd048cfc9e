/** The neutral face that expressions are measured against: one person's own, or the population's until that is known. */

import { invalid, numberIn, positiveInteger } from '../../errors/validate.js';
import { LineamentError } from '../../errors.js';
import { checkLandmarks } from '../../landmarks/check.js';
import { LID_COUNT } from '../../landmarks/lids.js';
import type { Point, Pose } from '../../types.js';
import { evidenceOf, lossOf, type Pair } from './evidence.js';
import { shapeEar } from './ratios.js';
import { type Frontal, finitePose, frontalise, MEAN_SHAPE, type Shape, toShape } from './shape.js';
import { ACTION_UNIT_INFO, type ActionUnitId } from './units.js';

/** A neutral face. Immutable. */
export interface NeutralBaseline {
  /** Whose it is. */
  readonly kind: 'person' | 'population';
  /** Frames that it was learned from; 0 for the population's. */
  readonly frames: number;
  /** x, y of 68 points turned to the front, centimetres of a mean head, x to the picture's right, y up. */
  readonly shape: Float64Array;
  /** Eye aspect ratios of the open eyes by their lids, the turn undone; absent where it was learned without lids. */
  readonly lids?: readonly [left: number, right: number];
}

/** The same of the population: median over the open eyes of 153 faces on photographs. */
export const OPEN_LIDS: Pair = [0.28, 0.28];

/** A baseline as plain data for JSON. Points are rounded to a thousandth of a centimetre. */
export interface NeutralBaselineJson {
  readonly version: 1;
  readonly kind: 'person' | 'population';
  readonly frames: number;
  /** 68 × [x, y]. */
  readonly points: readonly (readonly [x: number, y: number])[];
  /** Eye aspect ratios by the lids, left and right. */
  readonly lids?: readonly [left: number, right: number];
}

/**
 * The mean head without the mean smile: it is a mean over photographs, in many of which people smile or speak. The opening between
 * the lips and the mouth's width are those that the landmark network sees on neutral faces (medians over 18 photographs).
 */
function atRest(mean: Shape): Shape {
  const shape = Float64Array.from(mean);
  const rest = 0.2;
  const narrower = 0.12;
  for (const [upper, lower, below] of [
    [61, 67, 58],
    [62, 66, 57],
    [63, 65, 56],
  ] as const) {
    const excess = shape[2 * upper + 1]! - shape[2 * lower + 1]! - rest;
    shape[2 * lower + 1]! += excess;
    shape[2 * below + 1]! += excess;
  }
  for (const left of [48, 60]) shape[2 * left]! += narrower;
  for (const right of [54, 64]) shape[2 * right]! -= narrower;
  return shape;
}

/**
 * The population's neutral face: the mean head with its mouth at rest. People
 * differ from it, so small movements are not counted; and it is the starter pack's network that sees a face so: landmarks of
 * another predictor, which puts brows and lids elsewhere, want a baseline of their own.
 */
export const POPULATION_BASELINE: NeutralBaseline = {
  kind: 'population',
  frames: 0,
  shape: atRest(MEAN_SHAPE),
};

/** One frame to learn from. */
export interface BaselineFrame {
  /** 68 points in pixels. */
  readonly landmarks: readonly Point[];
  /** Orientation of the head from elsewhere. */
  readonly pose?: Pose | undefined;
  /** Probability that the face is neutral, from an expression network, 0–1. */
  readonly neutral?: number | undefined;
  /** Lids of the eyes, 12 points (`locateLids`); the baseline knows them where `minFrames` frames have them. */
  readonly lids?: readonly Point[] | undefined;
}

export interface BaselineOptions {
  /** Fewest frames to learn from; default 5. */
  readonly minFrames?: number;
  /** Probability from which a frame counts as neutral; default 0.5. */
  readonly minNeutral?: number;
}

/** Frames whose face is turned further than this are not learned from, radians. */
const MOST_TILT = (30 * Math.PI) / 180;
/** A frame is among the quiet ones while its activity exceeds that of the quietest fifth by no more than this. */
const QUIET = 0.5;
/** Movements that tell an active frame from a quiet one. */
const ACTIVITY: readonly ActionUnitId[] = ['AU1', 'AU2', 'AU4', 'AU12', 'AU25', 'AU26', 'AU43'];

/**
 * Learns a person's neutral face. Frames that an expression network calls neutral are used where there are enough;
 * otherwise the quietest: those whose sum of brow, mouth and lid movements, each as a share of its full range, is within
 * 0.5 of the quietest fifth. The baseline is the median of each point over them, so single bad frames do not matter. Who never
 * shows a neutral face gets the quietest one that was seen. Pure function; about 0.2 ms for each frame.
 *
 * @param frames frames of one person, in any order; those that are turned by more than 30° are left out
 * @returns absent where fewer than `minFrames` frames can be used
 * @throws LineamentError INVALID_ARGUMENT for points that are not 68 finite ones, lids that are not 12, or options out of range
 */
export function learnNeutralBaseline(
  frames: readonly BaselineFrame[],
  options: BaselineOptions = {},
): NeutralBaseline | undefined {
  const least = positiveInteger('minFrames', options.minFrames ?? 5);
  const minNeutral = numberIn('minNeutral', options.minNeutral ?? 0.5, 0, 1);
  const checked = frames.map(({ landmarks, pose, neutral, lids }, i) => ({
    landmarks: checkLandmarks(`frames[${i}].landmarks`, landmarks),
    pose: pose === undefined ? undefined : finitePose(`frames[${i}].pose`, pose),
    neutral: neutral === undefined ? 0 : numberIn(`frames[${i}].neutral`, neutral, 0, 1),
    lids: lids && checkLandmarks(`frames[${i}].lids`, lids, LID_COUNT),
  }));
  const turned = (model: Shape, from: typeof checked): { frame: (typeof checked)[number]; frontal: Frontal }[] =>
    from.flatMap((frame) => {
      const frontal = frontalise(frame.landmarks, model, frame.pose, frame.lids);
      return frontal && frontal.tilt <= MOST_TILT ? [{ frame, frontal }] : [];
    });
  let used = turned(MEAN_SHAPE, checked);
  if (used.length < least) return undefined;
  const named = used.filter(({ frame }) => frame.neutral >= minNeutral);
  used = named.length >= least ? named : quietest(used, least);
  let shape = medianShape(used.map(({ frontal }) => frontal.shape));
  // Once more with the person's own face as the model, so that the turn is not judged by a stranger's.
  const again = turned(
    shape,
    used.map(({ frame }) => frame),
  );
  if (again.length >= least) shape = medianShape(again.map(({ frontal }) => frontal.shape));
  const seen = used.flatMap(({ frontal }) => frontal.lids ?? []);
  const open = seen.length < least ? undefined : medianShape(seen);
  return {
    kind: 'person',
    frames: used.length,
    shape,
    ...(open && { lids: [shapeEar(open, 'left'), shapeEar(open, 'right')] as const }),
  };
}

function quietest<T extends { readonly frontal: Frontal }>(frames: readonly T[], least: number): T[] {
  const rated = frames
    .map((frame) => ({ frame, activity: activityOf(frame.frontal) }))
    .sort((a, b) => a.activity - b.activity);
  const bound = rated[Math.floor((rated.length - 1) / 5)]!.activity + QUIET;
  const quiet = rated.filter(({ activity }) => activity <= bound);
  return (quiet.length >= least ? quiet : rated.slice(0, least)).map(({ frame }) => frame);
}

/** Signed, so that a person whose brows are high and still is as quiet in every frame as one whose brows are low. */
function activityOf({ shape, lids }: Frontal): number {
  const evidence = evidenceOf(shape, POPULATION_BASELINE.shape, lids && lossOf(lids, OPEN_LIDS));
  return ACTIVITY.reduce((sum, unit) => {
    const [l, r] = evidence[unit];
    return sum + (l + r) / 2 / ACTION_UNIT_INFO[unit].full;
  }, 0);
}

function medianShape(shapes: readonly Shape[]): Shape {
  const column = new Float64Array(shapes.length);
  const half = shapes.length >> 1;
  return MEAN_SHAPE.map((_, k) => {
    shapes.forEach((shape, i) => {
      column[i] = shape[k]!;
    });
    column.sort();
    return shapes.length % 2 === 1 ? column[half]! : (column[half - 1]! + column[half]!) / 2;
  });
}

/** The baseline as plain data for `JSON.stringify`. It describes a person's face: treat it as personal data. */
export function baselineToJson({ kind, frames, shape, lids }: NeutralBaseline): NeutralBaselineJson {
  const short = (v: number): number => Math.round(v * 1000) / 1000;
  const points = Array.from(
    { length: shape.length / 2 },
    (_, i) => [short(shape[2 * i]!), short(shape[2 * i + 1]!)] as const,
  );
  return { version: 1, kind, frames, points, ...(lids && { lids: [short(lids[0]), short(lids[1])] as const }) };
}

/**
 * Reads what {@link baselineToJson} wrote, as an object or as text.
 *
 * @throws LineamentError INVALID_ARGUMENT for anything else, naming what is wrong
 */
export function parseBaseline(json: unknown): NeutralBaseline {
  let value = json as Partial<NeutralBaselineJson> | null;
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json) as Partial<NeutralBaselineJson> | null;
    } catch (cause) {
      throw new LineamentError('INVALID_ARGUMENT', 'the baseline is not valid JSON', { cause });
    }
  }
  if (typeof value !== 'object' || value === null) throw invalid('baseline', 'object or JSON text', json);
  if (value.version !== 1) throw invalid('baseline.version', '1', value.version);
  if (value.kind !== 'person' && value.kind !== 'population') {
    throw invalid('baseline.kind', "'person' or 'population'", value.kind);
  }
  const frames = value.frames;
  if (!Number.isInteger(frames) || (frames as number) < 0) throw invalid('baseline.frames', 'number of frames', frames);
  const points = checkLandmarks('baseline.points', value.points);
  const shape = toShape(points);
  const eyes = Math.hypot(shape[90]! - shape[72]!, shape[91]! - shape[73]!);
  if (!(eyes > 1)) throw invalid('baseline.points', 'face of 68 points in centimetres of a mean head', value.points);
  const lids: unknown = value.lids;
  if (lids === undefined) return { kind: value.kind, frames: frames as number, shape };
  if (!Array.isArray(lids) || lids.length !== 2) throw invalid('baseline.lids', 'two eye aspect ratios', lids);
  const ratio = (side: 0 | 1): number => numberIn(`baseline.lids[${side}]`, lids[side], 0.05, 1);
  return { kind: value.kind, frames: frames as number, shape, lids: [ratio(0), ratio(1)] };
}
