/**
 * The plain data that passes between the stages.
 *
 * Pixel frame, everywhere: x right, y down, origin at the top-left corner of the top-left pixel; the centre of pixel (i, j)
 * is (i + 0.5, j + 0.5). "Left" and "right" of a face are those of the picture, unless said otherwise.
 */

/** [x, y, width, height] in pixels; may reach beyond the picture where a face is cut off by its edge. */
export type Box = readonly [x: number, y: number, width: number, height: number];

/** [x, y] in pixels. */
export type Point = readonly [x: number, y: number];

/** Layout of 8-bit pixels. `nv12` and `i420` are planar 4:2:0 (BT.601 limited range), `yuyv` is packed 4:2:2. */
export type FrameFormat = 'rgb' | 'bgr' | 'rgba' | 'bgra' | 'gray' | 'yuyv' | 'nv12' | 'i420';

/** Decoded pixels, 8 bits each, row by row. */
export interface Frame {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  /** Interleaved samples in a pixel: 3 for rgb/bgr, 4 for rgba/bgra, 1 for gray and the planar formats, 2 for yuyv. */
  readonly channels: 1 | 2 | 3 | 4;
  readonly format: FrameFormat;
  /** Bytes from one row to the next; rows are tight when absent. */
  readonly stride?: number;
}

/**
 * Head orientation in degrees, estimated from landmarks under scaled orthography.
 * `roll` > 0: the head is tilted clockwise as seen in the picture. `yaw` > 0: the face turns towards the picture's right edge.
 * `pitch` > 0: the face looks up.
 */
export interface Pose {
  readonly roll: number;
  readonly yaw: number;
  readonly pitch: number;
}

/** Brightness of the face box: `mean` and `contrast` (standard deviation) of luma in 0–255, shares of clipped pixels 0–1. */
export interface Exposure {
  readonly mean: number;
  readonly contrast: number;
  readonly underexposed: number;
  readonly overexposed: number;
}

/** A point on the unit sphere that stands for a face. Embeddings are comparable only where `model` is the same. */
export interface Embedding {
  /** The recogniser (or fusion of recognisers) that made it. */
  readonly model: string;
  readonly dims: number;
  /** `dims` numbers, Euclidean length 1. */
  readonly vector: Float32Array;
}

export const EXPRESSIONS = ['neutral', 'happy', 'sad', 'angry', 'fearful', 'disgusted', 'surprised'] as const;
export type ExpressionLabel = (typeof EXPRESSIONS)[number];

/** What a face shows, as the network was taught to name it; not what the person feels. */
export interface Expression {
  readonly label: ExpressionLabel;
  /** Probability of `label`, 0–1. */
  readonly probability: number;
  readonly probabilities: Readonly<Record<ExpressionLabel, number>>;
}

/** Perceived gender as the network was taught to name it. */
export interface Gender {
  readonly label: 'female' | 'male';
  /** Probability of `label`, 0.5–1. */
  readonly probability: number;
}

/** A face and what was asked about it. What was not asked, or could not be said, is absent. */
export interface Face {
  readonly box: Box;
  /** Confidence of the detector, 0–1. */
  readonly score: number;
  /** 68 points in the order of the iBUG 300-W annotation (jaw 0–16, brows 17–26, nose 27–35, eyes 36–47, mouth 48–67). */
  readonly landmarks?: readonly Point[];
  readonly pose?: Pose;
  /** Variance of the Laplacian of luma inside the box; absent where the box covers fewer than 3×3 pixels of the picture. */
  readonly sharpness?: number;
  /** Shorter side of the box in pixels. */
  readonly size?: number;
  readonly exposure?: Exposure;
  readonly embedding?: Embedding;
  readonly expression?: Expression;
  /** Years, expected value. */
  readonly age?: number;
  readonly gender?: Gender;
}
