import { LineamentError } from '../errors.js';
import { decodeImage } from '../image/decode.js';
import {
  type NativeAddon,
  type NativeDeviceCamera,
  type NativeExecutor,
  type NativePicture,
  type NativeSetting,
  type PixelView,
  STATISTICS,
} from '../native/index.js';
import {
  beginExposure,
  type ExposureLimits,
  type ExposureState,
  type FaceBrightness,
  nextExposure,
} from './device-exposure.js';
import type { DeviceControls } from './types.js';

export type FaceBox = readonly [x: number, y: number, width: number, height: number];

/** Pictures that were on their way while a setting changed: it shows in those after them. */
const LAG = 3;
/** Of a box, what is skin rather than hair and wall. */
const INNER = 0.6;

const [MEAN, DARK, BRIGHT] = (['mean', 'underexposed', 'overexposed'] as const).map((name) => STATISTICS.indexOf(name));

/** Sets a camera's exposure and gain by the faces in its pictures. One measurement at a time; what comes meanwhile is left out. */
export class DeviceMeter {
  readonly #addon: NativeAddon;
  readonly #executor: NativeExecutor;
  readonly #camera: NativeDeviceCamera;
  readonly #limits: ExposureLimits;
  #state: ExposureState;
  /** The first picture that was taken with the present setting. */
  #from = 0;
  #work: Promise<void> | undefined;

  private constructor(
    addon: NativeAddon,
    executor: NativeExecutor,
    camera: NativeDeviceCamera,
    limits: ExposureLimits,
    state: ExposureState,
  ) {
    this.#addon = addon;
    this.#executor = executor;
    this.#camera = camera;
    this.#limits = limits;
    this.#state = state;
  }

  /** Takes the exposure over from the camera, and its gain where the caller did not fix it. `CAMERA_UNSUPPORTED` without such a control. */
  static async start(
    addon: NativeAddon,
    executor: NativeExecutor,
    camera: NativeDeviceCamera,
    gain: DeviceControls['gain'],
  ): Promise<DeviceMeter> {
    const settings = new Map((await camera.settings(executor)).map((setting) => [setting.name, setting]));
    const exposure = settings.get('exposure');
    if (exposure === undefined || camera.device.format === 'z16') {
      throw new LineamentError('CAMERA_UNSUPPORTED', `${camera.device.path}: its exposure cannot be set`, {
        fix: "Leave 'controls.exposure' out.",
      });
    }
    const own = typeof gain === 'number' ? undefined : settings.get('gain');
    const limits = limitsOf(exposure, own, settings.get('powerLine')?.value, camera.device.fps);
    const state = beginExposure(limits, exposure.value, own?.value);
    const meter = new DeviceMeter(addon, executor, camera, limits, state);
    await meter.#apply(state);
    return meter;
  }

  get state(): ExposureState {
    return this.#state;
  }

  meter(boxes: readonly FaceBox[]): void {
    if (this.#work !== undefined) return;
    this.#work = this.#step(boxes)
      // A camera that goes meanwhile is told of by its pictures.
      .catch(() => undefined)
      .finally(() => {
        this.#work = undefined;
      });
  }

  async idle(): Promise<void> {
    await this.#work;
  }

  async #step(boxes: readonly FaceBox[]): Promise<void> {
    const before = this.#state;
    const face = boxes.length === 0 ? undefined : await this.#look(boxes);
    if (face === 'early') return;
    this.#state = nextExposure(before, face, this.#limits);
    if (this.#state.exposure !== before.exposure || this.#state.gain !== before.gain) await this.#apply(this.#state);
  }

  async #look(boxes: readonly FaceBox[]): Promise<FaceBrightness | undefined | 'early'> {
    const picture = this.#camera.read(-1, { borrow: true });
    if (picture === null) return undefined;
    try {
      if (picture.sequence < this.#from) return 'early';
      const inner = new Float64Array(boxes.flatMap(innerOf));
      const view = await viewOf(picture);
      return average(boxes, await this.#addon.statistics(this.#executor, view, inner));
    } finally {
      picture.release?.();
    }
  }

  async #apply({ exposure, gain }: ExposureState): Promise<void> {
    await this.#camera.set(this.#executor, 'exposure', exposure);
    if (gain !== undefined) await this.#camera.set(this.#executor, 'gain', gain);
    const newest = this.#camera.read(-1, { borrow: true });
    if (newest !== null) this.#from = newest.sequence + 1 + LAG;
    newest?.release?.();
  }
}

function limitsOf(
  exposure: NativeSetting,
  gain: NativeSetting | undefined,
  powerLine: number | undefined,
  fps: number,
): ExposureLimits {
  // Sensors whose driver counts lines say nothing of time: neither lamps nor the rate can be told.
  const timed = exposure.lines !== true;
  return {
    exposure,
    ...(gain === undefined ? {} : { gain }),
    ...(timed && fps > 0 ? { fps } : {}),
    ...(timed && (powerLine === 1 || powerLine === 2) ? { mains: powerLine === 1 ? 50 : 60 } : {}),
  };
}

function innerOf([x, y, width, height]: FaceBox): number[] {
  const margin = (1 - INNER) / 2;
  return [x + width * margin, y + height * margin, width * INNER, height * INNER];
}

/** What the statistics read; the rows of a picture's luma where it has them, so that no colour is looked at. */
async function viewOf({ data, width, height, format }: NativePicture): Promise<PixelView> {
  if (format === 'mjpeg') return decodeImage(data);
  if (format === 'z16') throw new LineamentError('CAMERA_UNSUPPORTED', 'depth has no brightness');
  const planar = format === 'nv12' || format === 'i420';
  return planar
    ? { data: data.subarray(0, width * height), width, height, format: 'gray' }
    : { data, width, height, format };
}

/** Of all faces in the picture, each by its area: the nearest matter most. */
function average(boxes: readonly FaceBox[], numbers: Float64Array): FaceBrightness | undefined {
  const at = (box: number, index: number | undefined): number => numbers[box * STATISTICS.length + (index ?? 0)] ?? NaN;
  const seen = boxes.map(([, , w, h], i) => ({ i, area: w * h })).filter(({ i }) => Number.isFinite(at(i, MEAN)));
  const total = seen.reduce((sum, { area }) => sum + area, 0);
  if (!(total > 0)) return undefined;
  const of = (index: number | undefined): number =>
    seen.reduce((sum, { i, area }) => sum + area * at(i, index), 0) / total;
  return { mean: of(MEAN), dark: of(DARK), bright: of(BRIGHT) };
}
