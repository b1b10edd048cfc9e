/** Action units from one face: displacements against the neutral face, turned into intensities. */
import { checkLandmarks } from '../../landmarks/check.js';
import { LID_COUNT } from '../../landmarks/lids.js';
import type { Point, Pose } from '../../types.js';
import { type NeutralBaseline, OPEN_LIDS, POPULATION_BASELINE } from './baseline.js';
import { clamp, evidenceOf, lossOf, type Pair } from './evidence.js';
import { type Frontal, finitePose, frontalise } from './shape.js';
import { ACTION_UNIT_INFO, ACTION_UNITS, type ActionUnitId } from './units.js';

/** Intensities of the units on one face. */
export interface ActionUnits {
  /**
   * 0–5 for each unit: 0 not there, 1–5 as the letters A–E of the Facial Action Coding System (see `facsGrade`), linear in
   * the measured displacement. For a unit with sides, their mean, the side that is turned away counting less.
   */
  readonly intensity: Readonly<Record<ActionUnitId, number>>;
  /** Intensities of the picture's left side, for units with sides. */
  readonly left: Readonly<Partial<Record<ActionUnitId, number>>>;
  /** Intensities of the picture's right side. */
  readonly right: Readonly<Partial<Record<ActionUnitId, number>>>;
  /** What they are relative to: the person's own neutral face, or the population's, which is far less sure. */
  readonly baseline: 'person' | 'population';
  /** The turn that was undone; degrees. */
  readonly pose: Pose;
}

export interface ActionUnitOptions {
  /** The person's neutral face; the population's where there is none yet. */
  readonly baseline?: NeutralBaseline | undefined;
  /** Orientation of the head from elsewhere; otherwise it is solved for on points that expressions hardly move. */
  readonly pose?: Pose | undefined;
  /**
   * The lids of the eyes, 12 points (`locateLids`): AU43 is then measured on them, and the others of the eye are not where it is shut.
   * Without them the eyes of the 68 points are used, which the starter pack's network draws nearly open on closed eyes.
   */
  readonly lids?: readonly Point[] | undefined;
}

/**
 * Intensities of the action units that 68 points can see. The face is turned to the front first, so that a turn of the head
 * alone shows no unit; each unit is then a displacement relative to the neutral face (`ACTION_UNIT_INFO` has the table,
 * `UNITS_NOT_MEASURED` what cannot be told). A unit says which muscles a face shows at work, not what a person feels.
 * Pure function, about 0.1 ms. Movements of less than 0.8 pixels are not counted; a face should be some 150 pixels wide, or lids
 * and lips go unseen. Beyond some 30° of turn, what a mean head's depth leaves over is not counted
 * (0.1 cm for each unit of the angle's tangent), so weak movements go unseen.
 *
 * @param landmarks 68 points in pixels of the upright picture
 * @returns absent where the points span no face, or the face is turned away by more than 65°
 * @throws LineamentError INVALID_ARGUMENT for anything but 68 finite points, 12 for the lids, or a pose that is not finite
 */
export function measureActionUnits(
  landmarks: readonly Point[],
  options: ActionUnitOptions = {},
): ActionUnits | undefined {
  const points = checkLandmarks('landmarks', landmarks);
  const pose = options.pose === undefined ? undefined : finitePose('pose', options.pose);
  const lids = options.lids && checkLandmarks('lids', options.lids, LID_COUNT);
  const baseline = options.baseline ?? POPULATION_BASELINE;
  const frontal = frontalise(points, baseline.shape, pose, lids);
  return frontal && unitsOf(frontal, baseline);
}

/** Movements of less than this many pixels are not counted: landmarks do not stand more still. */
const LEAST_PIXELS = 0.8;

/** The intensities of a face that was turned to the front. */
export function unitsOf(frontal: Frontal, baseline: NeutralBaseline): ActionUnits {
  const { lids } = frontal;
  const evidence = evidenceOf(frontal.shape, baseline.shape, lids && lossOf(lids, baseline.lids ?? OPEN_LIDS));
  const weights = sideWeights(frontal.pose.yaw);
  const unsure = 0.1 * Math.tan(Math.min(frontal.tilt, 1.2));
  const intensity = {} as Record<ActionUnitId, number>;
  const left: Partial<Record<ActionUnitId, number>> = {};
  const right: Partial<Record<ActionUnitId, number>> = {};
  for (const unit of ACTION_UNITS) {
    const info = ACTION_UNIT_INFO[unit];
    const own = unit === 'AU43' && lids ? baseline.lids !== undefined : baseline.kind === 'person';
    const least = Math.max(own ? info.floor : info.populationFloor, LEAST_PIXELS / frontal.scale);
    const floor = least + unsure * Math.min(1, info.full);
    const grade = (v: number): number => clamp((5 * (v - floor)) / Math.max(info.full - floor, info.full / 4), 0, 5);
    const [l, r] = evidence[unit];
    if (!info.sided) {
      intensity[unit] = grade(l);
      continue;
    }
    left[unit] = grade(l);
    right[unit] = grade(r);
    intensity[unit] = weights[0] * left[unit] + weights[1] * right[unit];
  }
  return { intensity, left, right, baseline: baseline.kind, pose: frontal.pose };
}

/** Weights of the two sides: equal up to 20° of yaw, then the side that is turned away fades until it is out of sight at 45°. */
export function sideWeights(yaw: number): Pair {
  const far = clamp((45 - Math.abs(yaw)) / 25);
  const [l, r] = yaw > 0 ? [1, far] : [far, 1];
  return [l / (l + r), r / (l + r)];
}
