/** What passes between the parts of the live pipeline. Times are milliseconds since the Unix epoch unless said otherwise. */
import type { AnalyzedFace } from '../engine/index.js';
import type { Box, Embedding, ExpressionLabel, Point } from '../types.js';

/** Something that a detector saw in one frame. */
export interface Detection {
  readonly kind: 'face' | 'person';
  readonly box: Box;
  /** 0–1. */
  readonly score: number;
  /** Looks of it, for finding it again; faces where an embedding was made. */
  readonly embedding?: Embedding;
  /** Everything that the engine said of a face. */
  readonly face?: AnalyzedFace;
}

/**
 * `tentative`: seen too few times to be told of. `confirmed`: there. `lost`: not seen now, may come back. `ended`: gone; its number is
 * never used again.
 */
export type TrackState = 'tentative' | 'confirmed' | 'lost' | 'ended';

/** One person in front of one camera, from coming to going. A snapshot. */
export interface Track {
  /** Unique within the pipeline's life. */
  readonly id: number;
  readonly camera: string;
  readonly state: TrackState;
  /** Where the face is, or is expected to be; absent where only the person was seen. */
  readonly face?: Box;
  /** Where the person is, or is expected to be; absent where only the face was seen. */
  readonly person?: Box;
  /** Whether this frame's detector saw it; otherwise the boxes are predicted. */
  readonly seen: boolean;
  /** Of the centre of the face (else of the person), pixels a second. */
  readonly velocity: Point;
  /** When it was seen first and last. */
  readonly first: number;
  readonly last: number;
  /** Frames in which it was detected. */
  readonly hits: number;
  /** The detection of this frame, where there is one. */
  readonly detection?: Detection;
}

/** Who a track is held to be. */
export interface Identity {
  /** `known`: enrolled in the gallery. `stranger`: nobody there, with an id that lasts. `undecided`: not enough was seen. */
  readonly kind: 'known' | 'stranger' | 'undecided';
  /** Gallery id, or the stranger's (`Person_A47B8C12`). */
  readonly id?: string;
  /** The name to show: the gallery's, one that the stranger was given, or the id. */
  readonly name?: string;
  /** Cosine of the weighted evidence with the person. */
  readonly similarity?: number;
  /** False match rate at that similarity for one comparison, where calibrated. */
  readonly fmr?: number;
  /** Looks that were joined, and the sum of their quality weights (0–1 each). */
  readonly looks: number;
  readonly weight: number;
}

interface EventBase {
  /** UUID version 7: sorts by time. */
  readonly id: string;
  readonly camera: string;
  /** Of the frame that it was seen in. */
  readonly timestamp: number;
  /** Number of the frame. */
  readonly sequence?: number;
  readonly track?: number;
  readonly identity?: Identity;
  readonly box?: Box;
}

export type PipelineEvent = EventBase &
  (
    | { readonly type: 'appeared' }
    /** `timestamp` is that of the last sight; `stayedMs` from the first. */
    | { readonly type: 'left'; readonly stayedMs: number }
    | { readonly type: 'recognised'; readonly previous?: Identity }
    | { readonly type: 'stranger'; readonly returning: boolean }
    | { readonly type: 'expression'; readonly expression: ExpressionLabel; readonly probability: number }
    | { readonly type: 'gesture'; readonly gesture: string; readonly score: number }
    | { readonly type: 'liveness'; readonly live: boolean; readonly score: number }
    | { readonly type: 'zone'; readonly zone: string; readonly action: 'entered' | 'left'; readonly stayedMs?: number }
    | { readonly type: 'line'; readonly line: string; readonly direction: 'forward' | 'backward' }
    | {
        readonly type: 'camera';
        readonly state: 'running' | 'lost' | 'ended' | 'failed';
        readonly code?: string;
        readonly message?: string;
      }
    | {
        readonly type: 'clip';
        readonly event: string;
        readonly path?: string;
        readonly sha256?: string;
        readonly thumbnail?: string;
        /** First and last moment in it, milliseconds since the Unix epoch. */
        readonly from?: number;
        readonly to?: number;
        /** Why there is none. */
        readonly code?: string;
        readonly message?: string;
      }
    | { readonly type: 'gap'; readonly stage: string; readonly count: number; readonly message: string }
  );

export type PipelineEventType = PipelineEvent['type'];

/** A region of the picture, as shares of its width and height (0–1), so that it holds at any resolution. At least three corners. */
export interface Zone {
  readonly name: string;
  readonly camera?: string;
  readonly corners: readonly Point[];
}

/** A line from `from` to `to` (shares of width and height). `forward` crosses it from its left to its right, as seen walking along it. */
export interface Line {
  readonly name: string;
  readonly camera?: string;
  readonly from: Point;
  readonly to: Point;
}
