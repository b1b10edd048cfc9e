import { realpath } from 'node:fs/promises';
import { onAbort } from '../errors/abort.js';
import { LineamentError, throwIfAborted, wrapError } from '../errors.js';
import { cancellable } from '../inference/cancel.js';
import type {
  CaptureFormat,
  NativeAddon,
  NativeCamera,
  NativeDeviceCamera,
  NativeExecutor,
  NativeSetting,
  NativeSettingName,
} from '../native/index.js';
import { loadAddon } from '../native/index.js';
import { DeviceMeter } from './device-meter.js';
import type { CameraOptions, CameraSource, DeviceControls } from './types.js';

/** A format of a camera in one size, or in every size from `leastWidth` × `leastHeight` up to `width` × `height`. */
export interface DeviceMode {
  readonly format: CaptureFormat;
  readonly width: number;
  readonly height: number;
  readonly leastWidth: number;
  readonly leastHeight: number;
  /** Most pictures a second at the largest size; 0 where the driver does not say. */
  readonly fps: number;
}

/** A camera of this machine. */
export interface VideoDevice {
  /** `/dev/video0`. */
  readonly path: string;
  /** What the driver calls it, also a name to open it by; empty where it could not be looked at. */
  readonly name: string;
  readonly driver: string;
  /** Where it is plugged in. */
  readonly bus: string;
  readonly modes: readonly DeviceMode[];
  /** Why it cannot be opened now: another program has it, or this user may not. */
  readonly problem?: LineamentError;
}

export type DeviceSource = Extract<CameraSource, { kind: 'device' }>;

export interface DeviceOptions extends Pick<CameraOptions, 'width' | 'height' | 'fps' | 'format' | 'signal'> {
  /** The formats that may be taken, the preferred one first; overrides `format`. */
  readonly formats?: readonly CaptureFormat[];
  /** Room for pictures: how many, how long (milliseconds) and how many bytes are kept. */
  readonly slots?: number;
  readonly keepMs?: number;
  readonly mostBytes?: number;
  /** No picture for so long means that it is lost, milliseconds; default 10 000. */
  readonly timeoutMs?: number;
  /** The camera object of an earlier connection that has ended: its pictures, numbers and times go on. */
  readonly takeOver?: NativeCamera;
}

/** A node that came, may be opened by others now (`present`), or went. */
export interface DeviceChange {
  readonly path: string;
  readonly present: boolean;
}

const TIMEOUT = 10_000;
/** The driver's own buffers: what it fills while a picture is copied. */
const BUFFERS = 4;
const SLOTS = 8;

/** Formats in the order in which they suit what is asked for; an empty list is the native side's usual order. */
const PREFERRED: Readonly<Record<NonNullable<CameraOptions['format']>, readonly CaptureFormat[]>> = {
  rgb: [],
  native: [],
  nv12: [],
  i420: ['i420', 'nv12', 'yuyv', 'rgb', 'bgr', 'rgba', 'bgra', 'gray', 'mjpeg'],
  gray: ['gray', 'nv12', 'i420', 'yuyv', 'rgb', 'bgr', 'rgba', 'bgra', 'mjpeg'],
};

/**
 * The cameras of this machine that speak V4L2, in the order of their nodes. Each is opened for a moment. Linux only:
 * elsewhere `CAMERA_UNSUPPORTED`.
 */
export async function listDevices(options: { readonly signal?: AbortSignal } = {}): Promise<readonly VideoDevice[]> {
  return withExecutor(async (addon, executor) => {
    const found = await cancellable(addon, options.signal, (token) => addon.listVideoDevices(executor, token));
    return found.map(({ problem, ...device }) =>
      problem === undefined ? device : { ...device, problem: deviceError(problem) },
    );
  });
}

/**
 * Opens a camera by path (also a link such as `/dev/v4l/by-id/…`), number, or the name that its driver gives (whole, or a part
 * that only one has), negotiates what is asked for and starts it. Rejects with `CAMERA_NOT_FOUND` (also where this user may not open
 * it), `CAMERA_BUSY` (in use, or no bandwidth left), `CAMERA_UNSUPPORTED` (no format that is understood; a control that it does not
 * have), `INVALID_ARGUMENT` (a control out of its range), `ABORTED`.
 */
export async function openDevice(source: DeviceSource, options: DeviceOptions = {}): Promise<DeviceCamera> {
  const { signal } = options;
  throwIfAborted(signal);
  const addon = loadAddon();
  const executor = addon.createExecutor(1);
  let native: NativeDeviceCamera | undefined;
  try {
    const path = await resolveDevice(source.device, signal);
    const keep = {
      slots: options.slots ?? SLOTS,
      ...(options.keepMs === undefined ? {} : { keepMs: options.keepMs }),
      ...(options.mostBytes === undefined ? {} : { mostBytes: options.mostBytes }),
    };
    const opened = await cancellable(addon, signal, (token) =>
      addon.openVideoDevice(
        executor,
        {
          path,
          width: options.width ?? 0,
          height: options.height ?? 0,
          fps: options.fps ?? 0,
          formats: options.formats ?? PREFERRED[options.format ?? 'native'],
          buffers: BUFFERS,
          timeoutMs: options.timeoutMs ?? TIMEOUT,
          ...(options.takeOver === undefined ? { ring: keep } : { takeOver: options.takeOver }),
        },
        token,
      ),
    );
    native = opened;
    const camera = new DeviceCamera(addon, executor, opened);
    await camera.control(source.controls ?? {});
    return camera;
  } catch (error) {
    await native?.close();
    await executor.close();
    throw deviceError(error);
  }
}

/** An open device. `native` is what pictures are read from. */
export class DeviceCamera {
  readonly native: NativeDeviceCamera;
  readonly #addon: NativeAddon;
  readonly #executor: NativeExecutor;
  #meter: DeviceMeter | undefined;

  /** @internal Use {@link openDevice}. */
  constructor(addon: NativeAddon, executor: NativeExecutor, native: NativeDeviceCamera) {
    this.#addon = addon;
    this.#executor = executor;
    this.native = native;
  }

  /** What it is, and what was negotiated; `fps` is 0 where the driver does not say. */
  get device(): NativeDeviceCamera['device'] {
    return this.native.device;
  }

  /** Pictures that the driver counted and never gave. */
  get skipped(): number {
    return this.native.skipped();
  }

  /** What can be set, with ranges and present values. */
  async settings(): Promise<readonly NativeSetting[]> {
    return this.native.settings(this.#executor).catch(rethrow);
  }

  /** Sets one thing, in the driver's units; gives what the driver made of it. */
  async set(name: NativeSettingName, value: number): Promise<number> {
    return this.native.set(this.#executor, name, value).catch(rethrow);
  }

  /** Applies what the caller asked for. `CAMERA_UNSUPPORTED` names what the camera does not have. */
  async control({ exposure, gain, whiteBalance }: DeviceControls): Promise<void> {
    if (exposure === 'auto') await this.set('autoExposure', 1);
    else if (typeof exposure === 'number') await this.set('exposure', exposure);
    if (gain === 'auto') await this.set('autoGain', 1);
    else if (gain !== undefined) await this.set('gain', gain);
    if (whiteBalance === 'auto') await this.set('autoWhiteBalance', 1);
    else if (whiteBalance !== undefined) await this.set('whiteBalance', whiteBalance);
    this.#meter =
      exposure === 'face' ? await DeviceMeter.start(this.#addon, this.#executor, this.native, gain) : undefined;
  }

  /**
   * Faces in the newest picture, pixels: with `exposure: 'face'` the exposure follows them; otherwise nothing happens. Returns at once;
   * no faces hold what is set.
   */
  meter(boxes: readonly (readonly [number, number, number, number])[]): void {
    this.#meter?.meter(boxes);
  }

  /** Resolves once what `meter` began is done. */
  async settle(): Promise<void> {
    await this.#meter?.idle();
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await this.native.close();
    await this.#meter?.idle();
    await this.#executor.close();
  }
}

/**
 * Cameras that are plugged in and out, for as long as it is iterated: nodes `video<number>` of `/dev` that come, go, or may be opened
 * by others than before. Where more happened than could be noted the path is the folder itself: list them again. Ends when the signal
 * fires.
 */
export async function* deviceChanges(
  options: { readonly signal?: AbortSignal; readonly folder?: string } = {},
): AsyncGenerator<DeviceChange, void, undefined> {
  const { signal, folder = '/dev' } = options;
  const stopped = (): boolean => signal?.aborted === true;
  if (stopped()) return;
  const queue: DeviceChange[] = [];
  let wake: (() => void) | undefined;
  let watch: { close(): void };
  try {
    watch = loadAddon().watchVideoDevices(folder, (path, present) => {
      queue.push({ path, present });
      wake?.();
    });
  } catch (error) {
    throw deviceError(error);
  }
  const done = signal === undefined ? undefined : onAbort(signal, () => wake?.());
  try {
    while (!stopped()) {
      const change = queue.shift();
      if (change !== undefined) yield change;
      else await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    done?.();
    watch.close();
  }
}

/** The node of a device; a name is looked up among the cameras that are there. */
export async function resolveDevice(device: string | number, signal?: AbortSignal): Promise<string> {
  if (typeof device === 'number') return `/dev/video${device}`;
  if (device.includes('/')) return realpath(device).catch(() => device);
  if (/^\d+$/.test(device)) return `/dev/video${device}`;
  if (/^video\d+$/.test(device)) return `/dev/${device}`;
  const all = await listDevices(signal === undefined ? {} : { signal });
  return pickDevice(device, all);
}

/** The path of the device of that name, or of the only one that has it as a part. Throws `CAMERA_NOT_FOUND`. */
export function pickDevice(name: string, devices: readonly VideoDevice[]): string {
  const wanted = name.toLowerCase();
  const named = devices.filter((device) => device.name.length > 0);
  const whole = named.find((device) => device.name.toLowerCase() === wanted);
  const parts = named.filter((device) => device.name.toLowerCase().includes(wanted));
  // The nodes of one camera share its place on the bus: the first of them is the one that people mean.
  const places = new Set(parts.map((device) => device.bus));
  const chosen = whole ?? (places.size === 1 ? parts[0] : undefined);
  if (chosen !== undefined) return chosen.path;
  const list = (named.length > 0 ? named : []).map((device) => `'${device.name}' (${device.path})`).join(', ');
  const why = parts.length > 1 ? `several are called '${name}'` : `none is called '${name}'`;
  throw new LineamentError(
    'CAMERA_NOT_FOUND',
    list.length > 0 ? `${why}; there are ${list}` : `${why}; there are none`,
    {
      fix: 'Give its path (/dev/video0), its number or its name.',
    },
  );
}

async function withExecutor<T>(work: (addon: NativeAddon, executor: NativeExecutor) => Promise<T>): Promise<T> {
  const addon = loadAddon();
  const executor = addon.createExecutor(1);
  try {
    return await work(addon, executor);
  } catch (error) {
    throw deviceError(error);
  } finally {
    await executor.close();
  }
}

const FIXES: Readonly<Record<string, string>> = {
  CAMERA_BUSY: 'Close the other program, or ask for less.',
  CAMERA_NOT_FOUND: "List what is there with 'listDevices'.",
};

/** Native failures with what to do about them. */
function deviceError(error: unknown): LineamentError {
  if (error instanceof LineamentError) return error;
  const { code, message } = error as { code?: string; message?: string };
  const wrapped = wrapError(error);
  const fix = code === undefined ? undefined : FIXES[code];
  if (fix === undefined || message?.includes(';') === true) return wrapped;
  return new LineamentError(wrapped.code, message ?? '', { cause: error, fix });
}

function rethrow(error: unknown): never {
  throw deviceError(error);
}
