import type { ErrorCode } from '../../errors.js';
import type { PrivacyMode } from '../privacy/policy.js';

/** One picture of a clip: its number and time at the camera. */
export interface ClipPicture {
  readonly sequence: number;
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
}

/**
 * A clip on disk, and what is known of it; the same lies beside it as JSON. A picture is shown in the video at its own timestamp less that of
 * the first (to 1/90 000 s): the rate varies as the camera's did.
 */
export interface Clip {
  readonly path: string;
  /** JPEG; absent where none could be made. */
  readonly thumbnail?: string;
  /** Of the video, hex. */
  readonly sha256: string;
  readonly bytes: number;
  readonly camera: string;
  /** What was asked for, milliseconds since the Unix epoch; `end` with what extended it. */
  readonly start: number;
  readonly end: number;
  readonly first: ClipPicture;
  readonly last: ClipPicture;
  readonly pictures: number;
  /** Numbers between the first and the last picture that are not in the clip: the camera or its ring dropped them. */
  readonly dropped: number;
  /** How much later than asked it begins, beyond its longest time between two pictures, milliseconds: what the ring had no longer. */
  readonly missing: number;
  readonly width: number;
  readonly height: number;
  readonly encoder: string;
  readonly privacy: PrivacyMode;
  /** Events that it shows. */
  readonly events: readonly string[];
  /**
   * Why it ends where it does. `end`: as asked. `stopped`: by us. `source`: the camera came to its end or failed. `stalled`: it gave no
   * pictures. `format`: their size or layout changed. `failed`: see `failure`.
   */
  readonly ended: 'end' | 'stopped' | 'source' | 'stalled' | 'format' | 'failed';
  /** Recording failed on the way; what had been written by then is kept, can be played, and is this clip. */
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}
