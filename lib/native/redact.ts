import type { NativeExecutor, NativeToken, PixelView } from './addon.js';

/** The most blocks along a region's longer side. */
export const MOST_REDACT_BLOCKS = 32;

/** See native/image/redact.h. `blocks` from 1 to {@link MOST_REDACT_BLOCKS}. */
export interface NativeRedactOptions {
  readonly method: 'pixelate' | 'blur';
  readonly shape: 'box' | 'ellipse';
  readonly blocks: number;
}

/** What the addon exports for redaction. */
export interface NativeRedaction {
  /**
   * Overwrites regions of `image.data` in place; nobody may read or change it until the promise settles. `regions`: n × [x, y, width,
   * height] in pixels, copied at the call; one that is not finite, or has a side that is not above zero, is the whole picture.
   * `INVALID_ARGUMENT`, `ABORTED` (the picture is then partly redacted).
   */
  redact(
    executor: NativeExecutor,
    image: PixelView,
    regions: Float64Array,
    options: NativeRedactOptions,
    token?: NativeToken,
  ): Promise<void>;
}
