/** Exposure metered on faces: from how bright they are to the next setting of the camera. Pure. */

/** A setting's range in the driver's units. */
export interface SettingRange {
  readonly least: number;
  readonly most: number;
  readonly step: number;
}

/** What the camera can be set to. */
export interface ExposureLimits {
  /** Units of 100 µs. */
  readonly exposure: SettingRange;
  /** Absent where the camera has none. */
  readonly gain?: SettingRange;
  /** Longer exposures would make the camera slower than so many pictures a second. */
  readonly fps?: number;
  /** Frequency of the mains, Hz: exposures are whole periods of its lamps' light where they are as long as one. */
  readonly mains?: 50 | 60;
}

/** How bright faces are: mean luma 0–255, and the shares of pixels that are black (≤ 10) and white (≥ 245). */
export interface FaceBrightness {
  readonly mean: number;
  readonly dark: number;
  readonly bright: number;
}

interface Bound {
  readonly stops: number;
  readonly error: number;
}

/** What to set now, and what has been learned of the scene. Plain data; never changed in place. */
export interface ExposureState {
  readonly exposure: number;
  /** Absent where the camera has none. */
  readonly gain?: number;
  /** The face is as bright as wanted, or as near as the camera gets. */
  readonly settled: boolean;
  /** Settings known to be too dark and too bright for this scene. */
  readonly low?: Bound;
  readonly high?: Bound;
  /** The last setting that was measured. */
  readonly last?: { readonly stops: number; readonly luma: number };
}

/** Mean luma that a face should have: the middle of the range that keeps dark and light skin off both ends. */
export const FACE_LUMA = 118;

/** Gain is taken to amplify 1 to 16 times over its range; what it really does is found out by measuring. */
const MOST_GAIN = 16;
const NEAR = 0.04;
/** Once settled, nothing changes before the face is so much too dark or bright. */
const FAR = 0.1;
const MOST_STEP = 3;
/** Stops that are gone down or up where everything is white or black and nothing can be measured. */
const BLIND_STEP = 2.5;

const clamp = (value: number, least: number, most: number): number => Math.min(most, Math.max(least, value));

function snap(value: number, { least, most, step }: SettingRange): number {
  return clamp(least + Math.round((value - least) / step) * step, least, most);
}

function amplification(gain: number | undefined, range: SettingRange | undefined): number {
  if (gain === undefined || range === undefined || range.most <= range.least) return 1;
  return 1 + ((MOST_GAIN - 1) * (gain - range.least)) / (range.most - range.least);
}

function gainFor(factor: number, range: SettingRange): number {
  return snap(range.least + ((factor - 1) / (MOST_GAIN - 1)) * (range.most - range.least), range);
}

/** Light that is gathered, in stops: log2 of exposure × amplification. */
function stopsOf(state: Pick<ExposureState, 'exposure' | 'gain'>, limits: ExposureLimits): number {
  return Math.log2(Math.max(state.exposure, 1e-3) * amplification(state.gain, limits.gain));
}

function longest({ exposure, fps }: ExposureLimits): number {
  return fps === undefined || fps <= 0 ? exposure.most : clamp(10_000 / fps, exposure.least, exposure.most);
}

/** The settings for so many stops: as much exposure as there is, then gain; less gain first. */
function settingsFor(
  stops: number,
  limits: ExposureLimits,
  now: ExposureState,
): Pick<ExposureState, 'exposure' | 'gain'> {
  const { exposure: range, gain, mains } = limits;
  const light = 2 ** stops;
  const period = mains === undefined || gain === undefined ? 0 : 10_000 / (2 * mains);
  let exposure = clamp(light, range.least, longest(limits));
  if (gain === undefined) return { exposure: snap(exposure, range) };
  if (period > 0 && exposure >= period) {
    // A small change is left to the gain, whose steps are fine: the next whole period may be a stop away.
    const kept = light / now.exposure;
    const periods = Math.round(now.exposure / period);
    const whole = periods >= 1 && Math.abs(now.exposure - periods * period) <= range.step;
    const small = whole && Math.abs(stops - stopsOf(now, limits)) < 0.7;
    if (small && kept >= 1 && kept <= MOST_GAIN) return { exposure: now.exposure, gain: gainFor(kept, gain) };
    exposure = Math.floor(exposure / period + 1e-9) * period;
  }
  // Rounded down, so that the gain makes up for what is missing.
  exposure = clamp(
    range.least + Math.floor((exposure - range.least) / range.step + 1e-9) * range.step,
    range.least,
    range.most,
  );
  return { exposure, gain: gainFor(clamp(light / exposure, 1, MOST_GAIN), gain) };
}

/** Where the loop begins: with what the camera is set to. */
export function beginExposure(limits: ExposureLimits, exposure: number, gain?: number): ExposureState {
  return {
    exposure: clamp(exposure, limits.exposure.least, longest(limits)),
    ...(limits.gain === undefined
      ? {}
      : { gain: clamp(gain ?? limits.gain.least, limits.gain.least, limits.gain.most) }),
    settled: false,
  };
}

/**
 * The setting after a picture that was taken with `state`. Absent faces hold it. Brightness is followed in stops: the response of
 * the camera (gamma, log, whatever its gain does) is the slope between the last two measurements; steps are never beyond a
 * setting that has proved too dark or too bright, so that nothing swings. Within 4 % of the target it settles and stays until the
 * face is 10 % off.
 */
export function nextExposure(
  state: ExposureState,
  face: FaceBrightness | undefined,
  limits: ExposureLimits,
  target: number = FACE_LUMA,
): ExposureState {
  const { exposure, gain } = state;
  const set = { exposure, ...(gain === undefined ? {} : { gain }) };
  if (face === undefined || !Number.isFinite(face.mean)) return { ...set, settled: state.settled };
  const off = Math.abs(face.mean / target - 1);
  if (off <= (state.settled ? FAR : NEAR)) return { ...set, settled: true };

  const stops = stopsOf(state, limits);
  const luma = Math.log2(Math.max(face.mean, 1));
  const error = Math.log2(target) - luma;
  // A face that moved into other light: what was known no longer holds.
  const fresh = state.settled;
  const here: Bound = { stops, error };
  const low = error > 0 ? here : keepBound(fresh ? undefined : state.low, (bound) => bound.stops < stops);
  const high = error < 0 ? here : keepBound(fresh ? undefined : state.high, (bound) => bound.stops > stops);
  const blind = error < 0 ? face.bright >= 0.5 || face.mean >= 250 : face.dark >= 0.9 || face.mean < 4;
  const last = fresh ? undefined : state.last;
  const slope = slopeBetween(last, stops, luma);
  const step = blind ? Math.sign(error) * BLIND_STEP : clamp(error / slope, -MOST_STEP, MOST_STEP);
  let wanted = stops + step;
  if (low !== undefined && high !== undefined && (wanted <= low.stops || wanted >= high.stops)) {
    wanted = (low.stops + high.stops) / 2;
  }
  const next = settingsFor(wanted, limits, state);
  const bounds = { ...(low === undefined ? {} : { low }), ...(high === undefined ? {} : { high }) };
  const reached = stopsOf(next, limits);
  const tried = [low, high].find((bound) => bound !== undefined && Math.abs(bound.stops - reached) < 1e-6);
  if (tried !== undefined) {
    // The camera has nothing in between (or nothing beyond): the better of both it is.
    const other = tried === low ? high : low;
    const better = other !== undefined && Math.abs(other.error) < Math.abs(tried.error) ? other : tried;
    return { ...settingsFor(better.stops, limits, state), settled: true };
  }
  return { ...next, settled: false, ...bounds, ...(blind ? {} : { last: { stops, luma } }) };
}

function keepBound(bound: Bound | undefined, holds: (bound: Bound) => boolean): Bound | undefined {
  return bound !== undefined && holds(bound) ? bound : undefined;
}

/** Stops of luma for one stop of light. 1, what a linear camera has, goes too short a way for all others, never too far. */
function slopeBetween(last: ExposureState['last'], stops: number, luma: number): number {
  if (last === undefined || Math.abs(stops - last.stops) < 0.05) return 1;
  const slope = (luma - last.luma) / (stops - last.stops);
  return slope > 0.05 ? clamp(slope, 0.2, 1.5) : 1;
}
