import type { NeutralBaseline } from '../analysis/index.js';
import { AGE_GENDER_NETWORKS, EXPRESSION_NETWORKS } from '../attributes/attributes.js';
import { DETECTORS } from '../detection/plan.js';
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
import type { Mode } from '../inference/runtime.js';
import { checkLandmarks } from '../landmarks/check.js';
import { LANDMARKERS } from '../landmarks/locate.js';
import type { Calibration } from '../models/calibration.js';
import type { ModelPack } from '../models/pack.js';
import type { ChipBatchOptions } from '../recognition/chip-batches.js';
import { RECOGNISERS } from '../recognition/plan.js';
import { RECONSTRUCT_OPTIONS, type ReconstructFaceOptions } from '../reconstruction/reconstruct-options.js';
import type { Face } from '../types.js';
import { CATALOGUE_PRESETS, type CataloguePresetName } from './catalogue-presets.js';
import { PRESETS, type Preset, type PresetName } from './presets.js';

export interface EngineOptions {
  /** A preset by name (those of the catalogue want their networks to have been downloaded), or one of your own; `balanced` when absent. */
  readonly preset?: PresetName | CataloguePresetName | Preset;
  /** Folder of the models, or a pack. When absent the starter pack is found by itself, and what was downloaded by the model catalogue. */
  readonly models?: string | ModelPack;
  /** Compute threads; the processors that the process may use when absent. */
  readonly threads?: number;
  /** `latency` (default): one picture as early as possible. `throughput`: many pictures at a time, one thread each. */
  readonly mode?: Mode;
  /** Execution providers by name, in order of preference; `['cpu']` when absent. A missing one is an error. */
  readonly providers?: readonly string[];
  /** Path of a libonnxruntime; found by itself when absent. */
  readonly runtime?: string;
  /** Most pixels that a picture may have; 100 million when absent. */
  readonly maxPixels?: number;
  /** What similarities mean on your own faces: the file that `lineament calibrate` wrote, or what `calibrate` gave. */
  readonly calibration?: string | Calibration;
  /** Join faces of calls that run side by side into batches; each call runs its own when absent. */
  readonly batching?: BatchingOptions;
}

/**
 * Recognisers see faces of several calls in one run. It pays on devices that are faster with many at a time, and where many calls are in flight. Embeddings
 * are those of runs by themselves, to the last digits of 32-bit floats. A call that fails, or is aborted, fails alone.
 */
export interface BatchingOptions {
  /** Most faces in a batch, up to 256 (mirror images, where a preset looks at them, count as faces); 1 is no batching. */
  readonly maxItems: number;
  /** Longest time that a face waits for those of other calls, ms; 5 when absent. Where no other call is under way it does not wait. */
  readonly waitMs?: number;
  /** Told of each batch before it runs: id of the network and number of items. Must not throw. */
  readonly onBatch?: (network: string, items: number) => void;
}

/** Options that every call takes. */
export interface CallOptions {
  /** Stops the call, which then rejects with `ABORTED`. The engine stays usable. */
  readonly signal?: AbortSignal;
}

export interface SelectOptions extends CallOptions {
  /** Keep only so many faces: those with the largest product of area and score. All when absent. */
  readonly maxFaces?: number;
  /** Drop faces whose box has a shorter side than this, in pixels of the picture. */
  readonly minFaceSize?: number;
}

export interface DetectOptions extends SelectOptions {
  /** Find the 68 landmarks of each face as well. */
  readonly landmarks?: boolean;
}

export type Attribute = 'expression' | 'age' | 'gender';
export const ATTRIBUTES: readonly Attribute[] = ['expression', 'age', 'gender'];

export interface AnalyzeOptions extends DetectOptions {
  /** Roll, yaw and pitch. */
  readonly pose?: boolean;
  /** The head in six degrees of freedom, with the error of the fit. */
  readonly headPose?: boolean;
  /** Sharpness, size and exposure of the box alone, part of `quality`: no network runs for it. */
  readonly statistics?: boolean;
  /** Sharpness, size and exposure of the box; the components of image quality with hints. */
  readonly quality?: boolean;
  /** Distances, indices and angles of the face. */
  readonly geometry?: boolean;
  /** Left and right of the face compared. */
  readonly symmetry?: boolean;
  /** Intensities of the action units that landmarks can see. */
  readonly actionUnits?: boolean;
  /** Both expression networks and the action units, joined. */
  readonly expressionReading?: boolean;
  /** The person's neutral face, for action units and the reading; a mean face when absent. */
  readonly baseline?: NeutralBaseline;
  readonly embedding?: boolean;
  readonly attributes?: readonly Attribute[];
}

/** What can be asked of faces that are known already. */
export type AnalyzeFacesOptions = Omit<AnalyzeOptions, 'maxFaces' | 'minFaceSize'>;

export interface EmbedOptions extends SelectOptions {
  /** Every face instead of the most prominent one. */
  readonly all?: boolean;
}

export interface ReconstructOptions extends SelectOptions, ReconstructFaceOptions {
  /** Every face instead of the most prominent one. */
  readonly all?: boolean;
}

export interface MatchOptions extends CallOptions {
  /** Accept this false match rate; the threshold follows from the recogniser's calibration. */
  readonly fmr?: number;
  /** Take everything at least as similar for a match. Excludes `fmr`. */
  readonly threshold?: number;
}

export interface IdentifyOptions extends MatchOptions {
  /** Most matches; 5 when absent. */
  readonly limit?: number;
}

/** What is asked of a picture, with defaults filled in. */
export interface Ask {
  readonly landmarks: boolean;
  readonly pose: boolean;
  readonly headPose: boolean;
  readonly statistics: boolean;
  readonly quality: boolean;
  readonly geometry: boolean;
  readonly symmetry: boolean;
  readonly actionUnits: boolean;
  readonly expressionReading: boolean;
  readonly baseline: NeutralBaseline | undefined;
  readonly embedding: boolean;
  readonly attributes: ReadonlySet<Attribute>;
  readonly maxFaces: number;
  readonly minFaceSize: number;
}

export interface CheckedEngineOptions {
  readonly preset: Preset;
  readonly models?: string | ModelPack;
  readonly threads?: number;
  readonly mode: Mode;
  readonly providers: readonly string[];
  readonly runtime?: string;
  readonly maxPixels?: number;
  readonly calibration?: string | Calibration;
  readonly batching?: ChipBatchOptions;
}

/** Those that do not depend on the preset. */
export const SHARED_ENGINE_OPTIONS = [
  'models',
  'threads',
  'mode',
  'providers',
  'runtime',
  'maxPixels',
  'calibration',
  'batching',
];

export function checkEngineOptions(options: EngineOptions): CheckedEngineOptions {
  plainObject('options', options, ['preset', ...SHARED_ENGINE_OPTIONS]);
  const { models, threads, mode = 'latency', providers = ['cpu'], runtime, maxPixels, calibration } = options;
  if (!Array.isArray(providers) || providers.length === 0) throw invalid('providers', 'list of names', providers);
  return {
    preset: presetOf(options.preset ?? 'balanced'),
    mode: oneOf('mode', mode, ['latency', 'throughput']),
    providers: providers.map((name) => nonEmptyString('providers', name)),
    ...(models === undefined ? {} : { models: modelsOf(models) }),
    ...(threads === undefined ? {} : { threads: positiveInteger('threads', threads, 1024) }),
    ...(runtime === undefined ? {} : { runtime: nonEmptyString('runtime', runtime) }),
    ...(maxPixels === undefined ? {} : { maxPixels: positiveInteger('maxPixels', maxPixels) }),
    ...(calibration === undefined ? {} : { calibration: calibrationOf(calibration) }),
    ...batchingOf(options.batching),
  };
}

/** Absent where each call is to run by itself. */
function batchingOf(batching: unknown): { readonly batching?: ChipBatchOptions } {
  if (batching === undefined) return {};
  plainObject('batching', batching, ['maxItems', 'waitMs', 'onBatch']);
  const { maxItems, waitMs = 5, onBatch } = batching as BatchingOptions;
  positiveInteger('batching.maxItems', maxItems, 256);
  numberIn('batching.waitMs', waitMs, 0, 1000);
  if (onBatch !== undefined && typeof onBatch !== 'function') throw invalid('batching.onBatch', 'function', onBatch);
  return maxItems === 1 ? {} : { batching: { maxItems, waitMs, onBatch } };
}

/** A folder or a pack. */
export function modelsOf(models: unknown): string | ModelPack {
  if (typeof models !== 'object' || models === null) return nonEmptyString('models', models);
  const { folder, card, read } = models as Partial<ModelPack>;
  if (typeof folder !== 'string' || typeof card !== 'function' || typeof read !== 'function') {
    throw invalid('models', 'folder or model pack', models);
  }
  return models as ModelPack;
}

function calibrationOf(calibration: unknown): string | Calibration {
  if (typeof calibration === 'string') return nonEmptyString('calibration', calibration);
  if (typeof calibration !== 'object' || calibration === null) {
    throw invalid('calibration', 'path or calibration', calibration);
  }
  return calibration as Calibration;
}

/** Networks of a preset of the caller's own must be known by name. */
function checkNetworks({ detection, fallback, landmarks, recognition, attributes }: Preset): void {
  const known = (name: string, value: unknown, table: object): unknown => oneOf(name, value, Object.keys(table));
  known('preset.detection.network', detection.network, DETECTORS);
  if (fallback !== undefined) known('preset.fallback.network', fallback.network, DETECTORS);
  known('preset.landmarks.network', landmarks.network, LANDMARKERS);
  if (!Array.isArray(recognition.members)) {
    throw invalid('preset.recognition.members', 'list of networks', recognition.members);
  }
  for (const member of recognition.members) known('preset.recognition.members', member?.network, RECOGNISERS);
  if (attributes?.expression !== undefined) {
    known('preset.attributes.expression', attributes.expression, EXPRESSION_NETWORKS);
  }
  if (attributes?.ageGender !== undefined) {
    known('preset.attributes.ageGender', attributes.ageGender, AGE_GENDER_NETWORKS);
  }
}

function presetOf(preset: unknown): Preset {
  if (typeof preset === 'object' && preset !== null) {
    const own = preset as Partial<Preset>;
    if (own.detection === undefined || own.landmarks === undefined || own.recognition === undefined) {
      throw invalid('preset', 'preset with detection, landmarks and recognition', preset);
    }
    checkNetworks(preset as Preset);
    return preset as Preset;
  }
  const known = { ...PRESETS, ...CATALOGUE_PRESETS };
  return known[oneOf('preset', preset, Object.keys(known) as (keyof typeof known)[])];
}

const SELECT = ['signal', 'maxFaces', 'minFaceSize'];
const DETECT = [...SELECT, 'landmarks'];
const FLAGS = [
  'pose',
  'headPose',
  'statistics',
  'quality',
  'geometry',
  'symmetry',
  'actionUnits',
  'expressionReading',
  'embedding',
];
const ANALYZE = [...DETECT, ...FLAGS, 'baseline', 'attributes'];

const flag = (name: string, value: unknown): boolean => value !== undefined && boolean(name, value);

function askOf(options: AnalyzeOptions, known: readonly string[]): Ask {
  plainObject('options', options, known);
  const { attributes = [], maxFaces, minFaceSize, signal } = options;
  if (signal !== undefined) abortSignal('signal', signal);
  if (!Array.isArray(attributes)) throw invalid('attributes', `list of ${ATTRIBUTES.join(', ')}`, attributes);
  return {
    landmarks: flag('landmarks', options.landmarks),
    pose: flag('pose', options.pose),
    headPose: flag('headPose', options.headPose),
    statistics: flag('statistics', options.statistics) || flag('quality', options.quality),
    quality: flag('quality', options.quality),
    geometry: flag('geometry', options.geometry),
    symmetry: flag('symmetry', options.symmetry),
    actionUnits: flag('actionUnits', options.actionUnits),
    expressionReading: flag('expressionReading', options.expressionReading),
    baseline: options.baseline,
    embedding: flag('embedding', options.embedding),
    attributes: new Set(attributes.map((name) => oneOf('attributes', name, ATTRIBUTES))),
    maxFaces: maxFaces === undefined ? Infinity : positiveInteger('maxFaces', maxFaces),
    minFaceSize: minFaceSize === undefined ? 0 : numberIn('minFaceSize', minFaceSize, 0, Infinity),
  };
}

export const checkDetectOptions = (options: DetectOptions): Ask => askOf(options, DETECT);
export const checkAnalyzeOptions = (options: AnalyzeOptions): Ask => askOf(options, ANALYZE);

export const checkAnalyzeFacesOptions = (options: AnalyzeFacesOptions): Ask =>
  askOf(options, ['signal', 'landmarks', ...FLAGS, 'baseline', 'attributes']);

/** Faces that a caller gives: finite boxes with an area, and 68 finite points where there are landmarks. */
export function checkFaces(faces: readonly Face[]): readonly Face[] {
  if (!Array.isArray(faces)) throw invalid('faces', 'list of faces', faces);
  for (const face of faces as readonly (Partial<Face> | null)[]) {
    const { box, landmarks } = face ?? {};
    if (!Array.isArray(box) || box.length !== 4 || !box.every(Number.isFinite) || !(box[2]! > 0 && box[3]! > 0)) {
      throw invalid('box', 'x, y, width and height, finite and with an area', box);
    }
    if (landmarks !== undefined) checkLandmarks('landmarks', landmarks);
  }
  return faces;
}

export function checkEmbedOptions(options: EmbedOptions): Ask & { readonly all: boolean } {
  plainObject('options', options, [...SELECT, 'all']);
  const { all, ...select } = options;
  return { ...askOf(select, SELECT), embedding: true, all: flag('all', all) };
}

/** What is asked of the picture, and what of each face. */
export function checkReconstructOptions(options: ReconstructOptions): {
  readonly ask: Ask;
  readonly all: boolean;
  readonly face: ReconstructFaceOptions;
} {
  plainObject('options', options, [...SELECT, ...RECONSTRUCT_OPTIONS, 'all']);
  const { all, maxFaces, minFaceSize, ...face } = options;
  const select = {
    ...(maxFaces === undefined ? {} : { maxFaces }),
    ...(minFaceSize === undefined ? {} : { minFaceSize }),
    ...(face.signal === undefined ? {} : { signal: face.signal }),
  };
  const every = flag('all', all);
  const ask = askOf(select, SELECT);
  return { all: every, face, ask: { ...ask, landmarks: true, pose: true, maxFaces: every ? ask.maxFaces : 1 } };
}

export function checkCallOptions(options: CallOptions): void {
  plainObject('options', options, ['signal']);
  if (options.signal !== undefined) abortSignal('signal', options.signal);
}

export function checkMatchOptions(options: IdentifyOptions, more: readonly string[] = []): void {
  plainObject('options', options, ['signal', 'fmr', 'threshold', ...more]);
  const { signal, fmr, threshold, limit } = options;
  if (signal !== undefined) abortSignal('signal', signal);
  if (fmr !== undefined) numberIn('fmr', fmr, Number.MIN_VALUE, 1);
  if (threshold !== undefined) numberIn('threshold', threshold, -1, 1);
  if (fmr !== undefined && threshold !== undefined)
    throw invalid('threshold', 'nothing (fmr is given as well)', threshold);
  if (limit !== undefined) positiveInteger('limit', limit);
}
