import type { RingOptions } from '../native/capture.js';
import type { CameraOptions } from './types.js';

/** The few newest pictures: what readers hold, what is written, and some for who is a little late. */
const FEW = 8;
const MOST_BYTES = 512 << 20;
/** Slots take no memory before they are used: enough of them for fast cameras. */
const FASTEST = 120;
/** Where nobody knows how large pictures will be: 8K (7680 × 4320 of 4:2:0), and somewhat more. Untouched memory costs nothing. */
const LARGEST = 64 << 20;

/** How much room a camera's pictures get. */
export type Room = Omit<RingOptions, 'slotBytes'>;

export function roomOf({ bufferSeconds = 0, bufferBytes = MOST_BYTES, fps = FASTEST }: CameraOptions): Room {
  return bufferSeconds === 0
    ? { slots: FEW, mostBytes: bufferBytes }
    : { slots: FEW + Math.ceil(bufferSeconds * fps), keepMs: bufferSeconds * 1000, mostBytes: bufferBytes };
}

/** Bytes of the largest picture that is to be expected of a video. */
export function slotBytesOf({ width, height }: Pick<CameraOptions, 'width' | 'height'>): number {
  return width === undefined || height === undefined ? LARGEST : Math.max(64, Math.ceil((width * height * 3) / 2));
}
