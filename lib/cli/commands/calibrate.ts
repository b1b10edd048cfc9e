import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { LineamentError } from '../../errors.js';
import { openEngine } from '../../index.js';
import { calibrate, type LabelledEmbedding, type MeasuredCalibration } from '../../training/index.js';
import { detSvg } from '../../visualization/index.js';
import { mapInOrder } from '../batch.js';
import type { CommandContext } from '../command.js';
import { errorJson } from '../failure.js';
import { findTargets } from '../files.js';
import { engineOptions, faceOptions, inFlight } from '../photos.js';
import { makeProgress } from '../progress.js';
import { printable, type Style, table } from '../terminal.js';
import { rateText } from './verify.js';

interface Photograph {
  readonly person: string;
  readonly path: string;
}

/** `lineament calibrate FOLDER -o FILE`. */
export async function calibrateFolder(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const json = options['json'] === true;
  const folder = context.arguments[0] ?? '';
  const output = options['output'];
  if (typeof output !== 'string' && !json) {
    throw new LineamentError('INVALID_ARGUMENT', 'nothing says where the calibration goes', {
      fix: 'Name a file with --output, or ask for it on standard output with --json.',
    });
  }
  const photographs = await labelled(folder);
  await using engine = await openEngine(engineOptions(options, photographs.length));
  const progress = makeProgress(terminal, photographs.length, options['quiet'] === true);
  const wanted = faceOptions(options, { embedding: true, maxFaces: 1 });
  const samples: LabelledEmbedding[] = [];
  const left: { path: string; reason: string }[] = [];
  const work = async ({ path: file }: Photograph) => (await engine.analyze(file, { ...wanted, signal }))[0]?.embedding;
  for await (const outcome of mapInOrder(photographs, inFlight(options), signal, work)) {
    const { path: file, person } = outcome.item;
    const embedding = 'value' in outcome ? outcome.value : undefined;
    if (embedding !== undefined) samples.push({ person, embedding, photo: file });
    else left.push({ path: file, reason: 'error' in outcome ? errorJson(outcome.error).code : 'NO_FACE' });
    progress.step(file, embedding === undefined ? left.at(-1)!.reason : person);
  }
  progress.end();
  if (signal.aborted) throw new LineamentError('ABORTED', 'interrupted');
  const fmr = options['fmr'];
  const provenance = options['provenance'];
  const measured = await calibrate(samples, {
    signal,
    ...(typeof fmr === 'number' && { defaultFmr: fmr }),
    ...(typeof provenance === 'string' && { provenance }),
  });
  const text = `${JSON.stringify(measured, null, 1)}\n`;
  if (typeof output === 'string') await writeFile(output, text);
  const svg = options['svg'];
  if (typeof svg === 'string') await writeFile(svg, chart(measured));
  if (json) terminal.stdout.write(text);
  else terminal.stdout.write(summary(measured, left, output as string, terminal.style));
  return 0;
}

/** The photographs of the folder's folders, each named after a person. */
async function labelled(folder: string): Promise<Photograph[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new LineamentError('IMAGE_NOT_FOUND', `the folder ${folder} cannot be read`, { cause });
  });
  const persons = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  const photographs: Photograph[] = [];
  for (const person of persons.toSorted()) {
    for (const { path: file, error } of await findTargets([path.join(folder, person)])) {
      if (error === undefined) photographs.push({ person, path: file });
    }
  }
  if (photographs.length > 0) return photographs;
  throw new LineamentError('IMAGE_NOT_FOUND', `${folder} holds no folder with photographs`, {
    fix: `Put the photographs of each person into a folder of its own: ${path.join(folder, 'NAME', 'photo.jpg')}.`,
  });
}

function chart({ intervals, model, genuine, impostors }: MeasuredCalibration): string {
  const points = intervals.flatMap(({ fmr, fnmr, fnmr95 }) =>
    fnmr === undefined ? [] : [{ fmr, fnmr, ...(fnmr95 && { fnmr95 }) }],
  );
  if (points.length === 0) {
    throw new LineamentError(
      'CALIBRATION_INSUFFICIENT',
      'no two photographs show the same person: there is no curve to draw',
      {
        fix: 'Add a second photograph of some of the persons, or leave --svg out.',
      },
    );
  }
  return detSvg([{ name: model, points, facts: `${genuine} genuine, ${impostors} impostor comparisons` }]);
}

function summary(
  measured: MeasuredCalibration,
  left: readonly { path: string; reason: string }[],
  output: string,
  style: Style,
): string {
  const { identities, samples, impostors, genuine, independent, intervals } = measured;
  const share = (range: readonly [number, number] | undefined): string =>
    range === undefined ? '' : `${rateText(range[0])} to ${rateText(range[1])}`;
  const rows = intervals.map(({ fmr, similarity, fmr95, fnmr, fnmr95 }) => [
    rateText(fmr),
    share(fmr95),
    similarity.toFixed(4),
    fnmr === undefined ? '' : rateText(fnmr),
    share(fnmr95),
  ]);
  const columns = ['false match rate', '95 %', 'similarity', 'false non-match rate', '95 %'];
  const lines = [
    `${style.bold(`${samples} faces of ${identities} persons`)}, ${measured.model}: ${impostors} impostor and ${genuine} genuine comparisons, ${independent} impostor comparisons that share no person`,
    table(
      columns.map((title) => ({ title, right: true })),
      rows,
      style,
      '  ',
    ),
    `  rarer rates than ${rateText(intervals.at(-1)!.fmr)} cannot be stated: too few comparisons lie above`,
    ...left.map(({ path: file, reason }) => `  ${style.yellow('left out')} ${printable(file)}: ${reason}`),
    `written: ${printable(output)}`,
  ];
  return `${lines.join('\n')}\n`;
}
