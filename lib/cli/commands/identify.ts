import { LineamentError } from '../../errors.js';
import type { Identification } from '../../gallery/index.js';
import type { AnalyzedFace } from '../../index.js';
import { openCalibration } from '../../models/index.js';
import type { CommandContext } from '../command.js';
import { openNamedGallery } from '../galleries.js';
import { boxJson, type PhotoResult, round, runOverPhotos } from '../photos.js';
import { printable, table } from '../terminal.js';
import { photoHeading } from './detect.js';
import { rateText } from './verify.js';

/** `lineament identify PHOTOGRAPHS --gallery DIR`: exit code 0 where at least one face was recognised, 1 for none. */
export async function identify(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const { fmr, fpir, threshold, candidates, collection, calibration } = options;
  if ([fmr, fpir, threshold].filter((one) => one !== undefined).length > 1) {
    throw new LineamentError('INVALID_ARGUMENT', 'give one of --fmr, --fpir and --threshold');
  }
  await using gallery = await openNamedGallery(context, {
    ...(typeof calibration === 'string' && { calibration: await openCalibration(calibration) }),
  });
  const found = new Map<PhotoResult, (Identification | undefined)[]>();
  let recognised = 0;
  const look = async (face: AnalyzedFace): Promise<Identification | undefined> => {
    if (face.embedding === undefined) return undefined;
    const answer = await gallery.identify(face.embedding, {
      signal,
      k: typeof candidates === 'number' ? candidates : 3,
      ...(typeof fmr === 'number' && { fmr }),
      ...(typeof fpir === 'number' && { fpir }),
      ...(typeof threshold === 'number' && { threshold }),
      ...(typeof collection === 'string' && { collection }),
    });
    if (answer.match !== undefined) recognised++;
    return answer;
  };
  const code = await runOverPhotos(
    context,
    { embedding: true },
    {
      async photo(result) {
        const answers = await Promise.all(result.faces.map(look));
        found.set(result, answers);
        return {
          path: result.path,
          width: result.frame.width,
          height: result.frame.height,
          faces: result.faces.map((face, i) => ({ box: boxJson(face), score: round(face.score, 4), ...answers[i] })),
        };
      },
      print(result) {
        terminal.stdout.write(`${photoHeading(result, terminal.style)}\n`);
        const answers = found.get(result) ?? [];
        found.delete(result);
        const rows = answers.flatMap((answer, i) => rowsOf(answer, i, context));
        if (rows.length === 0) return;
        const columns = ['#', 'person', 'similarity', 'false match rate', 'of the search'].map((title, i) => ({
          title,
          right: i !== 1,
        }));
        terminal.stdout.write(`${table(columns, rows, terminal.style, '  ')}\n`);
      },
    },
  );
  return code !== 0 ? code : recognised > 0 ? 0 : 1;
}

function rowsOf(answer: Identification | undefined, face: number, { terminal: { style } }: CommandContext): string[][] {
  const label = `${face + 1}`;
  if (answer === undefined || answer.candidates.length === 0)
    return [[label, style.dim('nobody enrolled'), '', '', '']];
  return answer.candidates.map(({ person, name, similarity, match, fmr, fpir, ratesAtMost }, i) => {
    const shown = printable(name === undefined ? person : `${name} (${person})`);
    const rate = (value: number | undefined): string =>
      value === undefined ? '' : `${ratesAtMost === true ? '≤ ' : ''}${rateText(value)}`;
    return [
      i === 0 ? label : '',
      match ? style.green(shown) : style.dim(shown),
      similarity.toFixed(4),
      rate(fmr),
      rate(fpir),
    ];
  });
}
