import type { Face, Point } from '../../types.js';
import { CONTOURS_68 } from '../../visualization/index.js';
import type { CommandContext } from '../command.js';
import { boxJson, pointsJson, round, runOverPhotos } from '../photos.js';
import { degrees, table } from '../terminal.js';
import { photoHeading } from './detect.js';

/** The middle of the points `from` to `to`, both included. */
function middle(points: readonly Point[], from: number, to: number): Point {
  const part = points.slice(from, to + 1);
  const sum = part.reduce(([x, y], [px, py]): Point => [x + px, y + py], [0, 0]);
  return [sum[0] / part.length, sum[1] / part.length];
}

/** Distance between the middles of the eyes in pixels. */
function eyeDistance(face: Face): number | undefined {
  if (face.landmarks?.length !== 68) return undefined;
  const [a, b] = [middle(face.landmarks, 36, 41), middle(face.landmarks, 42, 47)];
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

/** `lineament landmarks`: 68 points and the pose of the head. */
export async function landmarks(context: CommandContext): Promise<number> {
  const { options, terminal } = context;
  return runOverPhotos(
    context,
    { landmarks: true, pose: true },
    {
      photo: (result) => ({
        path: result.path,
        width: result.frame.width,
        height: result.frame.height,
        faces: result.faces.map((face) => ({
          box: boxJson(face),
          score: round(face.score, 4),
          ...(face.landmarks && { landmarks: pointsJson(face.landmarks) }),
          ...(face.pose && {
            pose: { roll: round(face.pose.roll), yaw: round(face.pose.yaw), pitch: round(face.pose.pitch) },
          }),
        })),
      }),
      print(result) {
        terminal.stdout.write(`${photoHeading(result, terminal.style)}\n`);
        if (result.faces.length === 0) return;
        const titles = ['#', 'score', 'roll', 'yaw', 'pitch', 'eye distance'];
        const rows = result.faces.map((face, index) => [
          `${index + 1}`,
          face.score.toFixed(3),
          face.pose ? degrees(face.pose.roll) : '',
          face.pose ? degrees(face.pose.yaw) : '',
          face.pose ? degrees(face.pose.pitch) : '',
          eyeDistance(face) === undefined ? '' : `${eyeDistance(face)?.toFixed(0)} px`,
        ]);
        terminal.stdout.write(
          `${table(
            titles.map((title) => ({ title, right: true })),
            rows,
            terminal.style,
            '  ',
          )}\n`,
        );
        if (options['points'] !== true) return;
        for (const [index, face] of result.faces.entries()) terminal.stdout.write(pointLines(face, index));
      },
    },
  );
}

function pointLines(face: Face, index: number): string {
  if (!face.landmarks) return '';
  const lines = CONTOURS_68.map(({ name, from, to }) => {
    const points = (face.landmarks ?? []).slice(from, to + 1).map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`);
    return `  ${index + 1} ${name.padEnd(11)} ${points.join(' ')}\n`;
  });
  return lines.join('');
}
