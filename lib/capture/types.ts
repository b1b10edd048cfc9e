/** What comes out of a camera, and what is asked of one. */
import type { Engine } from '../engine/index.js';
import type { Box, Frame, FrameFormat, Pose } from '../types.js';

/**
 * A picture with the time it was taken. `data` is the receiver's own unless it was borrowed.
 * Upright: rotation that a file states has been applied.
 */
export interface CameraFrame extends Frame {
  /** `id` of the camera. */
  readonly camera: string;
  /** Counts the pictures that the source gave, from 0, also over reconnections; a gap is what was dropped in between. */
  readonly sequence: number;
  /**
   * When it was taken, milliseconds since the Unix epoch, never decreasing within a camera: the driver's clock where there is one
   * (V4L2), the moment of arrival for streams, the start of reading plus `position` for files.
   */
  readonly timestamp: number;
  /** Time within the file, milliseconds from its first picture; absent for live sources. */
  readonly position?: number;
}

/** A picture of a depth camera: `steps` × the camera's unit are millimetres along the optical axis, 0 is unknown. */
export interface DepthCameraFrame {
  readonly camera: string;
  readonly sequence: number;
  readonly timestamp: number;
  readonly position?: number;
  readonly width: number;
  readonly height: number;
  /** width × height, row by row; see `depthFromSensor`. */
  readonly steps: Uint16Array;
}

/** Where pictures come from. */
export type CameraSource =
  /** A V4L2 device (`/dev/video0`), by path, number or the name that the driver gives. */
  | { readonly kind: 'device'; readonly device: string | number; readonly controls?: DeviceControls }
  /** A video file, read by ffmpeg. `pace`: `live` (default) gives pictures at their own times, `fast` as fast as they are taken, none dropped. */
  | { readonly kind: 'file'; readonly path: string; readonly pace?: 'live' | 'fast'; readonly loop?: boolean }
  /** `rtsp://`, `rtsps://`, `http://`, `https://` …, read by ffmpeg. User and password in the address are never logged. */
  | {
      readonly kind: 'stream';
      readonly url: string;
      readonly transport?: 'tcp' | 'udp';
      /** No picture for so long means that it is lost, milliseconds; default 10 000. */
      readonly timeoutMs?: number;
    }
  /** Photographs of a folder in the order of their names, `fps` of them a second (default 10); `pace` as for files. */
  | { readonly kind: 'folder'; readonly path: string; readonly fps?: number; readonly pace?: 'live' | 'fast' }
  /** Bare pictures, one after another, from a FIFO or file at `path` or from an open file descriptor. */
  | {
      readonly kind: 'raw';
      readonly path?: string;
      readonly fd?: number;
      readonly width: number;
      readonly height: number;
      readonly format: FrameFormat | 'z16';
      readonly fps?: number;
    };

/** Settings of a V4L2 device; what it does not have is `CAMERA_UNSUPPORTED`. Units are those of the driver. */
export interface DeviceControls {
  /** `auto` is the camera's own; `face` is ours, metered on the faces that are handed to `camera.meter`; a number is 100 µs units. */
  readonly exposure?: 'auto' | 'face' | number;
  readonly gain?: 'auto' | number;
  /** Kelvin, or `auto`. */
  readonly whiteBalance?: 'auto' | number;
}

export interface CameraOptions {
  /** A name, an address, a path, or a source; `/dev/video0`, `0`, `rtsp://…`, `clip.mp4`, `photos/` are told apart by themselves. */
  readonly source: string | number | CameraSource;
  /** Names the camera in frames and events; made from the source when absent. */
  readonly id?: string;
  /** The size that is wanted: devices are asked for the nearest, videos are scaled down to fit, never up. The source's own when absent. */
  readonly width?: number;
  readonly height?: number;
  /** Most pictures a second: devices are asked for it, of videos the others are left out. The source's own when absent. */
  readonly fps?: number;
  /** How pictures are handed out; default: as they come, JPEG and packed formats as `rgb`. `i420` is what videos have. */
  readonly format?: 'rgb' | 'i420' | 'nv12' | 'gray' | 'native';
  /** Seconds of pictures that are kept for `history` and clips; default 0: the few newest. Costs width × height × 1.5 bytes each. */
  readonly bufferSeconds?: number;
  /** Most bytes that the kept pictures may take; default 512 MiB. Fewer seconds are kept where it does not suffice. */
  readonly bufferBytes?: number;
  /** Tries again when a live source is lost: how often (default: for ever) and how long to wait at first and at most, milliseconds. */
  readonly reconnect?:
    | false
    | { readonly attempts?: number; readonly firstDelayMs?: number; readonly mostDelayMs?: number };
  /** The ffmpeg program; found on PATH (or `LINEAMENT_FFMPEG`) when absent. Only videos and streams need it. */
  readonly ffmpeg?: string;
  /** ffmpeg's hardware decoder by name (`vaapi`, `cuda`, `videotoolbox`, …); software when absent. */
  readonly hardware?: string;
  readonly signal?: AbortSignal;
}

/** `opening` → `running` ⇄ `lost` (trying again) → `ended` (a file's end, or closed) or `failed` (gave up). */
export type CameraState = 'opening' | 'running' | 'lost' | 'ended' | 'failed';

/** A change of state. */
export interface CameraNotice {
  readonly camera: string;
  readonly state: CameraState;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  /** Why, for `lost` and `failed`; a `LineamentError`'s code and message, without secrets. */
  readonly code?: string;
  readonly message?: string;
  /** Which try it is, for `lost`. */
  readonly attempt?: number;
}

/** Counts since the camera was opened. */
export interface CameraStats {
  readonly state: CameraState;
  /** Pictures that the source gave. */
  readonly received: number;
  /** Pictures that were handed out. */
  readonly delivered: number;
  /** Pictures that were overwritten before anybody took them (newer ones were there), over all readers. */
  readonly dropped: number;
  /** Pictures that could not be read (damaged JPEG, short reads). */
  readonly damaged: number;
  readonly reconnects: number;
  /** What the source gives. */
  readonly width: number;
  readonly height: number;
  readonly format: FrameFormat | 'mjpeg' | 'z16';
  /** Measured over the last seconds; 0 before the second picture. */
  readonly fps: number;
  /** Pictures and bytes that are kept now. */
  readonly buffered: number;
  readonly bufferedBytes: number;
}

export interface FramesOptions {
  readonly signal?: AbortSignal;
  /** `newest` (default): skips what is older. `all`: in order; what is overwritten before it is taken is counted as dropped. */
  readonly order?: 'newest' | 'all';
  /** Hands out the camera's own memory, valid until the next picture is asked for: no copy. Default false. */
  readonly borrow?: boolean;
}

export interface BestFrameOptions {
  /** How long to look, milliseconds. */
  readonly within: number;
  /** What looks for faces and judges them. */
  readonly engine: Engine;
  readonly signal?: AbortSignal;
}

/** One reason why a frame is good: what was measured, and how good that is, 0–1. */
export interface FrameMerit {
  readonly name: 'sharpness' | 'exposure' | 'size' | 'pose' | 'eyes' | 'detection';
  readonly value: number;
  readonly score: number;
}

/** The best frame of a while; `merits` say why it is. */
export interface BestFrame {
  readonly frame: CameraFrame;
  readonly box: Box;
  readonly pose?: Pose;
  /** Weighted geometric mean of the merits, 0–1; what could not be measured counts as 0.3. */
  readonly score: number;
  readonly merits: readonly FrameMerit[];
  /** Frames that were looked at, and those with a face. */
  readonly looked: number;
  readonly faces: number;
}
