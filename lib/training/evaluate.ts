import { abortSignal, numberIn, oneOf, plainObject } from '../errors/validate.js';
import { callSite, LineamentError, wrapError } from '../errors.js';
import { type LandmarkDataset, readDataset } from './dataset.js';
import { fault } from './fault.js';
import {
  areaUnderCurve,
  cumulativeCurve,
  meanOfNumbers,
  type Normalisation,
  normaliser,
  partErrors,
  pointErrors,
  quantile,
  shareWithin,
} from './measures.js';
import { type BoxSource, loadPictures } from './pictures.js';
import type { LandmarkPredictor } from './predictor.js';

export interface EvaluateLandmarksOptions {
  readonly predictor: LandmarkPredictor;
  /** What {@link readDataset} reads, or what it gave. */
  readonly data: string | readonly string[] | LandmarkDataset;
  /** Where boxes come from; `given`. A face that the detector misses counts as a failure. */
  readonly boxes?: BoxSource;
  /** `interocular` for 68 points, `diagonal` otherwise. */
  readonly normalisation?: Normalisation;
  /** Error from which a face counts as a failure, and end of the area under the curve; 0.08. */
  readonly threshold?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly done: number; readonly total: number; readonly path: string }) => void;
}

export interface FaceError {
  readonly path: string;
  /** Annotation file and line of the face. */
  readonly source: string;
  readonly line: number;
  /** Mean over the points, normalised; absent where the detector did not find the face. */
  readonly error?: number;
}

/** How near points come to those marked. All errors are fractions of the normaliser (0.05: 5 %). */
export interface LandmarkEvaluation {
  readonly predictor: string;
  readonly points: number;
  readonly normalisation: Normalisation;
  readonly threshold: number;
  readonly pictures: number;
  /** Faces that were measured, those that were not detected included. */
  readonly faces: number;
  /** Faces that the detector did not find: failures, but not part of mean, median and parts. */
  readonly undetected: number;
  /** Faces left out because the points of the normaliser are not annotated. */
  readonly skipped: number;
  /** Mean over faces of the mean over points: the normalised mean error. NaN where no face has an answer. */
  readonly mean: number;
  readonly median: number;
  /** Nine of ten faces stay below it. */
  readonly p90: number;
  /** Area under the cumulative error distribution up to `threshold`, over `threshold`; 1 is perfect. */
  readonly auc: number;
  /** Share of the faces with an error above `threshold`. */
  readonly failureRate: number;
  /** Cumulative error distribution: share of the faces whose error is at most `error`, up to twice the threshold. */
  readonly curve: readonly { readonly error: number; readonly share: number }[];
  /** Mean error of each part; empty unless there are 68 points. */
  readonly parts: Readonly<Record<string, number>>;
  /** Mean error of each point. */
  readonly perPoint: readonly number[];
  /** One for each face, in the order of the data. */
  readonly errors: readonly FaceError[];
}

const KNOWN = ['predictor', 'data', 'boxes', 'normalisation', 'threshold', 'signal', 'onProgress'];
const CURVE_STEPS = 160;

/**
 * Compares predicted points with marked ones: normalised mean error, cumulative error distribution, the area under it and the
 * failure rate, as in C. Sagonas et al., "300 Faces in-the-Wild Challenge: database and results", Image and Vision Computing
 * 47, 2016. Pictures are read one after another.
 *
 * Rejects with `INVALID_ARGUMENT` (options; data, naming file and line; another number of points than the predictor's), with
 * `IMAGE_…`, `ABORTED` and what the predictor rejects with.
 */
export async function evaluateLandmarks(options: EvaluateLandmarksOptions): Promise<LandmarkEvaluation> {
  const site = callSite(evaluateLandmarks);
  try {
    plainObject('options', options, KNOWN);
    const { predictor, data, boxes = 'given', signal, onProgress } = options;
    if (typeof boxes !== 'function') oneOf('boxes', boxes, ['given', 'points']);
    if (signal !== undefined) abortSignal('signal', signal);
    const threshold = numberIn('threshold', options.threshold ?? 0.08, 1e-6, 10);
    const dataset =
      typeof data === 'string' || Array.isArray(data) ? await readDataset(data) : (data as LandmarkDataset);
    const count = dataset.names.length;
    if (count !== predictor.points) {
      const where = dataset.pictures[0]?.source ?? 'the data';
      throw fault(where, undefined, `faces of ${count} points, where ${predictor.name} finds ${predictor.points}`);
    }
    const normalisation = oneOf(
      'normalisation',
      options.normalisation ?? (count === 68 ? 'interocular' : 'diagonal'),
      count === 68 ? ['interocular', 'diagonal'] : ['diagonal'],
    );
    const errors: FaceError[] = [];
    const rows: number[][] = [];
    let skipped = 0;
    let pictures = 0;
    const total = dataset.pictures.filter(({ faces }) => faces.length > 0).length;
    for await (const { picture, frame, faces } of loadPictures(dataset, boxes, signal)) {
      const found = faces.flatMap(({ box }) => (box === undefined ? [] : [box]));
      const predicted = found.length === 0 ? [] : await predictor.predict(frame, found, signal);
      let next = 0;
      for (const { face, box } of faces) {
        const points = box === undefined ? undefined : predicted[next++];
        const by = normaliser(face.points, normalisation);
        if (by === undefined) {
          skipped++;
          continue;
        }
        const place = { path: picture.path, source: picture.source, line: face.line };
        if (points === undefined) {
          errors.push(place);
          continue;
        }
        const row = pointErrors(points, face.points, by);
        rows.push(row);
        errors.push({ ...place, error: meanOfNumbers(row) });
      }
      pictures++;
      onProgress?.({ done: pictures, total, path: picture.path });
    }
    if (errors.length === 0) {
      throw new LineamentError(
        'INVALID_ARGUMENT',
        `there is no face to measure (${skipped} lack the points to normalise by)`,
      );
    }
    const values = errors.map(({ error = Number.POSITIVE_INFINITY }) => error);
    const answered = values.filter(Number.isFinite);
    const perPoint = Array.from({ length: count }, (_, i) => meanOfNumbers(rows.map((row) => row[i] ?? Number.NaN)));
    return {
      predictor: predictor.name,
      points: count,
      normalisation,
      threshold,
      pictures,
      faces: errors.length,
      undetected: errors.length - answered.length,
      skipped,
      mean: meanOfNumbers(answered),
      median: quantile(answered, 0.5),
      p90: quantile(answered, 0.9),
      auc: areaUnderCurve(values, threshold),
      failureRate: 1 - shareWithin(values, threshold),
      curve: cumulativeCurve(values, 2 * threshold, CURVE_STEPS),
      parts: partErrors(perPoint),
      perPoint,
      errors,
    };
  } catch (error) {
    throw wrapError(error, site);
  }
}
