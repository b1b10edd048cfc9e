import { describe, expect, it } from 'vitest';
import {
  beginExposure,
  type ExposureLimits,
  type ExposureState,
  FACE_LUMA,
  type FaceBrightness,
  nextExposure,
} from '../../../lib/capture/device-exposure.js';
import { random } from '../../support/random.js';

const LIMITS: ExposureLimits = {
  exposure: { least: 1, most: 5000, step: 1 },
  gain: { least: 0, most: 255, step: 1 },
  fps: 30,
};

/** From light (exposure in 100 µs × amplification × how bright the scene is) to luma 0–255, clipped by `sense`. */
type Response = (light: number) => number;
const RESPONSES: Record<string, Response> = {
  'gamma 2.2': (light) => 255 * light ** (1 / 2.2),
  linear: (light) => 255 * light,
  logarithmic: (light) => 128 + 24 * Math.log2(Math.max(light, 1e-9) / 0.2),
  'an S curve': (light) => 255 * (light ** 1.2 / (light ** 1.2 + 0.2)),
};

/** A face of skin that is half as bright here and half again there, so that its ends clip before its middle. */
function sense(light: number, response: Response, noise = 0): FaceBrightness {
  const pixels = Array.from({ length: 101 }, (_, i) => 0.6 + (0.8 * i) / 100).map((reflectance) =>
    Math.min(255, Math.max(0, Math.round(response(light * reflectance) * (1 + noise)))),
  );
  const share = (test: (value: number) => boolean): number => pixels.filter(test).length / pixels.length;
  const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length;
  return { mean, dark: share((value) => value <= 10), bright: share((value) => value >= 245) };
}

/** What a camera's gain really does; the loop does not know it. */
const amplify = (gain = 0): number => 1 + (7 * gain) / 255;

function lightOf(state: ExposureState, scene: number): number {
  return (state.exposure * amplify(state.gain) * scene) / 1000;
}

/** Runs the loop over so many pictures; gives every state and how bright the face was in it. */
function run(
  response: Response,
  scene: (frame: number) => number,
  frames: number,
  limits: ExposureLimits = LIMITS,
  start = beginExposure(limits, 156),
  noise: () => number = () => 0,
): { readonly state: ExposureState; readonly face: FaceBrightness }[] {
  let state = start;
  return Array.from({ length: frames }, (_, frame) => {
    const taken = { state, face: sense(lightOf(state, scene(frame)), response, noise()) };
    state = nextExposure(state, taken.face, limits);
    return taken;
  });
}

const off = (face: FaceBrightness): number => Math.abs(face.mean / FACE_LUMA - 1);

/** How near to the target this camera can come at all, for scenes that are too dark or bright for its range. */
function nearest(response: Response, scene: number, longest = 333): number {
  const brightest = sense(lightOf({ exposure: longest, gain: 255, settled: false }, scene), response);
  const darkest = sense(lightOf({ exposure: 1, gain: 0, settled: false }, scene), response);
  return brightest.mean < FACE_LUMA ? off(brightest) : darkest.mean > FACE_LUMA ? off(darkest) : 0;
}

/** How often the amount of light turned round. */
function turns(states: readonly ExposureState[]): number {
  const light = states.map((state) => Math.log2(lightOf(state, 1)));
  const steps = light
    .slice(1)
    .map((value, i) => value - (light[i] ?? 0))
    .filter((step) => Math.abs(step) > 1e-9);
  return steps.slice(1).filter((step, i) => Math.sign(step) !== Math.sign(steps[i] ?? 0)).length;
}

describe.each(Object.entries(RESPONSES))('a camera whose response is %s', (_, response) => {
  it.each([0.02, 0.08, 0.3, 1, 3, 12, 50, 200])('comes to the target within 8 pictures in light %d', (scene) => {
    const taken = run(response, () => scene, 40);
    const most = Math.max(0.05, nearest(response, scene) + 1e-9);
    for (const { face } of taken.slice(8)) expect(off(face)).toBeLessThanOrEqual(most);
    // It settles and then nothing moves any more.
    const settled = taken.findIndex(({ state }) => state.settled);
    expect(settled).toBeGreaterThanOrEqual(0);
    const { exposure, gain } = (taken[settled] as (typeof taken)[0]).state;
    for (const { state } of taken.slice(settled)) expect(state).toMatchObject({ exposure, gain, settled: true });
    expect(turns(taken.map(({ state }) => state))).toBeLessThanOrEqual(2);
  });

  it('follows a lamp that is switched on and off', () => {
    const taken = run(response, (frame) => (frame >= 15 && frame < 30 ? 8 : 1), 45);
    for (const frame of [14, 15 + 8, 29, 30 + 8, 44]) {
      expect(off((taken[frame] as (typeof taken)[0]).face), `picture ${frame}`).toBeLessThanOrEqual(0.05);
    }
  });

  it('does not chase noise', () => {
    const next = random(7);
    const taken = run(
      response,
      () => 1,
      60,
      LIMITS,
      beginExposure(LIMITS, 156),
      () => (next() - 0.5) * 0.06,
    );
    const after = taken.slice(12).map(({ state }) => state.exposure * 1000 + (state.gain ?? 0));
    expect(new Set(after).size).toBe(1);
  });
});

describe('limits', () => {
  const gamma = RESPONSES['gamma 2.2'] as Response;
  const last = (scene: number, limits: ExposureLimits): ReturnType<typeof run>[0] =>
    run(gamma, () => scene, 30, limits).at(-1) as ReturnType<typeof run>[0];

  it('exposes longer before it amplifies', () => {
    for (const { state } of run(gamma, () => 0.4, 30)) {
      if ((state.gain ?? 0) > 2) expect(state.exposure).toBeGreaterThanOrEqual(332);
    }
    expect(last(1, LIMITS).state.gain).toBeLessThanOrEqual(2);
    const dim = last(0.1, LIMITS).state;
    expect(dim.exposure).toBe(333); // 1/30 s
    expect(dim.gain).toBeGreaterThan(20);
  });

  it('stays at the end of its range and settles there', () => {
    const night = last(0.0005, LIMITS).state;
    expect(night).toMatchObject({ exposure: 333, gain: 255, settled: true });
    const sun = last(100_000, LIMITS).state;
    expect(sun).toMatchObject({ exposure: 1, gain: 0, settled: true });
  });

  it.each([50, 60] as const)('exposes for whole periods of %d Hz lamps where it is long enough', (mains) => {
    const period = 10_000 / (2 * mains);
    for (const scene of [0.05, 0.2, 0.5, 1, 1.7]) {
      const taken = run(gamma, () => scene, 30, { ...LIMITS, mains });
      for (const { state } of taken.slice(1)) {
        if (state.exposure < period - 1) continue;
        const periods = state.exposure / period;
        expect(Math.abs(periods - Math.round(periods)) * period).toBeLessThanOrEqual(1);
      }
      const most = Math.max(0.05, nearest(gamma, scene, mains === 50 ? 300 : 333) + 1e-9);
      for (const { face } of taken.slice(8)) expect(off(face)).toBeLessThanOrEqual(most);
    }
  });

  it('works without gain, and with coarse steps as near as they allow', () => {
    const coarse: ExposureLimits = { exposure: { least: 10, most: 2000, step: 40 } };
    const taken = run(gamma, () => 1, 30, coarse, beginExposure(coarse, 900));
    expect(taken.at(-1)?.state.settled).toBe(true);
    expect(taken.at(-1)?.state.gain).toBeUndefined();
    const settled = taken.findIndex(({ state }) => state.settled);
    expect(settled).toBeLessThanOrEqual(8);
    const errors = [50, 90, 130, 170, 210, 250, 290].map((exposure) => off(sense(exposure / 1000, gamma)));
    expect(off((taken.at(-1) as (typeof taken)[0]).face)).toBeCloseTo(Math.min(...errors), 9);
  });
});

describe('a face that is lost', () => {
  const gamma = RESPONSES['gamma 2.2'] as Response;

  it('holds what is set, and goes on when it is back', () => {
    let state = beginExposure(LIMITS, 20);
    state = nextExposure(state, sense(lightOf(state, 1), gamma), LIMITS);
    const { exposure, gain } = state;
    for (let i = 0; i < 10; i += 1) state = nextExposure(state, undefined, LIMITS);
    expect(state).toMatchObject({ exposure, gain });
    for (const { face } of run(gamma, () => 1, 30, LIMITS, state).slice(8)) expect(off(face)).toBeLessThanOrEqual(0.05);
  });

  it('takes a face outside the picture (no number) for lost', () => {
    const state = beginExposure(LIMITS, 20, 3);
    expect(nextExposure(state, { mean: Number.NaN, dark: 0, bright: 0 }, LIMITS)).toMatchObject({
      exposure: 20,
      gain: 3,
    });
  });
});
