import { writeFile } from 'node:fs/promises';
import { LineamentError } from '../../errors.js';
import {
  evaluateLandmarks as evaluate,
  type LandmarkEvaluation,
  type LandmarkPredictor,
  type Normalisation,
  openNetworkPredictor,
  openShapePredictor,
  readDataset,
} from '../../training/index.js';
import { cedSvg } from '../../visualization/ced.js';
import type { CommandContext, OptionValues } from '../command.js';
import { makeProgress } from '../progress.js';
import { evaluationJson, evaluationText, numberOf, openBoxes, textOf } from '../training.js';

/** `lineament evaluate-landmarks MODEL… DATA`: how near predicted points come to marked ones. */
export async function evaluateLandmarks(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const models = context.arguments.slice(0, -1);
  const data = await readDataset(context.arguments.slice(-1));
  const normalisation = textOf(options['normalise']);
  const threshold = numberOf(options['threshold']);
  const json = options['json'] === true;
  const { boxes, engine } = await openBoxes(options);
  const results: LandmarkEvaluation[] = [];
  try {
    for (const model of models) {
      await using predictor = await openPredictor(model, options);
      const total = data.pictures.filter(({ faces }) => faces.length > 0).length;
      const progress = makeProgress(terminal, total, options['quiet'] === true || json);
      try {
        const result = await evaluate({
          predictor,
          data,
          boxes,
          signal,
          onProgress: ({ path }) => progress.step(path, predictor.name),
          ...(normalisation !== undefined && { normalisation: normalisation as Normalisation }),
          ...(threshold !== undefined && { threshold }),
        });
        results.push(result);
        progress.end();
        if (!json) terminal.stdout.write(evaluationText(result, terminal.style));
      } finally {
        progress.end();
      }
    }
  } finally {
    await engine?.close();
  }
  if (json) terminal.stdout.write(`${JSON.stringify({ evaluations: results.map(evaluationJson) })}\n`);
  const svg = textOf(options['svg']);
  if (svg !== undefined) await writeChart(svg, results);
  return 0;
}

/** `network` is the landmark network of the starter pack, anything else a file. */
function openPredictor(model: string, options: OptionValues): Promise<LandmarkPredictor> {
  const threads = numberOf(options['threads']);
  const run = {
    ...(threads !== undefined && { threads }),
    square: options['square'] === true,
    robust: options['robust'] === true,
  };
  return model === 'network' ? openNetworkPredictor(run) : openShapePredictor(model, run);
}

async function writeChart(file: string, results: readonly LandmarkEvaluation[]): Promise<void> {
  const [first] = results;
  if (first === undefined) return;
  const chart = cedSvg(
    results.map(({ predictor, curve, mean, auc, failureRate }) => ({ name: predictor, curve, mean, auc, failureRate })),
    {
      title: `${first.faces} faces, ${first.points} points: share of faces within an error`,
      normaliser: first.normalisation === 'interocular' ? 'distance of the outer eye corners' : "points' diagonal",
      threshold: first.threshold,
    },
  );
  await writeFile(file, chart).catch((cause: unknown) => {
    throw new LineamentError('INVALID_ARGUMENT', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  });
}
