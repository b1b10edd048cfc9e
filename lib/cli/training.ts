/** What the commands that train and evaluate landmark models share. */
import { type Engine, openEngine } from '../index.js';
import type { BoxSource, LandmarkEvaluation } from '../training/index.js';
import type { OptionValues } from './command.js';
import { engineOptions, round } from './photos.js';
import { printable, type Style, table } from './terminal.js';

export const numberOf = (value: string | number | boolean | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;
export const textOf = (value: string | number | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;

/** Where the boxes of the faces come from by `--boxes`; a detector's engine is opened and is the caller's to close. */
export async function openBoxes(options: OptionValues): Promise<{ boxes: BoxSource; engine?: Engine }> {
  const wanted = textOf(options['boxes']) ?? 'given';
  if (wanted !== 'detector') return { boxes: wanted === 'points' ? 'points' : 'given' };
  const engine = await openEngine(engineOptions({ ...options, preset: 'balanced' }, 1));
  return {
    engine,
    boxes: async (frame, signal) => {
      const faces = await engine.detect(frame, signal === undefined ? {} : { signal });
      return faces.map(({ box }) => box);
    },
  };
}

export const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 2 : 1)} MB`;
export const percent = (share: number, digits = 2): string =>
  Number.isNaN(share) ? '–' : `${(share * 100).toFixed(digits)} %`;

const digits = (value: number): number | null => (Number.isFinite(value) ? round(value, 6) : null);

/** An evaluation as it is written to JSON; what is not a number becomes null. */
export function evaluationJson(e: LandmarkEvaluation): object {
  return {
    predictor: e.predictor,
    points: e.points,
    normalisation: e.normalisation,
    threshold: e.threshold,
    pictures: e.pictures,
    faces: e.faces,
    undetected: e.undetected,
    skipped: e.skipped,
    mean: digits(e.mean),
    median: digits(e.median),
    p90: digits(e.p90),
    auc: digits(e.auc),
    failureRate: digits(e.failureRate),
    parts: Object.fromEntries(Object.entries(e.parts).map(([name, value]) => [name, digits(value)])),
    perPoint: e.perPoint.map(digits),
    curve: e.curve.map(({ error, share }) => [round(error, 6), round(share, 6)]),
    errors: e.errors.map(({ path, source, line, error }) => ({
      path,
      source,
      line,
      error: error === undefined ? null : digits(error),
    })),
  };
}

/** An evaluation for people. */
export function evaluationText(e: LandmarkEvaluation, style: Style): string {
  const by = e.normalisation === 'interocular' ? 'the distance of the outer eye corners' : "the points' diagonal";
  const lines = [
    `${style.bold(printable(e.predictor))}  ${e.faces} faces on ${e.pictures} pictures, errors over ${by}`,
    table(
      ['mean', 'median', '90 % within', `area to ${percent(e.threshold, 0)}`, 'failures'].map((title) => ({
        title,
        right: true,
      })),
      [[percent(e.mean), percent(e.median), percent(e.p90), e.auc.toFixed(3), percent(e.failureRate, 1)]],
      style,
      '  ',
    ),
  ];
  const parts = Object.entries(e.parts);
  if (parts.length > 0) {
    lines.push(
      table(
        parts.map(([title]) => ({ title, right: true })),
        [parts.map(([, value]) => percent(value))],
        style,
        '  ',
      ),
    );
  }
  if (e.undetected > 0) lines.push(`  ${e.undetected} faces were not detected and count as failures`);
  if (e.skipped > 0) lines.push(`  ${e.skipped} faces were left out: the points to normalise by are not marked`);
  return `${lines.join('\n')}\n`;
}
