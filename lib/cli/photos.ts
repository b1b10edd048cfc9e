/** What the commands that look at photographs share: opening the engine, running over many files, writing results. */
import { availableParallelism } from 'node:os';
import { LineamentError } from '../errors.js';
import type { AnalyzedFace } from '../index.js';
import { type AnalyzeOptions, type Engine, type EngineOptions, openEngine } from '../index.js';
import type { Face, Frame } from '../types.js';
import { mapInOrder } from './batch.js';
import type { CommandContext, OptionValues } from './command.js';
import { type ErrorJson, errorJson } from './failure.js';
import { findTargets, type Target } from './files.js';
import { makeProgress } from './progress.js';
import { printable, type Terminal } from './terminal.js';

/** A photograph that was looked at. */
export interface PhotoResult {
  readonly path: string;
  readonly frame: Frame;
  readonly faces: readonly AnalyzedFace[];
  /** Milliseconds spent decoding, and finding and measuring faces, waiting for a free thread included. */
  readonly decodeMs: number;
  readonly facesMs: number;
}

const text = (value: string | number | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined;
const number = (value: string | number | boolean | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** Options for the engine from the command line; throughput mode where several photographs are in flight. */
export function engineOptions(options: OptionValues, photographs: number): EngineOptions {
  const threads = number(options['threads']);
  const calibration = text(options['calibration']);
  return {
    preset: (text(options['preset']) ?? 'balanced') as NonNullable<EngineOptions['preset']>,
    mode: photographs > 1 ? 'throughput' : 'latency',
    ...(threads !== undefined && { threads }),
    ...(calibration !== undefined && { calibration }),
  };
}

/** What to ask of the faces, from the command line and the command's own wishes. */
export function faceOptions(options: OptionValues, wanted: AnalyzeOptions): AnalyzeOptions {
  const maxFaces = number(options['max-faces']);
  const minFaceSize = number(options['min-size']);
  return {
    ...wanted,
    ...(maxFaces !== undefined && { maxFaces }),
    ...(minFaceSize !== undefined && { minFaceSize }),
  };
}

/** Photographs in flight: enough that a thread always has one to work on while others are being decoded. */
export function inFlight(options: OptionValues): number {
  return Math.min(32, (number(options['threads']) ?? availableParallelism()) + 1);
}

/** Looks at one photograph. */
export async function look(
  engine: Engine,
  path: string,
  wanted: AnalyzeOptions,
  signal: AbortSignal,
): Promise<PhotoResult> {
  const begin = performance.now();
  const frame = await engine.decode(path, { signal });
  const decoded = performance.now();
  const faces = await engine.analyze(frame, { ...wanted, signal });
  return { path, frame, faces, decodeMs: decoded - begin, facesMs: performance.now() - decoded };
}

/** What is done with each photograph, in the order of the files. */
export interface PhotoSink<R extends PhotoResult = PhotoResult> {
  /** Looks at a photograph; finds its faces and measures what is wanted when absent. */
  look?(engine: Engine, path: string, signal: AbortSignal): Promise<R>;
  /** Told how many photographs there will be. */
  begin?(photographs: number): Promise<void> | void;
  /** @returns the photograph's entry in the JSON output */
  photo(result: R): Promise<object> | object;
  /** Takes a photograph that failed; it is reported already. */
  failed?(path: string, error: ErrorJson): void;
  /** Writes the photograph for people; not called with --json. */
  print(result: R): void;
}

/** How a run over photographs went. */
export interface RunSummary {
  readonly photographs: number;
  readonly failed: number;
  readonly faces: number;
  readonly openMs: number;
  readonly totalMs: number;
  readonly interrupted: boolean;
}

const counted = (count: number, one: string): string => `${count} ${count === 1 ? one : `${one}s`}`;
export const facesText = (count: number): string => (count === 0 ? 'no face' : counted(count, 'face'));

/**
 * Runs a command over all photographs that its arguments name. Results come in the order of the files whatever finishes
 * first; a photograph that fails is reported in its place and does not stop the rest. With --json the document is valid
 * even when the run is interrupted.
 */
export async function runOverPhotos<R extends PhotoResult = PhotoResult>(
  context: CommandContext,
  wanted: AnalyzeOptions,
  sink: PhotoSink<R>,
  finish?: (engine: Engine, summary: RunSummary) => Promise<object | undefined>,
): Promise<number> {
  const { terminal, options, signal } = context;
  const json = options['json'] === true;
  const begin = performance.now();
  const targets = await findTargets(context.arguments);
  const readable = targets.filter((target) => !target.error).length;
  await using engine = await openEngine(engineOptions(options, readable));
  const openMs = performance.now() - begin;
  // JSON on the very screen that the bar is drawn on: each would overwrite the other.
  const sameScreen = json && terminal.stdout.isTTY === true && terminal.stderr.isTTY === true;
  const progress = makeProgress(terminal, targets.length, options['quiet'] === true || sameScreen);
  const wants = faceOptions(options, wanted);
  await sink.begin?.(targets.length);
  let seen = 0;
  let failed = 0;
  let faces = 0;
  let written = 0;
  const writeEntry = (entry: object): void => {
    terminal.stdout.write(`${written++ === 0 ? '' : ','}\n  ${JSON.stringify(entry)}`);
  };
  if (json) terminal.stdout.write('{"images":[');
  const work = async (target: Target): Promise<R> => {
    if (target.error) throw target.error;
    if (sink.look) return sink.look(engine, target.path, signal);
    return (await look(engine, target.path, wants, signal)) as R;
  };
  for await (const outcome of mapInOrder(targets, inFlight(options), signal, work)) {
    const { path } = outcome.item;
    seen++;
    try {
      if ('error' in outcome) throw outcome.error;
      faces += outcome.value.faces.length;
      const entry = await sink.photo(outcome.value);
      progress.clear();
      if (json) writeEntry(entry);
      else sink.print(outcome.value);
      progress.step(path, `${facesText(outcome.value.faces.length)} (${outcome.value.facesMs.toFixed(0)} ms)`);
    } catch (error) {
      failed++;
      const failure = errorJson(error);
      sink.failed?.(path, failure);
      progress.clear();
      if (json) writeEntry({ path, error: failure });
      else
        terminal.stdout.write(
          `${terminal.style.bold(printable(path))}  ${terminal.style.red(failure.code)} ${printable(failure.message)}\n`,
        );
      progress.step(path, failure.code);
    }
  }
  progress.end();
  const interrupted = signal.aborted;
  const totalMs = performance.now() - begin;
  const summary: RunSummary = { photographs: seen, failed, faces, openMs, totalMs, interrupted };
  let more: object | undefined;
  try {
    more = interrupted ? undefined : await finish?.(engine, summary);
  } finally {
    if (json) {
      const rest = more ? JSON.stringify(more).slice(1, -1) : '';
      terminal.stdout.write(`${written === 0 ? '' : '\n'}]${rest && `,${rest}`}}\n`);
    }
  }
  if (interrupted) throw new LineamentError('ABORTED', 'interrupted');
  if (!json && targets.length > 1) printTotal(terminal, targets.length, summary);
  return failed > 0 ? 2 : 0;
}

function printTotal(terminal: Terminal, photographs: number, { failed, faces, totalMs, openMs }: RunSummary): void {
  const seconds = Math.max(1e-3, (totalMs - openMs) / 1000);
  const parts = [
    counted(photographs, 'photograph'),
    facesText(faces),
    `${(photographs / seconds).toFixed(1)} photographs a second`,
  ];
  if (failed > 0) parts.push(terminal.style.red(`${failed} failed`));
  terminal.stdout.write(`\n${parts.join(', ')}\n`);
}

/** A box rounded to hundredths of a pixel: what is written to JSON. */
export const round = (value: number, digits = 2): number => {
  const factor = 10 ** digits;
  return Math.round(value * factor) / factor;
};

export const boxJson = (face: Face): number[] => face.box.map((value) => round(value));
export const pointsJson = (points: NonNullable<Face['landmarks']>): number[][] =>
  points.map(([x, y]) => [round(x), round(y)]);
