import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LineamentError } from '../errors.js';
import { packageRoot } from '../native/package.js';

/** One point of a measured curve: of all pairs of different persons, the share `fmr` is at least this similar. */
export interface CalibrationPoint {
  readonly similarity: number;
  readonly fmr: number;
}

/** What a similarity means for one recogniser, measured on pairs of known identity. */
export interface Calibration {
  /** `Embedding.model` that it holds for. */
  readonly model: string;
  readonly metric: 'cosine';
  /** Number of pairs of different persons behind the curve: nothing rarer than a few in `impostors` can be said. */
  readonly impostors: number;
  /** FMR that `verify` asks for when its caller names none. */
  readonly defaultFmr: number;
  /** Similarity rising, FMR falling. */
  readonly points: readonly CalibrationPoint[];
  /** Where the pairs come from, and whatever else the file says. */
  readonly [more: string]: unknown;
}

const isShare = (v: unknown): v is number => typeof v === 'number' && v > 0 && v <= 1;

/** Reads a calibration and checks that its curve is one. Throws `MODEL_CORRUPT`. */
export function parseCalibration(text: string, origin: string): Calibration {
  let c: Calibration;
  try {
    c = JSON.parse(text) as Calibration;
  } catch (cause) {
    throw new LineamentError('MODEL_CORRUPT', `the calibration ${origin} is not valid JSON`, { cause });
  }
  const wrong = (what: string): LineamentError =>
    new LineamentError('MODEL_CORRUPT', `the calibration ${origin}: ${what}`);
  if (typeof c?.model !== 'string' || c.metric !== 'cosine') throw wrong('model or metric is missing');
  if (!isShare(c.defaultFmr)) throw wrong('defaultFmr is not a share');
  if (!Array.isArray(c.points) || c.points.length < 2) throw wrong('fewer than two points');
  c.points.forEach((point, i) => {
    if (!Number.isFinite(point?.similarity) || !isShare(point.fmr))
      throw wrong(`point ${i} is not a similarity and a share`);
    const before = c.points[i - 1];
    if (before !== undefined && (point.similarity <= before.similarity || point.fmr > before.fmr)) {
      throw wrong(`point ${i} does not continue the curve`);
    }
  });
  return c;
}

/** The calibration of a recogniser; absent where none has been measured. */
export async function readCalibration(model: string): Promise<Calibration | undefined> {
  const path = join(packageRoot, 'models', 'calibration', `${model.replace(/[^\w.+-]/g, '_')}.json`);
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const calibration = parseCalibration(text, path);
  if (calibration.model !== model) throw new LineamentError('MODEL_CORRUPT', `${path} is for ${calibration.model}`);
  return calibration;
}

/**
 * A calibration of somebody's own: a file that `lineament calibrate` wrote, or what it holds. Rejects with `MODEL_NOT_FOUND` where the
 * file cannot be read, `MODEL_CORRUPT` where it is no calibration.
 */
export async function openCalibration(source: string | Calibration): Promise<Calibration> {
  if (typeof source !== 'string') return parseCalibration(JSON.stringify(source), 'given');
  const text = await readFile(source, 'utf8').catch((cause: unknown) => {
    throw new LineamentError('MODEL_NOT_FOUND', `the calibration ${source} cannot be read`, {
      cause,
      fix: "Make one with 'lineament calibrate'.",
    });
  });
  return parseCalibration(text, source);
}

/**
 * The similarity at which the false match rate is `fmr`, between measured points by straight lines in (similarity, log FMR).
 * Nothing is extrapolated: an FMR that was not measured throws `INVALID_ARGUMENT` with the range that was.
 */
export function similarityAt(calibration: Calibration, fmr: number): number {
  const { points } = calibration;
  const last = points.at(-1)!;
  if (!(fmr >= last.fmr && fmr <= points[0]!.fmr)) {
    throw new LineamentError(
      'INVALID_ARGUMENT',
      `Expected number from ${last.fmr} to ${points[0]!.fmr} (what the calibration of ${calibration.model} measured) ` +
        `for fmr but received ${fmr} of type ${typeof fmr}`,
    );
  }
  const i = Math.max(
    1,
    points.findIndex((p) => p.fmr <= fmr),
  );
  const [a, b] = [points[i - 1]!, points[i]!];
  if (a.fmr === b.fmr) return b.fmr === fmr ? a.similarity : b.similarity;
  const t = (Math.log(a.fmr) - Math.log(fmr)) / (Math.log(a.fmr) - Math.log(b.fmr));
  return a.similarity + t * (b.similarity - a.similarity);
}

/** The false match rate when everything at least as similar is taken for a match; absent outside the measured range. */
export function fmrAt(calibration: Calibration, similarity: number): number | undefined {
  const { points } = calibration;
  if (!(similarity >= points[0]!.similarity && similarity <= points.at(-1)!.similarity)) return undefined;
  const i = Math.max(
    1,
    points.findIndex((p) => p.similarity >= similarity),
  );
  const [a, b] = [points[i - 1]!, points[i]!];
  const t = (similarity - a.similarity) / (b.similarity - a.similarity);
  return Math.exp(Math.log(a.fmr) + t * (Math.log(b.fmr) - Math.log(a.fmr)));
}
