import type { NativeToken } from './addon.js';

/** How the bytes of a captured picture are laid out, rows tight: 8-bit pixels, one JPEG file, or depth in 16-bit little-endian steps. */
export type CaptureFormat = 'rgb' | 'bgr' | 'rgba' | 'bgra' | 'gray' | 'yuyv' | 'nv12' | 'i420' | 'mjpeg' | 'z16';

/**
 * The memory of a camera's pictures. Address space is reserved for all slots; a page takes memory only when it is first
 * written, so `slotBytes` may be the largest picture that could come.
 */
export interface RingOptions {
  /** Most pictures that are kept, 3 to 100 000. */
  readonly slots: number;
  /** Most bytes of a picture, to 4 GiB. */
  readonly slotBytes: number;
  /** Pictures that are older than this when a newer one comes go, milliseconds; the newest three stay. Default: as long as there are slots. */
  readonly keepMs?: number;
  /** Most bytes of all kept pictures together; the newest three stay. Default: as the slots allow. */
  readonly mostBytes?: number;
}

/** What every camera is opened with: a ring of its own, or that of a camera that has ended. */
export type RingChoice =
  | { readonly ring: RingOptions; readonly takeOver?: undefined }
  /**
   * Its pictures stay readable, sequence numbers and times go on (a reconnection). It must have ended (`ending`), or else
   * `CAMERA_BUSY`, and not be closed (`CLOSED`); it is closed by this.
   */
  | { readonly takeOver: NativeCamera; readonly ring?: undefined };

export type PipeOptions = RingChoice & {
  /**
   * `arrival`: pictures are given at once, with the time when their last byte came and no position. `live`: when they are due
   * by their own times, counted from the first. `fast`: at once, but a picture that was not {@link NativeCamera.taken} is
   * never overwritten: the source waits instead. The last two have `startMs` plus their position as timestamp.
   */
  readonly pace: 'arrival' | 'live' | 'fast';
  /** Timestamp of the first picture, milliseconds since the Unix epoch, for `live` and `fast`; default: when it comes. */
  readonly startMs?: number;
  /**
   * Bare pictures, one after another. Absent: a NUT stream of them, as `ffmpeg -c:v rawvideo -f nut` writes it, in I420, NV12,
   * YUY2, 8-bit grey, 16-bit grey (`z16`) or packed RGB, BGR, RGBA, BGRA.
   */
  readonly raw?: {
    readonly format: Exclude<CaptureFormat, 'mjpeg'>;
    readonly width: number;
    readonly height: number;
    /** Pictures a second, for positions; `live` needs it, `fast` without it gives times of arrival. */
    readonly fps?: number;
  };
};

/** What is known of a picture. */
export interface PictureFacts {
  /** Counts what the source gave, from 0, also over {@link RingChoice | take-overs}; a gap is what was dropped. */
  readonly sequence: number;
  /** Milliseconds since the Unix epoch, never decreasing. */
  readonly timestamp: number;
  /** Milliseconds from the first picture; absent for live sources. */
  readonly position?: number;
  readonly width: number;
  readonly height: number;
  readonly format: CaptureFormat;
}

export interface NativePicture extends PictureFacts {
  /** The receiver's own, unless it was borrowed. */
  readonly data: Uint8Array;
  /**
   * Of a borrowed picture: gives the memory back, `data` is empty then. Idempotent; happens by itself when `data` is collected,
   * which may be late: a camera whose pictures are all borrowed drops what comes. Absent where `data` is a copy all the same
   * (V8 without external memory, as in Electron).
   */
  release?(): void;
}

export interface ReadOptions {
  /** `newest` (default) or the oldest that is kept (`all`), of those after the sequence number. */
  readonly order?: 'newest' | 'all';
  /** Hands out the camera's own memory, valid until `release()`; must not be written. Default: a copy. */
  readonly borrow?: boolean;
}

export interface CaptureCounts {
  /** Pictures that came whole, also those that were refused. */
  readonly received: number;
  /** Pictures, or stretches of bytes, that could not be read. */
  readonly damaged: number;
  /** Bytes that were read. */
  readonly bytes: number;
  /** Of this ring, also before a take-over: pictures that could be read at some time, and those for which all memory was borrowed. */
  readonly committed: number;
  readonly refused: number;
  /** What can be read now. */
  readonly kept: number;
  readonly keptBytes: number;
}

/**
 * A source of pictures with a thread of its own, and the pictures that are kept of it. The thread never waits for readers
 * (but with `pace: 'fast'`): newer pictures overwrite the oldest. Any number of readers; all calls but `next` and `close`
 * return at once. It is closed when it is collected, too, and when its worker ends; a process may exit while it runs.
 */
export interface NativeCamera {
  /**
   * The newest picture, or the oldest kept one, after a sequence number (−1: any); waits for it. Null when the source has ended
   * and there is none. Rejects with `ABORTED` when the token is cancelled. Waiting keeps the process alive.
   */
  next(after: number, options?: ReadOptions, token?: NativeToken): Promise<NativePicture | null>;
  /** As `next` without waiting: null where there is none now. */
  read(after: number, options?: ReadOptions): NativePicture | null;
  /** The picture with this sequence number; null where it is not kept. */
  get(sequence: number, options?: Pick<ReadOptions, 'borrow'>): NativePicture | null;
  /** The last picture that is kept with this timestamp (milliseconds) or an earlier one. */
  at(timestamp: number, options?: Pick<ReadOptions, 'borrow'>): NativePicture | null;
  /** What is kept between two timestamps, both included, oldest first; `bytes` is the length of `data`. */
  between(first: number, last: number): readonly (PictureFacts & { readonly bytes: number })[];
  /** All pictures up to this sequence number may be overwritten, for `pace: 'fast'`. */
  taken(sequence: number): void;
  readonly counts: CaptureCounts;
  /**
   * Why the source ended; absent while it runs. `OK`: the end of a file or a pipe. `VIDEO_CORRUPT`: within a picture, or the
   * bytes were no NUT stream. `CAMERA_UNSUPPORTED`: another kind of picture, or one that no slot holds. `CAMERA_LOST`: reading
   * failed, or the device is gone. `CLOSED`.
   */
  readonly ending: { readonly code: string; readonly message: string } | undefined;
  /** Ends the thread and frees the pictures, but for borrowed ones. Waiting calls, and later ones, give null. Idempotent. */
  close(): Promise<void>;
}

/** A pipe whose reading end the camera has. */
export interface NativeCapturePipe {
  readonly camera: NativeCamera;
  /** For `stdio` of `child_process.spawn`. Not inherited otherwise. */
  readonly writeFd: number;
  /** To be called once the child has it: the camera ends when nobody holds the writing end. Idempotent; happens when all is collected, too. */
  closeWriteEnd(): void;
}

/** What the addon exports for pictures from pipes and files. POSIX systems only, others throw `CAMERA_UNSUPPORTED`. */
export interface NativeCapture {
  /** Throws `INVALID_ARGUMENT`, `OUT_OF_MEMORY`, `CAMERA_BUSY`, `CLOSED`. */
  createCapturePipe(options: PipeOptions): NativeCapturePipe;
  /**
   * A file or a FIFO (whose writer may come later), or an open descriptor, of which the camera keeps one of its own. Throws as
   * `createCapturePipe`, and `CAMERA_NOT_FOUND`, `CAMERA_BUSY` (it may not be read), `CAMERA_LOST` (it cannot).
   */
  openCapture(options: PipeOptions & ({ readonly path: string } | { readonly fd: number })): NativeCamera;
}
