import type { CameraState, CameraStats } from '../capture/types.js';
import type { LatencySummary } from './histogram.js';
import type { Stage } from './stages.js';
import type { Identity, Track } from './types.js';

/** A track, and who it is held to be. */
export interface WatchedTrack extends Track {
  readonly identity?: Identity;
}

/** What the pipeline knows of a camera at one frame. */
export interface TracksSnapshot {
  readonly camera: string;
  readonly timestamp: number;
  readonly sequence: number;
  readonly width: number;
  readonly height: number;
  /** Whether the detector saw this frame; otherwise all boxes are predicted. */
  readonly detected: boolean;
  /** Confirmed tracks and those that are lost for the moment. */
  readonly tracks: readonly WatchedTrack[];
}

/** One camera of a running pipeline; counts since it was opened. */
export interface WatchedCamera {
  readonly camera: string;
  readonly state: CameraState;
  /** What the camera itself counts: `dropped` are those that were overwritten before the pipeline took them. Absent where it failed to open. */
  readonly source?: CameraStats;
  /** Frames that the pipeline took. */
  readonly taken: number;
  /** Of them, those that a newer one overtook while they waited for the engine. */
  readonly overtaken: number;
  /** Of them, those that the detector saw, and those in which tracks were only predicted. */
  readonly detected: number;
  readonly predicted: number;
  /** Of them, those that failed in a stage. */
  readonly failed: number;
  /** Confirmed tracks now. */
  readonly tracks: number;
  /** From a detected frame's timestamp to the decision about it, milliseconds; of live sources. */
  readonly latency: LatencySummary;
}

export interface PipelineStats {
  readonly cameras: readonly WatchedCamera[];
  /** Where the time goes, over all cameras. */
  readonly stages: Readonly<Record<Stage, LatencySummary>>;
  readonly events: {
    /** Told to listeners, and on the disk where there is a log. */
    readonly told: number;
    /** Not on the disk yet. */
    readonly waiting: number;
    /** Given up because the log failed for too long: nobody has heard of them. */
    readonly lost: number;
  };
  readonly listeners: {
    readonly consumers: number;
    /** Events that wait for the slowest. */
    readonly queued: number;
    /** Events that slow listeners have lost; each was told so by a `gap`. */
    readonly lost: number;
    /** Errors that listeners threw. */
    readonly failures: number;
  };
  /** Bytes: of the process, of JavaScript, of what JavaScript refers to outside, and of the networks. */
  readonly memory: {
    readonly rss: number;
    readonly heap: number;
    readonly external: number;
    readonly networks: number;
  };
}

/** What closing a pipeline could not finish. All 0 where nothing was lost. */
export interface ClosingReport {
  /** Events that could not be written to the log. */
  readonly events: number;
  /** Events that listeners had not taken in time, or had lost before. */
  readonly untold: number;
  /** Frames that were taken and not looked at to the end. */
  readonly frames: number;
  /** Clips that were not finished. */
  readonly clips: number;
}
