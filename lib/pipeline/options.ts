import type { CameraFrame, CameraNotice, CameraOptions, CameraStats, FramesOptions } from '../capture/types.js';
import type { AnalyzedFace, Attribute, Engine, EngineOptions } from '../engine/index.js';
import {
  abortSignal,
  boolean,
  invalid,
  nonEmptyString,
  numberIn,
  oneOf,
  plainObject,
  positiveInteger,
} from '../errors/validate.js';
import type { Gallery } from '../gallery/index.js';
import type { Calibration } from '../models/index.js';
import type { ClipRule } from './event-clips.js';
import type { EventRulesOptions, RetentionPolicy } from './events/index.js';
import type { MatchRate } from './identity/index.js';
import type { PrivacyPolicy } from './privacy/index.js';
import type { RecordSessionOptions } from './replay/index.js';
import type { TrackerOptions } from './tracking/index.js';
import type { Identity, Line, Track, Zone } from './types.js';

/** What is needed of a camera; `Camera` of `lineament/capture` fits, and so does anything that gives frames. */
export interface PipelineCamera {
  readonly id: string;
  /** Frames as they come; with `borrow` valid until the next one is asked for. Ends with the source, or throws why there are no more. */
  frames(options: FramesOptions): AsyncIterable<CameraFrame>;
  stats(): CameraStats;
  /** Every frame waits to be taken: none may be left out. */
  readonly lossless?: boolean;
  /** `sequence` of the newest picture that is there, or that was: one that is older and waited is left for it. Absent: none is. */
  readonly newestSequence?: number | undefined;
  /** Calls the listener with changes of state, where the camera tells them; gives a function that takes this back. */
  onNotice?(listener: (notice: CameraNotice) => void): () => void;
  /** Pictures that are still kept, taken from `first` to `last`; for clips that begin before their event. */
  history?(first: number, last: number): Iterable<CameraFrame> | AsyncIterable<CameraFrame>;
  close(): Promise<void>;
}

/** A face that was looked at closely, while its frame is there. */
export interface InspectedFace {
  /** Its `data` is only valid until the hook's promise settles. */
  readonly frame: CameraFrame;
  readonly track: Track;
  readonly face: AnalyzedFace;
  readonly identity: Identity | undefined;
  readonly signal: AbortSignal;
}

/** What a hook found of a face. */
export interface Findings {
  readonly gestures?: readonly { readonly gesture: string; readonly score: number }[];
  readonly liveness?: { readonly live: boolean; readonly score: number };
}

/** What is measured of tracked faces beside who they are. */
export interface AnalyzeRule {
  /** Default none; `expression` is needed for events of that type. */
  readonly attributes?: readonly Attribute[];
  /** How often, of each track, milliseconds; default 300. */
  readonly everyMs?: number;
  /**
   * Called with each face that is looked at for its attributes (which may be none); what it finds becomes `gesture` and `liveness` events. The
   * camera's next frame waits for it.
   */
  readonly inspect?: (face: InspectedFace) => Findings | undefined | Promise<Findings | undefined>;
}

export interface PipelineOptions {
  /** Cameras that are open already (they stay the caller's), or what to open: a name, an address, a number, options. */
  readonly cameras: readonly (PipelineCamera | CameraOptions | string | number)[];
  /** Who is known. Stays the caller's. Without one everybody is a stranger. */
  readonly gallery?: Gallery;
  /** An engine that is open already (it stays the caller's), or how to open one; default the preset `fast`. */
  readonly engine?: Engine | EngineOptions;
  /** A folder for what is kept: the log of events, strangers, clips. Without one nothing is, and strangers last as long as the pipeline. */
  readonly data?: string;
  /** `auto` (default): the detector sees frames as often as the engine has room. A number: every n-th frame, tracks are predicted in between. */
  readonly detectEvery?: number | 'auto';
  /** Frames in the engine at a time; default 2, or 1 where the engine has one thread. */
  readonly inFlight?: number;
  /** Faces whose box has a shorter side than this are left out, in pixels of the picture. */
  readonly minFaceSize?: number;
  readonly analyze?: AnalyzeRule;
  /** When a face is a known person, as a rate or a threshold; as `Gallery.identify` when absent. Name a rate for large galleries. */
  readonly match?: MatchRate;
  /** A calibration of your own, for the rates that identities state; the starter pack's when absent. */
  readonly calibration?: Calibration;
  /** Whether to find out who people are; default true. */
  readonly identify?: boolean;
  /** How tracks are followed. */
  readonly tracking?: Omit<TrackerOptions, 'nextId'>;
  readonly zones?: readonly Zone[];
  readonly lines?: readonly Line[];
  /** When events are told. */
  readonly rules?: Omit<EventRulesOptions, 'zones' | 'lines' | 'ids' | 'isReturning'>;
  /** Video of what happened; needs `data` or a folder of its own. `true`: as the defaults are. */
  readonly clips?: boolean | ClipRule;
  /**
   * Whose faces are covered in clips and in `Pipeline.frames`. A policy by consent without a `consent` of its own asks the log of events: those whose consent
   * to recording is given.
   */
  readonly privacy?: PrivacyPolicy;
  /** Archives and deletes what is due, now and once a day; needs `data`. Persons go from the gallery too. `true`: as the defaults are. */
  readonly retention?: boolean | RetentionPolicy;
  /** Records what the cameras give into a folder that is not there yet, for `openReplay`. */
  readonly record?: string | (RecordSessionOptions & { readonly folder: string });
  /** Every frame in the order of time over all cameras, none left out: for replays and files, not for live sources. Default false. */
  readonly inOrder?: boolean;
  /** The same seed gives events the same ids in replays that are compared; random ones when absent. */
  readonly seed?: string;
  /** Closes the pipeline when it fires. */
  readonly signal?: AbortSignal;
}

/** The options with their defaults. */
export interface CheckedPipeline extends PipelineOptions {
  readonly every: number;
  readonly analyze: AnalyzeRule;
  readonly identify: boolean;
  readonly inOrder: boolean;
}

const OPTIONS = [
  'cameras',
  'gallery',
  'engine',
  'data',
  'detectEvery',
  'inFlight',
  'minFaceSize',
  'analyze',
  'match',
  'calibration',
  'identify',
  'tracking',
  'zones',
  'lines',
  'rules',
  'clips',
  'privacy',
  'retention',
  'record',
  'inOrder',
  'seed',
  'signal',
] as const satisfies readonly (keyof PipelineOptions)[];

const CLIPS = [
  'folder',
  'events',
  'preSeconds',
  'postSeconds',
  'maxSeconds',
  'encoders',
  'encoder',
  'quality',
  'threads',
  'thumbnailSide',
  'idleSeconds',
  'ffmpeg',
] as const satisfies readonly (keyof ClipRule)[];

const RETENTION = [
  'archiveAfterDays',
  'deleteAfterDays',
  'eventsDays',
  'clipsDays',
] as const satisfies readonly (keyof RetentionPolicy)[];

/** @throws LineamentError INVALID_ARGUMENT */
export function checkPipelineOptions(options: PipelineOptions): CheckedPipeline {
  plainObject('options', options, OPTIONS);
  const { cameras, gallery, engine, data, detectEvery = 'auto', inFlight, minFaceSize, analyze = {}, signal } = options;
  const { identify, inOrder, seed } = options;
  if (!Array.isArray(cameras) || cameras.length === 0)
    throw invalid('cameras', 'list with at least one camera', cameras);
  for (const camera of cameras as readonly unknown[]) {
    const named = typeof camera === 'string' || typeof camera === 'number';
    if (!named && (typeof camera !== 'object' || camera === null)) throw invalid('cameras', 'camera or source', camera);
  }
  if (gallery !== undefined && typeof gallery.identifyMany !== 'function') throw invalid('gallery', 'gallery', gallery);
  if (engine !== undefined && (typeof engine !== 'object' || engine === null))
    throw invalid('engine', 'engine', engine);
  if (data !== undefined) nonEmptyString('data', data);
  if (inFlight !== undefined) positiveInteger('inFlight', inFlight, 64);
  if (minFaceSize !== undefined) numberIn('minFaceSize', minFaceSize, 0, 100_000);
  const { clips = false, retention = false } = options;
  if (typeof clips !== 'boolean') plainObject('clips', clips, CLIPS);
  if (clips !== false && data === undefined && (clips === true || clips.folder === undefined)) {
    throw invalid('clips', "nothing without 'data' or a folder", clips, "Name a folder for them with 'data'.");
  }
  if (typeof retention !== 'boolean') plainObject('retention', retention, RETENTION);
  if (retention !== false && data === undefined) throw invalid('retention', "nothing without 'data'", retention);
  const { record } = options;
  if (typeof record === 'object') plainObject('record', record, ['folder', 'storage', 'ffmpeg', 'onFailure']);
  const { mode = 'none' } = options.privacy ?? {};
  if (record !== undefined && mode !== 'none') {
    throw invalid('record', `nothing with privacy '${mode}': sessions keep every face uncovered`, record);
  }
  if (record !== undefined) nonEmptyString('record', typeof record === 'object' ? record?.folder : record);
  if (seed !== undefined) nonEmptyString('seed', seed);
  if (signal !== undefined) abortSignal('signal', signal);
  plainObject('analyze', analyze, ['attributes', 'everyMs', 'inspect']);
  if (analyze.everyMs !== undefined) numberIn('analyze.everyMs', analyze.everyMs, 0, 3_600_000);
  if (analyze.inspect !== undefined && typeof analyze.inspect !== 'function') {
    throw invalid('analyze.inspect', 'function', analyze.inspect);
  }
  const { attributes = [] } = analyze;
  if (!Array.isArray(attributes)) throw invalid('analyze.attributes', 'list', attributes);
  for (const one of attributes) oneOf('analyze.attributes', one, ['expression', 'age', 'gender']);
  return {
    ...options,
    every: detectEvery === 'auto' ? 1 : positiveInteger('detectEvery', detectEvery, 10_000),
    analyze,
    identify: identify === undefined || boolean('identify', identify),
    inOrder: inOrder !== undefined && boolean('inOrder', inOrder),
  };
}

export const isCamera = (camera: PipelineOptions['cameras'][number]): camera is PipelineCamera =>
  typeof camera === 'object' && 'frames' in camera && typeof camera.frames === 'function';
