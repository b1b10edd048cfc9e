import type { NativeExecutor, NativeToken } from './addon.js';
import type { CaptureFormat, NativeCamera, RingOptions } from './capture.js';

/** A format of a camera in one size, or in a range of sizes up to `width` × `height`. */
export interface NativeDeviceMode {
  readonly format: CaptureFormat;
  readonly width: number;
  readonly height: number;
  /** The smallest of a range; as `width` and `height` for one size. */
  readonly leastWidth: number;
  readonly leastHeight: number;
  /** The fastest rate at the largest size; 0 where the driver says none. */
  readonly fps: number;
}

export interface NativeDeviceIdentity {
  readonly path: string;
  /** What the driver calls it; empty where it could not be opened. */
  readonly name: string;
  readonly driver: string;
  /** Where it is plugged in. */
  readonly bus: string;
}

export interface NativeDevice extends NativeDeviceIdentity {
  readonly modes: readonly NativeDeviceMode[];
  /** Why it cannot be opened now. */
  readonly problem?: Error & { readonly code: string };
}

export type NativeSettingName =
  | 'exposure'
  | 'autoExposure'
  | 'gain'
  | 'autoGain'
  | 'whiteBalance'
  | 'autoWhiteBalance'
  | 'powerLine'
  | 'brightness';

/** A setting in the driver's units; `usual` is the driver's default. Switches are 0 and 1. */
export interface NativeSetting {
  readonly name: NativeSettingName;
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly usual: number;
  readonly value: number;
  /** For `exposure`: counts lines of the sensor, not 100 µs. */
  readonly lines?: boolean;
}

export interface NativeDeviceOptions {
  readonly path: string;
  /** 0: the device's own. */
  readonly width: number;
  readonly height: number;
  readonly fps: number;
  /** In the order of preference; empty: the usual order. */
  readonly formats: readonly CaptureFormat[];
  /** That the driver fills, 4 at least. */
  readonly buffers: number;
  /** No picture for so long means that the camera is lost. */
  readonly timeoutMs: number;
  /** `slotBytes` is set by the call. */
  readonly ring?: Omit<RingOptions, 'slotBytes'>;
  readonly takeOver?: NativeCamera;
}

/** A camera object that has settings. They are asked for and set on the executor: a transfer on USB takes milliseconds. */
export interface NativeDeviceCamera extends NativeCamera {
  readonly device: NativeDeviceIdentity & {
    readonly format: CaptureFormat;
    readonly width: number;
    readonly height: number;
    /** 0 where the driver says none. */
    readonly fps: number;
  };
  /** Pictures that the driver counted and never gave. */
  skipped(): number;
  settings(executor: NativeExecutor, token?: NativeToken): Promise<NativeSetting[]>;
  /** Gives what the driver made of it. CAMERA_UNSUPPORTED, INVALID_ARGUMENT (out of range), CAMERA_BUSY, CAMERA_LOST, CLOSED. */
  set(executor: NativeExecutor, name: NativeSettingName, value: number, token?: NativeToken): Promise<number>;
}

export interface NativeV4l2 {
  listVideoDevices(executor: NativeExecutor, token?: NativeToken): Promise<NativeDevice[]>;
  openVideoDevice(
    executor: NativeExecutor,
    options: NativeDeviceOptions,
    token?: NativeToken,
  ): Promise<NativeDeviceCamera>;
  /** Tells of nodes in a folder (`/dev`) that came or changed hands (true) and went (false), until it is closed. */
  watchVideoDevices(folder: string, changed: (path: string, present: boolean) => void): { close(): void };
}
