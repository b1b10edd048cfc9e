import type { AnalyzedFace, AnalyzeOptions, Engine } from '../../index.js';
import { type ContactSheetItem, contactSheet, faceCrop } from '../../visualization/index.js';
import type { CommandContext } from '../command.js';
import { FACE_COLUMNS, faceCells, faceJson, hintOf } from '../face-output.js';
import type { ErrorJson } from '../failure.js';
import { type FaceRef, type Matching, matchWherePossible } from '../matching.js';
import { makeOverlayWriter, writeOutput } from '../overlays.js';
import { type PhotoResult, type RunSummary, round, runOverPhotos } from '../photos.js';
import type { ReportBuilder } from '../report.js';
import { printable, table } from '../terminal.js';
import { photoHeading } from './detect.js';

/** What `analyze` asks of each face. */
export function everything(embedding: boolean): AnalyzeOptions {
  return {
    landmarks: true,
    pose: true,
    headPose: true,
    quality: true,
    geometry: true,
    symmetry: true,
    actionUnits: true,
    expressionReading: true,
    embedding,
    attributes: ['expression', 'age', 'gender'],
  };
}

/** `lineament analyze`: every measure, and who is who. */
export async function analyze(context: CommandContext): Promise<number> {
  const { options, terminal, signal } = context;
  const matched = options['no-match'] !== true;
  const withVector = options['embedding'] === true;
  const fmr = typeof options['fmr'] === 'number' ? options['fmr'] : undefined;
  const overlay = await makeOverlayWriter(options['overlay']);
  const sheet: ContactSheetItem[] | undefined = typeof options['sheet'] === 'string' ? [] : undefined;
  let report: ReportBuilder | undefined;
  const done: { readonly path: string; readonly faces: readonly AnalyzedFace[] }[] = [];

  return runOverPhotos(
    context,
    everything(matched || withVector),
    {
      async begin(photographs) {
        if (typeof options['report'] !== 'string') return;
        report = new (await import('../report.js')).ReportBuilder(photographs);
      },
      async photo(result) {
        done.push({ path: result.path, faces: result.faces });
        await overlay?.(result);
        await report?.add(result);
        if (sheet) await addToSheet(sheet, result);
        const { path, frame, faces } = result;
        return {
          path,
          width: frame.width,
          height: frame.height,
          faces: faces.map((face) => faceJson(face, withVector)),
        };
      },
      failed: (path: string, error: ErrorJson) => report?.addFailure(path, error),
      print(result) {
        terminal.stdout.write(`${photoHeading(result, terminal.style)}\n`);
        if (result.faces.length === 0) return;
        const rows = result.faces.map((face, index) => [`${index + 1}`, ...faceCells(face)]);
        terminal.stdout.write(`${table([{ title: '#', right: true }, ...FACE_COLUMNS], rows, terminal.style, '  ')}\n`);
        for (const [index, face] of result.faces.entries()) {
          const hint = hintOf(face);
          if (hint) terminal.stdout.write(terminal.style.dim(`  ${index + 1}: ${hint}\n`));
        }
      },
    },
    finish,
  );

  async function finish(engine: Engine, summary: RunSummary): Promise<object | undefined> {
    const matching = matched
      ? await matchWherePossible(
          engine,
          done.map(({ faces }) => faces),
          fmr,
          signal,
        )
      : undefined;
    if (options['json'] !== true && done.length > 1) printMatches(context, done, matching);
    const written: string[] = [];
    if (report && typeof options['report'] === 'string') {
      await writeOutput(options['report'], await report.render(engine, matching, summary.openMs, summary.totalMs));
      written.push(options['report']);
    }
    if (sheet && typeof options['sheet'] === 'string' && sheet.length > 0) {
      await writeOutput(options['sheet'], await contactSheet(sheet));
      written.push(options['sheet']);
    }
    if (options['json'] !== true) for (const file of written) terminal.stdout.write(`\nwritten: ${printable(file)}\n`);
    return matching && { matching: matchingJson(matching, done) };
  }
}

/** Keeps a small crop of each face instead of the whole photograph. */
async function addToSheet(sheet: ContactSheetItem[], { path, frame, faces }: PhotoResult): Promise<void> {
  const name = path.replace(/^.*[/\\]/, '');
  for (const { box } of faces) {
    const side = 320;
    const picture = await faceCrop(frame, box, side);
    // The crop already has its margin: the sheet shows it whole.
    if (picture)
      sheet.push({ picture, face: { box: [side * 0.1875, side * 0.1875, side * 0.625, side * 0.625] }, label: name });
  }
}

function matchingJson(matching: Matching, photos: readonly { readonly path: string }[]): object {
  const side = ({ photo, face }: FaceRef): object => ({ path: photos[photo]?.path, face });
  return {
    threshold: matching.threshold,
    fmr: matching.fmr ?? null,
    pairs: matching.pairs.map(({ a, b, similarity }) => ({ a: side(a), b: side(b), similarity: round(similarity, 4) })),
  };
}

function printMatches(
  { terminal }: CommandContext,
  photos: readonly { readonly path: string }[],
  matching: Matching | undefined,
): void {
  if (!matching) return;
  const { style, stdout } = terminal;
  const name = ({ photo, face }: FaceRef): string => `${printable(photos[photo]?.path ?? '')} #${face + 1}`;
  const rate = matching.fmr === undefined ? '' : `, false match rate ${Number((matching.fmr * 100).toPrecision(2))} %`;
  stdout.write(
    `\n${style.bold('Matches across photographs')} ${style.dim(`(similarity from ${matching.threshold.toFixed(3)}${rate})`)}\n`,
  );
  if (matching.pairs.length === 0) {
    stdout.write('  none\n');
    return;
  }
  const rows = matching.pairs.map(({ a, b, similarity }) => [name(a), name(b), style.green(similarity.toFixed(3))]);
  stdout.write(
    `${table([{ title: 'face' }, { title: 'and' }, { title: 'similarity', right: true }], rows, style, '  ')}\n`,
  );
}
