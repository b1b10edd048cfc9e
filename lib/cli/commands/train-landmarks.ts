import { stat } from 'node:fs/promises';
import { LineamentError } from '../../errors.js';
import {
  evaluateLandmarks,
  type LandmarkEvaluation,
  openShapePredictor,
  type ShapeOptions,
  type TrainedLandmarks,
  type TrainingProgress,
  trainLandmarks as train,
} from '../../training/index.js';
import type { CommandContext, OptionValues } from '../command.js';
import { duration, makeProgress, type Progress } from '../progress.js';
import { printable, type Terminal } from '../terminal.js';
import { evaluationJson, evaluationText, megabytes, numberOf, openBoxes, percent, textOf } from '../training.js';

/** Names of the options on the command line, and in the API where that is not the same in camel case. */
const NUMBERS: Readonly<Record<string, keyof ShapeOptions>> = {
  'cascade-depth': 'cascadeDepth',
  'tree-depth': 'treeDepth',
  trees: 'treesPerCascade',
  nu: 'nu',
  oversampling: 'oversampling',
  'translation-jitter': 'oversamplingTranslationJitter',
  features: 'featurePoolSize',
  lambda: 'lambda',
  'test-splits': 'testSplits',
  padding: 'featurePoolRegionPadding',
};

function shapeOptions(options: OptionValues): ShapeOptions {
  const numbers = Object.entries(NUMBERS).flatMap(([flag, name]) => {
    const value = numberOf(options[flag]);
    return value === undefined ? [] : [[name, value]];
  });
  const seed = textOf(options['seed']);
  const mode = textOf(options['padding-mode']);
  return {
    ...(Object.fromEntries(numbers) as ShapeOptions),
    ...(seed !== undefined && { seed }),
    ...(mode !== undefined && { paddingMode: mode as 'landmark' | 'box' }),
  };
}

/** `lineament train-landmarks DATA… -o FILE`: a model from marked faces. */
export async function trainLandmarks(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const output = textOf(options['output']);
  if (output === undefined) {
    throw new LineamentError('INVALID_ARGUMENT', 'Expected -o FILE, where the model goes', {
      fix: "See 'lineament train-landmarks --help'.",
    });
  }
  const checkpoint = textOf(options['resume']);
  const threads = numberOf(options['threads']);
  const { boxes, engine } = await openBoxes(options);
  const bar = trainingBar(terminal, options['quiet'] === true || options['json'] === true);
  try {
    const trained = await train({
      ...shapeOptions(options),
      data: context.arguments,
      output,
      format: textOf(options['format']) === 'dlib' ? 'dlib' : 'compact',
      mirror: options['mirror'] === true,
      boxes,
      signal,
      onProgress: bar.report,
      ...(checkpoint !== undefined && { checkpoint }),
      ...(threads !== undefined && { threads }),
    });
    bar.end();
    const test = textOf(options['test']);
    let evaluation: LandmarkEvaluation | undefined;
    if (test !== undefined) {
      await using predictor = await openShapePredictor(output, threads === undefined ? {} : { threads });
      evaluation = await evaluateLandmarks({ predictor, data: test, boxes, signal });
    }
    if (options['json'] === true) {
      const { trainingError, ...rest } = trained;
      const test = evaluation === undefined ? {} : { test: evaluationJson(evaluation) };
      terminal.stdout.write(`${JSON.stringify({ ...rest, trainingError, ...test })}\n`);
    } else {
      terminal.stdout.write(trainedText(trained, terminal));
      if (evaluation !== undefined) terminal.stdout.write(`\n${evaluationText(evaluation, terminal.style)}`);
    }
    return 0;
  } catch (error) {
    bar.end();
    if (signal.aborted && checkpoint !== undefined && (await isFile(checkpoint))) {
      terminal.stderr.write(`the same command goes on from ${printable(checkpoint)}\n`);
    }
    throw error;
  } finally {
    bar.end();
    await engine?.close();
  }
}

const isFile = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isFile(),
    () => false,
  );

function trainedText(trained: TrainedLandmarks, { style }: Terminal): string {
  const { output, bytes, points, cascades, trees, depth, faces, pictures, seconds, trainingError, leafError } = trained;
  const lines = [
    `${style.bold(printable(output))}  ${megabytes(bytes)}, ${points} points, ${cascades} cascades of ${trees} trees of depth ${depth}`,
    `  learned from ${faces} faces on ${pictures} pictures in ${duration(seconds)}${trained.resumed ? ' (resumed)' : ''}`,
    `  training error ${percent(trainingError)} of the box${leafError > 0 ? `; rounding of the file at most ${percent(leafError, 4)}` : ''}`,
  ];
  if (trained.undetected > 0) lines.push(`  ${trained.undetected} faces were not detected and left out`);
  return `${lines.join('\n')}\n`;
}

/** A bar for the pictures and then one for the trees; where there is no terminal, a line for each picture and cascade. */
function trainingBar(terminal: Terminal, quiet: boolean): { report: (p: TrainingProgress) => void; end: () => void } {
  const smooth = terminal.stderr.isTTY === true;
  let stage: TrainingProgress['stage'] | undefined;
  let progress: Progress | undefined;
  let seen = 0;
  return {
    report(p) {
      const { done, total } = smooth ? p : (p.cascades ?? p);
      if (p.stage !== stage) {
        stage = p.stage;
        progress?.end();
        progress = undefined;
        // What came from a checkpoint is done already: the bar is about the rest.
        seen = p.resumed ? done : 0;
      }
      progress ??= makeProgress(terminal, Math.max(0, total - seen), quiet);
      const detail = p.error === undefined ? 'read' : `training error ${percent(p.error)}`;
      const label = p.stage === 'pictures' ? 'pictures' : `cascade, error ${percent(p.error ?? Number.NaN)}`;
      for (; seen < done; seen++) progress.step(label, detail);
    },
    end: () => progress?.end(),
  };
}
