import type { NativeExecutor, NativeToken } from './addon.js';

/** A pinhole camera, in pixels. */
export interface NativeCamera {
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/** Sides from 1 to {@link MOST_DEPTH_SIDE}, in all at most {@link MOST_DEPTH_PIXELS}. */
export interface NativeSize {
  readonly width: number;
  readonly height: number;
}

/** The longest side of a depth map. */
export const MOST_DEPTH_SIDE = 16384;
/** The most pixels of a depth map. */
export const MOST_DEPTH_PIXELS = 64 * 2 ** 20;

/** See native/depth/confidence.h: pixels, millimetres, millimetres. */
export interface NativeConfidenceOptions {
  readonly margin: number;
  readonly step: number;
  readonly tolerance: number;
}

/** A window of the picture (`x`, `y`, `width`, `height`), and the picture's camera. */
export interface NativeLandmarkDepthOptions extends NativeCamera, NativeSize, NativeConfidenceOptions {
  readonly x: number;
  readonly y: number;
  readonly millimetresPerPixel: number;
  readonly curved: boolean;
}

/** Row by row: millimetres or NaN, and 0 to 1. */
export interface NativeDepth {
  readonly depth: Float32Array;
  readonly confidence: Float32Array;
}

/** What the addon exports for depth maps. Depth given is above zero or NaN. */
export interface NativeDepths {
  /** `points`: n × (x, y, z) in pixels; `triangles`: m × 3, counterclockwise from in front. `NO_SURFACE` where none is seen. */
  depthFromLandmarks(
    executor: NativeExecutor,
    points: Float32Array,
    triangles: Uint32Array,
    options: NativeLandmarkDepthOptions,
    token?: NativeToken,
  ): Promise<NativeDepth>;
  /** Confidence of a depth, with a second depth for the same pixels or without. */
  rateDepth(
    executor: NativeExecutor,
    depth: Float32Array,
    other: Float32Array | undefined,
    options: NativeCamera & NativeSize & NativeConfidenceOptions,
    token?: NativeToken,
  ): Promise<Float32Array>;
}
