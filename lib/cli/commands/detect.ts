import type { CommandContext } from '../command.js';
import { makeOverlayWriter } from '../overlays.js';
import { boxJson, facesText, type PhotoResult, pointsJson, round, runOverPhotos } from '../photos.js';
import { printable, table } from '../terminal.js';

/** `lineament detect`: boxes, scores, landmarks. */
export async function detect(context: CommandContext): Promise<number> {
  const { options, terminal } = context;
  const landmarks = options['no-landmarks'] !== true;
  const overlay = await makeOverlayWriter(options['overlay']);
  return runOverPhotos(
    context,
    { landmarks },
    {
      async photo(result) {
        await overlay?.(result);
        return {
          path: result.path,
          width: result.frame.width,
          height: result.frame.height,
          faces: result.faces.map((face) => ({
            box: boxJson(face),
            score: round(face.score, 4),
            ...(face.landmarks && { landmarks: pointsJson(face.landmarks) }),
          })),
        };
      },
      print(result) {
        terminal.stdout.write(`${photoHeading(result, terminal.style)}\n`);
        if (result.faces.length === 0) return;
        const rows = result.faces.map((face, index) => [
          `${index + 1}`,
          face.score.toFixed(3),
          ...face.box.map((value) => value.toFixed(0)),
          face.landmarks ? `${face.landmarks.length}` : '',
        ]);
        const titles = ['#', 'score', 'x', 'y', 'width', 'height', 'landmarks'];
        terminal.stdout.write(
          `${table(
            titles.map((title) => ({ title, right: true })),
            rows,
            terminal.style,
            '  ',
          )}\n`,
        );
      },
    },
  );
}

/** "photo.jpg  1920 × 1280, 3 faces, 41 ms". */
export function photoHeading(result: PhotoResult, style: CommandContext['terminal']['style']): string {
  const { frame, faces, facesMs } = result;
  const facts = `${frame.width} × ${frame.height}, ${facesText(faces.length)}, ${facesMs.toFixed(0)} ms`;
  return `${style.bold(printable(result.path))}  ${style.dim(facts)}`;
}
