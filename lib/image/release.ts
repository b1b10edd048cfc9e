import { loadAddon } from '../native/index.js';
import type { Frame } from '../types.js';

/** Frames whose pixels nobody but the decoder's caller has. */
const DECODED = new WeakSet<Frame>();

/** Notes that the pixels of a frame were made by decoding, and belong to nobody else. */
export function markDecoded(frame: Frame): Frame {
  DECODED.add(frame);
  return frame;
}

/**
 * Frees the pixels of a frame that `decodeImage` decoded: its `data` is empty afterwards, and nothing may read it any more, on any thread. Does
 * nothing to frames whose pixels a caller gave. What lies outside the heap of JavaScript makes the collector run long before memory is short:
 * without this, under load, one in twelve milliseconds goes into looking for pictures that are known to be done with.
 */
export function releaseFrame(frame: Frame): void {
  if (DECODED.delete(frame)) loadAddon().releaseBytes(frame.data);
}
