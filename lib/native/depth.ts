import type { NativeExecutor, NativeToken } from './addon.js';
import type { NativeCudaGeometry } from './cuda.js';

/** A pinhole camera, in pixels. */
export interface NativeLens {
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
export interface NativeLandmarkDepthOptions extends NativeLens, NativeSize, NativeConfidenceOptions {
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
    options: NativeLens & NativeSize & NativeConfidenceOptions,
    token?: NativeToken,
  ): Promise<Float32Array>;
  /** Bilateral filter; `spatial` in pixels, `range` in millimetres, `radius` from 1 to 16. */
  filterDepth(
    executor: NativeExecutor,
    depth: Float32Array,
    options: NativeSize & {
      readonly radius: number;
      readonly spatial: number;
      readonly range: number;
      readonly cuda?: NativeCudaGeometry | undefined;
    },
    token?: NativeToken,
  ): Promise<Float32Array>;
  /** Closes holes of at most `mostPixels` whose rim spans at most `mostSpan` millimetres. */
  fillDepth(
    executor: NativeExecutor,
    depth: Float32Array,
    confidence: Float32Array,
    options: NativeSize & NativeLens & { readonly mostPixels: number; readonly mostSpan: number },
    token?: NativeToken,
  ): Promise<NativeDepth & { readonly filled: number }>;
  /** `unit`: millimetres for a step; steps of 0 and depth outside `near` to `far` are none. */
  depthFromSteps(
    executor: NativeExecutor,
    steps: Uint16Array,
    options: NativeSize &
      NativeLens &
      NativeConfidenceOptions & { readonly unit: number; readonly near: number; readonly far: number },
    token?: NativeToken,
  ): Promise<NativeDepth>;
  /** Rounded; what has no depth, or too much, is 0. */
  stepsFromDepth(
    executor: NativeExecutor,
    depth: Float32Array,
    unit: number,
    token?: NativeToken,
  ): Promise<Uint16Array>;
  /** Fits `values` on a grid that is laid over the whole map to the map's depth; see native/depth/align.h. `NO_SURFACE`. */
  alignDepth(
    executor: NativeExecutor,
    values: Float32Array,
    grid: NativeSize & { readonly inverse: boolean },
    depth: Float32Array,
    confidence: Float32Array,
    options: NativeSize & NativeLens & { readonly tolerance: number; readonly near: number; readonly far: number },
    token?: NativeToken,
  ): Promise<NativeAlignment>;
}

export interface NativeAlignment extends NativeDepth {
  readonly scale: number;
  readonly shift: number;
  readonly compared: number;
  readonly inliers: number;
  readonly rms: number;
}
